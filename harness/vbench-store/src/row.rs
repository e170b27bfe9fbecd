//! The wire form of a row (version 1).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};
use vbench_core::cell::Segment;
use vbench_core::{Hypothesis, Outcome, Reason, ReasonKind, Receipt, StepReceipt, Utterance};

/// The row version that this program writes.
pub const ROW_VERSION: u32 = 1;

/// One line of `rows.jsonl`, keys in this order, followed by `crc`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Row version.
    pub v: u32,
    /// Cell key.
    pub cell: String,
    /// Utterance id.
    pub utt: String,
    /// Corpus name.
    pub corpus: String,
    /// Speaker, when known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speaker: Option<String>,
    /// Session, when known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The utterance's tags; its language too, under `language`, unless a tag of that name exists.
    pub tags: BTreeMap<String, String>,
    /// Condition name.
    pub condition: String,
    /// Model name.
    pub model: String,
    /// `ok`, `failed` or `skipped`.
    pub outcome: String,
    /// Why there is no hypothesis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<RowReason>,
    /// Raw reference text.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Raw hypothesis text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hyp: Option<String>,
    /// What is not text: language, temperature, segments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<RowOutput>,
    /// What was done to the audio; null when the cell did not get that far.
    pub receipt: Option<RowReceipt>,
}

/// Why a cell has no hypothesis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowReason {
    /// Class, [`ReasonKind::name`].
    pub kind: String,
    /// The whole story.
    pub text: String,
}

/// Output that is not text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowOutput {
    /// Language the model used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Temperature of the accepted pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// `[start_s, end_s, text]`.
    pub segments: Vec<(f64, f64, String)>,
}

/// What was done to the audio.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowReceipt {
    /// SHA-256 of the decoded input.
    pub input_sha256: String,
    /// The condition's recipe.
    pub recipe: String,
    /// Seed of every draw; absent in receipts of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// What else draws are keyed by: `corpus/id`; absent where there is no seed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub utterance: String,
    /// SHA-256 of what the model heard.
    pub output_sha256: String,
    /// Samples at 16 kHz.
    pub samples: u64,
    /// Active speech level, dBFS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_level_dbfs: Option<f64>,
    /// Per step: recipe, achieved values, facts.
    pub steps: Vec<RowStep>,
    /// Signal metrics of the output against the input; absent where none were asked for.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub signal: Map<String, Value>,
}

/// One step of a receipt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowStep {
    /// The step's recipe.
    pub recipe: String,
    /// Achieved values and facts in the order of the receipt.
    pub achieved: Map<String, Value>,
}

/// Why a line is not a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// Not JSON of the expected form.
    #[error("not a row: {0}")]
    Form(String),
    /// The checksum does not match.
    #[error("damaged: CRC-32C is {actual}, the line says {stated}")]
    Crc {
        /// Computed.
        actual: u32,
        /// Stated in the line.
        stated: String,
    },
    /// Written by a newer program.
    #[error("row version {0}, this program reads up to {ROW_VERSION}: use a newer vbench")]
    Newer(u64),
}

impl Row {
    /// The row of an outcome.
    #[must_use]
    pub fn new(cell: &str, utterance: &Utterance, condition: &str, model: &str, outcome: &Outcome) -> Self {
        let (name, reason, hypothesis, receipt) = match outcome {
            Outcome::Ok { hypothesis, receipt } => ("ok", None, Some(hypothesis), Some(receipt)),
            Outcome::Failed(reason) => ("failed", Some(reason), None, None),
            Outcome::Skipped(reason) => ("skipped", Some(reason), None, None),
        };
        let mut tags = utterance.tags.clone();
        if let Some(language) = &utterance.language {
            tags.entry("language".into()).or_insert_with(|| language.clone());
        }
        Self {
            v: ROW_VERSION,
            cell: cell.into(),
            utt: utterance.id.clone(),
            corpus: utterance.corpus.clone(),
            speaker: utterance.speaker.clone(),
            session: utterance.session.clone(),
            tags,
            condition: condition.into(),
            model: model.into(),
            outcome: name.into(),
            reason: reason.map(|r| RowReason { kind: r.kind.name().into(), text: r.text.clone() }),
            reference: utterance.text.clone(),
            hyp: hypothesis.map(|h| h.text.clone()),
            output: hypothesis.and_then(output_of),
            receipt: receipt.map(receipt_to_wire),
        }
    }

