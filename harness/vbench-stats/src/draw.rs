//! Which units a resample is made of: random words, uniform indices, whole clusters or blocks.

use std::ops::Range;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::blocks::Blocks;
use crate::error::StatsError;
use crate::statistic::Statistic;

/// Words fetched at once. Any number gives the same draws.
const BATCH: usize = 1_024;

/// The words of one ChaCha8 stream in order, fetched in batches: several times as fast as word by word.
pub(crate) struct Words {
    generator: ChaCha8Rng,
    bytes: Vec<u8>,
    batch: Vec<u32>,
    /// The first word of the batch that is not used yet.
    next: usize,
    indices: Vec<u32>,
}

impl Words {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        let generator = ChaCha8Rng::from_seed(seed);
        Self { generator, bytes: vec![0; 4 * BATCH], batch: vec![0; BATCH], next: BATCH, indices: vec![0; BATCH] }
    }

    fn refill_if_empty(&mut self) {
        if self.next == self.batch.len() {
            self.generator.fill_bytes(&mut self.bytes);
            for (word, bytes) in self.batch.iter_mut().zip(self.bytes.as_chunks::<4>().0) {
                *word = u32::from_le_bytes(*bytes);
            }
            self.next = 0;
        }
    }

    /// 64 random bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        let mut word = || {
            self.refill_if_empty();
            self.next += 1;
            u64::from(self.batch[self.next - 1])
        };
        word() | word() << 32
    }

    /// A uniform index below `n`, which is at least 1.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        loop {
            if let [index] = self.indices_below(n, 1) {
                return *index;
            }
        }
    }

    /// Up to `wanted` uniform indices below `n` (at least 1); fewer at the end of a batch or after a rejection.
    ///
    /// Lemire's multiplication with rejection (ACM TOMACS 29, 2019): unbiased, one multiplication a draw.
    pub(crate) fn indices_below(&mut self, n: u32, wanted: usize) -> &[u32] {
        self.refill_if_empty();
        let threshold = n.wrapping_neg() % n;
        let available = &self.batch[self.next..];
        let used = available.len().min(wanted);
        let mut accepted = 0;
        for word in &available[..used] {
            let product = u64::from(*word) * u64::from(n);
            self.indices[accepted] = (product >> 32) as u32;
            accepted += usize::from(product as u32 >= threshold);
        }
        self.next += used;
        &self.indices[..accepted]
    }
}

/// How a resample is put together.
pub(crate) trait Scheme: Sync {
    /// Refuses a scheme that nothing can be drawn from.
    fn check(&self) -> Result<(), StatsError>;
    /// Indices in one resample.
    fn draws(&self) -> usize;
    /// Draws one resample and hands it to the statistic.
    fn draw<S: Statistic>(&self, words: &mut Words, statistic: &S, sums: &mut S::Sums);
    /// What the jackknife leaves out, one part after the other.
    fn parts(&self) -> impl Iterator<Item = Range<usize>>;
}

/// Whole clusters, each drawn independently of the others.
pub(crate) struct Units {
    pub(crate) count: usize,
}

impl Scheme for Units {
    fn check(&self) -> Result<(), StatsError> {
        if self.count < 2 {
            return Err(StatsError::TooFew { what: "clusters", found: self.count, needed: 2 });
        }
        if self.count >= u32::MAX as usize {
            let value = self.count as f64;
            return Err(StatsError::OutOfRange { name: "clusters", value, range: "below 2^32 - 1" });
        }
        Ok(())
    }

    fn draws(&self) -> usize {
        self.count
    }

    fn draw<S: Statistic>(&self, words: &mut Words, statistic: &S, sums: &mut S::Sums) {
        if statistic.add_resample_of_units(sums, words) {
            return;
        }
        let mut missing = self.count;
        while missing > 0 {
            let indices = words.indices_below(self.count as u32, missing);
            missing -= indices.len();
            statistic.add(sums, indices);
        }
    }

    fn parts(&self) -> impl Iterator<Item = Range<usize>> {
        (0..self.count).map(|i| i..i + 1)
    }
}

impl Scheme for Blocks {
    fn check(&self) -> Result<(), StatsError> {
        Ok(())
    }

    fn draws(&self) -> usize {
        self.utterances()
    }

    fn draw<S: Statistic>(&self, words: &mut Words, statistic: &S, sums: &mut S::Sums) {
        self.draw_blocks(words, &mut |indices| statistic.add(sums, indices));
    }

    fn parts(&self) -> impl Iterator<Item = Range<usize>> {
        self.apart()
    }
}
