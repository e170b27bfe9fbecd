//! Literal rules of one pass, found by their first two characters.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::super::draft::{Edit, Rule};
use crate::tokens::FoldHasher;

/// `from` between `left` and `right` becomes `to`; only `from` is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Literal {
    pub(super) line: usize,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) left: String,
    pub(super) right: String,
}

/// Rules that are tried together, the earlier first.
#[derive(Debug, Default)]
pub(super) struct Literals {
    rules: Vec<Literal>,
    ignore_case: bool,
    /// Numbers of rules, ascending, by the first two characters of `from` (the second is absent when there is one).
    index: HashMap<(char, Option<char>), Vec<usize>, BuildHasherDefault<FoldHasher>>,
    /// Every rule asks for a space before it.
    at_words_only: bool,
}

impl Literals {
    /// `from` of every rule has at least one character.
    pub(super) fn new(mut rules: Vec<Literal>, ignore_case: bool) -> Self {
        let mut index: HashMap<_, Vec<usize>, _> = HashMap::default();
        for (number, rule) in rules.iter_mut().enumerate() {
            if ignore_case {
                for part in [&mut rule.from, &mut rule.left, &mut rule.right] {
                    *part = part.chars().map(folded).collect();
                }
            }
            let mut chars = rule.from.chars();
            if let Some(first) = chars.next() {
                index.entry((first, chars.next())).or_default().push(number);
            }
        }
        let at_words_only = rules.iter().all(|rule| rule.left.ends_with(' '));
        Self { rules, ignore_case, index, at_words_only }
    }

    /// Goes over a text that has a space at each end.
    pub(super) fn apply(&self, edit: &mut Edit<'_>, limit: usize) {
        let text = edit.text();
        let fold = |c| if self.ignore_case { folded(c) } else { c };
        let mut length = text.len();
        let mut free_from = 0;
        let mut before = None;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let previous = before.replace(c);
            if at < free_from || (self.at_words_only && previous != Some(' ')) {
                continue;
            }
            let second = chars.peek().map(|(_, next)| fold(*next));
            let Some((rule, end)) = self.first_match(text, at, (fold(c), second)) else {
                continue;
            };
            length = length + rule.to.len() - (end - at);
            if length > limit {
                return;
            }
            if rule.to != text[at..end] {
                edit.replace_as(Rule::Line(rule.line), at, end, &rule.to);
            }
            free_from = end;
        }
    }

    /// The first rule that matches at a byte, with the end of what it replaces.
    fn first_match(&self, text: &str, at: usize, (first, second): (char, Option<char>)) -> Option<(&Literal, usize)> {
        let list = |key| self.index.get(&key).map_or(&[][..], Vec::as_slice);
        let (mut short, mut long) = (list((first, None)), second.map_or(&[][..], |s| list((first, Some(s)))));
        loop {
            let number = match (short.first(), long.first()) {
                (Some(a), Some(b)) => *a.min(b),
                (Some(a), None) | (None, Some(a)) => *a,
                (None, None) => return None,
            };
            if short.first() == Some(&number) {
                short = &short[1..]
            } else {
                long = &long[1..]
            }
            let rule = &self.rules[number];
            if let Some(end) = self.matches(rule, text, at) {
                return Some((rule, end));
            }
        }
    }

    fn matches(&self, rule: &Literal, text: &str, at: usize) -> Option<usize> {
        if !self.ignore_case {
            let end = at + rule.from.len();
            let hit = text[at..].starts_with(&rule.from)
                && text[..at].ends_with(&rule.left)
                && text[end..].starts_with(&rule.right);
            return hit.then_some(end);
        }
        let length = prefix(&text[at..], &rule.from)?;
        prefix(&text[at + length..], &rule.right)?;
        let mut before = text[..at].chars().rev().map(folded);
        rule.left.chars().rev().all(|c| before.next() == Some(c)).then_some(at + length)
    }
}

/// Bytes of `text` that match folded `start`.
fn prefix(text: &str, start: &str) -> Option<usize> {
    let mut chars = text.chars();
    start.chars().all(|c| chars.next().map(folded) == Some(c)).then(|| text.len() - chars.as_str().len())
}

/// Lower case where that is one character.
fn folded(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}
