//! Where the time of turns went, stage by stage.

use crate::ledger::{Ledger, LedgerError, Stage, charge, check};
use crate::port::Ns;
use crate::summary::Distribution;
use crate::timeline::{Outcome, Timeline};

/// Stages that work on each other's output: where they occur they begin in this order.
pub const STAGE_ORDER: [&str; 6] = ["vad", "hold", "asr", "llm", "tts", "transport"];

/// All turns of a bench.
#[derive(Debug, Clone, PartialEq)]
pub struct StageSummary {
    /// In the order in which they begin on the mean; their contributions sum to what the user waited, turn by turn.
    pub stages: Vec<StageTimes>,
    /// Turns whose stages add up.
    pub turns: usize,
    /// Turns whose report cannot be true; they are in no stage's times.
    pub impossible: usize,
    /// The first of them.
    pub first_impossible: Option<(u64, LedgerError)>,
}

/// What a stage added to the waits.
#[derive(Debug, Clone, PartialEq)]
pub struct StageTimes {
    /// Its name: the model's, or `harness` (sent late), `queue` (sent and not yet begun), `lead-in` (silence at the
    /// beginning of a reply), `unaccounted`.
    pub name: String,
    /// Who does it.
    pub owner: String,
    /// Its contribution to each turn, 0 where it did not occur; turns without an answer and impossible ones are censored.
    pub times: Distribution,
    /// Its share of all waits together.
    pub share: f64,
}

impl Timeline {
    /// What the user waited for, from the time it was due or the end of speech: the first audible sample of a reply with
    /// sound, else the answer. Absent without an answer, and for a reply in which nothing is audible.
    #[must_use]
    pub fn wait(&self) -> Option<Ns> {
        let answered = self.latency()?;
        match self.playback() {
            Some(sound) => sound.first_audible,
            None => Some(answered),
        }
    }

    /// When the first of its stages began; absent where none is reported.
    pub(crate) fn begun(&self) -> Option<Ns> {
        self.stages.iter().map(|s| s.t0).min()
    }

    /// The wait of this turn in parts: the model's stages, and what harness, queue and leading silence added. Absent without
    /// a wait.
    ///
    /// # Errors
    /// [`LedgerError`] inside: stages that cannot be true.
    #[must_use]
    pub fn ledger(&self) -> Option<Result<Ledger, LedgerError>> {
        let from = self.speech_end.unwrap_or(self.due);
        let end = from + self.wait()?;
        let Outcome::Answered { at, .. } = self.outcome else { return None };
        if let Err(error) = check(self.due, at, &self.stages, &STAGE_ORDER) {
            return Some(Err(error));
        }
        let late = if self.speech_end.is_some() { self.chunk_lateness.last().copied() } else { Some(self.lateness()) };
        let handed = from + late.unwrap_or(0);
        let ours = |name: &str, owner: &str, t0, t1| Stage { name: name.into(), owner: owner.into(), t0, t1 };
        let mut stages = Vec::with_capacity(self.stages.len() + 3);
        stages.push(ours("harness", "harness", from, handed));
        stages.extend(self.begun().filter(|t0| *t0 > handed).map(|t0| ours("queue", "harness", handed, t0)));
        stages.extend(self.stages.iter().cloned());
        stages.extend(self.audio.first().map(|(at, ..)| ours("lead-in", "model", *at, end)));
        Some(Ok(charge(from, end, &stages)))
    }
}

/// The harness's own parts before the model's.
const OWN_FIRST: [&str; 2] = ["harness", "queue"];

/// A stage over the turns.
struct Sum {
    name: String,
    owner: String,
    times: Vec<Ns>,
    /// Sum of the times from the beginning of a wait to its own, and of how many.
    begins: (f64, f64),
}

/// Sums the ledgers of all turns; absent where no model reported a stage.
pub(crate) fn summarize_stages(timelines: &[Timeline], limit: Ns) -> Option<StageSummary> {
    if timelines.iter().all(|t| t.stages.is_empty()) {
        return None;
    }
    let mut sums: Vec<Sum> = Vec::new();
    let (mut turns, mut impossible, mut first_impossible, mut waited) = (0, 0, None, 0);
    for t in timelines {
        let ledger = match t.ledger() {
            None => continue,
            Some(Err(error)) => {
                impossible += 1;
                first_impossible.get_or_insert((t.id, error));
                continue;
            }
            Some(Ok(ledger)) => ledger,
        };
        waited += ledger.total;
        let mut begin = 0;
        for c in ledger.contributions {
            let place = sums.iter().position(|s| s.name == c.name && s.owner == c.owner);
            let place = place.unwrap_or_else(|| {
                sums.push(Sum { name: c.name, owner: c.owner, times: Vec::new(), begins: (0.0, 0.0) });
                sums.len() - 1
            });
            let sum = &mut sums[place];
            sum.times.resize(turns, 0);
            sum.times.push(c.ns);
            sum.begins = (sum.begins.0 + begin as f64, sum.begins.1 + 1.0);
            begin += c.ns;
        }
        turns += 1;
    }
    // What a turn waits before the model begins comes first, however seldom it is met.
    let rank = |s: &Sum| OWN_FIRST.iter().position(|name| s.name == *name).unwrap_or(OWN_FIRST.len());
    sums.sort_by(|a, b| rank(a).cmp(&rank(b)).then((a.begins.0 / a.begins.1).total_cmp(&(b.begins.0 / b.begins.1))));
    let stages = sums.into_iter().map(|Sum { name, owner, mut times, .. }| {
        times.resize(turns, 0);
        let share = if waited > 0 { times.iter().sum::<Ns>() as f64 / waited as f64 } else { 0.0 };
        StageTimes { name, owner, times: Distribution::of(times, timelines.len() - turns, limit), share }
    });
    Some(StageSummary { stages: stages.collect(), turns, impossible, first_impossible })
}
