//! Latency and load without fooling anyone: when requests are due, when they were sent and answered, and what that says.
//!
//! ```text
//! scenario.rs   what is issued when, and when it is enough
//! arrivals.rs   Poisson arrivals, keyed
//! port.rs       the seam to whatever answers: commands out, replies with their times in
//! engine.rs     one loop for all scenarios: scenario + port -> timelines
//! sequence.rs   one at a time in a stated order, for audits
//! workers.rs    a port on worker threads and the real clock
//! simulated.rs  a port on a simulated clock, where every latency is exact
//! timeline.rs   what happened to one request
//! streaming.rs  partial texts and sound as they come
//! summary.rs    a bench in numbers
//! stages.rs     the ledgers of all turns
//! budgets.rs    budgets judged, and bands of waits
//! trend.rs      whether a model slows down while it is being measured, or a queue grows
//! search.rs     the largest rate at which a percentile holds
//! sweep.rs      one thing varied from clip to clip; the cost curve
//! resources.rs  what a bench used beside time
//! tail.rs       percentiles with order-statistic intervals, censored; MLPerf's early stopping
//! ab.rs         two models by turns: ratio, noise floor, verdict
//! checks.rs     what can be doubted about a run
//! picture.rs    what figures of a bench show, as numbers
//! trace.rs      timelines as JSON lines
//! chrome.rs     the same for a browser's tracing page
//! ledger.rs     stages of a turn: contributions that sum to what the user waited
//! ```
//!
//! One clock: nanoseconds since the bench began, monotonic. Latency counts from the time at which a request was *due*, so a
//! stall of the system under test is charged to every request that it delayed, sent or not ("coordinated omission").
//!
//! Out of scope: what the answers say (accuracy), models, files.

mod ab;
mod arrivals;
mod budgets;
mod checks;
mod chrome;
mod engine;
mod error;
mod ledger;
mod picture;
mod port;
mod resources;
mod scenario;
mod search;
mod sequence;
mod simulated;
mod stages;
mod streaming;
mod summary;
mod sweep;
mod tail;
mod timeline;
mod trace;
mod trend;
mod workers;

pub use ab::{
    AB_ALPHA, AbOrder, AbPicture, AbSummary, AbTurn, AbVerdict, FreshPair, Lane, PAIRS_DRAWN, Ratio, ab_picture,
    ab_turns, conclude, confirm, ratio, summarize_ab,
};
pub use arrivals::Arrivals;
pub use budgets::{BUDGET_ALPHA, Band, BudgetVerdict, Verdict, bands, judge_budgets};
pub use checks::{Check, CheckState, checks, search_check, too_short};
pub use chrome::chrome_trace;
pub use engine::{Bench, drive, drive_in_order};
pub use error::LoadError;
pub use ledger::{Contribution, Ledger, LedgerError, Stage, ledger};
pub use picture::{Course, Curve, Histogram, Picture, Window, distribution_curve, picture};
pub use port::{Command, Ns, Port, Reply, What};
pub use resources::{Allocations, Resources};
pub use scenario::{Plan, Scenario};
pub use search::{Goal, Holds, INTERRUPTED, LoadSearch, Trial, search};
pub use sequence::sequence;
pub use simulated::{Script, Simulated};
pub use stages::{STAGE_ORDER, StageSummary, StageTimes};
pub use streaming::{Flicker, ONSET_FRAME_S, ONSET_LEVEL, Playback, first_audible_at, onset};
pub use summary::{
    BargeIn, BenchSummary, Counts, Distribution, EARLY_STOPPING_CONFIDENCE, LEVEL, PERCENTILES, Sound, summarize,
};
pub use sweep::{CostCurve, Parameter, SQUARE_PAYS, Sweep, SweepPoint, SweepSummary, cost_curve, summarize_sweep};
pub use tail::{Tail, TailValue, early_stopping_allowance, early_stopping_needed, requests_needed, tail};
pub use timeline::{Fault, Outcome, Timeline};
pub use trace::{TRACE_SCHEMA, Trace, TraceError, read_trace, write_trace};
pub use trend::{Backlog, TREND_BLOCKS, TREND_LEVEL, TREND_RISE, Trend};
pub use workers::{Clock, Notice, Session, System, Workers};
