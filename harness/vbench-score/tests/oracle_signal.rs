//! Every case and metric of `audio_metrics.json` but PESQ (pystoi 0.4.1, fast_bss_eval 0.1.4, mir_eval 0.8.2, pysepm-evo
//! 0.1.1, librosa 0.11.0). Signals and degradations are made here by their formulas and checked first.
#![expect(clippy::unwrap_used, reason = "helpers of tests: a broken fixture stops the test")]

use std::collections::BTreeMap;

use serde_json::Value;
use vbench_score::signal::{Pair, Reading, measure};

const TAU: f64 = 2.0 * std::f64::consts::PI;
const MODULUS: f64 = 2_147_483_648.0;

fn oracle(name: &str) -> String {
    let dir = std::env::var("VBENCH_ORACLES")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/oracles").to_owned());
    format!("{dir}/{name}")
}

fn json(name: &str) -> Value {
    let path = oracle(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_str(&text).unwrap()
}

/// Samples of a stored file: 16-bit mono PCM with a header of 44 bytes.
fn wav(name: &str) -> Vec<f64> {
    let bytes = std::fs::read(oracle(name)).unwrap();
    assert_eq!((&bytes[..4], &bytes[36..40]), (&b"RIFF"[..], &b"data"[..]), "{name}");
    let size = u32::from_le_bytes(bytes[40..44].try_into().unwrap()) as usize;
    bytes[44..44 + size].chunks_exact(2).map(|b| f64::from(i16::from_le_bytes([b[0], b[1]])) / 32_768.0).collect()
}

/// The generator of the file: uniform in -1..1.
fn noise(seed: u64, n: usize) -> Vec<f64> {
    let mut state = seed;
    (0..n)
        .map(|_| {
            state = (1_664_525 * state + 1_013_904_223) % (1 << 32);
            state as f64 / MODULUS - 1.0
        })
        .collect()
}

fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap_or_else(|| panic!("{name} in {value}"))
}

fn speechlike(s: &Value) -> Vec<f64> {
    let (fs, n) = (number(s, "fs"), s["N"].as_u64().unwrap() as usize);
    let (f0, rate, amp, harmonics) = (number(s, "f0"), number(s, "rate"), number(s, "amp"), number(s, "H") as u32);
    let e = noise(s["seed"].as_u64().unwrap(), n);
    let (mut running, mut voiced, mut unvoiced) = (0.0, Vec::with_capacity(n), Vec::with_capacity(n));
    for (i, e) in e.iter().enumerate() {
        let t = i as f64 / fs;
        let f = f0 * (1.0 + 0.12 * (TAU * 0.7 * t).sin() + 0.03 * (TAU * 5.1 * t).sin());
        running += f / fs;
        let phi = TAU * running;
        let gate = (TAU * rate * t).sin();
        let envelope = gate.max(0.0).powf(0.6) * (0.6 + 0.4 * (TAU * 0.9 * t + 0.3).sin());
        let formants = [500.0 + 250.0 * (TAU * 1.3 * t).sin(), 1_500.0 + 500.0 * (TAU * 0.8 * t + 1.0).sin(), 2_600.0];
        let mut v = 0.0;
        for h in (1..=harmonics).map(f64::from).filter(|h| h * f < 0.45 * fs) {
            let gain: f64 = formants
                .iter()
                .zip([(1.0, 120.0), (0.5, 180.0), (0.25, 260.0)])
                .map(|(formant, (b, w))| b / (1.0 + ((h * f - formant) / w).powi(2)))
                .sum();
            v += gain * (h * phi).sin();
        }
        voiced.push(envelope * v);
        unvoiced.push(if gate > 0.0 { 0.0 } else { 0.05 * e });
    }
    let peak = voiced.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    voiced.iter().zip(unvoiced).map(|(v, u)| amp * (v / peak + u)).collect()
}

fn am_harmonics(s: &Value) -> Vec<f64> {
    let (fs, f0, fm, a) = (number(s, "fs"), number(s, "f0"), number(s, "fm"), number(s, "a"));
    (0..s["N"].as_u64().unwrap())
        .map(|i| {
            let t = i as f64 / fs;
            let tones: f64 = (1..=number(s, "H") as u32).map(f64::from).map(|h| a / h * (TAU * h * f0 * t).sin()).sum();
            (0.5 - 0.5 * (TAU * fm * t).cos()) * tones
        })
        .collect()
}

