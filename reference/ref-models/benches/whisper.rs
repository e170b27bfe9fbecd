//! How the front end grows with the audio and the encoder with its width, on random weights.
//!
//! `cargo bench -p ref-models`. Times of real weights against faster-whisper: `examples/transcribe.rs` and `parity/`.

#[path = "../tests/common/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod common;

use common::{Precision, SMALL, Shape, audio, noise, random, rng, write_safetensors};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ref_models::features::MelFrontEnd;
use ref_models::kernels::PackedWeights;
use ref_models::whisper::{Row, Whisper};
use std::hint::black_box;
use std::time::Duration;

fn log_mel(c: &mut Criterion) {
    let mut group = c.benchmark_group("log_mel");
    for mels in [80, 128] {
        let front_end = MelFrontEnd::new(mels);
        for seconds in [1u32, 5, 30, 300] {
            let pcm = audio(seconds as f32, 1);
            group.throughput(Throughput::Elements(pcm.len() as u64));
            let id = BenchmarkId::new(format!("{mels} mels"), format!("{seconds} s"));
            group.bench_with_input(id, &pcm, |b, pcm| b.iter(|| front_end.log_mel(black_box(pcm), 160)));
        }
    }
    group.finish();
}

fn model(width: usize) -> Whisper {
    let shape = Shape { width, heads: width / 64, inner: 4 * width, audio_context: 1500, text_context: 448, ..SMALL };
    let temp = tempfile::tempdir().expect("a temporary folder");
    write_safetensors(temp.path(), &shape, &random(&shape, 1), Precision::F16, 1);
    Whisper::load(temp.path()).expect("the checkpoint just written")
}

/// Two layers at the widths of tiny, base and small; 30 s of audio.
fn encoder_and_decoder(c: &mut Criterion) {
    let mut group = c.benchmark_group("two_layers");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    for width in [128, 256, 384, 512, 768] {
        let model = model(width);
        let mel = model.features(&audio(30.0, 1)).expect("finite audio");
        let frames = &mel.values[..3000 * mel.mels];
        group.bench_function(BenchmarkId::new("encoder", width), |b| {
            b.iter(|| model.encoder().forward(black_box(frames), 3000))
        });
        let decoder = model.decoder();
        let context = decoder.audio_context(&model.encoder().forward(frames, 3000));
        let row = Row { token: 50_257, position: 0, sequence: 0 };
        group.bench_function(BenchmarkId::new("decoder step", width), |b| {
            b.iter(|| decoder.logits(&decoder.forward(black_box(&[row]), &mut [decoder.cache()], &context)));
        });
    }
    group.finish();
}

/// One thread; twice the elements per second are the floating point operations per second.
fn matrix_product(c: &mut Criterion) {
    let mut group = c.benchmark_group("matrix_product");
    for (m, n, k) in
        [(60, 1152, 384), (60, 1536, 384), (60, 384, 1536), (12, 1500, 64), (12, 64, 1500), (1, 51_864, 384)]
    {
        let mut rng = rng(1);
        let weights = PackedWeights::from_f32(&noise(&mut rng, n * k, 1.0), n, k, None);
        let (a, mut out) = (noise(&mut rng, m * k, 1.0), vec![0.0; m * n]);
        group.throughput(Throughput::Elements((m * n * k) as u64));
        group.bench_function(format!("{m} x {n} x {k}"), |b| {
            b.iter(|| weights.apply(black_box(&a), k, m, &mut out, n, false))
        });
    }
    group.finish();
}

criterion_group!(benches, log_mel, matrix_product, encoder_and_decoder);
criterion_main!(benches);
