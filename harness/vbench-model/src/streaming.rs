//! The seam to models that answer while they listen: partial texts, reply tokens, sound, the answer with its stages.
//!
//! A harness opens a stream for each turn, feeds it the user's speech piece by piece and takes what comes. The model sees
//! no more of the clip than has been spoken. Time is the harness's: [`StreamOutput::now`] is the clock that stages are
//! stamped with, and a scripted model waits on it, so that the same script runs on a real and on a simulated clock.

use rand_chacha::rand_core::Rng;
use vbench_core::cell::Stage;
use vbench_core::keyed::keyed_rng;
use vbench_core::{Hypothesis, Utterance};

use crate::model::{Model, ModelError, ModelFacts, Request, Response, ResponseClock};

/// A model that answers while it listens. Streams are opened from several threads at once.
pub trait StreamingModel: Send + Sync {
    /// What is known of the model, for the run record.
    fn facts(&self) -> ModelFacts;

    /// Which clock its streams run on.
    fn clock(&self) -> StreamClock {
        StreamClock::Real
    }

    /// Opens a stream for one turn.
    ///
    /// # Errors
    ///
    /// [`ModelError`] makes the turn a failed one with that reason; the run goes on.
    fn open(&self, turn: &Turn<'_>) -> Result<Box<dyn ModelStream>, ModelError>;
}

/// One turn that is being fed.
pub trait ModelStream: Send {
    /// Takes the next piece of the user's speech (mono, 16 kHz, full scale is 1; may be empty) and hands out what it makes
    /// of it. `last`: the user has finished; the call then returns when the turn is over, with a
    /// [`StreamEvent::Final`] handed out before.
    ///
    /// # Errors
    ///
    /// [`ModelError`]: there will be no answer.
    fn feed(&mut self, samples: &[f32], last: bool, out: &mut dyn StreamOutput) -> Result<(), ModelError>;
}

/// What is said of a turn before it begins.
#[derive(Debug, Clone, Copy)]
pub struct Turn<'a> {
    /// Number of the turn in the run: draws of a sampling model are keyed by it.
    pub number: u64,
    /// Cell key.
    pub cell: &'a str,
    /// The utterance. Its text is for fakes only; a real model must not look at it.
    pub utterance: &'a Utterance,
    /// Condition name.
    pub condition: &'a str,
    /// Seed of the run.
    pub seed: u64,
}

/// Which clock the streams of a model run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StreamClock {
    /// Work takes the time that it takes.
    #[default]
    Real,
    /// Time passes only where the stream waits for it: every latency is exact.
    Simulated,
}

/// What a stream hands out.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamEvent {
    /// What the user has said so far; may still change.
    Partial(String),
    /// What the user has said; will not change.
    Settled(String),
    /// The next piece of the reply's text.
    Token(String),
    /// A stretch of the reply's sound, mono, full scale is 1.
    Audio {
        /// Samples.
        samples: Vec<f32>,
        /// Samples a second.
        rate_hz: u32,
    },
    /// The reply was stopped because the user speaks again: no sound follows.
    Stopped,
    /// The turn is over.
    Final {
        /// What the user said.
        text: String,
        /// Stages on the clock of [`StreamOutput::now`], in any order.
        stages: Vec<Stage>,
    },
}

/// What a model claims about an event, where its protocol carries that. A harness believes its own clock and checks claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Claim {
    /// The turn that the event belongs to; `None`: the one that is being fed.
    pub turn: Option<u64>,
    /// When it was made, on the clock of [`StreamOutput::now`]; `None`: now.
    pub at: Option<u64>,
}

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// The time has passed.
    Time,
    /// The user has begun to speak again. Told once a turn; later waits run their time.
    Interrupted,
    /// Nobody waits for this turn any more: return.
    Abandoned,
}

/// Where a stream hands out what it makes, and its clock.
pub trait StreamOutput {
    /// Nanoseconds on the clock of the run, monotonic.
    fn now(&self) -> u64;

    /// Hands out an event with a claim.
    fn emit_claimed(&mut self, claim: Claim, event: StreamEvent);

