//! Run folders made of invented rows, without audio and without a model: as many as a test needs, with any text.

use std::path::Path;

use serde_json::{Value, json};
use vbench_core::keyed::keyed_rng;
use vbench_store::{Row, RunFolder};

use rand_chacha::rand_core::Rng as _;

const CONDITIONS: [&str; 4] = ["clean", "noise-5db", "reverb", "opus-16k"];
const WORDS: [&str; 24] = [
    "seven",
    "harbour",
    "please",
    "the",
    "window",
    "appointment",
    "nineteenth",
    "of",
    "and",
    "turn",
    "kitchen",
    "light",
    "forecast",
    "to",
    "Maria",
    "in",
    "morning",
    "bridge",
    "second",
    "a",
    "recommend",
    "doctor",
    "with",
    "northern",
];

/// One cell: (utterance id, speaker, condition, model, reference, hypothesis or why there is none).
pub struct Invented {
    pub utterance: String,
    pub speaker: String,
    pub condition: String,
    pub model: String,
    pub reference: String,
    pub hypothesis: Result<String, String>,
}

/// `n` different utterances of 8 to 29 words by 120 speakers; three in five cells have an error, one in a thousand failed.
pub fn many(n: usize) -> Vec<Invented> {
    let mut rng = keyed_rng(7, "synthetic", "", "");
    let mut draw = move |below: usize| rng.next_u32() as usize % below;
    (0..n)
        .map(|i| {
            let reference: Vec<&str> = (0..8 + draw(22)).map(|_| WORDS[draw(WORDS.len())]).collect();
            let mut heard = reference.clone();
            if draw(5) < 3 {
                for _ in 0..1 + draw(4) {
                    let at = draw(heard.len());
                    match draw(3) {
                        0 => heard[at] = "tropical",
                        1 if heard.len() > 1 => drop(heard.remove(at)),
                        _ => heard.insert(at, "moving"),
                    }
                }
            }
            let failed = i % 1_000 == 500;
            Invented {
                utterance: format!("speaker-{:03}-chapter-{:03}-{i:05}", i % 120, i % 37),
                speaker: format!("speaker-{:03}", i % 120),
                condition: CONDITIONS[i % 4].into(),
                model: "invented".into(),
                reference: reference.join(" ") + ".",
                hypothesis: if failed { Err("the model gave up".into()) } else { Ok(heard.join(" ") + ".") },
            }
        })
        .collect()
}

/// Writes the run folder of these cells.
pub fn write(path: &Path, suite: &str, cells: &[Invented], describe: &str) {
    let mut conditions: Vec<&str> = Vec::new();
    for cell in cells {
        if !conditions.contains(&cell.condition.as_str()) {
            conditions.push(&cell.condition);
        }
    }
    let condition = |name: &&str| json!({"name": name, "recipe": name, "target_snr_db": null, "describe": describe});
    let record = json!({
        "schema": "vbench/run-record/1", "id": "invented", "created": "2026-01-01T00:00:00Z", "command": ["vbench"],
        "vbench": "0.1.0", "lock_sha256": "0", "git_commit": "0", "jobs": 1, "planned": cells.len(),
        "suite": {
            "schema": 1, "name": suite, "task": "asr", "seed": 7, "files": [], "absent": [], "models": [],
            "corpora": [{"name": "c", "manifest_sha256": "0", "utterances": cells.len()}],
            "conditions": conditions.iter().map(condition).collect::<Vec<Value>>(),
            "metrics": ["wer", "cer"], "normalizer": "whisper-en", "weights": "sclite",
            "strata": ["condition", "accent", "speaker"], "gates": [],
        },
        "models": [], "machine": {"cpu": "none", "cores": 1, "memory": "none", "arch": "none"},
    });
    let mut folder = RunFolder::create(path, &record).expect("a new run folder");
    for (i, cell) in cells.iter().enumerate() {
        folder.commit(&row(i, cell), None).expect("commits");
    }
}

fn row(i: usize, cell: &Invented) -> Row {
    let accent = ["us", "gb", "in"][i % 3];
    let mut value = json!({
        "v": 1, "cell": format!("c/{}/{}/{}", cell.utterance, cell.condition, cell.model), "utt": cell.utterance,
        "corpus": "c", "speaker": cell.speaker, "tags": {"accent": accent},
        "condition": cell.condition, "model": cell.model, "ref": cell.reference,
    });
    match &cell.hypothesis {
        Ok(text) => {
            value["outcome"] = "ok".into();
            value["hyp"] = text.as_str().into();
            value["receipt"] = json!({
                "input_sha256": "0", "recipe": cell.condition, "seed": 7, "utterance": "", "output_sha256": "0",
                "samples": 16_000 * (3 + i % 20), "active_level_dbfs": -26.0 - (i % 90) as f64 / 10.0,
                "steps": [{"recipe": cell.condition, "achieved": {"achieved_snr_db": 5.0 + (i % 70) as f64 / 1e3}}],
            });
        }
        Err(why) => {
            value["outcome"] = "failed".into();
            value["reason"] = json!({"kind": "model", "text": why});
            value["receipt"] = Value::Null;
        }
    }
    serde_json::from_value(value).expect("a row")
}
