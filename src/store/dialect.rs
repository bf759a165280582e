//! What the databases spell differently, and the smallest rows.

/// The few fragments of SQL the databases spell differently.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// An expression that makes a UUID v7.
    pub new_id: &'static str,
    /// `… FOR UPDATE` where rows must be locked against other writers; empty where the writer is alone.
    pub for_update: &'static str,
    /// `… FOR UPDATE SKIP LOCKED`: rows that nobody else works on; empty where the writer is alone.
    pub skip_locked: &'static str,
    /// What stands in front of a statement to see its plan.
    pub explain: &'static str,
    /// A function of (text, part): the position of part in text, 0 when absent.
    pub position: &'static str,
    /// An id as clients see it, compared bytewise.
    pub id_text: fn(&str) -> String,
}

/// One number: a count, a flag, an id's existence. Select it `AS n`, as a 64-bit integer.
#[derive(diesel::QueryableByName, Debug)]
pub struct Number {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub n: i64,
}

/// One text, selected `AS t`.
#[derive(diesel::QueryableByName, Debug)]
pub struct OneText {
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub t: String,
}
