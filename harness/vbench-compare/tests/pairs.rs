//! Pairing, the explained difference, gates and their self-test on made-up cells.

use proptest::prelude::*;
use vbench_compare::gate::{Evidence, MoreUnits};
use vbench_compare::{
    DifferenceClass, ErrorKind, ErrorTable, GateError, GateInput, Machines, Outcome, ScoredCell, Side, SideCell,
    explain, golden_diff, judge, moved, noise_floor, pair, selftest, waterfall,
};
use vbench_core::{ErrorCounts, GateMetric, Limit, Rule, RuleStratum};
use vbench_score::analysis::WordClass;
use vbench_stats::mapsswe::UtteranceOutcome;

fn scored(utterance: usize, condition: &str, errors: ErrorCounts) -> ScoredCell {
    ScoredCell {
        cell: format!("c/u{utterance}/{condition}/m"),
        utterance: format!("u{utterance}"),
        corpus: "c".into(),
        condition: condition.into(),
        model: "m".into(),
        speaker: Some(format!("s{}", utterance / 2)),
        session: None,
        tags: std::collections::BTreeMap::new(),
        target_snr_db: None,
        severity: None,
        signal: Vec::new(),
        achieved_snr_db: None,
        reference_words: errors.reference(),
        words: errors,
        words_min_errors: errors.errors(),
        chars: errors,
        audio_s: 2.0,
        processing_s: Some(0.2),
        late: None,
    }
}

/// Ten reference words, of which `sub` and `del` are wrong, and `ins` more.
fn cell(utterance: usize, condition: &str, (sub, del, ins): (u64, u64, u64)) -> SideCell {
    let errors = ErrorCounts { hits: 10 - sub - del, sub, del, ins };
    let mut table = ErrorTable::default();
    let mut add =
        |kind, n: u64| (0..n).for_each(|i| table.add(kind, WordClass::ALL[i as usize % WordClass::ALL.len()]));
    add(ErrorKind::Substitution, sub);
    add(ErrorKind::Deletion, del);
    add(ErrorKind::Insertion, ins);
    SideCell {
        scored: scored(utterance, condition, errors),
        reference: format!("reference {utterance}"),
        hypothesis: format!("{sub} {del} {ins}"),
        normalized: format!("{sub} {del} {ins}"),
        audio_sha256: "a".into(),
        errors: table,
        outcome: UtteranceOutcome::default(),
    }
}

fn side(cells: Vec<SideCell>) -> Side {
    Side { model: "m".into(), cells, unscored: Vec::new(), outstanding: 0 }
}

fn compared(strata: &[&str]) -> vbench_compare::Comparison {
    let cells = |worse: u64| -> Vec<SideCell> {
        let of = |i: usize, condition: &str| {
            let sub = if condition == "noise" && !i.is_multiple_of(4) { worse } else { u64::from(i == 3) };
            let mut cell = cell(i, condition, (sub, 0, 0));
            cell.scored.target_snr_db = (condition == "noise").then_some(5.0);
            cell
        };
        (0..24).flat_map(|i| [of(i, "clean"), of(i, "noise")]).collect()
    };
    let (a, b) = (side(cells(1)), side(cells(2)));
    let head = vbench_compare::CompareHead {
        a: "a".into(),
        b: "b".into(),
        suite: "s".into(),
        normalizer: "basic".into(),
        weights: "sclite".into(),
        seed: 7,
        metrics: vec![GateMetric::Wer],
        conditions: vec!["clean".into(), "noise".into()],
        strata: strata.iter().map(|s| (*s).to_owned()).collect(),
        secondary: false,
        forced: Vec::new(),
        preprocessing: None,
        times_not_judged: None,
    };
    vbench_compare::compare(head, &pair(&a, &b))
}

#[test]
fn strata_with_the_same_cells_are_one_test_and_the_whole_keeps_its_p() {
    let p = |c: &vbench_compare::Comparison, by: &str, value: &str| {
        let s = c.strata.iter().find(|s| s.by == by && s.value == value).expect("the stratum");
        (s.paired.test.as_ref().expect("tested").p_two_sided, s.p_adjusted.expect("adjusted"))
    };
    let (once, twice) = (compared(&["condition"]), compared(&["condition", "snr"]));
    assert_eq!((&once.families, &twice.families), (&vec![(GateMetric::Wer, 2)], &vec![(GateMetric::Wer, 2)]));
    let noise = p(&once, "condition", "noise");
    assert_eq!(noise.1, 2.0 * noise.0, "two tests, one of them without any difference");
    assert_eq!(p(&twice, "condition", "noise"), noise, "the stratum of its SNR is the same question");
    assert_eq!(p(&twice, "snr", "5 dB"), noise);
    let all = p(&twice, "all", "");
    assert_eq!(all.0, all.1);
}

