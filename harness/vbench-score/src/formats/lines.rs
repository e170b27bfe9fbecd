//! Bytes to text, and text to lines.

use super::problem::{FormatError, ProblemKind, Problems};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The text without its byte order mark. Every line that is not UTF-8 is a problem of its own.
pub(super) fn decode<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, FormatError> {
    match std::str::from_utf8(bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)) {
        Ok(text) => Ok(text),
        Err(_) => Err(not_utf8(file, bytes)),
    }
}

#[cold]
fn not_utf8(file: &str, bytes: &[u8]) -> FormatError {
    let utf16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    let mut problems = Problems::of(file);
    for (i, line) in bytes.split(|b| *b == b'\n').enumerate() {
        if let Err(e) = std::str::from_utf8(line) {
            problems.push(i + 1, ProblemKind::InvalidUtf8 { byte: e.valid_up_to() + 1, utf16 });
            if utf16 {
                break;
            }
        }
    }
    match problems.or(()) {
        Err(e) => e,
        // A line break is one byte and never part of a character: what is wrong is wrong in some line.
        Ok(()) => FormatError::one(file, 0, ProblemKind::InvalidUtf8 { byte: 0, utf16 }),
    }
}

/// Lines with their numbers from 1, without line feed and without one carriage return before it. What stands behind the
/// last line feed is a line if it is not empty.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').enumerate().map(|(i, line)| {
        let line = line.strip_suffix('\n').unwrap_or(line);
        (i + 1, line.strip_suffix('\r').unwrap_or(line))
    })
}

/// Lines of the formats of sclite: no blank lines and no comments, which begin with `;;`.
pub(super) fn records(text: &str) -> impl Iterator<Item = (usize, &str)> {
    lines(text).filter(|(_, line)| !line.starts_with(";;") && !line.trim_ascii().is_empty())
}

/// Cuts the next field off the front; fields are separated by spaces and tabs.
pub(super) fn next_field<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let text = rest.trim_start_matches([' ', '\t']);
    let end = text.find([' ', '\t']).unwrap_or(text.len());
    let (field, after) = text.split_at(end);
    *rest = after;
    (!field.is_empty()).then_some(field)
}

/// A finite number of seconds.
pub(super) fn seconds(field: &'static str, text: &str) -> Result<f64, ProblemKind> {
    match text.trim().parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(ProblemKind::NotSeconds { field, actual: text.to_owned() }),
    }
}
