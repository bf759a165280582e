//! Comparisons of text, ids and instants with what a column holds.

use super::piece::Piece;
use super::{Bound, Exactness, Lowering};
use crate::clock::Instant;
use crate::scim::filter::checked::{Literal, Operator};
use crate::store::placement::{Form, KEY_CHARS, TextColumn, cut};
use crate::store::statement::Bind;

impl Lowering<'_> {
    /// A text comparison on a column whose keys have the form of the literal.
    pub(super) fn text(
        &self,
        name: &str,
        column: TextColumn,
        operator: Operator,
        literal: &Literal,
        bound: Bound,
    ) -> Piece {
        match (column.form, literal) {
            (Form::Folded, Literal::Folded(text)) | (Form::Exact, Literal::Exact(text)) => {
                self.text_with(name, column, operator, text, bound)
            }
            _ => Piece::unknown(bound),
        }
    }

    pub(super) fn text_with(
        &self,
        name: &str,
        column: TextColumn,
        operator: Operator,
        text: &str,
        bound: Bound,
    ) -> Piece {
        // PostgreSQL stores no NUL, and SQLite's functions stop at one.
        if text.contains('\0') {
            return Piece::unknown(bound);
        }
        let (text, beyond) = if column.shortened {
            let (key, was_cut) = cut(text.to_owned());
            let full = was_cut || key.chars().count() == KEY_CHARS;
            (key, full)
        } else {
            (text.to_owned(), false)
        };
        if beyond
            && (bound == Bound::Lower
                || matches!(operator, Operator::Co | Operator::Ew | Operator::Ne))
        {
            return Piece::unknown(bound);
        }
        let bind = Bind::from(text.as_str());
        // A literal as long as the longest key is compared with cut keys: what begins alike may be it.
        let piece = match operator {
            Operator::Eq => Piece::new(format!("{name} = ?"), vec![bind]),
            Operator::Gt if !beyond => Piece::new(format!("{name} > ?"), vec![bind]),
            Operator::Lt if !beyond => Piece::new(format!("{name} < ?"), vec![bind]),
            Operator::Gt | Operator::Ge => Piece::new(format!("{name} >= ?"), vec![bind]),
            Operator::Lt | Operator::Le => Piece::new(format!("{name} <= ?"), vec![bind]),
            Operator::Sw => match after_all(&text) {
                _ if text.is_empty() => Piece::constant(true),
                Some(end) => Piece::new(
                    format!("({name} >= ? AND {name} < ?)"),
                    vec![bind, Bind::from(end)],
                ),
                None => Piece::new(format!("{name} >= ?"), vec![bind]),
            },
            Operator::Co if text.is_empty() => Piece::constant(true),
            Operator::Co => {
                let position = self.dialect.position;
                self.or_cut(
                    name,
                    column,
                    Piece::new(format!("{position}({name}, ?) > 0"), vec![bind]),
                    bound,
                )
            }
            Operator::Ew if text.is_empty() => Piece::constant(true),
            Operator::Ew => {
                let length = Bind::from(i64::try_from(text.chars().count()).unwrap_or(i64::MAX));
                let sql = format!(
                    "(length({name}) >= ? AND substr({name}, CAST(length({name}) - ? + 1 AS INTEGER)) = ?)"
                );
                let piece = Piece::new(sql, vec![length.clone(), length, bind]);
                // The end of a cut key is not the end of the text.
                let piece = if column.shortened && bound == Bound::Lower {
                    let whole = Piece::new(format!("length({name}) < {KEY_CHARS}"), Vec::new());
                    Piece::join(vec![whole, piece], true)
                } else {
                    piece
                };
                self.or_cut(name, column, piece, bound)
            }
            Operator::Ne => Piece::unknown(bound),
        };
        let piece = if beyond {
            piece.at_best(Exactness::Superset)
        } else {
            piece
        };
        if column.nullable {
            return Piece::join(
                vec![Piece::new(format!("{name} IS NOT NULL"), Vec::new()), piece],
                true,
            );
        }
        piece
    }

    /// What a substring test misses in the part that was cut off.
    pub(super) fn or_cut(
        &self,
        name: &str,
        column: TextColumn,
        piece: Piece,
        bound: Bound,
    ) -> Piece {
        if !column.shortened {
            return piece;
        }
        let piece = match bound {
            Bound::Lower => piece,
            Bound::Upper => Piece::join(
                vec![
                    piece,
                    Piece::new(format!("length({name}) >= {KEY_CHARS}"), Vec::new()),
                ],
                false,
            ),
        };
        piece.at_best(Exactness::UnlessCut)
    }
}

/// An id is compared as one; text that is none equals none.
pub(super) fn id_equals(column: &str, text: &str) -> Piece {
    match text.parse::<crate::ids::UserId>() {
        Ok(id) => Piece::new(format!("{column} = ?"), vec![Bind::from(id)]),
        Err(_) => Piece::constant(false),
    }
}

pub(super) fn instant(column: &str, operator: Operator, literal: &Literal, bound: Bound) -> Piece {
    let Literal::Instant(Instant(at)) = literal else {
        return Piece::unknown(bound);
    };
    let sign = match operator {
        Operator::Eq => "=",
        Operator::Gt => ">",
        Operator::Ge => ">=",
        Operator::Lt => "<",
        Operator::Le => "<=",
        Operator::Ne | Operator::Co | Operator::Sw | Operator::Ew => return Piece::unknown(bound),
    };
    Piece::new(format!("{column} {sign} ?"), vec![Bind::from(*at)]).narrowed()
}

/// The least text above every text that begins with `prefix`, in the order of code points; `None` when there is none.
fn after_all(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = match last {
            '\u{D7FF}' => Some('\u{E000}'),
            other => char::from_u32(u32::from(other) + 1),
        };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_skips_surrogates_and_the_last_character() {
        assert_eq!(after_all("ab").as_deref(), Some("ac"));
        assert_eq!(after_all("a\u{D7FF}").as_deref(), Some("a\u{E000}"));
        assert_eq!(after_all("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(after_all("\u{10FFFF}"), None);
    }
}
