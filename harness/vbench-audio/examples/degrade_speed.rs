//! Times the kernels of degradations, for `reports/performance_degrade.py`: one line `name milliseconds` each, the median
//! of several rounds on one thread. The signals are formulas that the script makes too.

use std::hint::black_box;
use std::time::Instant;

use vbench_audio::{Clip, DegradeContext, LongTermSpectrum, g711, resample};
use vbench_core::Condition;
use vbench_dsp::Convolver;

const RATE: usize = 16_000;
const ROUNDS: usize = 15;

/// A tone under a slow envelope: speech enough for levels.
fn signal(seconds: usize) -> Vec<f32> {
    (0..seconds * RATE)
        .map(|i| {
            let t = i as f64 / RATE as f64;
            (0.3 * libm::sin(2.0 * core::f64::consts::PI * 220.0 * t) * libm::sin(2.0 * t).abs()) as f32
        })
        .collect()
}

/// Half a second of falling noise.
fn response() -> Vec<f64> {
    let mut state = 1u32;
    (0..RATE / 2)
        .map(|i| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (f64::from(state) / 2_147_483_648.0 - 1.0) * libm::exp(-(i as f64) / 1200.0)
        })
        .collect()
}

fn median_ms<T>(mut f: impl FnMut() -> T) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            black_box(f());
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

fn main() {
    let samples = signal(30);
    let convolver = Convolver::new(&response());
    let shape: Vec<f64> = (0..257).map(|k| 1.0 / (1.0 + f64::from(k) / 16.0)).collect();
    let spectrum = LongTermSpectrum::from_power(&shape).expect("positive powers");
    let noise = Condition::builtin("noise-5db").expect("a built-in condition");
    let context = DegradeContext { seed: 1, utterance: "c/u", corpus_spectrum: Some(&spectrum), recordings: None };
    let at_44k: Vec<f32> = samples.iter().copied().cycle().take(30 * 44_100).collect();
    let at_48k: Vec<f32> = samples.iter().copied().cycle().take(30 * 48_000).collect();
    // An hour on the telephone: far beyond any cache.
    let hour: Vec<i16> = (0..3600 * 8_000).map(|i| (i * 7_919) as i16).collect();
    let codes = g711::encode_mulaw(&hour);
    let results = [
        ("convolve", median_ms(|| convolver.convolve(black_box(&samples), 0, samples.len()))),
        ("noise", {
            // Every round draws, shapes, measures the level and mixes: nothing is remembered from the last.
            let clips: Vec<Vec<f32>> = (0..ROUNDS).map(|_| samples.clone()).collect();
            let mut clips = clips.into_iter();
            median_ms(|| {
                let clip = Clip::new(clips.next().expect("a clip a round")).expect("finite samples");
                clip.degrade(&noise, &context).expect("noise")
            })
        }),
        ("reverb", {
            let room = Condition::builtin("reverb").expect("a built-in condition");
            let clip = Clip::new(samples.clone()).expect("finite samples");
            median_ms(|| clip.degrade(&room, &context).expect("reverb"))
        }),
        ("resample-44100", median_ms(|| resample(black_box(&at_44k), 44_100, 16_000))),
        ("resample-48000", median_ms(|| resample(black_box(&at_48k), 48_000, 16_000))),
        ("resample-8000-up", median_ms(|| resample(black_box(&samples), 8_000, 16_000))),
        ("g711-encode", median_ms(|| g711::encode_mulaw(black_box(&hour)))),
        ("g711-decode", median_ms(|| g711::decode_mulaw(black_box(&codes)))),
        // What memory that was just asked for costs this process, whatever is written into it.
        ("hour-copied", median_ms(|| black_box(&hour).to_vec())),
    ];
    let mut out = String::new();
    for (name, ms) in results {
        out += &format!("{name} {ms:.4}\n");
    }
    print(&out);
}

#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn print(text: &str) {
    print!("{text}");
}
