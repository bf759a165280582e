//! Copies of a SQLite database: taken while a server runs, verified before they get their name.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::db::{Db, OneText};
use super::error::StoreError;
use super::sqlite;
use super::statement::Stmt;
use super::vault::Vault;

/// The file of a `sqlite://` URL; `None` for another database, which has tools of its own.
#[must_use]
pub fn sqlite_file(url: &str) -> Option<&str> {
    url.strip_prefix("sqlite://")
        .filter(|path| *path != ":memory:")
}

fn broken(path: &Path, why: impl std::fmt::Display) -> StoreError {
    StoreError::Unusable(format!("{}: {why}", path.display()))
}

/// A name beside `path`: on the same file system, so that a rename is one step.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

/// Whether a file is a whole database of ours; the error says what is wrong.
fn verify(path: &Path) -> Result<(), StoreError> {
    if !path.is_file() {
        return Err(broken(path, "there is no such file"));
    }
    let text = path
        .to_str()
        .ok_or_else(|| broken(path, "the path is not UTF-8"))?;
    let mut db = Db::Sqlite(sqlite::connect(text)?, Vault::none());
    let checked: Vec<OneText> = db.load(Stmt::new(
        "SELECT integrity_check AS t FROM pragma_integrity_check",
    ))?;
    if let Some(problem) = checked.iter().find(|row| row.t != "ok") {
        return Err(broken(
            path,
            format!("the database is damaged: {}", problem.t),
        ));
    }
    let ours = db.number(Stmt::new(
        "SELECT COUNT(*) AS n FROM sqlite_master WHERE type = 'table' AND name IN ('tenants', 'sync_requests')",
    ))?;
    if ours != 2 {
        return Err(broken(path, "this is not a Rollcall database"));
    }
    Ok(())
}

/// Writes what is in the page cache to the disk, the folder's entry included.
fn sync(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Copies the database into `target`, which appears only when it is whole. A server may be writing meanwhile: the copy is
/// the state of one instant.
pub fn backup(database: &str, target: &Path) -> Result<(), StoreError> {
    if !Path::new(database).is_file() {
        return Err(broken(Path::new(database), "there is no such database"));
    }
    let part = beside(target, ".part");
    let _ = fs::remove_file(&part);
    let result = (|| {
        let mut db = Db::Sqlite(sqlite::connect(database)?, Vault::none());
        let text = part
            .to_str()
            .ok_or_else(|| broken(&part, "the path is not UTF-8"))?;
        db.execute(Stmt::new("VACUUM INTO ?").bind(text))?;
        verify(&part)?;
        sync(&part)
            .and_then(|()| fs::rename(&part, target))
            .map_err(|error| broken(target, error))?;
        sync(target).map_err(|error| broken(target, error))
    })();
    if result.is_err() {
        let _ = fs::remove_file(&part);
    }
    result
}

/// Puts a verified copy in the database's place. What was there stays beside it, as `….before-restore`; its name is
/// returned. No server may have it open.
pub fn restore(source: &Path, database: &str) -> Result<Option<PathBuf>, StoreError> {
    let target = Path::new(database);
    let part = beside(target, ".part");
    let result = (|| {
        // The copy is verified, not the source: opening a database may leave files beside it.
        fs::copy(source, &part).map_err(|error| broken(source, error))?;
        verify(&part)?;
        sync(&part).map_err(|error| broken(&part, error))?;
        let mut kept = None;
        if target.exists() {
            close(database)?;
            let before = beside(target, ".before-restore");
            fs::rename(target, &before).map_err(|error| broken(target, error))?;
            kept = Some(before);
        }
        fs::rename(&part, target).map_err(|error| broken(target, error))?;
        sync(target).map_err(|error| broken(target, error))?;
        Ok(kept)
    })();
    if result.is_err() {
        let _ = fs::remove_file(&part);
    }
    result
}

/// Makes the database one file without a log beside it, which works only while nobody else has it open.
fn close(database: &str) -> Result<(), StoreError> {
    let in_use = || {
        broken(
            Path::new(database),
            "the database is in use; stop the server first",
        )
    };
    let mut db = Db::Sqlite(sqlite::connect(database)?, Vault::none());
    db.batch("PRAGMA busy_timeout=500")?;
    db.batch("PRAGMA journal_mode=DELETE")
        .map_err(|_| in_use())?;
    let mode: Option<OneText> = db.optional(Stmt::new(
        "SELECT journal_mode AS t FROM pragma_journal_mode",
    ))?;
    if mode.is_some_and(|mode| mode.t == "delete") {
        Ok(())
    } else {
        Err(in_use())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Store, StoreOptions};

    fn tenants(path: &Path) -> i64 {
        let mut db = Db::Sqlite(
            sqlite::connect(path.to_str().expect("UTF-8")).expect("a database"),
            Vault::none(),
        );
        db.number(Stmt::new("SELECT COUNT(*) AS n FROM tenants"))
            .expect("a count")
    }

    #[test]
    fn a_copy_taken_while_the_store_is_open_can_be_put_back_when_it_is_closed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (live, copy) = (folder.path().join("live.db"), folder.path().join("copy.db"));
        let path = live.to_str().expect("UTF-8").to_owned();
        let store =
            Store::open(&format!("sqlite://{path}"), StoreOptions::default()).expect("a store");
        let add = |number: i64| {
            let stmt = Stmt::new(
                "INSERT INTO tenants (tenant_id, name, name_key, plan, time_zone, settings, created_at) \
                 VALUES (?, 't', ?, 'business', 'UTC', '{}', 0)",
            )
            .bind(number)
            .bind(number.to_string());
            store
                .write_blocking("add", move |db| db.execute(stmt.clone()))
                .expect("a tenant");
        };
        add(1);
        backup(&path, &copy).expect("a copy");
        assert_eq!(tenants(&copy), 1);
        add(2);
        assert!(restore(&copy, &path).is_err(), "a database in use stays");
        drop(store);
        let kept = restore(&copy, &path)
            .expect("restored")
            .expect("the old one is kept");
        assert_eq!((tenants(&live), tenants(&kept)), (1, 2));
    }

    #[test]
    fn what_is_no_whole_database_of_ours_is_refused_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let (source, target) = (
            folder.path().join("source"),
            folder.path().join("target.db"),
        );
        for bytes in [&b""[..], b"nonsense", b"SQLite format 3\0 but no more"] {
            fs::write(&source, bytes).expect("a file");
            assert!(restore(&source, target.to_str().expect("UTF-8")).is_err());
        }
        assert!(
            restore(
                &folder.path().join("nowhere"),
                target.to_str().expect("UTF-8")
            )
            .is_err()
        );
        assert!(
            backup(target.to_str().expect("UTF-8"), &source).is_err(),
            "there is nothing to copy"
        );
        assert!(!target.exists());
    }
}
