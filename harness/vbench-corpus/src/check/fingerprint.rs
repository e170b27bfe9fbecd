//! What a recording sounds like, in 32 bits every 16 ms, and which recordings are nearly the same.
//!
//! After J. Haitsma and T. Kalker, "A Highly Robust Audio Fingerprinting System" (ISMIR 2002): a bit says whether the
//! difference of energy between two neighbouring bands grew. Gain cancels, codecs and small offsets flip few bits. Here
//! 33 bands of equal ratio lie in 300 to 3,000 Hz, which telephones pass; frames are 128 ms every 16 ms and are compared
//! with those 64 ms before.
//!
//! Found are recordings that are nearly the same as a whole: at the offset where most 32-bit words agree, at least 80 % of the
//! active frames of both lie above each other, and at most a quarter of their bits differ. Copies through codecs, 20 dB
//! of noise and half a frame's offset differ in 3 to 15 % of their bits, different recordings of one voice in 40 % or more.

use std::collections::HashMap;
use std::sync::OnceLock;

use vbench_dsp::{frame_powers, hann_periodic};

const RATE_HZ: usize = 16_000;
const WINDOW: usize = 2048;
const HOP: usize = 256;
/// Frames back that a frame is compared with.
const LAG: usize = 4;
const BANDS: usize = 33;
const BAND_EDGES_HZ: (f64, f64) = (300.0, 3000.0);
/// Bins up to the highest band's edge.
const BINS: usize = 386;
/// Frames this far below the loudest one are silence, as a ratio of powers (40 dB).
const SILENCE: f64 = 1e-4;
/// Fewer active frames, about a second, are too few to tell recordings apart.
pub const MIN_FRAMES: usize = 60;
/// Share of active frames that must lie above each other.
const MIN_OVERLAP: f64 = 0.8;
/// Words in the index; of longer corpora a part chosen by the words themselves.
const MAX_WORDS: usize = 16 << 20;
/// A word in more recordings than this pairs only neighbours.
const MAX_POSTINGS: usize = 24;

/// The fingerprint of one recording: a word a frame; 0 is silence.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fingerprint {
    words: Box<[u32]>,
    active: u32,
}

impl Fingerprint {
    /// Of mono samples at 16 kHz.
    #[must_use]
    pub fn of(samples: &[f32]) -> Self {
        if samples.len() < WINDOW + LAG * HOP {
            return Self::default();
        }
        let frames = (samples.len() - WINDOW) / HOP + 1;
        // Two real signals cost one transform: the halves of the recording.
        let half = frames.div_ceil(2);
        let reach = (half - 1) * HOP + WINDOW;
        let mut signal: Vec<f64> = samples.iter().map(|s| f64::from(*s)).collect();
        signal.resize(signal.len().max(half * HOP + reach), 0.0);
        let window = hann_periodic(WINDOW);
        let mut energies = vec![[0.0; BANDS]; 2 * half];
        let (first, second) = (&signal[..reach], &signal[half * HOP..half * HOP + reach]);
        let mut at = 0;
        frame_powers((first, second), (&window, HOP, half), (WINDOW, BINS), |x, y, count| {
            for (b, band) in bands().iter().enumerate() {
                let (mut of_x, mut of_y) = ([0.0; vbench_dsp::FRAME_LANES], [0.0; vbench_dsp::FRAME_LANES]);
                for (bin, weight) in band {
                    for lane in 0..vbench_dsp::FRAME_LANES {
                        of_x[lane] += weight * x[*bin][lane];
                        of_y[lane] += weight * y[*bin][lane];
                    }
                }
                for lane in 0..count {
                    energies[at + lane][b] = of_x[lane];
                    energies[half + at + lane][b] = of_y[lane];
                }
            }
            at += count;
        });
        energies.truncate(frames);
        words(&energies)
    }

    /// Frames that are not silent.
    #[must_use]
    pub const fn active(&self) -> usize {
        self.active as usize
    }

    /// Frames in which both are active at an offset (frame `i` of this one above `i + offset` of the other), and the
    /// share of bits that differ in them.
    #[must_use]
    pub fn compare(&self, other: &Self, offset: i64) -> (usize, f64) {
        let from = usize::try_from(-offset).unwrap_or(0);
        let behind = usize::try_from(offset).unwrap_or(0);
        let (a, b) = (self.words.get(from..).unwrap_or(&[]), other.words.get(behind..).unwrap_or(&[]));
        let (mut frames, mut bits) = (0usize, 0u64);
        for (x, y) in a.iter().zip(b) {
            if *x != 0 && *y != 0 {
                frames += 1;
                bits += u64::from((x ^ y).count_ones());
            }
        }
        (frames, if frames == 0 { 1.0 } else { bits as f64 / (32 * frames) as f64 })
    }
}

