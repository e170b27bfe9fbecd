//! What the runner asks of a model and what it gets back.

use vbench_core::{Hypothesis, Utterance};

/// A recogniser. Calls may come from several threads at once; the answer must depend on the request alone.
pub trait Model: Send + Sync {
    /// What is known of the model, for the run record.
    fn facts(&self) -> ModelFacts;

    /// Transcribes one clip.
    ///
    /// # Errors
    ///
    /// [`ModelError`] makes the cell a failed one with that reason; the run goes on.
    fn transcribe(&self, request: &Request<'_>) -> Result<Response, ModelError>;

    /// Transcribes several clips in one call, in their order. Without an implementation of its own: one after the other.
    ///
    /// # Errors
    ///
    /// Each clip's own.
    fn transcribe_batch(&self, requests: &[Request<'_>]) -> Vec<Result<Response, ModelError>> {
        requests.iter().map(|request| self.transcribe(request)).collect()
    }

    /// Whether [`Model::transcribe_batch`] is more than a loop.
    fn has_batching(&self) -> bool {
        false
    }
}

/// One clip to transcribe.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Cell key; the random draws of a sampling model are keyed by it.
    pub cell: &'a str,
    /// The utterance. Its text is for the `fake` adapter only; a real model must not look at it.
    pub utterance: &'a Utterance,
    /// Condition name.
    pub condition: &'a str,
    /// Mono samples at 16 kHz, full scale is 1.
    pub samples: &'a [f32],
    /// Seed of the run.
    pub seed: u64,
}

/// What a model said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Response {
    /// The transcript.
    pub hypothesis: Hypothesis,
    /// Which clock tells how long the call took.
    pub clock: ResponseClock,
}

/// Which clock tells how long a call took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResponseClock {
    /// The runner's own monotonic clock around the call.
    #[default]
    Real,
    /// A simulated clock: the call took exactly this many nanoseconds.
    Simulated(u64),
    /// The transcript was made elsewhere: its time is unknown and no timing is stored.
    Untimed,
}

/// Why a model gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ModelError(pub String);

/// Facts about a model for the run record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelFacts {
    /// Adapter kind: `fake`, `hypotheses`, `whisper`.
    pub kind: String,
    /// SHA-256 of the weights or of the hypotheses file; absent for models without either.
    pub weights_sha256: Option<String>,
    /// Everything else worth recording: (name, value).
    pub facts: Vec<(String, String)>,
}
