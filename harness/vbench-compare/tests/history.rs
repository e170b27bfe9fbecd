//! Change points on simulated histories: false alarms, power, place.

use rand::RngExt;
use vbench_compare::history::{ChangePoints, HistoryMetric, RunCells, change_points};
use vbench_compare::{ErrorTable, ScoredCell, SideCell};
use vbench_core::ErrorCounts;
use vbench_core::keyed::keyed_rng;
use vbench_stats::mapsswe::UtteranceOutcome;

const WORDS: u64 = 40;
const SPEAKERS: usize = 18;

fn cell(utterance: usize, errors: u64) -> SideCell {
    let words = ErrorCounts { hits: WORDS - errors, sub: errors, del: 0, ins: 0 };
    SideCell {
        scored: ScoredCell {
            cell: format!("c/u{utterance}/clean/m"),
            utterance: format!("u{utterance}"),
            corpus: "c".into(),
            condition: "clean".into(),
            model: "m".into(),
            speaker: Some(format!("s{}", utterance / 2)),
            session: None,
            tags: std::collections::BTreeMap::new(),
            target_snr_db: None,
            severity: None,
            signal: Vec::new(),
            achieved_snr_db: None,
            reference_words: WORDS,
            words,
            words_min_errors: errors,
            chars: words,
            audio_s: 2.0,
            processing_s: None,
            late: None,
        },
        reference: format!("reference {utterance}"),
        hypothesis: String::new(),
        normalized: String::new(),
        audio_sha256: "a".into(),
        errors: ErrorTable::default(),
        outcome: UtteranceOutcome::default(),
    }
}

/// A run of 36 utterances by 18 speakers, unequally hard, each word wrong by chance.
fn run(rng: &mut impl RngExt, rate: f64) -> RunCells {
    let cells = (0..2 * SPEAKERS).map(|u| {
        let hard = rate * (0.4 + 1.2 * (u / 2) as f64 / SPEAKERS as f64);
        cell(u, (0..WORDS).filter(|_| rng.random::<f64>() < hard).count() as u64)
    });
    RunCells::new(&cells.collect::<Vec<_>>())
}

fn look(runs: &[RunCells]) -> ChangePoints {
    change_points(&runs.iter().map(Some).collect::<Vec<_>>(), HistoryMetric::Wer, None, 7)
}

#[test]
fn histories_without_a_change_alarm_at_most_as_often_as_the_level() {
    let histories = 600;
    let alarms = (0..histories).filter(|i| {
        let mut rng = keyed_rng(*i, "null history", "", "");
        let runs: Vec<RunCells> = (0..12).map(|_| run(&mut rng, 0.1)).collect();
        !look(&runs).changes.is_empty()
    });
    // 0.05 and 2.6 standard errors of 600 trials.
    let rate = alarms.count() as f64 / histories as f64;
    assert!(rate <= 0.074, "false alarms in {:.1} % of histories", 100.0 * rate);
}

#[test]
fn a_step_is_found_where_it_is() {
    let histories = 200;
    let (mut found, mut placed) = (0, 0);
    for i in 0..histories {
        let mut rng = keyed_rng(i, "step", "", "");
        let runs: Vec<RunCells> = (0..12).map(|r| run(&mut rng, if r < 7 { 0.1 } else { 0.14 })).collect();
        let changes = look(&runs).changes;
        found += usize::from(!changes.is_empty());
        placed += usize::from(changes.iter().any(|c| c.run.abs_diff(7) <= 1 && c.difference.value > 0.0));
    }
    assert!(found >= 190, "found in {found} of {histories}");
    assert!(placed >= 180, "found at its place in {placed} of {histories}");
}

/// A recogniser that gives the same text every time: a step and its return stand exactly where they are.
#[test]
fn deterministic_runs_change_at_exact_boundaries() {
    let of = |errors: u64| RunCells::new(&(0..2 * SPEAKERS).map(|u| cell(u, errors)).collect::<Vec<_>>());
    let worse = |by: u64| {
        let cells = (0..2 * SPEAKERS).map(|u| cell(u, 4 + by * u64::from(u % 5 != 0)));
        RunCells::new(&cells.collect::<Vec<_>>())
    };
    let runs = [of(4), of(4), of(4), worse(2), worse(2), of(4), of(4), of(4), of(4)];
    let found = look(&runs);
    assert_eq!(found.changes.iter().map(|c| c.run).collect::<Vec<_>>(), [3, 5], "{found:?}");
    assert_eq!(found.changes[0].before, 0.1);
    assert!(found.changes[0].difference.value > 0.0 && found.changes[1].difference.value < 0.0);
    assert_eq!((found.cells, found.clusters.map(|c| c.1)), (36, Some(SPEAKERS)));
    assert_eq!(found, look(&runs), "the same runs give the same answer");
    assert!(look(&[of(4), of(4)]).changes.is_empty());
}

#[test]
fn runs_that_cannot_be_compared_say_why() {
    let mut rng = keyed_rng(1, "few", "", "");
    let full = run(&mut rng, 0.1);
    assert!(look(std::slice::from_ref(&full)).reason.is_some_and(|r| r.contains("two runs")));
    let mut other: Vec<SideCell> = (0..36).map(|u| cell(u, 1)).collect();
    for c in &mut other {
        c.audio_sha256 = "b".into();
    }
    let none = look(&[full.clone(), RunCells::new(&other)]);
    assert!(none.reason.as_deref().is_some_and(|r| r.contains("same audio")), "{none:?}");
    let few = RunCells::new(&(0..8).map(|u| cell(u, 1)).collect::<Vec<_>>());
    let shown = look(&[full.clone(), few.clone(), full]);
    assert_eq!((shown.used, shown.left_out), (vec![0, 2], vec![1]));
    let few = RunCells::new(&(0..4).map(|u| cell(u, 1)).collect::<Vec<_>>());
    assert!(look(&[few.clone(), few]).reason.is_some_and(|r| r.contains("too few")));
}
