//! What the databases spell differently, and the smallest rows.

/// The few fragments of SQL the databases spell differently.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// An expression that makes a UUID v7.
    pub new_id: &'static str,
    /// `… FOR UPDATE` where rows must be locked against other writers; empty where the writer is alone.
    pub for_update: &'static str,
    /// `… FOR KEY SHARE`: rows that must not end while a new row comes to refer to them; empty where the writer is alone.
    pub for_key_share: &'static str,
    /// `… FOR SHARE`: rows that must stay as they are until the end; empty where the writer is alone.
    pub for_share: &'static str,
    /// `… FOR UPDATE SKIP LOCKED`: rows that nobody else works on; empty where the writer is alone.
    pub skip_locked: &'static str,
    /// A function of several numbers: the greatest of them.
    pub latest: &'static str,
    /// What stands in front of a statement to see its plan.
    pub explain: &'static str,
    /// What stands around a query whose few rows a column is to be among: they are found first, whatever the planner thinks of
    /// their number, and looked up.
    pub among: (&'static str, &'static str),
    /// Whether a statement that is kept is planned once for whatever will be bound.
    pub plans_once: bool,
    /// A function of (text, part): the position of part in text, 0 when absent.
    pub position: &'static str,
    /// Whether a statement of many rows costs less than as many statements of one: where each is a round trip. SQLite, in
    /// this process, keeps a journal for a statement of many rows, with a copy of every page it changes.
    pub many_rows_at_once: bool,
    /// How the document of row `r` begins: what tells its schemas, where [`Self::excerpt`] depends on them; else empty.
    pub excerpt_head: &'static str,
    /// The text at a path of the document of row `r`: as it is, or as JSON in its quotes; empty where there is none.
    pub excerpt: fn(&[&str]) -> String,
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
