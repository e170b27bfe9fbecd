//! What is wrong with a suite or manifest, and where.

use std::fmt;
use std::path::{Path, PathBuf};

/// Which exit code a problem leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemClass {
    /// The suite file itself: unknown key, wrong type, duplicate name.
    Suite,
    /// Input data: a manifest line, an audio file.
    Data,
    /// The suite's schema is newer than this program.
    Newer,
}

/// One problem with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// Line, counted from 1; 0 when the problem concerns the whole file.
    pub line: usize,
    /// Key path such as `models[1].spec`, or the utterance id; may be empty.
    pub key: String,
    /// What is wrong: expected, actual, what to do.
    pub message: String,
    /// Suite or data.
    pub class: ProblemClass,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Everything that is wrong, in file order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} problem{} found:\n{}", .0.len(), if .0.len() == 1 { "" } else { "s" }, join(.0))]
pub struct SuiteError(pub Vec<Problem>);

impl SuiteError {
    /// `Newer` before `Suite` before `Data`: the other problems of a newer file are likely none.
    #[must_use]
    pub fn class(&self) -> ProblemClass {
        let has = |class| self.0.iter().any(|p| p.class == class);
        if has(ProblemClass::Newer) {
            ProblemClass::Newer
        } else if has(ProblemClass::Suite) {
            ProblemClass::Suite
        } else {
            ProblemClass::Data
        }
    }
}

fn join(problems: &[Problem]) -> String {
    problems.iter().map(|p| format!("  {p}")).collect::<Vec<_>>().join("\n")
}

/// Collects problems of one file.
#[derive(Debug)]
pub struct Problems<'a> {
    file: &'a Path,
    text: &'a str,
    /// What was found so far.
    pub list: Vec<Problem>,
}

impl<'a> Problems<'a> {
    /// Starts an empty list for a file and its text.
    #[must_use]
    pub fn new(file: &'a Path, text: &'a str) -> Self {
        Self { file, text, list: Vec::new() }
    }

    /// The line of a byte offset, counted from 1; 0 without one.
    #[must_use]
    pub fn line_of(&self, offset: Option<usize>) -> usize {
        offset.map_or(0, |o| self.text.as_bytes().iter().take(o).filter(|b| **b == b'\n').count() + 1)
    }

    /// Notes a problem of the suite at a byte offset.
    pub fn add(&mut self, offset: Option<usize>, key: &str, message: impl Into<String>) {
        let line = self.line_of(offset);
        self.list.push(Problem {
            file: self.file.to_path_buf(),
            line,
            key: key.to_string(),
            message: message.into(),
            class: ProblemClass::Suite,
        });
    }
}

/// The known name closest to a misspelt one, for "did you mean".
#[must_use]
pub fn closest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    known.into_iter().map(|k| (edit_distance(name, k), k)).filter(|(d, k)| *d <= 1 + k.len() / 3).min().map(|(_, k)| k)
}

/// What to say of an unknown name: the closest known one, or all of them.
#[must_use]
pub fn unknown<'n>(what: &str, name: &str, known: impl IntoIterator<Item = &'n str> + Clone) -> String {
    match closest(name, known.clone()) {
        Some(close) => format!("unknown {what} `{name}`; did you mean `{close}`?"),
        None => format!("unknown {what} `{name}`; known: {}", known.into_iter().collect::<Vec<_>>().join(", ")),
    }
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
