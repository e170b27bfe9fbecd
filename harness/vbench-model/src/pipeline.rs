//! A speech-to-speech system without weights whose every stage takes what its specification says.
//!
//! ```text
//! speech ends | vad | hold | asr ............ | llm ...  first token, then a token every token_ms
//!                            words appear       | tts ... first stretch, then one every pace_ms
//!                            | settled                    | transport | lead-in (silence) | sound
//! ```
//!
//! While the user speaks a word is shown for every [`WORD_MS`] of sound, `partial_ms` after the piece that completes it.

use std::f32::consts::TAU;
use std::panic::resume_unwind;

use rand_chacha::rand_core::Rng;
use vbench_core::cell::Stage;
use vbench_core::keyed::keyed_rng;

use crate::model::{ModelError, ModelFacts};
use crate::streaming::{Claim, ModelStream, StreamClock, StreamEvent, StreamOutput, StreamingModel, Turn, Wake};

/// Sound for each word of the transcript, ms.
pub const WORD_MS: u64 = 250;
/// Sample rate of the reply, Hz.
pub const REPLY_RATE_HZ: u32 = 16_000;
/// What the pipeline replies, again and again.
const REPLY: [&str; 8] = ["thank", "you", "I", "have", "noted", "that", "for", "you"];
const MS: f64 = 1e6;
/// A clock that jumps does so by this much, ns.
const JUMP: u64 = 10_000_000_000;
/// Someone else's number.
const STRANGER: u64 = 1 << 40;

/// Settings of the pipeline; times in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineOptions {
    /// Noticing that speech has ended.
    pub vad_ms: f64,
    /// Waiting whether the user goes on, a setting of the product rather than work.
    pub hold_ms: f64,
    /// Settling the transcript.
    pub asr_ms: f64,
    /// To the reply's first token.
    pub llm_ms: f64,
    /// From the first token to the first stretch of sound.
    pub tts_ms: f64,
    /// Each stretch on its way to the user.
    pub transport_ms: f64,
    /// From a piece of speech to the partial text that it completes.
    pub partial_ms: f64,
    /// Between tokens.
    pub token_ms: f64,
    /// Tokens of the reply.
    pub tokens: usize,
    /// Silence at the beginning of the reply's sound.
    pub lead_in_ms: f64,
    /// Length of the reply's sound without the lead-in; 0 replies in text alone.
    pub audio_ms: f64,
    /// Length of a stretch.
    pub stretch_ms: f64,
    /// Between the making of stretches.
    pub pace_ms: f64,
    /// From the user's speaking again to silence; `None` talks on.
    pub stop_ms: Option<f64>,
    /// Every n-th partial text ends in a word that is taken back; 0 for none.
    pub flicker_every: u64,
    /// Every delay is multiplied by a keyed uniform draw from 1 - jitter to 1 + jitter, turn by turn and stage by stage.
    pub jitter: f64,
    /// Every delay grows by this share of its first length with every turn.
    pub slower: f64,
    /// Which clock the waits run on.
    pub clock: StreamClock,
    /// What goes wrong when.
    pub faults: Vec<(Misbehaviour, u64)>,
}

/// What a pipeline does wrong on demand, in every n-th turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misbehaviour {
    /// Never comes back.
    Hang,
    /// Comes back without an answer.
    Never,
    /// Answers twice.
    Twice,
    /// Answers a turn that was never asked.
    Other,
    /// Stamps its answer before the turn was opened.
    Early,
    /// Stamps the transcript ten seconds ahead and all else rightly.
    Jump,
    /// Panics when the transcript is settled.
    Crash,
}

impl Misbehaviour {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Hang, Self::Never, Self::Twice, Self::Other, Self::Early, Self::Jump, Self::Crash];

    /// The key of a specification.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hang => "hang",
            Self::Never => "never",
            Self::Twice => "twice",
            Self::Other => "other",
            Self::Early => "early",
            Self::Jump => "jump",
            Self::Crash => "crash",
        }
    }
}

