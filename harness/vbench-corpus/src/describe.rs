//! What a corpus holds: hours, speakers, words, lengths, levels.

use std::collections::{BTreeMap, HashMap};

use vbench_core::Utterance;

use crate::check::Sound;
use crate::check::{Heard, characters, median};

/// Bars of a histogram.
const BARS: usize = 24;

/// How often values fall into ranges of one width.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// What is counted, e.g. `duration`.
    pub name: &'static str,
    /// Quantity and unit.
    pub axis: &'static str,
    /// Width of a range; the first begins at 0.
    pub width: f64,
    /// Values in each range; the last one holds everything above, too.
    pub counts: Vec<u64>,
    /// Smallest value.
    pub least: f64,
    /// Middle value.
    pub median: f64,
    /// Largest value.
    pub most: f64,
}

impl Histogram {
    /// Of finite values of at least 0; `None` where there are none.
    #[must_use]
    pub fn of(name: &'static str, axis: &'static str, values: &[f64]) -> Option<Self> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite() && *v >= 0.0).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        // A few far-off values must not press all others into one bar.
        let wide = sorted[(sorted.len() - 1) * 99 / 100] * 1.1;
        let width = round_width(wide.max(1e-9) / BARS as f64);
        let bars = ((wide / width).ceil() as usize).clamp(1, 4 * BARS);
        let mut counts = vec![0; bars];
        for value in &sorted {
            counts[((value / width) as usize).min(bars - 1)] += 1;
        }
        Some(Self { name, axis, width, counts, least, median: median(&sorted), most })
    }
}

/// The next of 1, 2, 5 times a power of ten.
fn round_width(least: f64) -> f64 {
    let power = libm::pow(10.0, libm::floor(libm::log10(least)));
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|w| *w >= least * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

/// Utterances and seconds of something.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Utterances.
    pub utterances: usize,
    /// Seconds of those with a known duration.
    pub seconds: f64,
}

/// What a corpus holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Description {
    /// Utterances.
    pub utterances: usize,
    /// Utterances with a known duration.
    pub timed: usize,
    /// Seconds of those.
    pub seconds: f64,
    /// Utterances without text.
    pub without_text: usize,
    /// Words: what stands between spaces, letters and digits in lower case.
    pub words: u64,
    /// Different words.
    pub vocabulary: usize,
    /// Words that stand once.
    pub once: usize,
    /// Most frequent words with their counts.
    pub frequent: Vec<(String, u64)>,
    /// Different letters and other characters, with their counts, the most frequent first.
    pub characters: Vec<(char, u64)>,
    /// Recordings.
    pub recordings: usize,
    /// Speakers, the one with most speech first; utterances without one are not there.
    pub speakers: Vec<Part>,
    /// Sessions.
    pub sessions: usize,
    /// Languages; the empty name is none.
    pub languages: Vec<Part>,
    /// Licences; the empty name is none.
    pub licences: Vec<Part>,
    /// Other tags with at most 20 values.
    pub tags: Vec<(String, Vec<Part>)>,
    /// Distributions: duration, words, characters per second, level, signal-to-noise ratio.
    pub histograms: Vec<Histogram>,
    /// Sample rates of the recordings, Hz, where they were listened to.
    pub rates_hz: BTreeMap<u32, usize>,
}

