//! Filters on attributes that only the document holds, decided by an excerpt of its text: the database cuts out the value and
//! counts each one once, and `scim::filter::eval` judges the few there are. A million titles are a few hundred texts.
//!
//! A name that stands once in the schemas of a type stands at most once in a document, which begins with the list of its
//! schemas. Where that is not sure, every document is read.

use serde_json::{Map, Value};

use crate::clock::Instant;
use crate::scim::filter::CheckedFilter;
use crate::scim::filter::eval::{self, Subject};
use crate::scim::resource::Resource;
use crate::scim::schema::{Attr, ResourceType, Type};
use crate::store::condition::{Access, Exactness, Lowered, lower};
use crate::store::placement::{Kind, Place, place};
use crate::store::statement::{Bind, Stmt, marks};
use crate::store::{Db, StoreError};

use super::Listed;
use super::candidates::{Candidates, Way};

/// So many attributes a filter may name.
const ATTRIBUTES: usize = 3;
/// So many texts are judged at most.
const TEXTS: usize = 200_000;
/// So many are looked for by name; one with more is decided document by document.
const NAMED: usize = 1000;

/// The excerpts that decide a filter.
struct Excerpts<'t> {
    resource_type: &'t ResourceType,
    /// What the columns do not decide.
    rest: CheckedFilter,
    attrs: Vec<Attr>,
    /// The expressions that cut them out.
    cuts: Vec<String>,
}

/// Some excerpts, and how many resources have just these.
#[derive(diesel::QueryableByName)]
struct Counted {
    /// How the document begins: with its schemas.
    #[diesel(sql_type = diesel::sql_types::Text)]
    head: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    a: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    b: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    c: String,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

impl Candidates<'_> {
    /// Counts the matches of a filter that excerpts decide, and puts a condition that tells them exactly in the place of the one
    /// that does not; `None` for any other filter.
    pub(super) fn excerpted<R: Listed>(
        &mut self,
        db: &mut Db,
        resource_type: Option<&ResourceType>,
        upto: usize,
    ) -> Result<Option<i64>, StoreError> {
        let Some(excerpts) = resource_type
            .filter(|_| self.kind == Kind::User)
            .and_then(|resource_type| self.excerpts(db, resource_type))
        else {
            return Ok(None);
        };
        let counted: Vec<Counted> = db.load(self.excerpts_statement::<R>(db, &excerpts.cuts))?;
        if counted.len() > TEXTS || !counted.iter().all(|one| excerpts.is_sure(one)) {
            return Ok(None);
        }
        let matching: Vec<&Counted> = counted.iter().filter(|one| excerpts.pass(one)).collect();
        if matching.len() > NAMED {
            return Ok(None);
        }
        let total: i64 = matching.iter().map(|one| one.n).sum();
        if matching.is_empty() {
            return Ok(Some(0));
        }
        self.name(&excerpts, &matching);
        self.varies = db.dialect().plans_once;
        self.way = if self.is_few(db, total, upto)? {
            Way::Few
        } else {
            Way::Planned
        };
        Ok(Some(total))
    }

    fn excerpts<'t>(&self, db: &Db, resource_type: &'t ResourceType) -> Option<Excerpts<'t>> {
        let filter = self.filter?;
        let is_exact = |term: &CheckedFilter| {
            let lowered = lower(term, self.kind, self.tenant, db.dialect(), Access::Seek);
            lowered.exactness == Exactness::Exact
        };
        let rest = match filter {
            CheckedFilter::And(terms) => terms.iter().filter(|term| !is_exact(term)).collect(),
            other => vec![other],
        };
        let rest = CheckedFilter::and(rest.into_iter().cloned().collect());
        let mut attrs = Vec::new();
        collect(&rest, &mut attrs).then_some(())?;
        if attrs.is_empty() || attrs.len() > ATTRIBUTES {
            return None;
        }
        let cuts = attrs
            .iter()
            .map(|attr| {
                Some((db.dialect().excerpt)(&path(
                    self.kind,
                    resource_type,
                    attr,
                )?))
            })
            .collect::<Option<Vec<String>>>()?;
        Some(Excerpts {
            resource_type,
            rest,
            attrs,
            cuts,
        })
    }

    fn excerpts_statement<R: Listed>(&self, db: &Db, cuts: &[String]) -> Stmt<'_> {
        let (from, binds) = self.all::<R>();
        let none = "CAST('' AS TEXT)";
        let cut = |at: usize| cuts.get(at).map_or(none, String::as_str);
        let sql = format!(
            "SELECT {} AS head, {} AS a, {} AS b, {} AS c, CAST(count(*) AS BIGINT) AS n {from} GROUP BY 1, 2, 3, 4 LIMIT {}",
            db.dialect().excerpt_head,
            cut(0),
            cut(1),
            cut(2),
            TEXTS + 1
        );
        Stmt::new(sql).once(true).binds(binds)
    }

    /// The condition that a resource has one of these excerpts.
    fn name(&mut self, excerpts: &Excerpts<'_>, matching: &[&Counted]) {
        let (sql, binds) = match excerpts.cuts.as_slice() {
            [cut] => (
                format!("{cut} IN ({})", marks(matching.len())),
                matching
                    .iter()
                    .map(|one| Bind::from(one.a.clone()))
                    .collect(),
            ),
            cuts => {
                let all: Vec<String> = cuts.iter().map(|cut| format!("{cut} = ?")).collect();
                let one = format!("({})", all.join(" AND "));
                let texts = matching
                    .iter()
                    .flat_map(|one| one.texts().take(cuts.len()))
                    .map(|text| Bind::from(text.to_owned()));
                (
                    format!("({})", vec![one; matching.len()].join(" OR ")),
                    texts.collect::<Vec<Bind<'static>>>(),
                )
            }
        };
        let (mut all, mut all_binds) = (String::new(), Vec::new());
        if let Some(condition) = self.condition.take() {
            all = format!("{} AND ", condition.sql);
            all_binds = condition.binds;
        }
        all_binds.extend(binds);
        self.condition = Some(Lowered {
            sql: all + &sql,
            binds: all_binds,
            exactness: Exactness::Exact,
            selective: false,
            narrowed: false,
            scans: false,
            // never one text twice
            tests: 2,
        });
    }
}

