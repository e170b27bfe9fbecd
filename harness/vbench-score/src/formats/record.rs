//! A row of named fields, whether it came from JSON or from a table.

use std::borrow::Cow;

use super::lines::seconds;
use super::pairing::Row;
use super::problem::ProblemKind;
use super::{Columns, Tag, Transcript};

/// Most keys of an object, and columns of a table.
pub(super) const MAX_KEYS: usize = 1_000;

/// A JSON value as far as transcripts need it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Text(Cow<'a, str>),
    /// A number, as text.
    Number(String),
    Bool(bool),
    /// The scalars of an object, by name.
    Object(Vec<Tag<'a>>),
    List,
}

impl<'a> Value<'a> {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Text(_) => "a string",
            Self::Number(_) => "a number",
            Self::Bool(_) => "a truth value",
            Self::Object(_) => "an object",
            Self::List => "a list",
        }
    }

    /// Text of a scalar that is not null.
    pub(super) fn scalar(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(text) => Some(Cow::Owned(text)),
            Self::Bool(truth) => Some(Cow::Borrowed(if truth { "true" } else { "false" })),
            Self::Null | Self::Object(_) | Self::List => None,
        }
    }
}

/// A name and its value.
pub(super) type Field<'a> = (Cow<'a, str>, Value<'a>);

/// Names of the fields that have a meaning.
pub(super) struct Keys<'c> {
    pub(super) id: &'c str,
    pub(super) text: &'c str,
    pub(super) hypothesis: Option<&'c str>,
    pub(super) speaker: &'c str,
    pub(super) session: &'c str,
    pub(super) start: &'c str,
    pub(super) end: &'c str,
    /// Where the end may be given by the duration.
    pub(super) duration: &'c str,
}

impl<'c> Keys<'c> {
    /// The names of JSONL and tables.
    pub(super) fn new(columns: &Columns<'c>, text: &'c str, hypothesis: Option<&'c str>) -> Self {
        Self {
            id: columns.id,
            text,
            hypothesis,
            speaker: columns.speaker,
            session: columns.session,
            start: "start_s",
            end: "end_s",
            duration: "duration_s",
        }
    }
}

/// Fields that have a meaning.
#[derive(Default)]
struct Taken<'a> {
    id: Option<Cow<'a, str>>,
    text: Option<Cow<'a, str>>,
    hypothesis: Option<Cow<'a, str>>,
    speaker: Option<Cow<'a, str>>,
    session: Option<Cow<'a, str>>,
    start: Option<f64>,
    end: Option<f64>,
    duration: Option<f64>,
    tags: Vec<Tag<'a>>,
}

impl<'a> Taken<'a> {
    /// Scalars under other names, and those of an object `tags`, are tags.
    fn take(&mut self, name: Cow<'a, str>, value: Value<'a>, keys: &Keys<'_>) -> Result<(), ProblemKind> {
        let key: &str = &name;
        if key == keys.id {
            once(&mut self.id, key, label(key, value)?)
        } else if key == keys.text {
            let kind = value.kind();
            match string(key, value)? {
                None => Err(wrong_type(key, "a string", kind)),
                text => once(&mut self.text, key, text),
            }
        } else if keys.hypothesis == Some(key) {
            once(&mut self.hypothesis, key, string(key, value)?)
        } else if key == keys.speaker {
            once(&mut self.speaker, key, label(key, value)?)
        } else if key == keys.session {
            once(&mut self.session, key, label(key, value)?)
        } else if key == keys.start {
            once(&mut self.start, key, time("start", key, value)?)
        } else if key == keys.end {
            once(&mut self.end, key, time("end", key, value)?)
        } else if key == keys.duration {
            once(&mut self.duration, key, time("duration", key, value)?)
        } else {
            match value {
                Value::Object(inner) if key == "tags" => self.tags.extend(inner),
                other => self.tags.extend(other.scalar().map(|text| (name, text))),
            }
            Ok(())
        }
    }
}

fn wrong_type(key: &str, expected: &'static str, actual: &'static str) -> ProblemKind {
    ProblemKind::WrongType { key: key.to_owned(), expected, actual }
}

fn once<T>(slot: &mut Option<T>, key: &str, value: Option<T>) -> Result<(), ProblemKind> {
    if slot.is_some() {
        return Err(ProblemKind::DuplicateKey { key: key.to_owned() });
    }
    *slot = value;
    Ok(())
}

fn string<'a>(key: &str, value: Value<'a>) -> Result<Option<Cow<'a, str>>, ProblemKind> {
    match value {
        Value::Text(text) => Ok(Some(text)),
        Value::Null => Ok(None),
        other => Err(wrong_type(key, "a string", other.kind())),
    }
}

/// An id or a name: a string or a number; an empty one is none.
fn label<'a>(key: &str, value: Value<'a>) -> Result<Option<Cow<'a, str>>, ProblemKind> {
    let text = match value {
        Value::Number(text) => Some(Cow::Owned(text)),
        other => string(key, other)?,
    };
    Ok(text.filter(|t| !t.is_empty()))
}

/// Seconds as a number or as its text; nothing where the text is empty.
fn time(field: &'static str, key: &str, value: Value<'_>) -> Result<Option<f64>, ProblemKind> {
    match value {
        Value::Null => Ok(None),
        Value::Text(text) if text.is_empty() => Ok(None),
        Value::Text(text) => seconds(field, &text).map(Some),
        Value::Number(text) => seconds(field, &text).map(Some),
        other => Err(wrong_type(key, "a number of seconds", other.kind())),
    }
}

/// Begin and end in the right order.
pub(super) fn check_span(start: Option<f64>, end: Option<f64>) -> Result<(), ProblemKind> {
    match (start, end) {
        (Some(start), Some(end)) if end < start => {
            Err(ProblemKind::EndBeforeStart { start: start.to_string(), end: end.to_string() })
        }
        _ => Ok(()),
    }
}

/// A row from its fields; an absent id is empty.
pub(super) fn row<'a>(fields: Vec<Field<'a>>, line: usize, keys: &Keys<'_>) -> Result<Row<'a>, ProblemKind> {
    if fields.len() > MAX_KEYS {
        return Err(ProblemKind::TooManyKeys { limit: MAX_KEYS });
    }
    if !fields.iter().any(|(key, _)| *key == keys.text) {
        let known: Vec<&str> = fields.iter().map(|(key, _)| &**key).collect();
        return Err(ProblemKind::MissingKey { key: keys.text.to_owned(), known: listed(&known) });
    }
    let mut taken = Taken::default();
    for (name, value) in fields {
        taken.take(name, value, keys)?;
    }
    let end_s = taken.end.or_else(|| Some(taken.start? + taken.duration?));
    check_span(taken.start, end_s)?;
    let transcript = Transcript {
        id: taken.id.unwrap_or_default(),
        text: taken.text.unwrap_or_default(),
        lattice: None,
        speaker: taken.speaker,
        session: taken.session,
        start_s: taken.start,
        end_s,
        tags: taken.tags,
        line,
    };
    Ok(Row { transcript, hypothesis: taken.hypothesis })
}

/// The names that there are, the first twenty at most.
pub(super) fn listed(names: &[&str]) -> String {
    let shown = &names[..names.len().min(20)];
    match names.len() - shown.len() {
        0 if shown.is_empty() => "none".to_owned(),
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
