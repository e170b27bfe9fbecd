//! The seam to models: the [`Model`] trait and the adapters that need no weights.
//!
//! ```text
//! model.rs        Model, Request, Response, ModelError
//! spec.rs         `fake:…`, `hypotheses:…`, `whisper:…` -> ModelSpec
//! fake.rs         echo, drop every nth word, fixed delay on a simulated clock, fail on demand
//! hypotheses.rs   transcripts made elsewhere, from a JSONL file
//! ```
//!
//! Out of scope: audio files, scoring, running. Models with weights implement [`Model`] in their own crates.

pub mod fake;
pub mod hypotheses;
pub mod model;
pub mod spec;

pub use fake::FakeModel;
pub use hypotheses::HypothesesModel;
pub use model::{Model, ModelError, ModelFacts, Request, Response, ResponseClock};
pub use spec::{FakeOptions, ModelSpec, SpecError, WhisperOptions};
