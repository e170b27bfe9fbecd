//! Two texts in, error rates out. Pure: no files, clock, environment or random state.
//!
//! ```text
//! normalise/     named, versioned text normalisers
//!   scan.rs        character classes and passes that several normalisers share
//!   basic.rs       Whisper's BasicTextNormalizer
//!   english.rs     Whisper's EnglishTextNormalizer, with numbers.rs and spelling.rs
//!   script_safe.rs NFKC, folding, punctuation by category; keeps vowel signs
//!   rules/         rules of the user's: words, GLM, regular expressions
//!   draft.rs       a text on its way through the passes, and the record of what changed
//! tokens.rs      words, grapheme clusters, code points; interning
//! distance.rs    bit-parallel Levenshtein distance
//! align.rs       alignment with sclite's or Levenshtein weights
//! error_rate.rs  one pair's counts; WER, MER, WIL, WIP
//! ```
//!
//! ```
//! use vbench_score::{Normalizer, Weights, score_pair};
//!
//! let score = score_pair("Turn left, please.", "turn left peas", &Normalizer::WhisperEn, Weights::Sclite)?;
//! assert_eq!(score.words.errors(), 1);
//! assert_eq!(score.words.rate(), Some(1.0 / 3.0));
//! # Ok::<(), vbench_score::ScoreError>(())
//! ```

pub mod align;
pub mod distance;
mod error;
pub mod error_rate;
pub mod normalise;
pub mod tokens;

pub use align::{AlignOp, Alignment, Weights, align};
pub use distance::levenshtein;
pub use error::ScoreError;
pub use error_rate::{CharUnit, PairScore, mer, score_pair, score_pair_with, wil, wip};
pub use normalise::{Explanation, Normalizer, RuleProblem, RuleSet, Step};
