//! A fake model called in a plain loop: what `reports/performance_load.py` holds the load generator against.
//!
//! `plain_loop REQUESTS`: JSON with the time of each call in microseconds (p50, p99) and calls a second.
#![expect(clippy::print_stdout, reason = "an example prints what it measured")]

use std::time::Instant;

use vbench_core::Utterance;
use vbench_model::{FakeModel, FakeOptions, Model, Request};

fn main() {
    let requests: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).filter(|n| *n > 0).unwrap_or(100_000);
    let model = FakeModel::new(FakeOptions::default());
    let text = "please open the third window and call Maria at seven".to_owned();
    let utterance = Utterance { id: "u".into(), corpus: "c".into(), text, ..Utterance::default() };
    let samples = vec![0.1f32; 32_000];
    let mut times = Vec::with_capacity(requests);
    let began = Instant::now();
    for _ in 0..requests {
        let request =
            Request { cell: "c/u/clean/m", utterance: &utterance, condition: "clean", samples: &samples, seed: 1 };
        let before = Instant::now();
        let answer = model.transcribe(&request);
        times.push(before.elapsed().as_nanos() as f64 / 1e3);
        std::hint::black_box(&answer);
    }
    let seconds = began.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "{{\"requests\":{requests},\"p50_us\":{:.3},\"p99_us\":{:.3},\"per_s\":{:.0}}}",
        at(0.5),
        at(0.99),
        requests as f64 / seconds
    );
}
