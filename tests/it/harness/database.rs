//! A database for one test: a SQLite file in a temporary folder, or a fresh database of the PostgreSQL server that
//! `TEST_DATABASE_URL` names. Gone when dropped.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

/// An empty database of its own.
pub struct Database {
    pub url: String,
    place: Place,
}

enum Place {
    Folder { _folder: tempfile::TempDir },
    Server { admin: String, name: String },
}

impl Database {
    /// Makes one.
    pub fn fresh() -> Self {
        let Some(server) = server() else {
            return Self::file();
        };
        let name = format!("it_{}", uuid::Uuid::now_v7().simple());
        run(&server, &format!("CREATE DATABASE {name}"));
        let (base, query) = server
            .split_once('?')
            .map_or((server.as_str(), None), |(base, query)| (base, Some(query)));
        let slash = base
            .rfind('/')
            .expect("TEST_DATABASE_URL ends in a database");
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let url = format!("{}/{name}{query}", &base[..slash]);
        Self {
            url,
            place: Place::Server {
                admin: server,
                name,
            },
        }
    }

    /// A SQLite file, whatever the suite runs on: for what compares the two.
    pub fn file() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("rollcall.db").display());
        Self {
            url,
            place: Place::Folder { _folder: folder },
        }
    }

    /// Whether two servers may use it at a time.
    pub fn can_be_shared() -> bool {
        server().is_some()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Place::Server { admin, name } = &self.place {
            run(
                admin,
                &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            );
        }
    }
}

fn run(server: &str, sql: &str) {
    let done = PgConnection::establish(server)
        .map_err(|error| error.to_string())
        .and_then(|mut conn| conn.batch_execute(sql).map_err(|error| error.to_string()));
    if let Err(error) = done {
        assert!(std::thread::panicking(), "{sql}: {error}");
    }
}

fn server() -> Option<String> {
    std::env::var("TEST_DATABASE_URL")
        .ok()
        .filter(|url| !url.is_empty())
}