impl Default for PipelineOptions {
    /// 345 ms to the reply's first sample, 385 ms to its first audible one.
    fn default() -> Self {
        Self {
            vad_ms: 20.0,
            hold_ms: 0.0,
            asr_ms: 90.0,
            llm_ms: 120.0,
            tts_ms: 100.0,
            transport_ms: 15.0,
            partial_ms: 5.0,
            token_ms: 20.0,
            tokens: 8,
            lead_in_ms: 40.0,
            audio_ms: 560.0,
            stretch_ms: 100.0,
            pace_ms: 50.0,
            stop_ms: Some(80.0),
            flicker_every: 0,
            jitter: 0.0,
            slower: 0.0,
            clock: StreamClock::Simulated,
            faults: Vec::new(),
        }
    }
}

/// The pipeline as a model.
#[derive(Debug, Clone, Default)]
pub struct FakePipeline {
    options: PipelineOptions,
}

impl FakePipeline {
    /// A pipeline with these settings.
    #[must_use]
    pub fn new(options: PipelineOptions) -> Self {
        Self { options }
    }
}

impl StreamingModel for FakePipeline {
    fn facts(&self) -> ModelFacts {
        let o = &self.options;
        let delays = [o.vad_ms, o.hold_ms, o.asr_ms, o.llm_ms, o.tts_ms, o.transport_ms].map(|ms| ms.to_string());
        let mut facts = vec![("vad, hold, asr, llm, tts, transport ms".to_owned(), delays.join(", "))];
        facts.push(("jitter".into(), o.jitter.to_string()));
        facts.extend(o.faults.iter().map(|(fault, n)| (fault.name().to_owned(), format!("every {n} turns"))));
        ModelFacts { kind: "fake-pipeline".into(), weights_sha256: None, facts }
    }

    fn clock(&self) -> StreamClock {
        self.options.clock
    }

