//! Tells PostgreSQL's planner of tables that have grown since it last looked at them: a first push writes more within
//! autovacuum's minute than plans made for empty tables are good for.

use std::time::Duration;

use crate::store::{Db, Store, StoreError};

/// How long it sleeps between two looks.
const PERIOD: Duration = Duration::from_secs(2);

/// Runs for ever; ends at once on SQLite, whose plans do not depend on sizes.
pub async fn run(store: Store) {
    if store.sqlite_path().is_some() {
        return;
    }
    loop {
        if let Err(error) = once(&store).await {
            log::warn!("the planner was not told of grown tables: {error}");
        }
        tokio::time::sleep(PERIOD).await;
    }
}

/// One look; each table in a transaction of its own.
async fn once(store: &Store) -> Result<(), StoreError> {
    for table in store.read_short(Db::grown_tables).await? {
        store
            .write("statistics", move |db| db.look_at_grown(&table))
            .await?;
    }
    Ok(())
}
