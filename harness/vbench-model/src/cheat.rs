//! Models built to cheat a benchmark, to show that its audits can fail; test adapters all.
//!
//! They hear a toy language: 0.1 s of a tone is a word, the tone of 400 + 200 k Hz the digit k. So an honest one
//! (`cheat:none`) really recognises from the sound, and the others are the same with one thing wrong.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use vbench_core::Hypothesis;

use crate::model::{Model, ModelError, ModelFacts, Request, Response, ResponseClock};

/// Words of the toy language by digit.
pub const DIGITS: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
/// Samples of a word at 16 kHz.
pub const WORD_SAMPLES: usize = 1_600;
/// How long a hearing takes.
const WORK: Duration = Duration::from_millis(3);
/// A request that comes so soon after the last answer comes from a load generator.
const HURRY: Duration = Duration::from_millis(5);

/// What is wrong with a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cheat {
    /// Nothing: it hears.
    None,
    /// It keeps its answers, and a clip that comes again is answered at once.
    Cache,
    /// Its answers begin with the last word of the answer before.
    Order,
    /// It hears nothing: it keeps the reference of each id the first time it sees it, and answers with that.
    Lookup,
    /// Back to back it leaves out every other word, and is twice as fast.
    FastWrong,
}

impl Cheat {
    /// All, with their names.
    pub const ALL: [(&'static str, Self); 5] = [
        ("none", Self::None),
        ("cache", Self::Cache),
        ("order", Self::Order),
        ("lookup", Self::Lookup),
        ("fast-wrong", Self::FastWrong),
    ];

    /// The tone of a digit, Hz.
    #[must_use]
    pub fn tone_hz(digit: usize) -> f64 {
        400.0 + 200.0 * digit as f64
    }
}

/// A model that cheats.
#[derive(Debug)]
pub struct CheatModel {
    cheat: Cheat,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    heard: HashMap<u64, String>,
    references: HashMap<String, String>,
    last_word: String,
    last_answer: Option<Instant>,
}

impl CheatModel {
    /// A model with this fault.
    #[must_use]
    pub fn new(cheat: Cheat) -> Self {
        Self { cheat, memory: Mutex::default() }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request<'_>) -> String {
        match self.cheat {
            Cheat::None => hear(request.samples),
            Cheat::Cache => {
                let key = fingerprint(request.samples);
                if let Some(text) = self.memory().heard.get(&key) {
                    return text.clone();
                }
                let text = hear(request.samples);
                self.memory().heard.insert(key, text.clone());
                text
            }
            Cheat::Order => {
                let text = hear(request.samples);
                let mut memory = self.memory();
                let last = text.split(' ').next_back().unwrap_or_default().to_owned();
                let before = std::mem::replace(&mut memory.last_word, last);
                format!("{before} {text}").trim().to_owned()
            }
            Cheat::Lookup => {
                std::thread::sleep(WORK);
                let utterance = request.utterance;
                let mut memory = self.memory();
                memory.references.entry(utterance.id.clone()).or_insert_with(|| utterance.text.clone()).clone()
            }
            Cheat::FastWrong => {
                let hurried = self.memory().last_answer.is_some_and(|last| last.elapsed() < HURRY);
                let text = recognise(request.samples);
                std::thread::sleep(if hurried { WORK / 2 } else { WORK });
                self.memory().last_answer = Some(Instant::now());
                if hurried { text.split(' ').step_by(2).collect::<Vec<_>>().join(" ") } else { text }
            }
        }
    }
}

impl Model for CheatModel {
    fn facts(&self) -> ModelFacts {
        let name = Cheat::ALL.iter().find(|(_, c)| *c == self.cheat).map_or("", |(name, _)| *name);
        ModelFacts { kind: "cheat".into(), weights_sha256: None, facts: vec![("cheat".into(), name.into())] }
    }

    fn transcribe(&self, request: &Request<'_>) -> Result<Response, ModelError> {
        let hypothesis = Hypothesis { text: self.answer(request), ..Hypothesis::default() };
        Ok(Response { hypothesis, clock: ResponseClock::Real })
    }
}

fn hear(samples: &[f32]) -> String {
    std::thread::sleep(WORK);
    recognise(samples)
}

fn fingerprint(samples: &[f32]) -> u64 {
    let mut hasher = DefaultHasher::new();
    samples.iter().for_each(|s| s.to_bits().hash(&mut hasher));
    hasher.finish()
}

/// The words of a clip: the rate of zero crossings of each stretch that is not silent.
fn recognise(samples: &[f32]) -> String {
    let word = |stretch: &[f32]| {
        let energy: f32 = stretch.iter().map(|s| s * s).sum::<f32>() / stretch.len() as f32;
        if energy < 1e-4 {
            return None;
        }
        let crossings = stretch.windows(2).filter(|w| (w[0] < 0.0) != (w[1] < 0.0)).count();
        let hz = crossings as f64 / 2.0 * 16_000.0 / WORD_SAMPLES as f64;
        let digit = ((hz - Cheat::tone_hz(0)) / 200.0).round().clamp(0.0, 9.0) as usize;
        Some(DIGITS[digit])
    };
    samples.chunks_exact(WORD_SAMPLES).filter_map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use vbench_core::Utterance;

    fn clip(digits: &[usize]) -> Vec<f32> {
        let tone = |digit: &usize| {
            let step = std::f64::consts::TAU * Cheat::tone_hz(*digit) / 16_000.0;
            (0..WORD_SAMPLES).map(move |i| (0.5 * (step * i as f64).sin()) as f32)
        };
        digits.iter().flat_map(tone).collect()
    }

    #[test]
    fn tones_are_words_and_silence_is_none() {
        let all: Vec<usize> = (0..10).collect();
        assert_eq!(recognise(&clip(&all)), DIGITS.join(" "));
        assert_eq!(recognise(&vec![0.0; 8_000]), "");
        assert_eq!(recognise(&[]), "");
    }

    #[test]
    fn each_cheat_does_its_own_wrong() {
        let samples = clip(&[1, 2, 3]);
        let utterance = Utterance { id: "a".into(), corpus: "c".into(), text: "five".into(), ..Utterance::default() };
        let request = Request { cell: "x", utterance: &utterance, condition: "clean", samples: &samples, seed: 1 };
        let two = |cheat: Cheat| {
            let model = CheatModel::new(cheat);
            let text = || model.transcribe(&request).expect("never fails").hypothesis.text;
            (text(), text())
        };
        let whole = "one two three".to_owned();
        assert_eq!(two(Cheat::None), (whole.clone(), whole.clone()));
        assert_eq!(two(Cheat::Cache), (whole.clone(), whole.clone()));
        assert_eq!(two(Cheat::Order), (whole.clone(), "three one two three".into()));
        assert_eq!(two(Cheat::Lookup), ("five".into(), "five".into()));
        assert_eq!(two(Cheat::FastWrong), (whole, "one three".into()));
    }
}
