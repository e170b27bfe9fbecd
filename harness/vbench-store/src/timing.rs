//! The wire form of a timing (version 1): integer nanoseconds of one monotonic clock since the run began.

use serde::{Deserialize, Serialize};
use vbench_core::CellTiming;

/// One line of `timings.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimingLine {
    /// Cell key.
    pub cell: String,
    /// Repeat, counted from 0.
    pub repeat: u32,
    /// When the cell was due.
    pub t_sched: u64,
    /// When the model was called.
    pub t_sent: u64,
    /// When the first output arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub t_first: Option<u64>,
    /// When the final output was complete.
    pub t_final: u64,
    /// Length of the audio in seconds.
    pub audio_s: f64,
    /// Owned stretches of the time.
    pub stages: Vec<StageLine>,
}

/// One stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageLine {
    /// Name.
    pub name: String,
    /// Owner.
    pub owner: String,
    /// Start.
    pub t0: u64,
    /// End.
    pub t1: u64,
}

impl TimingLine {
    /// The line of a cell's first repeat.
    #[must_use]
    pub fn new(cell: &str, timing: &CellTiming) -> Self {
        let stage = |s: &vbench_core::cell::Stage| StageLine {
            name: s.name.clone(),
            owner: s.owner.clone(),
            t0: s.t0,
            t1: s.t1,
        };
        Self {
            cell: cell.into(),
            repeat: 0,
            t_sched: timing.t_sched,
            t_sent: timing.t_sent,
            t_first: timing.t_first,
            t_final: timing.t_final,
            audio_s: timing.audio_s,
            stages: timing.stages.iter().map(stage).collect(),
        }
    }

    /// Time the model took, in seconds.
    #[must_use]
    pub fn processing_s(&self) -> f64 {
        self.t_final.saturating_sub(self.t_sent) as f64 * 1e-9
    }
}
