//! `vbench gate RUN --baseline RUN|golden`, its self-test and its noise floor, and the gate behind `vbench run`.

use std::io::IsTerminal as _;
use std::path::Path;

use vbench_compare::{GateInput, GateReport, Machines, Outcome, Side, judge, noise_floor, selftest};
use vbench_core::{ExitCode, Rule};
use vbench_report::{
    GateView, gate_annotations, gate_json, gate_junit, gate_markdown, gate_text, noise_floor_text, selftest_text,
};
use vbench_store::folder::write_derived;
use vbench_suite::{Suite, parse_rules, rule_from_json};

use crate::cli::{BaselineArguments, GateArguments, GateFormat, InconclusivePolicy, ScoringArguments};
use crate::commands::bench::budget_gate;
use crate::commands::golden::existing_golden;
use crate::failure::{Failure, note, say};
use crate::outputs::append_step_summary;
use crate::side::{LoadedRun, common_cells, common_rules, machines};

/// Judges and prints.
pub fn gate(arguments: &GateArguments) -> Result<ExitCode, Failure> {
    if budget_gate::is_bench(&arguments.run) {
        return budget_gate::gate(arguments);
    }
    let run = LoadedRun::read(&arguments.run)?;
    let question = Question {
        baseline: &arguments.baseline,
        model: arguments.model.as_deref(),
        baseline_model: arguments.baseline_model.as_deref(),
        scoring: &arguments.scoring,
    };
    if arguments.selftest {
        return with_inputs(&run, &question, |rules, inputs, machines, _| {
            let planted = selftest(rules, inputs, machines, run.seed()).map_err(invalid)?;
            say(selftest_text(&planted));
            let shown = planted.iter().all(vbench_compare::Planted::flips);
            Ok(if shown { ExitCode::Passed } else { ExitCode::GateFailed })
        });
    }
    if arguments.aa {
        return with_inputs(&run, &question, |rules, inputs, _, _| {
            say(noise_floor_text(&noise_floor(rules, inputs, run.seed()).map_err(invalid)?));
            Ok(ExitCode::Passed)
        });
    }
    let report = verdict(&run, &question)?;
    let view = view(&run, &report, &question);
    let fail = arguments.baseline.inconclusive == InconclusivePolicy::Fail;
    match arguments.format {
        GateFormat::Text => say(coloured(gate_text(&view), report.outcome())),
        GateFormat::Markdown => say(gate_markdown(&view)),
        GateFormat::Junit => say(gate_junit(&view, fail)),
        GateFormat::Json => say(format!("{:#}", gate_json(&view))),
        GateFormat::Github => {
            let annotations = gate_annotations(&view, fail);
            if !annotations.is_empty() {
                say(annotations.trim_end());
            }
            step_summary(&gate_markdown(&view))?;
        }
    }
    Ok(exit_code(report.outcome(), arguments.baseline.inconclusive))
}

/// The first line, which says the outcome, in its colour where standard output is a terminal.
fn coloured(text: String, outcome: Outcome) -> String {
    if !std::io::stdout().is_terminal() || std::env::var_os("NO_COLOR").is_some() {
        return text;
    }
    let code = match outcome {
        Outcome::Pass => "1;32",
        Outcome::Regressed => "1;31",
        Outcome::Inconclusive | Outcome::Skipped => "1;33",
    };
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    format!("\x1b[{code}m{first}\x1b[0m\n{rest}")
}

/// Refuses a gate that could not be judged after the run, before hours are spent on it.
pub fn check_before_run(arguments: &BaselineArguments, suite: &Suite) -> Result<(), Failure> {
    let Some(baseline) = &arguments.baseline else {
        return Ok(());
    };
    match &arguments.rules {
        Some(path) => drop(rules_in(path)?),
        None if suite.gates.is_empty() => {
            let text = format!("{}: no [[gates]]; give rules with --rules FILE", suite.path.display());
            return Err(Failure::new(ExitCode::SuiteInvalid, text));
        }
        None => {}
    }
    if baseline == "golden" {
        suite.models.iter().try_for_each(|m| existing_golden(&arguments.golden, &suite.name, &m.name).map(drop))
    } else {
        LoadedRun::read(Path::new(baseline)).map(drop)
    }
}

