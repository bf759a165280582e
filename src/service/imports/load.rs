//! Loading a file: its rows into the database, some at a time, whatever its size.

use std::io::Read;

use crate::csv::encoding::Encoding;
use crate::csv::reader::Reader;
use crate::ids::JobId;
use crate::service::jobs::run::Runner;
use crate::service::{Scope, ServiceError};
use crate::store::Store;

use super::book::{self, Asked, ImportError};
use super::spec::{MAX_CHANGE_PCT, Phase, Spec};

/// What a file is, as far as its header tells.
fn spec<R: Read>(asked: &Asked, file: &Reader<R>) -> Spec {
    let (known, ignored) = file.layout.shown();
    let mut notes = Vec::new();
    if file.encoding == Encoding::Windows1252 {
        notes.push("encoding_guessed".to_owned());
    }
    if !ignored.is_empty() {
        notes.push("columns_ignored".to_owned());
    }
    Spec {
        kind: asked.kind.as_str().to_owned(),
        phase: Phase::Receiving.as_str().to_owned(),
        mode: asked.mode.as_str().to_owned(),
        max_change_pct: asked.max_change_pct.unwrap_or(MAX_CHANGE_PCT),
        atomic: asked.atomic,
        file_name: asked.file_name.clone(),
        delimiter: file.delimiter,
        encoding: file.encoding.name().to_owned(),
        header: file.layout.header.clone(),
        columns: known
            .iter()
            .map(|(column, name)| (column.as_str().to_owned(), (*name).to_owned()))
            .collect(),
        ignored: ignored.iter().map(|name| (*name).to_owned()).collect(),
        notes,
        digest: asked.digest.clone(),
        rows: 0,
        plan: None,
        state_hash: None,
        committed_at: None,
    }
}

/// Stores a file's rows, `size` of them in a transaction; then its plan is to be made, one of at most `most` rows by this
/// runner. Blocks. `told` hears how many there are.
///
/// Errors: denied, plan, and those of the file; then nothing of it stays.
pub fn load<R: Read>(
    store: &Store,
    scope: &Scope,
    asked: &Asked,
    file: &mut Reader<R>,
    size: usize,
    (runner, most): (Runner, i64),
    mut told: impl FnMut(i64),
) -> Result<(JobId, i64), ServiceError> {
    let (spec, who) = (spec(asked, file), scope.clone());
    let id = store.write_blocking("begin import", move |db| book::begin(db, &who, &spec))?;
    let mut count = 0;
    loop {
        let some = match file.next_rows(size) {
            Ok(some) => some,
            Err(error) => {
                let who = scope.clone();
                store.write_blocking("abandon import", move |db| {
                    book::abandon(db, &who, id, who.now)
                })?;
                return Err(ServiceError::Import(ImportError::File(error)));
            }
        };
        if some.is_empty() {
            break;
        }
        count += i64::try_from(some.len()).unwrap_or(i64::MAX);
        let who = scope.clone();
        store.write_blocking("stage rows", move |db| book::stage(db, &who, id, &some))?;
        told(count);
    }
    let (who, runner) = (scope.clone(), (count <= most).then_some(runner));
    store.write_blocking("received import", move |db| {
        book::received(db, &who, id, count, runner)
    })?;
    Ok((id, count))
}
