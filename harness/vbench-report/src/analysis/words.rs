//! What an analysis finds, in sentences, and its numbers in words.

use vbench_compare::analysis::{
    Analysis, ErrorShares, ModelErrors, ModelTimes, NormalizerBand, Percentile, PhonemeTable, Rate, StageMean,
    TradeOff, Waterfall, WorstTenth,
};
use vbench_core::Estimate;
use vbench_stats::QuantileInterval;
use vbench_stats::quantile::{LowerEnd, UpperEnd};

use crate::format::{self, ABSENT, visible};

/// So many speakers, bins or stages are told one by one.
const TOLD: usize = 20;
/// Confusions told in a sentence.
const SAID: usize = 5;

/// The unit of time of a figure's axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TimeScale {
    unit: &'static str,
    per_second: f64,
}

impl TimeScale {
    /// For an axis up to so many seconds.
    pub(crate) fn covering(seconds: f64) -> Self {
        let (unit, per_second) = match seconds {
            s if s < 1e-3 => ("µs", 1e6),
            s if s < 2.0 => ("ms", 1e3),
            _ => ("s", 1.0),
        };
        Self { unit, per_second }
    }

    /// For the times of all models; nothing where none was timed.
    pub(crate) fn of(analysis: &Analysis) -> Option<Self> {
        let end = |t: &ModelTimes| t.histogram.bin_s * t.histogram.counts.len() as f64;
        analysis.times.iter().map(end).reduce(f64::max).map(Self::covering)
    }

    pub(crate) fn unit(self) -> &'static str {
        self.unit
    }

    pub(crate) fn of_s(self, seconds: f64) -> f64 {
        seconds * self.per_second
    }
}

/// A time with three digits that count: `87.3 µs`, `227 ms`, `1.24 s`.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return ABSENT.to_owned();
    }
    if seconds == 0.0 {
        return "0 s".to_owned();
    }
    let (unit, scaled) = match seconds.abs() {
        s if s < 0.999_5e-3 => ("µs", seconds * 1e6),
        s if s < 0.999_5 => ("ms", seconds * 1e3),
        _ => ("s", seconds),
    };
    let decimals = match scaled.abs() {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    format!("{scaled:.decimals$} {unit}")
}

