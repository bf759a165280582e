//! Orders as stretches that each follow one index, and places in them.
//!
//! A place is a gap beside a row that was seen, told by that row's key and id: what comes and goes around it moves nobody
//! from one side of it to the other (RFC 9865; K-20).

use crate::clock::Instant;
use crate::scim::filter::sort::SortKey;
use crate::store::placement::{SortColumn, TextColumn, cut};
use crate::store::statement::{Bind, marks};

/// In which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By creation.
    Natural,
    /// By a column. Rows without a value come last ascending, first descending.
    Column {
        column: SortColumn,
        descending: bool,
    },
    /// By the keys the judge gives.
    Judge { descending: bool },
}

/// A row's place in an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// What the order compares; of no account in an order by id.
    pub key: SortKey,
    pub id: uuid::Uuid,
}

/// A place between two rows of an order, or at one of its ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    Start,
    Before(Position),
    After(Position),
    End,
}

impl Order {
    /// Memberships group by group, in each by user: as their index has them.
    pub const MEMBERSHIPS: Self = Self::Column {
        column: SortColumn::Group,
        descending: false,
    };
}

impl Gap {
    /// The row it lies beside.
    pub(super) const fn position(&self) -> Option<&Position> {
        match self {
            Self::Before(position) | Self::After(position) => Some(position),
            Self::Start | Self::End => None,
        }
    }

    /// Whether nothing lies before it, in the direction of a walk.
    pub(super) const fn is_behind_all(&self, back: bool) -> bool {
        matches!((self, back), (Self::Start, true) | (Self::End, false))
    }

    /// Whether the row beside it is still to come.
    pub(super) const fn takes_row(&self, back: bool) -> bool {
        matches!(
            (self, back),
            (Self::Before(_), false) | (Self::After(_), true)
        )
    }
}

/// One stretch of an order, in which the column is never NULL or always.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub column: Option<SortColumn>,
    /// A column, and whether it has a value here.
    pub guard: Option<(&'static str, bool)>,
    pub descending: bool,
}

impl Stretch {
    /// The expressions that order it; the index has the tenant before them.
    pub(super) fn keys(&self) -> &'static [&'static str] {
        match self.column {
            None | Some(SortColumn::Id) => &["r.id"],
            Some(SortColumn::Created) => &["r.created_at", "r.id"],
            Some(SortColumn::Modified) => &["r.modified_at", "r.id"],
            // Live memberships have each pair once.
            Some(SortColumn::Group) => &["r.group_id", "r.user_id"],
            Some(SortColumn::Member) => &["r.user_id"],
            Some(SortColumn::Text(column)) => match column.name {
                // Unique: there are no ties, and the index has no id.
                "user_name_key" => &["r.user_name_key"],
                "display_name_key" => &["r.display_name_key", "r.id"],
                "name_key" => &["r.name_key"],
                _ => &["r.external_id", "r.id"],
            },
        }
    }

    /// `ORDER BY` of it. Where few rows are left the first key becomes an expression, which no index gives: without
    /// statistics SQLite else walks the whole tenant in order rather than sort the two rows it can look up.
    pub(super) fn order(&self, selective: bool) -> String {
        let direction = if self.descending { " DESC" } else { "" };
        if let (Some(SortColumn::Group), true) = (self.column, selective) {
            return format!("COALESCE(r.group_id, r.user_id){direction}, r.user_id{direction}");
        }
        let first = match self.column {
            Some(SortColumn::Created | SortColumn::Modified) if selective => " + 0",
            Some(SortColumn::Text(_)) if selective => " || ''",
            _ => "",
        };
        // PostgreSQL does not take `IS NULL` for a constant: the index gives this order only when it is named whole.
        let nulls = match self.guard {
            Some((column, false)) => format!("r.{column}{direction}, "),
            _ => String::new(),
        };
        let keys = self.keys().iter().enumerate();
        let keys = keys.map(|(position, key)| {
            format!("{key}{}{direction}", if position == 0 { first } else { "" })
        });
        nulls + &keys.collect::<Vec<_>>().join(", ")
    }
}

impl Stretch {
    /// ` AND …`: behind the row beside a place, or from it on.
    pub(super) fn behind(&self, step: &Step) -> (String, Vec<Bind<'static>>) {
        let keys = self.keys();
        let sign = match (self.descending, step.inclusive) {
            (false, false) => ">",
            (false, true) => ">=",
            (true, false) => "<",
            (true, true) => "<=",
        };
        let sql = format!(" AND ({}) {sign} ({})", keys.join(", "), marks(keys.len()));
        let mut binds = step.key.clone();
        if keys.last() == Some(&"r.id") {
            binds.push(Bind::from(step.id));
        }
        (sql, binds)
    }
}

/// The stretches of an order, in order. A column that may be NULL has two, so that both follow an index.
pub(super) fn stretches(order: Order) -> Vec<Stretch> {
    let (column, descending) = match order {
        Order::Natural | Order::Judge { .. } => (SortColumn::Created, false),
        Order::Column { column, descending } => (column, descending),
    };
    let whole = Stretch {
        column: Some(column),
        guard: None,
        descending,
    };
    let SortColumn::Text(TextColumn {
        name,
        nullable: true,
        ..
    }) = column
    else {
        return vec![whole];
    };
    let assigned = Stretch {
        guard: Some((name, true)),
        ..whole
    };
    let unassigned = Stretch {
        guard: Some((name, false)),
        column: None,
        ..whole
    };
    if descending {
        vec![unassigned, assigned]
    } else {
        vec![assigned, unassigned]
    }
}

