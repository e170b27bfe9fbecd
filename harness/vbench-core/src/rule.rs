//! Gate rules: a typed limit on a metric of a stratum, with unit and direction.

use std::fmt;

/// What a gate can hold to a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GateMetric {
    /// Word error rate, a fraction; smaller is better.
    Wer,
    /// Word error rate with every output that comes after the suite's latency budget counted as empty; smaller is
    /// better.
    WerLateEmpty,
    /// Character error rate, a fraction; smaller is better.
    Cer,
    /// Share of utterances with a word error; smaller is better.
    Ser,
    /// Achieved signal-to-noise ratio in dB, mean; larger is better.
    Snr,
    /// Real-time factor, processing time / audio duration; smaller is better.
    Rtf,
    /// Share of planned cells with a hypothesis; larger is better.
    Coverage,
}

/// The unit that a metric's limits are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateUnit {
    /// Budgets in `%`, changes in `points` (percentage points, absolute).
    Percent,
    /// A plain number.
    Factor,
    /// `dB`.
    Decibel,
}

impl GateMetric {
    /// All metrics.
    pub const ALL: [Self; 7] =
        [Self::Wer, Self::WerLateEmpty, Self::Cer, Self::Ser, Self::Snr, Self::Rtf, Self::Coverage];

    /// The name used in rules.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Wer => "wer",
            Self::WerLateEmpty => "wer_late_empty",
            Self::Cer => "cer",
            Self::Ser => "ser",
            Self::Snr => "snr",
            Self::Rtf => "rtf",
            Self::Coverage => "coverage",
        }
    }

    /// The inverse of [`GateMetric::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.name() == name)
    }

    /// Whether more of it is better.
    #[must_use]
    pub fn larger_is_better(self) -> bool {
        matches!(self, Self::Snr | Self::Coverage)
    }

    /// The unit of its limits.
    #[must_use]
    pub fn unit(self) -> GateUnit {
        match self {
            Self::Wer | Self::WerLateEmpty | Self::Cer | Self::Ser | Self::Coverage => GateUnit::Percent,
            Self::Snr => GateUnit::Decibel,
            Self::Rtf => GateUnit::Factor,
        }
    }
}

/// What is held to: values in the metric's own unit (fractions for rates, dB, factors).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// The value itself: at most this, or at least this where larger is better.
    Budget(f64),
    /// The change against the baseline: worse by at most this; 0 or more.
    Change(f64),
}

/// Which cells a rule looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RuleStratum {
    /// All of them.
    All,
    /// Those with this value of a property.
    One {
        /// Property, e.g. `condition`, `accent`.
        by: String,
        /// Its value, as shown in tables.
        value: String,
    },
    /// Every value of a property, each a rule of its own (`condition=*`).
    Each {
        /// Property.
        by: String,
    },
}

impl RuleStratum {
    /// Parses `all`, `property=value` or `property=*`.
    ///
    /// # Errors
    /// Any other form, with what is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None if text == "all" => Ok(Self::All),
            Some((by, "*")) if !by.is_empty() => Ok(Self::Each { by: by.into() }),
            Some((by, value)) if !by.is_empty() && !value.is_empty() => {
                Ok(Self::One { by: by.into(), value: value.into() })
            }
            _ => Err(format!("expected `all`, `property=value` or `property=*`, found `{text}`")),
        }
    }
}

impl fmt::Display for RuleStratum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::One { by, value } => write!(f, "{by}={value}"),
            Self::Each { by } => write!(f, "{by}=*"),
        }
    }
}

/// One typed limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// What is limited.
    pub metric: GateMetric,
    /// Where.
    pub stratum: RuleStratum,
    /// To what.
    pub limit: Limit,
    /// Judged only when run and baseline come from the same class of machine.
    pub same_machine: bool,
}

/// Keys that a limit can stand under.
pub const LIMIT_KEYS: [&str; 4] = ["max", "min", "max_increase", "max_decrease"];

