//! A number that knows how sure it is.

use std::fmt;

/// What was resampled to obtain an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResamplingUnit {
    /// All utterances of a speaker together.
    Speaker,
    /// All utterances of a recording session together.
    Session,
    /// Single utterances: the interval is conditional on these speakers.
    Utterance,
}

impl fmt::Display for ResamplingUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Speaker => "speaker",
            Self::Session => "session",
            Self::Utterance => "utterance",
        })
    }
}

/// A value and its interval, or the reason why it has none.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The observed value.
    pub value: f64,
    /// The interval, or why it is not estimable.
    pub interval: Result<Interval, String>,
}

/// A confidence interval with everything needed to recompute it.
#[derive(Debug, Clone, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
    /// Confidence level, e.g. 0.95.
    pub level: f64,
    /// Method name, e.g. `bca`, `t-linearised`, `order-statistic`.
    pub method: String,
    /// What was resampled.
    pub unit: ResamplingUnit,
    /// Number of resampling units.
    pub clusters: usize,
    /// Number of utterances.
    pub n: usize,
    /// Seed of the random draws.
    pub seed: u64,
}

impl Estimate {
    /// A value whose interval cannot be given.
    #[must_use]
    pub fn not_estimable(value: f64, reason: impl Into<String>) -> Self {
        Self { value, interval: Err(reason.into()) }
    }

    /// Both ends of the interval, if there is one.
    #[must_use]
    pub fn ends(&self) -> Option<(f64, f64)> {
        self.interval.as_ref().ok().map(|i| (i.lo, i.hi))
    }
}
