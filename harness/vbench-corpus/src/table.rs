//! CSV (RFC 4180) and TSV with a header line.
//!
//! Fields are borrowed, and a quotation mark that is never closed is an error with its line, not a field as long as the
//! rest of the file.

use std::borrow::Cow;

use crate::entry::Parsed;
use crate::problem::ProblemKind;
use crate::source::{Source, shown};

/// How fields are separated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Commas; fields may stand in quotation marks, inside which a quotation mark is written twice.
    Csv,
    /// Tabs; a quotation mark is a character like any other.
    Tsv,
}

/// Most columns of a table.
const MAX_COLUMNS: usize = 1000;

/// Reads records off the front of a text.
struct Reader<'a> {
    rest: &'a str,
    line: usize,
    dialect: Dialect,
}

impl<'a> Reader<'a> {
    /// The rest of the line, which is consumed with its end.
    fn cut_line(&mut self) -> &'a str {
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        self.line += 1;
        line.strip_suffix('\r').unwrap_or(line)
    }

    /// The next record that is not a blank line, into `fields`; its line, `None` at the end.
    fn next(&mut self, fields: &mut Vec<Cow<'a, str>>) -> Option<(usize, Result<(), ProblemKind>)> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            fields.clear();
            let line = self.line;
            let read = match self.dialect {
                Dialect::Tsv => {
                    fields.extend(self.cut_line().split('\t').map(Cow::Borrowed));
                    Ok(())
                }
                Dialect::Csv => self.csv(fields),
            };
            if read.is_ok() && fields.len() == 1 && fields[0].trim().is_empty() {
                continue;
            }
            return Some((line, read));
        }
    }

    fn csv(&mut self, fields: &mut Vec<Cow<'a, str>>) -> Result<(), ProblemKind> {
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
                    return Ok(());
                }
            }
        }
    }

    /// A field behind its opening quotation mark.
    fn quoted(&mut self, inside: &'a str) -> Result<Cow<'a, str>, ProblemKind> {
        let (mut at, mut doubled) = (0, false);
        let end = loop {
            let Some(found) = inside[at..].find('"') else {
                self.rest = "";
                return Err(ProblemKind::OpenQuote);
            };
            let mark = at + found;
            if inside.as_bytes().get(mark + 1) != Some(&b'"') {
                break mark;
            }
            doubled = true;
            at = mark + 2;
        };
        let field = &inside[..end];
        self.line += field.bytes().filter(|b| *b == b'\n').count();
        self.rest = &inside[end + 1..];
        let closed = [",", "\n", "\r\n"].iter().any(|mark| self.rest.starts_with(mark));
        if !closed && !matches!(self.rest, "" | "\r") {
            self.cut_line();
            return Err(ProblemKind::TextAfterQuote);
        }
        Ok(if doubled { Cow::Owned(field.replace("\"\"", "\"")) } else { Cow::Borrowed(field) })
    }
}

/// The header and a record of a table.
pub struct Row<'r, 'a> {
    /// Names of the columns.
    pub names: &'r [Cow<'a, str>],
    /// Fields, as many as there are names.
    pub fields: &'r [Cow<'a, str>],
    /// Line of the record.
    pub line: usize,
}

impl Row<'_, '_> {
    /// The field of a column, trimmed; empty counts as absent.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&str> {
        let at = self.names.iter().position(|n| n == column)?;
        Some(self.fields[at].trim()).filter(|f| !f.is_empty())
    }

    /// Every column that is not empty and not among `used`.
    pub fn others<'s>(&'s self, used: &'s [&str]) -> impl Iterator<Item = (&'s str, &'s str)> + 's {
        let pairs = self.names.iter().zip(self.fields).map(|(n, f)| (&**n, f.trim()));
        pairs.filter(|(n, f)| !f.is_empty() && !n.trim().is_empty() && !used.contains(n))
    }
}

/// Calls `each` for every record; a bad header ends the table, a bad record is noted and the next one read.
///
/// `needed` names columns that must be there.
pub fn rows<'a>(
    source: &Source<'a>,
    dialect: Dialect,
    needed: &[&str],
    parsed: &mut Parsed,
    mut each: impl FnMut(&mut Parsed, &Row<'_, 'a>),
) {
    let Some(text) = source.text(&mut parsed.problems) else { return };
    let mut reader = Reader { rest: text, line: 1, dialect };
    let mut names = Vec::new();
    let (line, read) = reader.next(&mut names).unwrap_or((1, Ok(())));
    if let Err(kind) = read.and_then(|()| check_header(&names, needed)) {
        return parsed.problem(source.place(line), kind);
    }
    let mut fields = Vec::new();
    while let Some((line, read)) = reader.next(&mut fields) {
        if let Err(kind) = read {
            parsed.problem(source.place(line), kind);
        } else if fields.len() != names.len() {
            let expected = format!("{} as in the header", names.len());
            parsed.problem(source.place(line), ProblemKind::Fields { expected, actual: fields.len() });
        } else {
            each(parsed, &Row { names: &names, fields: &fields, line });
        }
    }
}

fn check_header(names: &[Cow<'_, str>], needed: &[&str]) -> Result<(), ProblemKind> {
    if names.len() > MAX_COLUMNS {
        return Err(ProblemKind::TooMuch { unit: "columns", limit: MAX_COLUMNS as u64 });
    }
    let known = || shown(&names.iter().map(|n| n.trim()).collect::<Vec<_>>().join(", "));
    for column in needed {
        if !names.iter().any(|n| n == column) {
            return Err(ProblemKind::Missing { key: (*column).to_owned(), known: known() });
        }
    }
    for (i, name) in names.iter().enumerate() {
        if !name.is_empty() && names[..i].contains(name) {
            return Err(ProblemKind::DuplicateColumn { column: name.to_string() });
        }
    }
    Ok(())
}
