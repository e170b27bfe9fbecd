//! What cannot be measured, and why.

/// A plan that no bench can follow.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LoadError {
    /// A number outside its range.
    #[error("{name} is {value}: expected {range}")]
    OutOfRange {
        /// What it is, with its unit.
        name: &'static str,
        /// As given.
        value: f64,
        /// What is allowed.
        range: &'static str,
    },
    /// There is nothing to send.
    #[error("no samples: a bench needs at least one clip")]
    NoSamples,
    /// A chunk would not fit into any clip.
    #[error("chunks of {chunk_ms} ms are longer than the shortest clip ({audio_ms} ms): choose shorter chunks")]
    ChunkTooLong {
        /// As given.
        chunk_ms: f64,
        /// Of the shortest clip.
        audio_ms: f64,
    },
    /// A percentile that the number of samples cannot support.
    #[error("p{percentile} needs at least {needed} requests for its interval, there are {found}: run longer")]
    TooFew {
        /// 99 for p99.
        percentile: f64,
        /// Requests that an interval needs.
        needed: usize,
        /// Requests that there are.
        found: usize,
    },
}
