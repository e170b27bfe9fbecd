//! Typed access to JSON objects, one a line.

use serde_json::{Map, Value};

use crate::entry::Parsed;
use crate::problem::ProblemKind;
use crate::source::{Source, shown};

/// A JSON object whose values are asked for by type.
#[derive(Debug, Clone, Copy)]
pub struct Object<'v>(pub &'v Map<String, Value>);

impl<'v> Object<'v> {
    /// A string; numbers count as their text, `null` as absent.
    ///
    /// # Errors
    /// [`ProblemKind::Shape`] for any other type.
    pub fn string(self, key: &str) -> Result<Option<String>, ProblemKind> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(n)) => Ok(Some(n.to_string())),
            Some(other) => Err(shape(key, "a string", other)),
        }
    }

    /// A string that must be there.
    ///
    /// # Errors
    /// As [`Object::string`], and [`ProblemKind::Missing`].
    pub fn required(self, key: &str) -> Result<String, ProblemKind> {
        self.string(key)?.ok_or_else(|| self.missing(key))
    }

    /// A number of seconds of at least 0.
    ///
    /// # Errors
    /// [`ProblemKind::Seconds`].
    pub fn seconds(self, key: &'static str) -> Result<Option<f64>, ProblemKind> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_f64().filter(|s| s.is_finite() && *s >= 0.0) {
                Some(s) => Ok(Some(s)),
                None => Err(ProblemKind::Seconds { field: key, actual: shown(&value.to_string()) }),
            },
        }
    }

    /// A list; absent is empty.
    ///
    /// # Errors
    /// [`ProblemKind::Shape`].
    pub fn list(self, key: &str) -> Result<&'v [Value], ProblemKind> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(&[]),
            Some(Value::Array(list)) => Ok(list),
            Some(other) => Err(shape(key, "a list", other)),
        }
    }

    /// An object inside this one.
    ///
    /// # Errors
    /// [`ProblemKind::Shape`].
    pub fn object(self, key: &str) -> Result<Option<Self>, ProblemKind> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(inner)) => Ok(Some(Self(inner))),
            Some(other) => Err(shape(key, "an object", other)),
        }
    }

    /// Every string, number or boolean that is not among `used`, as text.
    pub fn others(self, used: &'v [&str]) -> impl Iterator<Item = (&'v str, String)> {
        self.0.iter().filter(|(k, _)| !used.contains(&k.as_str())).filter_map(|(k, v)| Some((k.as_str(), scalar(v)?)))
    }

    /// The problem of an absent key.
    #[must_use]
    pub fn missing(self, key: &str) -> ProblemKind {
        let known = self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        ProblemKind::Missing { key: key.to_owned(), known: shown(&known) }
    }
}

/// A value as text; `None` for lists, objects and `null`.
#[must_use]
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn shape(key: &str, expected: &str, actual: &Value) -> ProblemKind {
    ProblemKind::Shape { expected: format!("{expected} for `{key}`"), actual: shown(&actual.to_string()) }
}

/// Calls `each` for every line, which must hold an object; a bad line is noted and the next one read.
pub fn objects(
    source: &Source<'_>,
    parsed: &mut Parsed,
    mut each: impl FnMut(&mut Parsed, usize, Object<'_>) -> Result<(), ProblemKind>,
) {
    let lines = source.lines(&mut parsed.problems);
    for (line, text) in lines {
        let read = match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(map)) => each(parsed, line, Object(&map)),
            Ok(_) => Err(ProblemKind::Shape { expected: "a JSON object a line".into(), actual: shown(text) }),
            Err(e) => Err(ProblemKind::Json { what: e.to_string().replace(" at line 1 column", " at column") }),
        };
        if let Err(kind) = read {
            parsed.problem(source.place(line), kind);
        }
    }
}
