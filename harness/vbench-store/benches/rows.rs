//! Rows written to and read from a run folder, over their number.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use vbench_core::{CellTiming, Outcome, Reason, ReasonKind, Utterance};
use vbench_store::folder::RUN_SCHEMA;
use vbench_store::{Row, RunFolder, RunRecord};

/// A failed cell: the largest part of a row is its text, which a failure has too.
fn row(i: usize) -> Row {
    let utterance = Utterance {
        id: format!("u{i}"),
        corpus: "c".into(),
        text: "please open the third window and call Maria at seven".into(),
        speaker: Some(format!("s{}", i / 10)),
        ..Utterance::default()
    };
    let reason = Reason { kind: ReasonKind::Model, text: "a reason as long as a transcript would be here".into() };
    Row::new(&format!("c/u{i}/clean/m"), &utterance, "clean", "m", &Outcome::Failed(reason))
}

fn rows(c: &mut Criterion) {
    let mut group = c.benchmark_group("store");
    group.sample_size(10);
    let folder = tempfile::tempdir().expect("temporary folder");
    let record = serde_json::json!({"schema": RUN_SCHEMA});
    for n in [100usize, 1_000, 10_000] {
        let rows: Vec<Row> = (0..n).map(row).collect();
        let lines: Vec<String> = rows.iter().map(|r| r.to_line().expect("a line")).collect();
        group.throughput(Throughput::Elements(n as u64));
        group.bench_function(BenchmarkId::new("row_to_line", n), |b| {
            b.iter(|| black_box(&rows).iter().map(|r| r.to_line().map_or(0, |l| l.len())).sum::<usize>());
        });
        group.bench_function(BenchmarkId::new("row_from_line", n), |b| {
            b.iter(|| black_box(&lines).iter().filter(|l| Row::from_line(l).is_ok()).count());
        });
        let mut made = 0;
        let mut fresh = || {
            made += 1;
            folder.path().join(format!("run{n}-{made}"))
        };
        let timing: Option<&CellTiming> = None;
        group.bench_function(BenchmarkId::new("commit", n), |b| {
            b.iter_batched(
                &mut fresh,
                |path| {
                    let mut run = RunFolder::create(&path, &record).expect("creates");
                    rows.iter().for_each(|r| run.commit(r, timing).expect("writes"));
                    path
                },
                BatchSize::PerIteration,
            );
        });
        let path = folder.path().join(format!("read{n}"));
        let mut run = RunFolder::create(&path, &record).expect("creates");
        rows.iter().for_each(|r| run.commit(r, timing).expect("writes"));
        group.bench_function(BenchmarkId::new("read", n), |b| b.iter(|| RunRecord::read(black_box(&path))));
    }
    group.finish();
}

criterion_group!(benches, rows);
criterion_main!(benches);
