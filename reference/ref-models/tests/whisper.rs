//! The model itself, on small random weights.

#![expect(clippy::unwrap_used, reason = "part of tests")]

#[expect(dead_code, reason = "the other test files use the rest")]
mod common;

use candle_core::{Device, Tensor};
use common::{Precision, SMALL, Shape, audio, random, rng, write_safetensors};
use ref_models::Error;
use ref_models::checkpoint::safetensors;
use ref_models::whisper::plain::PlainWhisper;
use ref_models::whisper::{DecodeOptions, EncoderContext, Row, StageTimes, Transcript, Whisper};
use tempfile::TempDir;

fn model(shape: &Shape, seed: u64) -> (Whisper, TempDir) {
    let temp = tempfile::tempdir().unwrap();
    write_safetensors(temp.path(), shape, &random(shape, seed), Precision::F16, 1);
    (Whisper::load(temp.path()).unwrap(), temp)
}

/// Takes every window for speech, so that random models say something.
fn talkative() -> DecodeOptions {
    DecodeOptions { temperatures: vec![0.0], no_speech_threshold: None, ..DecodeOptions::default() }
}

fn run(model: &Whisper, pcm: &[f32], options: &DecodeOptions, seed: u64) -> Transcript {
    Transcript { times: StageTimes::default(), ..model.transcribe(pcm, options, &mut rng(seed)).unwrap() }
}

fn worst(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn the_fast_path_computes_what_plain_candle_operations_compute() {
    for shape in [SMALL, Shape { width: 128, heads: 2, inner: 160, mels: 128, audio_context: 130, ..SMALL }] {
        let (model, temp) = model(&shape, 21);
        let weights = safetensors::read(temp.path()).unwrap();
        let config = model.info().config.clone();
        let plain = PlainWhisper::new(&weights, &config);
        let mel = model.features(&audio(1.5, 2)).unwrap();
        let frames = model.window_frames();
        let fast = model.encoder().forward(&mel.values, frames);
        let mut padded = mel.values.clone();
        padded.resize(frames * shape.mels, 0.0);
        let encoded = plain.encode(&Tensor::from_vec(padded, (frames, shape.mels), &Device::Cpu).unwrap()).unwrap();
        let difference = worst(&fast, &encoded.flatten_all().unwrap().to_vec1().unwrap());
        assert!(difference < 2e-4, "encoder differs by {difference}");
        let tokens = [50_257, 50_363, 11, 3000, 220, 50_400];
        let rows: Vec<Row> =
            tokens.iter().enumerate().map(|(position, &token)| Row { token, position, sequence: 0 }).collect();
        let decoder = model.decoder();
        let context = decoder.audio_context(&fast);
        let logits = decoder.logits(&decoder.forward(&rows, &mut [decoder.cache()], &context));
        let want = plain.logits(&tokens, &encoded).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let spread = want.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        let difference = worst(&logits, &want);
        assert!(difference < 2e-4 * spread.max(1.0), "logits up to {spread} differ by {difference}");
    }
}

/// The cache is exact: a prompt at once, its tokens one by one, and two sequences in lock step give the same bits.
#[test]
fn caches_change_no_bit() {
    let (model, _temp) = model(&SMALL, 22);
    let decoder = model.decoder();
    let mel = model.features(&audio(1.0, 3)).unwrap();
    let context = decoder.audio_context(&model.encoder().forward(&mel.values, model.window_frames()));
    let tokens = [50_257u32, 50_363, 40, 41, 42];
    let row = |position: usize, sequence: usize| Row { token: tokens[position], position, sequence };
    let at_once = decoder.forward(&(0..5).map(|p| row(p, 0)).collect::<Vec<_>>(), &mut [decoder.cache()], &context);
    let mut caches = [decoder.cache(), decoder.cache()];
    for p in 0..5 {
        let both = decoder.forward(&[row(p, 0), row(p, 1)], &mut caches, &context);
        let (a, b) = both.split_at(SMALL.width);
        assert_eq!(a, &at_once[p * SMALL.width..(p + 1) * SMALL.width], "position {p}");
        assert_eq!(a, b);
    }
}

#[test]
fn threads_change_no_bit() {
    // Wide enough that products are shared between threads.
    let shape = Shape { width: 256, heads: 4, inner: 1024, audio_context: 200, ..SMALL };
    let (model, _temp) = model(&shape, 23);
    let pcm = audio(9.0, 4);
    let options = DecodeOptions { temperatures: vec![0.0, 0.4], best_of: 3, ..talkative() };
    let results: Vec<Transcript> = [1, 2, 4]
        .into_iter()
        .map(|n| {
            rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap().install(|| run(&model, &pcm, &options, 7))
        })
        .collect();
    assert!(results[0].windows > 1);
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
    let bits = |t: &Transcript| t.segments.iter().map(|s| s.avg_logprob.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&results[0]), bits(&results[1]));
    // Several callers at once.
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..3).map(|_| scope.spawn(|| run(&model, &pcm, &options, 7))).collect();
        for call in calls {
            assert_eq!(call.join().unwrap(), results[0]);
        }
    });
}

