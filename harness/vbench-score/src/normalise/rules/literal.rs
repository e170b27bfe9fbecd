//! Literal rules of one pass, found by their first word or their first two characters.

use std::borrow::Cow;
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

type Index<K> = HashMap<K, Vec<usize>, BuildHasherDefault<FoldHasher>>;

/// Rules that are tried together, the earlier first. The indices give numbers of rules, ascending.
#[derive(Debug, Default)]
pub(super) struct Literals {
    rules: Vec<Literal>,
    ignore_case: bool,
    /// Rules for whole words, by the first word of `from`.
    by_word: Index<String>,
    /// All others, by the first two characters of `from` (the second is absent when there is one).
    by_start: Index<(char, Option<char>)>,
    /// Every rule asks for a space before it.
    at_words_only: bool,
}

impl Literals {
    /// `from` of every rule has at least one character.
    pub(super) fn new(mut rules: Vec<Literal>, ignore_case: bool) -> Self {
        let (mut by_word, mut by_start) = (Index::default(), Index::default());
        for (number, rule) in rules.iter_mut().enumerate() {
            if ignore_case {
                for part in [&mut rule.from, &mut rule.left, &mut rule.right] {
                    *part = part.chars().map(folded).collect();
                }
            }
            let mut chars = rule.from.chars();
            let start = chars.next().map(|first| (first, chars.next()));
            let between_spaces = rule.left.ends_with(' ') && rule.right.starts_with(' ');
            match (rule.from.split(' ').next().filter(|word| between_spaces && !word.is_empty()), start) {
                (Some(word), _) => by_word.entry(word.to_owned()).or_insert_with(Vec::new).push(number),
                (None, Some(start)) => by_start.entry(start).or_insert_with(Vec::new).push(number),
                (None, None) => {}
            }
        }
        let at_words_only = rules.iter().all(|rule| rule.left.ends_with(' '));
        Self { rules, ignore_case, by_word, by_start, at_words_only }
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
            let first = fold(c);
            let second = chars.peek().map(|(_, next)| fold(*next));
            let at_word = previous == Some(' ') && c != ' ';
            let Some((rule, end)) = self.first_match(text, at, at_word, (first, second)) else {
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
    fn first_match(
        &self,
        text: &str,
        at: usize,
        at_word: bool,
        (first, second): (char, Option<char>),
    ) -> Option<(&Literal, usize)> {
        let by_start = |key| self.by_start.get(&key).map_or(&[][..], Vec::as_slice);
        let mut lists = [&[][..], by_start((first, None)), second.map_or(&[][..], |s| by_start((first, Some(s))))];
        if at_word && !self.by_word.is_empty() {
            let word = text[at..].split(' ').next().unwrap_or_default();
            let word = if self.ignore_case { word.chars().map(folded).collect() } else { Cow::Borrowed(word) };
            lists[0] = self.by_word.get(&*word).map_or(&[][..], Vec::as_slice);
        }
        loop {
            let (number, list) =
                lists.iter_mut().filter_map(|list| Some((*list.first()?, list))).min_by_key(|(n, _)| *n)?;
            *list = &list[1..];
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
