//! `vbench golden accept|diff|check`: accepted transcripts and metrics, one folder per suite and model.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use vbench_compare::metric::contribution;
use vbench_compare::{DifferenceClass, GoldenDiff, Side, SideCell, golden_diff};
use vbench_core::{ExitCode, GateMetric};
use vbench_report::golden_text;
use vbench_store::Row;
use vbench_store::folder::write_derived;
use vbench_suite::{LoadContext, Selection, expand, load};

use crate::cli::{GoldenCommand, GoldenPlace, ScoringArguments};
use crate::failure::{Failure, note, say};
use crate::side::{LoadedRun, common_cells};

/// Schema of golden.json.
const GOLDEN_SCHEMA: &str = "vbench/golden/1";

/// Where the golden of a suite and model is.
fn golden_folder(root: &Path, suite: &str, model: &str) -> PathBuf {
    root.join(suite).join(model)
}

/// The same, where it is there.
pub fn existing_golden(root: &Path, suite: &str, model: &str) -> Result<PathBuf, Failure> {
    let folder = golden_folder(root, suite, model);
    if folder.join("run.json").exists() {
        return Ok(folder);
    }
    let root = root.display();
    let text = format!("no golden of suite `{suite}`, model `{model}` in {root}; make one: vbench golden accept RUN");
    Err(Failure::new(ExitCode::Unavailable, text))
}

/// Accepts, shows or checks.
pub fn golden(command: &GoldenCommand) -> Result<ExitCode, Failure> {
    match command {
        GoldenCommand::Accept { run, class, place } => accept(run, class, place),
        GoldenCommand::Diff { run, place } => {
            for compared in against_golden(run, place)? {
                say(golden_text(&compared.name, &compared.diff));
            }
            Ok(ExitCode::Passed)
        }
        GoldenCommand::Check { run: Some(run), place, .. } => check_run(run, place),
        GoldenCommand::Check { run: None, suites, place } => check_all(suites, place),
    }
}

/// A model of a run beside its golden.
struct Compared {
    name: String,
    run: LoadedRun,
    golden: LoadedRun,
    diff: GoldenDiff,
    now: Side,
}

fn against_golden(run: &Path, place: &GoldenPlace) -> Result<Vec<Compared>, Failure> {
    let first = LoadedRun::read(run)?;
    let models = match &place.model {
        Some(name) => vec![first.model(Some(name), "--model")?],
        None => first.models(),
    };
    let compared = models.iter().map(|model| {
        let folder = existing_golden(&place.golden, first.suite_name(), model)?;
        compare_with(LoadedRun::read(run)?, LoadedRun::read(&folder)?, model, place)
    });
    compared.collect()
}

fn compare_with(run: LoadedRun, golden: LoadedRun, model: &str, place: &GoldenPlace) -> Result<Compared, Failure> {
    // Both are scored with the rules of the run: what is judged is the transcripts.
    let (before, now) = (golden.side(model, &run.rules)?, run.side(model, &run.rules)?);
    // A changed reference is a finding here, not an obstacle; other audio is one, since texts may differ for it.
    let lenient = ScoringArguments { normalizer: None, force: true };
    let pairing = common_cells((&golden, &before), (&run, &now), &lenient, &mut Vec::new(), false)?;
    if let (Some(cell), false) = (pairing.audio_differs.first(), place.force) {
        let text = format!(
            "the model heard different audio in {} cells (e.g. {cell}): another seed, recipe or recording than the \
             golden's; --force judges the texts nevertheless",
            pairing.audio_differs.len()
        );
        return Err(Failure::new(ExitCode::InputInvalid, text));
    }
    let failed: BTreeSet<&str> = pairing.left_out.failed_b.iter().map(String::as_str).collect();
    let lost: Vec<&SideCell> = before.cells.iter().filter(|c| failed.contains(c.place().as_str())).collect();
    let diff = golden_diff(&pairing, &lost);
    let name = format!("{}, {model}", run.suite_name());
    Ok(Compared { name, run, golden, diff, now })
}

