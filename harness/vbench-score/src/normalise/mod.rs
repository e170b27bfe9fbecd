//! Named, versioned text normalisers.
//!
//! The id (`whisper-en/1`) is stored with every score. A change of output for any input is a new version.
//!
//! | name | what it is |
//! | --- | --- |
//! | `none` | the text as it is |
//! | `basic`, `+split-letters`, `+remove-diacritics` | Whisper's BasicTextNormalizer |
//! | `whisper-en` | Whisper's EnglishTextNormalizer |
//! | `script-safe`, `+remove-harakat` | NFKC, case folding, punctuation by category; loses no letter of any script |
//! | `rules:NAME@HASH` | a file of the user's, see [`RuleSet`] |
//!
//! ```
//! use vbench_score::Normalizer;
//!
//! let english = Normalizer::from_name("whisper-en")?;
//! let explained = english.explain("I won't pay twenty one pounds for colour!");
//! assert_eq!(explained.text, english.normalize("I won't pay twenty one pounds for colour!"));
//! let steps: Vec<String> = explained.steps.iter().map(ToString::to_string).collect();
//! assert_eq!(steps[1], r#"contraction "won't" -> "will not""#);
//! assert_eq!(steps[3], r#"number "twenty one pounds" -> "£21""#);
//! assert_eq!(steps[4], r#"spelling "colour" -> "color""#);
//! # Ok::<(), vbench_score::ScoreError>(())
//! ```

mod basic;
mod draft;
mod english;
pub(crate) mod numbers;
mod rules;
mod scan;
mod script_safe;
mod spelling;

use std::borrow::Cow;
use std::sync::Arc;

pub use draft::{Explanation, Step};
pub use rules::{RuleProblem, RuleSet};

use crate::error::ScoreError;
use draft::Draft;

/// What is done to both texts before they are compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
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
    /// Whisper's EnglishTextNormalizer (openai-whisper 20250625, with its spelling table), quirks included.
    WhisperEn,
    /// NFKC, case folding, punctuation and symbols by category; keeps vowel signs and viramas; digits of all scripts
    /// become ASCII.
    ScriptSafe {
        /// Drop Arabic vowel and reading marks. Madda and hamza are parts of letters and stay.
        remove_harakat: bool,
    },
    /// Rules of the user's, in a file.
    Rules(Arc<RuleSet>),
}

impl Normalizer {
    /// Every normaliser that needs no file.
    pub const ALL: [Self; 8] = [
        Self::None,
        Self::Basic { split_letters: false, remove_diacritics: false },
        Self::Basic { split_letters: true, remove_diacritics: false },
        Self::Basic { split_letters: false, remove_diacritics: true },
        Self::Basic { split_letters: true, remove_diacritics: true },
        Self::WhisperEn,
        Self::ScriptSafe { remove_harakat: false },
        Self::ScriptSafe { remove_harakat: true },
    ];

    /// Name and version, stored with every score; of rules, `rules:NAME@` and the first 8 hex digits of the file's
    /// SHA-256.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::None => "none/1",
            Self::Basic { split_letters: false, remove_diacritics: false } => "basic/1",
            Self::Basic { split_letters: true, remove_diacritics: false } => "basic+split-letters/1",
            Self::Basic { split_letters: false, remove_diacritics: true } => "basic+remove-diacritics/1",
            Self::Basic { split_letters: true, remove_diacritics: true } => "basic+split-letters+remove-diacritics/1",
            Self::WhisperEn => "whisper-en/1",
            Self::ScriptSafe { remove_harakat: false } => "script-safe/2",
            Self::ScriptSafe { remove_harakat: true } => "script-safe+remove-harakat/2",
            Self::Rules(rules) => rules.id(),
        }
    }

    /// Name without version.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Rules(rules) => rules.id(),
            built_in => built_in.id().split_once('/').map_or(built_in.id(), |(name, _)| name),
        }
    }

    /// Where the definition comes from: tool and version, or standard.
    #[must_use]
    pub fn source(&self) -> &'static str {
        match self {
            Self::None => "the text as it is",
            Self::Basic { .. } => "openai-whisper 20250625, BasicTextNormalizer",
            Self::WhisperEn => "openai-whisper 20250625, EnglishTextNormalizer and its spelling table",
            Self::ScriptSafe { .. } => "Unicode NFKC, case folding and general categories",
            Self::Rules(_) => "rules file",
        }
    }

    /// Finds a normaliser by name (`whisper-en`) or id (`whisper-en/1`). Options come in any order.
    ///
    /// # Errors
    /// [`ScoreError::UnknownNormalizer`] with all names.
    pub fn from_name(name: &str) -> Result<Self, ScoreError> {
        let unknown = || {
            let known: Vec<_> = Self::ALL.iter().map(|n| n.name().to_owned()).collect();
            ScoreError::UnknownNormalizer { name: name.to_owned(), known: known.join(", ") }
        };
        let (bare, version) = name.split_once('/').map_or((name, None), |(bare, version)| (bare, Some(version)));
        let (base, options) = bare.split_once('+').map_or((bare, None), |(base, rest)| (base, Some(rest)));
        let options: Vec<&str> = options.into_iter().flat_map(|rest| rest.split('+')).collect();
        let has = |option: &str| options.contains(&option);
        let found = match base {
            "none" => Self::None,
            "basic" => Self::Basic { split_letters: has("split-letters"), remove_diacritics: has("remove-diacritics") },
            "whisper-en" => Self::WhisperEn,
            "script-safe" => Self::ScriptSafe { remove_harakat: has("remove-harakat") },
            _ => return Err(unknown()),
        };
        // Every option was understood, and named once.
        let understood = found.name().split('+').skip(1).count() == options.len();
        let current = version.is_none_or(|version| found.id().ends_with(&format!("/{version}")));
        if understood && current { Ok(found) } else { Err(unknown()) }
    }

    /// The normalised text. Spaces at the ends are left as the rules leave them; word splitting ignores them.
    #[must_use]
    pub fn normalize<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut draft = Draft::new(text);
        self.run(&mut draft);
        draft.into_text()
    }

    /// The normalised text, with which rule changed which word. Takes a few times as long as [`Self::normalize`].
    #[must_use]
    pub fn explain(&self, text: &str) -> Explanation {
        let mut draft = Draft::recorded(text);
        self.run(&mut draft);
        draft.into_explanation()
    }

    fn run(&self, draft: &mut Draft<'_>) {
        match self {
            Self::None => {}
            Self::Basic { split_letters, remove_diacritics } => {
                basic::normalize(draft, *split_letters, *remove_diacritics);
            }
            Self::WhisperEn => english::normalize(draft),
            Self::ScriptSafe { remove_harakat } => script_safe::normalize(draft, *remove_harakat),
            Self::Rules(rules) => rules.run(draft),
        }
    }
}
