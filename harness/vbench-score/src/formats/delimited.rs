//! CSV (RFC 4180) and TSV, with a header line.
//!
//! Read here and not by a package: fields are borrowed from the input, and a quotation mark that is never closed, which
//! readers in use take for a field as long as the rest of the file, is an error.

use std::borrow::Cow;

use super::pairing::Row;
use super::problem::{FormatError, ProblemKind, Problems};
use super::record::{Keys, MAX_KEYS, Value, listed, row};
use super::{Columns, Transcript};

/// How fields are separated and quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Commas; fields may stand in quotation marks, inside which a quotation mark is written twice.
    Csv,
    /// Tabs; a quotation mark is a character like any other (IANA text/tab-separated-values).
    Tsv,
}

/// The fields of a record.
type Fields<'a> = Vec<Cow<'a, str>>;

/// Cuts records off the front of the text.
struct Reader<'a> {
    rest: &'a str,
    /// Line at which `rest` begins.
    line: usize,
    dialect: Dialect,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, dialect: Dialect) -> Self {
        Self { rest: text, line: 1, dialect }
    }

    /// The next record that is not a blank line, and its line; `None` at the end.
    fn next(&mut self) -> Option<(usize, Result<Fields<'a>, ProblemKind>)> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let line = self.line;
            let record = match self.dialect {
                Dialect::Tsv => Ok(self.cut_line().split('\t').map(Cow::Borrowed).collect()),
                Dialect::Csv => self.csv_record(),
            };
            if record.as_ref().is_ok_and(|fields: &Fields<'_>| fields.len() == 1 && fields[0].is_empty()) {
                continue;
            }
            return Some((line, record));
        }
    }

    /// The rest of the line, which is consumed with its end.
    fn cut_line(&mut self) -> &'a str {
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        self.line += 1;
        line.strip_suffix('\r').unwrap_or(line)
    }

    fn csv_record(&mut self) -> Result<Fields<'a>, ProblemKind> {
        let mut fields = Vec::new();
        loop {
            let field = match self.rest.strip_prefix('"') {
                Some(inside) => self.quoted(inside)?,
                None => {
                    let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
                    let field = &self.rest[..end];
                    self.rest = &self.rest[end..];
                    let ends_line = !self.rest.starts_with(',');
                    Cow::Borrowed(if ends_line { field.strip_suffix('\r').unwrap_or(field) } else { field })
                }
            };
            fields.push(field);
            match self.rest.strip_prefix(',') {
                Some(rest) => self.rest = rest,
                None => {
                    self.cut_line();
                    return Ok(fields);
                }
            }
        }
    }

    /// A field whose opening quotation mark has been cut off. `rest` then begins with a comma or a line end.
    fn quoted(&mut self, inside: &'a str) -> Result<Cow<'a, str>, ProblemKind> {
        let bytes = inside.as_bytes();
        let (mut at, mut doubled) = (0, false);
        let end = loop {
            match inside[at..].find('"').map(|found| at + found) {
                None => {
                    self.rest = "";
                    return Err(ProblemKind::OpenQuote);
                }
                Some(mark) if bytes.get(mark + 1) == Some(&b'"') => {
                    doubled = true;
                    at = mark + 2;
                }
                Some(mark) => break mark,
            }
        };
        let field = &inside[..end];
        self.line += field.bytes().filter(|b| *b == b'\n').count();
        self.rest = &inside[end + 1..];
        let at_end = [",", "\n", "\r\n"].iter().any(|mark| self.rest.starts_with(mark));
        if !at_end && !matches!(self.rest, "" | "\r") {
            self.cut_line();
            return Err(ProblemKind::TextAfterQuote);
        }
        Ok(if doubled { Cow::Owned(field.replace("\"\"", "\"")) } else { Cow::Borrowed(field) })
    }
}

/// The names of the header, which must have the columns that are needed, each once.
fn header<'a>(reader: &mut Reader<'a>, needed: &[&str], problems: &mut Problems<'_>) -> Option<Fields<'a>> {
    let (line, names) = reader.next().unwrap_or((1, Ok(Vec::new())));
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
    let mut reader = Reader::new(text, dialect);
    let mut list = Vec::new();
    let names = header(&mut reader, needed, &mut problems);
    let Some(names) = names else { return problems.or(list) };
    let ids_needed = needed.contains(&keys.id);
    while let Some((line, record)) = reader.next() {
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
