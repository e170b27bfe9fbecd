//! `vbench degrade`: files through conditions, with a manifest and receipts.

use std::collections::{BTreeMap, HashSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use serde_json::{Value, json};
use vbench_audio::audio_files;
use vbench_core::hash::sha256_hex;
use vbench_core::{BUILTIN_CONDITIONS, Cell, Condition, ExitCode, Outcome, Utterance};
use vbench_run::{AudioPreparer, Heard};
use vbench_store::RowReceipt;
use vbench_suite::SuiteError;
use vbench_suite::manifest::parse_manifest;

use crate::cli::DegradeArguments;
use crate::failure::{Failure, note, say};
use crate::open::{audio_cache, cache_folder};
use crate::progress::Progress;

/// Cells of a spectrogram.
const COLUMNS: usize = 280;
const BANDS: usize = 64;

/// One clip through one condition.
struct Task {
    cell: Cell,
    /// Below the output folder, or the output file itself.
    path: PathBuf,
}

/// Degrades a file, folder or manifest.
pub fn degrade(arguments: &DegradeArguments) -> Result<ExitCode, Failure> {
    let conditions = conditions(arguments)?;
    let utterances = inputs(arguments)?;
    let tasks = tasks(arguments, &utterances, &conditions)?;
    let single = tasks.len() == 1 && is_wav(&arguments.out);
    let folder = if single { Path::new("") } else { arguments.out.as_path() };
    if !single {
        check_folder(arguments)?;
    }
    let cache = audio_cache(&arguments.audio_cache, &cache_folder(&arguments.cache)?);
    let corpora = [(arguments.corpus.as_str(), utterances.as_slice())];
    let preparer = AudioPreparer::new(&utterances, &conditions, corpora, arguments.seed).with_cache(cache.as_ref());
    let progress = Mutex::new(Progress::new("clips", tasks.len() as u64, false, arguments.quiet));
    let run = |task: &Task| {
        let made = make(&preparer, task, folder, arguments.spectrogram);
        let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(Problem::Clip(text) | Problem::Skipped(text)) = &made {
            progress.say(&format!("{}: {text}", task.cell.key));
        }
        progress.step();
        made
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(arguments.jobs.map_or(0, usize::from)).build();
    let pool = pool.map_err(|e| Failure::new(ExitCode::Internal, e))?;
    let made: Vec<Result<Value, Problem>> = pool.install(|| {
        preparer.measure_spectra();
        tasks.par_iter().map(run).collect()
    });
    progress.lock().unwrap_or_else(PoisonError::into_inner).finish();
    let lines: Vec<Value> = tasks
        .iter()
        .zip(&made)
        .filter_map(|(task, made)| Some(line(&utterances, &conditions, task, made.as_ref().ok()?)))
        .collect();
    if !single {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        write(&folder.join("manifest.jsonl"), &[text.as_bytes()])?;
    }
    if arguments.json {
        say(format!("{:#}", json!({"schema": "vbench/degrade/1", "seed": arguments.seed, "results": lines})));
    }
    finish(arguments, &made)
}

fn finish(arguments: &DegradeArguments, made: &[Result<Value, Problem>]) -> Result<ExitCode, Failure> {
    let count = |f: fn(&Problem) -> bool| made.iter().filter(|m| m.as_ref().is_err_and(f)).count();
    if let Some(Problem::Write(text)) =
        made.iter().filter_map(|m| m.as_ref().err()).find(|p| matches!(p, Problem::Write(_)))
    {
        return Err(Failure::new(ExitCode::OutputNotWritten, text));
    }
    let failed = count(|p| matches!(p, Problem::Clip(_)));
    let skipped = count(|p| matches!(p, Problem::Skipped(_)));
    note(format_args!(
        "{} of {} clips written to {}{}",
        made.len() - failed - skipped,
        made.len(),
        arguments.out.display(),
        if failed + skipped == 0 { String::new() } else { format!("; {failed} failed, {skipped} skipped") }
    ));
    Ok(if failed > 0 {
        ExitCode::InputInvalid
    } else if skipped > 0 {
        ExitCode::Unavailable
    } else {
        ExitCode::Passed
    })
}

fn conditions(arguments: &DegradeArguments) -> Result<Vec<Condition>, Failure> {
    let mut conditions: Vec<Condition> = Vec::new();
    for name in &arguments.condition {
        if name == "all" {
            conditions.extend(BUILTIN_CONDITIONS.iter().map(|b| b.condition()));
        } else {
            let unknown = || Failure::new(ExitCode::Usage, super::conditions::unknown(name));
            conditions.push(Condition::builtin(name).ok_or_else(unknown)?);
        }
    }
    if let Some(recipe) = &arguments.recipe {
        let condition = Condition::from_recipe(&arguments.name, recipe).map_err(|problems| {
            let lines: Vec<String> = problems.iter().map(|p| format!("  {p}")).collect();
            let text = format!("the recipe cannot be read:\n{}\n`vbench conditions` lists the steps", lines.join("\n"));
            Failure::new(ExitCode::Usage, text)
        })?;
        conditions.push(condition);
    }
    let mut seen = HashSet::new();
    if let Some(twice) = conditions.iter().find(|c| !seen.insert(c.name.clone())) {
        return Err(Failure::new(ExitCode::Usage, format!("condition `{}` is given twice", twice.name)));
    }
    Ok(conditions)
}

fn inputs(arguments: &DegradeArguments) -> Result<Vec<Utterance>, Failure> {
    let input = &arguments.input;
    let invalid = |message: String| Failure::new(ExitCode::InputInvalid, message);
    if input.is_dir() {
        let files = audio_files(input).map_err(|message| invalid(format!("{}: {message}", input.display())))?;
        if files.is_empty() {
            return Err(invalid(format!("{}: no audio files in it", input.display())));
        }
        // Two files that differ in their extension alone keep it.
        let stem = |name: &String| name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem).to_owned();
        let mut stems: BTreeMap<String, usize> = BTreeMap::new();
        for name in &files {
            *stems.entry(stem(name)).or_default() += 1;
        }
        let id = |name: &String| if stems[&stem(name)] > 1 { name.clone() } else { stem(name) };
        return Ok(files.iter().map(|name| clip(arguments, id(name), input.join(name))).collect());
    }
    if input.extension().is_some_and(|e| e.eq_ignore_ascii_case("jsonl")) {
        let text = std::fs::read_to_string(input).map_err(|e| invalid(format!("{}: {e}", input.display())))?;
        return Ok(parse_manifest(&arguments.corpus, input, &text).map_err(SuiteError)?);
    }
    if !input.exists() {
        return Err(invalid(format!("{}: no such file or folder", input.display())));
    }
    let stem = input.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    Ok(vec![clip(arguments, stem, input.clone())])
}

fn clip(arguments: &DegradeArguments, id: String, audio: PathBuf) -> Utterance {
    Utterance { id, corpus: arguments.corpus.clone(), audio, ..Utterance::default() }
}

/// Every clip through every condition, each with a place of its own.
fn tasks(
    arguments: &DegradeArguments,
    utterances: &[Utterance],
    conditions: &[Condition],
) -> Result<Vec<Task>, Failure> {
    let single = utterances.len() * conditions.len() == 1 && is_wav(&arguments.out);
    let mut taken = HashSet::new();
    let mut tasks = Vec::new();
    for (u, utterance) in utterances.iter().enumerate() {
        for (c, condition) in conditions.iter().enumerate() {
            let key = format!("{}/{}/{}", utterance.corpus, utterance.id, condition.name);
            let cell = Cell { key, utterance: u, condition: c, model: 0 };
            let path = if single { arguments.out.clone() } else { place(&utterance.id, &condition.name, &mut taken) };
            tasks.push(Task { cell, path });
        }
    }
    if !single && is_wav(&arguments.out) {
        let text = format!(
            "--out {} is one file, but {} clips would be written: name a folder",
            arguments.out.display(),
            tasks.len()
        );
        return Err(Failure::new(ExitCode::Usage, text));
    }
    Ok(tasks)
}

/// `CONDITION/ID.wav` below the output folder, whatever an id holds: parts of a path that lead out of it are names here.
fn place(id: &str, condition: &str, taken: &mut HashSet<PathBuf>) -> PathBuf {
    let safe = |part: &str| -> String {
        let name: String =
            part.chars().map(|c| if c.is_alphanumeric() || "-_.+@ ".contains(c) { c } else { '_' }).take(120).collect();
        if name.trim_matches('.').is_empty() { format!("_{name}") } else { name }
    };
    let mut folder = PathBuf::from(safe(condition));
    let parts: Vec<&str> = id.split('/').filter(|p| !p.is_empty()).collect();
    let (name, folders) = parts.split_last().unwrap_or((&"_", &[]));
    folder.extend(folders.iter().map(|part| safe(part)));
    let mut path = folder.join(format!("{}.wav", safe(name)));
    let mut number = 2;
    while !taken.insert(path.clone()) {
        path = folder.join(format!("{}-{number}.wav", safe(name)));
        number += 1;
    }
    path
}

fn is_wav(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("wav"))
}

