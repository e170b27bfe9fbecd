//! Worker threads -> reorder buffer -> the run folder.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use vbench_core::cell::Stage;
use vbench_core::{Cell, CellTiming, Condition, Outcome, Reason, ReasonKind, Utterance};
use vbench_model::{Model, Request, ResponseClock};
use vbench_store::{Row, RunFolder, StoreError};

use crate::prepare::{Prepare, Prepared};

/// What to run: cells with the tables that their indices point into.
pub struct Plan<'a> {
    /// Cells still to run, in plan order.
    pub cells: &'a [Cell],
    /// Utterances by index.
    pub utterances: &'a [Utterance],
    /// Conditions by index.
    pub conditions: &'a [Condition],
    /// Model names by index.
    pub model_names: &'a [String],
    /// Opened models by index.
    pub models: &'a [Box<dyn Model>],
    /// Seed of the run.
    pub seed: u64,
}

/// How to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineOptions {
    /// Worker threads; each runs one cell at a time.
    pub jobs: usize,
    /// Added to every clock reading, so that a resumed run's clock goes on where the first part stopped.
    pub clock_base_ns: u64,
}

/// What happens during a run, for whoever draws progress.
#[derive(Debug, Clone, Copy)]
pub enum RunEvent<'a> {
    /// A cell was committed.
    Committed {
        /// The cell.
        cell: &'a Cell,
        /// What came of it.
        outcome: &'a Outcome,
        /// Its times, when it was timed.
        timing: Option<&'a CellTiming>,
    },
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunEnd {
    /// Cells committed by this call.
    pub committed: usize,
    /// Whether the caller's cancel flag stopped it early.
    pub cancelled: bool,
}

struct Finished {
    index: usize,
    outcome: Outcome,
    timing: Option<CellTiming>,
}

/// Runs every cell of the plan and commits the outcomes in plan order.
///
/// Setting `cancel` ends the run after the cells in progress; they are committed.
///
/// # Errors
///
/// A failure to record; rows committed before stay readable.
pub fn run_cells(
    plan: &Plan<'_>,
    prepare: &dyn Prepare,
    options: EngineOptions,
    cancel: &AtomicBool,
    folder: &mut RunFolder,
    on_event: &mut dyn FnMut(RunEvent<'_>),
) -> Result<RunEnd, StoreError> {
    let jobs = options.jobs.clamp(1, plan.cells.len().max(1));
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let clock = Clock { start: Instant::now(), base: options.clock_base_ns };
    // A small bound keeps memory flat when the disk is slower than the model.
    let (sender, receiver) = sync_channel(4 * jobs);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let sender = sender.clone();
            let (next, stop, clock) = (&next, &stop, &clock);
            scope.spawn(move || worker(plan, prepare, next, &[cancel, stop], clock, &sender));
        }
        drop(sender);
        let committed = commit_in_order(plan, &receiver, folder, on_event);
        if committed.is_err() {
            stop.store(true, Ordering::Relaxed);
            // Workers may wait for room in the channel: take what they still have to say.
            while receiver.recv().is_ok() {}
        }
        committed.map(|committed| RunEnd { committed, cancelled: cancel.load(Ordering::Relaxed) })
    })
}

fn worker(
    plan: &Plan<'_>,
    prepare: &dyn Prepare,
    next: &AtomicUsize,
    stop: &[&AtomicBool],
    clock: &Clock,
    sender: &SyncSender<Finished>,
) {
    while !stop.iter().any(|flag| flag.load(Ordering::Relaxed)) {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(cell) = plan.cells.get(index) else {
            break;
        };
        let mut timing = None;
        let outcome = catch_unwind(AssertUnwindSafe(|| run_cell(plan, prepare, cell, clock, &mut timing)))
            .unwrap_or_else(|panic| {
                Outcome::Failed(Reason { kind: ReasonKind::Panic, text: panic_text(panic.as_ref()) })
            });
        if sender.send(Finished { index, outcome, timing }).is_err() {
            break;
        }
    }
}

fn commit_in_order(
    plan: &Plan<'_>,
    receiver: &Receiver<Finished>,
    folder: &mut RunFolder,
    on_event: &mut dyn FnMut(RunEvent<'_>),
) -> Result<usize, StoreError> {
    let mut waiting: BTreeMap<usize, Finished> = BTreeMap::new();
    let mut turn = 0;
    for finished in receiver {
        waiting.insert(finished.index, finished);
        while let Some(Finished { outcome, timing, .. }) = waiting.remove(&turn) {
            let cell = &plan.cells[turn];
            let row = Row::new(
                &cell.key,
                &plan.utterances[cell.utterance],
                &plan.conditions[cell.condition].name,
                &plan.model_names[cell.model],
                &outcome,
            );
            folder.commit(&row, timing.as_ref())?;
            on_event(RunEvent::Committed { cell, outcome: &outcome, timing: timing.as_ref() });
            turn += 1;
        }
    }
    Ok(turn)
}

fn run_cell(
    plan: &Plan<'_>,
    prepare: &dyn Prepare,
    cell: &Cell,
    clock: &Clock,
    timing: &mut Option<CellTiming>,
) -> Outcome {
    let start = clock.now();
    let Prepared { samples, receipt, decode_ns, encoder } = match prepare.prepare(cell) {
        Ok(prepared) => prepared,
        Err(outcome) => return *outcome,
    };
    let sent = clock.now();
    let request = Request {
        cell: &cell.key,
        utterance: &plan.utterances[cell.utterance],
        condition: &plan.conditions[cell.condition].name,
        samples: &samples,
        seed: plan.seed,
    };
    let response = plan.models[cell.model].transcribe(&request);
    let answered = clock.now();
    match response {
        Err(e) => Outcome::Failed(Reason { kind: ReasonKind::Model, text: e.to_string() }),
        Ok(response) => {
            let t_final = match response.clock {
                ResponseClock::Real => Some(answered),
                ResponseClock::Simulated(ns) => Some(sent.saturating_add(ns)),
                ResponseClock::Untimed => None,
            };
            let decoded = start + decode_ns.min(sent - start);
            let degrader = if encoder { "encoder" } else { "harness" };
            *timing = t_final.map(|t_final| CellTiming {
                t_sched: sent,
                t_sent: sent,
                t_first: None,
                t_final,
                audio_s: samples.len() as f64 / f64::from(vbench_audio::RATE_HZ),
                stages: vec![
                    stage("decode", "harness", start, decoded),
                    stage("degrade", degrader, decoded, sent),
                    stage("model", "model", sent, t_final),
                ],
            });
            Outcome::Ok { hypothesis: response.hypothesis, receipt }
        }
    }
}

fn stage(name: &str, owner: &str, t0: u64, t1: u64) -> Stage {
    Stage { name: name.into(), owner: owner.into(), t0, t1 }
}

struct Clock {
    start: Instant,
    base: u64,
}

impl Clock {
    fn now(&self) -> u64 {
        self.base + u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX / 2)
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().map(|s| (*s).to_string()).or_else(|| panic.downcast_ref::<String>().cloned());
    format!("a panic was caught: {}", text.unwrap_or_else(|| "no message".into()))
}
