//! Latency budgets: how long a stage of a turn, or the whole of it, may take at a percentile.

/// What a budget holds to a limit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BudgetSubject {
    /// What the user waited: to the first audible sample of a reply with sound, else to the answer.
    EndToEnd,
    /// To the first partial text.
    FirstPartial,
    /// From the end of speech to the text that does not change any more.
    FinalText,
    /// From the user's speaking again to the end of the reply.
    BargeIn,
    /// What a stage of this name added to the wait.
    Stage(String),
}

impl BudgetSubject {
    /// Those that are not stages.
    pub const WHOLE: [Self; 4] = [Self::EndToEnd, Self::FirstPartial, Self::FinalText, Self::BargeIn];

    /// The name in reports; stages by their own.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::EndToEnd => "end to end",
            Self::FirstPartial => "first partial text",
            Self::FinalText => "final text",
            Self::BargeIn => "barge-in stop",
            Self::Stage(name) => name,
        }
    }

    /// The key of a suite's `[budgets]`; stages stand under `stages`.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::EndToEnd => "end_to_end",
            Self::FirstPartial => "first_partial",
            Self::FinalText => "final_text",
            Self::BargeIn => "barge_in",
            Self::Stage(name) => name,
        }
    }
}

/// One limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// What is limited.
    pub subject: BudgetSubject,
    /// To how many milliseconds.
    pub limit_ms: f64,
    /// At which percentile, above 0 and below 100.
    pub percentile: f64,
}

/// The budgets of a suite.
#[derive(Debug, Clone, PartialEq)]
pub struct Budgets {
    /// In the order of the file; none twice.
    pub limits: Vec<Budget>,
    /// Edges of the experience bands in milliseconds, ascending.
    pub bands_ms: Vec<f64>,
}

impl Budgets {
    /// Edges of the bands that are shown where a suite declares none: under 150 ms a reply feels immediate, over 500 ms it does not.
    pub const BANDS_MS: [f64; 3] = [150.0, 300.0, 500.0];
}

impl Default for Budgets {
    fn default() -> Self {
        Self { limits: Vec::new(), bands_ms: Self::BANDS_MS.to_vec() }
    }
}
