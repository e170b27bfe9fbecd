//! Measures of recordings against limits; recordings that are there twice.

use std::collections::{BTreeMap, HashMap};

use super::code::Code;
use super::fingerprint::{Fingerprint, near_duplicates};
use super::metadata::across;
use super::sound::Sound;
use super::{Found, Item};

/// What came of listening to a recording.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// Its measures.
    Sound(Box<Sound>),
    /// Why it could not be read.
    Unreadable(String),
    /// The file is another one than the manifest pins: what it is instead.
    OtherHash(String),
}

impl Heard {
    /// The measures.
    #[must_use]
    pub fn sound(&self) -> Option<&Sound> {
        if let Self::Sound(sound) = self { Some(sound) } else { None }
    }
}

pub(super) fn check(items: &[Item<'_>], heard: &[Heard], found: &mut Found<'_>) {
    for (i, (item, heard)) in items.iter().zip(heard).enumerate() {
        match heard {
            Heard::Unreadable(why) => found.hit(Code::AudioUnreadable, i, 0.0, why.as_str()),
            Heard::OtherHash(found_hash) => found.hit(Code::AudioHash, i, 0.0, found_hash.as_str()),
            Heard::Sound(sound) => measures(i, item, sound, found),
        }
    }
    rates(heard, found);
    duplicates(items, heard, found);
}

fn measures(i: usize, item: &Item<'_>, sound: &Sound, found: &mut Found<'_>) {
    let limits = found.limits.clone();
    let seconds = sound.seconds;
    if let Some(stated) = item.utterance.duration_s.filter(|d| (d - seconds).abs() > 0.1 + 0.01 * seconds) {
        let detail = format!("{seconds:.2} s, the manifest says {stated:.2} s");
        found.hit(Code::DurationDiffers, i, (stated - seconds).abs(), detail);
    }
    if seconds < limits.min_duration_s {
        found.hit(Code::DurationShort, i, -seconds, format!("{seconds:.3} s"));
    }
    if seconds > limits.max_duration_s {
        found.hit(Code::DurationLong, i, seconds, format!("{seconds:.1} s"));
    }
    if f64::from(sound.rate_hz) < limits.min_rate_hz {
        found.hit(Code::RateLow, i, -f64::from(sound.rate_hz), format!("{} Hz", sound.rate_hz));
    }
    let clipped = 100.0 * sound.clipped;
    if clipped > limits.max_clipped_percent {
        found.hit(Code::Clipping, i, clipped, format!("{clipped:.2} % of the samples at {:.3}", sound.peak));
    }
    let dc = 100.0 * sound.dc;
    if dc.abs() > limits.max_dc_percent {
        found.hit(Code::DcOffset, i, dc.abs(), format!("{dc:+.2} % of full scale"));
    }
    let Some(level) = sound.level_dbfs else {
        if !item.utterance.text.trim().is_empty() {
            found.hit(Code::AudioSilent, i, seconds, format!("{seconds:.2} s, peak {:.5}", sound.peak));
        }
        return;
    };
    let silence = 100.0 * (1.0 - sound.activity);
    if silence > limits.max_silence_percent {
        found.hit(Code::SilenceShare, i, silence, format!("{silence:.0} %"));
    }
    if level < limits.min_level_dbfs {
        found.hit(Code::LevelLow, i, -level, format!("{level:.1} dBFS"));
    }
    if level > limits.max_level_dbfs {
        found.hit(Code::LevelHigh, i, level, format!("{level:.1} dBFS"));
    }
    let snr = level - sound.noise_dbfs;
    if snr < limits.min_snr_db {
        let detail = format!("{snr:.1} dB: speech {level:.1} dBFS, noise {:.1} dBFS", sound.noise_dbfs);
        found.hit(Code::SnrLow, i, -snr, detail);
    }
}

/// Sample rates that are not the most frequent one; of equals the higher is the usual one.
fn rates(heard: &[Heard], found: &mut Found<'_>) {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for sound in heard.iter().filter_map(Heard::sound) {
        *counts.entry(sound.rate_hz).or_default() += 1;
    }
    let Some(usual) = counts.iter().max_by_key(|(rate, n)| (**n, **rate)).map(|(rate, _)| *rate) else { return };
    for (i, heard) in heard.iter().enumerate() {
        if let Some(sound) = heard.sound().filter(|s| s.rate_hz != usual) {
            let detail = format!("{} Hz, usual is {usual} Hz", sound.rate_hz);
            found.hit(Code::RateMixed, i, 0.0, detail);
        }
    }
}

fn duplicates(items: &[Item<'_>], heard: &[Heard], found: &mut Found<'_>) {
    let mut first: HashMap<&str, usize> = HashMap::new();
    // The utterance that each one repeats, itself where none.
    let mut same_as: Vec<usize> = (0..items.len()).collect();
    let mut alone = Vec::new();
    for (i, sound) in heard.iter().enumerate().filter_map(|(i, h)| Some((i, h.sound()?))) {
        // Silence is like silence.
        if sound.level_dbfs.is_none() {
            continue;
        }
        if let Some(at) = first.get(sound.samples_sha256.as_str()) {
            same_as[i] = *at;
            found.hit(Code::AudioDuplicate, i, 0.0, format!("as {}", items[*at].utterance.id));
        } else {
            first.insert(&sound.samples_sha256, i);
            alone.push((i, &sound.fingerprint));
        }
    }
    let prints: Vec<&Fingerprint> = alone.iter().map(|(_, print)| *print).collect();
    for near in near_duplicates(&prints, found.limits.max_fingerprint_percent / 100.0) {
        let (a, b) = (alone[near.first].0, alone[near.second].0);
        same_as[b] = same_as[a];
        let detail = format!("as {}: {:.0} % of the bits differ", items[a].utterance.id, 100.0 * near.distance);
        found.hit(Code::AudioNearDuplicate, b, -near.distance, detail);
    }
    // Exact copies of a recording that turned out to be nearly another one.
    for i in 0..same_as.len() {
        same_as[i] = same_as[same_as[i]];
    }
    let text = |i: usize| items[i].utterance.text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    for i in (0..items.len()).filter(|i| same_as[*i] != *i) {
        let (one, other) = (text(same_as[i]), text(i));
        if one != other {
            for (hit, twin) in [(same_as[i], i), (i, same_as[i])] {
                found.hit(Code::AudioTwoTexts, hit, 0.0, format!("as {}", items[twin].utterance.id));
            }
        }
    }
    if let Some(hits) = found.by_code.get_mut(&Code::AudioTwoTexts) {
        hits.sort_by_key(|h| h.item);
        hits.dedup_by_key(|h| h.item);
    }
    if items.iter().any(|i| i.split != items[0].split) {
        let heard_at = |i: usize| heard[i].sound().and_then(|s| s.level_dbfs).map(|_| same_as[i]);
        let name = |i: usize| format!("of {}", items[i].utterance.id);
        across(items, Code::AudioInTwoSplits, "recording", heard_at, name, found);
    }
}
