//! Rules of the user's, in a file: word sequences, NIST's global mapping (GLM) syntax, regular expressions.
//!
//! A file is a list of passes over the text. **A pass of literal rules** goes over the text once from left to right; at
//! each place the first rule of the file that matches there is taken, and reading goes on behind what it matched: what a
//! rule wrote is not read again in that pass. **A regular expression** is a pass of its own, replacing every match. A
//! file is gone through once, so no loop can occur. Before each pass, words are joined by single spaces.
//!
//! ```text
//! # A line that begins with `#` is a comment.
//! before = whisper-en            a built-in normaliser, first
//! after  = none                  a built-in normaliser, last
//! case   = ignore                or `match`, the default
//!
//! going to => gonna              whole words, any number on either side
//! uh =>                          removed
//! kay => k / o __                only between these words (`LEFT __ RIGHT`, either may be absent)
//! ---                            later literal rules see what earlier ones wrote
//! gonna => will
//! /(\d+) ?kms?\b/ => $1 km       a regular expression, with the groups of its match
//! /colou?r/i => color            without regard to case
//! ```
//!
//! Settings come before the first rule. Expressions have the syntax of the crate `regex`: no look-around and no back
//! references, time linear in the text. A text does not grow beyond 64 times its length plus 1 MiB; no replacement is
//! made that would take it further.
//!
//! A file whose name ends in `.glm` is read as NIST's `rfilter1` (SCTK 2.4.10, `GLMRules.txt`) reads it: the first token
//! of the first line begins comments; `* KEY = "VALUE"` lines (`NAME`, `DESC`, `MAX_NRULES` have no effect; `FORMAT` is
//! `NIST1`; `COPY_NO_HIT` is true; `CASE_SENSITIVE`); rules `A => B` and `A => B / C __ D`, where each part may stand in
//! square brackets or double quotes to keep its spaces. They match characters, not words, unless the context says
//! `[ ] __ [ ]`. As with `csrfilt`, the text is taken with one space at each end, and in capitals unless the file is case
//! sensitive. Not supported, and refused rather than skipped: alternatives on the right (`{A / B}`),
//! `INPUT_DEPENDENT_APPLICATION` for other than all inputs, `COPY_NO_HIT` false.

mod glm;
mod literal;
mod parse;

use std::hash::{Hash, Hasher};

use regex::Regex;

use super::Normalizer;
use super::draft::{Draft, Edit, Rule};
use super::scan::join_words;
use crate::error::ScoreError;
use literal::Literals;

/// A line of a rules file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleProblem {
    /// Line number, from 1.
    pub line: usize,
    /// What stands there.
    pub found: String,
    /// What could stand there.
    pub expected: String,
}

impl std::fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: found {:?}, expected {}", self.line, self.found, self.expected)
    }
}

/// The rules of a file, ready for use. The syntax is in `docs/normalisers.md`.
///
/// ```
/// use std::sync::Arc;
/// use vbench_score::{Normalizer, RuleSet};
///
/// let file = "case = ignore\nokay => ok\n/(\\d+) ?kms?\\b/ => $1 km\n";
/// let rules = Normalizer::Rules(Arc::new(RuleSet::parse("house.rules", "5e884898da28047151d0e56f8dc62927", file)?));
/// assert_eq!(rules.id(), "rules:house@5e884898");
/// assert_eq!(rules.normalize("Okay, okay 5kms"), "Okay, ok 5 km");
/// # Ok::<(), vbench_score::ScoreError>(())
/// ```
#[derive(Debug)]
pub struct RuleSet {
    id: String,
    text: String,
    before: Normalizer,
    after: Normalizer,
    capitals: bool,
    passes: Vec<Pass>,
}

#[derive(Debug)]
enum Pass {
    Literals(Literals),
    Expression { line: usize, regex: Regex, replacement: String },
}

/// The longest rules file, in bytes. NIST's largest is 0.3 MB.
const FILE_MAX: usize = 8 << 20;

impl RuleSet {
    /// Reads the rules in `text`.
    ///
    /// `file` is the name of the file: it is named in errors, its last part without ending goes into the id, and the
    /// ending `.glm` chooses the syntax. `sha256` is the hash of the file's bytes in hex digits; 8 are kept.
    ///
    /// # Errors
    /// [`ScoreError::Rules`] with every line that cannot be used.
    pub fn parse(file: &str, sha256: &str, text: &str) -> Result<Self, ScoreError> {
        let refuse = |problems| ScoreError::Rules { file: file.to_owned(), problems };
        if text.len() > FILE_MAX {
            let found = format!("{} bytes", text.len());
            return Err(refuse(vec![RuleProblem { line: 1, found, expected: format!("at most {FILE_MAX}") }]));
        }
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        let (stem, is_glm) = match name.rsplit_once('.') {
            Some((stem, ending)) => (stem, ending.eq_ignore_ascii_case("glm")),
            None => (name, false),
        };
        let plain = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '_' };
        let stem: String = stem.chars().map(plain).collect();
        let hash: String = sha256.chars().filter(char::is_ascii_hexdigit).take(8).collect();
        // A byte-order mark is no part of the first line.
        let lines = text.strip_prefix('\u{feff}').unwrap_or(text);
        let read = if is_glm { glm::read(lines) } else { parse::read(lines) };
        let parse::Read { before, after, capitals, passes } = read.map_err(refuse)?;
        Ok(Self { id: format!("rules:{stem}@{hash}"), text: text.to_owned(), before, after, capitals, passes })
    }

    /// `rules:NAME@HASH`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn run(&self, draft: &mut Draft<'_>) {
        let limit = draft.text().len().saturating_mul(64).saturating_add(1 << 20);
        self.before.run(draft);
        if self.capitals && draft.text().chars().any(char::is_lowercase) {
            let capitals = draft.text().to_uppercase();
            draft.set_word_by_word("capitals", capitals);
        }
        for pass in &self.passes {
            let joined = join_words(draft.text());
            draft.set_spacing(joined);
            match pass {
                Pass::Literals(literals) => {
                    let padded = format!(" {} ", draft.text());
                    draft.set_spacing(Some(padded));
                    draft.pass("rule", |edit| literals.apply(edit, limit));
                }
                Pass::Expression { line, regex, replacement } => {
                    draft.pass("rule", |edit| substitute(edit, *line, regex, replacement, limit));
                }
            }
        }
        if !self.passes.is_empty() {
            let joined = join_words(draft.text());
            draft.set_spacing(joined);
        }
        self.after.run(draft);
    }
}

/// Replaces every match, as long as the text stays within the limit.
fn substitute(edit: &mut Edit<'_>, line: usize, regex: &Regex, replacement: &str, limit: usize) {
    let text = edit.text();
    let mut length = text.len();
    let mut written = String::new();
    for captures in regex.captures_iter(text) {
        let Some(whole) = captures.get(0) else { continue };
        written.clear();
        captures.expand(replacement, &mut written);
        length = length + written.len() - whole.len();
        if length > limit {
            return;
        }
        if written != whole.as_str() {
            edit.replace_as(Rule::Line(line), whole.start(), whole.end(), &written);
        }
    }
}

impl PartialEq for RuleSet {
    fn eq(&self, other: &Self) -> bool {
        (&self.id, &self.text) == (&other.id, &other.text)
    }
}

impl Eq for RuleSet {}

impl Hash for RuleSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}
