//! Measures of recordings with known properties; near-duplicates among recordings that ship.

use std::path::{Path, PathBuf};

use vbench_audio::{DecodeOptions, decode_file};
use vbench_corpus::check::{Fingerprint, MIN_FRAMES, NOISE_FLOOR_DBFS, Sound, near_duplicates};

fn tone(hz: f64, peak: f64, seconds: f64) -> Vec<f32> {
    let value = |i: usize| (peak * (std::f64::consts::TAU * hz * i as f64 / 16_000.0).sin()) as f32;
    (0..(seconds * 16_000.0) as usize).map(value).collect()
}

fn measure(samples: &[f32]) -> Sound {
    Sound::measure(samples, (16_000, 1), samples)
}

#[test]
fn clipping_is_what_is_flat_at_the_top() {
    let clean = tone(313.0, 0.9, 2.0);
    assert_eq!(measure(&clean).clipped, 0.0);
    // Held at 0.5: a sine of 0.9 is above it for acos-many of its samples.
    let held: Vec<f32> = clean.iter().map(|s| s.clamp(-0.5, 0.5)).collect();
    let expected = 1.0 - 2.0 * (0.5f64 / 0.9).asin() / std::f64::consts::PI;
    let found = measure(&held).clipped;
    assert!((found - expected).abs() < 0.02, "{found}, expected {expected}");
    // The last bit of near silence is no clipping.
    let faint: Vec<f32> = (0..32_000).map(|i| if i / 5 % 2 == 0 { 1.0 / 32_768.0 } else { 0.0 }).collect();
    assert_eq!(measure(&faint).clipped, 0.0);
}

#[test]
fn offset_level_noise_and_silence_are_read() {
    let offset: Vec<f32> = tone(440.0, 0.1, 1.0).iter().map(|s| s + 0.03).collect();
    assert!((measure(&offset).dc - 0.03).abs() < 1e-4);
    // Second for second a tone of -23 dBFS and noise of -60 dBFS.
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(state >> 8) / f64::from(1u32 << 24) - 0.5) * 12f64.sqrt() * 1e-3
    };
    let speech = tone(500.0, 0.1, 10.0);
    let mixed: Vec<f32> =
        speech.iter().enumerate().map(|(i, s)| (if i / 16_000 % 2 == 0 { *s } else { 0.0 }) + noise() as f32).collect();
    let found = measure(&mixed);
    assert!((found.noise_dbfs + 60.0).abs() < 1.0, "{found:?}");
    let snr = found.snr_db().expect("active");
    assert!((snr - 36.0).abs() < 2.0, "{snr}");
    assert!((0.5..0.7).contains(&found.activity), "{found:?}");
    let silent = measure(&[0.0; 16_000]);
    assert_eq!((silent.level_dbfs, silent.noise_dbfs, silent.snr_db()), (None, NOISE_FLOOR_DBFS, None));
    assert_eq!(measure(&[]).seconds, 0.0);
}

fn recordings() -> Vec<(PathBuf, Vec<f32>)> {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../suites/corpora");
    let mut all = Vec::new();
    for corpus in ["voices-en", "voices-te"] {
        let folder = std::fs::read_dir(corpora.join(corpus).join("audio")).expect("recordings ship");
        let mut paths: Vec<PathBuf> = folder.map(|e| e.expect("an entry").path()).collect();
        paths.sort();
        for path in paths {
            let samples = decode_file(&path, &DecodeOptions::default()).expect("decodes").samples;
            all.push((path, samples));
        }
    }
    all
}

/// 14 dB quieter, 5.3 ms of the beginning cut off, and 100 ms of silence before.
fn moved(samples: &[f32]) -> Vec<f32> {
    [0.0; 1600].iter().chain(&samples[85..]).map(|s| s * 0.2).collect()
}

fn mu_law_at_8k(samples: &[f32]) -> Vec<f32> {
    let low = vbench_dsp::resample(samples, 16_000, 8000);
    let code = |s: &f32| {
        let compressed = (1.0 + 255.0 * f64::from(s.abs()).min(1.0)).ln() / 256f64.ln();
        let step = (compressed * 127.0).round() / 127.0;
        (((256f64.powf(step) - 1.0) / 255.0) as f32).copysign(*s)
    };
    vbench_dsp::resample(&low.iter().map(code).collect::<Vec<_>>(), 8000, 16_000)
}

#[test]
fn copies_are_found_and_different_recordings_are_not() {
    let all = recordings();
    let prints: Vec<Fingerprint> = all.iter().map(|(_, samples)| Fingerprint::of(samples)).collect();
    let usable = prints.iter().filter(|p| p.active() >= MIN_FRAMES).count();
    assert!(usable >= 80, "{usable} of {} recordings are long enough", all.len());
    // No false alarm at the limit, nor far above it.
    let refs: Vec<&Fingerprint> = prints.iter().collect();
    assert_eq!(near_duplicates(&refs, 0.25), []);
    let close = near_duplicates(&refs, 0.36);
    let named: Vec<String> = close
        .iter()
        .map(|n| format!("{} {} {:.3}", all[n.first].0.display(), all[n.second].0.display(), n.distance))
        .collect();
    assert!(named.is_empty(), "of {} pairs: {named:?}", usable * (usable - 1) / 2);
    // Every copy is found, and with its own.
    type Copying = fn(&[f32]) -> Vec<f32>;
    let copies: [(&str, Copying); 2] = [("moved", moved), ("mu-law", mu_law_at_8k)];
    for (name, copy) in copies {
        let copied: Vec<Fingerprint> = all.iter().map(|(_, samples)| Fingerprint::of(&copy(samples))).collect();
        let both: Vec<&Fingerprint> = prints.iter().chain(&copied).collect();
        let found = near_duplicates(&both, 0.25);
        assert!(found.iter().all(|n| n.second == n.first + all.len()), "{name}: {found:?}");
        let expected = (0..all.len()).filter(|i| prints[*i].active().min(copied[*i].active()) >= MIN_FRAMES).count();
        assert_eq!(found.len(), expected, "{name}: all of them");
        let worst = found.iter().map(|n| n.distance).fold(0.0, f64::max);
        assert!(worst < 0.2, "{name}: {worst}");
    }
}

#[test]
fn short_and_silent_recordings_have_no_fingerprint() {
    for samples in [vec![], vec![0.1; 2000], vec![0.0; 48_000], tone(440.0, 0.5, 0.5)] {
        assert!(Fingerprint::of(&samples).active() < MIN_FRAMES);
    }
}
