//! One loop for all scenarios.
//!
//! The engine owns no thread and no clock: it waits in [`Port::receive`] until a reply comes or the next thing is due,
//! whichever is first. The same code drives a real system under test and a simulated one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use vbench_core::keyed::{keyed_rng, permutation};

use crate::arrivals::Arrivals;
use crate::error::LoadError;
use crate::port::{Command, Ns, Port, Reply, What};
use crate::scenario::{Plan, Scenario};
use crate::streaming::first_audible_at;
use crate::timeline::{Fault, Outcome, Timeline};

/// What a bench saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Bench {
    /// Every request, in the order of issue.
    pub timelines: Vec<Timeline>,
    /// Replies to requests that were never made: (id, when).
    pub strays: Vec<(u64, Ns)>,
    /// When the last request ended.
    pub ended: Ns,
}

/// Runs a plan over clips of the lengths `audio` (seconds in ns); `observe(issued, open, now)` is called after each request.
///
/// # Errors
/// As [`Plan::check`].
pub fn drive(
    port: &mut dyn Port,
    plan: &Plan,
    audio: &[Ns],
    observe: &mut dyn FnMut(usize, usize, Ns),
) -> Result<Bench, LoadError> {
    run(port, plan, audio, None, observe)
}

/// The same with the clip of each request given: `order(n)` is asked for the `n`-th, in order. Requests come in turns of
/// `turn`, and the last turn is a whole one.
///
/// # Errors
/// As [`Plan::check`].
pub fn drive_in_order(
    port: &mut dyn Port,
    plan: &Plan,
    audio: &[Ns],
    (turn, order): (usize, &mut dyn FnMut(usize) -> usize),
    observe: &mut dyn FnMut(usize, usize, Ns),
) -> Result<Bench, LoadError> {
    run(port, plan, audio, Some((turn, order)), observe)
}

fn run<'a>(
    port: &'a mut dyn Port,
    plan: &'a Plan,
    audio: &'a [Ns],
    given: Option<(usize, &'a mut dyn FnMut(usize) -> usize)>,
    observe: &mut dyn FnMut(usize, usize, Ns),
) -> Result<Bench, LoadError> {
    plan.check(audio)?;
    let mut engine = Engine::new(port, plan, audio);
    if let Some((turn, order)) = given {
        (engine.turn, engine.given) = (turn.max(1), Some(order));
    }
    engine.begin();
    while let Some((due, timer)) = engine.next_timer() {
        let reply = engine.port.receive(due);
        if engine.port.stopped() {
            // What is under way stays open: it has no answer.
            engine.ended = engine.ended.max(engine.now());
            break;
        }
        if let Some(reply) = reply {
            engine.handle(reply);
        } else {
            engine.timers.pop();
            engine.fire(due, timer);
        }
        observe(engine.timelines.len(), engine.open, engine.now());
    }
    Ok(Bench { timelines: engine.timelines, strays: engine.strays, ended: engine.ended })
}

/// What happens when a time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// A loop sends its next request.
    Issue { lane: usize },
    /// A request arrives from outside.
    Arrive,
    /// A chunk has been spoken.
    Chunk { id: u64, index: u32 },
    /// The user speaks again.
    BargeIn { id: u64 },
    /// No answer is awaited any more.
    TimeOut { id: u64 },
}

struct Engine<'a> {
    port: &'a mut dyn Port,
    plan: &'a Plan,
    audio: &'a [Ns],
    timers: BinaryHeap<Reverse<(Ns, u64, Timer)>>,
    /// Timers set so far: those of one time fire in the order in which they were set.
    set: u64,
    arrivals: Option<Arrivals>,
    order: Vec<usize>,
    /// Clips by number of request, instead of the keyed random order.
    given: Option<&'a mut dyn FnMut(usize) -> usize>,
    /// Requests end with a multiple of this.
    turn: usize,
    timelines: Vec<Timeline>,
    /// The loop of each request.
    lanes: Vec<usize>,
    open: usize,
    strays: Vec<(u64, Ns)>,
    ended: Ns,
}

