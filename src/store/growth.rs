//! What PostgreSQL's planner knows of the size of tables. SQLite's joins are ordered by us: here is nothing for it to do.
//!
//! Without statistics the planner takes a tenant for a two-hundredth of a table and any index that begins with it for as good
//! as the one that has the row; and it keeps the plans it made while a table was nearly empty. A first push is over before
//! autovacuum comes by.

use super::db::{Db, OneText};
use super::error::StoreError;
use super::statement::Stmt;

/// So many pages are no news to a transaction that waits for the look.
const FEW: u32 = 64;
/// Nor to one that looks while nobody waits.
const FEWER: u32 = 16;

impl Db {
    /// Lets the planner know how large these tables have become, where their file has doubled since it last looked: a
    /// transaction that has just written a hundred thousand rows is planned as if they were not there, and its joins
    /// take their square in time. Costs a look at the catalog otherwise.
    pub fn notice_growth(&mut self, tables: &[&'static str]) -> Result<(), StoreError> {
        if let Self::Sqlite(..) = self {
            return Ok(());
        }
        let names: Vec<String> = tables
            .iter()
            .map(|table| format!("'{table}'::regclass"))
            .collect();
        for table in self.grown(&format!("c.oid IN ({})", names.join(", ")), FEW)? {
            self.batch(&format!("ANALYZE {table}"))?;
        }
        Ok(())
    }

    /// The tables whose file has doubled since the planner last looked.
    pub fn grown_tables(&mut self) -> Result<Vec<String>, StoreError> {
        match self {
            Self::Sqlite(..) => Ok(Vec::new()),
            Self::Postgres(..) => self.grown(
                "c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace",
                FEWER,
            ),
        }
    }

    /// Lets the planner look at one of [`Self::grown_tables`], unless somebody else already does.
    pub fn look_at_grown(&mut self, table: &str) -> Result<(), StoreError> {
        self.batch(&format!("ANALYZE (SKIP_LOCKED) {table}"))
    }

    fn grown(&mut self, which: &str, few: u32) -> Result<Vec<String>, StoreError> {
        let grown: Vec<OneText> = self.load(Stmt::new(format!(
            "SELECT c.oid::regclass::text AS t FROM pg_class c WHERE {which} \
             AND pg_relation_size(c.oid) > 2 * 8192 * (c.relpages::bigint + {few}) ORDER BY c.relname"
        )))?;
        Ok(grown.into_iter().map(|row| row.t).collect())
    }
}
