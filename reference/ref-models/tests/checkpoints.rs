//! Reading checkpoints: every format gives the same model, and broken files give errors.

#![expect(clippy::unwrap_used, reason = "part of tests")]

mod common;

use common::{Precision, SMALL, Shape, audio, random, rng, write_ct2, write_safetensors};
use rand::Rng;
use ref_models::Error;
use ref_models::checkpoint::{Kind, ct2, safetensors};
use ref_models::whisper::{DecodeOptions, Transcript, Whisper};
use std::path::Path;

fn transcribe(dir: &Path) -> Transcript {
    let model = Whisper::load(dir).unwrap();
    let options = DecodeOptions { temperatures: vec![0.0], no_speech_threshold: None, ..DecodeOptions::default() };
    let mut t = model.transcribe(&audio(3.0, 5), &options, &mut rng(1)).unwrap();
    t.times = Default::default();
    assert!(t.segments.iter().map(|s| s.tokens.len()).sum::<usize>() > 10, "enough tokens to tell models apart");
    t
}

#[test]
fn safetensors_shards_and_ctranslate2_give_the_same_transcript() {
    let temp = tempfile::tempdir().unwrap();
    let dir = |name: &str| temp.path().join(name);
    let tensors = random(&SMALL, 11);
    for precision in [Precision::F32, Precision::F16] {
        write_safetensors(&dir("hf"), &SMALL, &tensors, precision, 1);
        write_safetensors(&dir("shards"), &SMALL, &tensors, precision, 3);
        write_ct2(&dir("ct2"), &SMALL, &tensors, precision);
        let want = transcribe(&dir("hf"));
        assert_eq!(transcribe(&dir("shards")), want, "{precision:?} shards");
        assert_eq!(transcribe(&dir("ct2")), want, "{precision:?} CTranslate2");
    }
    // The random weights are exact in half precision, so both precisions are the same model too.
    write_safetensors(&dir("wide"), &SMALL, &tensors, Precision::F32, 1);
    assert_eq!(transcribe(&dir("wide")), transcribe(&dir("ct2")));
    write_ct2(&dir("int8"), &SMALL, &tensors, Precision::Int8);
    write_safetensors(&dir("of8"), &SMALL, &common::quantised(&tensors), Precision::F32, 1);
    assert_eq!(transcribe(&dir("int8")), transcribe(&dir("of8")), "8-bit weights stand for weight / scale");
}

#[test]
fn the_kind_is_found_and_pickles_are_refused_with_a_hint() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    assert!(matches!(Kind::detect(dir), Err(Error::NoCheckpoint { hint, .. }) if hint.is_empty()));
    for name in ["tiny.en.pt", "pytorch_model.bin"] {
        std::fs::write(dir.join(name), b"\x80\x02}q\x00.").unwrap();
        let message = Whisper::load(dir).unwrap_err().to_string();
        assert!(message.contains(name) && message.contains("pickle") && message.contains("convert"), "{message}");
        assert!(Whisper::load(&dir.join(name)).unwrap_err().to_string().contains("pickle"));
        std::fs::remove_file(dir.join(name)).unwrap();
    }
    std::fs::write(dir.join("model.bin"), b"").unwrap();
    assert_eq!(Kind::detect(dir).unwrap(), Kind::CTranslate2);
    std::fs::write(dir.join("model.safetensors"), b"").unwrap();
    assert_eq!(Kind::detect(dir).unwrap(), Kind::Safetensors);
}

/// A model small enough to be written hundreds of times; readers do not look at the vocabulary.
const MINIATURE: Shape =
    Shape { mels: 4, width: 8, layers: 1, heads: 2, inner: 8, vocabulary: 40, audio_context: 4, text_context: 8 };

/// Truncations at every 7th byte and mutations of 1 to 4 bytes, mostly in names, counts and shapes: a typed error or a model, never a panic.
fn attack(bytes: &[u8], header: usize, read: impl Fn(&[u8]) -> Result<(), Error>) -> (usize, usize) {
    assert!(read(bytes).is_ok());
    for cut in (0..bytes.len()).step_by(7) {
        assert!(read(&bytes[..cut]).is_err(), "truncated to {cut} of {} bytes", bytes.len());
    }
    let mut rng = rng(99);
    let mut draw = |n: usize| (rng.next_u64() % n as u64) as usize;
    let (mut errors, mut accepted) = (0, 0);
    for _ in 0..600 {
        let mut bad = bytes.to_vec();
        for _ in 0..=draw(4) {
            let at = draw(header);
            bad[at] = [0, 1, 0x7F, 0x80, 0xFF, draw(256) as u8][draw(6)];
        }
        match read(&bad) {
            Ok(()) => accepted += 1,
            Err(_) => errors += 1,
        }
    }
    (errors, accepted)
}

