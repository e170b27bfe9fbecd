//! References with several readings: sclite's `{ a / b }` alternates and `(word)` optional words.
//!
//! **Syntax** (NIST SCTK 1.3, sclite's `trn` and `stm`). `{ um / uh / @ }` allows one of its alternatives; `@` is no word;
//! alternatives hold words, `@`, optional words and further alternates. A brace opens where a word would begin; between
//! braces every `/` separates and every `}` closes. `(word)` is optional, as under sclite's option `-D`. Stricter than sclite,
//! which guesses: a brace that is never closed, a single alternative and an empty one are errors, so that text in which
//! braces are letters does not lose words in silence.
//!
//! **Alignment.** The reference is a network of words, and the alignment takes its cheapest path. Costs are sclite's: the usual
//! ones, 2 for leaving out an optional word, 0.001 for `@`; so is the order of ties: hit or substitution, then insertion,
//! then deletion, and the first alternative among equals. sclite adds in single precision, and so does this module
//! (ties of 0.001 hang on it). A word left out because it is optional counts as a hit, as in sclite.

mod network;

use std::borrow::Cow;

use crate::align::{AlignOp, Weights};
use crate::error::ScoreError;
use crate::error_rate::{CharUnit, PairScore, score_pair_with};
use crate::normalise::Normalizer;
use crate::tokens::words;
use vbench_core::ErrorCounts;

/// Deepest nesting of alternates.
pub const MAX_DEPTH: usize = 32;

/// What is wrong with a text that has markup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MarkupError {
    /// A brace without its counterpart.
    #[error("alternates are opened with {{ and never closed with }}")]
    Unclosed,
    /// Nothing to choose from.
    #[error("alternates {{ … }} with one alternative only: at least two, separated by /")]
    OneAlternative,
    /// No word and no `@`.
    #[error("an empty alternative: write @ for no word")]
    EmptyAlternative,
    /// An opening brace inside a word of an alternative.
    #[error("an opening brace inside a word of an alternative")]
    BraceInWord,
    /// Nesting beyond [`MAX_DEPTH`].
    #[error("alternates nested more than {MAX_DEPTH} deep")]
    TooDeep,
}

/// A stretch of a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Words that must be there, separated by white space.
    Words(Cow<'a, str>),
    /// A word that may be left out.
    Optional(Cow<'a, str>),
    /// No word: `@`.
    Null,
    /// One of several.
    Alternates(Vec<Vec<Piece<'a>>>),
}

/// A reference with several readings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lattice<'a> {
    pieces: Vec<Piece<'a>>,
}

/// An alignment with the cheapest path of a lattice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LatticeAlignment {
    /// Words of the path taken, without `@` and without optional words that were left out.
    pub reference: Vec<String>,
    /// Operations; positions are those of [`LatticeAlignment::reference`] and of the hypothesis words.
    pub ops: Vec<AlignOp>,
    /// Their numbers; a word left out because it is optional is one of the hits, as in sclite.
    pub counts: ErrorCounts,
    /// Optional words left out.
    pub forgiven: u64,
    /// Least number of errors over all paths and alignments.
    pub total_min: u64,
}

impl<'a> Lattice<'a> {
    /// Reads markup; `None` where the text has none.
    ///
    /// # Errors
    /// Braces that do not make alternates.
    pub fn parse(text: &'a str) -> Result<Option<Self>, MarkupError> {
        if !b"{(@".iter().any(|mark| text.as_bytes().contains(mark)) {
            return Ok(None);
        }
        let mut parser = Parser { text, at: 0 };
        let pieces = parser.sequence(0)?;
        Ok(match pieces.as_slice() {
            [] | [Piece::Words(_)] => None,
            _ => Some(Self { pieces }),
        })
    }

    /// Its pieces in order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece<'a>] {
        &self.pieces
    }

    /// The plainest reading: the first of all alternatives, optional words included.
    #[must_use]
    pub fn plain(&self) -> String {
        let mut out = String::new();
        first_reading(&self.pieces, &mut out);
        out
    }

    /// The same readings with normalised words. Each stretch between marks is normalised by itself, so a rule that joins
    /// words does not reach across a brace. A stretch of which nothing remains is no word.
    #[must_use]
    pub fn normalize(&self, normalizer: &Normalizer) -> Lattice<'static> {
        Lattice { pieces: normalize(&self.pieces, normalizer) }
    }

    /// Aligns a hypothesis, split at white space, with the cheapest path.
    ///
    /// # Errors
    /// [`ScoreError::TooLong`] when the table would be too large (about 45,000 words on both sides).
    pub fn align(&self, hypothesis: &str, weights: Weights) -> Result<LatticeAlignment, ScoreError> {
        network::align(self, hypothesis, weights)
    }
}

