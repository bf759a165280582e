//! The searchable values of attributes that operators define: `resource_values`. What stands in them is
//! `store::custom_values`.

use uuid::Uuid;

use crate::ids::TenantId;
use crate::store::custom_values::{CustomAttr, CustomValue};
use crate::store::placement::Kind;
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, SqlId, StoreError};

/// How many rows one statement inserts.
const CHUNK: usize = 100;

/// Adds values of a resource. [`StoreError::Conflict`] when another resource has one that is unique; the transaction
/// must then end.
pub fn insert(
    db: &mut Db,
    tenant: TenantId,
    resource: Uuid,
    rows: &[CustomValue],
) -> Result<(), StoreError> {
    for chunk in rows.chunks(CHUNK) {
        let tuples = vec!["(?, ?, ?, ?, ?, ?)"; chunk.len()].join(", ");
        let mut stmt = Stmt::new(format!(
            "INSERT INTO resource_values (tenant_id, attr, value_key, resource_id, ord, is_unique) VALUES {tuples} \
             ON CONFLICT DO NOTHING"
        ))
        .once(chunk.len() > 16);
        for row in chunk {
            stmt = stmt.binds([
                Bind::from(tenant),
                Bind::from(row.attr),
                Bind::from(row.value_key.as_str()),
                Bind::from(resource),
                Bind::from(row.ord),
                Bind::from(row.is_unique),
            ]);
        }
        if db.execute(stmt)? != chunk.len() {
            return Err(StoreError::Conflict);
        }
    }
    Ok(())
}

/// Whether another resource has a unique value.
pub fn is_taken(
    db: &mut Db,
    tenant: TenantId,
    resource: Uuid,
    row: &CustomValue,
) -> Result<bool, StoreError> {
    let found = db.number(
        Stmt::new(
            "SELECT CAST(1 AS BIGINT) AS n FROM resource_values \
             WHERE tenant_id = ? AND attr = ? AND value_key = ? AND resource_id <> ? LIMIT 1",
        )
        .bind(tenant)
        .bind(row.attr)
        .bind(row.value_key.as_str())
        .bind(resource),
    )?;
    Ok(found == 1)
}

/// Removes the values a resource has under these attributes.
pub fn remove(
    db: &mut Db,
    tenant: TenantId,
    resource: Uuid,
    attrs: &[i64],
) -> Result<(), StoreError> {
    for chunk in attrs.chunks(CHUNK) {
        db.execute(
            Stmt::new(format!(
                "DELETE FROM resource_values WHERE tenant_id = ? AND resource_id = ? AND attr IN ({})",
                marks(chunk.len())
            ))
            .once(chunk.len() > 16)
            .bind(tenant)
            .bind(resource)
            .binds(chunk.iter().map(|attr| Bind::from(*attr))),
        )?;
    }
    Ok(())
}

/// Removes all values of a resource that is gone.
pub fn remove_all(db: &mut Db, tenant: TenantId, resource: Uuid) -> Result<(), StoreError> {
    db.execute(
        Stmt::new("DELETE FROM resource_values WHERE tenant_id = ? AND resource_id = ?")
            .bind(tenant)
            .bind(resource),
    )?;
    Ok(())
}

/// An attribute whose values are all there.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct Indexed {
    /// As in [`CustomAttr`].
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub path: String,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub attr: i64,
}

/// Every attribute whose values are all there.
pub fn indexed(db: &mut Db) -> Result<Vec<Indexed>, StoreError> {
    db.load(Stmt::new(
        "SELECT path, attr FROM indexed_attributes ORDER BY path",
    ))
}

/// Notes that the values of an attribute are all there.
pub fn note_indexed(db: &mut Db, attr: &CustomAttr) -> Result<(), StoreError> {
    db.execute(
        Stmt::new(
            "INSERT INTO indexed_attributes (path, attr) VALUES (?, ?) \
             ON CONFLICT (path) DO UPDATE SET attr = excluded.attr",
        )
        .bind(attr.path.as_str())
        .bind(attr.number),
    )?;
    Ok(())
}

/// Takes that note back, while they are gathered anew.
pub fn forget_indexed(db: &mut Db, attr: &CustomAttr) -> Result<(), StoreError> {
    db.execute(
        Stmt::new("DELETE FROM indexed_attributes WHERE path = ?").bind(attr.path.as_str()),
    )?;
    Ok(())
}

/// A document, read to gather its values.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct Stored {
    #[diesel(sql_type = SqlId)]
    pub id: crate::ids::ResourceId,
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub doc: String,
}

/// The next documents of one kind that name one of these URNs, in the order of the id.
pub fn documents(
    db: &mut Db,
    tenant: TenantId,
    kind: Kind,
    urns: &[String],
    after: Option<Uuid>,
    limit: usize,
) -> Result<Vec<Stored>, StoreError> {
    let (table, which) = match kind {
        Kind::User => ("users", "r.deleted_at IS NULL"),
        Kind::Group => ("learner_groups", "r.deleted_at IS NULL"),
        // no schema of an operator's says anything about them
        Kind::Membership => return Ok(Vec::new()),
        Kind::Other(_) => ("resources", "r.resource_type = ?"),
    };
    let position = db.dialect().position;
    let names = vec![format!("{position}(r.doc, ?) > 0"); urns.len()].join(" OR ");
    let after_it = if after.is_some() { " AND r.id > ?" } else { "" };
    let mut stmt = Stmt::new(format!(
        "SELECT r.id, r.doc FROM {table} r WHERE r.tenant_id = ? AND {which} AND ({names}){after_it} \
         ORDER BY r.id LIMIT {limit}"
    ))
    .once(true)
    .bind(tenant);
    if let Kind::Other(name) = kind {
        stmt = stmt.bind(name);
    }
    stmt = stmt.binds(urns.iter().map(|urn| Bind::from(format!("\"{urn}\""))));
    if let Some(after) = after {
        stmt = stmt.bind(after);
    }
    db.load(stmt)
}