    /// The line as stored, without the newline.
    ///
    /// # Errors
    ///
    /// A number that JSON cannot hold.
    pub fn to_line(&self) -> Result<String, RowError> {
        let mut line = serde_json::to_string(self).map_err(|e| RowError::Form(e.to_string()))?;
        let crc = crc32c::crc32c(line.as_bytes());
        line.pop();
        line.push_str(&format!(",\"crc\":{crc}}}"));
        Ok(line)
    }

    /// Parses and verifies a stored line.
    ///
    /// # Errors
    ///
    /// Another form, a checksum that does not match, or a newer version.
    pub fn from_line(line: &str) -> Result<Self, RowError> {
        let (body, stated) = line
            .rsplit_once(",\"crc\":")
            .and_then(|(body, rest)| Some((body, rest.strip_suffix('}')?)))
            .ok_or_else(|| RowError::Form("no `crc` at the end of the line".into()))?;
        let body = format!("{body}}}");
        let actual = crc32c::crc32c(body.as_bytes());
        if stated.parse() != Ok(actual) {
            return Err(RowError::Crc { actual, stated: stated.into() });
        }
        let row: Result<Self, _> = serde_json::from_str(&body);
        // A newer row may have another form: its version is looked at before the form is found wrong.
        let version = match &row {
            Ok(row) => u64::from(row.v),
            Err(_) => serde_json::from_str::<Value>(&body).ok().and_then(|v| v.get("v")?.as_u64()).unwrap_or(0),
        };
        if version > u64::from(ROW_VERSION) {
            return Err(RowError::Newer(version));
        }
        let row = row.map_err(|e| RowError::Form(e.to_string()))?;
        match (row.outcome.as_str(), &row.hyp) {
            ("ok", None) => Err(RowError::Form("outcome `ok` without `hyp`".into())),
            ("ok" | "failed" | "skipped", _) => Ok(row),
            (other, _) => Err(RowError::Form(format!("outcome is `{other}`, expected `ok`, `failed` or `skipped`"))),
        }
    }

    /// The outcome in the domain's form.
    #[must_use]
    pub fn to_outcome(&self) -> Outcome {
        let reason = || {
            let (kind, text) = self.reason.as_ref().map_or(("", ""), |r| (r.kind.as_str(), r.text.as_str()));
            Reason { kind: ReasonKind::from_name(kind).unwrap_or(ReasonKind::Model), text: text.into() }
        };
        match self.outcome.as_str() {
            "ok" => Outcome::Ok { hypothesis: self.hypothesis(), receipt: self.receipt() },
            "skipped" => Outcome::Skipped(reason()),
            _ => Outcome::Failed(reason()),
        }
    }

    fn hypothesis(&self) -> Hypothesis {
        let output = self.output.as_ref();
        Hypothesis {
            text: self.hyp.clone().unwrap_or_default(),
            language: output.and_then(|o| o.language.clone()),
            temperature: output.and_then(|o| o.temperature),
            segments: output.map_or_else(Vec::new, |o| {
                let segment = |(start_s, end_s, text): &(f64, f64, String)| Segment {
                    start_s: *start_s,
                    end_s: *end_s,
                    text: text.clone(),
                };
                o.segments.iter().map(segment).collect()
            }),
        }
    }

    fn receipt(&self) -> Receipt {
        let Some(wire) = &self.receipt else {
            return Receipt::default();
        };
        wire.to_receipt()
    }
}

impl RowReceipt {
    /// The receipt.
    #[must_use]
    pub fn to_receipt(&self) -> Receipt {
        Receipt {
            input_sha256: self.input_sha256.clone(),
            recipe: self.recipe.clone(),
            seed: self.seed,
            utterance: self.utterance.clone(),
            output_sha256: self.output_sha256.clone(),
            samples: self.samples,
            active_level_dbfs: self.active_level_dbfs,
            steps: self.steps.iter().map(step_from_wire).collect(),
            signal: self.signal.iter().filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect(),
        }
    }

    /// The form that rows and manifests hold.
    #[must_use]
    pub fn new(receipt: &Receipt) -> Self {
        receipt_to_wire(receipt)
    }
}

fn output_of(hypothesis: &Hypothesis) -> Option<RowOutput> {
    let plain = hypothesis.language.is_none() && hypothesis.temperature.is_none() && hypothesis.segments.is_empty();
    (!plain).then(|| RowOutput {
        language: hypothesis.language.clone(),
        temperature: hypothesis.temperature,
        segments: hypothesis.segments.iter().map(|s| (s.start_s, s.end_s, s.text.clone())).collect(),
    })
}

