//! Cells in, committed rows out: scheduling, audio preparation, ordered commit, cancellation.
//!
//! ```text
//! engine.rs    worker threads -> reorder buffer -> the run folder, in plan order whatever the number of jobs
//! cache.rs     degraded audio kept between runs
//! corpus.rs    a corpus as a whole: its spectrum, its recordings as babble
//! hashes.rs    SHA-256 of files, each computed once
//! preprocess.rs  what a suite declares for every recording: rate, trimming, level
//! prepare.rs   utterance + condition -> the samples that the model hears, with the receipt
//! ```
//!
//! Data flow: workers take cells from one counter, prepare the audio, call the model and send the outcome to the
//! committing thread, which holds results back until their turn. Taken cells are always a prefix of the plan, so an
//! interrupted run has committed a prefix as well and a resumed one continues exactly there.
//!
//! Pitfalls: a panic in a decoder or model is caught per cell and becomes a failed row; a failure to record stops the
//! run, because a result that is not stored did not happen.
//!
//! Out of scope: choosing cells, scoring, drawing progress.

pub mod cache;
mod corpus;
pub mod engine;
mod hashes;
pub mod prepare;
mod preprocess;

pub use cache::AudioCache;
pub use engine::{EngineOptions, Plan, RunEnd, RunEvent, run_cells};
pub use hashes::{FileHashes, require_file};
pub use prepare::{AudioPreparer, Heard, Prepare, Prepared};