impl<'a> Engine<'a> {
    fn new(port: &'a mut dyn Port, plan: &'a Plan, audio: &'a [Ns]) -> Self {
        let arrivals = match plan.scenario {
            Scenario::Server { rate_hz } => Some(Arrivals::new(rate_hz, plan.seed)),
            _ => None,
        };
        Self {
            port,
            plan,
            audio,
            timers: BinaryHeap::new(),
            set: 0,
            arrivals,
            order: Vec::new(),
            given: None,
            turn: 1,
            timelines: Vec::new(),
            lanes: Vec::new(),
            open: 0,
            strays: Vec::new(),
            ended: 0,
        }
    }

    fn now(&mut self) -> Ns {
        self.port.now()
    }

    fn set(&mut self, due: Ns, timer: Timer) {
        self.timers.push(Reverse((due, self.set, timer)));
        self.set += 1;
    }

    /// The next thing that is due. Time limits of requests that have ended are dropped: nobody waits for them.
    fn next_timer(&mut self) -> Option<(Ns, Timer)> {
        while let Some(Reverse((due, _, timer))) = self.timers.peek().copied() {
            match timer {
                Timer::TimeOut { id } | Timer::BargeIn { id }
                    if self.timelines[id as usize].outcome != Outcome::Open =>
                {
                    self.timers.pop();
                }
                _ => return Some((due, timer)),
            }
        }
        None
    }

    fn begin(&mut self) {
        match self.plan.scenario {
            Scenario::SingleStream => self.set(0, Timer::Issue { lane: 0 }),
            Scenario::MultiStream { streams } => (0..streams).for_each(|lane| self.set(0, Timer::Issue { lane })),
            // Talkers do not begin at once: their chunks fall evenly into a chunk's time.
            Scenario::Paced { chunk, streams } => {
                for lane in 0..streams {
                    self.set(chunk / streams as Ns * lane as Ns, Timer::Issue { lane });
                }
            }
            Scenario::Server { .. } => self.expect_arrival(),
            Scenario::Offline => self.issue_everything(0),
        }
    }

    /// Whether nothing more is to be issued at `now`.
    fn enough(&self, now: Ns) -> bool {
        let issued = self.timelines.len();
        let enough = issued >= self.plan.min_count && now >= self.plan.min_duration;
        issued >= self.plan.max_count || (enough && issued.is_multiple_of(self.turn))
    }

    fn expect_arrival(&mut self) {
        if let Some(due) = self.arrivals.as_mut().and_then(Iterator::next)
            && !self.enough(due)
        {
            self.set(due, Timer::Arrive);
        }
    }

    fn issue_everything(&mut self, due: Ns) {
        for _ in 0..self.plan.min_count {
            if self.timelines.len() < self.plan.max_count {
                self.issue(due, 0);
            }
        }
    }

    fn fire(&mut self, due: Ns, timer: Timer) {
        match timer {
            Timer::Issue { lane } => {
                if !self.enough(due) {
                    self.issue(due, lane);
                }
            }
            Timer::Arrive => {
                self.issue(due, 0);
                self.expect_arrival();
            }
            Timer::Chunk { id, index } => self.feed(due, id, index),
            Timer::BargeIn { id } => {
                self.timelines[id as usize].interrupted = Some(due);
                self.port.send(Command::Interrupt { id });
            }
            Timer::TimeOut { id } => self.time_out(due, id),
        }
    }

    fn issue(&mut self, due: Ns, lane: usize) {
        let id = self.timelines.len() as u64;
        let sample = self.next_sample();
        let sent = self.now();
        let mut timeline = Timeline::new(id, sample, due, sent);
        let mut answer_by = due;
        if let Scenario::Paced { chunk, .. } = self.plan.scenario {
            // Nothing is sent before the first chunk has been spoken.
            timeline.sent = due;
            answer_by = due + self.audio[sample];
            timeline.speech_end = Some(answer_by);
            self.set(due + chunk.min(self.audio[sample]), Timer::Chunk { id, index: 0 });
        }
        self.timelines.push(timeline);
        self.lanes.push(lane);
        self.open += 1;
        self.set(answer_by.saturating_add(self.plan.timeout), Timer::TimeOut { id });
        if !matches!(self.plan.scenario, Scenario::Paced { .. }) {
            self.port.send(Command::Whole { id, sample });
        }
    }

