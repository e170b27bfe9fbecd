//! What is issued when, and when it is enough.

use crate::error::LoadError;
use crate::port::Ns;

/// Single-stream, server and offline as in MLPerf inference, several loops at once, and speech fed as it is spoken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scenario {
    /// One request at a time, the next when the last is answered (closed loop).
    SingleStream,
    /// So many such loops at once; MLPerf's scenario of this name sends one query of several samples instead.
    MultiStream {
        /// Loops.
        streams: usize,
    },
    /// Poisson arrivals, whatever the answers do (open loop).
    Server {
        /// Mean arrivals a second.
        rate_hz: f64,
    },
    /// Everything at once.
    Offline,
    /// Clips fed in real time, chunk by chunk: chunk `k` is due when its last sample has been spoken.
    Paced {
        /// Length of a chunk.
        chunk: Ns,
        /// Talkers at once; each begins its next clip when the last is answered.
        streams: usize,
    },
}

impl Scenario {
    /// Largest rate of arrivals, requests/s.
    pub const MOST_RATE_HZ: f64 = 1e6;

    /// The name on the command line and in reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::SingleStream => "single-stream",
            Self::MultiStream { .. } => "multi-stream",
            Self::Server { .. } => "server",
            Self::Offline => "offline",
            Self::Paced { .. } => "paced",
        }
    }

    /// Whether requests wait for answers: then a stall delays requests that are never counted, and the numbers are service
    /// times, to be called so.
    #[must_use]
    pub fn is_closed_loop(&self) -> bool {
        matches!(self, Self::SingleStream | Self::MultiStream { .. })
    }
}

/// A scenario with its limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// What is issued when.
    pub scenario: Scenario,
    /// Requests are issued for at least this long …
    pub min_duration: Ns,
    /// … and at least this many are: both.
    pub min_count: usize,
    /// Never more than this many.
    pub max_count: usize,
    /// Longer than this after it was due (or after the end of speech) no answer is awaited.
    pub timeout: Ns,
    /// Of arrivals and of the order of clips.
    pub seed: u64,
    /// The user speaks again this long after the reply's first audible sample.
    pub barge_in: Option<Ns>,
}

impl Plan {
    /// Checks the plan against the lengths of the clips.
    ///
    /// # Errors
    /// [`LoadError::OutOfRange`], [`LoadError::NoSamples`], [`LoadError::ChunkTooLong`].
    pub fn check(&self, audio: &[Ns]) -> Result<(), LoadError> {
        let range = |name, value: f64, range, good: bool| {
            if good { Ok(()) } else { Err(LoadError::OutOfRange { name, value, range }) }
        };
        let shortest = audio.iter().min().copied().ok_or(LoadError::NoSamples)?;
        range("the least number of requests", self.min_count as f64, "1 or more", self.min_count > 0)?;
        let (max, min) = (self.max_count, self.min_count);
        range("the greatest number of requests", max as f64, "at least the least number", max >= min)?;
        range("the time limit of a request, s", self.timeout as f64 * 1e-9, "above 0", self.timeout > 0)?;
        match self.scenario {
            Scenario::SingleStream | Scenario::Offline => Ok(()),
            Scenario::MultiStream { streams } => streams_in_range(streams),
            Scenario::Server { rate_hz } => range(
                "the rate, requests/s",
                rate_hz,
                "above 0, at most 1,000,000",
                rate_hz > 0.0 && rate_hz <= Scenario::MOST_RATE_HZ,
            ),
            Scenario::Paced { chunk, streams } => {
                streams_in_range(streams)?;
                let chunk_ms = chunk as f64 * 1e-6;
                range("the length of a chunk, ms", chunk_ms, "1 to 60,000", (1.0..=60_000.0).contains(&chunk_ms))?;
                if chunk > shortest {
                    return Err(LoadError::ChunkTooLong { chunk_ms, audio_ms: shortest as f64 * 1e-6 });
                }
                Ok(())
            }
        }
    }
}

fn streams_in_range(streams: usize) -> Result<(), LoadError> {
    let range = "1 to 100,000";
    if (1..=100_000).contains(&streams) {
        return Ok(());
    }
    Err(LoadError::OutOfRange { name: "the number of streams", value: streams as f64, range })
}