impl Counted {
    fn texts(&self) -> impl Iterator<Item = &str> {
        [&self.a, &self.b, &self.c].into_iter().map(String::as_str)
    }
}

impl Excerpts<'_> {
    /// Whether these documents have no more than the schemas that no operator edits.
    fn is_sure(&self, one: &Counted) -> bool {
        if one.head.is_empty() {
            return true;
        }
        one.head.strip_prefix("{\"schemas\":[").is_some_and(|urns| {
            urns.split(',').all(|urn| {
                let schema = self.resource_type.schema_of(urn.trim_matches('"'));
                schema.is_some_and(|schema| !schema.custom)
            })
        })
    }

    /// Whether resources with these excerpts pass.
    fn pass(&self, one: &Counted) -> bool {
        let mut document = Map::new();
        for (attr, text) in self.attrs.iter().zip(one.texts()) {
            if let Some(value) = value(text) {
                put(&mut document, &steps(attr).collect::<Vec<_>>(), value);
            }
        }
        let subject = Subject {
            resource: &Resource::from_valid(document),
            id: "",
            resource_type: self.resource_type,
            created: Instant(0),
            modified: Instant(0),
            derived: &Map::new(),
        };
        eval::matches(&self.rest, &subject)
    }
}

/// Puts a value where it was cut out.
fn put(document: &mut Map<String, Value>, path: &[&str], value: Value) {
    match path {
        [] => {}
        [name] => {
            document.insert((*name).to_owned(), value);
        }
        [name, rest @ ..] => {
            let inner = document
                .entry(*name)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// An excerpt: the text itself where it needs no escapes, else as it stands in the document; empty where there is none.
fn value(text: &str) -> Option<Value> {
    if text.starts_with('"') {
        return serde_json::from_str(text).ok();
    }
    (!text.is_empty()).then(|| Value::from(text))
}

/// The attributes a filter names; `false` where it looks at elements.
fn collect(filter: &CheckedFilter, attrs: &mut Vec<Attr>) -> bool {
    match filter {
        CheckedFilter::And(terms) | CheckedFilter::Or(terms) => {
            terms.iter().all(|term| collect(term, attrs))
        }
        CheckedFilter::Not(inner) => collect(inner, attrs),
        CheckedFilter::Test(test) => {
            if !attrs.contains(&test.attr) {
                attrs.push(test.attr.clone());
            }
            true
        }
        CheckedFilter::Nothing => true,
        CheckedFilter::ValuePath { .. } => false,
    }
}

/// Where the text of an attribute stands in the document; `None` where that is not told by its name alone.
fn path<'a>(kind: Kind, resource_type: &ResourceType, attr: &'a Attr) -> Option<Vec<&'a str>> {
    let leaf = attr.leaf();
    let is_text = matches!(leaf.attribute_type, Type::String | Type::Reference);
    let is_stored = [&attr.def, leaf]
        .iter()
        .all(|def| !(def.multi_valued || def.derived || def.detached));
    let is_built_in = attr.extension.as_ref().is_none_or(|schema| !schema.custom);
    if place(kind, attr) != Place::Document || !is_text || !is_stored || !is_built_in {
        return None;
    }
    let schemas = std::iter::once(&resource_type.schema).chain(
        resource_type
            .extensions
            .iter()
            .map(|extension| &extension.schema),
    );
    let all = schemas
        .flat_map(|schema| &schema.attributes)
        .chain(&resource_type.common);
    let names = all.flat_map(|def| std::iter::once(def).chain(&def.sub_attributes));
    let same = names.filter(|def| def.name.eq_ignore_ascii_case(&leaf.name));
    if same.count() != 1 {
        return None;
    }
    let path: Vec<&str> = steps(attr).collect();
    let is_plain = |name: &&str| {
        name.chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-.:".contains(c))
    };
    path.iter().all(is_plain).then_some(path)
}

/// The names on the way to an attribute.
fn steps(attr: &Attr) -> impl Iterator<Item = &str> {
    let extension = attr.extension.as_ref().map(|schema| schema.id.as_str());
    let sub = attr.sub.as_ref().map(|sub| sub.name.as_str());
    extension
        .into_iter()
        .chain([attr.def.name.as_str()])
        .chain(sub)
}