/// Describes utterances; `heard` is what their recordings sound like, in their order, where they were listened to.
#[must_use]
pub fn describe(utterances: &[&Utterance], heard: Option<&[Heard]>) -> Description {
    let sound = |i: usize| heard.and_then(|h| h.get(i)).and_then(Heard::sound);
    let seconds: Vec<Option<f64>> =
        utterances.iter().enumerate().map(|(i, u)| u.duration_s.or_else(|| sound(i).map(|s| s.seconds))).collect();
    let parts = |of: &dyn Fn(&Utterance) -> Option<String>| {
        let mut parts: BTreeMap<String, Part> = BTreeMap::new();
        for (u, s) in utterances.iter().zip(&seconds) {
            let Some(name) = of(u) else { continue };
            let part = parts.entry(name.clone()).or_insert_with(|| Part { name, ..Part::default() });
            part.utterances += 1;
            part.seconds += s.unwrap_or(0.0);
        }
        let mut parts: Vec<Part> = parts.into_values().collect();
        parts.sort_by(|a, b| {
            b.seconds.total_cmp(&a.seconds).then(b.utterances.cmp(&a.utterances)).then_with(|| a.name.cmp(&b.name))
        });
        parts
    };
    let licence = |u: &Utterance| u.tags.get("licence").or_else(|| u.tags.get("license")).cloned();
    let recordings: std::collections::HashSet<_> = utterances.iter().map(|u| &u.audio).collect();
    let mut description = Description {
        utterances: utterances.len(),
        timed: seconds.iter().flatten().count(),
        // The sum of nothing is minus zero.
        seconds: seconds.iter().flatten().sum::<f64>() + 0.0,
        without_text: utterances.iter().filter(|u| u.text.trim().is_empty()).count(),
        recordings: recordings.len(),
        speakers: parts(&|u| Some(format!("{}{}", within(u), u.speaker.as_deref()?))),
        sessions: parts(&|u| Some(format!("{}{}", within(u), u.session.as_deref()?))).len(),
        languages: parts(&|u| Some(u.language.clone().unwrap_or_default())),
        licences: parts(&|u| Some(licence(u).unwrap_or_default())),
        tags: tags(utterances).into_iter().map(|t| (t.clone(), parts(&|u| u.tags.get(&t).cloned()))).collect(),
        ..Description::default()
    };
    words(utterances, &mut description);
    description.histograms = histograms(utterances, &seconds, &sound);
    for i in 0..utterances.len() {
        if let Some(s) = sound(i) {
            *description.rates_hz.entry(s.rate_hz).or_default() += 1;
        }
    }
    description
}

/// The same label in two corpora is two speakers.
fn within(u: &Utterance) -> String {
    if u.corpus.is_empty() { String::new() } else { format!("{}/", u.corpus) }
}

/// Tags with few values; the licence has its own place.
fn tags(utterances: &[&Utterance]) -> Vec<String> {
    let mut values: BTreeMap<&str, std::collections::BTreeSet<&str>> = BTreeMap::new();
    for u in utterances {
        for (key, value) in &u.tags {
            let known = values.entry(key).or_default();
            if known.len() <= 20 {
                known.insert(value);
            }
        }
    }
    let few = values.into_iter().filter(|(key, v)| v.len() <= 20 && !["licence", "license"].contains(key));
    few.map(|(key, _)| key.to_owned()).collect()
}

fn words(utterances: &[&Utterance], description: &mut Description) {
    let mut counts: HashMap<String, u64> = HashMap::new();
    let (mut ascii, mut others) = ([0u64; 128], HashMap::<char, u64>::new());
    let mut word = String::new();
    for u in utterances {
        for token in u.text.split_whitespace() {
            word.clear();
            for c in token.chars() {
                match u32::from(c) {
                    code @ 0..128 => ascii[code as usize] += 1,
                    _ => *others.entry(c).or_default() += 1,
                }
                if c.is_ascii_alphanumeric() || c == '\'' {
                    word.push(c.to_ascii_lowercase());
                } else if c.is_alphanumeric() {
                    word.extend(c.to_lowercase());
                }
            }
            if !word.is_empty() {
                description.words += 1;
                match counts.get_mut(&word) {
                    Some(n) => *n += 1,
                    None => drop(counts.insert(word.clone(), 1)),
                }
            }
        }
    }
    description.vocabulary = counts.len();
    description.once = counts.values().filter(|n| **n == 1).count();
    let mut frequent: Vec<(String, u64)> = counts.into_iter().collect();
    frequent.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    frequent.truncate(20);
    description.frequent = frequent;
    let ascii = (0u8..).zip(ascii).filter(|(_, n)| *n > 0).map(|(code, n)| (char::from(code), n));
    description.characters = ascii.chain(others).collect();
    description.characters.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
}

