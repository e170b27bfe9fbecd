//! `vbench compare`: two runs, two files of pairs, two models of one run, or two checkpoints over a suite.

use std::path::Path;

use vbench_compare::{CompareHead, Comparison, Pairing, Side, compare as compare_sides, present_metrics};
use vbench_core::{ExitCode, GateMetric};
use vbench_report::{comparison_json, comparison_markdown, comparison_text};

use crate::cli::{
    AudioCacheArguments, BaselineArguments, CompareArguments, InconclusivePolicy, RenderArguments, RunArguments,
    ScoringArguments,
};
use crate::commands::comparison_page;
use crate::failure::{Failure, note, say};
use crate::outputs::without_machine_paths;
use crate::pairs::{pairs_format, read_pairs};
use crate::pipeline;
use crate::render::{coloured, terminal_width};
use crate::score::Rules;
use crate::side::{LoadedRun, common_cells, common_rules, other_preprocessing};

/// Compares and prints.
pub fn compare(arguments: &CompareArguments) -> Result<ExitCode, Failure> {
    let mut code = ExitCode::Passed;
    let usage = |text: &str| Failure::new(ExitCode::Usage, text);
    let how = (&arguments.scoring, arguments.secondary);
    let finish = |compared: Compared<'_>| {
        if let Some(file) = &arguments.html {
            comparison_page::write_html(file, &compared, &arguments.cache)?;
        }
        Ok(compared.comparison)
    };
    let comparison = match (&arguments.suite, arguments.runs.as_slice()) {
        (Some(_), _) => {
            let (run, ended) = run_both(arguments)?;
            code = ended;
            let names = run.models();
            let [a, b] = names.as_slice() else {
                return Err(Failure::new(ExitCode::Internal, "the run does not hold two models"));
            };
            of_sides((&run, a), (&run, b), how, finish)?
        }
        (None, [run]) => {
            let run = LoadedRun::read(run)?;
            let (Some(a), Some(b)) = (&arguments.a, &arguments.b) else {
                return Err(usage("one run: name two of its models with --a NAME --b NAME, or give a second run"));
            };
            let (a, b) = (run.model(Some(a), "--a")?, run.model(Some(b), "--b")?);
            of_sides((&run, &a), (&run, &b), how, finish)?
        }
        (None, [a, b]) => {
            if arguments.a.is_some() {
                return Err(usage("two runs: name their models with --a-model and --b-model"));
            }
            let models = (arguments.a_model.as_deref(), arguments.b_model.as_deref());
            let ((a, name_a), (b, name_b)) = two_runs(a, b, models)?;
            of_sides((&a, &name_a), (&b, &name_b), how, finish)?
        }
        (None, _) => {
            return Err(usage("give two runs; or one run with --a and --b; or --suite SUITE --a SPEC --b SPEC"));
        }
    };
    say(if arguments.json {
        format!("{:#}", comparison_json(&comparison))
    } else if arguments.markdown {
        comparison_markdown(&comparison)
    } else {
        comparison_text(&comparison, text_width(), coloured())
    });
    Ok(code)
}

/// Two runs (or files of pairs) and the model of each: the one named, the only one, or in the second run the one of the
/// first's name.
#[expect(clippy::type_complexity, reason = "two runs with the names of their models")]
pub fn two_runs(
    a: &Path,
    b: &Path,
    (a_model, b_model): (Option<&str>, Option<&str>),
) -> Result<((LoadedRun, String), (LoadedRun, String)), Failure> {
    let (a, b) = rayon::join(|| run_or_pairs(a), || run_or_pairs(b));
    let (a, b) = (a?, b?);
    let name_a = a.model(a_model, "--a-model")?;
    let same_name = Some(name_a.as_str()).filter(|n| b.models().iter().any(|m| m == n) && b.models().len() > 1);
    let name_b = b.model(b_model.or(same_name), "--b-model")?;
    Ok(((a, name_a), (b, name_b)))
}

fn run_or_pairs(path: &Path) -> Result<LoadedRun, Failure> {
    pairs_format(path).map_or_else(|| LoadedRun::read(path), |format| read_pairs(path, format))
}

/// Columns for tables on standard output: as many as the terminal or COLUMNS says; all where neither does, as in a file.
pub fn text_width() -> usize {
    use std::io::IsTerminal as _;
    let stated = std::env::var_os("COLUMNS").is_some() || std::io::stdout().is_terminal();
    if stated { terminal_width() } else { usize::MAX }
}

