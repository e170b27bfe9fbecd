//! Which tokens may come next: suppressed tokens and Whisper's timestamp rules.
//!
//! The rules are those of openai-whisper 20250625 `decoding.py` and CTranslate2 4.8 `whisper.cc`, which agree: timestamps come in pairs except
//! directly before the end, never decrease, a segment has a length above zero, the first one is at most
//! `max_initial_timestamp`, and where all timestamps together are more probable than any other single token, a timestamp is taken.

use super::config::SpecialTokens;
use crate::kernels::{exp_sum, max};

/// Seconds between timestamp tokens.
pub const TIMESTAMP_STEP: f64 = 0.02;

/// The rules of one decoding.
#[derive(Clone, Debug)]
pub struct Rules {
    special: SpecialTokens,
    suppress: Vec<u32>,
    suppress_first: Vec<u32>,
    timestamps: bool,
    last_initial: u32,
}

impl Rules {
    /// Rules with these suppressed tokens; `max_initial_timestamp` in seconds.
    #[must_use]
    pub fn new(special: SpecialTokens, suppress: &[u32], suppress_first: &[u32], timestamps: bool, max_initial_timestamp: f64) -> Self {
        let steps = (max_initial_timestamp / TIMESTAMP_STEP).round().clamp(0.0, 1500.0) as u32;
        Self {
            special,
            suppress: suppress.to_vec(),
            suppress_first: suppress_first.to_vec(),
            timestamps,
            last_initial: special.first_timestamp + steps,
        }
    }

    /// Sets the logits of forbidden tokens to minus infinity, given what was sampled so far.
    pub fn apply(&self, logits: &mut [f32], sampled: &[u32]) {
        let forbid = |logits: &mut [f32], list: &[u32]| {
            for id in list {
                if let Some(v) = logits.get_mut(*id as usize) {
                    *v = f32::NEG_INFINITY;
                }
            }
        };
        forbid(logits, &self.suppress);
        if sampled.is_empty() {
            forbid(logits, &self.suppress_first);
        }
        if self.timestamps {
            forbid(logits, &[self.special.no_timestamps]);
            self.apply_timestamps(logits, sampled);
        }
    }

    fn apply_timestamps(&self, logits: &mut [f32], sampled: &[u32]) {
        let (begin, eot) = (self.special.first_timestamp as usize, self.special.end_of_text as usize);
        let is_time = |t: &u32| *t as usize >= begin;
        let Some(last) = sampled.last() else {
            logits[..begin].fill(f32::NEG_INFINITY);
            let after = self.last_initial as usize + 1;
            if after < logits.len() {
                logits[after..].fill(f32::NEG_INFINITY);
            }
            return;
        };
        if is_time(last) {
            let closed = sampled.len() < 2 || is_time(&sampled[sampled.len() - 2]);
            if closed {
                // After a pair (or the very first) comes text.
                logits[begin..].fill(f32::NEG_INFINITY);
                return;
            }
            // One closing timestamp: its partner, which may be equal, or the end.
            logits[..eot].fill(f32::NEG_INFINITY);
            logits[begin..*last as usize].fill(f32::NEG_INFINITY);
        } else if let Some(time) = sampled.iter().rev().find(|t| is_time(t)) {
            logits[begin..=*time as usize].fill(f32::NEG_INFINITY);
        }
        let (text, times) = logits.split_at_mut(begin);
        let top_time = max(times);
        if top_time == f32::NEG_INFINITY {
            return;
        }
        let mass = f64::from(top_time) + exp_sum(times, top_time).ln();
        if mass > f64::from(max(text)) {
            text.fill(f32::NEG_INFINITY);
        }
    }
}