/// Bins and weights of every band.
fn bands() -> &'static [Vec<(usize, f64)>] {
    static TABLE: OnceLock<Vec<Vec<(usize, f64)>>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let (lo, hi) = BAND_EDGES_HZ;
        let bin_hz = RATE_HZ as f64 / WINDOW as f64;
        let edge = |i: usize| lo * libm::pow(hi / lo, i as f64 / BANDS as f64) / bin_hz;
        let of_band = |b: usize| {
            let (from, to) = (edge(b), edge(b + 1));
            let share = |k: usize| (to.min(k as f64 + 0.5) - from.max(k as f64 - 0.5)).max(0.0);
            (0..BINS).map(|k| (k, share(k))).filter(|(_, w)| *w > 0.0).collect()
        };
        (0..BANDS).map(of_band).collect()
    })
}

fn words(energies: &[[f64; BANDS]]) -> Fingerprint {
    let total = |e: &[f64; BANDS]| e.iter().sum::<f64>();
    let loudest = energies.iter().map(total).fold(0.0, f64::max);
    let word = |pair: &[[f64; BANDS]]| {
        let (before, now) = (&pair[0], &pair[LAG]);
        if loudest <= 0.0 || total(now) < loudest * SILENCE {
            return 0;
        }
        let word = (0..BANDS - 1).fold(0u32, |word, b| {
            let grew = (now[b] - now[b + 1]) - (before[b] - before[b + 1]) > 0.0;
            word << 1 | u32::from(grew)
        });
        // All zeros stand for silence.
        word.max(1)
    };
    let words: Box<[u32]> = energies.windows(LAG + 1).map(word).collect();
    let active = words.iter().filter(|w| **w != 0).count() as u32;
    Fingerprint { words, active }
}

/// Two recordings that are nearly the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NearDuplicate {
    /// The earlier one.
    pub first: usize,
    /// The later one.
    pub second: usize,
    /// Share of bits that differ, 0 to 1.
    pub distance: f64,
}

/// Pairs of recordings that differ in at most `limit` of their bits (0 to 1), each recording with the earliest one it
/// is like. Recordings with less than [`MIN_FRAMES`] active frames are not looked at.
#[must_use]
pub fn near_duplicates(prints: &[&Fingerprint], limit: f64) -> Vec<NearDuplicate> {
    let postings = index(prints);
    let mut votes: HashMap<(u32, u32), HashMap<i32, u32>> = HashMap::new();
    let mut vote = |a: &Posting, b: &Posting| {
        if a.item != b.item {
            let offset = b.frame as i32 - a.frame as i32;
            *votes.entry((a.item, b.item)).or_default().entry(offset).or_default() += 1;
        }
    };
    for same in postings.chunk_by(|a, b| a.word == b.word) {
        let reach = if same.len() > MAX_POSTINGS { 1 } else { same.len() };
        for (i, a) in same.iter().enumerate() {
            for b in &same[i + 1..(i + 1 + reach).min(same.len())] {
                vote(a, b);
            }
        }
    }
    let mut pairs: Vec<_> = votes.iter().collect();
    pairs.sort_unstable_by_key(|(pair, _)| **pair);
    let mut found: Vec<NearDuplicate> = Vec::new();
    let mut known = std::collections::HashSet::new();
    for ((a, b), offsets) in pairs {
        if known.contains(b) {
            continue;
        }
        let best = offsets.iter().max_by_key(|(offset, n)| (**n, -offset.abs(), **offset)).map_or(0, |(o, _)| *o);
        let (first, second) = (*a as usize, *b as usize);
        if let Some(distance) = distance(prints[first], prints[second], best).filter(|d| *d <= limit) {
            known.insert(*b);
            found.push(NearDuplicate { first, second, distance });
        }
    }
    found
}

/// The smallest distance near an offset, where enough of both lies above each other.
fn distance(a: &Fingerprint, b: &Fingerprint, offset: i32) -> Option<f64> {
    let needed = (MIN_OVERLAP * a.active().max(b.active()) as f64).ceil() as usize;
    let near = (-2..=2).map(|d| a.compare(b, i64::from(offset) + d));
    near.filter(|(frames, _)| *frames >= needed).map(|(_, share)| share).min_by(f64::total_cmp)
}

struct Posting {
    word: u32,
    item: u32,
    frame: u32,
}

/// Every word of every recording, or every 2^n-th by a hash of the word; sorted.
fn index(prints: &[&Fingerprint]) -> Vec<Posting> {
    let usable = |p: &&Fingerprint| p.active() >= MIN_FRAMES;
    let total: usize = prints.iter().filter(|p| usable(p)).map(|p| p.active()).sum();
    let thinning = total.div_ceil(MAX_WORDS).next_power_of_two().trailing_zeros();
    let kept = |word: u32| thinning == 0 || word.wrapping_mul(0x9E37_79B1) >> (32 - thinning) == 0;
    let mut postings = Vec::new();
    for (item, print) in prints.iter().enumerate().filter(|(_, p)| usable(p)) {
        let words = print.words.iter().enumerate().filter(|(_, w)| **w != 0 && kept(**w));
        postings.extend(words.map(|(frame, word)| Posting { word: *word, item: item as u32, frame: frame as u32 }));
    }
    postings.sort_unstable_by_key(|p| (p.word, p.item, p.frame));
    postings
}
