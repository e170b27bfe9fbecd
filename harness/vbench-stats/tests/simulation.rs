//! The experiments behind `reports/statistics.md`, in small: bounds as wide as a few hundred corpora need.
#![expect(clippy::print_stdout, reason = "a test says what it found")]

#[path = "../examples/statistics/experiments.rs"]
mod experiments;
#[path = "../examples/statistics/population.rs"]
mod population;

use experiments::{ALPHA, GATES, INTERVALS, Share, TESTS, coverage, false_positives, gate, peeking};
use population::Population;
use vbench_core::keyed::keyed_rng;

/// The standard error of a share of 5 % is 1.1 points, of a share of 95 % too.
const SETS: usize = 400;

fn within(what: &str, share: Share, least: f64, most: f64) {
    let value = share.value();
    println!("{what}: {value:.3} (standard error {:.3})", share.standard_error());
    assert!((least..=most).contains(&value), "{what}: {value}, expected {least} to {most}");
}

#[test]
fn made_up_corpora_have_the_rates_that_they_claim() {
    let population = Population { interaction: 0.3, ratio: 1.2, ..Population::default() };
    let mut rng = keyed_rng(1, "population", "", "");
    let corpora: Vec<_> = (0..200).flat_map(|_| population.draw(&mut rng)).collect();
    let sum = |of: fn(&population::Utterance) -> f64| corpora.iter().map(of).sum::<f64>();
    let words = sum(|u| u.words);
    let (a, b) = (sum(|u| u.a) / words, sum(|u| u.b) / words);
    let mean = words / corpora.len() as f64;
    // 8,000 speakers: the standard error of a rate is about 0.7 % of it.
    assert!((a / 0.05 - 1.0).abs() < 0.03 && (b / 0.06 - 1.0).abs() < 0.03, "{a} {b}");
    assert!((11.5..12.5).contains(&mean), "{mean} words");
    let both = sum(|u| u.a.min(u.b)) / words;
    assert!(both / a > 0.5 && both / a < 0.8, "shared errors {both} of {a}");
}

#[test]
fn default_interval_holds_and_the_utterance_bootstrap_does_not() {
    assert_eq!(INTERVALS[0], "default");
    let [many, bca, percentile, linear, utterances] = coverage(&Population::default(), "quick 40", SETS);
    within("40 speakers, default", many, 0.915, 0.975);
    within("40 speakers, plain BCa", bca, 0.90, 0.965);
    within("40 speakers, percentile", percentile, 0.89, 0.96);
    within("40 speakers, t(S-1)", linear, 0.91, 0.975);
    within("40 speakers, utterance bootstrap", utterances, 0.45, 0.80);
    assert!(many.count >= bca.count, "the expanded interval contains the plain one");
    let population = Population { speakers: 10, ..Population::default() };
    let [few, ..] = coverage(&population, "quick 10", SETS);
    within("10 speakers, default", few, 0.89, 0.975);
}

#[test]
fn default_test_keeps_its_level_and_tests_over_utterances_do_not() {
    assert_eq!(TESTS[0], "speaker sign-flip (default)");
    for (interaction, least_wrong) in [(0.15, 0.08), (0.3, 0.2)] {
        let population = Population { interaction, ..Population::default() };
        let [flips, _, utterances, t] = false_positives(&population, &format!("quick {interaction}"), SETS);
        within(&format!("sign-flip at interaction {interaction}"), flips, 0.02, 0.085);
        within(&format!("utterance bootstrap at interaction {interaction}"), utterances, least_wrong, 1.0);
        within(&format!("paired t over utterances at interaction {interaction}"), t, least_wrong, 1.0);
    }
}

#[test]
fn sequential_gate_keeps_its_level_saves_cells_and_decides() {
    let base = Population { speakers: 36, utterances: 30, interaction: 0.15, ..Population::default() };
    let at_margin = Population { ratio: 1.1, ..base };
    for (name, shares) in GATES.iter().zip(gate(&at_margin, 0.005, "quick margin", SETS)) {
        within(&format!("{name}: pass at the margin"), shares.pass, 0.0, ALPHA + 0.045);
        within(&format!("{name}: regressed at the margin"), shares.regressed, 0.0, ALPHA + 0.045);
    }
    let looking = peeking(&at_margin, 0.005, "quick margin", SETS / 4);
    assert!(looking.pass.value() + looking.regressed.value() > 0.25, "{looking:?}");
    let [fixed, obrien, pocock] = gate(&Population { ratio: 1.3, ..base }, 0.005, "quick worse", SETS);
    println!("3 x margin: {fixed:?} {obrien:?} {pocock:?}");
    assert_eq!(fixed.used, 1.0);
    assert!(fixed.regressed.value() > 0.8 && fixed.pass.value() < 0.01, "{fixed:?}");
    assert!(obrien.regressed.value() > fixed.regressed.value() - 0.05 && obrien.used < 0.75, "{obrien:?}");
    assert!(pocock.regressed.value() > fixed.regressed.value() - 0.15 && pocock.used < obrien.used, "{pocock:?}");
}
