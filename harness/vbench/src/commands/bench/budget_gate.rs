//! `vbench gate BENCH_RUN`: the budgets of a bench judged again from its requests.

use std::path::Path;

use serde_json::{Value, json};
use vbench_compare::Outcome;
use vbench_core::{Budgets, ExitCode};
use vbench_load::{Verdict, judge_budgets, summarize};
use vbench_report::{budgets_json, budgets_text};
use vbench_suite::{budgets_from_json, parse_budgets};

use crate::cli::{GateArguments, GateFormat};
use crate::commands::gate::exit_code;
use crate::failure::{Failure, note, say};

/// Whether a folder is a bench run.
pub fn is_bench(run: &Path) -> bool {
    run.join("bench.json").is_file()
}

/// Judges the budgets of `--rules`, else those that the bench was run with.
pub fn gate(arguments: &GateArguments) -> Result<ExitCode, Failure> {
    let run = &arguments.run;
    let usage = |text: &str| Err(Failure::new(ExitCode::Usage, format!("{}: {text}", run.display())));
    if arguments.baseline.baseline.is_some() || arguments.model.is_some() || arguments.selftest || arguments.aa {
        return usage("a bench is judged by its budgets alone; `vbench bench A --against B` compares two models");
    }
    let trace = super::read(&run.join("requests.jsonl"))?;
    let document = read(&run.join("bench.json"))?;
    let budgets = match &arguments.baseline.rules {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| vbench_suite::gates::unreadable(path, &e))?;
            parse_budgets(path, &text)?
        }
        None => declared(&document).map_err(|e| Failure::new(ExitCode::StoreUnreadable, format!("bench.json: {e}")))?,
    };
    if budgets.limits.is_empty() {
        let text = format!("{}: it was run without budgets; give a file with [budgets] by --rules", run.display());
        return Err(Failure::new(ExitCode::SuiteInvalid, text));
    }
    let max_lateness_ms = document["max_lateness_ms"].as_f64().unwrap_or(super::settings::MAX_LATENESS_MS);
    let summary = summarize(&trace.bench, &trace.plan, &trace.audio, (max_lateness_ms * 1e6) as u64);
    let judged = judge_budgets(&trace.bench, trace.plan.timeout, &budgets);
    let outcome = if judged.iter().any(|b| b.verdict == Verdict::Fail) {
        Outcome::Regressed
    } else if judged.iter().any(|b| b.verdict == Verdict::Inconclusive) {
        Outcome::Inconclusive
    } else {
        Outcome::Pass
    };
    let verdict = match outcome {
        Outcome::Pass => "pass",
        Outcome::Regressed => "fail",
        Outcome::Inconclusive | Outcome::Skipped => "inconclusive",
    };
    match arguments.format {
        GateFormat::Text => say(format!("{verdict}\n\n{}", budgets_text(&judged).trim_end())),
        GateFormat::Json => {
            let results = budgets_json(&judged);
            say(format!("{:#}", json!({"schema": "vbench/gate/1", "verdict": verdict, "budgets": results})));
        }
        GateFormat::Markdown | GateFormat::Junit | GateFormat::Github => {
            return usage(
                "the budgets of a bench as Markdown, JUnit or annotations: `vbench report RUN --format md,junit,github`",
            );
        }
    }
    if let Some(reason) = &summary.voided {
        note(format_args!("the bench is void: {reason}"));
    }
    let incomplete = summary.voided.is_some() || summary.counts.answered < summary.counts.requests;
    let code = exit_code(outcome, arguments.baseline.inconclusive);
    Ok(if incomplete { ExitCode::Incomplete } else { code })
}

fn read(path: &Path) -> Result<Value, Failure> {
    let bad = |e: &dyn std::fmt::Display| Failure::new(ExitCode::StoreUnreadable, format!("{}: {e}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| bad(&e))?;
    serde_json::from_str(&text).map_err(|e| bad(&e))
}

/// The budgets that a bench was run with.
pub fn declared(document: &Value) -> Result<Budgets, String> {
    let edges = document["bands"].as_array().into_iter().flatten().filter_map(|b| b["to_ms"].as_f64());
    budgets_from_json(&json!({"limits": document["budgets"], "bands_ms": edges.collect::<Vec<_>>()}))
}
