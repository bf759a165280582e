//! A value on its way into a statement.

use uuid::Uuid;

/// A bound value.
#[derive(Clone, Debug, PartialEq)]
pub enum Bind {
    Id(Option<Uuid>),
    Int(Option<i64>),
    Text(Option<String>),
    Bool(Option<bool>),
}

macro_rules! binds {
    ($($from:ty => $variant:ident, $value:ident => $into:expr;)*) => {$(
        impl From<$from> for Bind {
            fn from($value: $from) -> Self {
                Self::$variant($into)
            }
        }
    )*};
}

binds! {
    Uuid => Id, value => Some(value);
    Option<Uuid> => Id, value => value;
    i64 => Int, value => Some(value);
    Option<i64> => Int, value => value;
    &str => Text, value => Some(value.to_owned());
    String => Text, value => Some(value);
    Option<String> => Text, value => value;
    Option<&str> => Text, value => value.map(str::to_owned);
    bool => Bool, value => Some(value);
    Option<bool> => Bool, value => value;
    crate::ids::TenantId => Int, value => Some(value.0);
    crate::clock::Instant => Int, value => Some(value.0);
    Option<crate::clock::Instant> => Int, value => value.map(|at| at.0);
}
