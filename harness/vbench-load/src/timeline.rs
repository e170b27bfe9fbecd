//! What happened to one request.

use crate::ledger::Stage;
use crate::port::{Ns, What};

/// From due to done.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// In the order of issue.
    pub id: u64,
    /// Which clip.
    pub sample: usize,
    /// When it was due: latency counts from here.
    pub due: Ns,
    /// When it was sent.
    pub sent: Ns,
    /// When its last chunk was due, for a clip fed in real time: the end of speech.
    pub speech_end: Option<Ns>,
    /// How late each chunk was sent, in order.
    pub chunk_lateness: Vec<Ns>,
    /// Partial texts with their times.
    pub partials: Vec<(Ns, String)>,
    /// The text that would not change any more, where it came before the answer.
    pub settled: Option<(Ns, String)>,
    /// Pieces of a reply's text with their times.
    pub tokens: Vec<(Ns, String)>,
    /// When the user spoke again.
    pub interrupted: Option<Ns>,
    /// When the reply was broken off for it.
    pub stopped: Option<Ns>,
    /// Stretches of sound: when it came, its length, its onset within.
    pub audio: Vec<(Ns, Ns, Option<Ns>)>,
    /// How it ended.
    pub outcome: Outcome,
    /// Stages reported with the answer.
    pub stages: Vec<Stage>,
    /// What went wrong beside it.
    pub faults: Vec<Fault>,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Not yet.
    Open,
    /// With an answer.
    Answered {
        /// When.
        at: Ns,
        /// What.
        text: String,
    },
    /// The system under test gave up.
    Failed {
        /// When.
        at: Ns,
        /// Why.
        reason: String,
    },
    /// No answer within the limit: the latency is at least this long.
    TimedOut {
        /// From the time it was due.
        after: Ns,
    },
    /// The reply contradicts the clock: before it was asked for.
    Impossible {
        /// As stamped.
        at: Ns,
    },
}

/// A breach of the protocol that does not change the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A second answer came.
    AnsweredTwice {
        /// When.
        at: Ns,
    },
    /// The answer came after the limit.
    Late {
        /// When.
        at: Ns,
    },
    /// A reply was stamped before one that came earlier.
    ClockWentBack {
        /// By how much.
        by: Ns,
    },
    /// A reply was stamped ahead of the time at which it was there.
    ClockAhead {
        /// By how much.
        by: Ns,
    },
    /// Something came after the answer.
    AfterTheEnd {
        /// When.
        at: Ns,
    },
}

impl Timeline {
    pub(crate) fn new(id: u64, sample: usize, due: Ns, sent: Ns) -> Self {
        Self {
            id,
            sample,
            due,
            sent,
            speech_end: None,
            chunk_lateness: Vec::new(),
            partials: Vec::new(),
            settled: None,
            tokens: Vec::new(),
            interrupted: None,
            stopped: None,
            audio: Vec::new(),
            outcome: Outcome::Open,
            stages: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// The stamp of a reply that is there at `now`, not before what came earlier and not ahead of now; a breach is noted.
    pub(crate) fn believable(&mut self, at: Ns, now: Ns) -> Ns {
        let now = now.max(self.sent);
        if at > now {
            self.faults.push(Fault::ClockAhead { by: at - now });
            return now;
        }
        let texts = [self.partials.last(), self.tokens.last(), self.settled.as_ref()];
        let seen = texts.into_iter().flatten().map(|(at, _)| *at).chain(self.audio.last().map(|(at, ..)| *at));
        let seen = seen.chain(self.stopped).max().unwrap_or(self.sent);
        if at < seen {
            self.faults.push(Fault::ClockWentBack { by: seen - at });
        }
        at.max(seen)
    }

    /// Notes what came at `at`.
    pub(crate) fn take(&mut self, at: Ns, what: What) {
        match what {
            What::Partial(text) => self.partials.push((at, text)),
            What::Settled(text) => self.settled = Some((at, text)),
            What::Token(text) => self.tokens.push((at, text)),
            What::Audio { length_ns, onset_ns } => self.audio.push((at, length_ns, onset_ns)),
            What::Stopped => self.stopped = Some(at),
            What::Final { text, stages } => {
                self.stages = stages;
                self.outcome = Outcome::Answered { at, text };
            }
            What::Failed(reason) => self.outcome = Outcome::Failed { at, reason },
            What::Claimed { what, .. } => self.take(at, *what),
        }
    }

    /// From due to answered; for a clip fed in real time from the end of speech. Absent without an answer.
    #[must_use]
    pub fn latency(&self) -> Option<Ns> {
        match self.outcome {
            Outcome::Answered { at, .. } => Some(at.saturating_sub(self.speech_end.unwrap_or(self.due))),
            _ => None,
        }
    }

    /// How late it was sent: the instrument's own error.
    #[must_use]
    pub fn lateness(&self) -> Ns {
        self.sent.saturating_sub(self.due)
    }
}