fn histograms<'s>(
    utterances: &[&Utterance],
    seconds: &[Option<f64>],
    sound: &dyn Fn(usize) -> Option<&'s Sound>,
) -> Vec<Histogram> {
    let known: Vec<f64> = seconds.iter().flatten().copied().collect();
    let lengths: Vec<f64> = utterances.iter().map(|u| u.text.split_whitespace().count() as f64).collect();
    let rate = |(u, s): (&&Utterance, &Option<f64>)| {
        let (n, s) = (characters(&u.text), (*s)?);
        (n > 0 && s > 0.0).then(|| n as f64 / s)
    };
    let rates: Vec<f64> = utterances.iter().zip(seconds).filter_map(rate).collect();
    let sounds = || (0..utterances.len()).filter_map(sound);
    let below: Vec<f64> = sounds().filter_map(|s| s.level_dbfs).map(|l| (-l).max(0.0)).collect();
    let snr: Vec<f64> = sounds().filter_map(Sound::snr_db).collect();
    [
        Histogram::of("duration", "duration (s)", &known),
        Histogram::of("words", "words of an utterance", &lengths),
        Histogram::of("rate", "letters and digits per second", &rates),
        Histogram::of("level", "active speech level (dB below full scale)", &below),
        Histogram::of("snr", "estimated signal-to-noise ratio (dB)", &snr),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histograms_hold_every_value_in_round_ranges() {
        let values: Vec<f64> = (0..1000).map(|i| f64::from(i) * 0.0137).chain([1e6, f64::NAN, -1.0]).collect();
        let h = Histogram::of("x", "x", &values).expect("values");
        assert_eq!(h.counts.iter().sum::<u64>(), 1001);
        assert_eq!((h.width, h.least, h.most), (1.0, 0.0, 1e6));
        assert!((h.median - 6.85).abs() < 1e-9, "{}", h.median);
        assert!(Histogram::of("x", "x", &[]).is_none());
        assert_eq!(Histogram::of("x", "x", &[0.0]).expect("one").counts.iter().sum::<u64>(), 1);
    }

    #[test]
    fn a_corpus_is_counted() {
        let u = |id: &str, speaker: &str, text: &str, seconds: f64| Utterance {
            id: id.into(),
            speaker: Some(speaker.into()),
            text: text.into(),
            duration_s: Some(seconds),
            audio: id.into(),
            tags: [("accent".to_owned(), "te".to_owned())].into(),
            ..Utterance::default()
        };
        let all = [u("a", "x", "The cat. The dog!", 2.0), u("b", "y", "", 3.0), u("c", "x", "cat", 0.5)];
        let d = describe(&all.iter().collect::<Vec<_>>(), None);
        assert_eq!((d.utterances, d.words, d.vocabulary, d.once, d.without_text), (3, 5, 3, 1, 1));
        assert_eq!(d.frequent[..2], [("cat".to_owned(), 2), ("the".to_owned(), 2)]);
        assert_eq!((d.seconds, d.speakers.len(), d.recordings), (5.5, 2, 3));
        assert_eq!((d.speakers[0].name.as_str(), d.speakers[0].seconds), ("y", 3.0));
        assert_eq!(d.tags, [("accent".to_owned(), vec![Part { name: "te".into(), utterances: 3, seconds: 5.5 }])]);
        let untimed = Utterance { duration_s: None, ..u("d", "x", "cat", 1.0) };
        assert!(describe(&[&untimed], None).seconds.is_sign_positive(), "-0.0 min");
        assert_eq!(d.histograms.iter().map(|h| h.name).collect::<Vec<_>>(), ["duration", "words", "rate"]);
    }
}
