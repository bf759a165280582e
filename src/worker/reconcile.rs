//! The hourly reconciler: `enroll` with the widest scope (`learning-domain.md` §4), whose findings a trigger missed and which are
//! therefore logged; and the cycles of recertifications whose window has opened (4.12).

use std::time::Duration;

use crate::clock::Clock;
use crate::service::enroll::{self, EnrollScope};
use crate::service::{Scope, ServiceError, cycles, erasure, retention, tenants};
use crate::store::Store;

/// How long it sleeps between two rounds.
const PERIOD: Duration = Duration::from_secs(60 * 60);

/// Runs for ever, one round an hour, the first an hour after the start.
pub async fn run(store: Store, clock: Clock) {
    loop {
        tokio::time::sleep(PERIOD).await;
        if let Err(error) = once(&store, &clock).await {
            log::error!("the reconciler could not finish its round: {error}");
        }
    }
}

/// One round: every tenant in a transaction of its own.
pub async fn once(store: &Store, clock: &Clock) -> Result<(), ServiceError> {
    for tenant in store.read(tenants::list).await? {
        let scope = Scope::system(tenant.id, "reconciler", clock.now());
        let whole = scope.clone();
        let effects = store
            .write("reconcile", move |db| {
                enroll::enroll(db, &whole, &EnrollScope::Tenant)
            })
            .await?;
        let mut after = None;
        loop {
            let scope = scope.clone();
            let (next, _) = store
                .write("renewals", move |db| cycles::renewals(db, &scope, after))
                .await?;
            if next.is_none() {
                break;
            }
            after = next;
        }
        loop {
            let scope = scope.clone();
            let more = store
                .write("forget", move |db| retention::forget(db, &scope))
                .await?;
            if !more {
                break;
            }
        }
        let released = store
            .write("release names", move |db| erasure::release(db, &scope))
            .await?;
        if released {
            store.empty_log_soon().await;
        }
        if effects.enrollments > 0 {
            log::warn!(
                "reconciled tenant {}: {} enrollments had been missed",
                tenant.id,
                effects.enrollments
            );
        }
    }
    Ok(())
}
