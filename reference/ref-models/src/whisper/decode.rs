//! Decoding of one window: greedy or sampled candidates, their scores, and the temperature fallback.

use super::DecodeOptions;
use super::config::SpecialTokens;
use super::decoder::{AudioContext, Cache, Decoder, Row};
use super::rules::Rules;
use super::tokenizer::Tokenizer;
use crate::kernels::{exp_sum, max, softmax};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use rand::Rng;
use std::io::Write;

/// One decoded window.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// Sampled tokens, timestamps included, without the end token.
    pub tokens: Vec<u32>,
    /// Mean log probability of the tokens and the end token.
    pub avg_logprob: f64,
    /// Probability of the no-speech token where the transcript starts.
    pub no_speech_prob: f64,
    /// UTF-8 bytes over zlib-compressed bytes of the text.
    pub compression_ratio: f64,
    /// Temperature at which it was sampled; 0 is greedy.
    pub temperature: f64,
    /// Highest temperature tried: the same, unless nothing passed and an earlier result was the best.
    pub last_temperature: f64,
    /// Times that a result did not pass and the next temperature was tried.
    pub fallbacks: usize,
}

/// What decoding a window needs.
pub(super) struct Window<'a> {
    pub decoder: &'a Decoder,
    pub tokenizer: &'a Tokenizer,
    pub special: SpecialTokens,
    pub rules: &'a Rules,
    pub audio: &'a AudioContext,
    pub prompt: &'a [u32],
}

/// State after the prompt, shared by all temperatures.
struct Started {
    cache: Cache,
    logits: Vec<f32>,
    no_speech_prob: f64,
}

/// Natural log of the sum of exponentials.
fn log_sum_exp(logits: &[f32]) -> f64 {
    let top = max(logits);
    f64::from(top) + exp_sum(logits, top).ln()
}

/// UTF-8 bytes over bytes after zlib at its default level; 0 for an empty text. The compressor is miniz_oxide, whose output is within 6 %
/// of zlib's for texts near the usual threshold of 2.4, and up to twice as long for pure loops, which are far above it.
#[must_use]
pub fn compression_ratio(text: &str) -> f64 {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to a vector cannot fail.
    let packed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).map_or(0, |v| v.len());
    if packed == 0 { 0.0 } else { text.len() as f64 / packed as f64 }
}

impl Window<'_> {
    /// Decodes with rising temperatures until a result passes, as faster-whisper 1.2 does.
    pub(super) fn decode(&self, options: &DecodeOptions, rng: &mut dyn Rng) -> Decoded {
        let started = self.start();
        let mut tried: Vec<Decoded> = Vec::new();
        for &temperature in &options.temperatures {
            let candidates = if temperature > 0.0 { options.best_of.max(1) } else { 1 };
            let mut best = self.sample(&started, temperature, candidates, rng);
            best.fallbacks = tried.len();
            let improbable = options.logprob_threshold.is_some_and(|t| best.avg_logprob < t);
            let repetitive = options.compression_ratio_threshold.is_some_and(|t| best.compression_ratio > t);
            let silent = improbable && options.no_speech_threshold.is_some_and(|t| best.no_speech_prob > t);
            if silent || !(improbable || repetitive) {
                return best;
            }
            tried.push(best);
        }
        // Nothing passed: the most probable of those that do not repeat themselves, or of all. The first of equals wins.
        let fallbacks = tried.len().saturating_sub(1);
        let last_temperature = tried.last().map_or(0.0, |d| d.temperature);
        let limit = options.compression_ratio_threshold.unwrap_or(f64::INFINITY);
        let any = tried.iter().any(|d| d.compression_ratio <= limit);
        let pool = tried.into_iter().filter(|d| !any || d.compression_ratio <= limit);
        let best = pool.reduce(|a, b| if b.avg_logprob > a.avg_logprob { b } else { a });
        best.map_or_else(|| self.sample(&started, 0.0, 1, rng), |d| Decoded { fallbacks, last_temperature, ..d })
    }

    /// Runs the prompt.
    fn start(&self) -> Started {
        let mut caches = [self.decoder.cache()];
        let rows: Vec<Row> =
            self.prompt.iter().enumerate().map(|(position, &token)| Row { token, position, sequence: 0 }).collect();
        let hidden = self.decoder.forward(&rows, &mut caches, self.audio);
        let width = hidden.len() / rows.len();
        let last = rows.len() - 1;
        let at_start = self.prompt.iter().position(|t| *t == self.special.start).unwrap_or(last);
        let logits = self.decoder.logits(&hidden[last * width..]);
        let at_start =
            if at_start == last { None } else { Some(self.decoder.logits(&hidden[at_start * width..][..width])) };
        let reference = at_start.as_ref().unwrap_or(&logits);
        let no_speech_prob = (f64::from(reference[self.special.no_speech as usize]) - log_sum_exp(reference)).exp();
        let [cache] = caches;
        Started { cache, logits, no_speech_prob }
    }

    /// Tokens that may follow the prompt: half the context, or what is left of it.
    fn room(&self) -> usize {
        let context = self.decoder.context();
        (context / 2).min((context + 1).saturating_sub(self.prompt.len()))
    }

    /// Samples `count` candidates in lock step and returns the one with the highest mean log probability (the first of equals).
    fn sample(&self, started: &Started, temperature: f64, count: usize, rng: &mut dyn Rng) -> Decoded {
        let mut caches = vec![started.cache.clone(); count];
        let mut candidates: Vec<(Vec<u32>, f64)> = vec![(Vec::new(), 0.0); count];
        let vocabulary = self.decoder.vocabulary();
        let mut logits: Vec<f32> = started.logits.repeat(count);
        let mut alive: Vec<usize> = (0..count).collect();
        for step in 0..self.room() {
            let mut rows = Vec::new();
            for (logits, &i) in logits.chunks_exact_mut(vocabulary).zip(&alive) {
                let (tokens, score) = &mut candidates[i];
                self.rules.apply(logits, tokens);
                let token = pick(logits, temperature, rng);
                *score += f64::from(logits[token as usize]) - log_sum_exp(logits);
                if token != self.special.end_of_text {
                    tokens.push(token);
                    rows.push(Row { token, position: self.prompt.len() + step, sequence: i });
                }
            }
            if rows.is_empty() || step + 1 == self.room() {
                break;
            }
            alive = rows.iter().map(|r| r.sequence).collect();
            let hidden = self.decoder.forward(&rows, &mut caches, self.audio);
            logits = self.decoder.logits(&hidden);
        }
        let mean = |(tokens, score): &(Vec<u32>, f64)| score / (tokens.len() + 1) as f64;
        let best = candidates.into_iter().reduce(|a, b| if mean(&b) > mean(&a) { b } else { a }).unwrap_or_default();
        let text = self.tokenizer.decode(&best.0);
        Decoded {
            avg_logprob: mean(&best),
            no_speech_prob: started.no_speech_prob,
            compression_ratio: compression_ratio(text.trim()),
            temperature,
            last_temperature: temperature,
            fallbacks: 0,
            tokens: best.0,
        }
    }
}

