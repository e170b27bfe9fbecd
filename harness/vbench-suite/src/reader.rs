//! Typed access to a TOML table that notes every problem and every unknown key.

use std::collections::BTreeMap;

use toml_edit::{Item, TableLike, Value};

use crate::problem::{Problems, closest};

/// One table being read. Every `get` marks its key as known; [`TableReader::finish`] reports the rest.
pub struct TableReader<'t> {
    table: &'t dyn TableLike,
    path: String,
    /// Where the table begins, for problems about keys that are not there.
    offset: Option<usize>,
    known: Vec<&'static str>,
}

/// A value whose type the key's owner knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A string, number or boolean as text.
    One(String),
    /// An array of them.
    Many(Vec<String>),
    /// Anything else, described.
    Other(String),
}

impl<'t> TableReader<'t> {
    /// A reader of a table whose key path is `path` (empty for the root).
    #[must_use]
    pub fn new(table: &'t dyn TableLike, path: &str, offset: Option<usize>) -> Self {
        Self { table, path: path.to_string(), offset, known: Vec::new() }
    }

    /// The key path of a key of this table.
    #[must_use]
    pub fn key_path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_string() } else { format!("{}.{key}", self.path) }
    }

    /// Byte offset of a key, else of the table.
    #[must_use]
    pub fn offset_of(&self, key: &str) -> Option<usize> {
        self.table
            .get_key_value(key)
            .and_then(|(k, item)| k.span().or_else(|| item.span()))
            .map(|s| s.start)
            .or(self.offset)
    }

    /// Notes a problem about a key.
    pub fn problem(&self, problems: &mut Problems, key: &str, message: impl Into<String>) {
        problems.add(self.offset_of(key), &self.key_path(key), message);
    }

    /// The raw item of a key.
    pub fn item(&mut self, key: &'static str) -> Option<&'t Item> {
        self.known.push(key);
        self.table.get(key)
    }

    fn typed<T>(
        &mut self,
        problems: &mut Problems,
        key: &'static str,
        expected: &str,
        convert: impl Fn(&'t Item) -> Option<T>,
    ) -> Option<T> {
        let item = self.item(key)?;
        let value = convert(item);
        if value.is_none() {
            self.problem(problems, key, format!("expected {expected}, found {}", describe(item)));
        }
        value
    }

    /// A string.
    pub fn string(&mut self, problems: &mut Problems, key: &'static str) -> Option<String> {
        self.typed(problems, key, "a string", |i| i.as_str().map(str::to_string))
    }

    /// A string that must be there and not be empty.
    pub fn required_string(&mut self, problems: &mut Problems, key: &'static str) -> String {
        match self.string(problems, key) {
            Some(text) if !text.trim().is_empty() => text,
            Some(_) => {
                self.problem(problems, key, "must not be empty");
                String::new()
            }
            None => {
                if self.table.get(key).is_none() {
                    self.problem(problems, key, "required key is missing (a string)");
                }
                String::new()
            }
        }
    }

    /// A boolean.
    pub fn boolean(&mut self, problems: &mut Problems, key: &'static str) -> Option<bool> {
        self.typed(problems, key, "true or false", Item::as_bool)
    }

    /// An integer of at least zero.
    pub fn unsigned(&mut self, problems: &mut Problems, key: &'static str) -> Option<u64> {
        self.typed(problems, key, "an integer of at least 0", |i| i.as_integer().and_then(|v| u64::try_from(v).ok()))
    }

    /// A finite number; integers count.
    pub fn number(&mut self, problems: &mut Problems, key: &'static str) -> Option<f64> {
        self.typed(problems, key, "a finite number", |i| as_number(i.as_value()?))
    }

    /// A string, or a finite number as its text.
    pub fn text_or_number(&mut self, problems: &mut Problems, key: &'static str) -> Option<String> {
        self.typed(problems, key, "a string or a finite number", |i| {
            i.as_str().map(str::to_string).or_else(|| as_number(i.as_value()?).map(|n| n.to_string()))
        })
    }

    /// An array of numbers.
    pub fn numbers(&mut self, problems: &mut Problems, key: &'static str) -> Option<Vec<f64>> {
        self.typed(problems, key, "an array of finite numbers", |i| i.as_array()?.iter().map(as_number).collect())
    }

    /// An array of strings; absent reads as empty.
    pub fn strings(&mut self, problems: &mut Problems, key: &'static str) -> Vec<String> {
        self.typed(problems, key, "an array of strings", |i| {
            i.as_array()?.iter().map(|v| v.as_str().map(str::to_string)).collect()
        })
        .unwrap_or_default()
    }

    /// A table of strings; absent reads as empty.
    pub fn string_map(&mut self, problems: &mut Problems, key: &'static str) -> BTreeMap<String, String> {
        self.typed(problems, key, "a table of strings", |i| {
            i.as_table_like()?.iter().map(|(k, v)| Some((k.to_string(), v.as_str()?.to_string()))).collect()
        })
        .unwrap_or_default()
    }

    /// An array of tables, written either way TOML allows; absent reads as empty.
    pub fn tables(&mut self, problems: &mut Problems, key: &'static str) -> Vec<TableReader<'t>> {
        let path = self.key_path(key);
        let Some(item) = self.item(key) else {
            return Vec::new();
        };
        if let Some(array) = item.as_array_of_tables() {
            return array
                .iter()
                .enumerate()
                .map(|(i, t)| TableReader::new(t, &format!("{path}[{i}]"), t.span().map(|s| s.start)))
                .collect();
        }
        let inline: Option<Vec<_>> = item.as_array().and_then(|array| {
            array
                .iter()
                .enumerate()
                .map(|(i, v)| {
                    let table: &dyn TableLike = v.as_inline_table()?;
                    Some(TableReader::new(table, &format!("{path}[{i}]"), v.span().map(|s| s.start)))
                })
                .collect()
        });
        inline.unwrap_or_else(|| {
            self.problem(problems, key, format!("expected an array of tables, found {}", describe(item)));
            Vec::new()
        })
    }

    /// A table inside this one.
    pub fn table(&mut self, problems: &mut Problems, key: &'static str) -> Option<TableReader<'t>> {
        let path = self.key_path(key);
        let item = self.item(key)?;
        let offset = self.offset_of(key);
        match item.as_table_like() {
            Some(table) => Some(TableReader::new(table, &path, offset)),
            None => {
                self.problem(problems, key, format!("expected a table, found {}", describe(item)));
                None
            }
        }
    }

    /// Whether a key is there.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Every key of a table whose names are the user's, with its number (`None` for anything else) and its offset.
    #[must_use]
    pub fn numbers_by_name(&self) -> Vec<(String, Option<f64>, Option<usize>)> {
        let number = |item: &Item| item.as_value().and_then(as_number);
        self.table.iter().map(|(key, item)| (key.to_owned(), number(item), self.offset_of(key))).collect()
    }

    /// Every key of a table whose names are the user's, with its item and its offset.
    #[must_use]
    pub fn items(&self) -> Vec<(&'t str, &'t Item, Option<usize>)> {
        self.table.iter().map(|(key, item)| (key, item, self.offset_of(key))).collect()
    }

    /// Every key of a table whose keys depend on what it describes, with its value as text and its offset.
    #[must_use]
    pub fn entries(&self) -> Vec<(String, Entry, Option<usize>)> {
        let one = |value: &Value| {
            value.as_str().map(str::to_owned).or_else(|| as_number(value).map(|n| n.to_string())).or_else(|| {
                // TOML's own way to say what recipes call on and off.
                value.as_bool().map(|b| if b { "on" } else { "off" }.to_owned())
            })
        };
        let entry = |item: &Item| match item.as_array() {
            Some(array) => array.iter().map(one).collect::<Option<Vec<_>>>().map(Entry::Many),
            None => item.as_value().and_then(one).map(Entry::One),
        };
        let described = |item: &Item| entry(item).unwrap_or_else(|| Entry::Other(describe(item)));
        self.table.iter().map(|(key, item)| (key.to_owned(), described(item), self.offset_of(key))).collect()
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self, problems: &mut Problems) {
        for (key, _) in self.table.iter() {
            if !self.known.contains(&key) {
                let hint = closest(key, self.known.iter().copied()).map_or_else(
                    || format!("known keys: {}", self.known.join(", ")),
                    |k| format!("did you mean `{k}`?"),
                );
                self.problem(problems, key, format!("unknown key; {hint}"));
            }
        }
    }
}

fn as_number(value: &Value) -> Option<f64> {
    let number = value.as_float().or_else(|| value.as_integer().map(|i| i as f64))?;
    number.is_finite().then_some(number)
}

fn describe(item: &Item) -> String {
    let text = item.to_string();
    let text = text.trim();
    let shown: String = text.chars().take(40).collect();
    let dots = if shown.len() < text.len() { "…" } else { "" };
    format!("{} `{shown}{dots}`", item.type_name())
}
