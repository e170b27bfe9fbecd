//! cpWER and tcpWER over the words of a session and over its speakers.
//!
//! A session imitates a meeting: turns of 1 to 30 words at 2.5 words a second, a tenth of them overlapping the turn
//! before; 10 % of the hypothesis words are wrong.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::Rng;
use vbench_core::keyed::keyed_rng;
use vbench_score::multi::{Segment, cp_wer, tcp_wer};

struct Turn {
    speaker: String,
    start: f64,
    end: f64,
    words: String,
}

/// Reference and hypothesis with about `words` words by `speakers` speakers.
fn meeting(words: usize, speakers: usize) -> (Vec<Turn>, Vec<Turn>) {
    let mut rng = keyed_rng(424_242, "bench multi", &words.to_string(), &speakers.to_string());
    let mut below = move |n: usize| rng.next_u32() as usize % n;
    let word = |n: usize| format!("w{}", n * n / 2_000);
    let (mut reference, mut hypothesis) = (Vec::new(), Vec::new());
    let (mut said, mut clock) = (0, 0.0f64);
    while said < words {
        let (speaker, length) = (below(speakers), (1 + below(30)).min(words - said));
        let start = if below(10) == 0 { (clock - 2.0).max(0.0) } else { clock };
        let end = start + length as f64 / 2.5;
        let spoken: Vec<String> = (0..length).map(|_| word(below(2_000))).collect();
        let mut heard = Vec::new();
        for w in &spoken {
            match below(50) {
                0 => {}
                1..=3 => heard.push(word(below(2_000))),
                4 => heard.extend([w.clone(), word(below(2_000))]),
                _ => heard.push(w.clone()),
            }
        }
        reference.push(Turn { speaker: format!("r{speaker}"), start, end, words: spoken.join(" ") });
        let (start, end) = (start + 0.1, end + 0.2);
        hypothesis.push(Turn { speaker: format!("h{speaker}"), start, end, words: heard.join(" ") });
        said += length;
        clock = clock.max(end);
    }
    (reference, hypothesis)
}

fn segment(turn: &Turn) -> Segment<'_> {
    let Turn { speaker, start, end, words } = turn;
    Segment { session: "s", speaker, start_s: Some(*start), end_s: Some(*end), words }
}

fn segments(turns: &[Turn]) -> Vec<Segment<'_>> {
    turns.iter().map(segment).collect()
}

fn sessions(c: &mut Criterion) {
    let by_words = [500, 2_000, 10_000, 40_000].map(|words| ("words_of_4_speakers", words, words, 4));
    let by_speakers = [1, 2, 4, 8, 16, 32].map(|speakers| ("speakers_of_8000_words", speakers, 8_000, speakers));
    for (name, axis, words, speakers) in by_words.into_iter().chain(by_speakers) {
        let (reference, hypothesis) = meeting(words, speakers);
        let (reference, hypothesis) = (segments(&reference), segments(&hypothesis));
        let mut group = c.benchmark_group(name);
        group.sample_size(10).throughput(Throughput::Elements(words as u64));
        group.bench_function(BenchmarkId::new("cp_wer", axis), |b| {
            b.iter(|| cp_wer(black_box(&reference), black_box(&hypothesis)));
        });
        for collar in [5.0, f64::INFINITY] {
            group.bench_function(BenchmarkId::new(format!("tcp_wer_{collar}s"), axis), |b| {
                b.iter(|| tcp_wer(black_box(&reference), black_box(&hypothesis), collar));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, sessions);
criterion_main!(benches);
