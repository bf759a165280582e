//! The rows a condition selects: the statements that find them.

use crate::ids::TenantId;
use crate::scim::filter::CheckedFilter;
use crate::scim::filter::sort::SortKey;
use crate::store::condition::Lowered;
use crate::store::placement::{Kind, SortColumn};
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, StoreError};

use super::order::{Step, Stretch, bind};
use super::{BATCH, Listed};

/// The rows a condition selects.
pub(super) struct Candidates<'f> {
    pub tenant: TenantId,
    pub kind: Kind,
    pub filter: Option<&'f CheckedFilter>,
    /// The filter's; `None` when it always holds.
    pub condition: Option<Lowered>,
    pub way: Way,
    /// Whether its plan depends on what is bound.
    pub varies: bool,
}

/// How they are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As the database likes, in order.
    Planned,
    /// So few match that they are looked up and sorted.
    Few,
    /// Many match, so that enough should be met among the next so many rows of the order.
    Reach(usize),
    /// Many match, but far away in the order: all are sorted by their keys before a document is read.
    Sort,
}

impl Candidates<'_> {
    /// `FROM … WHERE …` with its binds: of a stretch of an order, behind a place in it.
    fn selection<R: Listed>(
        &self,
        stretch: Option<&Stretch>,
        step: Option<&Step>,
    ) -> (String, Vec<Bind<'_>>) {
        let mut sql = format!("FROM {} r WHERE r.tenant_id = ?", R::TABLE);
        let mut binds = vec![Bind::from(self.tenant)];
        match self.kind {
            Kind::User | Kind::Group => sql.push_str(" AND r.deleted_at IS NULL"),
            Kind::Membership => {}
            Kind::Other(name) => {
                sql.push_str(" AND r.resource_type = ?");
                binds.push(Bind::from(name));
            }
        }
        if let Some(stretch) = stretch {
            if let Some((column, assigned)) = stretch.guard {
                sql.push_str(&format!(
                    " AND r.{column} IS {}NULL",
                    if assigned { "NOT " } else { "" }
                ));
            }
            if let Some(step) = step {
                let (behind, keys) = stretch.behind(step);
                sql.push_str(&behind);
                binds.extend(keys);
            }
        }
        let Some(condition) = &self.condition else {
            return (sql, binds);
        };
        if let (Way::Reach(rows), Some(stretch)) = (self.way, stretch) {
            let order = stretch.order(false);
            sql = format!("FROM (SELECT r.* {sql} ORDER BY {order} LIMIT {rows}) r WHERE ");
        } else {
            sql.push_str(" AND ");
        }
        sql.push_str(&condition.sql);
        binds.extend(condition.binds.iter().cloned());
        (sql, binds)
    }

    /// `FROM … WHERE …` of all.
    pub(super) fn all<R: Listed>(&self) -> (String, Vec<Bind<'_>>) {
        self.selection::<R>(None, None)
    }

    /// Whether the condition holds for nobody.
    pub(super) fn selects_nothing(&self) -> bool {
        self.condition
            .as_ref()
            .is_some_and(|condition| condition.sql == "FALSE")
    }

    fn is_selective(&self) -> bool {
        matches!(self.way, Way::Few | Way::Sort)
            || self
                .condition
                .as_ref()
                .is_some_and(|condition| condition.selective)
    }

    /// Whether the statement is not to be kept: its text is one of endlessly many, or its plan is for these values alone.
    pub(super) fn is_rare(&self) -> bool {
        self.varies
            || self
                .condition
                .as_ref()
                .is_some_and(|condition| condition.tests > 1)
    }

    /// Counts the matches, of a stretch or of all.
    pub(super) fn count_statement<R: Listed>(&self, stretch: Option<&Stretch>) -> Stmt<'_> {
        let (from, binds) = self.selection::<R>(stretch, None);
        Stmt::new(format!("SELECT CAST(count(*) AS BIGINT) AS n {from}"))
            .once(self.is_rare())
            .binds(binds)
    }

    /// A page from an offset on.
    pub(super) fn page_statement<R: Listed>(
        &self,
        stretch: &Stretch,
        skip: usize,
        limit: usize,
    ) -> Stmt<'_> {
        let selection = self.selection::<R>(Some(stretch), None);
        self.rows_of::<R>(selection, stretch, skip, limit)
    }

    /// The next candidates of a stretch.
    pub(super) fn batch_statement<R: Listed>(
        &self,
        stretch: &Stretch,
        step: Option<&Step>,
        limit: usize,
    ) -> Stmt<'_> {
        let selection = self.selection::<R>(Some(stretch), step);
        self.rows_of::<R>(selection, stretch, 0, limit)
    }

    /// A deep page, and one of many that are sorted, first finds its keys in the index, then reads the documents of those
    /// alone.
    fn rows_of<'a, R: Listed>(
        &'a self,
        (from, binds): (String, Vec<Bind<'a>>),
        stretch: &Stretch,
        skip: usize,
        limit: usize,
    ) -> Stmt<'a> {
        let (columns, order) = (R::COLUMNS, stretch.order(self.is_selective()));
        if skip == 0 && self.way != Way::Sort {
            let sql = format!("SELECT {columns} {from} ORDER BY {order} LIMIT {limit}");
            return Stmt::new(sql).once(self.is_rare()).binds(binds);
        }
        let sql = format!(
            "SELECT {columns} FROM (SELECT r.id {from} ORDER BY {order} LIMIT {limit} OFFSET ?) k \
             JOIN {} r ON r.tenant_id = ? AND r.id = k.id ORDER BY {order}",
            R::TABLE
        );
        let skip = i64::try_from(skip).unwrap_or(i64::MAX);
        Stmt::new(sql)
            .once(self.is_rare())
            .binds(binds)
            .bind(skip)
            .bind(self.tenant)
    }

    /// Where the next batch begins after this row.
    pub(super) fn after<R: Listed>(
        &self,
        db: &mut Db,
        stretch: &Stretch,
        last: &R,
    ) -> Result<Step, StoreError> {
        let key = match stretch.column {
            None => SortKey::Missing,
            Some(column) => key_of(db, self.tenant, column, last)?,
        };
        Ok(Step {
            key: stretch
                .column
                .map_or_else(Vec::new, |column| bind(column, &key)),
            id: last.id(),
            inclusive: false,
        })
    }

    /// Those of these rows that the condition selects.
    pub(super) fn among<R: Listed>(
        &self,
        db: &mut Db,
        ids: &[uuid::Uuid],
    ) -> Result<Vec<R>, StoreError> {
        let (from, binds) = self.selection::<R>(None, None);
        let sql = format!(
            "SELECT {} {from} AND r.id IN ({})",
            R::COLUMNS,
            marks(ids.len())
        );
        let stmt = Stmt::new(sql)
            .once(self.is_rare() || ids.len() > 16)
            .binds(binds)
            .binds(ids.iter().map(|id| Bind::from(*id)));
        db.load(stmt)
    }

    /// Rows by their ids, in the order of the ids.
    pub(super) fn by_ids<R: Listed>(
        &self,
        db: &mut Db,
        ids: &[uuid::Uuid],
    ) -> Result<Vec<R>, StoreError> {
        let mut found = std::collections::HashMap::with_capacity(ids.len());
        for chunk in ids.chunks(BATCH) {
            let sql = format!(
                "SELECT {} FROM {} r WHERE r.tenant_id = ? AND r.id IN ({})",
                R::COLUMNS,
                R::TABLE,
                marks(chunk.len())
            );
            let stmt = Stmt::new(sql)
                .once(chunk.len() > 16)
                .bind(self.tenant)
                .binds(chunk.iter().map(|id| Bind::from(*id)));
            found.extend(db.load::<R>(stmt)?.into_iter().map(|row| (row.id(), row)));
        }
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }
}

/// One text that may be absent, selected `AS t`.
#[derive(diesel::QueryableByName)]
struct MaybeText {
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    t: Option<String>,
}

/// The key of a row in the order of a column. Text keys are not part of a row: they are asked for.
pub(super) fn key_of<R: Listed>(
    db: &mut Db,
    tenant: TenantId,
    column: SortColumn,
    row: &R,
) -> Result<SortKey, StoreError> {
    Ok(match column {
        SortColumn::Id => SortKey::Missing,
        SortColumn::Created => SortKey::Instant(row.created_at()),
        SortColumn::Modified => SortKey::Instant(row.modified_at()),
        SortColumn::Group | SortColumn::Member => {
            row.link().map_or(SortKey::Missing, |(group, user)| {
                SortKey::Text(format!("{group} {user}"))
            })
        }
        SortColumn::Text(column) => {
            let sql = format!(
                "SELECT r.{} AS t FROM {} r WHERE r.tenant_id = ? AND r.id = ?",
                column.name,
                R::TABLE
            );
            let found: Option<MaybeText> =
                db.optional(Stmt::new(sql).bind(tenant).bind(row.id()))?;
            found
                .and_then(|row| row.t)
                .map_or(SortKey::Missing, SortKey::Text)
        }
    })
}