fn signal(s: &Value) -> Vec<f64> {
    match s["kind"].as_str().unwrap() {
        "wav" => wav(s["file"].as_str().unwrap()),
        "speechlike" => speechlike(s),
        "am_harmonics" => am_harmonics(s),
        other => panic!("signal {other}"),
    }
}

fn lowpass(x: &[f64], fs: f64, fc: f64, taps: usize) -> Vec<f64> {
    let half = (taps - 1) / 2;
    let mut h: Vec<f64> = (0..taps)
        .map(|k| {
            let u = 2.0 * fc / fs * (k as f64 - half as f64);
            let sinc = if u == 0.0 { 1.0 } else { (std::f64::consts::PI * u).sin() / (std::f64::consts::PI * u) };
            2.0 * fc / fs * sinc * (0.54 - 0.46 * (TAU * k as f64 / (taps - 1) as f64).cos())
        })
        .collect();
    let sum: f64 = h.iter().sum();
    h.iter_mut().for_each(|v| *v /= sum);
    (0..x.len())
        .map(|n| {
            let first = (n + half).saturating_sub(x.len() - 1);
            (first..taps.min(n + half + 1)).map(|k| h[k] * x[n + half - k]).sum()
        })
        .collect()
}

/// G.711 mu-law of a 16-bit sample: the 14-bit magnitude plus 33 as three bits of exponent and four of mantissa.
fn mulaw_code(sample: i16) -> u8 {
    let value = i32::from(sample) >> 2;
    let (mask, magnitude) = if value < 0 { (0x7f, -value) } else { (0xff, value) };
    let biased = magnitude.min(8_158) + 33;
    let exponent = 26 - biased.leading_zeros() as i32;
    (((exponent << 4) | ((biased >> (exponent + 1)) & 15)) ^ mask) as u8
}

/// Decoded values of all codes, with the encoder checked against the stored samples.
fn mulaw_table() -> Vec<f64> {
    let codecs = json("codecs.json");
    let case = |id: &str| codecs["cases"].as_array().unwrap().iter().find(|c| c["id"] == id).unwrap().clone();
    let encoded = case("g711_ulaw_encode");
    let pairs = encoded["samples"].as_array().unwrap().iter().zip(encoded["codes"].as_array().unwrap());
    for (sample, code) in pairs {
        assert_eq!(u64::from(mulaw_code(sample.as_i64().unwrap() as i16)), code.as_u64().unwrap(), "{sample}");
    }
    let decoded = case("g711_ulaw_decode");
    let samples = decoded["samples"].as_array().unwrap();
    assert_eq!(samples.len(), 256);
    samples.iter().map(|v| v.as_f64().unwrap() / 32_768.0).collect()
}

fn degrade(x: &[f64], fs: f64, d: &Value, mulaw: &[f64]) -> Vec<f64> {
    match d["kind"].as_str().unwrap() {
        "white_noise" => {
            let e = noise(d["seed"].as_u64().unwrap(), x.len());
            let energy = |s: &[f64]| s.iter().map(|v| v * v).sum::<f64>();
            let g = (energy(x) / (energy(&e) * 10f64.powf(number(d, "snr_db") / 10.0))).sqrt();
            x.iter().zip(&e).map(|(x, e)| x + g * e).collect()
        }
        "clip" => {
            let t = number(d, "fraction_of_peak") * x.iter().fold(0.0f64, |m, v| m.max(v.abs()));
            x.iter().map(|v| v.clamp(-t, t)).collect()
        }
        "lowpass" => lowpass(x, fs, number(d, "fc"), d["taps"].as_u64().unwrap() as usize),
        "mulaw" => x
            .iter()
            .map(|v| mulaw[usize::from(mulaw_code((v * 32_768.0).round_ties_even().clamp(-32_768.0, 32_767.0) as i16))])
            .collect(),
        "gain" => x.iter().map(|v| v * number(d, "factor")).collect(),
        "quantise" => {
            let steps = 2f64.powf(number(d, "bits") - 1.0);
            x.iter().map(|v| (v * steps).round_ties_even() / steps).collect()
        }
        "echo" => {
            let (delay, gain) = (d["delay"].as_u64().unwrap() as usize, number(d, "gain"));
            (0..x.len()).map(|n| x[n] + if n < delay { 0.0 } else { gain * x[n - delay] }).collect()
        }
        other => panic!("degradation {other}"),
    }
}

