//! What a degradation did to one clip.

/// The proof of what the model heard.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Receipt {
    /// SHA-256 of the decoded input, little-endian f32 mono samples at 16 kHz, before any preprocessing.
    pub input_sha256: String,
    /// The condition's recipe, [`crate::Condition::recipe`].
    pub recipe: String,
    /// Seed of every draw; absent for clean audio, which draws nothing.
    pub seed: Option<u64>,
    /// What else draws are keyed by: `corpus/id`; empty for clean audio.
    pub utterance: String,
    /// SHA-256 of the samples handed to the model, little-endian f32.
    pub output_sha256: String,
    /// Number of samples handed to the model, at 16 kHz.
    pub samples: u64,
    /// Active speech level of what the condition was applied to, dB relative to full scale (ITU-T P.56); absent for silence.
    pub active_level_dbfs: Option<f64>,
    /// One entry per step, in order: the suite's preprocessing (`preprocess: …`) before the steps of the condition.
    pub steps: Vec<StepReceipt>,
    /// Signal metrics of the output against the input, where the suite asks for them, e.g. `("stoi", 0.93)`. One that is
    /// not defined for this pair is absent.
    pub signal: Vec<(String, f64)>,
}

/// What one step did.
#[derive(Debug, Clone, PartialEq)]
pub struct StepReceipt {
    /// The step's recipe, [`crate::Degradation::recipe`], or that of a step of preprocessing.
    pub recipe: String,
    /// Achieved values with their units in the name, in a fixed order, e.g. `("achieved_snr_db", 5.0)`,
    /// `("delay_removed_samples", 1105.0)`, `("gain_db", 0.0)`, `("t30_s", 0.41)`.
    pub achieved: Vec<(String, f64)>,
    /// Facts that are not numbers, e.g. `("encoder", "LAME 3.100")`.
    pub facts: Vec<(String, String)>,
}

impl Receipt {
    /// The achieved SNR in dB of the first noise step.
    #[must_use]
    pub fn achieved_snr_db(&self) -> Option<f64> {
        self.steps
            .iter()
            .flat_map(|step| &step.achieved)
            .find(|(name, _)| name == "achieved_snr_db")
            .map(|(_, value)| *value)
    }
}
