//! Time over the length of an utterance, the error rate and the number of pairs.
//!
//! The pairs imitate `peers_scoring_bench.py`: about 20 words an utterance from a Zipf-like vocabulary, 6 % of words
//! replaced, 2 % dropped, 2 % added.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::Rng;
use vbench_core::keyed::keyed_rng;
use vbench_score::tokens::{intern, words};
use vbench_score::{Normalizer, RuleSet, Weights, align, levenshtein, score_pair};

struct Maker {
    rng: Box<dyn FnMut() -> u32>,
    vocabulary: Vec<String>,
    cumulative: Vec<f64>,
}

impl Maker {
    fn new() -> Self {
        let mut generator = keyed_rng(424_242, "bench", "", "");
        let mut rng = move || generator.next_u32();
        let syllables: Vec<String> = "b d f g h k l m n p r s t v w z ch sh th st"
            .split(' ')
            .flat_map(|c| "a e i o u ai ea oo".split(' ').map(move |v| format!("{c}{v}")))
            .collect();
        let mut vocabulary: Vec<String> = (0..9_000)
            .map(|_| {
                let parts = [1, 1, 2, 2, 2, 3][rng() as usize % 6];
                (0..parts).map(|_| syllables[rng() as usize % syllables.len()].as_str()).collect()
            })
            .collect();
        vocabulary.sort();
        vocabulary.dedup();
        let mut total = 0.0;
        let cumulative = (0..vocabulary.len())
            .map(|i| {
                total += 1.0 / (i + 10) as f64;
                total
            })
            .collect();
        Self { rng: Box::new(rng), vocabulary, cumulative }
    }

    fn share(&mut self) -> f64 {
        f64::from((self.rng)()) / 4_294_967_296.0
    }

    fn word(&mut self) -> String {
        let at = self.share() * self.cumulative.last().copied().unwrap_or(1.0);
        self.vocabulary[self.cumulative.partition_point(|c| *c < at)].clone()
    }

    /// A reference of `length` words and its hypothesis; `errors` scales the rates of the script (1 is 10 %).
    fn pair(&mut self, length: usize, errors: f64) -> (String, String) {
        let reference: Vec<String> = (0..length).map(|_| self.word()).collect();
        let mut hypothesis = Vec::new();
        for word in &reference {
            let u = self.share();
            if u < 0.06 * errors {
                hypothesis.push(self.word());
            } else if u >= 0.08 * errors {
                hypothesis.push(word.clone());
            }
            if self.share() < 0.02 * errors {
                hypothesis.push(self.word());
            }
        }
        (reference.join(" "), hypothesis.join(" "))
    }
}

fn by_length(c: &mut Criterion) {
    let mut maker = Maker::new();
    let mut group = c.benchmark_group("tokens_per_utterance");
    group.sample_size(10);
    for length in [10, 20, 100, 1_000, 10_000] {
        for (rate, errors) in [("10pct", 1.0), ("50pct", 5.0)] {
            let (reference, hypothesis) = maker.pair(length, errors);
            let ids = intern(words(&reference), words(&hypothesis));
            group.throughput(Throughput::Elements(length as u64));
            for weights in [Weights::Sclite, Weights::Levenshtein] {
                let id = BenchmarkId::new(format!("align_{}_{rate}", weights.name()), length);
                group.bench_with_input(id, &ids, |b, ids| {
                    b.iter(|| align(black_box(&ids.reference), black_box(&ids.hypothesis), weights));
                });
            }
            group.bench_with_input(BenchmarkId::new(format!("distance_{rate}"), length), &ids, |b, ids| {
                b.iter(|| levenshtein(black_box(&ids.reference), black_box(&ids.hypothesis)));
            });
        }
    }
    group.finish();
}

