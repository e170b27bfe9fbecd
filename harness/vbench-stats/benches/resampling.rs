//! Bootstrap and sign-flip time over the number of clusters and of resamples.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::Rng;
use vbench_core::keyed::keyed_rng;
use vbench_stats::{Bootstrap, Method, sign_flip};

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

criterion_group!(benches, bca, flips);
criterion_main!(benches);