/// The most probable token, or a draw from the distribution at a temperature. Forbidden tokens are never drawn.
fn pick(logits: &[f32], temperature: f64, rng: &mut dyn Rng) -> u32 {
    let greedy = || {
        let top = max(logits);
        logits.iter().position(|v| *v == top).unwrap_or(0) as u32
    };
    if temperature <= 0.0 {
        return greedy();
    }
    let mut weights = logits.to_vec();
    softmax(&mut weights, (1.0 / temperature) as f32);
    let allowed = || weights.iter().zip(logits).map(|(w, l)| if *l == f32::NEG_INFINITY { 0.0 } else { f64::from(*w) });
    let total: f64 = allowed().sum();
    // 53 random bits make a number in 0..1.
    let mut left = (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64 * total;
    for (i, w) in allowed().enumerate() {
        if w > 0.0 && left < w {
            return i as u32;
        }
        left -= w;
    }
    greedy()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// Sizes by Python's zlib.compress (zlib 1.2.13). miniz_oxide is within a few percent where the threshold of 2.4 lies; of long
    /// loops, which are far above it, the packed size is up to twice zlib's.
    #[test]
    fn compression_ratio_is_close_to_zlib() {
        let a = "That agent is already logged on. Please enter your agent number followed by the pound key.";
        let texts = [(a.to_owned(), 82.0), (format!("{a} {a}"), 88.0), (format!("{a} {a} {a}"), 88.0)];
        for (text, zlib) in texts {
            let (got, want) = (compression_ratio(&text), text.len() as f64 / zlib);
            assert!((got / want - 1.0).abs() < 0.06, "{got} for {want}");
        }
        for (text, zlib) in [("thank you very much ".repeat(40), 37.0), ("a".repeat(224), 12.0)] {
            let (got, want) = (compression_ratio(&text), text.len() as f64 / zlib);
            assert!(got > 0.5 * want && got < 1.1 * want, "{got} for {want}");
        }
        assert_eq!(compression_ratio(""), 0.0);
    }

    #[test]
    fn sampling_follows_the_probabilities_and_never_takes_a_forbidden_token() {
        let logits = [0.0, 2.0f32.ln(), f32::NEG_INFINITY, 5.0f32.ln()];
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut counts = [0u32; 4];
        for _ in 0..8000 {
            counts[pick(&logits, 1.0, &mut rng) as usize] += 1;
        }
        // 1 : 2 : 0 : 5 of 8000, within 5 standard deviations.
        for (got, want) in counts.iter().zip([1000.0f64, 2000.0, 0.0, 5000.0]) {
            let spread = 5.0 * (want * (1.0 - want / 8000.0)).sqrt();
            assert!((f64::from(*got) - want).abs() <= spread, "{counts:?}");
        }
        // At temperature 0.5 odds are squared: 1 : 4 : 25.
        let third = (0..3000).filter(|_| pick(&logits, 0.5, &mut rng) == 3).count();
        assert!((third as f64 / 3000.0 - 25.0 / 30.0).abs() < 0.035, "{third}");
        assert_eq!(pick(&logits, 0.0, &mut rng), 3);
    }
}
