//! A text on its way through the passes of a normaliser, and the record of what each pass did to which word.
//!
//! Every pass is written once, against [`Edit`]. When the record is asked for, an edit also keeps where it replaced
//! what; nothing else differs, so an explanation cannot disagree with the normalised text.

use std::borrow::Cow;

use super::scan::{is_space, split_words};

/// One change that a rule made to one word, or to a few neighbouring words.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Step {
    /// The rule: a pass of the normaliser (`contraction`, `number`, ...) or `line N` of a rules file.
    pub rule: Cow<'static, str>,
    /// How many words stand before the change, after all steps before this one.
    pub position: usize,
    /// The words that were there, with what separates them; empty when words were only added.
    pub before: String,
    /// The words in their place; empty when they were removed.
    pub after: String,
}

impl std::fmt::Display for Step {
    /// `contraction "won't" -> "will not"`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?} -> {:?}", self.rule, self.before, self.after)
    }
}

/// A normalised text and how it came about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explanation {
    /// The same as [`super::Normalizer::normalize`] gives.
    pub text: String,
    /// What changed, in the order of the passes and within a pass from left to right. Doing these replacements on the
    /// words of the raw text, one after the other, gives the words of the normalised text. Changes of white space
    /// alone are no steps.
    pub steps: Vec<Step>,
}

/// What is named in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    Named(&'static str),
    /// Line of a rules file, from 1.
    Line(usize),
}

impl Rule {
    fn name(self) -> Cow<'static, str> {
        match self {
            Self::Named(name) => Cow::Borrowed(name),
            Self::Line(line) => Cow::Owned(format!("line {line}")),
        }
    }
}

/// The text so far.
pub(super) struct Draft<'t> {
    text: Cow<'t, str>,
    steps: Option<Vec<Step>>,
}

impl<'t> Draft<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text: Cow::Borrowed(text), steps: None }
    }

    /// A draft that keeps a record.
    pub(super) fn recorded(text: &'t str) -> Self {
        Self { text: Cow::Borrowed(text), steps: Some(Vec::new()) }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn into_text(self) -> Cow<'t, str> {
        self.text
    }

    pub(super) fn into_explanation(self) -> Explanation {
        Explanation { text: self.text.into_owned(), steps: self.steps.unwrap_or_default() }
    }

    /// Runs a pass. Returns whether it replaced anything.
    pub(super) fn pass(&mut self, rule: &'static str, pass: impl FnOnce(&mut Edit<'_>)) -> bool {
        let mut edit = Edit::new(&self.text, Rule::Named(rule), self.steps.is_some());
        pass(&mut edit);
        let Some((text, marks)) = edit.finish() else {
            return false;
        };
        if let Some(steps) = &mut self.steps {
            record(steps, &self.text, &text, &marks);
        }
        self.text = Cow::Owned(text);
        true
    }

    /// Replaces the text by one in which every stretch of white space stands where it stood: the n-th word comes from
    /// the n-th word.
    pub(super) fn set_word_by_word(&mut self, rule: &'static str, text: String) {
        if let Some(steps) = &mut self.steps {
            let changed = split_words(&self.text).zip(split_words(&text)).enumerate().filter(|(_, (a, b))| a != b);
            steps.extend(changed.map(|(position, (before, after))| Step {
                rule: Cow::Borrowed(rule),
                position,
                before: before.to_owned(),
                after: after.to_owned(),
            }));
        }
        self.text = Cow::Owned(text);
    }

    /// Replaces the text by one with the same words.
    pub(super) fn set_spacing(&mut self, text: Option<String>) {
        if let Some(text) = text {
            self.text = Cow::Owned(text);
        }
    }
}

/// A replaced range, and where its replacement stands in the new text.
struct Mark {
    rule: Rule,
    from: usize,
    to: usize,
    out_from: usize,
    out_to: usize,
}

/// Replacements in a text; what lies between them is copied in stretches.
pub(super) struct Edit<'a> {
    text: &'a str,
    rule: Rule,
    out: String,
    copied: usize,
    touched: bool,
    marks: Option<Vec<Mark>>,
}

impl<'a> Edit<'a> {
    pub(super) fn new(text: &'a str, rule: Rule, recorded: bool) -> Self {
        Self { text, rule, out: String::new(), copied: 0, touched: false, marks: recorded.then(Vec::new) }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// Puts `with` in the place of bytes `from..to`; ranges come in order.
    pub(super) fn replace(&mut self, from: usize, to: usize, with: &str) {
        self.replace_as(self.rule, from, to, with);
    }

    /// As `replace`, naming a rule of its own.
    pub(super) fn replace_as(&mut self, rule: Rule, from: usize, to: usize, with: &str) {
        if !self.touched {
            self.touched = true;
            self.out.reserve(self.text.len() + 16);
        }
        self.out.push_str(&self.text[self.copied..from]);
        if let Some(marks) = &mut self.marks {
            let out_from = self.out.len();
            marks.push(Mark { rule, from, to, out_from, out_to: out_from + with.len() });
        }
        self.out.push_str(with);
        self.copied = to;
    }

    /// End of the last replaced range.
    pub(super) fn done_to(&self) -> usize {
        self.copied
    }

    /// The new text, or `None` when nothing was replaced.
    fn finish(mut self) -> Option<(String, Vec<Mark>)> {
        if !self.touched {
            return None;
        }
        self.out.push_str(&self.text[self.copied..]);
        Some((self.out, self.marks.unwrap_or_default()))
    }
}

/// Widens each mark to whole words, joins those that share a word, and notes what changed.
fn record(steps: &mut Vec<Step>, before: &str, after: &str, marks: &[Mark]) {
    let word_start = |at: usize| before[..at].trim_end_matches(|c| !is_space(c)).len();
    let word_end = |at: usize| before.len() - before[at..].trim_start_matches(|c| !is_space(c)).len();
    // Words passed so far, counted in the new text.
    let mut position = 0;
    let mut counted_to = 0;
    let mut next = 0;
    while let Some(first) = marks.get(next) {
        let start = word_start(first.from);
        let mut last = first;
        let mut end = word_end(first.to);
        next += 1;
        while let Some(mark) = marks.get(next).filter(|m| m.from < end || (m.from == end && touches(before, m, last))) {
            // Looked for only when needed: one long word may hold a million marks.
            if mark.to > end {
                end = word_end(mark.to);
            }
            last = mark;
            next += 1;
        }
        let out_start = first.out_from - (first.from - start);
        let out_end = last.out_to + (end - last.to);
        position += split_words(&after[counted_to..out_start]).count();
        counted_to = out_end;
        let (old, new) = (&before[start..end], &after[out_start..out_end]);
        let words_after = split_words(new).count();
        if !split_words(old).eq(split_words(new)) {
            steps.push(Step {
                rule: first.rule.name(),
                position,
                before: old.trim_matches(is_space).to_owned(),
                after: new.trim_matches(is_space).to_owned(),
            });
        }
        position += words_after;
    }
}

/// Whether a mark that begins where the words of the last one end belongs to the same change.
fn touches(before: &str, mark: &Mark, last: &Mark) -> bool {
    let open_before = before[..mark.from].chars().next_back().is_some_and(|c| !is_space(c));
    open_before || (last.to == mark.from && last.out_to > last.out_from)
}
