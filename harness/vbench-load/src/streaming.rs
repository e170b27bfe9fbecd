//! What a streaming model makes its user see and hear.

use crate::port::Ns;
use crate::timeline::{Outcome, Timeline};

/// How a text came into being.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flicker {
    /// Words that had been shown and were taken back or changed.
    pub retracted: usize,
    /// Words of the answer.
    pub final_words: usize,
}

/// How sound came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Playback {
    /// From the time it was due (or the end of speech) to the first audible sample: energy, not the first byte.
    pub first_audible: Option<Ns>,
    /// How often the sound ran out before more came.
    pub underruns: usize,
    /// How long it was out, in all.
    pub gap: Ns,
}

impl Timeline {
    /// From the time it was due to the first partial text that holds a word.
    #[must_use]
    pub fn first_partial(&self) -> Option<Ns> {
        let shown = self.partials.iter().find(|(_, text)| !text.trim().is_empty());
        shown.map(|(at, _)| at.saturating_sub(self.due))
    }

    /// Words retracted on the way to the answer: of each text the words behind what it shares with the beginning of the next.
    /// Absent without an answer.
    #[must_use]
    pub fn flicker(&self) -> Option<Flicker> {
        let Outcome::Answered { text, .. } = &self.outcome else { return None };
        let text = self.settled.as_ref().map_or(text, |(_, settled)| settled);
        let mut retracted = 0;
        let texts = self.partials.iter().map(|(_, text)| text).chain([text]);
        let words: Vec<Vec<&str>> = texts.map(|text| text.split_whitespace().collect()).collect();
        for pair in words.windows(2) {
            let shared = pair[0].iter().zip(&pair[1]).take_while(|(a, b)| a == b).count();
            retracted += pair[0].len() - shared;
        }
        Some(Flicker { retracted, final_words: words.last().map_or(0, Vec::len) })
    }

    /// From the time it was due (or the end of speech) to the text that would not change any more: settled, else the answer of
    /// a turn without sound.
    #[must_use]
    pub fn final_text(&self) -> Option<Ns> {
        let from = self.speech_end.unwrap_or(self.due);
        let settled = self.settled.as_ref().map(|(at, _)| at.saturating_sub(from));
        settled.or_else(|| if self.audio.is_empty() { self.latency() } else { None })
    }

    /// From the time it was due (or the end of speech) to the first piece of a reply's text.
    #[must_use]
    pub fn first_token(&self) -> Option<Ns> {
        let from = self.speech_end.unwrap_or(self.due);
        self.tokens.first().map(|(at, _)| at.saturating_sub(from))
    }

    /// From the user's speaking again until the reply was broken off and no more sound came; inner absence: it was said to
    /// the end, or the turn had no answer. Absent where the user did not speak again, or all sound had been handed out by then.
    #[must_use]
    pub fn barge_in(&self) -> Option<Option<Ns>> {
        let from = self.interrupted?;
        let last = self.audio.last().map_or(0, |(at, ..)| *at);
        match self.stopped {
            Some(at) => Some(Some(at.max(last).saturating_sub(from))),
            None => (last > from || self.latency().is_none()).then_some(None),
        }
    }

    /// From the time it was due (or the end of speech) to the first audible sample.
    #[must_use]
    pub fn first_audible(&self) -> Option<Ns> {
        self.playback()?.first_audible
    }

    /// The sound as a player with no buffer hears it: it begins when the first stretch comes. Absent without sound.
    #[must_use]
    pub fn playback(&self) -> Option<Playback> {
        let from = self.speech_end.unwrap_or(self.due);
        let mut playing_until = self.audio.first()?.0;
        let (mut underruns, mut gap) = (0, 0);
        for (at, length, _) in &self.audio {
            if *at > playing_until {
                underruns += 1;
                gap += at - playing_until;
                playing_until = *at;
            }
            playing_until += length;
        }
        let first_audible = first_audible_at(&self.audio).map(|at| at.saturating_sub(from));
        Some(Playback { first_audible, underruns, gap })
    }
}

/// When the first audible sample of stretches of sound (when each came, its length, its onset within) is heard by a player
/// with no buffer.
#[must_use]
pub fn first_audible_at(audio: &[(Ns, Ns, Option<Ns>)]) -> Option<Ns> {
    let mut playing_until = 0;
    for (at, length, onset) in audio {
        playing_until = at.max(&playing_until) + onset.unwrap_or(*length);
        if onset.is_some() {
            return Some(playing_until);
        }
    }
    None
}

/// Length of the frames in which [`onset`] looks for energy, s.
pub const ONSET_FRAME_S: f64 = 0.005;
/// Root mean square of a frame from which it is audible, of full scale 1: -50 dB.
pub const ONSET_LEVEL: f32 = 0.003_162_277_7;

/// Where in a stretch of sound the first audible sample lies: the first one that reaches [`ONSET_LEVEL`] in the first frame of
/// [`ONSET_FRAME_S`] whose root mean square does, so that a click is none. Absent for silence.
#[must_use]
pub fn onset(samples: &[f32], rate_hz: u32) -> Option<Ns> {
    let length = ((f64::from(rate_hz) * ONSET_FRAME_S) as usize).max(1);
    for (number, frame) in samples.chunks(length).enumerate() {
        // Of a stretch's short last frame as of a whole one.
        let energy: f32 = frame.iter().map(|v| v * v).sum();
        if energy >= ONSET_LEVEL * ONSET_LEVEL * length as f32 {
            let within = frame.iter().position(|v| v.abs() >= ONSET_LEVEL).unwrap_or(0);
            return Some((number * length + within) as Ns * 1_000_000_000 / Ns::from(rate_hz.max(1)));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(partials: &[(Ns, &str)], answer: &str) -> Timeline {
        let mut t = Timeline::new(0, 0, 100, 100);
        t.partials = partials.iter().map(|(at, text)| (*at, (*text).to_owned())).collect();
        t.outcome = Outcome::Answered { at: 900, text: answer.into() };
        t
    }

    #[test]
    fn words_that_change_flicker() {
        let t = timeline(
            &[(150, " "), (200, "the"), (300, "the cat"), (400, "the car is"), (500, "the")],
            "the car is red",
        );
        // `cat` once, then `car is`.
        assert_eq!(t.flicker(), Some(Flicker { retracted: 3, final_words: 4 }));
        assert_eq!(t.first_partial(), Some(100));
        assert_eq!(
            timeline(&[(1, "a"), (2, "a b")], "a b c").flicker(),
            Some(Flicker { retracted: 0, final_words: 3 })
        );
        let open = Timeline::new(0, 0, 0, 0);
        assert_eq!((open.flicker(), open.first_partial(), open.playback()), (None, None, None));
    }

    #[test]
    fn the_first_audible_sample_and_the_gaps_are_heard() {
        let mut t = timeline(&[], "");
        t.speech_end = Some(1_000);
        // 50 of silence at 1200, sound from 20 into the next at 1240, which is queued behind; then a gap of 60.
        t.audio = vec![(1_200, 50, None), (1_240, 100, Some(20)), (1_410, 100, Some(0))];
        assert_eq!(t.playback(), Some(Playback { first_audible: Some(270), underruns: 1, gap: 60 }));
    }
}