fn errors() -> impl Strategy<Value = (u64, u64, u64)> {
    (0u64..5, 0u64..5, 0u64..4)
}

const CONDITIONS: [&str; 3] = ["clean", "noise", "reverb"];

proptest! {
    #[test]
    fn every_split_sums_to_the_difference(both in proptest::collection::vec((errors(), errors()), 1..60)) {
        let at = |i: usize| (i / 3, CONDITIONS[i % 3]);
        let of = |second: bool| {
            let cells = both.iter().enumerate();
            side(cells.map(|(i, e)| cell(at(i).0, at(i).1, if second { e.1 } else { e.0 })).collect())
        };
        let (a, b) = (of(false), of(true));
        let pairing = pair(&a, &b);
        let e = explain(&pairing.pairs, &[]);
        let total = |s: &Side| s.cells.iter().map(|c| c.scored.words.errors()).sum::<u64>();
        prop_assert_eq!((e.errors_a, e.errors_b, e.words), (total(&a), total(&b), 10 * both.len() as u64));
        for split in &e.splits {
            prop_assert_eq!(split.shares.iter().map(|s| s.change()).sum::<i64>(), e.change(), "{}", split.by);
            prop_assert_eq!(split.shares.iter().map(|s| s.errors_a).sum::<u64>(), e.errors_a, "{}", split.by);
        }
        prop_assert_eq!(e.fixed + e.broken + e.same, both.len().div_ceil(3));
        prop_assert!(e.carriers.len() <= 10);
        let sizes: Vec<u64> = e.carriers.iter().map(|c| c.change().unsigned_abs()).collect();
        prop_assert!(sizes.is_sorted_by(|x, y| x >= y) && !sizes.contains(&0), "{sizes:?}");
        // What is shown moved the way that the utterance did.
        for c in &e.carriers {
            let parts = |text: &str| text.split(' ').filter_map(|n| n.parse::<i64>().ok()).sum::<i64>();
            let shown = parts(&c.hypothesis_b) - parts(&c.hypothesis_a);
            prop_assert!(shown.signum() == c.change().signum(), "{c:?}");
        }
    }

    #[test]
    fn every_cell_is_compared_or_left_out_once(fates in proptest::collection::vec(0u8..9, 1..40)) {
        let (mut a, mut b) = (side(Vec::new()), side(Vec::new()));
        // Per cell and side: a hypothesis, failed, or not planned; 0 is both with another reference.
        for (i, fate) in fates.iter().enumerate() {
            let make = |side: &mut Side, state: u8| match state {
                0 => side.cells.push(cell(i, "clean", (1, 0, 0))),
                1 => side.unscored.push(scored(i, "clean", ErrorCounts::ZERO)),
                _ => {}
            };
            make(&mut a, fate % 3);
            make(&mut b, fate / 3);
            if *fate == 0 && i % 2 == 0 {
                b.cells.last_mut().expect("just pushed").reference = "another".into();
            }
        }
        let pairing = pair(&a, &b);
        let planned = fates.iter().filter(|f| **f != 8).count();
        prop_assert_eq!(pairing.pairs.len() + pairing.left_out.total(), planned, "{:?}", pairing.left_out);
        prop_assert!(pairing.pairs.iter().all(|p| p.a.place() == p.b.place() && p.a.reference == p.b.reference));
    }
}

fn rule(metric: GateMetric, limit: Limit) -> Rule {
    Rule { metric, stratum: RuleStratum::All, limit, same_machine: false }
}

/// 16 utterances by 8 speakers; B has `wrong` more deletions on each.
fn sides(wrong: u64) -> (Side, Side) {
    let make = |del| side((0..16).map(|i| cell(i, "clean", (1, del, 0))).collect());
    (make(0), make(wrong))
}

#[test]
fn more_rules_need_clearer_evidence() {
    let (a, b) = sides(1);
    let pairing = pair(&a, &b);
    let judge_with = |rules: &[Rule]| {
        let input = GateInput { run: &b, pairs: Some(pairing.pairs.clone()) };
        judge(rules, &[input], &Machines::Same, 1).expect("a verdict")
    };
    let one = judge_with(&[rule(GateMetric::Wer, Limit::Change(0.05))]);
    assert_eq!(one.outcome(), Outcome::Regressed);
    // Eight speakers, one of 256 patterns: with 13 tests 13/256 is beyond 5 %, with 12 it is not.
    let thresholds = |n: usize| -> Vec<Rule> {
        (0..n).map(|i| rule(GateMetric::Wer, Limit::Change(0.05 + 0.001 * i as f64))).collect()
    };
    assert_eq!(judge_with(&thresholds(12)).outcome(), Outcome::Regressed);
    let many = judge_with(&thresholds(13));
    assert_eq!(many.outcome(), Outcome::Inconclusive);
    assert_eq!(many.rules[0].reason, "decided alone, but not once adjusted for the number of rules");
    let Evidence::Tested(t) = &many.rules[0].evidence else { panic!("a test") };
    assert!(matches!(t.more_units, Some(MoreUnits::Some(1..=3))), "{t:?}");
}

