//! The seam to models: the [`Model`] trait and the adapters that need no weights.
//!
//! ```text
//! model.rs        Model, Request, Response, ModelError
//! streaming.rs    StreamingModel, ModelStream, StreamOutput: models that answer while they listen
//! spec.rs         `fake:…`, `fake-pipeline:…`, `hypotheses:…`, `whisper:…` -> ModelSpec
//! fake.rs         echo, drop every nth word, fixed delay on a simulated clock, fail on demand
//! cheat.rs        models built to cheat a benchmark, which audits must catch
//! pipeline.rs     speech to speech in five stages with scripted delays and, on demand, faults
//! hypotheses.rs   transcripts made elsewhere, from a JSONL file
//! ```
//!
//! Out of scope: audio files, scoring, running. Models with weights implement [`Model`] in their own crates.

pub mod cheat;
pub mod fake;
pub mod hypotheses;
pub mod model;
pub mod pipeline;
pub mod spec;
pub mod streaming;

pub use cheat::{Cheat, CheatModel};
pub use fake::FakeModel;
pub use hypotheses::HypothesesModel;
pub use model::{Model, ModelError, ModelFacts, Request, Response, ResponseClock};
pub use pipeline::{FakePipeline, Misbehaviour, PipelineOptions};
pub use spec::{FakeOptions, ModelSpec, SpecError, WhisperOptions};
pub use streaming::{
    Claim, ModelStream, StreamClock, StreamEvent, StreamOutput, StreamingModel, Turn, Wake, WholeClips,
};
