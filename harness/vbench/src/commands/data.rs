//! `vbench data list|pull|import`, and loading a suite with its corpora fetched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use comfy_table::{Table, TableStyle};
use serde_json::json;
use vbench_core::ExitCode;
use vbench_fetch::{Cache, CorpusReport, Registry, corpus_status, pull_corpus};
use vbench_suite::{LoadContext, Suite, load};

use crate::cli::{CacheArguments, DataCommand, ImportCommand};
use crate::failure::{Failure, note, say};
use crate::open::{Shown, cache_folder, clients};

/// `vbench data …`.
pub fn data(command: &DataCommand) -> Result<ExitCode, Failure> {
    match command {
        DataCommand::List(cache) => list(cache),
        DataCommand::Pull { name, from, cache } => {
            let report = pull(name, from, &cache_folder(cache)?, false)?;
            say(format_args!(
                "{}: {} utterances, {:.1} min; left out: {} remarks, {} unreadable or repeated lines, {} without audio, {} without text",
                report.name,
                report.utterances,
                report.seconds / 60.0,
                report.skipped_remarks,
                report.skipped_lines,
                report.without_audio,
                report.without_text
            ));
            Ok(ExitCode::Passed)
        }
        DataCommand::Import(ImportCommand::Librispeech { dir, name, cache }) => {
            import_librispeech(dir, name, &cache_folder(cache)?)
        }
    }
}

fn list(arguments: &CacheArguments) -> Result<ExitCode, Failure> {
    let registry = Registry::embedded()?;
    let cache = Cache::open(Some(cache_folder(arguments)?))?;
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_header(["corpus", "language", "licence", "state", "attribution"]);
    for corpus in &registry.corpora {
        let state =
            corpus_status(corpus, &cache).map_or_else(|| "not here".into(), |r| format!("{} utterances", r.utterances));
        table.add_row([
            corpus.name.clone(),
            corpus.language.clone(),
            corpus.licence.clone(),
            state,
            corpus.attribution.clone(),
        ]);
    }
    say(table);
    Ok(ExitCode::Passed)
}

fn pull(name: &str, from: &[PathBuf], cache: &Path, quiet: bool) -> Result<CorpusReport, Failure> {
    let registry = Registry::embedded()?;
    let cache = Cache::open(Some(cache.to_path_buf()))?;
    let mut shown = Shown::new(name, quiet);
    let decode = |bytes: &[u8]| vbench_audio::decode_g722(bytes);
    let report = pull_corpus(registry.corpus(name)?, from, &cache, &clients(), &decode, &mut |p| shown.show(p));
    shown.finish();
    Ok(report?)
}

/// Loads a suite; corpora of the registry that are missing are fetched first. A corpus that only the user can bring
/// stays absent: the caller reports it, and it is an error when nothing else is left to run.
pub fn load_with_corpora(path: &Path, cache: &Path, quiet: bool) -> Result<Suite, Failure> {
    let context = LoadContext { corpora_dir: Some(cache.join("corpora")) };
    let mut suite = load(path, &context)?;
    let missing: Vec<String> = suite.absent.iter().filter_map(|a| a.pull.clone()).collect();
    if !missing.is_empty() {
        for name in &missing {
            pull(name, &[], cache, quiet)?;
        }
        suite = load(path, &context)?;
    }
    if suite.utterances.is_empty() && !suite.absent.is_empty() {
        let lines: Vec<String> = suite
            .absent
            .iter()
            .map(|a| {
                format!("corpus {}: skipped: not present (looked for {}); {}", a.name, a.looked_at.display(), a.hint)
            })
            .collect();
        return Err(Failure::new(ExitCode::Unavailable, lines.join("\n")));
    }
    Ok(suite)
}

