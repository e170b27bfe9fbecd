//! Transcripts made elsewhere, so that any recogniser can be scored without an adapter of its own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use vbench_core::Hypothesis;

use crate::model::{Model, ModelError, ModelFacts, Request, Response, ResponseClock};

/// Transcripts by utterance and condition.
#[derive(Debug)]
pub struct HypothesesModel {
    path: PathBuf,
    sha256: String,
    /// (utterance id or `corpus/id`, condition or empty) -> text
    texts: HashMap<(String, String), String>,
}

/// Why a hypotheses file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HypothesesError {
    /// Not readable.
    #[error("cannot read the hypotheses file {path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line of another form.
    #[error(
        "{path}:{line}: {message}; expected one JSON object a line: {{\"id\", \"hyp\", \"condition\"?, \"corpus\"?}}",
        path = path.display()
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
}

impl HypothesesModel {
    /// Reads a JSONL file of `{"id", "hyp", "condition"?, "corpus"?}`. A line without `condition` holds for every
    /// condition; one without `corpus` for every corpus.
    ///
    /// # Errors
    ///
    /// An unreadable file, a line that is not such an object, or two lines for the same utterance and condition.
    pub fn open(path: &Path) -> Result<Self, HypothesesError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| HypothesesError::Io { path: path.to_path_buf(), source })?;
        let mut texts = HashMap::new();
        for (index, raw) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            let fail = |message: String| HypothesesError::Line { path: path.to_path_buf(), line: index + 1, message };
            let value: Value = serde_json::from_str(raw).map_err(|e| fail(e.to_string()))?;
            let field = |name: &str| value.get(name).and_then(Value::as_str);
            let id = field("id").ok_or_else(|| fail("`id` is missing or not a string".into()))?;
            let hyp = field("hyp").ok_or_else(|| fail("`hyp` is missing or not a string".into()))?;
            let id = field("corpus").map_or_else(|| id.to_string(), |corpus| format!("{corpus}/{id}"));
            let key = (id, field("condition").unwrap_or_default().to_string());
            if texts.insert(key, hyp.to_string()).is_some() {
                return Err(fail("a second hypothesis for the same utterance and condition".into()));
            }
        }
        let sha256 = vbench_core::hash::sha256_hex(text.as_bytes());
        Ok(Self { path: path.to_path_buf(), sha256, texts })
    }
}

impl Model for HypothesesModel {
    fn facts(&self) -> ModelFacts {
        let facts = vec![("lines".to_string(), self.texts.len().to_string())];
        ModelFacts { kind: "hypotheses".into(), weights_sha256: Some(self.sha256.clone()), facts }
    }

    fn transcribe(&self, request: &Request<'_>) -> Result<Response, ModelError> {
        let (id, condition) = (&request.utterance.id, request.condition.to_string());
        let full = format!("{}/{id}", request.utterance.corpus);
        let candidates = [
            (full.clone(), condition.clone()),
            (id.clone(), condition.clone()),
            (full, String::new()),
            (id.clone(), String::new()),
        ];
        let found = candidates.iter().find_map(|key| self.texts.get(key));
        let Some(text) = found else {
            let path = self.path.display();
            return Err(ModelError(format!("no hypothesis for utterance `{id}`, condition `{condition}` in {path}")));
        };
        Ok(Response {
            hypothesis: Hypothesis { text: text.clone(), ..Hypothesis::default() },
            clock: ResponseClock::Untimed,
        })
    }
}