#[test]
fn the_margin_itself_is_neither_passed_nor_broken() {
    let (a, b) = sides(1);
    let pairing = pair(&a, &b);
    let at = |margin| {
        let input = GateInput { run: &b, pairs: Some(pairing.pairs.clone()) };
        let report = judge(&[rule(GateMetric::Wer, Limit::Change(margin))], &[input], &Machines::Same, 1);
        report.expect("a verdict").outcome()
    };
    assert_eq!((at(0.099), at(0.1), at(0.101)), (Outcome::Regressed, Outcome::Inconclusive, Outcome::Pass));
}

#[test]
fn where_more_is_better_less_is_the_regression() {
    let with_snr = |snr: f64| {
        let mut made = sides(0).0;
        made.cells.iter_mut().for_each(|c| c.scored.achieved_snr_db = Some(snr));
        made
    };
    let (a, b) = (with_snr(10.0), with_snr(9.0));
    let pairing = pair(&a, &b);
    let outcome = |limit| {
        let input = GateInput { run: &b, pairs: Some(pairing.pairs.clone()) };
        judge(&[rule(GateMetric::Snr, limit)], &[input], &Machines::Same, 1).expect("a verdict")
    };
    assert_eq!(outcome(Limit::Budget(8.0)).outcome(), Outcome::Pass);
    assert_eq!(outcome(Limit::Budget(9.5)).outcome(), Outcome::Regressed);
    assert_eq!(outcome(Limit::Change(0.5)).outcome(), Outcome::Regressed);
    let kept = outcome(Limit::Change(2.0));
    assert_eq!(kept.outcome(), Outcome::Pass);
    let Evidence::Tested(t) = &kept.rules[0].evidence else { panic!("a test") };
    assert_eq!((t.baseline, t.value, t.estimate.value), (Some(10.0), 9.0, -1.0));
    assert_eq!(t.estimate.ends(), Some((-1.0, -1.0)));
}

#[test]
fn every_kind_of_rule_flips_between_just_below_and_just_above() {
    let (mut a, mut b) = sides(0);
    for side in [&mut a, &mut b] {
        side.cells.iter_mut().for_each(|c| c.scored.achieved_snr_db = Some(10.0));
    }
    let pairing = pair(&a, &b);
    let rules = [
        rule(GateMetric::Wer, Limit::Change(0.005)),
        rule(GateMetric::Wer, Limit::Budget(0.2)),
        rule(GateMetric::Cer, Limit::Change(0.01)),
        rule(GateMetric::Rtf, Limit::Budget(0.3)),
        rule(GateMetric::Rtf, Limit::Change(0.05)),
        rule(GateMetric::Snr, Limit::Budget(5.0)),
        rule(GateMetric::Coverage, Limit::Budget(0.9)),
    ];
    let input = [GateInput { run: &b, pairs: Some(pairing.pairs) }];
    let planted = selftest(&rules, &input, &Machines::Same, 1).expect("a self-test");
    for rule in &rules {
        let mine: Vec<_> = planted.iter().filter(|p| p.rule == *rule).collect();
        assert!(!mine.is_empty() && mine.iter().all(|p| p.flips()), "{rule}: {mine:?}");
    }
    let snr = planted.iter().find(|p| p.rule.metric == GateMetric::Snr).and_then(|p| p.above.clone()).expect("caught");
    assert_eq!(snr.amount, "5.01 dB each", "10 dB less 5.01 dB is the first below 5 dB");
    let lost = planted.iter().find(|p| p.rule.metric == GateMetric::Coverage).and_then(|p| p.above.clone());
    assert_eq!(lost.expect("caught").amount, "2 cells lost", "14 of 16 are 87.5 %");
}

