//! Broken files: every mutation ends in audio or in a typed error, in bounded time.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use common::testdata;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use vbench_audio::{DecodeError, DecodeOptions, decode_bytes};
use vbench_core::keyed::keyed_rng;

const SEEDS: [&str; 10] = [
    "speech.wav",
    "pcm_s24_extensible.wav",
    "float_64.wav",
    "mono.flac",
    "stereo_44k.flac",
    "lame.mp3",
    "lame_vbr_44k.mp3",
    "vorbis.ogg",
    "opus.opus",
    "opus_stereo_48k.opus",
];

/// 500, or as many as `VBENCH_MUTATIONS` says.
fn count() -> usize {
    std::env::var("VBENCH_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(500)
}

fn below(rng: &mut ChaCha8Rng, n: usize) -> usize {
    (rng.next_u64() % n.max(1) as u64) as usize
}

/// One to three edits: bit flips, truncation, header bytes, a splice from another file, a removed or doubled stretch.
fn mutate(rng: &mut ChaCha8Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[below(rng, seeds.len())].clone();
    for _ in 0..1 + below(rng, 3) {
        if bytes.is_empty() {
            break;
        }
        match below(rng, 7) {
            0 => {
                for _ in 0..1 + below(rng, 16) {
                    let at = below(rng, bytes.len());
                    bytes[at] ^= 1 << below(rng, 8);
                }
            }
            1 => bytes.truncate(below(rng, bytes.len())),
            2 => {
                // A header field of 1 to 8 bytes becomes all zeros, all ones or random.
                let at = below(rng, bytes.len().min(200));
                let end = (at + 1 + below(rng, 8)).min(bytes.len());
                let fill = below(rng, 3);
                for b in &mut bytes[at..end] {
                    *b = [0, 0xFF, rng.next_u64() as u8][fill];
                }
            }
            3 => {
                let other = &seeds[below(rng, seeds.len())];
                let from = below(rng, other.len());
                let to = from + below(rng, other.len() - from);
                let at = below(rng, bytes.len());
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            4 => {
                let from = below(rng, bytes.len());
                let to = from + below(rng, (bytes.len() - from).min(600));
                bytes.drain(from..to);
            }
            5 => {
                let from = below(rng, bytes.len());
                let to = from + below(rng, (bytes.len() - from).min(600));
                let part = bytes[from..to].to_vec();
                bytes.splice(to..to, part);
            }
            _ => repair_ogg(rng, &mut bytes),
        }
    }
    bytes
}

/// Flips bits in the body of an Ogg page and recomputes its checksum, so that the damage reaches the codec.
fn repair_ogg(rng: &mut ChaCha8Rng, bytes: &mut [u8]) {
    let pages: Vec<usize> = bytes.windows(4).enumerate().filter(|(_, w)| *w == b"OggS").map(|(i, _)| i).collect();
    if pages.is_empty() {
        return;
    }
    let at = pages[below(rng, pages.len())];
    let Some(segments) = bytes.get(at + 26).map(|n| usize::from(*n)) else {
        return;
    };
    let Some(lacing) = bytes.get(at + 27..at + 27 + segments) else {
        return;
    };
    let end = at + 27 + segments + lacing.iter().map(|l| usize::from(*l)).sum::<usize>();
    if end > bytes.len() || end == at + 27 + segments {
        return;
    }
    for _ in 0..1 + below(rng, 8) {
        let flip = at + 27 + segments + below(rng, end - at - 27 - segments);
        bytes[flip] ^= 1 << below(rng, 8);
    }
    bytes[at + 22..at + 26].fill(0);
    let crc = bytes[at..end].iter().fold(0u32, |crc, b| {
        (0..8).fold(crc ^ u32::from(*b) << 24, |c, _| if c >> 31 == 1 { c << 1 ^ 0x04c1_1db7 } else { c << 1 })
    });
    bytes[at + 22..at + 26].copy_from_slice(&crc.to_le_bytes());
}

#[test]
fn mutated_files_end_in_audio_or_a_typed_error() {
    let seeds: Vec<Vec<u8>> = SEEDS.iter().map(|name| std::fs::read(testdata(name)).unwrap()).collect();
    let options = DecodeOptions { max_duration_s: 60.0, ..DecodeOptions::default() };
    let (mut decoded, mut panicked, mut kinds) = (0, 0, std::collections::BTreeMap::<String, usize>::new());
    for index in 0..count() {
        let mut rng = keyed_rng(1, "mutation", &index.to_string(), "");
        let bytes = mutate(&mut rng, &seeds);
        let start = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| decode_bytes(&bytes, &options)));
        let outcome = outcome.unwrap_or_else(|_| panic!("mutation {index}: a panic escaped"));
        let took = start.elapsed();
        assert!(took < Duration::from_secs(5), "mutation {index} of {} bytes took {took:?}", bytes.len());
        match outcome {
            Ok(audio) => {
                decoded += 1;
                assert!(!audio.samples.is_empty() && audio.samples.len() <= 60 * 16_000, "mutation {index}");
                assert!(audio.samples.iter().all(|x| x.is_finite()), "mutation {index}");
            }
            Err(error) => {
                let text = error.to_string();
                assert!(text.len() > 10, "mutation {index}: {text}");
                panicked += usize::from(text.contains("panic:"));
                let kind = format!("{error:?}");
                *kinds.entry(kind.split([' ', '{']).next().unwrap_or_default().to_owned()).or_default() += 1;
                assert!(!matches!(error, DecodeError::Read { .. }), "mutation {index}: no file was read");
            }
        }
    }
    println!("{decoded} decoded, {panicked} panics caught, errors: {kinds:?}");
    // The mutations must reach both sides, else the test would prove nothing.
    assert!(decoded * 20 > count() && kinds.len() >= 5, "{decoded} decoded, {kinds:?}");
}
