//! Bootstrap, sign-flip and sequential test: time over the number of clusters and of resamples.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::Rng;
use vbench_core::keyed::keyed_rng;
use vbench_stats::{BlockScheme, Blocks, Bootstrap, Method, Sequential, sign_flip};

/// Errors and words of `n` made-up clusters, about 10 % errors.
fn clusters(n: usize) -> Vec<(f64, f64)> {
    let mut rng = keyed_rng(424_242, "bench", "", "");
    (0..n)
        .map(|_| {
            let words = 3 + rng.next_u32() % 43;
            let errors = (0..words).filter(|_| rng.next_u32().is_multiple_of(10)).count();
            (errors as f64, f64::from(words))
        })
        .collect()
}

fn bca(c: &mut Criterion) {
    let mut group = c.benchmark_group("bca_ratio");
    group.sample_size(10);
    for n in [12, 100, 1_000, 10_000] {
        let data = clusters(n);
        for resamples in [999, 4_999] {
            group.throughput(Throughput::Elements((n * resamples) as u64));
            group.bench_with_input(BenchmarkId::new(format!("resamples_{resamples}"), n), &data, |b, data| {
                b.iter(|| {
                    let mut rng = keyed_rng(1, "bench", "", "");
                    Bootstrap::ratio(black_box(data), resamples, &mut rng)
                        .and_then(|boot| boot.interval(Method::Bca, 0.95))
                });
            });
        }
    }
    group.finish();
}

fn flips(c: &mut Criterion) {
    let mut group = c.benchmark_group("sign_flip");
    group.sample_size(10);
    for n in [12, 20, 40, 1_000] {
        let differences: Vec<f64> = clusters(n).iter().map(|(e, w)| e - 0.1 * w).collect();
        group.bench_with_input(BenchmarkId::from_parameter(n), &differences, |b, differences| {
            b.iter(|| sign_flip(black_box(differences), 100_000, &mut keyed_rng(1, "bench", "", "")));
        });
    }
    group.finish();
}

/// What `reports/performance.md` compares with a numpy loop: 10,000 replicates on one thread.
fn one_thread(c: &mut Criterion) {
    let mut group = c.benchmark_group("percentile_10000_resamples_one_thread");
    group.sample_size(10);
    let Ok(pool) = rayon::ThreadPoolBuilder::new().num_threads(1).build() else { return };
    for n in [100, 1_000, 10_000] {
        let data = clusters(n);
        // The second set has fractions, as seconds have: no whole numbers to pack.
        let fractions: Vec<(f64, f64)> = data.iter().map(|(e, w)| (e + 0.5, w + 0.25)).collect();
        for (name, data) in [("counts", &data), ("fractions", &fractions)] {
            group.throughput(Throughput::Elements(10_000 * n as u64));
            group.bench_with_input(BenchmarkId::new(name, n), data, |b, data| {
                b.iter(|| {
                    pool.install(|| {
                        let mut rng = keyed_rng(1, "bench", "", "");
                        Bootstrap::ratio(black_box(data), 10_000, &mut rng)
                            .and_then(|boot| boot.interval(Method::Percentile, 0.95))
                    })
                });
            });
        }
    }
    group.finish();
}

/// By-speaker BCa with 9,999 resamples and 100,000 sign flips: what one line of a comparison costs.
fn by_speaker(c: &mut Criterion) {
    let mut group = c.benchmark_group("bca_and_100000_flips");
    group.sample_size(10);
    for n in [21, 40, 72, 250] {
        let data = clusters(n);
        let differences: Vec<f64> = data.iter().map(|(e, w)| e - 0.1 * w).collect();
        group.bench_with_input(BenchmarkId::from_parameter(n), &n, |b, _| {
            b.iter(|| {
                let mut rng = keyed_rng(1, "bench", "", "");
                let ends = Bootstrap::ratio(black_box(&data), 9_999, &mut rng)
                    .and_then(|boot| boot.interval(Method::Bca, 0.95));
                (ends, sign_flip(black_box(&differences), 100_000, &mut rng))
            });
        });
    }
    group.finish();
}

fn blocks(c: &mut Criterion) {
    let mut group = c.benchmark_group("block_bootstrap_999");
    group.sample_size(10);
    for n in [100, 1_000, 10_000] {
        let data = clusters(n);
        let values: Vec<f64> = data.iter().map(|d| d.0).collect();
        let Ok(blocks) = Blocks::new(&[n], 10, BlockScheme::Circular) else { continue };
        group.throughput(Throughput::Elements(999 * n as u64));
        group.bench_with_input(BenchmarkId::new("ratio", n), &data, |b, data| {
            b.iter(|| Bootstrap::block_ratio(black_box(data), &blocks, 999, &mut keyed_rng(1, "bench", "", "")));
        });
        group.bench_with_input(BenchmarkId::new("median", n), &values, |b, values| {
            b.iter(|| {
                Bootstrap::block_quantile(black_box(values), 0.5, &blocks, 999, &mut keyed_rng(1, "bench", "", ""))
            });
        });
    }
    group.finish();
}

fn sequential(c: &mut Criterion) {
    let mut group = c.benchmark_group("sequential_all_looks");
    group.sample_size(10);
    for n in [18, 72, 250] {
        // A margin that the made-up errors neither reach nor undercut, so that every look is made.
        let data: Vec<(f64, f64)> = clusters(n).iter().map(|(e, w)| (e - 0.1 * w, *w)).collect();
        group.bench_with_input(BenchmarkId::from_parameter(n), &data, |b, data| {
            b.iter(|| Sequential::new(data.len(), 0.0, 1).look(black_box(data)));
        });
    }
    group.finish();
}

criterion_group!(benches, bca, flips, one_thread, by_speaker, blocks, sequential);
criterion_main!(benches);
