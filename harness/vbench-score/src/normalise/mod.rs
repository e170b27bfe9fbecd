//! Named, versioned text normalisers.
//!
//! The id (`whisper-en/1`) is stored with every score. A change of output for any input is a new version.

mod basic;
mod english;
mod numbers;
mod scan;
mod script_safe;
mod spelling;

use std::borrow::Cow;

use crate::error::ScoreError;

/// What is done to both texts before they are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Normalizer {
    /// Nothing.
    #[default]
    None,
    /// Whisper's BasicTextNormalizer (openai-whisper 20250625): lower case, bracketed text out, NFKC, every mark,
    /// symbol and punctuation a space. Vowel signs of Indic scripts are marks and are lost: use `script-safe` there.
    Basic {
        /// Put a space between grapheme clusters.
        split_letters: bool,
        /// Drop diacritics (NFKD without category Mn, and a small letter table).
        remove_diacritics: bool,
    },
    /// Whisper's EnglishTextNormalizer (openai-whisper 20250625), quirks included.
    WhisperEn,
    /// NFKC, case folding, punctuation and symbols by category; keeps vowel signs and viramas; digits of all scripts
    /// become ASCII.
    ScriptSafe,
}

impl Normalizer {
    /// Every normaliser.
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::Basic { split_letters: false, remove_diacritics: false },
        Self::Basic { split_letters: true, remove_diacritics: false },
        Self::Basic { split_letters: false, remove_diacritics: true },
        Self::Basic { split_letters: true, remove_diacritics: true },
        Self::WhisperEn,
        Self::ScriptSafe,
    ];

    /// Name and version, stored with every score.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        match self {
            Self::None => "none/1",
            Self::Basic { split_letters: false, remove_diacritics: false } => "basic/1",
            Self::Basic { split_letters: true, remove_diacritics: false } => "basic+split/1",
            Self::Basic { split_letters: false, remove_diacritics: true } => "basic+strip/1",
            Self::Basic { split_letters: true, remove_diacritics: true } => "basic+split+strip/1",
            Self::WhisperEn => "whisper-en/1",
            Self::ScriptSafe => "script-safe/1",
        }
    }

    /// Name without version.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.id().split_once('/').map_or(self.id(), |(name, _)| name)
    }

    /// Finds a normaliser by name (`whisper-en`) or id (`whisper-en/1`).
    ///
    /// # Errors
    /// [`ScoreError::UnknownNormalizer`] with all names.
    pub fn from_name(name: &str) -> Result<Self, ScoreError> {
        Self::ALL.into_iter().find(|n| n.name() == name || n.id() == name).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(Self::name).collect();
            ScoreError::UnknownNormalizer { name: name.to_owned(), known: known.join(", ") }
        })
    }

    /// The normalised text. Spaces at the ends are left as the rules leave them; word splitting ignores them.
    #[must_use]
    pub fn normalize<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self {
            Self::None => Cow::Borrowed(text),
            Self::Basic { split_letters, remove_diacritics } => {
                Cow::Owned(basic::normalize(text, *split_letters, *remove_diacritics))
            }
            Self::WhisperEn => Cow::Owned(english::normalize(text)),
            Self::ScriptSafe => Cow::Owned(script_safe::normalize(text)),
        }
    }
}