fn receipt_to_wire(receipt: &Receipt) -> RowReceipt {
    let step = |step: &StepReceipt| {
        let mut achieved = Map::new();
        for (name, value) in &step.achieved {
            if let Some(number) = Number::from_f64(*value) {
                achieved.insert(name.clone(), Value::Number(number));
            }
        }
        for (name, fact) in &step.facts {
            achieved.insert(name.clone(), Value::String(fact.clone()));
        }
        RowStep { recipe: step.recipe.clone(), achieved }
    };
    // What is not a number is absent: JSON has no NaN.
    let number = |(name, value): &(String, f64)| Some((name.clone(), Value::Number(Number::from_f64(*value)?)));
    RowReceipt {
        input_sha256: receipt.input_sha256.clone(),
        recipe: receipt.recipe.clone(),
        seed: receipt.seed,
        utterance: receipt.utterance.clone(),
        output_sha256: receipt.output_sha256.clone(),
        samples: receipt.samples,
        active_level_dbfs: receipt.active_level_dbfs,
        steps: receipt.steps.iter().map(step).collect(),
        signal: receipt.signal.iter().filter_map(number).collect(),
    }
}

fn step_from_wire(step: &RowStep) -> StepReceipt {
    let mut receipt = StepReceipt { recipe: step.recipe.clone(), achieved: Vec::new(), facts: Vec::new() };
    for (name, value) in &step.achieved {
        match value {
            Value::Number(n) => receipt.achieved.push((name.clone(), n.as_f64().unwrap_or(0.0))),
            Value::String(s) => receipt.facts.push((name.clone(), s.clone())),
            _ => {}
        }
    }
    receipt
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn sample_row(text: &str) -> Row {
        let utterance = Utterance {
            id: "u1".into(),
            corpus: "c".into(),
            audio: "u1.wav".into(),
            text: "the reference".into(),
            speaker: Some("s".into()),
            session: None,
            language: Some("en".into()),
            start_s: None,
            duration_s: Some(1.5),
            sha256: None,
            tags: BTreeMap::from([("accent".to_string(), "us".to_string())]),
        };
        let step = StepReceipt {
            recipe: "noise(kind=speech-shaped, snr_db=5)".into(),
            achieved: vec![("achieved_snr_db".into(), 5.01), ("gain_db".into(), 0.0)],
            facts: vec![("encoder".into(), "none".into())],
        };
        let receipt = Receipt {
            input_sha256: "aa".into(),
            recipe: "r".into(),
            seed: Some(7),
            utterance: "c/u1".into(),
            output_sha256: "bb".into(),
            samples: 24_000,
            active_level_dbfs: Some(-26.5),
            steps: vec![step],
            signal: vec![("stoi".into(), 0.875)],
        };
        let hypothesis = Hypothesis { text: text.into(), language: Some("en".into()), ..Hypothesis::default() };
        Row::new("c/u1/noise-5db/m", &utterance, "noise-5db", "m", &Outcome::Ok { hypothesis, receipt })
    }

    #[test]
    fn a_row_survives_the_round_trip_with_any_text() {
        for text in ["plain", "quote \" and ,\"crc\":12}", "line\nbreak \u{2028} \u{0}", "తెలుగు 😀", ""]
        {
            let row = sample_row(text);
            let line = row.to_line().expect("serialises");
            assert!(!line.contains('\n'), "one line: {line}");
            let back = Row::from_line(&line).expect("parses");
            assert_eq!(back, row);
            assert_eq!(Row::new("c/u1/noise-5db/m", &utterance_of(&row), "noise-5db", "m", &back.to_outcome()), row);
        }
    }

    fn utterance_of(row: &Row) -> Utterance {
        let mut tags = row.tags.clone();
        let language = tags.remove("language");
        Utterance {
            id: row.utt.clone(),
            corpus: row.corpus.clone(),
            audio: String::new().into(),
            text: row.reference.clone(),
            speaker: row.speaker.clone(),
            session: row.session.clone(),
            language,
            start_s: None,
            duration_s: None,
            sha256: None,
            tags,
        }
    }

    #[test]
    fn any_flipped_byte_is_noticed() {
        let line = sample_row("hello").to_line().expect("serialises");
        for i in 0..line.len() {
            let mut bytes = line.clone().into_bytes();
            bytes[i] ^= 1;
            if let Ok(text) = String::from_utf8(bytes) {
                assert!(Row::from_line(&text).is_err(), "byte {i} of {line}");
            }
        }
    }

    #[test]
    fn a_newer_row_is_refused() {
        let mut row = sample_row("x");
        row.v = 2;
        assert_eq!(Row::from_line(&row.to_line().expect("serialises")), Err(RowError::Newer(2)));
    }
}
