//! Records of CSV (RFC 4180) and TSV text.
//!
//! Read here and not by a package: fields are borrowed from the input, and a quotation mark that is never closed, which
//! readers in use take for a field as long as the rest of the file, is an error with its line.

use std::borrow::Cow;

/// How fields are separated and quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Commas; fields may stand in quotation marks, inside which a quotation mark is written twice.
    Csv,
    /// Tabs; a quotation mark is a character like any other (IANA text/tab-separated-values).
    Tsv,
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A quotation mark that is never closed; nothing can be read behind it.
    #[error("a field opens with a quotation mark that is never closed")]
    OpenQuote,
    /// Text behind a closing quotation mark; the next record is that of the next line.
    #[error("text behind the closing quotation mark of a field; a quotation mark inside a field is written twice")]
    TextAfterQuote,
}

/// Cuts records off the front of a text.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    rest: &'a str,
    /// Line at which `rest` begins.
    line: usize,
    dialect: Dialect,
}

impl<'a> Records<'a> {
    /// The records of a text, the first of them on line 1.
    #[must_use]
    pub fn new(text: &'a str, dialect: Dialect) -> Self {
        Self { rest: text, line: 1, dialect }
    }

    /// Reads the next record that is not an empty line into `fields`. Its line, counted from 1; `None` at the end.
    pub fn next_into(&mut self, fields: &mut Vec<Cow<'a, str>>) -> Option<(usize, Result<(), RecordError>)> {
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
            if read.is_err() || fields.len() > 1 || !fields[0].is_empty() {
                return Some((line, read));
            }
        }
    }

    /// The rest of the line, which is consumed with its end.
    fn cut_line(&mut self) -> &'a str {
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        self.line += 1;
        line.strip_suffix('\r').unwrap_or(line)
    }

    fn csv(&mut self, fields: &mut Vec<Cow<'a, str>>) -> Result<(), RecordError> {
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

    /// A field whose opening quotation mark has been cut off. `rest` then begins with a comma or a line end.
    fn quoted(&mut self, inside: &'a str) -> Result<Cow<'a, str>, RecordError> {
        let (mut at, mut doubled) = (0, false);
        let end = loop {
            let Some(found) = inside[at..].find('"') else {
                self.rest = "";
                return Err(RecordError::OpenQuote);
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
        let at_end = [",", "\n", "\r\n"].iter().any(|mark| self.rest.starts_with(mark));
        if !at_end && !matches!(self.rest, "" | "\r") {
            self.cut_line();
            return Err(RecordError::TextAfterQuote);
        }
        Ok(if doubled { Cow::Owned(field.replace("\"\"", "\"")) } else { Cow::Borrowed(field) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, dialect: Dialect) -> Vec<(usize, Result<Vec<String>, RecordError>)> {
        let (mut records, mut fields, mut all) = (Records::new(text, dialect), Vec::new(), Vec::new());
        while let Some((line, read)) = records.next_into(&mut fields) {
            all.push((line, read.map(|()| fields.iter().map(ToString::to_string).collect())));
        }
        all
    }

    fn fields(list: &[&str]) -> Result<Vec<String>, RecordError> {
        Ok(list.iter().map(|f| (*f).to_owned()).collect())
    }

    #[test]
    fn records_keep_their_lines_through_quotes_empty_lines_and_errors() {
        let text = "a,b\r\n\n\"x\ny\",\"he said \"\"no\"\"\"\n\"q\"z,1\n ,\n\"open,1\n2";
        assert_eq!(
            read(text, Dialect::Csv),
            [
                (1, fields(&["a", "b"])),
                (3, fields(&["x\ny", "he said \"no\""])),
                (5, Err(RecordError::TextAfterQuote)),
                (6, fields(&[" ", ""])),
                (7, Err(RecordError::OpenQuote)),
            ]
        );
        assert_eq!(read("\"a\"\tb\r\n\n c", Dialect::Tsv), [(1, fields(&["\"a\"", "b"])), (3, fields(&[" c"]))]);
        assert_eq!(read("", Dialect::Csv), []);
    }
}
