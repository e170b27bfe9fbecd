//! A file of `vbench score` pairs as a side of a comparison: a run of one model in one condition, without audio or times.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use serde_json::json;
use vbench_core::ExitCode;
use vbench_score::formats::{Columns, Format, MissingPolicy, Pair, Source, load_pairs};
use vbench_store::{Row, RunRecord};

use crate::failure::Failure;
use crate::render::rules_of;
use crate::side::LoadedRun;

/// The condition that all pairs are in.
const CONDITION: &str = "none";

/// Tags with more values than this are ids or measurements, not strata.
const MAX_VALUES: usize = 20;

/// The format of a file of pairs; `None` for a run folder and the files inside one.
#[must_use]
pub fn pairs_format(path: &Path) -> Option<Format> {
    let inside_a_run = path.parent().is_some_and(|folder| folder.join("run.json").is_file());
    let format = Format::from_path(&path.to_string_lossy())?;
    let holds_pairs = matches!(format, Format::Jsonl | Format::Csv | Format::Tsv);
    (holds_pairs && !inside_a_run && !path.is_dir()).then_some(format)
}

/// Reads a file with `id`, `ref`, `hyp`, and maybe `speaker`, `session` and tags.
pub fn read_pairs(path: &Path, format: Format) -> Result<LoadedRun, Failure> {
    let name = path.display().to_string();
    let bytes =
        std::fs::read(path).map_err(|e| Failure::new(ExitCode::InputInvalid, format!("cannot read {name}: {e}")))?;
    let source = Source { file: &name, bytes: &bytes, format };
    let paired = load_pairs(&source, &Columns::default(), MissingPolicy::Error)
        .map_err(|e| Failure::new(ExitCode::InputInvalid, e))?;
    let model = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let rows: Vec<Row> = paired.pairs.iter().map(|pair| row(pair, &model)).collect();
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (tag, value) in rows.iter().flat_map(|r| &r.tags) {
        values.entry(tag).or_default().insert(value);
    }
    let mut strata: Vec<&str> = values.iter().filter(|(_, v)| v.len() <= MAX_VALUES).map(|(tag, _)| *tag).collect();
    strata.push("speaker");
    let record = json!({
        "planned": rows.len(),
        "models": [{"name": model}],
        "suite": {
            "name": "pairs",
            "normalizer": "none",
            "weights": "sclite",
            "metrics": ["wer", "cer"],
            "conditions": [{"name": CONDITION}],
            "strata": strata,
            "seed": 0,
        },
    });
    let rules = rules_of(&record)?;
    let record = RunRecord { record, rows, timings: HashMap::new() };
    Ok(LoadedRun { path: path.to_path_buf(), record, rules })
}

fn row(pair: &Pair<'_>, model: &str) -> Row {
    Row {
        v: 1,
        cell: format!("pairs/{}/{CONDITION}/{model}", pair.id),
        utt: pair.id.to_string(),
        corpus: "pairs".into(),
        speaker: pair.speaker.as_ref().map(ToString::to_string),
        session: pair.session.as_ref().map(ToString::to_string),
        tags: pair.tags.iter().map(|(tag, value)| (tag.to_string(), value.to_string())).collect(),
        condition: CONDITION.into(),
        model: model.into(),
        outcome: "ok".into(),
        reason: None,
        reference: pair.reference.plain().into_owned(),
        hyp: Some(pair.hypothesis.to_string()),
        output: None,
        receipt: None,
    }
}
