//! Times resampling inside one process, for `reports/performance_statistics.py`.
//!
//! usage: `resampling_speed DATA.txt`, lines `errors words`; prints one JSON object of seconds and ends.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::time::Instant;

use vbench_core::keyed::keyed_rng;
use vbench_stats::{Bootstrap, Method, sign_flip};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: resampling_speed DATA.txt")?;
    let text = std::fs::read_to_string(path)?;
    let data: Vec<(f64, f64)> = text
        .lines()
        .map(|line| {
            let (errors, words) = line.split_once(' ').ok_or("a line is `errors words`")?;
            Ok::<_, Box<dyn Error>>((errors.parse()?, words.parse()?))
        })
        .collect::<Result<_, _>>()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let mut rng = keyed_rng(1, "speed", "", "");
    let begin = Instant::now();
    let ends = pool.install(|| Bootstrap::ratio(&data, 10_000, &mut rng)?.interval(Method::Percentile, 0.95))?;
    let percentile_s = begin.elapsed().as_secs_f64();
    // Forty speakers: every fortieth utterance.
    let mut speakers = vec![(0.0, 0.0); 40];
    for (i, (errors, words)) in data.iter().enumerate() {
        speakers[i % 40].0 += errors;
        speakers[i % 40].1 += words;
    }
    let (errors, words) = speakers.iter().fold((0.0, 0.0), |sum, s| (sum.0 + s.0, sum.1 + s.1));
    let differences: Vec<f64> = speakers.iter().map(|s| s.0 - errors / words * s.1).collect();
    let begin = Instant::now();
    pool.install(|| {
        Bootstrap::ratio(&speakers, 9_999, &mut rng)?.interval(Method::Bca, 0.95)?;
        sign_flip(&differences, 100_000, &mut rng)
    })?;
    let bca_and_flips_s = begin.elapsed().as_secs_f64();
    println!(
        "{{\"percentile_s\":{percentile_s},\"lo\":{},\"hi\":{},\"bca_and_flips_s\":{bca_and_flips_s}}}",
        ends.0, ends.1
    );
    Ok(())
}
