//! Transcribes WAV files with a Whisper folder and prints one JSON line a file, then one with the totals.
//!
//! usage: `transcribe MODEL_DIR [--language CODE] [--temperature 0,0.2,...] [--best-of N] [--condition] [--no-timestamps]
//! [--audio-plus SECONDS] [--threads N] [--repeat N] [--seed N] (--audio-dir DIR --ids FILE | FILE.wav ...)`
//!
//! Files must be mono, 16 kHz, 16-bit PCM. `--temperature 0` switches the fallback off. The lines have the fields of
//! `parity/faster_whisper.py`.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use ref_models::whisper::{DecodeOptions, EncoderContext, Transcript, Whisper};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;

type AnyError = Box<dyn std::error::Error>;

struct Args {
    model: PathBuf,
    options: DecodeOptions,
    threads: usize,
    repeat: usize,
    seed: u64,
    files: Vec<(String, PathBuf)>,
}

fn parse() -> Result<Args, AnyError> {
    let mut args = std::env::args().skip(1);
    let model = args.next().ok_or("the first argument is the model folder")?.into();
    let mut out = Args { model, options: DecodeOptions::default(), threads: 0, repeat: 1, seed: 1, files: Vec::new() };
    let (mut dir, mut ids) = (None, None);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--language" => out.options.language = Some(value()?),
            "--temperature" => {
                out.options.temperatures = value()?.split(',').map(str::parse).collect::<Result<_, _>>()?
            }
            "--best-of" => out.options.best_of = value()?.parse()?,
            "--condition" => out.options.condition_on_previous_text = true,
            "--no-timestamps" => out.options.timestamps = false,
            "--audio-plus" => out.options.encoder_context = EncoderContext::AudioPlus(value()?.parse()?),
            "--threads" => out.threads = value()?.parse()?,
            "--repeat" => out.repeat = value()?.parse()?,
            "--seed" => out.seed = value()?.parse()?,
            "--audio-dir" => dir = Some(PathBuf::from(value()?)),
            "--ids" => ids = Some(value()?),
            _ if arg.starts_with("--") => return Err(format!("unknown option {arg}").into()),
            _ => {
                let path = PathBuf::from(&arg);
                let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                out.files.push((id, path));
            }
        }
    }
    if let Some(ids) = ids {
        let dir = dir.ok_or("--ids needs --audio-dir")?;
        let list = std::fs::read_to_string(ids)?;
        out.files.extend(list.split_whitespace().map(|id| (id.to_owned(), dir.join(format!("{id}.wav")))));
    }
    Ok(out)
}

fn read_wav(path: &Path) -> Result<Vec<f32>, AnyError> {
    let mut reader = hound::WavReader::open(path)?;
    let spec = reader.spec();
    if (spec.channels, spec.sample_rate, spec.bits_per_sample) != (1, 16_000, 16) {
        return Err(format!("{}: expected mono 16 kHz 16-bit PCM", path.display()).into());
    }
    Ok(reader.samples::<i16>().map(|s| s.map(|v| f32::from(v) / 32768.0)).collect::<Result<_, _>>()?)
}

/// User and system seconds of this process, and its peak resident memory in MiB; zeros where /proc is missing.
fn usage() -> (f64, f64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<f64>().ok());
    ((ticks(11) + ticks(12)) / 100.0, peak.unwrap_or(0.0) / 1024.0)
}

fn line(id: &str, t: &Transcript, wall: f64) -> serde_json::Value {
    let segments: Vec<_> = t
        .segments
        .iter()
        .map(|s| {
            json!({"start_s": s.start_s, "end_s": s.end_s, "text": s.text, "avg_logprob": s.avg_logprob, "no_speech_prob": s.no_speech_prob,
                "compression_ratio": s.compression_ratio, "temperature": s.temperature, "tokens": s.tokens})
        })
        .collect();
    let times = [t.times.features, t.times.encoder, t.times.decoder].map(|d| d.as_secs_f64());
    json!({"id": id, "text": t.text, "language": t.language, "language_probability": t.language_probability, "wall_s": wall,
        "features_s": times[0], "encoder_s": times[1], "decoder_s": times[2], "windows": t.windows, "fallbacks": t.fallbacks, "segments": segments})
}

#[expect(clippy::print_stdout, reason = "its output is what the program is for")]
fn run(args: &Args) -> Result<(), AnyError> {
    let clock = Instant::now();
    let model = Whisper::load(&args.model)?;
    let load = clock.elapsed().as_secs_f64();
    let clips = args.files.iter().map(|(id, p)| Ok((id, read_wav(p)?))).collect::<Result<Vec<_>, AnyError>>()?;
    let (mut walls, mut cpus) = (Vec::new(), Vec::new());
    let mut stages = [0.0; 3];
    for turn in 0..args.repeat {
        let (clock, cpu) = (Instant::now(), usage().0);
        stages = [0.0; 3];
        for (id, pcm) in &clips {
            let clock = Instant::now();
            let mut rng = ChaCha8Rng::seed_from_u64(args.seed);
            let transcript = model.transcribe(pcm, &args.options, &mut rng)?;
            let t = transcript.times;
            for (sum, d) in stages.iter_mut().zip([t.features, t.encoder, t.decoder]) {
                *sum += d.as_secs_f64();
            }
            if turn + 1 == args.repeat {
                println!("{}", line(id, &transcript, clock.elapsed().as_secs_f64()));
            }
        }
        walls.push(clock.elapsed().as_secs_f64());
        cpus.push(usage().0 - cpu);
    }
    let totals = json!({"clips": clips.len(), "model": model.info().name, "dtype": model.info().dtype, "threads": rayon::current_num_threads(),
        "load_s": load, "wall_s": walls, "cpu_s": cpus, "features_s": stages[0], "encoder_s": stages[1], "decoder_s": stages[2], "peak_mib": usage().1});
    println!("{totals}");
    Ok(())
}

fn main() -> Result<(), AnyError> {
    let args = parse()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads).build()?;
    pool.install(|| run(&args).map_err(|e| e.to_string())).map_err(Into::into)
}
