//! Made-up corpora of which the truth is known.

use rand::Rng;
use vbench_stats::special::normal_quantile;

/// Two systems read by speakers who differ.
///
/// - Words of an utterance: a log-normal with median 10 and log-sd 0.6, rounded, cut to 1 to 60 (mean about 12).
/// - Expected errors of system k on utterance u of speaker s: `words x error_rate x speaker_s x utterance_u x
///   interaction_sk x ratio_k`. Each effect is log-normal with mean 1, so that the true rate of a system is
///   `error_rate x ratio_k` whatever the spreads. `ratio_1` is 1.
/// - Errors: Poisson. Given the speaker they are over-dispersed through the utterance effect, and an utterance can have
///   more errors than words, as insertions make possible. `shared` of the smaller of both expectations is one Poisson
///   draw that both systems make together (the same words are hard for both), the rest is their own.
#[derive(Debug, Clone, Copy)]
pub struct Population {
    /// Speakers drawn.
    pub speakers: usize,
    /// Utterances of each speaker.
    pub utterances: usize,
    /// True rate of the first system.
    pub error_rate: f64,
    /// Log-sd of the speaker effect, shared by both systems.
    pub speaker: f64,
    /// Log-sd of the utterance effect, shared by both systems.
    pub utterance: f64,
    /// Log-sd of the speaker x system effect, drawn for each speaker and system.
    pub interaction: f64,
    /// Share of the errors that both systems make together.
    pub shared: f64,
    /// True rate of the second system over that of the first.
    pub ratio: f64,
}

/// One utterance as both systems read it.
#[derive(Debug, Clone, Copy)]
pub struct Utterance {
    /// Who spoke.
    pub speaker: usize,
    /// Reference words.
    pub words: f64,
    /// Errors of the first system.
    pub a: f64,
    /// Errors of the second system.
    pub b: f64,
}

impl Default for Population {
    /// 40 speakers x 65 utterances, WER 5 %, log-sd 0.5 between speakers and between utterances, no interaction, 60 %
    /// shared errors, two systems of the same rate.
    fn default() -> Self {
        Self {
            speakers: 40,
            utterances: 65,
            error_rate: 0.05,
            speaker: 0.5,
            utterance: 0.5,
            interaction: 0.0,
            shared: 0.6,
            ratio: 1.0,
        }
    }
}

impl Population {
    /// One corpus, speaker by speaker.
    pub fn draw(&self, rng: &mut impl Rng) -> Vec<Utterance> {
        let mut corpus = Vec::with_capacity(self.speakers * self.utterances);
        for speaker in 0..self.speakers {
            let rate = self.error_rate * effect(self.speaker, rng);
            let systems = [effect(self.interaction, rng), self.ratio * effect(self.interaction, rng)];
            for _ in 0..self.utterances {
                let words = (10.0 * libm::exp(0.6 * normal(rng))).round().clamp(1.0, 60.0);
                let errors = words * rate * effect(self.utterance, rng);
                let shared = self.shared * errors * systems[0].min(systems[1]);
                let common = poisson(shared, rng);
                let mut own = |k: usize| common + poisson(errors * systems[k] - shared, rng);
                corpus.push(Utterance { speaker, words, a: own(0), b: own(1) });
            }
        }
        corpus
    }
}

fn normal(rng: &mut impl Rng) -> f64 {
    normal_quantile((f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0)
}

/// A log-normal with mean 1.
fn effect(log_sd: f64, rng: &mut impl Rng) -> f64 {
    if log_sd == 0.0 { 1.0 } else { libm::exp(log_sd * normal(rng) - 0.5 * log_sd * log_sd) }
}

/// Poisson by multiplying uniforms (Knuth), in steps so that the product does not underflow.
fn poisson(mean: f64, rng: &mut impl Rng) -> f64 {
    let mut count = 0.0;
    let mut left = mean;
    while left > 0.0 {
        let step = left.min(30.0);
        left -= step;
        let floor = libm::exp(-step);
        let mut product = 1.0;
        loop {
            product *= (f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0;
            if product <= floor {
                break;
            }
            count += 1.0;
        }
    }
    count
}