#[test]
fn windows_follow_timestamps_and_cover_long_audio() {
    let (model, _temp) = model(&Shape { audio_context: 1500, ..SMALL }, 24);
    let pcm = audio(65.0, 6);
    let t = run(&model, &pcm, &talkative(), 1);
    assert!(t.windows >= 3, "windows of 30 s over 65 s: {}", t.windows);
    assert!(t.segments.last().unwrap().end_s > 35.0);
    for pair in t.segments.windows(2) {
        assert!(pair[1].start_s >= pair[0].start_s);
    }
    assert!(t.segments.iter().all(|s| s.end_s > s.start_s && !s.text.trim().is_empty()));
    let conditioned = run(&model, &pcm, &DecodeOptions { condition_on_previous_text: true, ..talkative() }, 1);
    assert_eq!(conditioned.segments[0], t.segments[0], "the first window has no previous text");
    assert_ne!(conditioned.text, t.text, "later ones have");
    let plain = run(&model, &pcm, &DecodeOptions { timestamps: false, ..talkative() }, 1);
    assert!(plain.segments[0].tokens[0] < 50_256, "the first token need not be a timestamp");
}

/// A random model falls into loops, or is improbable; every result is tried at the next temperature, with draws from the generator only.
#[test]
fn fallback_rises_through_the_temperatures() {
    let (model, _temp) = model(&SMALL, 25);
    let pcm = audio(1.5, 8);
    let never = DecodeOptions {
        temperatures: vec![0.0, 0.5, 1.0],
        logprob_threshold: Some(0.0),
        no_speech_threshold: None,
        ..talkative()
    };
    let t = run(&model, &pcm, &never, 1);
    assert_eq!(t.fallbacks, 2);
    assert_eq!(run(&model, &pcm, &never, 1), t, "the same generator gives the same transcript");
    assert_ne!(run(&model, &pcm, &never, 2), t);
    let passes = DecodeOptions { logprob_threshold: None, compression_ratio_threshold: None, ..never.clone() };
    let t = run(&model, &pcm, &passes, 1);
    assert_eq!((t.fallbacks, t.segments[0].temperature), (0, 0.0));
    // Of several candidates the most probable is kept.
    let hot = |best_of| DecodeOptions { temperatures: vec![1.0], best_of, ..passes.clone() };
    let mean = |n| run(&model, &pcm, &hot(n), 3).segments[0].avg_logprob;
    assert!(mean(16) > mean(1), "{} {}", mean(16), mean(1));
}

#[test]
fn silence_is_skipped_where_the_model_says_so() {
    let (model, _temp) = model(&SMALL, 26);
    let options = DecodeOptions { no_speech_threshold: Some(0.0), logprob_threshold: Some(0.0), ..talkative() };
    let t = run(&model, &audio(5.0, 9), &options, 1);
    assert!(t.segments.is_empty() && t.text.is_empty() && t.windows == 3, "{t:?}");
}