/// `99` for 0.99.
pub(crate) fn percent_of(q: f64) -> String {
    let text = format!("{:.1}", q * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Both ends of an order-statistic interval, where the samples give one.
pub(crate) fn ends(q: &QuantileInterval) -> (Option<f64>, Option<f64>) {
    let lo = match q.lo {
        LowerEnd::Value(v) => Some(v),
        LowerEnd::AtMostMinimum(_) => None,
    };
    let hi = match q.hi {
        UpperEnd::Value(v) => Some(v),
        UpperEnd::AtLeastMaximum(_) => None,
    };
    (lo, hi)
}

/// `[221 ms, 235 ms]`, or why there is no interval.
pub(crate) fn interval_or_reason(p: &Percentile) -> Result<String, String> {
    match ends(&p.time_s) {
        (Some(lo), Some(hi)) => Ok(format!("[{}, {}]", duration(lo), duration(hi))),
        _ => Err(format!(
            "no interval: {} cells are needed for one, {} were timed",
            format::count(p.needed as u64),
            format::count(p.time_s.n as u64)
        )),
    }
}

/// `227 ms [221 ms, 235 ms]`.
pub(crate) fn percentile(p: &Percentile) -> String {
    let value = duration(p.time_s.value);
    match interval_or_reason(p) {
        Ok(interval) => format!("{value} {interval}"),
        Err(_) => format!("{value} (fewer than {} timed)", format::count(p.needed as u64)),
    }
}

/// `words` or `characters`.
pub(crate) fn tokens(rate: Rate) -> &'static str {
    match rate {
        Rate::Words => "words",
        Rate::Characters => "characters",
    }
}

fn percent(v: f64) -> String {
    format!("{} %", format::RATE.number(v))
}

fn whole_percent(v: f64) -> String {
    format!("{} %", format::RATE.with_decimals(0).number(v))
}

fn named(model: &str, several: bool) -> String {
    if several { format!("{}: ", visible(model)) } else { String::new() }
}

/// The first sentence with a capital.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Which kind of error leads, and where that changes.
pub(crate) fn mix_finding(analysis: &Analysis) -> String {
    let several = analysis.errors.len() > 1;
    let of_model = |m: &ModelErrors| {
        let name = named(&m.model, several);
        match m.mix.first().and_then(|all| all.shares) {
            None => format!("{name}nothing was said in the references."),
            Some(s) if s.total() == 0.0 => sentence(&format!("{name}no error.")),
            Some(s) => {
                let (kind, share) = leading(&s);
                sentence(&format!("{name}{} of the errors are {kind}.", whole_percent(share / s.total())))
            }
        }
    };
    analysis.errors.iter().take(3).map(of_model).collect::<Vec<_>>().join(" ")
}

fn leading(s: &ErrorShares) -> (&'static str, f64) {
    let kinds = [("substitutions", s.sub), ("deletions", s.del), ("insertions", s.ins)];
    kinds.into_iter().fold(("substitutions", f64::NEG_INFINITY), |best, k| if k.1 > best.1 { k } else { best })
}

/// `7.12 to 35.20`, or why not.
pub(crate) fn range(band: &NormalizerBand) -> String {
    match band.range {
        Some((lo, hi)) => format!("{} to {}", format::RATE.number(lo), format::RATE.number(hi)),
        None => "no reference words".to_owned(),
    }
}

/// How much of the number is the normaliser.
pub(crate) fn band_finding(analysis: &Analysis) -> String {
    let several = analysis.errors.len() > 1;
    let of_model = |m: &ModelErrors| {
        let band = m.bands.first()?;
        let (lo, hi) = band.range?;
        let used = band.rows.iter().find(|r| r.used)?;
        let metric = analysis.rate.metric().to_uppercase();
        Some(sentence(&format!(
            "{}the same transcripts have a {metric} of {} to {}, by how texts are normalised; this report uses {} ({}).",
            named(&m.model, several),
            percent(lo),
            percent(hi),
            visible(&used.normalizer),
            percent(used.rate.value),
        )))
    };
    analysis.errors.iter().take(3).filter_map(of_model).collect::<Vec<_>>().join(" ")
}

/// How unequal speakers are.
pub(crate) fn speaker_finding(m: &ModelErrors) -> String {
    let s = &m.speakers;
    let (Some(worst), Some(best)) = (s.rows.first(), s.rows.last()) else {
        return "No utterance names its speaker.".to_owned();
    };
    if s.rows.len() == 1 {
        return format!("One speaker, {}: {}.", visible(&worst.speaker), percent(worst.rate.value));
    }
    let spread = format!(
        "From {} ({}) to {} ({}).",
        percent(best.rate.value),
        visible(&best.speaker),
        percent(worst.rate.value),
        visible(&worst.speaker)
    );
    match &s.worst {
        Ok(tenth) => format!("{spread} {}", sentence(&worst_tenth(tenth))),
        Err(reason) => format!("{spread} No worst tenth: {reason}."),
    }
}

/// The worst tenth in one sentence.
pub(crate) fn worst_tenth(t: &WorstTenth) -> String {
    let who = if t.speakers == 1 {
        "the worst speaker has".to_owned()
    } else {
        format!("the worst {} speakers together have", t.speakers)
    };
    format!("{who} {}, the others {}.", in_words(&t.rate), percent(t.others.value))
}

pub(crate) fn worst_tenth_short(t: &WorstTenth) -> String {
    format!("worst tenth: {}", in_words(&t.rate))
}

/// `7.90 % [5.12, 11.20]`.
pub(crate) fn in_words(estimate: &Estimate) -> String {
    match format::usable_interval(estimate) {
        Ok(i) => format!("{} {}", percent(estimate.value), format::RATE.interval(i.lo, i.hi)),
        Err(_) if estimate.value.is_finite() => format!("{} (no interval)", percent(estimate.value)),
        Err(_) => ABSENT.to_owned(),
    }
}

/// ` Whisker: 95 % interval, resampling unit utterance.`, or nothing.
pub(crate) fn levels(estimates: &mut dyn Iterator<Item = &Estimate>) -> String {
    let (mut levels, mut units, mut missing) = (Vec::new(), Vec::new(), false);
    for estimate in estimates {
        match format::usable_interval(estimate) {
            Ok(i) => {
                crate::strata::push_new(&mut levels, format::level(i.level));
                crate::strata::push_new(&mut units, i.unit.to_string());
            }
            Err(_) => missing = true,
        }
    }
    let mut text = String::new();
    if !levels.is_empty() {
        text = format!(" Whisker: {} interval, resampling unit {}.", levels.join(" or "), units.join(" or "));
    }
    if missing {
        text.push_str(" Open marker: interval not estimable.");
    }
    text
}

/// Speakers one by one, the worst first.
pub(crate) fn speaker_list(m: &ModelErrors) -> String {
    let rows = &m.speakers.rows;
    let one = |r: &vbench_compare::analysis::SpeakerRow| format!("{}: {}.", visible(&r.speaker), in_words(&r.rate));
    let mut text = rows.iter().take(TOLD).map(one).collect::<Vec<_>>().join(" ");
    if rows.len() > TOLD {
        text.push_str(&format!(" {} more speakers.", rows.len() - TOLD));
    }
    text
}

/// What the phonemes rest on, and what they say.
pub(crate) fn phoneme_finding(t: &PhonemeTable) -> String {
    let n = t.labels.len();
    let best = (0..n)
        .flat_map(|r| (0..n).map(move |h| (r, h)))
        .filter(|(r, h)| r != h)
        .map(|(r, h)| (r, h, t.counts.get(r * (n + 1) + h).copied().unwrap_or(0)))
        .fold(None, |best: Option<(usize, usize, u64)>, x| match best {
            Some(b) if b.2 >= x.2 => Some(b),
            _ if x.2 == 0 => best,
            _ => Some(x),
        });
    let most = best.map_or_else(String::new, |(r, h, count)| {
        let times = if count == 1 { "once".to_owned() } else { format!("{} times", format::count(count)) };
        format!("Most often /{}/ was taken for /{}/, {times}. ", t.labels[r], t.labels[h])
    });
    let rate = t
        .total
        .rate()
        .map_or_else(String::new, |r| format!("phoneme error rate given the words' alignment: {}; ", percent(r)));
    let out =
        if t.left_out > 0 { format!("; {} stretches left out", format::count(t.left_out)) } else { String::new() };
    let others = if t.other_cells > 0 {
        format!("; {} cells in other languages are not in it", format::count(t.other_cells as u64))
    } else {
        String::new()
    };
    let same = match t.same_sound {
        0 => String::new(),
        n => format!(
            "{} of {} wrong stretches sound the same on both sides; ",
            format::count(n),
            format::count(t.stretches)
        ),
    };
    format!("{most}{same}{rate}{}{out}{others}.", visible(&t.basis))
}

fn quantile(t: &ModelTimes, q: f64) -> Option<&Percentile> {
    t.percentiles.iter().find(|p| p.q == q)
}

/// Median and tail of every model.
pub(crate) fn time_finding(analysis: &Analysis) -> String {
    let several = analysis.times.len() > 1;
    let of_model = |t: &ModelTimes| {
        let (half, tail) = (quantile(t, 0.5)?, quantile(t, 0.95)?);
        let name = named(&t.model, several);
        Some(if t.timed == 1 {
            sentence(&format!("{name}one cell was timed: {}.", duration(half.time_s.value)))
        } else {
            sentence(&format!(
                "{name}half of the cells took at most {}, 95 % at most {}.",
                duration(half.time_s.value),
                duration(tail.time_s.value)
            ))
        })
    };
    analysis.times.iter().take(4).filter_map(of_model).collect::<Vec<_>>().join(" ")
}

/// Where most of the utterances are.
pub(crate) fn histogram_finding(t: &ModelTimes) -> String {
    let h = &t.histogram;
    let total: u64 = h.counts.iter().sum::<u64>() + h.beyond;
    let peak = h.counts.iter().enumerate().fold((0, 0), |best, (i, c)| if *c > best.1 { (i, *c) } else { best });
    let beyond = match h.beyond {
        0 => String::new(),
        1 => format!(" One slower one, {}, is beyond the axis.", duration(t.range_s.1)),
        n => format!(" {} slower ones, up to {}, are beyond the axis.", format::count(n), duration(t.range_s.1)),
    };
    format!(
        "{} cells in bins of {}; most, {}, took {} to {}.{beyond}",
        format::count(total),
        duration(h.bin_s).replace(".00", "").replace(".0 ", " "),
        format::count(peak.1),
        duration(h.bin_s * peak.0 as f64),
        duration(h.bin_s * (peak.0 + 1) as f64)
    )
}

/// The bins one by one.
pub(crate) fn histogram_list(t: &ModelTimes) -> String {
    let h = &t.histogram;
    let filled = h.counts.iter().enumerate().filter(|(_, c)| **c > 0);
    let one = |(i, c): (usize, &u64)| format!("up to {}: {}.", duration(h.bin_s * (i + 1) as f64), format::count(*c));
    filled.map(one).collect::<Vec<_>>().join(" ")
}

/// Percentiles of the distribution's lines.
pub(crate) fn distribution_list(models: &[ModelTimes]) -> String {
    let one = |t: &ModelTimes| {
        let values = t.percentiles.iter().map(|p| format!("p{} {}", percent_of(p.q), duration(p.time_s.value)));
        format!("{}: {}.", visible(&t.model), values.collect::<Vec<_>>().join(", "))
    };
    models.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// What the analysis of errors says, a sentence or two each, for texts without figures.
pub(crate) fn causes(analysis: &Analysis) -> Vec<String> {
    let several = analysis.errors.len() > 1;
    let mut all = vec![mix_finding(analysis), band_finding(analysis)];
    for m in analysis.errors.iter().take(3) {
        let name = named(&m.model, several);
        let shown = |kind: &str, pairs: Vec<String>| match pairs.is_empty() {
            true => String::new(),
            false => sentence(&format!("{name}{kind}: {}.", pairs.join(", "))),
        };
        all.push(sentence(&format!("{name}{}", speaker_finding(m))));
        let confused = m.confused.substitutions.iter().take(SAID);
        all.push(shown(
            "most often taken for another",
            confused
                .map(|p| format!("{} for {} ({})", visible(&p.hypothesis), visible(&p.reference), p.count))
                .collect(),
        ));
        for (kind, words) in
            [("most often left out", &m.confused.deletions), ("most often put in", &m.confused.insertions)]
        {
            let words = words.iter().take(SAID).map(|w| format!("{} ({})", visible(&w.word), w.count)).collect();
            all.push(shown(kind, words));
        }
        all.extend(m.phonemes.as_ref().ok().map(|t| sentence(&format!("{name}{}", phoneme_finding(t)))));
    }
    all.retain(|text| !text.is_empty());
    all
}

/// Who is beaten by whom.
pub(crate) fn trade_off_finding(analysis: &Analysis) -> String {
    let all = &analysis.trade_offs;
    match all.len() {
        0 => return "Nothing was timed: no model can be placed between accuracy and time.".to_owned(),
        1 => return "One model was timed: there is none to compare it with.".to_owned(),
        _ => {}
    }
    let beaten = |t: &TradeOff| {
        let by: Vec<String> = t.dominated_by.iter().map(|m| visible(m)).collect();
        format!(
            "{} is dominated: {} {} no less accurate and no slower.",
            visible(&t.model),
            by.join(" and "),
            if by.len() == 1 { "is" } else { "are" }
        )
    };
    let mut sentences: Vec<String> = all.iter().filter(|t| !t.dominated_by.is_empty()).map(beaten).collect();
    if sentences.is_empty() {
        let same =
            all.windows(2).all(|p| p[0].rate.value == p[1].rate.value && p[0].median_s.value == p[1].median_s.value);
        sentences.push(if same {
            "All models are as accurate and as fast as each other.".to_owned()
        } else {
            "No model is dominated: by these point estimates more accuracy goes with more time.".to_owned()
        });
    }
    sentences.push("Intervals are in the figure.".to_owned());
    sentences.join(" ")
}

/// The models one by one.
pub(crate) fn trade_off_list(analysis: &Analysis) -> String {
    let one =
        |t: &TradeOff| format!("{}: {}, median {}.", visible(&t.model), in_words(&t.rate), duration(t.median_s.value));
    analysis.trade_offs.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// `2.61 ms, 1.1 %`.
pub(crate) fn stage(s: &StageMean) -> String {
    let mean = duration(s.mean.value);
    let interval = format::usable_interval(&s.mean)
        .map_or_else(|_| String::new(), |i| format!(" [{}, {}]", duration(i.lo), duration(i.hi)));
    format!("{mean}{interval}, {} %", format::RATE.with_decimals(1).number(s.share))
}

/// Which stage takes most.
pub(crate) fn waterfall_finding(w: &Waterfall) -> String {
    let longest = w.stages.iter().fold(None, |best: Option<&StageMean>, s| match best {
        Some(b) if b.mean.value >= s.mean.value => Some(b),
        _ => Some(s),
    });
    let most = longest.filter(|_| w.total_s > 0.0).map_or_else(String::new, |s| {
        format!("{} of the {} go to {}. ", whole_percent(s.share), duration(w.total_s), visible(&s.name))
    });
    format!("{most}Mean over {} cells; a cell without a stage counts as 0 in it.", format::count(w.cells as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits_that_count() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (62.4e-6, "62.4 µs"),
            (0.999_6e-3, "1.00 ms"),
            (0.002_613, "2.61 ms"),
            (0.0995, "99.5 ms"),
            (0.227_34, "227 ms"),
            (0.999_6, "1.00 s"),
            (1.239, "1.24 s"),
            (12.34, "12.3 s"),
            (3_600.0, "3600 s"),
            (f64::NAN, "n/a"),
        ] {
            assert_eq!(duration(seconds), text);
        }
        assert_eq!(
            (percent_of(0.5).as_str(), percent_of(0.99).as_str(), percent_of(0.999).as_str()),
            ("50", "99", "99.9")
        );
    }
}
