//! Streaming models under load, on the real and on a simulated clock.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use vbench_load::{Clock, Command, Notice, Ns, Reply, Script, Session, Stage, System, What, first_audible_at, onset};
use vbench_model::{Claim, ModelStream, StreamEvent, StreamOutput, StreamingModel, Wake};

use super::clips::{Clips, RATE_HZ};

/// Longer than this no stream of a simulated clock waits: it hangs.
const HANGS: Ns = 1_000_000_000_000_000;

/// A streaming model.
pub struct Streamer {
    pub model: Arc<dyn StreamingModel>,
    pub clips: Arc<Clips>,
    /// Length of a chunk, where clips are fed in chunks.
    pub chunk: Ns,
    /// Turns that are being worked on.
    pub turns: Mutex<HashMap<u64, Arc<Turning>>>,
}

/// What has come up for a turn.
#[derive(Default)]
pub struct Turning {
    /// Interrupted, abandoned.
    notices: Mutex<(bool, bool)>,
    wake: Condvar,
}

impl Streamer {
    pub fn new(model: Arc<dyn StreamingModel>, clips: Arc<Clips>, chunk: Ns) -> Self {
        Self { model, clips, chunk, turns: Mutex::default() }
    }

    /// The samples of a chunk.
    fn piece(&self, sample: usize, index: u32, last: bool) -> &[f32] {
        let samples = &self.clips.only_clip(sample).samples;
        let at = |index: Ns| ((index * self.chunk * RATE_HZ / 1_000_000_000) as usize).min(samples.len());
        let end = if last { samples.len() } else { at(Ns::from(index) + 1) };
        &samples[at(Ns::from(index)).min(end)..end]
    }

    fn begin(&self, id: u64) -> Arc<Turning> {
        let turning = Arc::new(Turning::default());
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&turning));
        turning
    }

    fn end(&self, id: u64) {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

/// An event as the engine knows it; where sound begins is heard here, not told by the model.
fn what_of(event: StreamEvent) -> What {
    match event {
        StreamEvent::Partial(text) => What::Partial(text),
        StreamEvent::Settled(text) => What::Settled(text),
        StreamEvent::Token(text) => What::Token(text),
        StreamEvent::Audio { samples, rate_hz } => What::Audio {
            length_ns: samples.len() as Ns * 1_000_000_000 / Ns::from(rate_hz.max(1)),
            onset_ns: onset(&samples, rate_hz),
        },
        StreamEvent::Stopped => What::Stopped,
        StreamEvent::Final { text, stages } => {
            let stage = |s: vbench_core::cell::Stage| Stage { name: s.name, owner: s.owner, t0: s.t0, t1: s.t1 };
            What::Final { text, stages: stages.into_iter().map(stage).collect() }
        }
    }
}

fn claimed(claim: Claim, what: What) -> What {
    if claim == Claim::default() { what } else { What::Claimed { id: claim.turn, at: claim.at, what: Box::new(what) } }
}

impl System for Streamer {
    fn whole(&self, id: u64, sample: usize, clock: &Clock, emit: &mut dyn FnMut(What)) -> Result<(), String> {
        let samples = &self.clips.only_clip(sample).samples;
        let mut stream = self.model.open(&self.clips.turn(id, sample)).map_err(|e| e.to_string())?;
        let turning = self.begin(id);
        let mut out = RealOutput { clock, turning: &turning, told: false, emit };
        let fed = stream.feed(samples, true, &mut out).map_err(|e| e.to_string());
        self.end(id);
        fed
    }

    fn open(self: Arc<Self>, id: u64, sample: usize) -> Result<Box<dyn Session>, String> {
        let stream = self.model.open(&self.clips.turn(id, sample)).map_err(|e| e.to_string())?;
        let turning = self.begin(id);
        Ok(Box::new(RealTurn { streamer: self, id, sample, stream, turning, told: false }))
    }

    fn notice(&self, id: u64, notice: Notice) {
        let turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turning) = turns.get(&id) {
            let mut notices = turning.notices.lock().unwrap_or_else(PoisonError::into_inner);
            match notice {
                Notice::Interrupted => notices.0 = true,
                Notice::Abandoned => notices.1 = true,
            }
            turning.wake.notify_all();
        }
    }
}

/// A turn on the real clock.
struct RealTurn {
    streamer: Arc<Streamer>,
    id: u64,
    sample: usize,
    stream: Box<dyn ModelStream>,
    turning: Arc<Turning>,
    told: bool,
}

impl Session for RealTurn {
    fn chunk(&mut self, index: u32, last: bool, clock: &Clock, emit: &mut dyn FnMut(What)) -> Result<(), String> {
        let piece = self.streamer.piece(self.sample, index, last);
        let mut out = RealOutput { clock, turning: &self.turning, told: self.told, emit };
        let fed = self.stream.feed(piece, last, &mut out).map_err(|e| e.to_string());
        self.told = out.told;
        fed
    }
}

impl Drop for RealTurn {
    fn drop(&mut self) {
        self.streamer.end(self.id);
    }
}

struct RealOutput<'a> {
    clock: &'a Clock,
    turning: &'a Turning,
    /// The model knows that the user speaks again.
    told: bool,
    emit: &'a mut dyn FnMut(What),
}