    /// Hands out an event now.
    fn emit(&mut self, event: StreamEvent) {
        self.emit_claimed(Claim::default(), event);
    }

    /// Whether the user has begun to speak again: a model that supports barge-in looks here between its events.
    fn interrupted(&self) -> bool;

    /// Lets `ns` pass, as a scripted model's work; ends early when the user speaks again or the turn is abandoned.
    fn wait(&mut self, ns: u64) -> Wake;
}

/// A streaming model that is handed whole clips: what `run` needs, and benches of whole clips in the accuracy lane.
pub struct WholeClips(pub Box<dyn StreamingModel>);

impl Model for WholeClips {
    fn facts(&self) -> ModelFacts {
        self.0.facts()
    }

    fn transcribe(&self, request: &Request<'_>) -> Result<Response, ModelError> {
        let turn = Turn {
            number: number_of(request.cell),
            cell: request.cell,
            utterance: request.utterance,
            condition: request.condition,
            seed: request.seed,
        };
        let mut out = TextOnly { clock: self.0.clock(), began: std::time::Instant::now(), waited: 0, text: None };
        self.0.open(&turn)?.feed(request.samples, true, &mut out)?;
        let clock = match out.clock {
            StreamClock::Real => ResponseClock::Real,
            StreamClock::Simulated => ResponseClock::Simulated(out.waited),
        };
        let text = out.text.ok_or_else(|| ModelError("the stream ended without an answer".into()))?;
        Ok(Response { hypothesis: Hypothesis { text, ..Hypothesis::default() }, clock })
    }
}

/// Whole clips have no order that several jobs would not change: their numbers come from their names, so that a fault of every
/// third turn strikes about a third of the clips, the same ones in every run.
fn number_of(cell: &str) -> u64 {
    const NUMBERS: u64 = 2_520;
    keyed_rng(0, "turn number", cell, "").next_u64() % NUMBERS
}

/// Keeps the answer and lets all else go.
struct TextOnly {
    clock: StreamClock,
    began: std::time::Instant,
    waited: u64,
    text: Option<String>,
}

/// Longer than this no whole clip is waited for: a stream that hangs has no answer.
const LONGEST_WAIT: u64 = 600_000_000_000;

impl StreamOutput for TextOnly {
    fn now(&self) -> u64 {
        match self.clock {
            StreamClock::Real => u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX),
            StreamClock::Simulated => self.waited,
        }
    }

    fn emit_claimed(&mut self, claim: Claim, event: StreamEvent) {
        if let (StreamEvent::Final { text, .. }, None) = (event, claim.turn) {
            self.text.get_or_insert(text);
        }
    }

    fn interrupted(&self) -> bool {
        false
    }

    fn wait(&mut self, ns: u64) -> Wake {
        if ns > LONGEST_WAIT {
            return Wake::Abandoned;
        }
        match self.clock {
            StreamClock::Real => std::thread::sleep(std::time::Duration::from_nanos(ns)),
            StreamClock::Simulated => self.waited += ns,
        }
        Wake::Time
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::FakePipeline;
    use crate::spec::ModelSpec;

    #[test]
    fn faults_strike_whole_clips_too_and_the_same_ones_every_time() {
        let Ok(ModelSpec::FakePipeline(options)) = ModelSpec::parse("fake-pipeline:hang=3") else { panic!("a spec") };
        let model = WholeClips(Box::new(FakePipeline::new(*options)));
        let utterance = Utterance { id: "u".into(), text: "one two".into(), ..Utterance::default() };
        let answered = |i: usize| {
            let (cell, samples) = (format!("c/u{i}/clean/m"), [0.0; 160]);
            let request =
                Request { cell: &cell, utterance: &utterance, condition: "clean", samples: &samples, seed: 1 };
            model.transcribe(&request).is_ok()
        };
        let heard: Vec<bool> = (0..300).map(answered).collect();
        let hung = heard.iter().filter(|a| !**a).count();
        assert!((75..=125).contains(&hung), "{hung} of 300");
        assert_eq!((0..300).map(answered).collect::<Vec<_>>(), heard);
    }
}
