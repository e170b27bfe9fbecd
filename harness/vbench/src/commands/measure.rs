//! `vbench measure`: metrics between reference and degraded recordings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use comfy_table::{CellAlignment, Table, TableStyle};
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use vbench_audio::{DecodeOptions, RATE_HZ, active_speech_level, audio_files, decode_file};
use vbench_core::signal_metric::CLIP_METRICS;
use vbench_core::{Estimate, ExitCode, SIGNAL_METRICS, SignalMetric};
use vbench_score::signal::{Pair, Reading, pair_metric, signal_metrics};
use vbench_stats::{Observation, Plan, choose_unit, ratio_estimate};

use crate::cli::MeasureArguments;
use crate::failure::{Failure, note, say};
use crate::progress::Progress;

/// Clips that differ by more than this are no pair, s.
const MAX_DIFFERENCE_S: f64 = 0.5;
/// Rows of the table of files.
const MAX_ROWS: usize = 40;

/// Two files of one name.
struct Files {
    name: String,
    reference: PathBuf,
    degraded: PathBuf,
}

/// What was read of one pair.
struct Measured {
    readings: Vec<(&'static SignalMetric, Reading)>,
    reference: Map<String, Value>,
    degraded: Map<String, Value>,
    samples: usize,
    /// Samples that the degraded file has more.
    longer: i64,
}

/// Measures a pair of files, or all pairs of two folders.
pub fn measure(arguments: &MeasureArguments) -> Result<ExitCode, Failure> {
    let metrics = metrics(&arguments.metric)?;
    let pairs = pairs(arguments)?;
    let progress = Mutex::new(Progress::new("pairs", pairs.len() as u64, false, arguments.quiet));
    let run = |files: &Files| {
        let measured = measure_pair(files, &metrics);
        let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(text) = &measured {
            progress.say(&format!("{}: {text}", files.name));
        }
        progress.step();
        measured
    };
    let measured: Vec<Result<Measured, String>> = pairs.par_iter().map(run).collect();
    progress.lock().unwrap_or_else(PoisonError::into_inner).finish();
    let good: Vec<(&Files, &Measured)> =
        pairs.iter().zip(&measured).filter_map(|(f, m)| Some((f, m.as_ref().ok()?))).collect();
    let means: Vec<(&'static SignalMetric, Estimate, usize)> = metrics.iter().map(|m| mean(m, &good)).collect();
    if arguments.json {
        say(format!("{:#}", to_json(&pairs, &measured, &means)));
    } else {
        show(&good, &metrics, &means);
    }
    let failed = pairs.len() - good.len();
    if failed > 0 {
        note(format_args!("{failed} of {} pairs could not be measured", pairs.len()));
        return Ok(ExitCode::InputInvalid);
    }
    Ok(ExitCode::Passed)
}

fn metrics(names: &[String]) -> Result<Vec<&'static SignalMetric>, Failure> {
    if names.is_empty() {
        return Ok(SIGNAL_METRICS.iter().collect());
    }
    let find = |name: &String| {
        let known = SIGNAL_METRICS.iter().map(|m| m.name);
        let unknown = || Failure::new(ExitCode::Usage, vbench_suite::problem::unknown("metric", name, known));
        SignalMetric::named(name).ok_or_else(unknown)
    };
    names.iter().map(find).collect()
}

/// Files of the same path below two folders, whatever their extension; what has no counterpart is an error.
fn pairs(arguments: &MeasureArguments) -> Result<Vec<Files>, Failure> {
    let (reference, degraded) = (&arguments.reference, &arguments.degraded);
    let invalid = |message: String| Failure::new(ExitCode::InputInvalid, message);
    for path in [reference, degraded] {
        if !path.exists() {
            return Err(invalid(format!("{}: no such file or folder", path.display())));
        }
    }
    if !reference.is_dir() && !degraded.is_dir() {
        let name = degraded.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Ok(vec![Files { name, reference: reference.clone(), degraded: degraded.clone() }]);
    }
    if !(reference.is_dir() && degraded.is_dir()) {
        return Err(Failure::new(ExitCode::Usage, "give two files or two folders"));
    }
    let stems = |folder: &Path| -> Result<BTreeMap<String, PathBuf>, Failure> {
        let files = audio_files(folder).map_err(|e| invalid(format!("{}: {e}", folder.display())))?;
        let stem = |name: &str| name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned();
        Ok(files.iter().map(|name| (stem(name), folder.join(name))).collect())
    };
    let (left, mut right) = (stems(reference)?, stems(degraded)?);
    let (mut pairs, mut alone) = (Vec::new(), Vec::new());
    for (name, reference) in left {
        match right.remove(&name) {
            Some(degraded) => pairs.push(Files { name, reference, degraded }),
            None => alone.push(reference),
        }
    }
    alone.extend(right.into_values());
    if !alone.is_empty() {
        let names: Vec<String> = alone.iter().take(10).map(|p| format!("  {}", p.display())).collect();
        let more = if alone.len() > 10 { format!("\n  and {} more", alone.len() - 10) } else { String::new() };
        return Err(invalid(format!(
            "{} files have no counterpart in the other folder:\n{}{more}",
            alone.len(),
            names.join("\n")
        )));
    }
    if pairs.is_empty() {
        return Err(invalid(format!("{}: no audio files in it", reference.display())));
    }
    Ok(pairs)
}

fn measure_pair(files: &Files, metrics: &[&'static SignalMetric]) -> Result<Measured, String> {
    let read = |path: &Path| {
        let decoded = decode_file(path, &DecodeOptions::default());
        decoded.map(|d| d.samples).map_err(|e| format!("{}: {e}", path.display()))
    };
    let (reference, degraded) = (read(&files.reference)?, read(&files.degraded)?);
    let longer = degraded.len() as i64 - reference.len() as i64;
    if longer.unsigned_abs() as f64 > MAX_DIFFERENCE_S * f64::from(RATE_HZ) {
        return Err(format!(
            "the reference has {:.2} s, the degraded clip {:.2} s: no pair (at most {MAX_DIFFERENCE_S} s may differ)",
            reference.len() as f64 / f64::from(RATE_HZ),
            degraded.len() as f64 / f64::from(RATE_HZ)
        ));
    }
    let samples = reference.len().min(degraded.len());
    let wide = |x: &[f32]| -> Vec<f64> { x[..samples].iter().map(|v| f64::from(*v)).collect() };
    let (x, y) = (wide(&reference), wide(&degraded));
    let pair = Pair::new(&x, &y, RATE_HZ).map_err(|e| e.to_string())?;
    let readings = metrics.iter().filter_map(|m| Some((*m, pair_metric(&pair, m.name)?))).collect();
    Ok(Measured { readings, reference: alone(&reference)?, degraded: alone(&degraded)?, samples, longer })
}

/// The metrics of one clip, with its active speech level.
fn alone(samples: &[f32]) -> Result<Map<String, Value>, String> {
    let metrics = signal_metrics(samples, RATE_HZ).map_err(|e| e.to_string())?;
    let mut out = Map::new();
    if let Some(level) = active_speech_level(samples, RATE_HZ) {
        out.insert("active_dbfs".into(), json!(level.active_dbfs));
        out.insert("activity".into(), json!(level.activity));
    }
    for (metric, reading) in metrics.readings() {
        out.insert(metric.name.into(), reading_json(reading));
    }
    Ok(out)
}

/// A number, `"inf"` or `"-inf"`, or the reason why there is none.
fn reading_json(reading: Reading) -> Value {
    match reading {
        Ok(value) if value.is_finite() => json!(value),
        Ok(value) => json!(value.to_string()),
        Err(reason) => json!({"reason": reason.to_string()}),
    }
}

/// The mean over the pairs that define a metric, with how many do not.
fn mean(metric: &'static SignalMetric, good: &[(&Files, &Measured)]) -> (&'static SignalMetric, Estimate, usize) {
    let value = |m: &Measured| m.readings.iter().find(|r| r.0.name == metric.name).and_then(|r| r.1.ok());
    let finite = |m: &Measured| value(m).filter(|v| v.is_finite());
    let observations: Vec<Observation<'_>> = good
        .iter()
        .filter_map(|(files, m)| {
            Some(Observation { utterance: &files.name, speaker: None, session: None, num: finite(m)?, den: 1.0 })
        })
        .collect();
    let estimate = ratio_estimate(&choose_unit(&observations), &Plan::new(1), metric.name);
    (metric, estimate, good.len() - observations.len())
}

fn to_json(
    pairs: &[Files],
    measured: &[Result<Measured, String>],
    means: &[(&SignalMetric, Estimate, usize)],
) -> Value {
    let pairs: Vec<Value> = pairs
        .iter()
        .zip(measured)
        .map(|(files, measured)| match measured {
            Err(problem) => json!({"name": files.name, "problem": problem}),
            Ok(m) => {
                let metrics: Map<String, Value> = m
                    .readings
                    .iter()
                    .map(|(metric, reading)| (metric.name.to_owned(), reading_json(*reading)))
                    .collect();
                json!({
                    "name": files.name,
                    "samples": m.samples,
                    "longer_by_samples": m.longer,
                    "metrics": metrics,
                    "reference": m.reference,
                    "degraded": m.degraded,
                })
            }
        })
        .collect();
    let results: Vec<Value> = means
        .iter()
        .map(|(metric, estimate, undefined)| {
            json!({
                "metric": metric.name,
                "unit": metric.unit,
                "undefined": undefined,
                "estimate": vbench_report::estimate_json(estimate),
            })
        })
        .collect();
    json!({"schema": "vbench/measure/1", "rate_hz": RATE_HZ, "results": results, "pairs": pairs})
}

fn show(good: &[(&Files, &Measured)], metrics: &[&'static SignalMetric], means: &[(&SignalMetric, Estimate, usize)]) {
    if let [(files, measured)] = good {
        show_pair(files, measured);
        return;
    }
    let heading =
        |m: &SignalMetric| if m.unit.is_empty() { m.label.to_owned() } else { format!("{} ({})", m.label, m.unit) };
    let mut table = Table::new();
    table.load_style(TableStyle::new());
    table.set_header(std::iter::once("clip".to_owned()).chain(metrics.iter().map(|m| heading(m))));
    for (files, measured) in good.iter().take(MAX_ROWS) {
        let cell = |(metric, reading): &(&'static SignalMetric, Reading)| number(metric, *reading);
        table.add_row(std::iter::once(files.name.clone()).chain(measured.readings.iter().map(cell)));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    say(table);
    if good.len() > MAX_ROWS {
        say(format_args!(" … and {} more (--json has all)", good.len() - MAX_ROWS));
    }
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_header(["metric", "mean over clips", "95 % interval", "not defined"]);
    for (metric, estimate, undefined) in means {
        let interval = match vbench_report::format::usable_interval(estimate) {
            Ok(i) => format!("{:.*} to {:.*}", metric.decimals, i.lo, metric.decimals, i.hi),
            Err(reason) => reason.to_owned(),
        };
        let value = if estimate.value.is_finite() {
            format!("{:.*} {}", metric.decimals, estimate.value, metric.unit)
        } else {
            "none".into()
        };
        table.add_row([metric.label.to_owned(), value.trim_end().to_owned(), interval, undefined.to_string()]);
    }
    say(format_args!("\n{table}"));
}

fn show_pair(files: &Files, measured: &Measured) {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_header([files.name.as_str(), "", "what it says"]);
    for (metric, reading) in &measured.readings {
        let value = format!("{} {}", number(metric, *reading), metric.unit);
        table.add_row([metric.label, value.trim_end(), metric.description]);
    }
    table.set_width(u16::try_from(crate::render::terminal_width()).unwrap_or(u16::MAX));
    say(table);
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_header(["", "reference", "degraded", "unit"]);
    let mut row = |label: &str, key: &str, decimals: usize, unit: &str| {
        let text = |side: &Map<String, Value>| match side.get(key) {
            Some(Value::Number(n)) => format!("{:.*}", decimals, n.as_f64().unwrap_or(f64::NAN)),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other["reason"].as_str().unwrap_or("none").to_owned(),
            None => "none".to_owned(),
        };
        table.add_row([label.to_owned(), text(&measured.reference), text(&measured.degraded), unit.to_owned()]);
    };
    row("active speech level", "active_dbfs", 1, "dBFS (ITU-T P.56)");
    row("activity", "activity", 3, "");
    for metric in CLIP_METRICS {
        row(metric.label, metric.name, metric.decimals, metric.unit);
    }
    say(format_args!("\n{table}"));
    if measured.longer != 0 {
        note(format_args!("the degraded clip is {} samples longer: measured over the common part", measured.longer));
    }
}

fn number(metric: &SignalMetric, reading: Reading) -> String {
    reading.map_or_else(|reason| format!("none: {reason}"), |value| format!("{value:.*}", metric.decimals))
}