fn check_run(run: &Path, place: &GoldenPlace) -> Result<ExitCode, Failure> {
    let mut passed = true;
    for c in against_golden(run, place)? {
        say(golden_text(&c.name, &c.diff));
        let levels = drift(&c.golden, &metrics_of(&c.now, &c.golden.conditions()), |m| m == GateMetric::Snr)?;
        // A selection of the suite has other means; every cell's level is pinned by its audio hash anyway.
        let whole = c.diff.unplanned.is_empty();
        for line in levels.iter().filter(|_| whole) {
            say(line);
        }
        let incomplete = c.now.outstanding;
        if incomplete > 0 {
            say(format_args!("{incomplete} planned cells have no outcome: the run is incomplete"));
        }
        let ok = c.diff.passes() && (levels.is_empty() || !whole) && incomplete == 0;
        say(format_args!("golden check of {}: {}", c.name, if ok { "passed" } else { "FAILED" }));
        passed &= ok;
    }
    Ok(if passed { ExitCode::Passed } else { ExitCode::GateFailed })
}

/// Scores every golden's transcripts again with today's rules, and names goldens that nothing refers to.
fn check_all(suites: &Path, place: &GoldenPlace) -> Result<ExitCode, Failure> {
    let folders = goldens_in(&place.golden)?;
    if folders.is_empty() {
        let text = format!("no golden in {}", place.golden.display());
        return Err(Failure::new(ExitCode::NothingSelected, text));
    }
    let known = known_cells(suites);
    let mut passed = true;
    for (suite, model, folder) in folders.iter().filter(|f| place.model.as_ref().is_none_or(|m| *m == f.1)) {
        let golden = LoadedRun::read(folder)?;
        let side = golden.side(model, &golden.rules)?;
        let drifted = drift(&golden, &metrics_of(&side, &golden.conditions()), |_| true)?;
        let cells = side.cells.len();
        let verdict = if drifted.is_empty() { "every metric as accepted" } else { "CHANGED" };
        say(format_args!("{suite}, {model}: {cells} transcripts scored again: {verdict}"));
        drifted.iter().for_each(|line| say(format_args!("  {line}")));
        passed &= drifted.is_empty();
        match known.get(suite.as_str()).map(|cells| cells.get(model.as_str())) {
            None => say(format_args!("  unreferenced: no suite `{suite}` in {}", suites.display())),
            Some(None) => say(format_args!("  unreferenced: suite `{suite}` names no model `{model}`")),
            Some(Some(plan)) => {
                let stale = side.cells.iter().filter(|c| !plan.contains(&c.place())).count();
                let missing = plan.len() - (side.cells.len() - stale);
                if stale > 0 {
                    say(format_args!("  unreferenced: {stale} cells that the suite does not plan any more"));
                }
                if missing > 0 {
                    say(format_args!("  without golden: {missing} cells of the suite"));
                }
            }
        }
    }
    Ok(if passed { ExitCode::Passed } else { ExitCode::GateFailed })
}