fn check_folder(arguments: &DegradeArguments) -> Result<(), Failure> {
    let manifest = arguments.out.join("manifest.jsonl");
    if manifest.exists() && !arguments.force {
        let text = format!("{} is already there: name another folder, or --force to write into it", manifest.display());
        return Err(Failure::new(ExitCode::OutputNotWritten, text));
    }
    Ok(())
}

/// Why a clip was not written.
enum Problem {
    /// It could not be made.
    Clip(String),
    /// This build cannot make it.
    Skipped(String),
    /// It could not be stored.
    Write(String),
}

/// Makes and writes one clip; the facts that its manifest line needs.
fn make(preparer: &AudioPreparer<'_>, task: &Task, folder: &Path, spectrogram: bool) -> Result<Value, Problem> {
    let path = folder.join(&task.path);
    let write = |path: &Path, parts: &[&[u8]]| write(path, parts).map_err(|f| Problem::Write(f.message));
    let heard = preparer.heard(&task.cell).map_err(|outcome| match *outcome {
        Outcome::Skipped(reason) => Problem::Skipped(reason.text),
        Outcome::Failed(reason) => Problem::Clip(reason.text),
        Outcome::Ok { .. } => Problem::Clip("no audio".into()),
    })?;
    let unwritten = |e: vbench_audio::EncodeError| Problem::Write(e.to_string());
    let (sha256, receipt) = match heard {
        Heard::Kept { pcm, receipt, .. } => {
            write(&path, &[&vbench_audio::wav_header(pcm.pcm().len()).map_err(unwritten)?, pcm.pcm()])?;
            (pcm.wav_sha256, receipt)
        }
        Heard::Made(prepared) => {
            let wav = vbench_audio::encode_wav(&prepared.samples).map_err(unwritten)?;
            write(&path, &[&wav])?;
            (sha256_hex(&wav), prepared.receipt)
        }
    };
    if spectrogram {
        let decoded = vbench_audio::decode_file(&path, &vbench_audio::DecodeOptions::default());
        let samples = decoded.map_err(|e| Problem::Clip(e.to_string()))?.samples;
        let picture = vbench_dsp::spectrogram(&samples, vbench_audio::RATE_HZ, COLUMNS, BANDS);
        let png = vbench_report::spectrogram_png(&picture).map_err(|e| Problem::Write(e.to_string()))?;
        write(&path.with_extension("png"), &[&png])?;
    }
    Ok(json!({"sha256": sha256, "receipt": RowReceipt::new(&receipt)}))
}

