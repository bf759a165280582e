//! A condition while it is built: its text, its binds, and how well it stands for its filter.

use super::{Bound, Exactness};
use crate::store::statement::Bind;

/// A condition being built.
pub(super) struct Piece {
    pub sql: String,
    pub binds: Vec<Bind>,
    pub exactness: Exactness,
    /// Whether an index on the key narrows it: then an element is looked up, not tested row by row.
    pub keyed: bool,
    /// Whether it is an equality with an index, or needs one.
    pub selective: bool,
    /// Whether a stretch of an index has all that it selects.
    pub narrowed: bool,
    /// Whether a walk through the values of an attribute finds all that it selects.
    pub scans: bool,
}

impl Piece {
    pub(super) fn new(sql: impl Into<String>, binds: Vec<Bind>) -> Self {
        Self {
            sql: sql.into(),
            binds,
            exactness: Exactness::Exact,
            keyed: false,
            selective: false,
            narrowed: false,
            scans: false,
        }
    }

    pub(super) fn constant(value: bool) -> Self {
        Self::new(if value { "TRUE" } else { "FALSE" }, Vec::new())
    }

    /// The filter cannot be told here: everything above, nothing below.
    pub(super) fn unknown(bound: Bound) -> Self {
        Self {
            exactness: Exactness::Superset,
            ..Self::constant(bound == Bound::Upper)
        }
    }

    pub(super) const fn at_best(mut self, exactness: Exactness) -> Self {
        if (exactness as u8) > (self.exactness as u8) {
            self.exactness = exactness;
        }
        self
    }

    pub(super) const fn selective(mut self) -> Self {
        self.selective = true;
        self.narrowed = true;
        self
    }

    pub(super) const fn narrowed(mut self) -> Self {
        self.narrowed = true;
        self
    }

    pub(super) const fn keyed(mut self) -> Self {
        self.keyed = true;
        self
    }

    pub(super) fn negated(self) -> Self {
        let sql = match self.sql.as_str() {
            "TRUE" => "FALSE".to_owned(),
            "FALSE" => "TRUE".to_owned(),
            sql => format!("NOT ({sql})"),
        };
        Self {
            sql,
            keyed: false,
            selective: false,
            narrowed: false,
            scans: false,
            ..self
        }
    }

    /// `AND` (`all`) or `OR` of the pieces. The constant that decides the whole decides it as exactly as it is itself.
    pub(super) fn join(pieces: Vec<Self>, all: bool) -> Self {
        let (deciding, neutral, word) = if all {
            ("FALSE", "TRUE", " AND ")
        } else {
            ("TRUE", "FALSE", " OR ")
        };
        let best = pieces
            .iter()
            .filter(|piece| piece.sql == deciding)
            .map(|piece| piece.exactness)
            .min();
        let worst = pieces
            .iter()
            .map(|piece| piece.exactness)
            .max()
            .unwrap_or(Exactness::Exact);
        if let Some(best) = best {
            let exactness = if best == Exactness::Exact {
                best
            } else {
                worst
            };
            return Self {
                exactness,
                ..Self::constant(!all)
            };
        }
        let mut terms = Vec::new();
        let mut binds = Vec::new();
        let mut keyed = !all;
        let mut selective = !all;
        let mut narrowed = !all;
        let mut scans = false;
        for piece in pieces.into_iter().filter(|piece| piece.sql != neutral) {
            keyed = if all {
                keyed || piece.keyed
            } else {
                keyed && piece.keyed
            };
            selective = if all {
                selective || piece.selective
            } else {
                selective && piece.selective
            };
            narrowed = if all {
                narrowed || piece.narrowed
            } else {
                narrowed && piece.narrowed
            };
            scans |= all && piece.scans;
            terms.push(piece.sql);
            binds.extend(piece.binds);
        }
        match terms.len() {
            0 => Self {
                exactness: worst,
                ..Self::constant(all)
            },
            count => Self {
                sql: match count {
                    1 => terms.concat(),
                    _ => format!("({})", terms.join(word)),
                },
                binds,
                exactness: worst,
                keyed,
                selective,
                narrowed,
                scans,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_decides_as_exactly_as_it_is_itself() {
        let unknown = || Piece::unknown(Bound::Upper);
        let joined = Piece::join(vec![unknown(), Piece::constant(false)], true);
        assert_eq!(
            (joined.sql.as_str(), joined.exactness),
            ("FALSE", Exactness::Exact)
        );
        let joined = Piece::join(vec![unknown(), Piece::new("r.x", Vec::new())], true);
        assert_eq!(
            (joined.sql.as_str(), joined.exactness),
            ("r.x", Exactness::Superset)
        );
        let joined = Piece::join(vec![unknown(), Piece::new("r.x", Vec::new())], false);
        assert_eq!(
            (joined.sql.as_str(), joined.exactness),
            ("TRUE", Exactness::Superset)
        );
    }
}
