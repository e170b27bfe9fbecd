//! The ledger of a turn: parts that sum, and reports that cannot be true.

use proptest::prelude::*;
use vbench_load::{LedgerError, Stage, ledger};

fn stage(name: &str, t0: u64, t1: u64) -> Stage {
    Stage { name: name.into(), owner: "model".into(), t0, t1 }
}

#[test]
fn a_streaming_pipeline_is_charged_to_its_newest_stage() {
    let stages = [
        stage("vad", 0, 50),
        stage("asr", 50, 200),
        stage("llm", 210, 400),
        stage("tts", 300, 450),
        stage("asr", 500, 520),
    ];
    let found = ledger(0, 430, &stages[..4], &["vad", "asr", "llm", "tts"]).unwrap();
    let parts: Vec<(&str, u64)> = found.contributions.iter().map(|c| (c.name.as_str(), c.ns)).collect();
    assert_eq!(parts, [("vad", 50), ("asr", 150), ("unaccounted", 10), ("llm", 90), ("tts", 130)]);
    assert_eq!(found.total, 430);
    assert!(matches!(ledger(0, 430, &stages, &[]), Err(LedgerError::TooLate { by: 70, .. })));
}

#[test]
fn impossible_orders_are_refused() {
    let order = ["asr", "llm"];
    for (stages, wanted) in [
        (vec![stage("asr", 10, 5)], "`asr` ends 5 ns before it begins"),
        (vec![stage("asr", 90, 120)], "`asr` begins 10 ns before the request was due"),
        (vec![stage("asr", 150, 180), stage("llm", 140, 190)], "`llm` begins 10 ns before `asr`"),
    ] {
        let error = ledger(if wanted.contains("due") { 100 } else { 0 }, 200, &stages, &order).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// Whatever the stages, the parts sum to what the user waited, and no part exceeds what its stage ran.
    #[test]
    fn contributions_sum_to_the_wait(
        due in 0u64..1_000,
        wait in 0u64..5_000,
        spans in prop::collection::vec((0usize..5, 0u64..6_000, 0u64..3_000), 0..12),
    ) {
        let names = ["vad", "asr", "llm", "tts", "transport"];
        let stages: Vec<Stage> = spans.iter().map(|(n, from, len)| stage(names[*n], due + from, due + from + len)).collect();
        let end = due + wait;
        match ledger(due, end, &stages, &[]) {
            Ok(found) => {
                prop_assert_eq!(found.total, wait);
                prop_assert_eq!(found.contributions.iter().map(|c| c.ns).sum::<u64>(), wait);
                for c in found.contributions.iter().filter(|c| c.name != "unaccounted") {
                    let ran: u64 = stages.iter().filter(|s| s.name == c.name).map(|s| s.t1.min(end) - s.t0).sum();
                    prop_assert!(c.ns <= ran);
                }
            }
            Err(error) => {
                let too_late = stages.iter().any(|s| s.t0 > end);
                prop_assert!(too_late && matches!(error, LedgerError::TooLate { .. }), "{}", error);
            }
        }
    }
}
