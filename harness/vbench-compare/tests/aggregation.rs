//! Strata, severity curve, overall score and latency readings on made-up cells.

use std::collections::BTreeMap;

use proptest::prelude::*;
use vbench_compare::{Coverage, OverallWeight, ScoredCell, Summary, SummaryHead, summarize};
use vbench_core::{ErrorCounts, Severity};

/// Ten reference words unless `words` says otherwise, `errors` of them substituted.
fn cell(speaker: usize, utterance: usize, condition: &str, words: u64, errors: u64) -> ScoredCell {
    let target: Option<f64> =
        condition.strip_prefix("noise-").and_then(|c| c.strip_suffix("db")).and_then(|d| d.parse().ok());
    let severity = |value| Severity { family: "noise".into(), parameter: "snr_db".into(), value };
    let counts = ErrorCounts { hits: words - errors, sub: errors, del: 0, ins: 0 };
    ScoredCell {
        cell: format!("c/s{speaker}u{utterance}/{condition}/m"),
        utterance: format!("s{speaker}u{utterance}"),
        corpus: "c".into(),
        condition: condition.into(),
        model: "m".into(),
        speaker: Some(format!("s{speaker:02}")),
        session: None,
        tags: BTreeMap::from([("language".to_owned(), if speaker.is_multiple_of(2) { "en" } else { "te" }.to_owned())]),
        target_snr_db: target,
        severity: target.map(severity),
        achieved_snr_db: target,
        signal: Vec::new(),
        reference_words: words,
        words: counts,
        words_min_errors: counts.errors(),
        chars: counts,
        audio_s: 0.4 * words as f64,
        processing_s: Some(0.1),
        late: None,
    }
}

fn head(strata: &[&str]) -> SummaryHead {
    SummaryHead {
        suite: "s".into(),
        normalizer: "n/1".into(),
        weights: "sclite".into(),
        seed: 7,
        primary: "wer".into(),
        absent: Vec::new(),
        conditions: ["clean", "noise-20db", "noise-10db", "noise-5db"].map(String::from).to_vec(),
        signal_metrics: Vec::new(),
        strata: strata.iter().map(|s| (*s).to_owned()).collect(),
        overall: Vec::new(),
        latency_budget_ms: None,
    }
}

fn summary(head: SummaryHead, cells: &[ScoredCell]) -> Summary {
    let n = cells.len();
    summarize(head, cells, &[], Vec::new(), Coverage { planned: n, done: n, ..Coverage::default() })
}

#[test]
fn strata_by_language_length_and_duration_hold_every_cell_once_in_the_order_of_the_bins() {
    let cells: Vec<ScoredCell> = (0..8)
        .flat_map(|s| [45, 3, 12, 7].map(|words| cell(s, words as usize, "clean", words, s as u64 % 3)))
        .collect();
    let summary = summary(head(&["language", "length", "duration"]), &cells);
    let of = |by: &str| -> Vec<(&str, usize)> {
        summary.strata.iter().filter(|s| s.by == by).map(|s| (s.value.as_str(), s.scored)).collect()
    };
    assert_eq!(of("language"), [("en", 16), ("te", 16)]);
    assert_eq!(of("length"), [("1-5 words", 8), ("6-10 words", 8), ("11-20 words", 8), ("over 40 words", 8)]);
    assert_eq!(of("duration"), [("up to 2 s", 8), ("2-5 s", 16), ("10-20 s", 8)]);
}

#[test]
fn a_tag_named_length_wins_over_the_bins_and_failed_cells_keep_their_stratum() {
    let mut tagged = cell(0, 0, "clean", 10, 0);
    tagged.tags.insert("length".into(), "short".into());
    let mut lost = cell(1, 1, "clean", 30, 0);
    lost.words = ErrorCounts::ZERO;
    let coverage = Coverage { planned: 2, done: 1, failed: 1, ..Coverage::default() };
    let summary = summarize(head(&["length"]), &[tagged], &[lost], Vec::new(), coverage);
    let strata: Vec<_> =
        summary.strata.iter().filter(|s| s.by == "length").map(|s| (s.value.as_str(), s.scored, s.failed)).collect();
    assert!(strata.contains(&("short", 1, 0)) && strata.contains(&("21-40 words", 0, 1)), "{strata:?}");
}