impl StreamOutput for RealOutput<'_> {
    fn now(&self) -> u64 {
        self.clock.now()
    }

    fn emit_claimed(&mut self, claim: Claim, event: StreamEvent) {
        (self.emit)(claimed(claim, what_of(event)));
    }

    fn interrupted(&self) -> bool {
        self.turning.notices.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn wait(&mut self, ns: u64) -> Wake {
        let until = self.clock.now().saturating_add(ns);
        let mut notices = self.turning.notices.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if notices.1 {
                return Wake::Abandoned;
            }
            if notices.0 && !self.told {
                self.told = true;
                return Wake::Interrupted;
            }
            let left = until.saturating_sub(self.clock.now());
            if left == 0 {
                return Wake::Time;
            }
            let wait = self.turning.wake.wait_timeout(notices, Duration::from_nanos(left));
            notices = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// A streaming model on a simulated clock: what it waits is what passes.
pub struct SimulatedStreamer {
    pub streamer: Streamer,
    /// As in the plan.
    pub barge_in: Option<Ns>,
    pub turns: HashMap<u64, SimulatedTurn>,
}

/// A turn on the simulated clock.
pub struct SimulatedTurn {
    stream: Box<dyn ModelStream>,
    audio: Vec<(Ns, Ns, Option<Ns>)>,
    told: bool,
}

impl SimulatedStreamer {
    /// What a server does with a command.
    pub fn script(&mut self, command: &Command, start: Ns) -> Script {
        let (id, sample, last, index) = match *command {
            Command::Whole { id, sample } => (id, sample, true, 0),
            Command::Chunk { id, sample, index, last } => (id, sample, last, index),
            Command::Interrupt { .. } | Command::Abandon { .. } => return Script::default(),
        };
        let mut out = SimulatedOutput {
            id,
            start,
            elapsed: 0,
            barge_in: self.barge_in,
            audio: vec![],
            told: false,
            replies: vec![],
        };
        let streamer = &self.streamer;
        let whole = matches!(command, Command::Whole { .. });
        let turns = &mut self.turns;
        let fed = catch_unwind(AssertUnwindSafe(|| -> Result<(), String> {
            if index == 0 {
                let stream = streamer.model.open(&streamer.clips.turn(id, sample)).map_err(|e| e.to_string())?;
                turns.insert(id, SimulatedTurn { stream, audio: Vec::new(), told: false });
            }
            let Some(turn) = turns.get_mut(&id) else { return Err("the stream is lost: it had failed".into()) };
            (out.audio, out.told) = (std::mem::take(&mut turn.audio), turn.told);
            let all = &streamer.clips.only_clip(sample).samples;
            let piece = if whole { all.as_slice() } else { streamer.piece(sample, index, last) };
            turn.stream.feed(piece, last, &mut out).map_err(|e| e.to_string())?;
            (turn.audio, turn.told) = (std::mem::take(&mut out.audio), out.told);
            Ok(())
        }));
        let failed = match fed {
            Ok(fed) => fed.err(),
            Err(panic) => Some(format!(
                "panicked: {}",
                panic.downcast_ref::<String>().map_or("without a message", String::as_str)
            )),
        };
        if last || failed.is_some() {
            self.turns.remove(&id);
        }
        if let Some(reason) = failed {
            out.replies.push((out.elapsed, Reply { id, at: start + out.elapsed, what: What::Failed(reason) }));
        }
        Script { busy: out.elapsed, replies: out.replies }
    }
}

struct SimulatedOutput {
    id: u64,
    start: Ns,
    elapsed: Ns,
    barge_in: Option<Ns>,
    audio: Vec<(Ns, Ns, Option<Ns>)>,
    told: bool,
    replies: Vec<(Ns, Reply)>,
}

impl SimulatedOutput {
    /// When the user speaks again: the engine sets its timer by the same rule.
    fn interrupt_at(&self) -> Option<Ns> {
        Some(first_audible_at(&self.audio)?.saturating_add(self.barge_in?))
    }
}

impl StreamOutput for SimulatedOutput {
    fn now(&self) -> u64 {
        self.start + self.elapsed
    }

    fn emit_claimed(&mut self, claim: Claim, event: StreamEvent) {
        let what = what_of(event);
        let now = self.now();
        if let What::Audio { length_ns, onset_ns } = what {
            self.audio.push((now, length_ns, onset_ns));
        }
        self.replies.push((self.elapsed, Reply::made(self.id, now, claimed(claim, what))));
    }

    fn interrupted(&self) -> bool {
        self.interrupt_at().is_some_and(|at| at <= self.now())
    }

    fn wait(&mut self, ns: u64) -> Wake {
        let due = self.now().saturating_add(ns);
        match self.interrupt_at() {
            Some(at) if !self.told && at < due => {
                self.told = true;
                self.elapsed = self.elapsed.max(at.saturating_sub(self.start));
                Wake::Interrupted
            }
            _ if ns > HANGS => {
                self.elapsed = HANGS;
                Wake::Abandoned
            }
            _ => {
                self.elapsed += ns;
                Wake::Time
            }
        }
    }
}
