//! `vbench reproduce`: one clip of a run made again, bit for bit, and checked against its row.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use vbench_core::{Cell, ExitCode, Outcome};
use vbench_run::{AudioPreparer, Prepare};
use vbench_store::{Row, RowReceipt, RunRecord};
use vbench_suite::Suite;

use crate::cli::ReproduceArguments;
use crate::failure::{Failure, note, say};

/// Players that take a WAV file, and what they need to stay silent and stop.
const PLAYERS: [(&str, &[&str]); 6] = [
    ("pw-play", &[]),
    ("aplay", &["-q"]),
    ("paplay", &[]),
    ("ffplay", &["-nodisp", "-autoexit", "-loglevel", "error"]),
    ("afplay", &[]),
    ("play", &["-q"]),
];

/// Makes the audio of a cell again and compares it with the row's receipt; 10 when they differ.
pub fn reproduce(arguments: &ReproduceArguments) -> Result<ExitCode, Failure> {
    let record = RunRecord::read(&arguments.run)?;
    let row = find(&record, &arguments.cell)?;
    let suite = crate::commands::report::suite_of(&record, &arguments.cache)?.ok_or_else(|| {
        let text = "the suite of this run cannot be loaded here: its recordings are needed";
        Failure::new(ExitCode::Unavailable, text)
    })?;
    let stored = row.receipt.as_ref().ok_or_else(|| {
        let text = format!("{}: the cell {} and has no receipt", row.cell, row.outcome);
        Failure::new(ExitCode::InputInvalid, text)
    })?;
    let (samples, receipt) = remake(&suite, row, &row.condition)?;
    // The metrics are the run's choice, not the clip's; an older version did not write seed and name.
    let made = RowReceipt { signal: stored.signal.clone(), ..receipt };
    let made = if stored.seed.is_none() { RowReceipt { seed: None, utterance: String::new(), ..made } } else { made };
    if arguments.json {
        say(format!(
            "{:#}",
            json!({"schema": "vbench/reproduce/1", "cell": row.cell, "identical": made == *stored, "receipt": made})
        ));
    } else {
        describe(row, &made);
    }
    let write = |path: &Path, samples: &[f32]| {
        vbench_audio::write_wav(path, samples).map_err(|e| Failure::new(ExitCode::OutputNotWritten, e))
    };
    if let Some(path) = &arguments.out {
        write(path, &samples)?;
    }
    if let Some(path) = &arguments.clean {
        let (clean, _) = remake(&suite, row, "clean")?;
        write(path, &clean)?;
    }
    if arguments.play {
        play(&samples)?;
    }
    if made == *stored {
        note("identical: every sample and every value of the receipt");
        return Ok(ExitCode::Passed);
    }
    let mut text = format!("{}: not what was heard in the run", row.cell);
    for (what, was, is) in [
        ("input", &stored.input_sha256, &made.input_sha256),
        ("recipe", &stored.recipe, &made.recipe),
        ("output", &stored.output_sha256, &made.output_sha256),
    ] {
        if was != is {
            text += &format!("\n  {what}: then {was}, now {is}");
        }
    }
    if stored.output_sha256 == made.output_sha256 {
        text += "\n  the samples are the same, values of the receipt differ";
    }
    Err(Failure::new(ExitCode::GateFailed, text))
}

/// The row of a cell, with or without its model; the audio is the same for all models.
fn find<'r>(record: &'r RunRecord, cell: &str) -> Result<&'r Row, Failure> {
    let matches = |row: &&Row| {
        row.cell == cell || (row.cell.rsplit_once('/').is_some_and(|(audio, _)| audio == cell) && row.receipt.is_some())
    };
    record.rows.iter().find(matches).ok_or_else(|| {
        let names = record.rows.iter().map(|r| r.cell.as_str());
        let close = vbench_suite::problem::closest(cell, names.clone()).or_else(|| names.clone().next());
        let hint = close.map_or_else(|| "the run has no rows".into(), |c| format!("e.g. {c}"));
        Failure::new(ExitCode::NothingSelected, format!("no cell `{cell}` in this run; {hint}"))
    })
}

fn remake(suite: &Suite, row: &Row, condition: &str) -> Result<(Vec<f32>, RowReceipt), Failure> {
    let gone = |what: &str, name: &str| {
        Failure::new(ExitCode::Unavailable, format!("{what} `{name}` of the run is not in its suite any more"))
    };
    let utterance = suite.utterances.iter().position(|u| u.corpus == row.corpus && u.id == row.utt);
    let utterance = utterance.ok_or_else(|| gone("utterance", &row.utt))?;
    let clean = [vbench_core::Condition::clean()];
    let conditions = if condition == "clean" { clean.as_slice() } else { suite.conditions.as_slice() };
    let index = conditions.iter().position(|c| c.name == condition).ok_or_else(|| gone("condition", condition))?;
    let corpora = suite.corpora.iter().map(|c| (c.name.as_str(), c.all.as_slice()));
    let preparer =
        AudioPreparer::new(&suite.utterances, conditions, corpora, suite.seed).with_preprocess(suite.preprocess);
    let cell = Cell { key: row.cell.clone(), utterance, condition: index, model: 0 };
    let prepared = preparer.prepare(&cell).map_err(|outcome| match *outcome {
        Outcome::Failed(reason) | Outcome::Skipped(reason) => Failure::new(ExitCode::Unavailable, reason.text),
        Outcome::Ok { .. } => Failure::new(ExitCode::Internal, "no audio"),
    })?;
    Ok((prepared.samples.to_vec(), RowReceipt::new(&prepared.receipt)))
}

fn describe(row: &Row, receipt: &RowReceipt) {
    say(format_args!(
        "{}\nrecipe   {}\ninput    {}\noutput   {}",
        row.cell, receipt.recipe, receipt.input_sha256, receipt.output_sha256
    ));
    for step in &receipt.steps {
        say(format_args!("{}", step.recipe));
        for (name, value) in &step.achieved {
            say(format_args!("  {name:<24} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
        }
    }
    say(format_args!("reference  {}", row.reference));
    if let Some(hypothesis) = &row.hyp {
        say(format_args!("hypothesis {hypothesis}"));
    }
}

/// Plays a clip with the first player that is there.
pub fn play(samples: &[f32]) -> Result<(), Failure> {
    let unavailable = |text: String| Failure::new(ExitCode::Unavailable, text);
    let path = std::env::temp_dir().join(format!("vbench-{}.wav", std::process::id()));
    vbench_audio::write_wav(&path, samples).map_err(|e| Failure::new(ExitCode::OutputNotWritten, e))?;
    let mut played = None;
    for (player, options) in PLAYERS {
        if let Ok(status) = Command::new(player).args(options).arg(&path).status() {
            played = Some((player, status));
            break;
        }
    }
    drop(std::fs::remove_file(&path));
    match played {
        Some((_, status)) if status.success() => Ok(()),
        Some((player, status)) => Err(unavailable(format!("{player} could not play the clip: {status}"))),
        None => {
            let names: Vec<&str> = PLAYERS.iter().map(|p| p.0).collect();
            Err(unavailable(format!(
                "no player found (looked for {}); write the clip with --out FILE",
                names.join(", ")
            )))
        }
    }
}