    /// Sends a chunk and expects the next.
    fn feed(&mut self, due: Ns, id: u64, index: u32) {
        let Scenario::Paced { chunk, .. } = self.plan.scenario else { return };
        let now = self.now();
        let timeline = &mut self.timelines[id as usize];
        if timeline.outcome != Outcome::Open {
            return;
        }
        timeline.chunk_lateness.push(now.saturating_sub(due));
        let (sample, end) = (timeline.sample, timeline.speech_end.unwrap_or(due));
        let last = due >= end;
        self.port.send(Command::Chunk { id, sample, index, last });
        if !last {
            self.set((due + chunk).min(end), Timer::Chunk { id, index: index + 1 });
        }
    }

    fn time_out(&mut self, due: Ns, id: u64) {
        self.timelines[id as usize].outcome = Outcome::TimedOut { after: self.plan.timeout };
        self.port.send(Command::Abandon { id });
        self.close(id, due);
    }

    /// A request has ended at `at`: its loop goes on.
    fn close(&mut self, id: u64, at: Ns) {
        self.open -= 1;
        self.ended = self.ended.max(at);
        match self.plan.scenario {
            Scenario::SingleStream | Scenario::MultiStream { .. } | Scenario::Paced { .. } => {
                self.set(at, Timer::Issue { lane: self.lanes[id as usize] });
            }
            Scenario::Offline if self.open == 0 && !self.enough(at) => self.issue_everything(at),
            Scenario::Offline | Scenario::Server { .. } => {}
        }
    }

    fn handle(&mut self, Reply { id, at, what }: Reply) {
        let now = self.now();
        let Some(timeline) = usize::try_from(id).ok().and_then(|i| self.timelines.get_mut(i)) else {
            self.strays.push((id, at));
            return;
        };
        let ends = matches!(what, What::Final { .. } | What::Failed(_));
        match timeline.outcome {
            Outcome::Open => {}
            Outcome::Answered { .. } if ends => return timeline.faults.push(Fault::AnsweredTwice { at }),
            Outcome::TimedOut { .. } => return timeline.faults.push(Fault::Late { at }),
            _ => return timeline.faults.push(Fault::AfterTheEnd { at }),
        }
        // Nothing can be said of a clip before its first chunk has been spoken.
        let asked = match (self.plan.scenario, timeline.speech_end) {
            (Scenario::Paced { chunk, .. }, Some(end)) => (timeline.due + chunk).min(end),
            _ => timeline.sent,
        };
        if at < asked {
            timeline.outcome = Outcome::Impossible { at };
            return self.close(id, now);
        }
        let at = timeline.believable(at, now);
        let audible = first_audible_at(&timeline.audio);
        timeline.take(at, what);
        let interrupt = match (self.plan.barge_in, audible) {
            (Some(after), None) => first_audible_at(&timeline.audio).map(|heard| heard.saturating_add(after)),
            _ => None,
        };
        if timeline.outcome != Outcome::Open {
            // A loop goes on when the answer is there, not when it claims to have been.
            let sent = timeline.sent;
            self.close(id, at.clamp(sent, now.max(sent)));
        } else if let Some(due) = interrupt {
            self.set(due, Timer::BargeIn { id });
        }
    }

    /// Clips in keyed random order, all of them before any comes again.
    fn next_sample(&mut self) -> usize {
        if let Some(given) = &mut self.given {
            return given(self.timelines.len());
        }
        if self.order.is_empty() {
            let round = self.timelines.len() / self.audio.len();
            let mut rng = keyed_rng(self.plan.seed, "samples", "", &round.to_string());
            self.order = permutation(self.audio.len(), &mut rng);
        }
        self.order.pop().unwrap_or(0)
    }
}
