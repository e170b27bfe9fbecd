//! A model without weights whose answers and times are known exactly.

use vbench_core::Hypothesis;

use crate::model::{Model, ModelError, ModelFacts, Request, Response, ResponseClock};
use crate::spec::FakeOptions;

/// Echoes the reference, with the faults asked for.
#[derive(Debug, Clone, Default)]
pub struct FakeModel {
    options: FakeOptions,
}

impl FakeModel {
    /// A fake with these settings.
    #[must_use]
    pub fn new(options: FakeOptions) -> Self {
        Self { options }
    }
}

impl Model for FakeModel {
    fn facts(&self) -> ModelFacts {
        let o = &self.options;
        let mut facts = vec![("drop_every".to_string(), o.drop_every.to_string())];
        facts.extend(o.delay_ms.map(|ms| ("delay_ms".to_string(), ms.to_string())));
        facts.extend(o.fail.clone().map(|text| ("fail".to_string(), text)));
        ModelFacts { kind: "fake".into(), weights_sha256: None, facts }
    }

    fn transcribe(&self, request: &Request<'_>) -> Result<Response, ModelError> {
        let o = &self.options;
        if o.sleep_ms > 0 {
            std::thread::sleep(std::time::Duration::from_millis(o.sleep_ms));
        }
        if o.fail.as_deref().is_some_and(|text| request.cell.contains(text)) {
            return Err(ModelError(format!("told to fail on `{}`", request.cell)));
        }
        let words = request.utterance.text.split_whitespace().enumerate();
        let kept: Vec<&str> =
            words.filter(|(i, _)| o.drop_every == 0 || (i + 1) % o.drop_every != 0).map(|(_, w)| w).collect();
        Ok(Response {
            hypothesis: Hypothesis { text: kept.join(" "), ..Hypothesis::default() },
            clock: o.delay_ms.map_or(ResponseClock::Real, |ms| ResponseClock::Simulated(ms.saturating_mul(1_000_000))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vbench_core::Utterance;

    fn utterance(text: &str) -> Utterance {
        Utterance {
            id: "a".into(),
            corpus: "c".into(),
            audio: "a.wav".into(),
            text: text.into(),
            speaker: None,
            session: None,
            language: None,
            start_s: None,
            duration_s: None,
            sha256: None,
            tags: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn drops_every_third_word_takes_40_ms_and_fails_on_demand() {
        let fake =
            FakeModel::new(FakeOptions { drop_every: 3, delay_ms: Some(40), sleep_ms: 0, fail: Some("noise".into()) });
        let u = utterance("one two three four five six seven");
        let request = Request { cell: "c/a/clean/fake", utterance: &u, condition: "clean", samples: &[], seed: 1 };
        let response = fake.transcribe(&request).expect("not told to fail here");
        assert_eq!(response.hypothesis.text, "one two four five seven");
        assert_eq!(response.clock, ResponseClock::Simulated(40_000_000));
        let error = fake.transcribe(&Request { cell: "c/a/noise-5db/fake", ..request }).expect_err("told to fail");
        assert!(error.to_string().contains("noise-5db"));
    }
}
