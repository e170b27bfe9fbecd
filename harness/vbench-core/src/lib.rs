//! Nouns that cross vbench's stages.
//!
//! ```text
//! utterance.rs   one scored stretch of a recording
//! condition.rs   an ordered list of degradations with parameters, and its name
//! cell.rs        (utterance, condition, model), its outcome and its timing
//! receipt.rs     what a degradation did to one clip
//! counts.rs      hits, substitutions, deletions, insertions: a sum type
//! estimate.rs    a value with its interval, method, resampling unit and seed
//! keyed.rs       random generators keyed by (seed, purpose, utterance, condition)
//! length.rs      bins of utterances by words and seconds
//! budget.rs      latency budgets of stages and turns
//! preprocess.rs  what is done to every recording before conditions
//! rule.rs        gate rules: typed limits with unit and direction
//! signal_metric.rs  names of the metrics between two signals
//! delimited.rs   records of CSV and TSV text
//! hash.rs        SHA-256 as lower-case hex
//! exit.rs        the process exit codes
//! ```
//!
//! Out of scope: files, clocks, wire formats (the store and suite crates own those), speech, statistics.

pub mod budget;
pub mod cell;
pub mod condition;
pub mod counts;
pub mod delimited;
pub mod estimate;
pub mod exit;
pub mod hash;
pub mod keyed;
pub mod length;
pub mod preprocess;
pub mod receipt;
pub mod rule;
pub mod signal_metric;
pub mod utterance;

pub use budget::{Budget, BudgetSubject, Budgets};
pub use cell::{Cell, CellTiming, Hypothesis, Outcome, Reason, ReasonKind};
pub use condition::{
    BUILTIN_CONDITIONS, BuiltinCondition, Codec, Condition, Degradation, Fill, Folder, LevelBasis, LossModel,
    Microphone, Noise, NoiseKind, Opus, OpusMode, PacketLoss, Placement, RecipeProblem, Room, Rt60Formula, Severity,
    UNPROCESSED, Walls,
};
pub use counts::ErrorCounts;
pub use estimate::{Estimate, Interval, ResamplingUnit};
pub use exit::ExitCode;
pub use preprocess::{Levelling, Preprocess};
pub use receipt::{Receipt, StepReceipt};
pub use rule::{GateMetric, GateUnit, Limit, Rule, RuleStratum};
pub use signal_metric::{SIGNAL_METRICS, SignalMetric};
pub use utterance::Utterance;
