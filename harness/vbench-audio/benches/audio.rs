//! Time of every stage over the length of a clip. The clip is the oracles' first sentence, repeated.

use std::hint::black_box;
use std::path::PathBuf;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use vbench_audio::{
    Clip, DecodeOptions, DegradeContext, LongTermSpectrum, SpectrumAccumulator, active_speech_level, adpcm,
    decode_bytes, decode_file, decode_g722, degrade, encode_ogg_opus, encode_wav, g711, g722, gsm, resample,
};
use vbench_core::Condition;
use vbench_core::hash::sha256_samples;

const RATE: usize = 16_000;

fn file(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn clip(seconds: usize) -> Vec<f32> {
    let path = file("../../golden/oracles/wav/speech_a0.wav");
    let speech = decode_file(&path, &DecodeOptions::default()).expect("the oracles' wav").samples;
    speech.iter().copied().cycle().take(seconds * RATE).collect()
}

fn spectrum() -> LongTermSpectrum {
    let mut accumulator = SpectrumAccumulator::new();
    accumulator.add("a", &clip(5));
    accumulator.finish().expect("speech")
}

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    for seconds in [1, 4, 30] {
        group.throughput(Throughput::Elements((seconds * RATE) as u64));
        let wav = encode_wav(&clip(seconds)).expect("wav");
        let opus = encode_ogg_opus(&clip(seconds)).expect("opus");
        for (name, bytes) in [("wav", &wav), ("opus", &opus)] {
            group.bench_with_input(BenchmarkId::new(name, seconds), bytes, |b, bytes| {
                b.iter(|| decode_bytes(black_box(bytes), &DecodeOptions::default()).expect("audio"));
            });
        }
    }
    // Quarter-second files of the remaining formats.
    group.throughput(Throughput::Elements(4_000));
    for name in ["mono.flac", "lame.mp3", "vorbis.ogg"] {
        let bytes = std::fs::read(file("testdata").join(name)).expect("test data");
        group.bench_with_input(BenchmarkId::new(name, "0.25"), &bytes, |b, bytes| {
            b.iter(|| decode_bytes(black_box(bytes), &DecodeOptions::default()).expect("audio"));
        });
    }
    let g722: Vec<u8> = (0..32_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    group.throughput(Throughput::Elements(64_000));
    group.bench_function(BenchmarkId::new("g722", 4), |b| b.iter(|| decode_g722(black_box(&g722))));
    group.finish();
}

fn stages(c: &mut Criterion) {
    let mut group = c.benchmark_group("stage");
    for seconds in [1, 4, 30] {
        let clip = clip(seconds);
        group.throughput(Throughput::Elements(clip.len() as u64));
        group.bench_with_input(BenchmarkId::new("p56", seconds), &clip, |b, x| {
            b.iter(|| active_speech_level(black_box(x), RATE as u32));
        });
        group.bench_with_input(BenchmarkId::new("sha256", seconds), &clip, |b, x| {
            b.iter(|| sha256_samples(black_box(x)))
        });
        group.bench_with_input(BenchmarkId::new("spectrum", seconds), &clip, |b, x| {
            b.iter(|| {
                let mut accumulator = SpectrumAccumulator::new();
                accumulator.add("a", black_box(x));
                accumulator
            });
        });
        let source: Vec<f32> = clip.iter().copied().cycle().take(seconds * 44_100).collect();
        group.bench_with_input(BenchmarkId::new("resample 44.1k to 16k", seconds), &source, |b, x| {
            b.iter(|| resample(black_box(x), 44_100, 16_000));
        });
    }
    group.finish();
}

fn conditions(c: &mut Criterion) {
    let spectrum = spectrum();
    let context = DegradeContext { seed: 1, utterance: "bench/a", corpus_spectrum: Some(&spectrum), recordings: None };
    let mut group = c.benchmark_group("degrade");
    group.sample_size(20);
    for seconds in [1, 4, 30] {
        let clip = clip(seconds);
        group.throughput(Throughput::Elements(clip.len() as u64));
        for name in
            ["clean", "noise-5db", "pink-10db", "hum-10db", "reverb", "far-field", "mp3-64k", "opus-16k", "telephone"]
        {
            let condition = Condition::builtin(name).expect("a built-in condition");
            group.bench_with_input(BenchmarkId::new(name, seconds), &clip, |b, x| {
                b.iter(|| degrade(black_box(x), &condition, &context).expect("degraded"));
            });
        }
    }
    // All levels of one utterance share what a `Clip` holds: the cost of one more level.
    for seconds in [1, 4, 30] {
        let clip = Clip::new(clip(seconds)).expect("clip");
        let condition = Condition::builtin("noise-5db").expect("a built-in condition");
        group.throughput(Throughput::Elements(clip.samples().len() as u64));
        group.bench_with_input(BenchmarkId::new("noise-5db, shared clip", seconds), &clip, |b, clip| {
            b.iter(|| clip.degrade(black_box(&condition), &context).expect("degraded"));
        });
    }
    group.finish();
}

/// Channel steps, one of each kind. They cost the clip's hash and level besides: see `stage`.
const CHANNEL: [&str; 12] = [
    "dropouts(per_minute=30, mean_ms=80)",
    "clip(below_peak_db=12)",
    "gain(db=6)",
    "dc(offset=0.05)",
    "band(low_hz=300, high_hz=3400)",
    "rate-mismatch(recorded_hz=16000, declared_hz=16320)",
    "speed(factor=1.1)",
    "tempo(factor=1.1)",
    "tempo(factor=0.9)",
    "pitch(semitones=2)",
    "microphone(kind=handset)",
    "agc",
];

fn channel(c: &mut Criterion) {
    let context = DegradeContext { seed: 1, utterance: "bench/a", corpus_spectrum: None, recordings: None };
    let mut group = c.benchmark_group("channel");
    group.sample_size(20);
    for seconds in [1, 4, 30] {
        let clip = Clip::new(clip(seconds)).expect("clip");
        group.throughput(Throughput::Elements(clip.samples().len() as u64));
        for recipe in CHANNEL {
            let condition = Condition::from_recipe("bench", recipe).expect("a recipe");
            group.bench_with_input(BenchmarkId::new(recipe, seconds), &clip, |b, clip| {
                b.iter(|| clip.degrade(black_box(&condition), &context).expect("degraded"));
            });
        }
    }
    group.finish();
}

fn codecs(c: &mut Criterion) {
    let context = DegradeContext { seed: 1, utterance: "bench/a", corpus_spectrum: None, recordings: None };
    let mut group = c.benchmark_group("codec");
    group.sample_size(10);
    for seconds in [1, 4, 30] {
        let clip = clip(seconds);
        group.throughput(Throughput::Elements(clip.len() as u64));
        for recipe in [
            "narrowband",
            "mulaw",
            "alaw",
            "adpcm",
            "gsm",
            "g722",
            "vorbis(quality=0.3)",
            "mp3(kbps=64)",
            "mp3(kbps=192)",
            "opus(kbps=16)",
            "opus(kbps=24, loss=0.05, fec=on)",
        ] {
            let condition = Condition::from_recipe("bench", recipe).expect("a recipe");
            group.bench_with_input(BenchmarkId::new(recipe, seconds), &clip, |b, x| {
                b.iter(|| degrade(black_box(x), &condition, &context).expect("degraded"));
            });
        }
    }
    group.finish();
    // The sample codecs alone, without the way to 8 kHz and back; a copy of the samples shows what memory allows.
    let mut group = c.benchmark_group("sample codec");
    for seconds in [1, 4, 30] {
        let pcm: Vec<i16> = clip(seconds).iter().map(|x| (x * 32_768.0) as i16).collect();
        let codes = g711::encode_mulaw(&pcm);
        group.throughput(Throughput::Elements(pcm.len() as u64));
        let mut add = |name: &str, run: &dyn Fn() -> usize| {
            group.bench_function(BenchmarkId::new(name, seconds), |b| b.iter(run));
        };
        add("copy", &|| black_box(black_box(&pcm).to_vec()).len());
        add("mulaw encode", &|| black_box(g711::encode_mulaw(black_box(&pcm))).len());
        add("mulaw decode", &|| black_box(g711::decode_mulaw(black_box(&codes))).len());
        add("alaw encode", &|| black_box(g711::encode_alaw(black_box(&pcm))).len());
        add("alaw decode", &|| black_box(g711::decode_alaw(black_box(&codes))).len());
        add("adpcm", &|| black_box(adpcm::decode(&adpcm::encode(black_box(&pcm)).0)).len());
        add("g722", &|| black_box(g722::decode(&g722::encode(black_box(&pcm)))).len());
        add("gsm", &|| black_box(gsm::decode(&gsm::encode(black_box(&pcm)))).len());
    }
    group.finish();
}

criterion_group!(benches, decode, stages, conditions, channel, codecs);
criterion_main!(benches);