#[test]
fn the_selftest_knows_how_many_rules_there_are() {
    let (a, b) = sides(0);
    let pairing = pair(&a, &b);
    let flips = |n: usize| {
        let rules: Vec<Rule> = (0..n).map(|i| rule(GateMetric::Wer, Limit::Change(0.05 + 0.001 * i as f64))).collect();
        let input = [GateInput { run: &b, pairs: Some(pairing.pairs.clone()) }];
        selftest(&rules, &input, &Machines::Same, 1).expect("a self-test").iter().all(|p| p.flips())
    };
    // Eight speakers cannot prove anything at 0.05 / 13, one of 256 patterns being the least.
    assert!(flips(12) && !flips(13));
}

#[test]
fn nothing_to_judge_is_an_error_and_never_a_pass() {
    let (a, b) = sides(0);
    let pairing = pair(&a, &b);
    let input = || [GateInput { run: &b, pairs: Some(pairing.pairs.clone()) }];
    assert_eq!(judge(&[], &input(), &Machines::Same, 1), Err(GateError::NoRules));
    assert_eq!(judge(&[rule(GateMetric::Wer, Limit::Change(0.1))], &[], &Machines::Same, 1), Err(GateError::NoRules));
    let without = [GateInput { run: &b, pairs: None }];
    let change = [rule(GateMetric::Wer, Limit::Change(0.1))];
    assert!(
        matches!(judge(&change, &without, &Machines::Same, 1), Err(GateError::Unmatched(p)) if p[0].contains("needs a baseline"))
    );
    assert_eq!(noise_floor(&[rule(GateMetric::Wer, Limit::Budget(0.1))], &input(), 1), Err(GateError::NoRules));
    let empty = Side::default();
    let nothing = [GateInput { run: &empty, pairs: None }];
    assert!(judge(&[rule(GateMetric::Coverage, Limit::Budget(1.0))], &nothing, &Machines::Same, 1).is_err());
}

#[test]
fn transcripts_are_classed_by_what_they_cost() {
    let classes = |before: (u64, u64, u64), after: (u64, u64, u64), edit: &dyn Fn(&mut SideCell)| {
        let (a, mut b) = (side(vec![cell(0, "clean", before)]), side(vec![cell(0, "clean", after)]));
        edit(&mut b.cells[0]);
        golden_diff(&pair(&a, &b), &[]).cells[0].class
    };
    let as_is = |_: &mut SideCell| {};
    assert_eq!(classes((1, 0, 0), (1, 0, 0), &as_is), DifferenceClass::Identical);
    assert_eq!(classes((1, 0, 0), (1, 0, 0), &|c| c.hypothesis.push('.')), DifferenceClass::Equal);
    assert_eq!(classes((1, 0, 0), (0, 1, 0), &as_is), DifferenceClass::Neutral);
    assert_eq!(classes((1, 0, 0), (0, 0, 0), &as_is), DifferenceClass::Fixed);
    assert_eq!(classes((1, 0, 0), (1, 0, 1), &as_is), DifferenceClass::Broken);
    let (a, b) = (side(vec![cell(0, "clean", (0, 0, 0))]), side(Vec::new()));
    let lost: Vec<&SideCell> = a.cells.iter().collect();
    let diff = golden_diff(&pair(&a, &b), &lost);
    assert!(!diff.passes() && diff.count(DifferenceClass::Broken) == 1 && diff.cells[0].now.is_none());
}

proptest! {
    #[test]
    fn every_waterfall_ends_at_the_second_side(both in proptest::collection::vec((errors(), errors()), 1..60), keep in 0usize..6) {
        let at = |i: usize| (i / 3, CONDITIONS[i % 3]);
        let of = |second: bool| {
            let cells = both.iter().enumerate();
            side(cells.map(|(i, e)| cell(at(i).0, at(i).1, if second { e.1 } else { e.0 })).collect())
        };
        let (a, b) = (of(false), of(true));
        let pairing = pair(&a, &b);
        let e = explain(&pairing.pairs, &[]);
        let moved = moved(&pairing.pairs);
        prop_assert_eq!((moved.fixed.len(), moved.broken.len()), (e.fixed, e.broken));
        prop_assert!(moved.broken.windows(2).all(|w| w[0].change() >= w[1].change()));
        let rate = |errors: u64| errors as f64 / e.words as f64;
        for split in e.splits.iter().chain([&moved.split]) {
            let steps = waterfall(&e, split, keep);
            prop_assert_eq!(steps.iter().map(|s| s.change).sum::<i64>(), e.change());
            prop_assert!(steps.len() <= keep + 1);
            if let (Some(first), Some(last)) = (steps.first(), steps.last()) {
                prop_assert_eq!((first.from, last.to), (rate(e.errors_a), rate(e.errors_b)));
            }
            prop_assert!(steps.windows(2).all(|w| w[0].to == w[1].from));
        }
    }
}
