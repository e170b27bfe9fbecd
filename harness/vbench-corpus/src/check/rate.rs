//! Characters per second against the corpus' own distribution: texts and recordings that do not fit each other.

use std::collections::BTreeMap;

use super::audio::Heard;
use super::code::Code;
use super::{Found, Item};

/// Fewer utterances of a language than this have no distribution to speak of.
pub const MIN_UTTERANCES: usize = 30;
/// The robust deviation is at least this, as a logarithm: rates within 10 % are alike.
const MIN_DEVIATION: f64 = 0.1;

/// How fast a language is spoken in a corpus: median and robust standard deviation of the logarithm of characters (letters
/// and digits) per second, the deviation being 1.4826 times the median absolute deviation and at least 0.1.
#[derive(Debug, Clone, PartialEq)]
pub struct RateModel {
    /// BCP 47 tag; empty where the corpus names none.
    pub language: String,
    /// Utterances with text and duration.
    pub utterances: usize,
    /// Median, characters per second.
    pub median: f64,
    /// Robust standard deviation of the logarithm.
    pub deviation: f64,
}

impl RateModel {
    fn of(language: &str, rates: &[f64]) -> Self {
        let logs: Vec<f64> = rates.iter().map(|r| libm::log(*r)).collect();
        let middle = median(&logs);
        let away: Vec<f64> = logs.iter().map(|l| (l - middle).abs()).collect();
        let deviation = (1.4826 * median(&away)).max(MIN_DEVIATION);
        Self { language: language.to_owned(), utterances: rates.len(), median: libm::exp(middle), deviation }
    }

    /// Robust standard deviations from the median; positive is faster.
    #[must_use]
    pub fn deviations(&self, rate: f64) -> f64 {
        libm::log(rate / self.median) / self.deviation
    }

    /// The slowest and fastest rate within so many deviations.
    #[must_use]
    pub fn band(&self, deviations: f64) -> (f64, f64) {
        let factor = libm::exp(deviations * self.deviation);
        (self.median / factor, self.median * factor)
    }
}

/// Middle value, or the mean of the two.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[half],
        _ => 0.5 * (sorted[half - 1] + sorted[half]),
    }
}

/// Letters and digits of a text.
pub(crate) fn characters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

pub(super) fn check(items: &[Item<'_>], heard: Option<&[Heard]>, found: &mut Found<'_>) -> Vec<RateModel> {
    let mut by_language: BTreeMap<&str, Vec<(usize, f64)>> = BTreeMap::new();
    for (i, item) in items.iter().enumerate() {
        let u = item.utterance;
        let stated = u.duration_s.filter(|d| d.is_finite());
        let Some(seconds) = stated.or_else(|| heard?[i].sound().map(|s| s.seconds)) else { continue };
        let count = characters(&u.text);
        if count > 0 && seconds > 0.0 {
            by_language.entry(u.language.as_deref().unwrap_or("")).or_default().push((i, count as f64 / seconds));
        }
    }
    let mut models = Vec::new();
    let mut judged = 0;
    for (language, rates) in by_language {
        if rates.len() < MIN_UTTERANCES {
            continue;
        }
        judged += rates.len();
        let model = RateModel::of(language, &rates.iter().map(|r| r.1).collect::<Vec<_>>());
        let limit = found.limits.max_rate_deviations;
        for (i, rate) in rates {
            let away = model.deviations(rate);
            if away.abs() > limit {
                let code = if away > 0.0 { Code::RateFast } else { Code::RateSlow };
                let (slow, fast) = model.band(limit);
                let detail = format!("{rate:.1} characters/s, the corpus has {slow:.1} to {fast:.1}");
                found.hit(code, i, away.abs(), detail);
            }
        }
        models.push(model);
    }
    if judged < items.len() {
        found.not_checked.push(format!(
            "speaking rate of {} utterances: no text, no duration, or fewer than {MIN_UTTERANCES} of their language",
            items.len() - judged
        ));
    }
    models
}
