//! Whisper's BasicTextNormalizer.

use unicode_segmentation::UnicodeSegmentation;

use super::scan::{apply, lower, remove_enclosed, remove_symbols, remove_symbols_and_diacritics, squeeze_spaces};

pub(super) fn normalize(raw: &str, split_letters: bool, remove_diacritics: bool) -> String {
    let mut text = lower(raw);
    remove_enclosed(&mut text);
    let cleaned = if remove_diacritics { remove_symbols_and_diacritics(&text, &[]) } else { remove_symbols(&text) };
    // Compatibility forms may have been capitals.
    text = lower(&cleaned);
    if split_letters {
        text = spaced_clusters(&text);
    }
    apply(&mut text, squeeze_spaces);
    text
}

fn spaced_clusters(text: &str) -> String {
    let mut out = String::with_capacity(2 * text.len());
    for cluster in text.graphemes(true) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(cluster);
    }
    out
}
