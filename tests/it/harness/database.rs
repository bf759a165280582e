//! A database for one test: a SQLite file in a temporary folder, or a fresh database of the PostgreSQL server that
//! `TEST_DATABASE_URL` names. Gone when dropped.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, RunQueryDsl};

/// An empty database of its own.
pub struct Database {
    pub url: String,
    place: Place,
}

enum Place {
    Folder { folder: tempfile::TempDir },
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
            place: Place::Folder { folder },
        }
    }

    /// Runs a statement on it, past the server.
    pub fn execute(&self, sql: &str) {
        match &self.place {
            Place::Folder { .. } => {
                let path = self.url.trim_start_matches("sqlite://");
                let mut conn = diesel::SqliteConnection::establish(path).expect("the database");
                conn.batch_execute("PRAGMA busy_timeout=5000")
                    .expect("a setting");
                conn.batch_execute(sql).expect("the statement");
            }
            Place::Server { .. } => {
                let mut conn = PgConnection::establish(&self.url).expect("the database");
                conn.batch_execute(sql).expect("the statement");
            }
        }
    }

    /// Ends every connection but its own, as a restart of PostgreSQL does.
    pub fn drop_connections(&self) {
        if let Place::Server { .. } = self.place {
            self.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
            );
        }
    }

    /// Everything that is stored, as text: what must not be in it is searched for.
    pub fn everything(&self) -> String {
        match &self.place {
            Place::Folder { folder } => {
                let files = std::fs::read_dir(folder.path()).expect("the folder");
                let bytes = files
                    .flatten()
                    .flat_map(|file| std::fs::read(file.path()).expect("a file of the database"));
                String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
            }
            Place::Server { .. } => {
                #[derive(diesel::QueryableByName)]
                struct Dump {
                    #[diesel(sql_type = diesel::sql_types::Text)]
                    dump: String,
                }
                let mut conn = PgConnection::establish(&self.url).expect("the database");
                let sql = "SELECT CAST(database_to_xml(true, true, '') AS TEXT) AS dump";
                let dump: Dump = diesel::sql_query(sql)
                    .get_result(&mut conn)
                    .expect("a dump of the database");
                dump.dump
            }
        }
    }

    /// Every row of a tenant in every table that has tenants, as text. When a token was last used is left out: it is noted
    /// behind the answers.
    pub fn rows_of(&self, tenant: i64) -> Vec<String> {
        let lines = |tables: Vec<Row>, rows: &mut dyn FnMut(String) -> Vec<Row>| {
            let mut all = Vec::new();
            for Row { line: table, cells } in tables {
                let sql = format!(
                    "SELECT {cells} AS line, '' AS cells FROM {table} t WHERE tenant_id = {tenant} ORDER BY 1"
                );
                all.extend(
                    rows(sql)
                        .into_iter()
                        .map(|row| format!("{table}: {}", row.line)),
                );
            }
            assert!(all.len() > 10, "{all:?}");
            all
        };
        match &self.place {
            Place::Folder { .. } => {
                let path = self.url.trim_start_matches("sqlite://");
                let mut conn = diesel::SqliteConnection::establish(path).expect("the database");
                let tables = "SELECT m.name AS line, group_concat('quote(' || p.name || ')', ' || '' '' || ') AS cells \
                    FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table' AND p.name <> 'last_used_at' \
                    GROUP BY m.name HAVING sum(p.name = 'tenant_id') > 0 ORDER BY 1";
                let mut rows = |sql: String| diesel::sql_query(sql).load(&mut conn).expect("rows");
                lines(rows(tables.to_owned()), &mut rows)
            }
            Place::Server { .. } => {
                let mut conn = PgConnection::establish(&self.url).expect("the database");
                let tables = "SELECT CAST(c.table_name AS TEXT) AS line, \
                    'CAST(to_jsonb(t) - ''last_used_at'' AS TEXT)' AS cells FROM information_schema.columns c \
                    WHERE c.column_name = 'tenant_id' AND c.table_schema = 'public' ORDER BY 1";
                let mut rows = |sql: String| diesel::sql_query(sql).load(&mut conn).expect("rows");
                lines(rows(tables.to_owned()), &mut rows)
            }
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

/// A row as text; of a list of tables: a table, and how its rows become text.
#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    cells: String,
}