/// Compares a signal with its stored check values; `relative` of the largest quantity of its kind.
fn check(id: &str, y: &[f64], want: &Value, relative: f64, failures: &mut Vec<String>) {
    assert_eq!(y.len() as u64, want["N"].as_u64().unwrap(), "{id}: length");
    let sizes = y.iter().map(|v| v.abs()).sum::<f64>();
    let peak = y.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    let mut close = |what: String, got: f64, want: f64, scale: f64| {
        if (got - want).abs() > relative * scale {
            failures.push(format!("{id} {what}: {got} is not {want}"));
        }
    };
    close("sum".into(), y.iter().sum(), number(want, "sum"), sizes);
    let squares = y.iter().map(|v| v * v).sum();
    close("sum_sq".into(), squares, number(want, "sum_sq"), squares);
    close("max_abs".into(), peak, number(want, "max_abs"), peak);
    for (at, value) in want["at"].as_array().unwrap().iter().zip(want["values"].as_array().unwrap()) {
        let at = at.as_u64().unwrap() as usize;
        close(format!("y[{at}]"), y[at], value.as_f64().unwrap(), peak);
    }
}

/// The file's tolerance of a metric; STOI's is given in words.
fn tolerance(file: &Value, metric: &str, rate: u32) -> f64 {
    match (&file["tolerance"][metric], metric) {
        (Value::String(words), "stoi") => {
            assert!(words.starts_with("1e-3 at 16 kHz") && words.ends_with("1e-6 for the 10 kHz signal"), "{words}");
            if rate == 10_000 { 1e-6 } else { 1e-3 }
        }
        (Value::String(words), "estoi") if words == "as stoi" => tolerance(file, "stoi", rate),
        (value, _) => value.as_f64().unwrap_or_else(|| panic!("tolerance of {metric}: {value}")),
    }
}

#[test]
fn oracle_every_case_of_audio_metrics_json() {
    let file = json("audio_metrics.json");
    let mulaw = mulaw_table();
    let check_tolerance = file["tolerance"]["check_y"].as_str().unwrap();
    let relative: f64 = check_tolerance.strip_suffix(" relative").unwrap().parse().unwrap();
    let mut failures = Vec::new();
    let definitions = file["signals"].as_array().unwrap();
    let signals: Vec<Vec<f64>> = definitions.iter().map(signal).collect();
    for (i, (x, s)) in signals.iter().zip(definitions).enumerate() {
        check(&format!("signal {i}"), x, &s["check"], relative, &mut failures);
    }
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len() as u64, file["count"].as_u64().unwrap());
    let (mut compared, mut worst) = (0, BTreeMap::<(String, u32), f64>::new());
    for case in cases {
        let id = case["id"].as_str().unwrap();
        let at = case["signal"].as_u64().unwrap() as usize;
        let rate = definitions[at]["fs"].as_u64().unwrap() as u32;
        let x = &signals[at];
        let y = degrade(x, f64::from(rate), &case["degradation"], &mulaw);
        check(id, &y, &case["check_y"], relative, &mut failures);
        let metrics = measure(&Pair::new(x, &y, rate).unwrap());
        for (name, want) in case["metrics"].as_object().unwrap().iter().filter(|(n, _)| !n.starts_with("pesq")) {
            let ours = if name == "sdr_bsseval_512_db" { "sdr_db" } else { name };
            let reading: Reading = metrics.readings().iter().find(|(m, _)| m.name == ours).unwrap().1;
            let limit = tolerance(&file, name, rate);
            let error = reading.map_or(f64::INFINITY, |got| (got - want.as_f64().unwrap()).abs());
            compared += 1;
            let most = worst.entry((name.clone(), rate)).or_default();
            *most = most.max(error);
            if error.is_nan() || error > limit {
                failures.push(format!("{id} {}: {name} {reading:?}, expected {want}", case["degradation"]["kind"]));
            }
        }
    }
    println!("{compared} values; largest differences: {worst:#?}");
    assert!(compared >= 4 * cases.len(), "{compared} values");
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
}
