//! Times the signal metrics of one pair in one thread, without reading, for comparison with other tools.
//!
//! usage: signal_speed REFERENCE.f32 DEGRADED.f32 RATE REPEATS
//!
//! The files hold little-endian 32-bit floats. Prints one JSON object: for each metric the median seconds of a call and
//! its value (null where it is not defined or not finite); `all` is every metric of the pair.
#![expect(clippy::print_stdout, reason = "the program prints its result")]

use std::error::Error;
use std::time::Instant;

use serde_json::{Map, Value, json};
use vbench_score::signal::{
    Pair, Reading, delay, estoi, loudness_lufs, lsd_db, measure, mel_distance_db, sdr_db, segsnr_db, si_sdr_db, snr_db,
    stoi,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [reference, degraded, rate, repeats] = arguments.as_slice() else {
        return Err("usage: signal_speed REFERENCE.f32 DEGRADED.f32 RATE REPEATS".into());
    };
    let (x, y, rate, repeats) = (read(reference)?, read(degraded)?, rate.parse()?, repeats.parse()?);
    let pair = Pair::new(&x, &y, rate)?;
    let mut out = Map::new();
    let mut add = |name: &str, metric: &dyn Fn(&Pair<'_>) -> Reading| {
        out.insert(name.to_owned(), timed(repeats, || metric(&pair)));
    };
    add("snr_db", &snr_db);
    add("segsnr_db", &segsnr_db);
    add("si_sdr_db", &si_sdr_db);
    add("sdr_db", &sdr_db);
    add("lsd_db", &lsd_db);
    add("mel_distance_db", &mel_distance_db);
    add("stoi", &stoi);
    add("estoi", &estoi);
    add("delay_samples", &|pair| delay(pair, rate as usize / 2).map(|d| d.samples as f64));
    add("loudness_lufs", &|_| loudness_lufs(&x, rate));
    add("all", &|pair| measure(pair).stoi);
    println!("{}", Value::Object(out));
    Ok(())
}

fn read(path: &str) -> Result<Vec<f64>, Box<dyn Error>> {
    let bytes = std::fs::read(path).map_err(|e| format!("{path}: {e}"))?;
    Ok(bytes.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))).collect())
}

fn timed(repeats: usize, metric: impl Fn() -> Reading) -> Value {
    let mut seconds = Vec::with_capacity(repeats);
    let mut reading = metric();
    for _ in 0..repeats {
        let begin = Instant::now();
        reading = std::hint::black_box(metric());
        seconds.push(begin.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    json!({ "seconds": seconds.get(repeats / 2), "value": reading.ok() })
}
