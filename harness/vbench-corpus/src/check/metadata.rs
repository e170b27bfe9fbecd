//! Ids, licences, speakers, sessions and splits; texts that stand twice.

use std::collections::HashMap;
use std::hash::Hash;

use super::code::Code;
use super::{Found, Item};

/// Keys of tags that hold a licence.
const LICENCE_TAGS: [&str; 2] = ["licence", "license"];

pub(super) fn check(items: &[Item<'_>], found: &mut Found<'_>) {
    ids(items, found);
    for (i, item) in items.iter().enumerate() {
        let u = item.utterance;
        if !LICENCE_TAGS.iter().any(|k| u.tags.get(*k).is_some_and(|v| !v.trim().is_empty())) {
            found.hit(Code::LicenceMissing, i, 0.0, "");
        }
        if u.speaker.is_none() {
            found.hit(Code::SpeakerMissing, i, 0.0, "");
        }
        if u.language.is_none() {
            found.hit(Code::LanguageMissing, i, 0.0, "");
        }
    }
    let splits = items.iter().any(|i| i.split != items[0].split);
    if splits {
        let corpus = |i: usize| items[i].utterance.corpus.as_str();
        let speaker = |i: usize| items[i].utterance.speaker.as_deref().map(|s| (corpus(i), s));
        across(items, Code::SpeakerInTwoSplits, "speaker", speaker, |k| k.1.to_owned(), found);
        let session = |i: usize| items[i].utterance.session.as_deref().map(|s| (corpus(i), s));
        across(items, Code::SessionInTwoSplits, "session", session, |k| k.1.to_owned(), found);
        let recording = |i: usize| Some(items[i].utterance.audio.as_path());
        across(items, Code::RecordingInTwoSplits, "recording", recording, |p| p.display().to_string(), found);
    } else if !items.is_empty() {
        found
            .not_checked
            .push("leaks between splits: there is one split (name several manifests, or a tag `split`)".into());
    }
    texts(items, splits, found);
}

fn ids(items: &[Item<'_>], found: &mut Found<'_>) {
    let mut seen: HashMap<(&str, &str, Option<&str>), usize> = HashMap::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        let u = item.utterance;
        // The same id in two splits is one in two manifests.
        if seen.insert((&u.corpus, &u.id, item.split), i).is_some() {
            found.hit(Code::IdDuplicate, i, 0.0, "");
        }
    }
}

/// Utterances whose key stands in several splits, outside of the split in which it stands most often.
pub(super) fn across<'a, K: Hash + Eq + Copy>(
    items: &[Item<'a>],
    code: Code,
    what: &str,
    key: impl Fn(usize) -> Option<K>,
    name: impl Fn(K) -> String,
    found: &mut Found<'_>,
) {
    let mut counts: HashMap<K, Vec<(&'a str, usize)>> = HashMap::new();
    for (i, item) in items.iter().enumerate() {
        let Some(k) = key(i) else { continue };
        let split = item.split.unwrap_or_default();
        let of_key = counts.entry(k).or_default();
        match of_key.iter_mut().find(|(s, _)| *s == split) {
            Some((_, n)) => *n += 1,
            None => of_key.push((split, 1)),
        }
    }
    for (i, item) in items.iter().enumerate() {
        let Some((k, of_key)) = key(i).and_then(|k| Some((k, counts.get(&k)?))) else { continue };
        // Of equals the split that comes first in the corpus.
        let home = of_key.iter().rev().max_by_key(|(_, n)| *n).map_or("", |(s, _)| *s);
        if of_key.len() > 1 && item.split.unwrap_or_default() != home {
            let total: usize = of_key.iter().map(|(_, n)| n).sum();
            found.hit(code, i, total as f64, format!("{what} {} is also in {home}", name(k)));
        }
    }
}

/// Words in lower case without punctuation, one space between them.
fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        if word.is_ascii() {
            out.extend(word.bytes().filter(u8::is_ascii_alphanumeric).map(|b| char::from(b.to_ascii_lowercase())));
        } else {
            out.extend(word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase));
        }
    }
    out
}

fn texts(items: &[Item<'_>], splits: bool, found: &mut Found<'_>) {
    use rayon::prelude::*;
    let enough = found.limits.duplicate_words;
    let of_item = |item: &Item<'_>| {
        let text = folded(&item.utterance.text);
        let words = text.split(' ').filter(|w| !w.is_empty()).count() as f64;
        (words >= enough).then_some(text)
    };
    let folded: Vec<Option<String>> = items.par_iter().map(of_item).collect();
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (i, text) in folded.iter().enumerate() {
        let Some(text) = text.as_deref() else { continue };
        if let Some(at) = first.get(text) {
            found.hit(Code::TextDuplicate, i, 0.0, format!("as {}", items[*at].utterance.id));
        } else {
            first.insert(text, i);
        }
    }
    if splits {
        let key = |i: usize| folded[i].as_deref();
        across(items, Code::TextInTwoSplits, "text", key, |_| String::new(), found);
    }
}