/// A verdict that lies in the run folder and is yet to be told.
pub struct Told {
    /// What it comes to.
    pub outcome: Outcome,
    /// It in words.
    pub text: String,
}

/// The gate behind `vbench run --baseline`: leaves gate.json and gate.md in the run folder.
pub fn after_run(run: &Path, baseline: &BaselineArguments) -> Result<Told, Failure> {
    let run = LoadedRun::read(run)?;
    let question = Question { baseline, model: None, baseline_model: None, scoring: &ScoringArguments::default() };
    let report = verdict(&run, &question)?;
    write_verdict(&run, &report, &question)
}

/// Leaves the verdict in the run folder.
pub fn write_verdict(run: &LoadedRun, report: &GateReport, question: &Question<'_>) -> Result<Told, Failure> {
    let view = view(run, report, question);
    write_derived(&run.path, "gate.json", format!("{:#}", gate_json(&view)).as_bytes())?;
    write_derived(&run.path, "gate.md", gate_markdown(&view).as_bytes())?;
    Ok(Told { outcome: report.outcome(), text: gate_text(&view) })
}

/// Appends to the step summary where a workflow offers one, else prints.
fn step_summary(markdown: &str) -> Result<(), Failure> {
    if !append_step_summary(markdown)? {
        say(markdown);
    }
    Ok(())
}

/// What an outcome ends with under a policy.
pub fn exit_code(outcome: Outcome, policy: InconclusivePolicy) -> ExitCode {
    match (outcome, policy) {
        (Outcome::Pass, _) => ExitCode::Passed,
        (Outcome::Regressed, _) => ExitCode::GateFailed,
        (Outcome::Inconclusive | Outcome::Skipped, InconclusivePolicy::Fail) => ExitCode::GateInconclusive,
        (Outcome::Inconclusive | Outcome::Skipped, InconclusivePolicy::Warn) => {
            note("warning: the gate is inconclusive; it passes by --inconclusive warn");
            ExitCode::Passed
        }
        (Outcome::Inconclusive | Outcome::Skipped, InconclusivePolicy::Pass) => ExitCode::Passed,
    }
}

/// What is judged against what.
pub struct Question<'a> {
    /// Baseline, rules, policy.
    pub baseline: &'a BaselineArguments,
    /// Only this model of the run.
    pub model: Option<&'a str>,
    /// Model of the baseline that it is judged against.
    pub baseline_model: Option<&'a str>,
    /// What may differ.
    pub scoring: &'a ScoringArguments,
}

fn view<'a>(run: &LoadedRun, report: &'a GateReport, question: &Question<'_>) -> GateView<'a> {
    let named = |path: String, model: Option<&str>| model.map_or(path.clone(), |m| format!("{path}: {m}"));
    GateView {
        report,
        run: named(run.path.display().to_string(), question.model),
        baseline: question.baseline.baseline.clone().map(|b| named(b, question.baseline_model)),
        suite: run.suite_name().to_string(),
        started: run.record.record["created"].as_str().unwrap_or_default().to_string(),
    }
}

/// Judges every rule.
pub fn verdict(run: &LoadedRun, question: &Question<'_>) -> Result<GateReport, Failure> {
    with_inputs(run, question, |rules, inputs, machines, notes| {
        let mut report = judge(rules, inputs, machines, run.seed()).map_err(invalid)?;
        report.notes = notes;
        if run.record.stopped_early() {
            report.notes.push(
                "the run was stopped early by the sequential gate: its verdict is in gate.json of the run; the p-values here \
                 do not know of its looks"
                    .into(),
            );
        }
        Ok(report)
    })
}

/// A gate that cannot be judged.
pub fn invalid(e: vbench_compare::GateError) -> Failure {
    Failure::new(ExitCode::SuiteInvalid, e)
}

/// One model of the run and what it is judged against.
struct Opponents {
    side: Side,
    baseline: Option<(usize, Side)>,
}

