//! British to American spelling, word by word.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::LazyLock;

use super::scan::split_words;
use crate::tokens::FoldHasher;

/// Source and licence: `data/README.md`.
const TABLE: &str = include_str!("../../data/whisper_english_spellings.tsv");

type Spellings = HashMap<&'static str, &'static str, BuildHasherDefault<FoldHasher>>;

static SPELLINGS: LazyLock<Spellings> =
    LazyLock::new(|| TABLE.lines().filter_map(|line| line.split_once('\t')).collect());

/// Words of the text in American spelling, joined by single spaces.
pub(super) fn american(text: &str) -> String {
    let table = &*SPELLINGS;
    let mut out = String::with_capacity(text.len() + 8);
    for word in split_words(text) {
        if !out.is_empty() {
            out.push(' ');
        }
        // The shortest entry has three letters.
        let spelled = if word.len() < 3 { None } else { table.get(word) };
        out.push_str(spelled.copied().unwrap_or(word));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oracle_spelling_table_is_the_peers() {
        let dir = std::env::var("VBENCH_ORACLES")
            .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/oracles").to_owned());
        let path = format!("{dir}/whisper_english_spellings.json");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        let file: serde_json::Value = serde_json::from_str(&text).unwrap();
        let peer = file["cases"][0].as_object().unwrap();
        assert_eq!(peer.len() as u64, file["count"].as_u64().unwrap());
        assert_eq!(SPELLINGS.len(), peer.len());
        for (from, to) in peer {
            assert_eq!(SPELLINGS.get(from.as_str()).copied(), to.as_str(), "{from}");
            assert!(from.len() >= 3, "{from} is shorter than the shortcut assumes");
        }
    }
}