impl Rule {
    /// The key that holds the limit: `max` and `max_increase`, or `min` and `max_decrease` where larger is better.
    #[must_use]
    pub fn limit_key(metric: GateMetric, change: bool) -> &'static str {
        match (metric.larger_is_better(), change) {
            (false, false) => "max",
            (true, false) => "min",
            (false, true) => "max_increase",
            (true, true) => "max_decrease",
        }
    }

    /// Parses the text of a limit: `8 %`, `0.5 points`, `0.3`, `15 dB`.
    ///
    /// # Errors
    /// A key that goes against the metric's direction, a number without its unit or with another one, a value outside
    /// the metric's range.
    pub fn parse_limit(metric: GateMetric, key: &str, text: &str) -> Result<Limit, String> {
        let change = key.starts_with("max_");
        let right = Self::limit_key(metric, change);
        let name = metric.name();
        if key != right {
            let way = if metric.larger_is_better() { "larger" } else { "smaller" };
            return Err(format!("{way} is better for {name}: write `{right}` instead of `{key}`"));
        }
        if metric == GateMetric::Coverage && change {
            return Err("coverage has no change against a baseline: write `min`".into());
        }
        let (unit, example) = match (metric.unit(), change) {
            (GateUnit::Percent, false) => ("%", "8 %"),
            (GateUnit::Percent, true) => ("points", "0.5 points"),
            (GateUnit::Decibel, _) => ("dB", "15 dB"),
            (GateUnit::Factor, _) => ("", "0.3"),
        };
        let number = text.trim().strip_suffix(unit).map(str::trim_end);
        let value = number.and_then(|n| n.parse::<f64>().ok()).filter(|v| v.is_finite());
        let Some(value) = value else {
            return Err(format!("expected a number with its unit such as `{example}`, found `{text}`"));
        };
        let percent = metric.unit() == GateUnit::Percent;
        if value < 0.0 && (change || metric != GateMetric::Snr) {
            return Err(format!("a limit below 0 can never be met or means the other direction, found `{text}`"));
        }
        if metric == GateMetric::Coverage && value > 100.0 {
            return Err(format!("coverage is at most 100 %, found `{text}`"));
        }
        let value = if percent { value / 100.0 } else { value };
        Ok(if change { Limit::Change(value) } else { Limit::Budget(value) })
    }

    /// The limit as text, the inverse of [`Rule::parse_limit`]: key and value.
    #[must_use]
    pub fn limit_text(&self) -> (&'static str, String) {
        let (value, change) = match self.limit {
            Limit::Budget(value) => (value, false),
            Limit::Change(value) => (value, true),
        };
        let text = match (self.metric.unit(), change) {
            (GateUnit::Percent, false) => format!("{} %", shortest(value * 100.0)),
            (GateUnit::Percent, true) => format!("{} points", shortest(value * 100.0)),
            (GateUnit::Decibel, _) => format!("{value} dB"),
            (GateUnit::Factor, _) => format!("{value}"),
        };
        (Self::limit_key(self.metric, change), text)
    }

    /// Whether a baseline is needed to judge it.
    #[must_use]
    pub fn needs_baseline(&self) -> bool {
        matches!(self.limit, Limit::Change(_)) || self.same_machine
    }
}

impl fmt::Display for Rule {
    /// `wer max_increase 0.5 points, all`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, text) = self.limit_text();
        write!(f, "{} {key} {text}, {}", self.metric.name(), self.stratum)?;
        if self.same_machine { f.write_str(", same machine") } else { Ok(()) }
    }
}

/// Percent without the dust of multiplying by 100.
fn shortest(percent: f64) -> f64 {
    (percent * 1e9).round() / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_carry_their_unit_and_come_back_as_written() {
        for (metric, key, text, expected) in [
            (GateMetric::Wer, "max", "8 %", Limit::Budget(0.08)),
            (GateMetric::Wer, "max_increase", "0.5 points", Limit::Change(0.005)),
            (GateMetric::WerLateEmpty, "max", "12.5 %", Limit::Budget(0.125)),
            (GateMetric::Cer, "max_increase", "0.3 points", Limit::Change(0.003)),
            (GateMetric::Rtf, "max", "0.3", Limit::Budget(0.3)),
            (GateMetric::Rtf, "max_increase", "0.05", Limit::Change(0.05)),
            (GateMetric::Snr, "min", "-5 dB", Limit::Budget(-5.0)),
            (GateMetric::Snr, "max_decrease", "0.5 dB", Limit::Change(0.5)),
            (GateMetric::Coverage, "min", "100 %", Limit::Budget(1.0)),
        ] {
            let limit = Rule::parse_limit(metric, key, text).unwrap_or_else(|e| panic!("{key} {text}: {e}"));
            let (Limit::Budget(got) | Limit::Change(got), Limit::Budget(want) | Limit::Change(want)) =
                (limit, expected);
            assert!((got - want).abs() < 1e-15 && matches!(limit, Limit::Change(_)) == key.contains('_'), "{text}");
            let rule = Rule { metric, stratum: RuleStratum::All, limit, same_machine: false };
            assert_eq!(rule.limit_text(), (key, text.to_owned()));
        }
    }

    #[test]
    fn a_limit_without_unit_or_against_the_direction_is_refused() {
        for (metric, key, text, needle) in [
            (GateMetric::Wer, "max", "0.08", "`8 %`"),
            (GateMetric::Wer, "max", "8 points", "`8 %`"),
            (GateMetric::Wer, "max_increase", "0.5 %", "`0.5 points`"),
            (GateMetric::Wer, "max_increase", "-1 points", "below 0"),
            (GateMetric::Wer, "min", "8 %", "smaller is better for wer: write `max`"),
            (GateMetric::Coverage, "max", "90 %", "larger is better for coverage: write `min`"),
            (GateMetric::Coverage, "min", "101 %", "at most 100 %"),
            (GateMetric::Coverage, "max_decrease", "1 points", "no change"),
            (GateMetric::Snr, "min", "15", "`15 dB`"),
            (GateMetric::Rtf, "max", "NaN", "`0.3`"),
            (GateMetric::Rtf, "max", "inf", "`0.3`"),
            (GateMetric::Rtf, "max", "", "`0.3`"),
        ] {
            let error = Rule::parse_limit(metric, key, text).expect_err(text);
            assert!(error.contains(needle), "{key} {text}: {error}");
        }
    }

    #[test]
    fn strata_parse_or_say_what_is_expected() {
        assert_eq!(RuleStratum::parse("all"), Ok(RuleStratum::All));
        assert_eq!(RuleStratum::parse("condition=*"), Ok(RuleStratum::Each { by: "condition".into() }));
        assert_eq!(RuleStratum::parse("snr=5 dB").map(|s| s.to_string()).as_deref(), Ok("snr=5 dB"));
        for bad in ["", "clean", "=x", "condition=", "=*"] {
            assert!(RuleStratum::parse(bad).is_err_and(|e| e.contains("property=value")), "{bad}");
        }
    }
}