/// `(suite, model, folder)` of every golden, in order.
fn goldens_in(root: &Path) -> Result<Vec<(String, String, PathBuf)>, Failure> {
    let entries = |folder: &Path| -> Result<Vec<PathBuf>, Failure> {
        let unreadable = |e| Failure::new(ExitCode::StoreUnreadable, format!("cannot read {}: {e}", folder.display()));
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.is_dir() {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    };
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut found = Vec::new();
    for suite in entries(root)? {
        for model in entries(&suite)? {
            if model.join("golden.json").exists() {
                found.push((name(&suite), name(&model), model));
            }
        }
    }
    Ok(found)
}

/// Planned cells (`corpus/utterance/condition`) by suite and model name, of the suites that load.
fn known_cells(suites: &Path) -> BTreeMap<String, BTreeMap<String, BTreeSet<String>>> {
    let mut known = BTreeMap::new();
    let files = std::fs::read_dir(suites).into_iter().flatten().filter_map(|e| Some(e.ok()?.path()));
    for path in files.filter(|p| p.extension().is_some_and(|x| x == "toml")) {
        let Ok(suite) = load(&path, &LoadContext::default()) else { continue };
        let mut models: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for cell in expand(&suite, &Selection::default()).unwrap_or_default() {
            let place = cell.key.rsplit_once('/').map_or_else(String::new, |(place, _)| place.to_string());
            models.entry(suite.models[cell.model].name.clone()).or_default().insert(place);
        }
        known.insert(suite.name, models);
    }
    known
}

/// A metric of a stratum.
struct Measured {
    metric: GateMetric,
    stratum: String,
    value: f64,
}

/// WER, CER, SER and achieved SNR over all cells and of every condition.
fn metrics_of(side: &Side, conditions: &[String]) -> Vec<Measured> {
    let mut all = Vec::new();
    let strata = std::iter::once(None).chain(conditions.iter().map(Some));
    for condition in strata {
        for metric in [GateMetric::Wer, GateMetric::Cer, GateMetric::Ser, GateMetric::Snr] {
            let cells = side.cells.iter().map(|c| &c.scored).filter(|c| condition.is_none_or(|n| c.condition == *n));
            let (num, den) =
                cells.filter_map(|c| contribution(c, metric)).fold((0.0, 0.0), |s, c| (s.0 + c.0, s.1 + c.1));
            if den > 0.0 {
                let stratum = condition.map_or_else(|| "all".to_string(), |c| format!("condition={c}"));
                all.push(Measured { metric, stratum, value: num / den });
            }
        }
    }
    all
}

/// How far a metric may lie from the accepted value, either way, and why so far.
fn tolerance(metric: GateMetric) -> (f64, &'static str) {
    match metric {
        GateMetric::Snr => (1e-3, "dB; degraded PCM is the same bytes on every machine, the receipt is rounded"),
        _ => (1e-12, "counts of the same texts are exact; one rounding of the division"),
    }
}

/// Metrics outside their tolerance, each in a line; those of golden.json decide, so that a person may widen one there.
fn drift(golden: &LoadedRun, now: &[Measured], which: impl Fn(GateMetric) -> bool) -> Result<Vec<String>, Failure> {
    let path = golden.path.join("golden.json");
    let bad =
        |what: &dyn std::fmt::Display| Failure::new(ExitCode::StoreUnreadable, format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|e| bad(&e))?;
    let stored: Value = serde_json::from_str(&text).map_err(|e| bad(&e))?;
    if stored["schema"] != GOLDEN_SCHEMA {
        return Err(bad(&format!("schema is {}, this program reads `{GOLDEN_SCHEMA}`", stored["schema"])));
    }
    let mut lines = Vec::new();
    for accepted in stored["metrics"].as_array().into_iter().flatten() {
        let (name, stratum) =
            (accepted["metric"].as_str().unwrap_or_default(), accepted["stratum"].as_str().unwrap_or_default());
        let metric = GateMetric::from_name(name).ok_or_else(|| bad(&format!("unknown metric `{name}`")))?;
        let (Some(value), Some(tolerance)) = (accepted["value"].as_f64(), accepted["tolerance"].as_f64()) else {
            return Err(bad(&format!("{name} of {stratum}: `value` or `tolerance` is missing")));
        };
        if !which(metric) {
            continue;
        }
        match now.iter().find(|m| m.metric == metric && m.stratum == stratum) {
            None => lines.push(format!("{name} of {stratum}: accepted {value}, not measured now")),
            Some(m) if (m.value - value).abs() > tolerance => {
                lines.push(format!("{name} of {stratum}: accepted {value}, now {} (tolerance {tolerance})", m.value));
            }
            Some(_) => {}
        }
    }
    Ok(lines)
}

fn accept(run: &Path, classes: &[String], place: &GoldenPlace) -> Result<ExitCode, Failure> {
    let classes: BTreeSet<DifferenceClass> = classes.iter().map(|c| class_named(c)).collect::<Result<_, _>>()?;
    let loaded = LoadedRun::read(run)?;
    let models = match &place.model {
        Some(name) => vec![loaded.model(Some(name), "--model")?],
        None => loaded.models(),
    };
    let mut left = 0;
    for model in &models {
        let loaded = LoadedRun::read(run)?;
        let folder = golden_folder(&place.golden, loaded.suite_name(), model);
        let mine = |r: &&Row| r.model == *model && r.outcome == "ok";
        if !folder.join("run.json").exists() {
            let rows: Vec<Row> = loaded.record.rows.iter().filter(mine).cloned().collect();
            if rows.is_empty() {
                let text = format!("model `{model}` has no transcript to accept");
                return Err(Failure::new(ExitCode::NothingSelected, text));
            }
            write_golden(&folder, &loaded, model, &rows)?;
            say(format_args!("accepted {} transcripts into {}", rows.len(), folder.display()));
            continue;
        }
        let c = compare_with(loaded, LoadedRun::read(&folder)?, model, place)?;
        let refused: BTreeSet<&str> = c
            .diff
            .cells
            .iter()
            .filter(|d| d.class != DifferenceClass::Identical && !classes.contains(&d.class))
            .map(|d| d.place.as_str())
            .collect();
        // New rows replace accepted ones unless their class is refused; what the run does not hold stays.
        let place_of = |r: &Row| format!("{}/{}/{}", r.corpus, r.utt, r.condition);
        let mut rows: Vec<Row> = c
            .run
            .record
            .rows
            .iter()
            .filter(mine)
            .filter(|r| !refused.contains(place_of(r).as_str()))
            .cloned()
            .collect();
        let fresh: BTreeSet<String> = rows.iter().map(place_of).collect();
        rows.extend(c.golden.record.rows.iter().filter(|r| !fresh.contains(&place_of(r))).cloned());
        write_golden(&folder, &c.run, model, &rows)?;
        say(golden_text(&c.name, &c.diff));
        say(format_args!(
            "{} of {} cells hold what this run said; {} differences are not accepted",
            fresh.len(),
            rows.len(),
            refused.len()
        ));
        left += refused.len();
    }
    if left > 0 {
        note("accept them by class, e.g. --class equal,neutral,fixed,broken");
    }
    Ok(ExitCode::Passed)
}

fn class_named(name: &str) -> Result<DifferenceClass, Failure> {
    DifferenceClass::from_name(name).ok_or_else(|| {
        let known = DifferenceClass::ALL.map(DifferenceClass::name).join(", ");
        Failure::new(ExitCode::Usage, format!("--class {name}: unknown; known: {known}"))
    })
}

/// Writes rows, the record without anything of the machine's file system, and the metrics with their tolerances.
fn write_golden(folder: &Path, run: &LoadedRun, model: &str, rows: &[Row]) -> Result<(), Failure> {
    let record = &run.record.record;
    let mut kept = json!({});
    for key in ["schema", "created", "vbench", "git_commit", "suite", "machine"] {
        kept[key] = record[key].clone();
    }
    // The manifest's hash pins them all.
    for corpus in kept["suite"]["corpora"].as_array_mut().into_iter().flatten() {
        corpus.as_object_mut().and_then(|c| c.remove("audio_sha256"));
    }
    kept["planned"] = rows.len().into();
    kept["models"] =
        record["models"].as_array().into_iter().flatten().filter(|m| m["name"] == model).cloned().collect();
    let lines: Vec<String> = rows
        .iter()
        .map(Row::to_line)
        .collect::<Result<_, _>>()
        .map_err(|e| Failure::new(ExitCode::InputInvalid, format!("a row cannot be written: {e}")))?;
    let stored = |value: &Value| format!("{value:#}\n");
    write_derived(folder, "rows.jsonl", (lines.join("\n") + "\n").as_bytes())?;
    write_derived(folder, "run.json", stored(&kept).as_bytes())?;
    let golden = LoadedRun::read(folder)?;
    let side = golden.side(model, &golden.rules)?;
    let earlier = std::fs::read_to_string(folder.join("golden.json")).unwrap_or_default();
    let earlier: Value = serde_json::from_str(&earlier).unwrap_or_default();
    let metrics: Vec<Value> = metrics_of(&side, &golden.conditions())
        .iter()
        .map(|m| {
            let (name, (tolerance, origin)) = (m.metric.name(), tolerance(m.metric));
            let same = |a: &&Value| a["metric"] == name && a["stratum"] == m.stratum;
            // A tolerance that a person set stays, with the reason beside it.
            let earlier = earlier["metrics"].as_array().into_iter().flatten().find(same);
            let kept = |key: &str, new: Value| earlier.map_or(new, |e| e[key].clone());
            json!({
                "metric": name,
                "stratum": m.stratum,
                "value": m.value,
                "tolerance": kept("tolerance", tolerance.into()),
                "origin": kept("origin", origin.into()),
            })
        })
        .collect();
    let golden = json!({
        "schema": GOLDEN_SCHEMA,
        "suite": run.suite_name(),
        "model": model,
        "normalizer": golden.rules.normalizer.id(),
        "weights": golden.rules.weights.name(),
        "transcripts": rows.len(),
        "metrics": metrics,
    });
    write_derived(folder, "golden.json", stored(&golden).as_bytes())?;
    Ok(())
}
