//! Time of the error analysis over scored pairs, without the scoring itself: 20,000 pairs of about 20 words, 10 % errors.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand::Rng;
use vbench_core::keyed::keyed_rng;
use vbench_score::analysis::{Analysis, Keywords, Rules, Utterance, WordWeights};
use vbench_score::phoneme::{PhonemeConfusions, Pronouncer, PronunciationCache};
use vbench_score::{Normalizer, PairScore, Weights, score_pair};

const PAIRS: usize = 20_000;

/// Words of two syllables or so, the frequent ones first; every tenth is a function word, every fiftieth a number.
fn vocabulary() -> Vec<String> {
    let syllables: Vec<String> = "b d f g k l m n p r s t v sh th st"
        .split(' ')
        .flat_map(|c| "a e i o u ai oo".split(' ').map(move |v| format!("{c}{v}")))
        .collect();
    (0..9_000)
        .map(|i| match i % 50 {
            0 => i.to_string(),
            10 | 20 | 30 | 40 => ["the", "of", "and", "it's"][i / 10 % 4].to_owned(),
            _ => format!("{}{}", syllables[i * 7 % syllables.len()], syllables[i * 31 % syllables.len()]),
        })
        .collect()
}

fn corpus() -> Vec<(String, PairScore)> {
    let mut rng = keyed_rng(424_242, "bench", "", "");
    let words = vocabulary();
    let mut share = move || f64::from(rng.next_u32()) / 4_294_967_296.0;
    // Zipf-like: the index is exponential in a uniform draw.
    let word = |u: f64| words[((words.len() as f64).powf(u) - 1.0) as usize].as_str();
    (0..PAIRS)
        .map(|_| {
            let (mut reference, mut hypothesis) = (Vec::new(), Vec::new());
            for _ in 0..10 + (share() * 20.0) as usize {
                let said = word(share());
                reference.push(said);
                match share() {
                    u if u < 0.06 => hypothesis.push(word(share())),
                    u if u < 0.08 => {}
                    u if u < 0.10 => hypothesis.extend([said, word(share())]),
                    _ => hypothesis.push(said),
                }
            }
            let (reference, hypothesis) = (reference.join(" "), hypothesis.join(" "));
            let score = score_pair(&reference, &hypothesis, &Normalizer::None, Weights::Sclite);
            (format!("Then Anna said {reference}"), score.expect("short pairs can be aligned"))
        })
        .collect()
}

fn analysis(c: &mut Criterion) {
    let pairs = corpus();
    let mut group = c.benchmark_group("analysis_20000_pairs");
    group.throughput(Throughput::Elements(PAIRS as u64)).sample_size(10);
    let plain = Rules::for_language("en");
    let list = Rules {
        keywords: Keywords::parse("the\nbai the\nshoo\nit's of", &Normalizer::None).ok(),
        weights: WordWeights::parse("the 0.1\n0 5", &Normalizer::None).ok(),
        ..plain.clone()
    };
    for (name, rules) in [("breakdowns", &plain), ("with_word_lists", &list)] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut analysis = Analysis::default();
                for (raw, score) in &pairs {
                    let raw_reference = Some(raw.as_str());
                    analysis.add(rules, &Utterance { id: "u", speaker: Some("s"), raw_reference, score });
                }
                black_box(analysis.words)
            });
        });
    }
    let pronouncer = Pronouncer::for_language("en", None);
    group.bench_function("phonemes", |b| {
        b.iter(|| {
            let mut cache = PronunciationCache::new(&pronouncer);
            let mut confusions = PhonemeConfusions::default();
            for (_, score) in &pairs {
                confusions.add(&mut cache, score);
            }
            black_box(confusions.counts())
        });
    });
    group.finish();
}

criterion_group!(benches, analysis);
criterion_main!(benches);