const LEVELS: [&str; 3] = ["noise-20db", "noise-10db", "noise-5db"];

/// Eight speakers with two utterances each at three levels; errors of (utterance, level) out of ten words.
fn noisy(errors: impl Fn(usize, usize) -> u64) -> Vec<ScoredCell> {
    (0..16)
        .flat_map(|u| LEVELS.iter().enumerate().map(move |(k, level)| (u, k, level)))
        .map(|(u, k, level)| cell(u / 2, u, level, 10, errors(u, k)))
        .collect()
}

fn weight(by: &str, value: &str, weight: f64) -> OverallWeight {
    OverallWeight { by: by.into(), value: value.into(), weight }
}

#[test]
fn the_area_is_the_trapezoid_over_db_and_the_points_are_the_strata() {
    let cells = noisy(|u, k| [1, 2, 6][k] + u as u64 % 3);
    let summary = summary(head(&["snr"]), &cells);
    let [curve] = summary.curves.as_slice() else { panic!("one model, one curve: {:?}", summary.curves) };
    assert_eq!(curve.points.iter().map(|p| p.value).collect::<Vec<_>>(), [5.0, 10.0, 20.0]);
    for point in &curve.points {
        let value = format!("{} dB", point.value);
        let stratum = summary.strata.iter().find(|s| s.by == "snr" && s.value == value).expect("a stratum");
        assert_eq!((&point.wer, point.scored), (&stratum.wer, stratum.scored));
    }
    let [low, middle, high] = [0, 1, 2].map(|i| curve.points[i].wer.value);
    let by_hand = (5.0 * (low + middle) / 2.0 + 10.0 * (middle + high) / 2.0) / 15.0;
    assert!((curve.area.value - by_hand).abs() < 1e-12);
    let interval = curve.area.interval.as_ref().expect("spread over eight speakers");
    assert!(interval.lo < by_hand && by_hand < interval.hi && interval.clusters == 8, "{interval:?}");
}

