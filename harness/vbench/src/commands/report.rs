//! `vbench report RUN`.

use std::path::{Path, PathBuf};

use vbench_core::ExitCode;
use vbench_store::RunRecord;
use vbench_suite::{LoadContext, Suite, load};

use crate::cli::{CacheArguments, ReportArguments};
use crate::clips::Audio;
use crate::commands::{against, bench_page, comparison_page, history};
use crate::export::Export;
use crate::failure::{Failure, note};
use crate::open::cache_folder;
use crate::render;

/// Renders what the arguments name: one run, two side by side, or a history.
pub fn report(arguments: &ReportArguments) -> Result<ExitCode, Failure> {
    render::check(&arguments.render, arguments.json)?;
    match arguments.runs.as_slice() {
        [run] if bench_page::is_bench(run) => return bench_page::report(run, arguments),
        [run] if against::is_against(run) => return against::report(run, arguments),
        _ => {}
    }
    let one = |runs: &[PathBuf]| matches!(runs, [run] if !history::holds_runs(run));
    if arguments.export.export_worst.is_some() && (arguments.baseline.is_some() || !one(&arguments.runs)) {
        return Err(Failure::new(ExitCode::Usage, "--export-worst is about one run, without --baseline"));
    }
    let scoring = &arguments.scoring;
    if arguments.baseline.is_none() && (scoring.normalizer.is_some() || scoring.force) {
        let text = "--normalizer and --force are about two runs: they need --baseline; one run keeps the normaliser of its suite";
        return Err(Failure::new(ExitCode::Usage, text));
    }
    if let Some(baseline) = &arguments.baseline {
        return comparison_page::report(baseline, arguments);
    }
    match arguments.runs.as_slice() {
        [run] if !history::holds_runs(run) => run_page(run, arguments),
        several => history::history(several, arguments),
    }
}

/// Renders a run again with today's rules; audio is made again when the suite is still there.
fn run_page(run: &Path, arguments: &ReportArguments) -> Result<ExitCode, Failure> {
    let export = arguments.export.export_worst.as_deref().map(Export::parse).transpose()?;
    export.as_ref().map(Export::check_empty).transpose()?;
    let record = RunRecord::read(run)?;
    let suite = suite_of(&record, &arguments.cache)?;
    if suite.is_none() {
        note("the suite of this run cannot be loaded here: the report has no audio players");
    }
    let audio = suite.as_ref().map(Audio::of_suite);
    let out = arguments.out.as_deref().unwrap_or(run);
    let outputs = render::render(run, out, &record, audio.as_ref(), None, &arguments.render)?;
    if let Some(export) = export {
        export.write(&record, &outputs.derived, audio.as_ref())?;
    }
    render::say_summary(&outputs, arguments.json);
    note(format_args!("report: {}", out.join(render::entry(&arguments.render)).display()));
    let coverage = &outputs.derived.summary.coverage;
    Ok(if coverage.outstanding > 0 && !coverage.stopped_early { ExitCode::Incomplete } else { ExitCode::Passed })
}

/// The suite of a run with the run's seed, from where it lay; `None` when it cannot be loaded any more.
pub fn suite_of(record: &RunRecord, cache: &CacheArguments) -> Result<Option<Suite>, Failure> {
    let corpora_dir = Some(cache_folder(cache)?.join("corpora"));
    let context = LoadContext { corpora_dir };
    // The relative path counts from wherever this is run: another suite may lie there.
    let paths = ["suite_path_absolute", "suite_path"].map(|key| record.record[key].as_str().map(PathBuf::from));
    let stated = record.record["suite"]["files"][0].as_str();
    let mut suite: Option<Suite> = None;
    for path in paths.into_iter().flatten() {
        let Ok(found) = load(&path, &context) else { continue };
        let same = found.files.first().map(|(_, sha256)| sha256.as_str()) == stated;
        // One that was edited since may still have the recordings: every clip is checked against its receipt.
        if same || suite.is_none() {
            suite = Some(found);
        }
        if same {
            break;
        }
    }
    Ok(suite.map(|mut suite| {
        suite.seed = record.record["suite"]["seed"].as_u64().unwrap_or(suite.seed);
        suite
    }))
}
