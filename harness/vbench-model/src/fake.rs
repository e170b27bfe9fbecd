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
            clock: o.delay_ms.map_or(ResponseClock::Real, |ms| ResponseClock::Simulated(self.delay(ms, request))),
        })
    }

    fn transcribe_batch(&self, requests: &[Request<'_>]) -> Vec<Result<Response, ModelError>> {
        let batched = |(i, request): (usize, &Request<'_>)| {
            let mut response = self.transcribe(request)?;
            if let (true, Some(ms)) = (i > 0, self.options.batch_ms) {
                response.clock = ResponseClock::Simulated(ms.saturating_mul(1_000_000));
            }
            Ok(response)
        };
        requests.iter().enumerate().map(batched).collect()
    }

    fn has_batching(&self) -> bool {
        self.options.batch_ms.is_some()
    }
}

impl FakeModel {
    /// How long a clip takes on the simulated clock, ns.
    fn delay(&self, ms: u64, request: &Request<'_>) -> u64 {
        let (per_s, per_s2) = (self.options.per_s_ms as f64, self.options.per_s2_ms as f64);
        let seconds = request.samples.len() as f64 / 16_000.0;
        let more = (1e6 * (per_s * seconds + per_s2 * seconds * seconds)).round() as u64;
        ms.saturating_mul(1_000_000).saturating_add(more)
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
        let fake = FakeModel::new(FakeOptions {
            drop_every: 3,
            delay_ms: Some(40),
            fail: Some("noise".into()),
            ..FakeOptions::default()
        });
        let u = utterance("one two three four five six seven");
        let request = Request { cell: "c/a/clean/fake", utterance: &u, condition: "clean", samples: &[], seed: 1 };
        let response = fake.transcribe(&request).expect("not told to fail here");
        assert_eq!(response.hypothesis.text, "one two four five seven");
        assert_eq!(response.clock, ResponseClock::Simulated(40_000_000));
        let error = fake.transcribe(&Request { cell: "c/a/noise-5db/fake", ..request }).expect_err("told to fail");
        assert!(error.to_string().contains("noise-5db"));
    }

    #[test]
    fn times_grow_with_length_and_batches_are_cheaper_where_asked_for() {
        let u = utterance("one two");
        let seconds = vec![0.0f32; 32_000];
        let request = Request { cell: "c", utterance: &u, condition: "clean", samples: &seconds, seed: 1 };
        let total = |options: FakeOptions, n: usize| -> u64 {
            let responses = FakeModel::new(options).transcribe_batch(&vec![request; n]);
            responses
                .iter()
                .map(|r| match r {
                    Ok(Response { clock: ResponseClock::Simulated(ns), .. }) => *ns,
                    _ => 0,
                })
                .sum()
        };
        let grows = FakeOptions { delay_ms: Some(10), per_s_ms: 3, per_s2_ms: 2, ..FakeOptions::default() };
        assert_eq!(total(grows.clone(), 1), 24_000_000);
        assert_eq!(total(grows, 3), 72_000_000);
        assert_eq!(
            total(FakeOptions { delay_ms: Some(10), batch_ms: Some(1), ..FakeOptions::default() }, 3),
            12_000_000
        );
    }
}