#[test]
fn one_level_has_no_curve_and_a_silent_level_no_area() {
    let one = noisy(|u, _| u as u64 % 3).into_iter().filter(|c| c.condition == "noise-5db").collect::<Vec<_>>();
    assert!(summary(head(&[]), &one).curves.is_empty());
    let mut silent = noisy(|u, _| u as u64 % 3);
    for c in silent.iter_mut().filter(|c| c.condition == "noise-10db") {
        c.words = ErrorCounts::ZERO;
    }
    let area = &summary(head(&[]), &silent).curves[0].area;
    assert!(area.value.is_nan());
    assert_eq!(area.interval, Err("no reference words were scored in 10 dB".to_owned()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_area_under_a_constant_curve_is_the_constant(errors in prop::collection::vec(0u64..10, 16)) {
        let summary = summary(head(&["snr"]), &noisy(|u, _| errors[u]));
        let curve = &summary.curves[0];
        prop_assert!((curve.area.value - curve.points[0].wer.value).abs() < 1e-12);
        // The same errors at every level: the area knows exactly as much as one level does.
        match (curve.area.ends(), curve.points[0].wer.ends()) {
            (Some((a, b)), Some((c, d))) => prop_assert!((a - c).abs() < 0.02 && (b - d).abs() < 0.02, "{a} {b} {c} {d}"),
            (area, point) => prop_assert_eq!(area, point),
        }
    }

    #[test]
    fn overall_of_one_stratum_is_that_stratum_and_only_the_proportion_of_weights_counts(
        errors in prop::collection::vec(0u64..10, 48),
        one in 0.01f64..100.0,
    ) {
        let cells = noisy(|u, k| errors[3 * u + k]);
        let with = |overall: Vec<OverallWeight>| summary(SummaryHead { overall, ..head(&["condition"]) }, &cells);
        let single = with(vec![weight("condition", "noise-10db", one)]);
        let stratum = single.strata.iter().find(|s| s.value == "noise-10db").expect("a stratum");
        prop_assert_eq!(&single.overall[0].wer, &stratum.wer);
        let both = |f: f64| with(vec![weight("condition", "noise-20db", f), weight("condition", "noise-5db", 3.0 * f)]);
        let (a, b) = (both(1.0), both(one));
        prop_assert!((a.overall[0].wer.value - b.overall[0].wer.value).abs() < 1e-12);
        let of = |name: &str| a.strata.iter().find(|s| s.value == name).expect("a stratum").wer.value;
        prop_assert!((a.overall[0].wer.value - 0.25 * of("noise-20db") - 0.75 * of("noise-5db")).abs() < 1e-12);
    }

    #[test]
    fn latency_readings_are_exact_counts(cells in prop::collection::vec((0u64..=10, 0u64..20, any::<bool>()), 16)) {
        let timed: Vec<ScoredCell> = cells
            .iter()
            .enumerate()
            .map(|(u, (sub, ins, late))| {
                let mut c = cell(u / 2, u, "clean", 10, *sub);
                c.words.ins = *ins;
                c.late = Some(*late);
                c
            })
            .collect();
        let summary = summary(SummaryHead { latency_budget_ms: Some(200.0), ..head(&[]) }, &timed);
        let r = &summary.latency[0];
        let late = cells.iter().filter(|c| c.2).count();
        prop_assert_eq!((r.timed, r.untimed, r.late), (16, 0, late));
        prop_assert!((r.on_time.value - (16 - late) as f64 / 16.0).abs() < 1e-12);
        let punctual: u64 = cells.iter().filter(|c| !c.2).map(|c| c.0 + c.1).sum();
        prop_assert_eq!(r.on_time_words.errors(), punctual);
        prop_assert_eq!(r.late_empty_errors, punctual + 10 * late as u64);
        prop_assert!((r.wer_late_empty.value - r.late_empty_errors as f64 / r.reference_words as f64).abs() < 1e-12);
        prop_assert_eq!(&r.wer, &summary.strata[0].wer);
        // Without insertions an empty output is the worst there is.
        if cells.iter().all(|c| c.1 == 0) {
            prop_assert!(r.wer_late_empty.value >= r.wer.value - 1e-12);
        }
        // Coverage-weighted: late cells are wrong in every word.
        if late < 16 {
            let share = 16.0 - late as f64;
            let mixed = (r.wer_on_time.value * share + late as f64) / 16.0;
            prop_assert!((r.wer_late_empty.value - mixed).abs() < 1e-12);
        } else {
            prop_assert!(r.wer_on_time.value.is_nan() && r.wer_late_empty.value == 1.0);
        }
        if let Some((lo, hi)) = r.on_time.ends() {
            prop_assert!(0.0 <= lo && lo <= r.on_time.value && r.on_time.value <= hi && hi <= 1.0);
        }
    }
}

#[test]
fn when_everything_is_on_time_the_three_readings_are_one() {
    let mut cells = noisy(|u, k| (u + k) as u64 % 4);
    cells.iter_mut().for_each(|c| c.late = Some(false));
    cells[0].late = None;
    let with = |budget| SummaryHead { latency_budget_ms: budget, ..head(&[]) };
    let summary = summary(with(Some(200.0)), &cells);
    let r = &summary.latency[0];
    assert_eq!((r.timed, r.untimed, r.late, r.on_time.value), (47, 1, 0, 1.0));
    assert_eq!((&r.wer_on_time, &r.wer_late_empty), (&r.wer, &r.wer));
    assert!(self::summary(with(None), &cells).latency.is_empty(), "no budget, no reading");
    cells.iter_mut().for_each(|c| c.late = None);
    assert!(self::summary(with(Some(200.0)), &cells).latency.is_empty(), "no timing, no reading");
}

#[test]
fn an_overall_score_over_a_stratum_without_words_says_so() {
    let overall = vec![weight("condition", "noise-5db", 1.0), weight("condition", "reverb", 1.0)];
    let score = summary(SummaryHead { overall, ..head(&[]) }, &noisy(|u, _| u as u64 % 2)).overall;
    assert!(score[0].wer.value.is_nan());
    assert_eq!(score[0].wer.interval, Err("no reference words were scored in condition=reverb".to_owned()));
}
