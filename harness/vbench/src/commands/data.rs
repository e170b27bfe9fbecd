//! `vbench data …`, and loading a suite with its corpora fetched.

use std::path::{Path, PathBuf};

use comfy_table::{Table, TableStyle};
use vbench_core::ExitCode;
use vbench_fetch::{Cache, CorpusReport, Registry, corpus_status, pull_corpus};
use vbench_suite::{LoadContext, Suite, load};

use crate::cli::{CacheArguments, DataCommand};
use crate::commands::corpus;
use crate::commands::import::import;
use crate::failure::{Failure, say};
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
        DataCommand::Import(arguments) => import(arguments),
        DataCommand::Check(arguments) => corpus::check(arguments),
        DataCommand::Play(arguments) => corpus::play(arguments),
        DataCommand::Suspects(arguments) => corpus::suspects(arguments),
        DataCommand::Split(arguments) => corpus::split(arguments),
        DataCommand::Sample(arguments) => corpus::sample(arguments),
        DataCommand::Describe(arguments) => corpus::describe(arguments),
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
