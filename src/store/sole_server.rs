//! One serving process per SQLite file. Two would not corrupt it, but each would keep the other's writers waiting and
//! trust its own caches; whoever wants several servers wants PostgreSQL.
//!
//! The lock is the operating system's and ends with the process, however that ends. It lies on a file beside the
//! database, because closing the database's own file a second time would drop the locks that SQLite holds on it.
//! Commands (`token`, `check`, `backup`, …) do not take it: they work beside a server.

use std::fs::{File, OpenOptions, TryLockError};

use super::error::StoreError;

/// The right to serve a database; ends when dropped.
#[derive(Debug)]
pub struct SoleServer {
    _lock: Option<File>,
}

impl SoleServer {
    /// Takes it. Errors: [`StoreError::Unusable`] when another process serves the same SQLite file.
    pub fn claim(url: &str) -> Result<Self, StoreError> {
        let path = match url.strip_prefix("sqlite://") {
            Some(path) if path != ":memory:" => path,
            _ => return Ok(Self { _lock: None }),
        };
        let beside = format!("{path}-serving");
        let unusable = |error: &dyn std::fmt::Display| {
            StoreError::Unusable(format!("{beside} cannot be locked: {error}"))
        };
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&beside)
            .map_err(|error| unusable(&error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _lock: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Unusable(format!(
                "{path} is served by another process; stop that one, or use PostgreSQL for several servers"
            ))),
            Err(TryLockError::Error(error)) => Err(unusable(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_served_by_one_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}/rollcall.db", folder.path().display());
        let first = SoleServer::claim(&url).expect("the first may");
        let refused = SoleServer::claim(&url).expect_err("the second may not");
        assert!(refused.to_string().contains("another process"), "{refused}");
        drop(first);
        SoleServer::claim(&url).expect("the next may");
    }

    #[test]
    fn postgres_and_memory_are_never_taken() {
        for url in ["sqlite://:memory:", "postgres://db.example/rollcall"] {
            let _first = SoleServer::claim(url).expect("claimed");
            SoleServer::claim(url).expect("claimed again");
        }
    }
}