/// Loads rules and baselines, scores and pairs, and hands everything on.
fn with_inputs<T>(
    run: &LoadedRun,
    question: &Question<'_>,
    then: impl FnOnce(&[Rule], &[GateInput<'_>], &Machines, Vec<String>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let rules = rules_for(run, question.baseline.rules.as_deref())?;
    let models = match question.model {
        Some(name) => vec![run.model(Some(name), "--model")?],
        None => run.models(),
    };
    let baselines = baselines(run, question, &models)?;
    if let (Some(rule), true) = (rules.iter().find(|r| r.needs_baseline()), baselines.is_empty()) {
        let text = format!("the rule `{rule}` needs a baseline: --baseline RUN, or --baseline golden");
        return Err(Failure::new(ExitCode::Usage, text));
    }
    let mut notes = Vec::new();
    let mut opponents = Vec::new();
    let mut scoring_rules = run.rules.clone();
    for (index, model) in models.iter().enumerate() {
        // One golden a model; one run for all of them.
        let at = index.min(baselines.len().saturating_sub(1));
        let baseline = match baselines.get(at) {
            None => None,
            Some(base) => {
                let (rules, forced) = common_rules(base, run, question.scoring)?;
                notes.extend(forced.iter().map(|f| format!("forced: {f}")));
                let name = opponent(base, model, question.baseline_model, models.len())?;
                let side = base.side(&name, &rules)?;
                scoring_rules = rules;
                Some((at, side))
            }
        };
        opponents.push(Opponents { side: run.side(model, &scoring_rules)?, baseline });
    }
    let mut inputs = Vec::new();
    let mut same = Machines::Same;
    for o in &opponents {
        let mut forced = Vec::new();
        let pairs = match &o.baseline {
            None => None,
            Some((at, side)) => {
                let base = &baselines[*at];
                if let differ @ Machines::Differ(_) = machines(base, run) {
                    same = differ;
                }
                let pairing = common_cells((base, side), (run, &o.side), question.scoring, &mut forced, false)?;
                for (why, cells) in pairing.left_out.groups("the baseline", "this run") {
                    if !cells.is_empty() {
                        let text = format!("{}: {} cells are not compared: {why}", o.side.model, cells.len());
                        notes.push(text);
                    }
                }
                Some(pairing.pairs)
            }
        };
        notes.extend(forced.iter().map(|f| format!("forced: {f}")));
        inputs.push(GateInput { run: &o.side, pairs });
    }
    then(&rules, &inputs, &same, notes)
}

/// The baseline's model: the one named, the one of the same name, or the only one against the only one.
pub fn opponent(base: &LoadedRun, model: &str, named: Option<&str>, models: usize) -> Result<String, Failure> {
    if named.is_some() {
        return base.model(named, "--baseline-model");
    }
    let names = base.models();
    match names.as_slice() {
        _ if names.iter().any(|n| n == model) => Ok(model.to_string()),
        [only] if models == 1 => Ok(only.clone()),
        _ => {
            let (path, known) = (base.path.display(), names.join(", "));
            let text = format!(
                "the baseline {path} has no model `{model}` (it has: {known}); name a pair with --model and --baseline-model"
            );
            Err(Failure::new(ExitCode::Usage, text))
        }
    }
}

/// One run for all models, or one golden a model.
pub fn baselines(run: &LoadedRun, question: &Question<'_>, models: &[String]) -> Result<Vec<LoadedRun>, Failure> {
    match question.baseline.baseline.as_deref() {
        None => Ok(Vec::new()),
        Some("golden") => models
            .iter()
            .map(|model| LoadedRun::read(&existing_golden(&question.baseline.golden, run.suite_name(), model)?))
            .collect(),
        Some(path) => Ok(vec![LoadedRun::read(Path::new(path))?]),
    }
}

/// Rules of a file.
pub fn rules_in(path: &Path) -> Result<Vec<Rule>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|e| vbench_suite::gates::unreadable(path, &e))?;
    Ok(parse_rules(path, &text)?)
}

/// Rules from a file, else those that the run's suite declared.
pub fn rules_for(run: &LoadedRun, file: Option<&Path>) -> Result<Vec<Rule>, Failure> {
    if let Some(path) = file {
        return rules_in(path);
    }
    let stored = run.suite("gates").as_array().cloned().unwrap_or_default();
    if stored.is_empty() {
        let text = format!(
            "the suite of {} declared no [[gates]]; give rules with --rules FILE (a gate.toml or a suite)",
            run.path.display()
        );
        return Err(Failure::new(ExitCode::SuiteInvalid, text));
    }
    let bad = |e: String| Failure::new(ExitCode::StoreUnreadable, format!("{}: suite.gates: {e}", run.path.display()));
    stored.iter().map(|rule| rule_from_json(rule).map_err(bad)).collect()
}
