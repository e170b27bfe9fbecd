//! `vbench data import`: a corpus as people have it to a manifest.

use std::path::{Path, PathBuf};

use vbench_core::ExitCode;
use vbench_corpus::{AudioCheck, AudioFacts, Columns, Format, ImportError, ImportOptions, Imported, Tools, detect};

use crate::cli::{AudioLook, ImportArguments};
use crate::failure::{Failure, note, say};
use crate::open::cache_folder;

/// `vbench data import [FORMAT] PATH`.
pub fn import(arguments: &ImportArguments) -> Result<ExitCode, Failure> {
    let (format, path) = corpus(arguments)?;
    check_options(format, arguments)?;
    let manifest = match &arguments.out {
        Some(file) => file.clone(),
        None => {
            let name = arguments.name.clone().unwrap_or_else(|| default_name(format, &path));
            if name.contains(['/', '\\']) || name.starts_with('.') || name.is_empty() {
                return Err(Failure::new(
                    ExitCode::Usage,
                    format!("--name `{name}` cannot name a folder of the cache"),
                ));
            }
            cache_folder(&arguments.cache)?.join("corpora").join(name).join("manifest.jsonl")
        }
    };
    let options = options(arguments);
    let probe = |path: &Path| {
        let info = vbench_audio::probe_file(path).map_err(|e| e.to_string())?;
        Ok(AudioFacts { seconds: info.seconds(), channels: info.channels })
    };
    let sha256 = |path: &Path| vbench_fetch::digest::sha256_file(path).map(|(hash, _)| hash).map_err(|e| e.to_string());
    let tools = Tools { probe: &probe, sha256: &sha256 };
    let imported = vbench_corpus::import(&path, format, &manifest, &options, &tools)?;
    tell(format, &manifest, &imported);
    Ok(ExitCode::Passed)
}

/// The format, given or found, and the corpus.
fn corpus(arguments: &ImportArguments) -> Result<(Format, PathBuf), Failure> {
    match &arguments.corpus[..] {
        [path] => {
            let (format, why) = detect(path)?;
            note(format_args!("format: {} ({why})", format.name()));
            Ok((format, path.clone()))
        }
        [format, path, ..] => {
            let name = format.to_string_lossy();
            let known = || Format::ALL.map(Format::name).join(", ");
            let format = Format::from_name(&name)
                .ok_or_else(|| Failure::new(ExitCode::Usage, format!("no format `{name}`; known: {}", known())))?;
            Ok((format, path.clone()))
        }
        [] => Err(Failure::new(ExitCode::Usage, "the corpus is missing")),
    }
}

/// An option that a format has no use for is a mistake, not a wish to be passed over.
fn check_options(format: Format, arguments: &ImportArguments) -> Result<(), Failure> {
    let tables = [Format::Csv, Format::Tsv, Format::Nemo, Format::AudioFolder, Format::Parquet];
    let misplaced = [
        ("--out-audio", arguments.out_audio.is_some() && format != Format::Parquet),
        ("--drop-interviewer", arguments.drop_interviewer && format != Format::Coraal),
        ("--tier", !arguments.tier.is_empty() && ![Format::Textgrid, Format::Elan].contains(&format)),
        ("--column", !arguments.column.is_empty() && !tables.contains(&format)),
    ];
    match misplaced.iter().find(|(_, misplaced)| *misplaced) {
        Some((option, _)) => {
            Err(Failure::new(ExitCode::Usage, format!("{option} means nothing for the format {}", format.name())))
        }
        None => Ok(()),
    }
}

fn options(arguments: &ImportArguments) -> ImportOptions {
    let mut columns = Columns::default();
    for (key, name) in &arguments.column {
        columns.name(key, name);
    }
    ImportOptions {
        audio_roots: arguments.audio_root.clone(),
        columns,
        tiers: arguments.tier.clone(),
        drop_interviewer: arguments.drop_interviewer,
        licence: arguments.licence.clone(),
        language: arguments.language.clone(),
        audio: match arguments.audio {
            AudioLook::Headers => AudioCheck::Headers,
            AudioLook::Exist => AudioCheck::Exist,
            AudioLook::None => AudioCheck::None,
        },
        hash: arguments.hash,
        leave_out_bad_audio: arguments.leave_out_bad_audio,
        out_audio: arguments.out_audio.clone(),
    }
}

/// `coraal`; `librispeech-test-clean`; else the corpus' own name.
fn default_name(format: Format, path: &Path) -> String {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let own = real.file_stem().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let safe = |c: char| if c.is_alphanumeric() || "-_".contains(c) { c } else { '-' };
    let own: String = own.chars().map(safe).collect();
    match format {
        Format::Coraal => "coraal".into(),
        Format::Librispeech => format!("librispeech-{own}"),
        _ if own.is_empty() => format.name().into(),
        _ => own,
    }
}

fn tell(format: Format, manifest: &Path, imported: &Imported) {
    let speakers = match imported.speakers {
        0 => "no speakers named".into(),
        1 => "1 speaker".to_owned(),
        n => format!("{n} speakers"),
    };
    let hours = imported.seconds / 3600.0;
    let utterances = imported.lines.len();
    say(format_args!(
        "{}: {utterances} utterances, {hours:.2} h, {speakers}; manifest: {}",
        format.name(),
        manifest.display()
    ));
    for (reason, count) in &imported.left_out {
        say(format_args!("left out: {count} {reason}"));
    }
    for problem in &imported.bad_audio {
        note(format_args!("  {}: {}", problem.place, problem.kind));
    }
    if !imported.lines.iter().any(|l| l.tags.contains_key("licence")) {
        note("no licence is stated: --licence NAME keeps it with every utterance");
    }
}

impl From<ImportError> for Failure {
    fn from(e: ImportError) -> Self {
        let code = match e {
            ImportError::Problems(_) => ExitCode::InputInvalid,
            ImportError::Undecided { .. } => ExitCode::Usage,
            ImportError::Write { .. } => ExitCode::OutputNotWritten,
        };
        Self::new(code, e)
    }
}