fn write(path: &Path, parts: &[&[u8]]) -> Result<(), Failure> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let store = || {
        let mut file = std::fs::File::create(path)?;
        parts.iter().try_for_each(|part| file.write_all(part))
    };
    let written = folder.map_or(Ok(()), std::fs::create_dir_all).and_then(|()| store());
    written.map_err(|e| Failure::new(ExitCode::OutputNotWritten, format!("cannot write {}: {e}", path.display())))
}

/// A manifest line: the utterance's own, with the degraded file, the condition as a tag, and the receipt.
fn line(utterances: &[Utterance], conditions: &[Condition], task: &Task, made: &Value) -> Value {
    let utterance = &utterances[task.cell.utterance];
    let condition = &conditions[task.cell.condition].name;
    let mut tags: BTreeMap<&str, &str> = utterance.tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    tags.insert("condition", condition);
    let mut line = json!({"id": format!("{}.{condition}", utterance.id), "audio": task.path, "text": utterance.text});
    for (key, value) in
        [("speaker", &utterance.speaker), ("session", &utterance.session), ("language", &utterance.language)]
    {
        if let Some(value) = value {
            line[key] = json!(value);
        }
    }
    let samples = made["receipt"]["samples"].as_u64().unwrap_or(0);
    line["duration_s"] = json!(samples as f64 / f64::from(vbench_audio::RATE_HZ));
    line["sha256"] = made["sha256"].clone();
    line["tags"] = json!(tags);
    line["receipt"] = made["receipt"].clone();
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_leads_out_of_the_folder() {
        let mut taken = HashSet::new();
        for (id, expected) in [
            ("a", "c/a.wav"),
            ("a", "c/a-2.wav"),
            ("x/y.z", "c/x/y.z.wav"),
            ("../../etc/passwd", "c/_../_../etc/passwd.wav"),
            ("/etc/passwd", "c/etc/passwd.wav"),
            ("..", "c/_...wav"),
            ("", "c/_.wav"),
            ("a\\b:c\n", "c/a_b_c_.wav"),
        ] {
            assert_eq!(place(id, "c", &mut taken), PathBuf::from(expected), "{id:?}");
        }
    }
}