/// Scores a hypothesis against a lattice as [`score_pair_with`] does against a plain reference. Characters are counted
/// against the path that the words took.
///
/// # Errors
/// As [`Lattice::align`].
pub fn score_lattice(
    reference: &Lattice<'_>,
    hypothesis: &str,
    normalizer: &Normalizer,
    weights: Weights,
    char_unit: CharUnit,
) -> Result<PairScore, ScoreError> {
    let hypothesis = normalizer.normalize(hypothesis);
    let alignment = reference.normalize(normalizer).align(&hypothesis, weights)?;
    let path = alignment.reference.join(" ");
    let mut score = score_pair_with(&path, &hypothesis, &Normalizer::None, weights, char_unit)?;
    score.words = alignment.counts;
    score.words_min_errors = alignment.total_min;
    score.word_alignment = alignment.ops;
    score.exact = alignment.total_min == 0;
    Ok(score)
}

fn first_reading(pieces: &[Piece<'_>], out: &mut String) {
    for piece in pieces {
        match piece {
            Piece::Words(text) | Piece::Optional(text) => {
                if !out.is_empty() {
                    out.push(' ');
                }
                out.push_str(text);
            }
            Piece::Null => {}
            Piece::Alternates(alternatives) => first_reading(alternatives.first().map_or(&[], Vec::as_slice), out),
        }
    }
}

fn normalize(pieces: &[Piece<'_>], normalizer: &Normalizer) -> Vec<Piece<'static>> {
    let mut out = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match piece {
            Piece::Words(text) => {
                let text = normalizer.normalize(text);
                if !text.trim().is_empty() {
                    out.push(Piece::Words(Cow::Owned(text.into_owned())));
                }
            }
            Piece::Optional(word) => {
                let text = normalizer.normalize(word);
                out.extend(words(&text).map(|w| Piece::Optional(Cow::Owned(w.to_owned()))));
            }
            Piece::Null => out.push(Piece::Null),
            Piece::Alternates(alternatives) => {
                out.push(Piece::Alternates(alternatives.iter().map(|a| normalize(a, normalizer)).collect()));
            }
        }
    }
    out
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Pieces up to the end of the text, or inside alternates (depth > 0) up to `/` or `}`.
    fn sequence(&mut self, depth: usize) -> Result<Vec<Piece<'a>>, MarkupError> {
        let mut pieces = Vec::new();
        let mut run: Option<(usize, usize)> = None;
        loop {
            self.skip_space();
            let start = self.at;
            let piece = match self.peek() {
                None => break,
                Some('/' | '}') if depth > 0 => break,
                Some('{') => Some(self.alternates(depth + 1)?),
                Some(_) => match self.word(depth)? {
                    "@" => Some(Piece::Null),
                    word if word.len() > 2 && word.starts_with('(') && word.ends_with(')') => {
                        Some(Piece::Optional(Cow::Borrowed(&word[1..word.len() - 1])))
                    }
                    _ => None,
                },
            };
            match piece {
                None => run = Some((run.map_or(start, |(first, _)| first), self.at)),
                Some(piece) => {
                    pieces.extend(run.take().map(|(from, to)| Piece::Words(Cow::Borrowed(&self.text[from..to]))));
                    pieces.push(piece);
                }
            }
        }
        pieces.extend(run.map(|(from, to)| Piece::Words(Cow::Borrowed(&self.text[from..to]))));
        Ok(pieces)
    }

    fn word(&mut self, depth: usize) -> Result<&'a str, MarkupError> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| c.is_whitespace() || (depth > 0 && matches!(c, '/' | '}'))).unwrap_or(rest.len());
        let word = &rest[..end];
        if depth > 0 && word.contains('{') {
            return Err(MarkupError::BraceInWord);
        }
        self.at += end;
        Ok(word)
    }

    fn alternates(&mut self, depth: usize) -> Result<Piece<'a>, MarkupError> {
        if depth > MAX_DEPTH {
            return Err(MarkupError::TooDeep);
        }
        let mut alternatives = Vec::new();
        loop {
            self.at += 1;
            let alternative = self.sequence(depth)?;
            let end = self.peek().ok_or(MarkupError::Unclosed)?;
            if alternative.is_empty() {
                return Err(MarkupError::EmptyAlternative);
            }
            alternatives.push(alternative);
            if end == '}' {
                self.at += 1;
                break;
            }
        }
        if alternatives.len() == 1 { Err(MarkupError::OneAlternative) } else { Ok(Piece::Alternates(alternatives)) }
    }
}