#[test]
fn broken_ctranslate2_files_are_errors() {
    let temp = tempfile::tempdir().unwrap();
    let bytes = common::ct2_bytes(&MINIATURE, &random(&MINIATURE, 3), Precision::F16);
    let (errors, _) = attack(&bytes, bytes.len(), |b| {
        std::fs::write(temp.path().join("model.bin"), b).unwrap();
        ct2::read(temp.path()).map(|_| ())
    });
    assert!(errors > 50, "{errors} of 600");
    // A tensor that claims 4 GB ends at the size of the file.
    let mut huge = bytes;
    let at = huge.windows(8).position(|w| w == b"um_heads").unwrap() + 9;
    huge.splice(at..at + 6, [2, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
    std::fs::write(temp.path().join("model.bin"), &huge).unwrap();
    assert!(ct2::read(temp.path()).is_err());
}

#[test]
fn broken_safetensors_files_are_errors() {
    let temp = tempfile::tempdir().unwrap();
    let bytes = common::safetensors_bytes(&random(&MINIATURE, 3), Precision::F32);
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let read = |b: &[u8]| {
        std::fs::write(temp.path().join("model.safetensors"), b).unwrap();
        safetensors::read(temp.path()).map(|_| ())
    };
    let (errors, _) = attack(&bytes, header, read);
    assert!(errors > 300, "{errors} of 600");
    let forged = |json: &str| {
        read(&[&(json.len() as u64).to_le_bytes(), json.as_bytes(), &[0; 64]].concat()).unwrap_err().to_string()
    };
    for json in [
        r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,64]}}"#,
        r#"{"a":{"dtype":"F32","shape":[16],"data_offsets":[64,0]}}"#,
        r#"{"a":{"dtype":"F32","shape":[16],"data_offsets":[0,65]}}"#,
        r#"{"a":{"dtype":"F32","shape":[16],"data_offsets":[0,64]},"b":{"dtype":"F32","shape":[16],"data_offsets":[0,64]}}"#,
        r#"{"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,64]}}"#,
        r#"{"a":{"dtype":"I64","shape":[8],"data_offsets":[0,64]}}"#,
        "[]",
    ] {
        assert!(!forged(json).is_empty(), "{json}");
    }
}

#[test]
fn what_is_missing_or_misshapen_is_named() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let good = random(&SMALL, 4);
    let load = |tensors| {
        write_safetensors(dir, &SMALL, tensors, Precision::F16, 1);
        Whisper::load(dir).unwrap_err().to_string()
    };
    let mut less = good.clone();
    less.remove("model.decoder.layers.1.encoder_attn.v_proj.weight");
    assert!(load(&less).contains("decoder.layers.1.encoder_attn.v_proj.weight is missing"));
    let mut bent = good.clone();
    bent.insert("model.encoder.layers.0.fc2.bias".into(), (vec![7], vec![0.0; 7]));
    assert!(load(&bent).contains("encoder.layers.0.fc2.bias has shape [7], expected [48]"));
    let mut foreign = good;
    foreign.insert("model.decoder.embed_tokens.weight".into(), (vec![100, 48], vec![0.0; 4800]));
    assert!(load(&foreign).contains("vocabulary 100, expected 51864 to 51866"));
}

/// Found by fuzzing: a zero beside huge dimensions has no elements but overflowed the stride product.
#[test]
fn a_ct2_tensor_with_a_zero_and_huge_dimensions_is_refused() {
    let hex = "060000000c005768697370657253706563000300000001000000020077000400000000ffffffffffffffffffffffff000000000000000000";
    let bytes: Vec<u8> = (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect();
    let temp = tempfile::tempdir().unwrap();
    std::fs::write(temp.path().join("model.bin"), bytes).unwrap();
    let error = ct2::read(temp.path()).err().map(|e| e.to_string()).unwrap_or_default();
    assert!(error.contains("shape"), "{error}");
}