    fn open(&self, turn: &Turn<'_>) -> Result<Box<dyn ModelStream>, ModelError> {
        let mut rng = keyed_rng(turn.seed, "pipeline", turn.cell, &turn.number.to_string());
        let drift = 1.0 + self.options.slower * turn.number as f64;
        let factors = std::array::from_fn(|_| {
            let uniform = (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
            drift * (1.0 + self.options.jitter * (2.0 * uniform - 1.0))
        });
        Ok(Box::new(PipelineTurn {
            options: self.options.clone(),
            number: turn.number,
            factors,
            words: turn.utterance.text.split_whitespace().map(str::to_owned).collect(),
            opened: None,
            heard: 0,
            shown: 0,
            partials: 0,
        }))
    }
}

/// One turn.
struct PipelineTurn {
    options: PipelineOptions,
    number: u64,
    /// Of vad, hold, asr, llm, tts and transport.
    factors: [f64; 6],
    words: Vec<String>,
    opened: Option<u64>,
    /// Samples.
    heard: u64,
    /// Words.
    shown: usize,
    partials: u64,
}

/// A thing that happens at a time after the end of speech.
enum Step {
    Begin(&'static str),
    End(&'static str),
    Emit(StreamEvent),
}

impl ModelStream for PipelineTurn {
    fn feed(&mut self, samples: &[f32], last: bool, out: &mut dyn StreamOutput) -> Result<(), ModelError> {
        self.opened.get_or_insert(out.now());
        self.heard += samples.len() as u64;
        if !last {
            let due = (self.heard * 1_000 / (16_000 * WORD_MS)).min(self.words.len() as u64) as usize;
            if due > self.shown {
                if out.wait((self.options.partial_ms * MS) as u64) != Wake::Time {
                    return Ok(());
                }
                out.emit(self.partial(due));
            }
            return Ok(());
        }
        if self.wrong(Misbehaviour::Hang) {
            while out.wait(u64::MAX) != Wake::Abandoned {}
            return Ok(());
        }
        if self.wrong(Misbehaviour::Never) {
            return Ok(());
        }
        let steps = self.script();
        self.play(steps, out);
        Ok(())
    }
}

impl PipelineTurn {
    fn wrong(&self, fault: Misbehaviour) -> bool {
        self.options.faults.iter().any(|(f, every)| *f == fault && (self.number + 1).is_multiple_of(*every))
    }

    fn partial(&mut self, words: usize) -> StreamEvent {
        self.shown = words;
        self.partials += 1;
        let mut text = self.words[..words].join(" ");
        if self.options.flicker_every > 0 && self.partials.is_multiple_of(self.options.flicker_every) {
            text.push('h');
        }
        StreamEvent::Partial(text)
    }

    /// What happens when, ns after the end of speech, in order.
    fn script(&mut self) -> Vec<(u64, Step)> {
        let (o, factors) = (self.options.clone(), self.factors);
        let work = |stage: usize, ms: f64| (ms * factors[stage] * MS) as u64;
        let plain = |ms: f64| (ms * MS) as u64;
        let vad = work(0, o.vad_ms);
        let held = vad + work(1, o.hold_ms);
        let settled = held + work(2, o.asr_ms);
        let token = settled + work(3, o.llm_ms);
        let mut steps = vec![(0, Step::Begin("vad")), (vad, Step::End("vad"))];
        if held > vad {
            steps.extend([(vad, Step::Begin("hold")), (held, Step::End("hold"))]);
        }
        steps.push((held, Step::Begin("asr")));
        let (first, left) = (self.shown + 1, self.words.len() - self.shown.min(self.words.len()));
        for (i, words) in (first..=self.words.len()).enumerate() {
            let at = held + (settled - held) * (i as u64 + 1) / (left as u64 + 1);
            steps.push((at, Step::Emit(self.partial(words))));
        }
        steps.push((settled, Step::Emit(StreamEvent::Settled(self.words.join(" ")))));
        steps.extend([(settled, Step::End("asr")), (settled, Step::Begin("llm"))]);
        let mut over = token;
        for i in 0..o.tokens {
            over = token + plain(o.token_ms * i as f64);
            steps.push((over, Step::Emit(StreamEvent::Token(REPLY[i % REPLY.len()].into()))));
        }
        steps.push((over, Step::End("llm")));
        if o.audio_ms > 0.0 {
            steps.push((token, Step::Begin("tts")));
            let (made, way) = (token + work(4, o.tts_ms), work(5, o.transport_ms));
            steps.extend([(made, Step::Begin("transport")), (made + way, Step::End("transport"))]);
            let stretches = sound(&o);
            let last = made + plain(o.pace_ms * (stretches.len().max(1) - 1) as f64);
            steps.push((last, Step::End("tts")));
            for (i, samples) in stretches.into_iter().enumerate() {
                let event = StreamEvent::Audio { samples, rate_hz: REPLY_RATE_HZ };
                steps.push((made + way + plain(o.pace_ms * i as f64), Step::Emit(event)));
            }
        }
        steps.sort_by_key(|(at, _)| *at);
        steps
    }

    fn play(&self, steps: Vec<(u64, Step)>, out: &mut dyn StreamOutput) {
        let began = out.now();
        let mut stages: Vec<(Stage, bool)> = Vec::new();
        for (at, step) in steps {
            loop {
                let left = (began + at).saturating_sub(out.now());
                match if left > 0 { out.wait(left) } else { Wake::Time } {
                    Wake::Abandoned => return,
                    Wake::Interrupted => {
                        if let Some(stop_ms) = self.options.stop_ms {
                            out.wait((stop_ms * MS) as u64);
                            out.emit(StreamEvent::Stopped);
                            return self.finish(stages, out);
                        }
                    }
                    Wake::Time => break,
                }
            }
            let now = out.now();
            match step {
                Step::Begin(name) => {
                    stages.push((Stage { name: name.into(), owner: "model".into(), t0: now, t1: now }, true));
                }
                Step::End(name) => {
                    if let Some((stage, running)) = stages.iter_mut().find(|(s, _)| s.name == name) {
                        (stage.t1, *running) = (now, false);
                    }
                }
                Step::Emit(event @ StreamEvent::Settled(_)) => {
                    if self.wrong(Misbehaviour::Crash) {
                        // As a panic, without the message that a panic prints.
                        resume_unwind(Box::new("told to crash mid-stream".to_owned()));
                    }
                    let ahead = self.wrong(Misbehaviour::Jump).then(|| now + JUMP);
                    out.emit_claimed(Claim { at: ahead, ..Claim::default() }, event);
                }
                Step::Emit(event) => out.emit(event),
            }
        }
        self.finish(stages, out);
    }

    fn finish(&self, stages: Vec<(Stage, bool)>, out: &mut dyn StreamOutput) {
        let now = out.now();
        let closed = |(mut stage, running): (Stage, bool)| {
            if running {
                stage.t1 = now;
            }
            if stage.name == "hold" {
                stage.owner = "settings".into();
            }
            stage
        };
        let text = self.words.join(" ");
        let answer = StreamEvent::Final { text, stages: stages.into_iter().map(closed).collect() };
        let claim = Claim {
            turn: self.wrong(Misbehaviour::Other).then(|| self.number + STRANGER),
            at: self.wrong(Misbehaviour::Early).then(|| self.opened.unwrap_or(now).saturating_sub(1_000_000)),
        };
        if self.wrong(Misbehaviour::Twice) {
            out.emit_claimed(claim, answer.clone());
        }
        out.emit_claimed(claim, answer);
    }
}

/// The reply's sound in stretches: silence, then a tone that is loud from its first sample.
fn sound(o: &PipelineOptions) -> Vec<Vec<f32>> {
    let samples = |ms: f64| (ms * f64::from(REPLY_RATE_HZ) / 1e3).round() as usize;
    let mut all = vec![0.0f32; samples(o.lead_in_ms)];
    all.extend((0..samples(o.audio_ms)).map(|i| 0.3 * (TAU * 440.0 * i as f32 / REPLY_RATE_HZ as f32).cos()));
    all.chunks(samples(o.stretch_ms).max(1)).map(<[f32]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vbench_core::Utterance;

    /// Notes what comes when, on a clock that only waiting moves.
    #[derive(Default)]
    struct Notes {
        now: u64,
        events: Vec<(u64, Claim, StreamEvent)>,
        /// When the user speaks again.
        interrupt_at: Option<u64>,
        told: bool,
        /// When nobody waits any more.
        patience: Option<u64>,
    }

    impl StreamOutput for Notes {
        fn now(&self) -> u64 {
            self.now
        }

        fn emit_claimed(&mut self, claim: Claim, event: StreamEvent) {
            self.events.push((self.now, claim, event));
        }

        fn interrupted(&self) -> bool {
            self.interrupt_at.is_some_and(|at| at <= self.now)
        }

        fn wait(&mut self, ns: u64) -> Wake {
            let due = self.now.saturating_add(ns);
            match (self.interrupt_at, self.patience) {
                (Some(at), _) if !self.told && at < due => {
                    (self.told, self.now) = (true, at);
                    Wake::Interrupted
                }
                (_, Some(at)) if at < due => Wake::Abandoned,
                _ => {
                    self.now = due;
                    Wake::Time
                }
            }
        }
    }

    fn turn(options: PipelineOptions, number: u64, mut notes: Notes) -> Notes {
        let utterance = Utterance { text: "one two three four five".into(), ..Utterance::default() };
        let asked = Turn { number, cell: "c/u/clean/m", utterance: &utterance, condition: "clean", seed: 1 };
        let mut stream = FakePipeline::new(options).open(&asked).expect("opens");
        // Half a second holds two words.
        stream.feed(&[0.0; 8_000], false, &mut notes).expect("feeds");
        notes.now = 500_000_000;
        stream.feed(&[], true, &mut notes).expect("feeds");
        notes
    }

    fn stages(notes: &Notes) -> Vec<(String, u64, u64)> {
        let end = notes.events.iter().rev().find_map(|(_, _, e)| match e {
            StreamEvent::Final { stages, .. } => Some(stages),
            _ => None,
        });
        let ms = |ns: u64| (ns - 500_000_000) / 1_000_000;
        end.into_iter().flatten().map(|s| (s.name.clone(), ms(s.t0), ms(s.t1))).collect()
    }

    #[test]
    fn every_stage_takes_what_the_script_says() {
        let options = PipelineOptions { hold_ms: 200.0, flicker_every: 2, ..PipelineOptions::default() };
        let notes = turn(options, 0, Notes::default());
        let wanted = [
            ("vad", 0, 20),
            ("hold", 20, 220),
            ("asr", 220, 310),
            // Eight tokens, 20 ms apart; the voice begins with the first.
            ("llm", 310, 570),
            ("tts", 430, 780),
            ("transport", 530, 545),
        ];
        assert_eq!(stages(&notes), wanted.map(|(name, t0, t1)| (name.to_owned(), t0, t1)));
        let texts: Vec<&str> = notes
            .events
            .iter()
            .filter_map(|(_, _, e)| match e {
                StreamEvent::Partial(text) | StreamEvent::Settled(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        let wanted =
            ["one two", "one two threeh", "one two three four", "one two three four fiveh", "one two three four five"];
        assert_eq!(texts, wanted);
        assert_eq!(notes.events[0].0, 5_000_000);
        let sound: Vec<f32> = notes
            .events
            .iter()
            .filter_map(
                |(_, _, e)| if let StreamEvent::Audio { samples, .. } = e { Some(samples.clone()) } else { None },
            )
            .flatten()
            .collect();
        assert_eq!(sound.len(), 600 * 16);
        assert!(sound[..640].iter().all(|v| *v == 0.0) && sound[640] > 0.29);
    }

    #[test]
    fn it_stops_when_the_user_speaks_again_unless_told_not_to() {
        let at = Some(500_000_000 + 400_000_000);
        let notes = turn(PipelineOptions::default(), 0, Notes { interrupt_at: at, ..Notes::default() });
        let stopped = notes.events.iter().find(|(_, _, e)| *e == StreamEvent::Stopped).expect("stops");
        assert_eq!(stopped.0, 980_000_000);
        assert!(matches!(notes.events.last(), Some((980_000_000, _, StreamEvent::Final { .. }))));
        let deaf = PipelineOptions { stop_ms: None, ..PipelineOptions::default() };
        let (alone, spoken) =
            (turn(deaf.clone(), 0, Notes::default()), turn(deaf, 0, Notes { interrupt_at: at, ..Notes::default() }));
        assert_eq!(alone.events, spoken.events);
    }

    #[test]
    fn every_misbehaviour_does_its_own_wrong_in_every_nth_turn() {
        for fault in Misbehaviour::ALL {
            let options = PipelineOptions { faults: vec![(fault, 3)], ..PipelineOptions::default() };
            let good = turn(options.clone(), 0, Notes::default());
            assert_eq!(good.events, turn(PipelineOptions::default(), 0, Notes::default()).events, "{}", fault.name());
            let patience = Some(60_000_000_000);
            let notes = || Notes { patience, ..Notes::default() };
            let bad = std::panic::catch_unwind(|| turn(options, 2, notes()));
            let finals = |notes: &Notes| -> Vec<Claim> {
                let of = |(_, claim, e): &(u64, Claim, StreamEvent)| {
                    matches!(e, StreamEvent::Final { .. }).then_some(*claim)
                };
                notes.events.iter().filter_map(of).collect()
            };
            match (fault, bad) {
                (Misbehaviour::Crash, bad) => assert!(bad.is_err()),
                (Misbehaviour::Hang | Misbehaviour::Never, Ok(bad)) => assert_eq!(finals(&bad), []),
                (Misbehaviour::Twice, Ok(bad)) => assert_eq!(finals(&bad).len(), 2),
                (Misbehaviour::Other, Ok(bad)) => assert_eq!(finals(&bad)[0].turn, Some(2 + STRANGER)),
                (Misbehaviour::Early, Ok(bad)) => assert_eq!(finals(&bad)[0].at, Some(0)),
                (Misbehaviour::Jump, Ok(bad)) => {
                    let jumped = bad.events.iter().find_map(|(now, claim, _)| Some((claim.at? - now, *now)));
                    assert_eq!(jumped, Some((JUMP, 610_000_000)));
                }
                (_, Err(_)) => panic!("{} panicked", fault.name()),
            }
        }
    }

    #[test]
    fn jitter_is_keyed_and_slowness_grows_with_the_turns() {
        let options = PipelineOptions { jitter: 0.3, ..PipelineOptions::default() };
        let at = |number| stages(&turn(options.clone(), number, Notes::default()));
        assert_eq!(at(4), at(4));
        assert_ne!(at(4), at(5));
        assert!((0..50).all(|n| at(n)[0].2.abs_diff(20) <= 6));
        let slower = PipelineOptions { slower: 0.01, ..PipelineOptions::default() };
        assert_eq!(stages(&turn(slower, 50, Notes::default()))[0], ("vad".to_owned(), 0, 30));
    }
}