/// Where a walk goes on within a stretch.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// The key of the row beside the place; the stretch of rows without one is in the order of their ids.
    pub key: Vec<Bind<'static>>,
    pub id: uuid::Uuid,
    /// Whether that row comes, too.
    pub inclusive: bool,
}

/// The stretches that a walk from a place still has before it, in its direction, each with where it begins.
pub(super) fn stretches_from(order: Order, from: &Gap, back: bool) -> Vec<(Stretch, Option<Step>)> {
    if from.is_behind_all(back) {
        return Vec::new();
    }
    let mut all = stretches(order);
    if back {
        all.reverse();
        for stretch in &mut all {
            stretch.descending = !stretch.descending;
        }
    }
    let Some(position) = from.position() else {
        return all.into_iter().map(|stretch| (stretch, None)).collect();
    };
    let has_key = !matches!(position.key, SortKey::Missing);
    all.into_iter()
        .skip_while(|stretch| {
            stretch
                .guard
                .is_some_and(|(_, assigned)| assigned != has_key)
        })
        .enumerate()
        .map(|(number, stretch)| {
            let step = Step {
                key: stretch
                    .column
                    .map_or_else(Vec::new, |column| bind(column, &position.key)),
                id: position.id,
                inclusive: from.takes_row(back),
            };
            (stretch, (number == 0).then_some(step))
        })
        .collect()
}

/// A key as its column holds it. A key of another kind is none that [`super::position`] made, and finds nothing.
pub(super) fn bind(column: SortColumn, key: &SortKey) -> Vec<Bind<'static>> {
    match (column, key) {
        (SortColumn::Id, _) => Vec::new(),
        (SortColumn::Created | SortColumn::Modified, SortKey::Instant(Instant(at))) => {
            vec![Bind::from(*at)]
        }
        (SortColumn::Text(_), SortKey::Text(text)) => vec![Bind::from(text.clone())],
        (SortColumn::Text(_), _) => vec![Bind::Text(None)],
        (SortColumn::Created | SortColumn::Modified, _) => vec![Bind::Int(None)],
        (SortColumn::Group, key) => link(key).map_or_else(
            || vec![Bind::Id(None), Bind::Id(None)],
            |(group, user)| vec![Bind::from(group), Bind::from(user)],
        ),
        (SortColumn::Member, key) => vec![Bind::Id(link(key).map(|(_, user)| user))],
    }
}

/// The group and the user in the key of a membership.
fn link(key: &SortKey) -> Option<(uuid::Uuid, uuid::Uuid)> {
    let SortKey::Text(text) = key else {
        return None;
    };
    let (group, user) = text.split_once(' ')?;
    Some((group.parse().ok()?, user.parse().ok()?))
}

/// A key as long as a key in a column can be.
pub(super) fn shortened(key: SortKey) -> SortKey {
    match key {
        SortKey::Text(text) => SortKey::Text(cut(text).0),
        key => key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::placement::Form;

    fn gap(key: SortKey, after: bool) -> Gap {
        let position = Position {
            key,
            id: uuid::Uuid::nil(),
        };
        if after {
            Gap::After(position)
        } else {
            Gap::Before(position)
        }
    }

    #[test]
    fn a_walk_goes_on_in_the_stretch_of_its_place_and_never_comes_back() {
        let order = |descending| Order::Column {
            column: SortColumn::Text(TextColumn {
                name: "external_id",
                form: Form::Exact,
                nullable: true,
                shortened: false,
            }),
            descending,
        };
        let guards = |order, gap: &Gap, back| -> Vec<(bool, bool, Option<bool>)> {
            stretches_from(order, gap, back)
                .iter()
                .map(|(stretch, step)| {
                    let assigned = stretch.guard.is_some_and(|(_, assigned)| assigned);
                    (
                        assigned,
                        stretch.descending,
                        step.as_ref().map(|step| step.inclusive),
                    )
                })
                .collect()
        };
        let text = || SortKey::Text("x".to_owned());
        assert_eq!(
            guards(order(false), &gap(text(), true), false),
            [(true, false, Some(false)), (false, false, None)]
        );
        assert_eq!(
            guards(order(false), &gap(SortKey::Missing, false), false),
            [(false, false, Some(true))]
        );
        assert_eq!(
            guards(order(false), &gap(SortKey::Missing, true), true),
            [(false, true, Some(true)), (true, true, None)]
        );
        assert_eq!(
            guards(order(true), &gap(text(), false), true),
            [(true, false, Some(false)), (false, false, None)]
        );
        assert!(guards(order(false), &Gap::Start, true).is_empty());
        assert!(guards(order(false), &Gap::End, false).is_empty());
        assert_eq!(guards(order(true), &Gap::End, true).len(), 2);
    }
}
