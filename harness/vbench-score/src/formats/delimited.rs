//! CSV (RFC 4180) and TSV, with a header line.

use std::borrow::Cow;

use vbench_core::delimited::{RecordError, Records};

use super::pairing::Row;
use super::problem::{FormatError, ProblemKind, Problems};
use super::record::{Keys, MAX_KEYS, Value, listed, row};
use super::{Columns, Transcript};

pub(super) use vbench_core::delimited::Dialect;

/// The fields of a record.
type Fields<'a> = Vec<Cow<'a, str>>;

impl From<RecordError> for ProblemKind {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::OpenQuote => Self::OpenQuote,
            RecordError::TextAfterQuote => Self::TextAfterQuote,
        }
    }
}

fn next<'a>(records: &mut Records<'a>) -> Option<(usize, Result<Fields<'a>, ProblemKind>)> {
    let mut fields = Vec::new();
    let (line, read) = records.next_into(&mut fields)?;
    Some((line, read.map(|()| fields).map_err(ProblemKind::from)))
}

/// The names of the header, which must have the columns that are needed, each once.
fn header<'a>(records: &mut Records<'a>, needed: &[&str], problems: &mut Problems<'_>) -> Option<Fields<'a>> {
    let (line, names) = next(records).unwrap_or((1, Ok(Vec::new())));
    let names = match names {
        Ok(names) if names.len() > MAX_KEYS => {
            problems.push(line, ProblemKind::TooManyKeys { limit: MAX_KEYS });
            return None;
        }
        Ok(names) => names,
        Err(kind) => {
            problems.push(line, kind);
            return None;
        }
    };
    let mut complete = true;
    for column in needed {
        let found = names.iter().filter(|name| *name == column).count();
        if found == 0 {
            let known: Vec<&str> = names.iter().map(|name| &**name).collect();
            problems.push(line, ProblemKind::UnknownColumn { column: (*column).to_owned(), known: listed(&known) });
        } else if found > 1 {
            problems.push(line, ProblemKind::DuplicateColumn { column: (*column).to_owned() });
        }
        complete &= found == 1;
    }
    complete.then_some(names)
}

fn rows<'a>(
    file: &str,
    text: &'a str,
    dialect: Dialect,
    keys: &Keys<'_>,
    needed: &[&str],
) -> Result<Vec<Row<'a>>, FormatError> {
    let mut problems = Problems::of(file);
    let mut records = Records::new(text, dialect);
    let mut list = Vec::new();
    let names = header(&mut records, needed, &mut problems);
    let Some(names) = names else { return problems.or(list) };
    let ids_needed = needed.contains(&keys.id);
    while let Some((line, record)) = next(&mut records) {
        let read = record.and_then(|fields| {
            if fields.len() != names.len() {
                let expected = format!("{} as in the header", names.len());
                return Err(ProblemKind::Fields { expected, actual: fields.len() });
            }
            let fields = names.iter().cloned().zip(fields.into_iter().map(Value::Text)).collect();
            row(fields, line, keys)
        });
        match read {
            Ok(mut row) => {
                if row.transcript.id.is_empty() {
                    if ids_needed {
                        problems.push(line, ProblemKind::NoId { expected: "a field with the id" });
                    }
                    row.transcript.id = Cow::Owned((list.len() + 1).to_string());
                }
                list.push(row);
            }
            Err(kind) => problems.push(line, kind),
        }
    }
    problems.or(list)
}

/// Columns that were asked for by name; the usual names may be absent.
fn asked<'c>(columns: &Columns<'c>) -> Vec<&'c str> {
    let usual = Columns::default();
    [(columns.id, usual.id), (columns.speaker, usual.speaker), (columns.session, usual.session)]
        .into_iter()
        .filter(|(name, usual)| name != usual)
        .map(|(name, _)| name)
        .collect()
}

/// One side: id and text.
pub(super) fn read_side<'a>(
    file: &str,
    text: &'a str,
    dialect: Dialect,
    columns: &Columns<'_>,
) -> Result<Vec<Transcript<'a>>, FormatError> {
    let mut needed = asked(columns);
    needed.retain(|name| *name != columns.id);
    needed.extend([columns.id, columns.text]);
    let keys = Keys::new(columns, columns.text, None);
    Ok(rows(file, text, dialect, &keys, &needed)?.into_iter().map(|row| row.transcript).collect())
}

/// Both sides: reference and hypothesis.
pub(super) fn read_pairs<'a>(
    file: &str,
    text: &'a str,
    dialect: Dialect,
    columns: &Columns<'_>,
) -> Result<Vec<Row<'a>>, FormatError> {
    let mut needed = asked(columns);
    needed.extend([columns.reference, columns.hypothesis]);
    let keys = Keys::new(columns, columns.reference, Some(columns.hypothesis));
    rows(file, text, dialect, &keys, &needed)
}
