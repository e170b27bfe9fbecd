//! Scored cells in, strata and estimates out; pure.
//!
//! ```text
//! scored.rs      one scored cell: counts, tags, levels, times
//! strata.rs      which cells belong together
//! aggregate.rs   counts and estimates per stratum
//! analysis.rs    where errors and time come from (analysis/): mix, normalisers, speakers, confusions, times, stages
//! signal.rs      metrics of the degraded signal per condition
//! composite.rs   severity curves and areas, overall score, latency-constrained WER
//! summary.rs     the result: what terminal, report and JSON format
//! text.rs        counts and estimates of pairs of texts, for `vbench score`
//! metric.rs      what a cell contributes to a metric
//! pair.rs        two sides of a comparison: shared cells and what was left out
//! comparison.rs  differences per stratum with intervals and the deciding test
//! explain.rs     where a difference comes from: exact splits, and the utterances that carry it
//! secondary.rs   tests printed for the record
//! gate.rs        rules against a run and its baseline: pass, regressed, inconclusive
//! sequential.rs  the gate with looks in between, cluster by cluster
//! selftest.rs    planted regressions and the noise floor: a gate must be able to fail
//! history.rs     one metric over many runs: where it changed
//! suspects.rs    references that several models agree against
//! golden.rs      accepted transcripts against today's, cell by cell
//! audit.rs       do a timed model's times and texts mean what they seem to mean?
//! ```
//!
//! Out of scope: files, clocks, text alignment (vbench-score), formatting (vbench-report).

pub mod aggregate;
pub mod analysis;
pub mod audit;
pub mod comparison;
pub mod composite;
pub mod explain;
pub mod gate;
pub mod golden;
pub mod history;
pub mod metric;
pub mod pair;
pub mod scored;
pub mod secondary;
pub mod selftest;
pub mod sequential;
pub mod signal;
pub mod strata;
pub mod summary;
pub mod suspects;
pub mod text;

pub use aggregate::{SummaryHead, summarize};
pub use analysis::{AnalysedCell, Analysis, AnalysisRules, analyse};
pub use audit::{Audit, AuditClip, AuditFound, AuditName, AuditRules, AuditVerdict};
pub use comparison::{CompareHead, Comparison, Finding, StratumComparison, compare, present_metrics};
pub use composite::{CurvePoint, LatencyReadings, OverallScore, OverallWeight, SeverityCurve};
pub use explain::{Explained, Moved, Step, explain, moved, waterfall};
pub use gate::{GateError, GateInput, GateReport, Judged, Machines, Outcome, judge};
pub use golden::{DifferenceClass, GoldenDiff, golden_diff};
pub use history::{Change, ChangePoints, HistoryMetric, RunCells, change_points};
pub use pair::{ErrorKind, ErrorTable, LeftOut, Pair, Pairing, Side, SideCell, pair, place};
pub use scored::ScoredCell;
pub use selftest::{NoiseFloor, Planted, noise_floor, selftest};
pub use sequential::{SequentialGate, SequentialRule};
pub use signal::SignalSummary;
pub use summary::{ConditionDelta, Coverage, Failure, StratumSummary, Summary};
pub use suspects::{AgreedEdit, HeardByAll, ModelWithout, Suspect, Suspects, suspects};
pub use text::{TextRow, TextSummary, summarize_text};
