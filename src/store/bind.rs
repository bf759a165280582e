//! A value on its way into a statement.

use std::borrow::Cow;

use uuid::Uuid;

/// A bound value; text may be borrowed for as long as its statement runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Bind<'a> {
    Id(Option<Uuid>),
    Int(Option<i64>),
    Text(Option<Cow<'a, str>>),
    Bool(Option<bool>),
}

macro_rules! binds {
    ($($from:ty => $variant:ident, $value:ident => $into:expr;)*) => {$(
        impl<'a> From<$from> for Bind<'a> {
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
    &'a str => Text, value => Some(Cow::Borrowed(value));
    String => Text, value => Some(Cow::Owned(value));
    Option<String> => Text, value => value.map(Cow::Owned);
    Option<&'a str> => Text, value => value.map(Cow::Borrowed);
    bool => Bool, value => Some(value);
    Option<bool> => Bool, value => value;
    crate::ids::TenantId => Int, value => Some(value.0);
    crate::clock::Instant => Int, value => Some(value.0);
    Option<crate::clock::Instant> => Int, value => value.map(|at| at.0);
}
