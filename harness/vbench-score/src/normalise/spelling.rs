//! British to American spelling, word by word.

use std::sync::LazyLock;

use super::scan::WordTable;

/// Source and licence: `data/README.md`.
const TABLE: &str = include_str!("../../data/whisper_english_spellings.tsv");

static SPELLINGS: LazyLock<WordTable<&'static str>> =
    LazyLock::new(|| WordTable::of(TABLE.lines().filter_map(|line| line.split_once('\t'))));

/// The American spelling of a British word.
pub(super) fn american(word: &str) -> Option<&'static str> {
    SPELLINGS.get(word)
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
        assert_eq!(SPELLINGS.words().count(), peer.len());
        for (from, to) in peer {
            assert_eq!(american(from), to.as_str(), "{from}");
            // One entry of the peer holds a space and can never be met.
            assert!(from.bytes().all(|b| b.is_ascii_lowercase()) || from.contains(' '), "{from} has more than letters");
        }
    }
}
