//! An operator's schemas meet the database: values of attributes that are searchable from now on are gathered from the
//! documents that have them already. Runs before the server listens.
//!
//! A file that was away and is back as it was needs nothing: its values were kept, as were the documents.

use anyhow::{Context as _, bail};

use crate::ids::TenantId;
use crate::scim::schema::{Registry, ResourceType};
use crate::store::custom_values::{self, CustomAttr, CustomValue};
use crate::store::placement::{Kind, LONG};
use crate::store::queries::invariants;
use crate::store::queries::resource_values::{self, Indexed};
use crate::store::{Db, Store, StoreError};

use super::ServiceError;
use super::directory::document;

/// Documents that one transaction reads.
const BATCH: usize = 500;

/// Gathers what is missing. Errors: an attribute that became unique while two resources share a value.
pub fn prepare(store: &Store, registry: &Registry) -> anyhow::Result<()> {
    let known: Vec<Indexed> = store.read_blocking(resource_values::indexed)?;
    for rt in &registry.resource_types {
        let mut new = custom_values::attributes(rt);
        new.retain(|attr| {
            !known
                .iter()
                .any(|one| one.path == attr.path && one.attr == attr.number)
        });
        if new.is_empty() {
            continue;
        }
        // Rows under a number of before would only be in the way.
        let old = known
            .iter()
            .filter(|one| new.iter().any(|attr| attr.path == one.path))
            .map(|one| one.attr);
        let new_numbers = new.iter().map(|attr| attr.number);
        let stale: Vec<i64> = old.chain(new_numbers).chain([LONG]).collect();
        let gathering = Gathering {
            rt,
            new: &new,
            stale: &stale,
        };
        let (noted, forgotten) = (new.clone(), new.clone());
        store.write_blocking("searchable attributes", move |db| {
            forgotten
                .iter()
                .try_for_each(|attr| resource_values::forget_indexed(db, attr))
        })?;
        gathering.run(store)?;
        store.write_blocking("searchable attributes", move |db| {
            noted
                .iter()
                .try_for_each(|attr| resource_values::note_indexed(db, attr))
        })?;
    }
    Ok(())
}

/// The attributes of one type whose values are to be gathered.
struct Gathering<'a> {
    rt: &'a ResourceType,
    new: &'a [CustomAttr],
    /// Numbers under which there may be rows already.
    stale: &'a [i64],
}

impl Gathering<'_> {
    fn run(&self, store: &Store) -> anyhow::Result<()> {
        let mut gathered = 0;
        for tenant in store.read_blocking(invariants::tenants)? {
            let mut after = None;
            loop {
                let step = store
                    .write_blocking("gather values", {
                        let (rt, new, stale) =
                            (self.rt.clone(), self.new.to_vec(), self.stale.to_vec());
                        move |db| {
                            Gathering {
                                rt: &rt,
                                new: &new,
                                stale: &stale,
                            }
                            .step(db, tenant, after)
                        }
                    })
                    .with_context(|| {
                        format!(
                            "gathering the values of {} of tenant {tenant}",
                            self.rt.name
                        )
                    })?;
                match step {
                    Step::Done => break,
                    Step::Went { last, documents } => {
                        after = Some(last);
                        gathered += documents;
                    }
                    Step::Taken { path } => bail!(
                        "the attribute {path} cannot be unique: two resources of tenant {tenant} have the same value; \
                         change one of them or take `uniqueness` out of the schema file"
                    ),
                }
            }
        }
        if gathered > 0 {
            log::info!(
                "gathered the values of {} attributes from {gathered} resources of type {}",
                self.new.len(),
                self.rt.name
            );
        }
        Ok(())
    }

    fn step(
        &self,
        db: &mut Db,
        tenant: TenantId,
        after: Option<uuid::Uuid>,
    ) -> Result<Step, ServiceError> {
        let kind = Kind::of(self.rt);
        let urns = self.urns();
        let stored = resource_values::documents(db, tenant, kind, &urns, after, BATCH)?;
        let Some(last) = stored.last().map(|one| one.id.0) else {
            return Ok(Step::Done);
        };
        for one in &stored {
            let resource = document::parse(&one.doc)?;
            let mut rows: Vec<CustomValue> = custom_values::rows(self.rt, &resource);
            rows.retain(|row| {
                row.attr == LONG || self.new.iter().any(|attr| attr.number == row.attr)
            });
            resource_values::remove(db, tenant, one.id.0, self.stale)?;
            match resource_values::insert(db, tenant, one.id.0, &rows) {
                Err(StoreError::Conflict) => {
                    for row in rows.iter().filter(|row| row.is_unique) {
                        if resource_values::is_taken(db, tenant, one.id.0, row)? {
                            let attr = self.new.iter().find(|attr| attr.number == row.attr);
                            let path = attr.map_or_else(String::new, |attr| attr.path.clone());
                            return Ok(Step::Taken { path });
                        }
                    }
                    return Err(StoreError::Conflict.into());
                }
                other => other?,
            }
        }
        Ok(Step::Went {
            last,
            documents: stored.len(),
        })
    }

    /// The schemas the attributes are of.
    fn urns(&self) -> Vec<String> {
        if self.rt.schema.custom {
            return vec![self.rt.schema.id.clone()];
        }
        self.rt
            .extensions
            .iter()
            .filter(|extension| extension.schema.custom)
            .map(|extension| extension.schema.id.clone())
            .collect()
    }
}

enum Step {
    Done,
    Went { last: uuid::Uuid, documents: usize },
    Taken { path: String },
}
