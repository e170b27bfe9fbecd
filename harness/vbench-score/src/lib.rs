//! Two texts in, error rates out; two signals in, distances out. Pure: no files, clock, environment or random state.
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
//! vocabulary.rs  words of a corpus as small integers
//! distance.rs    bit-parallel Levenshtein distance
//! align.rs       alignment with sclite's or Levenshtein weights
//! lanes.rs       its narrow bands in registers
//! corpus.rs      counts of many pairs
//! error_rate.rs  one pair's counts; WER, MER, WIL, WIP
//! lattice.rs     references with alternates and optional words, and their alignment
//! formats/       transcripts in the formats people have, and their pairing
//! multi/         several speakers: cpWER, time-constrained tcpWER
//! analysis/      which errors, where and of whom: breakdowns of scored pairs
//! signal/        metrics of a signal against its reference, and of one signal
//! phoneme/       words to phonemes, phoneme alignment and confusions
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
pub mod analysis;
pub mod corpus;
pub mod distance;
mod error;
pub mod error_rate;
pub mod formats;
#[cfg(target_arch = "x86_64")]
mod lanes;
pub mod lattice;
pub mod multi;
pub mod normalise;
pub mod phoneme;
pub mod signal;
pub mod tokens;
mod vocabulary;

pub use align::{AlignOp, Alignment, Weights, align};
pub use corpus::{PairCounter, PairCounts};
pub use distance::levenshtein;
pub use error::ScoreError;
pub use error_rate::{CharUnit, PairScore, mer, score_pair, score_pair_with, wil, wip};
pub use lattice::{Lattice, LatticeAlignment, score_lattice};
pub use normalise::{Explanation, Normalizer, RuleProblem, RuleSet, Step};
