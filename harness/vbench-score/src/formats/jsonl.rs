//! JSON objects, one a line: pairs, or one side.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::lines::lines;
use super::pairing::Row;
use super::problem::{FormatError, ProblemKind, Problems};
use super::record::{Field, Keys, MAX_KEYS, Value, row};
use super::{Columns, Transcript};

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Value<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }
            fn visit_unit<E>(self) -> Result<Value<'de>, E> {
                Ok(Value::Null)
            }
            fn visit_bool<E>(self, truth: bool) -> Result<Value<'de>, E> {
                Ok(Value::Bool(truth))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
                Ok(Value::Number(number.to_string()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Value<'de>, E> {
                Ok(Value::Number(number.to_string()))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Value<'de>, E> {
                Ok(Value::Number(number.to_string()))
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
                Ok(Value::Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
                Ok(Value::Text(Cow::Owned(text.to_owned())))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value<'de>, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Value::List)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
                let mut tags = Vec::new();
                while let Some((Key(name), value)) = map.next_entry::<Key<'de>, Value<'de>>()? {
                    if tags.len() < MAX_KEYS {
                        tags.extend(value.scalar().map(|text| (name, text)));
                    }
                }
                Ok(Value::Object(tags))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// A key, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// The keys and values of an object, in its order.
pub(super) struct Object<'a>(pub(super) Vec<Field<'a>>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut fields = Vec::with_capacity(8);
                while let Some((Key(name), value)) = map.next_entry::<Key<'de>, Value<'de>>()? {
                    if fields.len() <= MAX_KEYS {
                        fields.push((name, value));
                    }
                }
                Ok(Object(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// What the parser says, without the place, and the column.
pub(super) fn json_problem(error: &serde_json::Error) -> ProblemKind {
    let message = error.to_string();
    let what = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what).to_owned();
    ProblemKind::Json { column: error.column(), what }
}

fn rows<'a>(file: &str, text: &'a str, keys: &Keys<'_>, ids_needed: bool) -> Result<Vec<Row<'a>>, FormatError> {
    let mut problems = Problems::of(file);
    let mut list = Vec::new();
    for (line, content) in lines(text) {
        if content.trim_ascii().is_empty() {
            continue;
        }
        let parsed = serde_json::from_str::<Object<'a>>(content).map_err(|e| json_problem(&e));
        match parsed.and_then(|Object(fields)| row(fields, line, keys)) {
            Ok(mut row) => {
                if row.transcript.id.is_empty() {
                    if ids_needed {
                        problems.push(line, ProblemKind::NoId { expected: "a key with the id" });
                    }
                    row.transcript.id = Cow::Owned(line.to_string());
                }
                list.push(row);
            }
            Err(kind) => problems.push(line, kind),
        }
    }
    problems.or(list)
}

/// One side: id and text.
pub(super) fn read_side<'a>(
    file: &str,
    text: &'a str,
    columns: &Columns<'_>,
) -> Result<Vec<Transcript<'a>>, FormatError> {
    let keys = Keys::new(columns, columns.text, None);
    Ok(rows(file, text, &keys, true)?.into_iter().map(|row| row.transcript).collect())
}

/// Both sides: reference and hypothesis.
pub(super) fn read_pairs<'a>(file: &str, text: &'a str, columns: &Columns<'_>) -> Result<Vec<Row<'a>>, FormatError> {
    let keys = Keys::new(columns, columns.reference, Some(columns.hypothesis));
    rows(file, text, &keys, false)
}
