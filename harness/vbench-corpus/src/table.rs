//! CSV and TSV with a header line.

use std::borrow::Cow;

use vbench_core::delimited::{RecordError, Records};

use crate::entry::Parsed;
use crate::problem::ProblemKind;
use crate::source::{Source, shown};

pub use vbench_core::delimited::Dialect;

/// Most columns of a table.
const MAX_COLUMNS: usize = 1000;

impl From<RecordError> for ProblemKind {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::OpenQuote => Self::OpenQuote,
            RecordError::TextAfterQuote => Self::TextAfterQuote,
        }
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
    let mut records = Records::new(text, dialect);
    let mut names = Vec::new();
    let (line, read) = records.next_into(&mut names).unwrap_or((1, Ok(())));
    if let Err(kind) = read.map_err(ProblemKind::from).and_then(|()| check_header(&names, needed)) {
        return parsed.problem(source.place(line), kind);
    }
    let mut fields = Vec::new();
    while let Some((line, read)) = records.next_into(&mut fields) {
        if fields.len() == 1 && fields[0].trim().is_empty() && read.is_ok() {
            // A line of blanks.
        } else if let Err(error) = read {
            parsed.problem(source.place(line), error.into());
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