fn by_pairs(c: &mut Criterion) {
    let mut maker = Maker::new();
    let mut group = c.benchmark_group("pairs");
    group.sample_size(10);
    for count in [200, 2_000, 20_000] {
        let pairs: Vec<_> = (0..count).map(|i| maker.pair(10 + i % 21, 1.0)).collect();
        group.throughput(Throughput::Elements(count as u64));
        group.bench_with_input(BenchmarkId::new("words_only", count), &pairs, |b, pairs| {
            b.iter(|| {
                let errors = |(r, h): &(String, String)| {
                    let ids = intern(words(r), words(h));
                    align(&ids.reference, &ids.hypothesis, Weights::Sclite).map_or(0, |a| a.counts.errors())
                };
                black_box(pairs).iter().map(errors).sum::<u64>()
            });
        });
        for normalizer in [Normalizer::None, Normalizer::WhisperEn, Normalizer::ScriptSafe { remove_harakat: false }] {
            group.bench_with_input(
                BenchmarkId::new(format!("score_pair_{}", normalizer.name()), count),
                &pairs,
                |b, pairs| {
                    let errors = |(r, h): &(String, String)| {
                        score_pair(r, h, &normalizer, Weights::Sclite).map_or(0, |s| s.words.errors())
                    };
                    b.iter(|| black_box(pairs).iter().map(errors).sum::<u64>());
                },
            );
        }
    }
    group.finish();
}

/// All normalisers on 4,000 utterances of 20 words, as in the script.
fn normalisers(c: &mut Criterion) {
    let mut maker = Maker::new();
    let text: Vec<String> = (0..4_000).map(|_| maker.pair(20, 0.0).0).collect();
    let mut group = c.benchmark_group("normalise");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(text.iter().map(|t| t.len() as u64).sum()));
    for normalizer in Normalizer::ALL {
        group.bench_function(normalizer.name(), |b| {
            b.iter(|| black_box(&text).iter().map(|t| normalizer.normalize(t).len()).sum::<usize>());
        });
    }
    group.bench_function("whisper-en, explained", |b| {
        b.iter(|| black_box(&text).iter().map(|t| Normalizer::WhisperEn.explain(t).steps.len()).sum::<usize>());
    });
    group.bench_function("rules, 2000 of words", |b| {
        let file: String = maker.vocabulary.iter().take(2_000).map(|word| format!("{word} => x{word}\n")).collect();
        let Ok(rules) = RuleSet::parse("bench.rules", "", &file) else { return };
        let rules = Normalizer::Rules(Arc::new(rules));
        b.iter(|| black_box(&text).iter().map(|t| rules.normalize(t).len()).sum::<usize>());
    });
    group.finish();
}

/// Number words, digits and currency in place of a share of the words, or punctuation after them.
fn mixed(maker: &mut Maker, length: usize, numbers: f64, signs: f64) -> String {
    const NUMBERS: [&str; 24] = [
        "one", "two", "five", "seven", "eleven", "nineteen", "twenty", "forty", "ninety", "hundred", "thousand",
        "million", "third", "1960s", "3.5", "$20", "100,000", "2nd", "percent", "dollars", "point", "and", "oh", "12%",
    ];
    const SIGNS: [&str; 8] = [",", ".", "?", "!", " -", "'s", "\"", ";"];
    let mut words = Vec::new();
    for _ in 0..length {
        let at = (maker.rng)() as usize;
        let mut word = if maker.share() < numbers { NUMBERS[at % NUMBERS.len()].to_owned() } else { maker.word() };
        if maker.share() < signs {
            word.push_str(SIGNS[at % SIGNS.len()]);
        }
        words.push(word);
    }
    words.join(" ")
}

fn whisper_by_content(c: &mut Criterion) {
    let mut maker = Maker::new();
    let mut texts: Vec<(String, Vec<String>)> = Vec::new();
    for length in [5, 20, 100, 10_000] {
        let count = 80_000 / length;
        texts.push((format!("words/{length}"), (0..count).map(|_| mixed(&mut maker, length, 0.0, 0.0)).collect()));
    }
    for (numbers, signs) in [(0.1, 0.0), (0.5, 0.0), (1.0, 0.0), (0.0, 0.2), (0.0, 1.0), (0.2, 0.2)] {
        let name = format!("numbers_{:.0}pct_signs_{:.0}pct", 100.0 * numbers, 100.0 * signs);
        texts.push((name, (0..4_000).map(|_| mixed(&mut maker, 20, numbers, signs)).collect()));
    }
    let mut group = c.benchmark_group("whisper_en");
    group.sample_size(10);
    for (name, text) in &texts {
        group.throughput(Throughput::Bytes(text.iter().map(|t| t.len() as u64).sum()));
        group.bench_function(name, |b| {
            b.iter(|| black_box(text).iter().map(|t| Normalizer::WhisperEn.normalize(t).len()).sum::<usize>());
        });
    }
    group.finish();
}

criterion_group!(benches, by_length, by_pairs, normalisers, whisper_by_content);
criterion_main!(benches);