/// Why times of two models cannot be judged; nothing where they took turns on every cell of one run.
fn times_not_judged(a: &LoadedRun, b: &LoadedRun) -> Option<String> {
    let place = |run: &LoadedRun| run.path.canonicalize().unwrap_or_else(|_| run.path.clone());
    let how = if place(a) != place(b) {
        "separate runs"
    } else if b.record.record["overrides"]["interleave"].as_bool() != Some(true) {
        "one model ran after the other"
    } else {
        return None;
    };
    Some(format!(
        "{how}, and a busy machine cannot be told from a slower model; `vbench compare --suite` lets both models take turns"
    ))
}

/// Two sides compared, with what the comparison was made of.
pub struct Compared<'s> {
    /// The run and the model that are the baseline.
    pub a: (&'s LoadedRun, &'s Side),
    /// Those compared with it.
    pub b: (&'s LoadedRun, &'s Side),
    /// Shared cells.
    pub pairing: &'s Pairing<'s>,
    /// How both were scored.
    pub rules: &'s Rules,
    /// The result.
    pub comparison: Comparison,
}

/// Scores both sides, compares them, and hands everything to `then`.
pub fn of_sides<T>(
    a: (&LoadedRun, &str),
    b: (&LoadedRun, &str),
    (scoring, secondary): (&ScoringArguments, bool),
    then: impl FnOnce(Compared<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let (rules, mut forced) = common_rules(a.0, b.0, scoring)?;
    let (side_a, side_b) = rayon::join(|| a.0.side(a.1, &rules), || b.0.side(b.1, &rules));
    let (side_a, side_b) = (side_a?, side_b?);
    let pairing = common_cells((a.0, &side_a), (b.0, &side_b), scoring, &mut forced, true)?;
    let preprocessing = other_preprocessing(a.0, b.0);
    let cer_first =
        b.0.suite_strings("metrics").into_iter().find(|m| m == "wer" || m == "cer").as_deref() == Some("cer");
    let mut metrics = vec![GateMetric::Wer, GateMetric::Cer, GateMetric::Rtf];
    if cer_first {
        metrics.swap(0, 1);
    }
    let mut strata = b.0.suite_strings("strata");
    for by in a.0.suite_strings("strata") {
        if !strata.contains(&by) {
            strata.push(by);
        }
    }
    // Pages are published: where the runs lie on this machine is left out.
    let label =
        |run: &LoadedRun, model: &str| format!("{}: {model}", without_machine_paths(&run.path.display().to_string()));
    let head = CompareHead {
        a: label(a.0, a.1),
        b: label(b.0, b.1),
        suite: suites(a.0.suite_name(), b.0.suite_name()),
        normalizer: rules.normalizer.id().into(),
        weights: rules.weights.name().into(),
        seed: b.0.seed(),
        metrics: present_metrics(&metrics, &side_a, &side_b),
        conditions: b.0.conditions(),
        strata,
        secondary,
        forced,
        preprocessing: preprocessing.map(|text| format!("{text}; the same recordings, so that is what is compared")),
        times_not_judged: times_not_judged(a.0, b.0),
    };
    let comparison = compare_sides(head, &pairing);
    then(Compared { a: (a.0, &side_a), b: (b.0, &side_b), pairing: &pairing, rules: &rules, comparison })
}

/// The suite of both, or both suites.
fn suites(a: &str, b: &str) -> String {
    if a == b { b.to_owned() } else { format!("{a} (A) and {b} (B)") }
}

/// Runs both models over the suite into one folder, taking turns on every cell.
fn run_both(arguments: &CompareArguments) -> Result<(LoadedRun, ExitCode), Failure> {
    let named = |spec: &Option<String>, name: &str| {
        let spec = spec.clone().unwrap_or_default();
        // `NAME=SPEC` as in `run --model`; a bare SPEC has its kind and a colon before any `=`.
        match spec.split_once('=') {
            Some((before, _)) if !before.contains(':') => spec,
            _ => format!("{name}={spec}"),
        }
    };
    let run = RunArguments {
        suite: arguments.suite.clone(),
        resume: None,
        retry_failed: false,
        out: arguments.out.clone(),
        jobs: 1,
        select: arguments.select.clone(),
        limit: arguments.limit,
        models: vec![named(&arguments.a, "a"), named(&arguments.b, "b")],
        seed: arguments.seed,
        allow_failed: 0,
        json: false,
        quiet: arguments.quiet,
        sequential: false,
        render: RenderArguments::default(),
        audio_cache: AudioCacheArguments::default(),
        gate: BaselineArguments {
            baseline: None,
            rules: None,
            inconclusive: InconclusivePolicy::Fail,
            golden: "golden/runs".into(),
        },
        cache: arguments.cache.clone(),
    };
    let finished = pipeline::execute(&run, true)?;
    finished.tell();
    if finished.code != ExitCode::Passed {
        note("the run is not complete: the comparison is of the cells that both models have");
    }
    Ok((LoadedRun::read(&finished.path)?, finished.code))
}
