//! Scored cells in, strata and estimates out; pure.
//!
//! ```text
//! scored.rs      one scored cell: counts, tags, levels, times
//! strata.rs      which cells belong together
//! aggregate.rs   counts and estimates per stratum
//! summary.rs     the result: what terminal, report and JSON format
//! text.rs        counts and estimates of pairs of texts, for `vbench score`
//! ```
//!
//! Out of scope: files, clocks, text alignment (vbench-score), formatting (vbench-report).

pub mod aggregate;
pub mod scored;
pub mod strata;
pub mod summary;
pub mod text;

pub use aggregate::{SummaryHead, summarize};
pub use scored::ScoredCell;
pub use summary::{ConditionDelta, Coverage, Failure, StratumSummary, Summary};
pub use text::{TextRow, TextSummary, summarize_text};
