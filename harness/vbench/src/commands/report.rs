//! `vbench report RUN`.

use std::path::PathBuf;

use vbench_core::ExitCode;
use vbench_store::RunRecord;
use vbench_suite::{LoadContext, Suite, load};

use crate::cli::{CacheArguments, ReportArguments};
use crate::failure::{Failure, note, say};
use crate::open::cache_folder;
use crate::render::{self, Audio};

/// Renders a run again with today's rules; audio is made again when the suite is still there.
pub fn report(arguments: &ReportArguments) -> Result<ExitCode, Failure> {
    let record = RunRecord::read(&arguments.run)?;
    let suite = suite_of(&record, &arguments.cache)?;
    if suite.is_none() {
        note("the suite of this run cannot be loaded here: the report has no audio players");
    }
    let audio = suite.as_ref().map(Audio::of_suite);
    let out = arguments.out.as_deref().unwrap_or(&arguments.run);
    let outputs = render::render(&arguments.run, out, &record, audio.as_ref(), None)?;
    say(if arguments.json { render::json(&outputs.summary) } else { render::table(&outputs.summary) });
    note(format_args!("report: {}", out.join("report.html").display()));
    let coverage = &outputs.summary.coverage;
    Ok(if coverage.outstanding > 0 && !coverage.stopped_early { ExitCode::Incomplete } else { ExitCode::Passed })
}

/// The suite of a run with the run's seed, from where it lay; `None` when it cannot be loaded any more.
pub fn suite_of(record: &RunRecord, cache: &CacheArguments) -> Result<Option<Suite>, Failure> {
    let corpora_dir = Some(cache_folder(cache)?.join("corpora"));
    let context = LoadContext { corpora_dir };
    let paths = ["suite_path", "suite_path_absolute"].map(|key| record.record[key].as_str().map(PathBuf::from));
    let suite = paths.into_iter().flatten().find_map(|path| load(&path, &context).ok());
    Ok(suite.map(|mut suite| {
        suite.seed = record.record["suite"]["seed"].as_u64().unwrap_or(suite.seed);
        suite
    }))
}
