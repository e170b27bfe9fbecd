//! What can go wrong when a model is loaded or run.

use std::path::PathBuf;

/// Error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No checkpoint in the folder.
    #[error("{}: no checkpoint here; expected model.safetensors, model.safetensors.index.json or model.bin (CTranslate2){hint}", path.display())]
    NoCheckpoint {
        /// The folder.
        path: PathBuf,
        /// What to do about what was found instead, or empty.
        hint: String,
    },
    /// A file is not what its name says: truncated, inconsistent, or of another kind.
    #[error("{}: {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and what, expected and actual.
        what: String,
    },
    /// A tensor that the model needs is missing.
    #[error("{}: tensor {name} is missing", path.display())]
    MissingTensor {
        /// The folder.
        path: PathBuf,
        /// Its name in Hugging Face style without the leading `model.`.
        name: String,
    },
    /// A tensor has another shape than the rest of the checkpoint implies.
    #[error("{}: tensor {name} has shape {actual:?}, expected {expected:?}", path.display())]
    Shape {
        /// The folder.
        path: PathBuf,
        /// Its name.
        name: String,
        /// Shape implied by the rest.
        expected: Vec<usize>,
        /// Shape found.
        actual: Vec<usize>,
    },
    /// The checkpoint is of a kind that this crate does not run.
    #[error("{}: {what}", path.display())]
    Unsupported {
        /// The folder.
        path: PathBuf,
        /// What is not supported.
        what: String,
    },
    /// The audio cannot be transcribed.
    #[error("audio: {0}")]
    Audio(String),
    /// An option does not fit the model.
    #[error("option {option}: {what}")]
    Option {
        /// Name of the option.
        option: &'static str,
        /// What is wrong.
        what: String,
    },
    /// The model computed something that is not a number: broken weights.
    #[error("window at {seek_s:.2} s: the model computed values that are not finite; its weights are broken")]
    NotFinite {
        /// Start of the window in seconds.
        seek_s: f64,
    },
    /// candle reported an error.
    #[error("candle: {0}")]
    Candle(#[from] candle_core::Error),
}

impl Error {
    pub(crate) fn malformed(path: &std::path::Path, what: impl Into<String>) -> Self {
        Self::Malformed { path: path.to_path_buf(), what: what.into() }
    }

    pub(crate) fn io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, source }
    }
}