/// large-v3: 128 mels, 51866 tokens, 100 languages, ids one higher from the tasks on. Not run on real weights.
#[test]
fn large_v3_shapes_and_ids() {
    let shape =
        Shape { mels: 128, vocabulary: 51_866, width: 64, heads: 1, audio_context: 1500, text_context: 448, ..SMALL };
    let (model, _temp) = model(&shape, 27);
    assert_eq!(model.info().languages.len(), 100);
    assert_eq!(model.info().languages[99], "yue");
    assert_eq!(model.features(&audio(1.0, 1)).unwrap().mels, 128);
    let special = model.special_tokens();
    assert_eq!((special.transcribe, special.no_timestamps, special.first_timestamp), (50_360, 50_364, 50_365));
    let p = model.detect_language(&audio(1.0, 1)).unwrap();
    assert!(p.len() == 100 && (p.iter().sum::<f64>() - 1.0).abs() < 1e-6 && p.iter().all(|p| *p > 0.0));
    let t = run(&model, &audio(1.0, 1), &talkative(), 1);
    let best = p.iter().copied().fold(0.0, f64::max);
    assert_eq!(t.language_probability, best);
    let tokens: Vec<u32> = t.segments.iter().flat_map(|s| s.tokens.clone()).collect();
    assert!(tokens[0] >= special.first_timestamp && tokens[0] <= special.first_timestamp + 50);
    assert!(
        tokens
            .iter()
            .all(|t| *t < special.end_of_text || *t >= special.first_timestamp || special.language("en") <= Some(*t))
    );
    let fixed = run(&model, &audio(1.0, 1), &DecodeOptions { language: Some("te".into()), ..talkative() }, 1);
    assert_eq!((fixed.language.as_str(), fixed.language_probability), ("te", 1.0));
}

#[test]
fn a_shorter_encoder_context_is_an_option() {
    let (model, _temp) = model(&SMALL, 28);
    let pcm = audio(0.5, 1);
    let with = |context| run(&model, &pcm, &DecodeOptions { encoder_context: context, ..talkative() }, 1);
    // 0.5 s and 1.5 s are the whole window of 2 s.
    assert_eq!(with(EncoderContext::AudioPlus(1.5)), with(EncoderContext::Full30s));
    assert_ne!(with(EncoderContext::AudioPlus(0.3)).segments, with(EncoderContext::Full30s).segments);
}

#[test]
fn bad_audio_and_options_are_errors() {
    let (model, _temp) = model(&SMALL, 29);
    let fails = |pcm: &[f32], options: &DecodeOptions| model.transcribe(pcm, options, &mut rng(1)).unwrap_err();
    let ok = audio(0.5, 1);
    assert!(matches!(fails(&[], &talkative()), Error::Audio(_)));
    assert!(matches!(fails(&ok[..159], &talkative()), Error::Audio(_)));
    assert!(matches!(fails(&[f32::INFINITY; 400], &talkative()), Error::Audio(_)));
    let message = fails(&ok, &DecodeOptions { language: Some("te".into()), ..talkative() }).to_string();
    assert!(message.contains("\"te\""), "{message}");
    for options in [
        DecodeOptions { temperatures: vec![], ..talkative() },
        DecodeOptions { temperatures: vec![-1.0], ..talkative() },
        DecodeOptions { temperatures: vec![f64::NAN], ..talkative() },
        DecodeOptions { best_of: 0, ..talkative() },
        DecodeOptions { encoder_context: EncoderContext::AudioPlus(f64::NAN), ..talkative() },
    ] {
        assert!(matches!(fails(&ok, &options), Error::Option { .. }));
    }
    assert!(model.transcribe(&ok[..160], &talkative(), &mut rng(1)).is_ok());
}

#[test]
fn broken_weights_are_an_error_and_not_a_transcript() {
    let temp = tempfile::tempdir().unwrap();
    let mut tensors = random(&SMALL, 30);
    tensors.get_mut("model.decoder.layer_norm.weight").unwrap().1[3] = f32::NAN;
    write_safetensors(temp.path(), &SMALL, &tensors, Precision::F32, 1);
    let model = Whisper::load(temp.path()).unwrap();
    assert!(matches!(model.transcribe(&audio(0.5, 1), &talkative(), &mut rng(1)), Err(Error::NotFinite { .. })));
}

/// A caller may hand the model to other threads.
#[test]
fn the_model_is_sync() {
    fn check<T: Send + Sync>() {}
    check::<Whisper>();
}