/// LibriSpeech's layout (Panayotov et al. 2015): `SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt` with lines `ID TEXT`, audio
/// `ID.flac` beside it; `SPEAKERS.TXT` one or two folders up tells the readers' sex.
fn import_librispeech(dir: &Path, name: &str, cache: &Path) -> Result<ExitCode, Failure> {
    let bad = |message: String| Failure::new(ExitCode::InputInvalid, message);
    let root = dir.canonicalize().map_err(|e| bad(format!("{}: {e}", dir.display())))?;
    let mut transcripts = Vec::new();
    find_transcripts(&root, 0, &mut transcripts);
    transcripts.sort();
    let sexes = speaker_sexes(&root);
    let (mut manifest, mut count, mut missing) = (String::new(), 0usize, 0usize);
    for transcript in &transcripts {
        let text = std::fs::read_to_string(transcript).map_err(|e| bad(format!("{}: {e}", transcript.display())))?;
        for (index, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            let place = format!("{}:{}", transcript.display(), index + 1);
            let (id, words) =
                line.split_once(' ').ok_or_else(|| bad(format!("{place}: expected `ID TEXT`, found `{line}`")))?;
            let audio = transcript.with_file_name(format!("{id}.flac"));
            if !audio.exists() {
                missing += 1;
                note(format_args!("{place}: no {}", audio.display()));
                continue;
            }
            let mut parts = id.split('-');
            let (speaker, chapter) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let mut tags = BTreeMap::new();
            if let Some(sex) = sexes.get(speaker) {
                tags.insert("gender", sex.to_ascii_lowercase());
            }
            let (sha256, _) = vbench_fetch::digest::sha256_file(&audio)?;
            let decoded = vbench_audio::decode_file(&audio, &vbench_audio::DecodeOptions::default())
                .map_err(|e| bad(format!("{}: {e}", audio.display())))?;
            let duration_s = decoded.samples.len() as f64 / f64::from(vbench_audio::RATE_HZ);
            manifest += &json!({
                "id": id, "audio": audio, "text": words, "speaker": speaker, "session": format!("{speaker}-{chapter}"),
                "language": "en", "duration_s": duration_s, "sha256": sha256, "tags": tags,
            })
            .to_string();
            manifest.push('\n');
            count += 1;
        }
    }
    if count == 0 {
        return Err(bad(format!(
            "{}: no SPEAKER/CHAPTER/*.trans.txt with audio found; name a subset's folder, e.g. LibriSpeech/test-clean",
            dir.display()
        )));
    }
    let folder = cache.join("corpora").join(name);
    let write = |e: std::io::Error| Failure::new(ExitCode::OutputNotWritten, format!("{}: {e}", folder.display()));
    std::fs::create_dir_all(&folder).map_err(write)?;
    let temporary = folder.join("manifest.jsonl.tmp");
    std::fs::write(&temporary, manifest).map_err(write)?;
    std::fs::rename(&temporary, folder.join("manifest.jsonl")).map_err(write)?;
    say(format_args!("{name}: {count} utterances, {missing} without audio left out; manifest in {}", folder.display()));
    Ok(if missing == 0 { ExitCode::Passed } else { ExitCode::Incomplete })
}

/// Transcripts at most four folders down.
fn find_transcripts(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && depth < 4 {
            find_transcripts(&path, depth + 1, found);
        } else if path.to_string_lossy().ends_with(".trans.txt") {
            found.push(path);
        }
    }
}

/// `SPEAKERS.TXT`: `ID | SEX | SUBSET | MINUTES | NAME`, comments begin with `;`.
fn speaker_sexes(root: &Path) -> BTreeMap<String, String> {
    let text = [root, root.parent().unwrap_or(root)]
        .iter()
        .find_map(|folder| std::fs::read_to_string(folder.join("SPEAKERS.TXT")).ok())
        .unwrap_or_default();
    text.lines()
        .filter(|l| !l.starts_with(';'))
        .filter_map(|line| {
            let mut fields = line.split('|').map(str::trim);
            Some((fields.next()?.to_string(), fields.next()?.to_string()))
        })
        .collect()
}
