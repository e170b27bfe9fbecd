//! Whisper's BasicTextNormalizer.

use unicode_segmentation::UnicodeSegmentation;

use super::draft::{Draft, Edit};
use super::scan::{Kinds, lower, remove_enclosed, remove_symbols, remove_symbols_and_diacritics, squeeze_spaces};

pub(super) fn normalize(draft: &mut Draft<'_>, split_letters: bool, remove_diacritics: bool) {
    lower(draft);
    remove_enclosed(draft, Kinds::of(draft.text()));
    if remove_diacritics {
        draft.pass("punctuation and diacritics", |edit| remove_symbols_and_diacritics(edit, |_| false));
    } else {
        draft.pass("punctuation and marks", remove_symbols);
    }
    // Compatibility forms may have been capitals.
    lower(draft);
    if split_letters {
        draft.pass("split letters", space_clusters);
    }
    let squeezed = squeeze_spaces(draft.text());
    draft.set_spacing(squeezed);
}

fn space_clusters(edit: &mut Edit<'_>) {
    for (at, _) in edit.text().grapheme_indices(true).skip(1) {
        edit.replace(at, at, " ");
    }
}
