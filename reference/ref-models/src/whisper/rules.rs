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
    pub fn new(
        special: SpecialTokens,
        suppress: &[u32],
        suppress_first: &[u32],
        timestamps: bool,
        max_initial_timestamp: f64,
    ) -> Self {
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

#[cfg(test)]
mod tests {
    use super::*;

    const VOCABULARY: usize = 51_864;

    fn special() -> SpecialTokens {
        SpecialTokens::new(VOCABULARY)
    }

    /// Allowed ids after the rules, with `logits` as given.
    fn allowed(mut logits: Vec<f32>, sampled: &[u32]) -> Vec<u32> {
        Rules::new(special(), &[7], &[220, special().end_of_text], true, 1.0).apply(&mut logits, sampled);
        logits.iter().zip(0..).filter(|(v, _)| **v > f32::NEG_INFINITY).map(|(_, i)| i).collect()
    }

    /// Text far more probable than any timestamp, so that the probability mass rule is out of the way.
    fn texty() -> Vec<f32> {
        let mut v = vec![-50.0; VOCABULARY];
        v[5] = 10.0;
        v
    }

    #[test]
    fn the_first_token_is_a_timestamp_up_to_one_second() {
        let t = special().first_timestamp;
        assert_eq!(allowed(texty(), &[]), (t..=t + 50).collect::<Vec<_>>());
    }

    #[test]
    fn after_the_first_timestamp_comes_text() {
        let s = special();
        let ids = allowed(texty(), &[s.first_timestamp]);
        assert!(ids.iter().all(|i| *i < s.first_timestamp) && ids.contains(&5) && ids.contains(&s.end_of_text));
        assert!(!ids.contains(&7) && !ids.contains(&s.no_timestamps), "suppressed tokens stay suppressed");
        assert!(ids.contains(&220), "blank is only forbidden as the first token");
    }

    #[test]
    fn a_closing_timestamp_is_followed_by_its_partner_or_the_end() {
        let (s, t) = (special(), special().first_timestamp);
        let mut logits = texty();
        logits[s.end_of_text as usize] = 9.0;
        let ids = allowed(logits, &[t, 5, t + 100]);
        assert!(ids.iter().all(|i| *i >= s.end_of_text) && ids.contains(&s.end_of_text));
        assert_eq!(
            ids.iter().copied().filter(|i| *i >= t).collect::<Vec<_>>(),
            (t + 100..t + 1501).collect::<Vec<_>>()
        );
    }

    #[test]
    fn timestamps_rise_and_segments_have_a_length() {
        let t = special().first_timestamp;
        let ids = allowed(texty(), &[t, 5, t + 100, t + 120, 6]);
        assert_eq!(
            ids.iter().copied().filter(|i| *i >= t).collect::<Vec<_>>(),
            (t + 121..t + 1501).collect::<Vec<_>>()
        );
    }

    /// 1400 timestamps of log odds 3 together (10.2) beat a text token of 10, though each is far below it.
    #[test]
    fn the_mass_of_all_timestamps_beats_a_more_probable_token() {
        let t = special().first_timestamp as usize;
        let mut logits = texty();
        logits[t..].fill(3.0);
        let sampled = [t as u32, 6, 6];
        assert!(allowed(logits.clone(), &sampled).iter().all(|i| *i as usize > t));
        logits[t..].fill(2.0);
        assert!(allowed(logits, &sampled).contains(&5));
    }

    #[test]
    fn without_timestamps_only_lists_count() {
        let mut logits = vec![0.0; VOCABULARY];
        Rules::new(special(), &[7], &[220], false, 1.0).apply(&mut logits, &[]);
        assert_eq!(logits.iter().zip(0..).filter(|(v, _)| **v < 0.0).map(|(_, i)| i).collect::<Vec<u32>>(), [7, 220]);
    }
}
