//! Aggregation and pairing over the number of cells: speakers of ten utterances in three conditions.

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use vbench_compare::{
    Coverage, ErrorKind, ErrorTable, ScoredCell, Side, SideCell, SummaryHead, explain, pair, summarize,
};
use vbench_core::ErrorCounts;
use vbench_score::analysis::WordClass;
use vbench_stats::mapsswe::UtteranceOutcome;

const CONDITIONS: [&str; 3] = ["clean", "noise-20db", "reverb"];

fn cell(i: usize, salt: usize) -> ScoredCell {
    let (utterance, condition) = (i / 3, CONDITIONS[i % 3]);
    let sub = ((utterance * 31 + i * 17 + salt) % 7) as u64;
    let words = ErrorCounts { hits: 12 - sub, sub, del: 0, ins: 0 };
    ScoredCell {
        cell: format!("c/u{utterance}/{condition}/m"),
        utterance: format!("u{utterance}"),
        corpus: "c".into(),
        condition: condition.into(),
        model: "m".into(),
        speaker: Some(format!("s{}", utterance / 10)),
        session: None,
        tags: BTreeMap::from([("accent".to_owned(), ["us", "gb", "in"][utterance % 3].to_owned())]),
        target_snr_db: None,
        severity: None,
        achieved_snr_db: None,
        signal: Vec::new(),
        reference_words: 12,
        words,
        words_min_errors: sub,
        chars: words,
        audio_s: 4.0,
        processing_s: Some(0.2),
        late: None,
    }
}

fn head() -> SummaryHead {
    let own = |names: &[&str]| names.iter().map(|s| (*s).to_owned()).collect();
    SummaryHead {
        suite: "s".into(),
        normalizer: "none/1".into(),
        weights: "sclite".into(),
        seed: 7,
        primary: "wer".into(),
        absent: Vec::new(),
        conditions: own(&CONDITIONS),
        signal_metrics: Vec::new(),
        strata: own(&["condition", "accent"]),
        overall: Vec::new(),
        latency_budget_ms: None,
    }
}

fn side(n: usize, salt: usize) -> Side {
    let of = |i: usize| {
        let scored = cell(i, salt);
        let mut errors = ErrorTable::default();
        (0..scored.words.sub).for_each(|_| errors.add(ErrorKind::Substitution, WordClass::ALL[0]));
        SideCell {
            reference: format!("reference {i}"),
            hypothesis: format!("{i} {salt}"),
            normalized: format!("{i} {salt}"),
            audio_sha256: "a".into(),
            errors,
            outcome: UtteranceOutcome::default(),
            scored,
        }
    };
    Side { model: "m".into(), cells: (0..n).map(of).collect(), unscored: Vec::new(), outstanding: 0 }
}

fn summary(c: &mut Criterion) {
    let mut group = c.benchmark_group("compare");
    group.sample_size(10);
    for n in [300usize, 3_000, 30_000] {
        group.throughput(Throughput::Elements(n as u64));
        let cells: Vec<ScoredCell> = (0..n).map(|i| cell(i, 0)).collect();
        let coverage = Coverage { planned: n, done: n, ..Coverage::default() };
        group.bench_function(BenchmarkId::new("summarize", n), |b| {
            b.iter(|| summarize(head(), black_box(&cells), &[], Vec::new(), coverage));
        });
        let (a, b) = (side(n, 0), side(n, 3));
        group.bench_function(BenchmarkId::new("pair", n), |bench| bench.iter(|| pair(black_box(&a), &b)));
        let pairing = pair(&a, &b);
        group.bench_function(BenchmarkId::new("explain", n), |bench| {
            bench.iter(|| explain(black_box(&pairing.pairs), &[]));
        });
    }
    group.finish();
}

criterion_group!(benches, summary);
criterion_main!(benches);
