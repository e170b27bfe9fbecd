//! Every case of `stats.json` (scipy, statsmodels, numpy, SCTK) against this crate.
#![expect(clippy::unwrap_used, reason = "helpers of tests: a broken fixture stops the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;
use vbench_core::keyed::keyed_rng;
use vbench_stats::mapsswe::{Segment, UtteranceOutcome, WordOutcome, mapsswe, segments};
use vbench_stats::secondary::{Zeros, mcnemar, paired_t, sign_test, wilcoxon_approximate, wilcoxon_exact};
use vbench_stats::{Bootstrap, Method, multiple, proportion, quantile, sign_flip, special};

/// Kinds that no function of this crate answers yet. The test fails when a kind is neither covered nor listed, and
/// when a listed one is covered.
const OWED: [&str; 0] = [];

fn load() -> Value {
    let dir = std::env::var_os("VBENCH_ORACLES")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/oracles")), PathBuf::from);
    let path = dir.join("stats.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// Collects mismatches of one case.
struct Check<'a> {
    case: &'a Value,
    failures: Vec<String>,
}

impl Check<'_> {
    fn id(&self) -> &str {
        self.case["id"].as_str().unwrap()
    }

    fn close(&mut self, what: &str, got: f64, want: &Value, relative: f64) {
        let want = number(want);
        let fine = (got.is_nan() && want.is_nan())
            || got == want
            || (got - want).abs() <= 1e-12_f64.max(relative * want.abs());
        if !fine {
            self.failures.push(format!("{} {what}: {got:e}, expected {want:e}", self.id()));
        }
    }

    /// Tails are small numbers: relative only.
    fn tail(&mut self, what: &str, got: f64, want: &Value) {
        let want = number(want);
        if (got - want).abs() > 1e-7 * want.abs() {
            self.failures.push(format!("{} {what}: {got:e}, expected {want:e}", self.id()));
        }
    }

    fn near(&mut self, what: &str, got: f64, want: f64, tolerance: f64) {
        if (got - want).abs() > tolerance {
            self.failures.push(format!("{} {what}: {got}, expected {want} within {tolerance}", self.id()));
        }
    }

    fn same(&mut self, what: &str, got: u64, want: &Value) {
        if Some(got) != want.as_u64() {
            self.failures.push(format!("{} {what}: {got}, expected {want}", self.id()));
        }
    }

    fn numbers(&self, key: &str) -> Vec<f64> {
        numbers(&self.case[key])
    }
}

fn number(value: &Value) -> f64 {
    match value {
        Value::String(s) => s.parse().unwrap(),
        other => other.as_f64().unwrap_or_else(|| panic!("not a number: {other}")),
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

fn check_case(kind: &str, c: &mut Check) -> bool {
    match kind {
        "ttest_rel" => ttest(c),
        "wilcoxon" => wilcoxon(c),
        "sign_test" => sign(c),
        "sign_flip_permutation_exact" => flips(c),
        "mcnemar" => mcnemar_case(c),
        "multiple_testing" => multiple_testing(c),
        "proportion_ci" => proportions(c),
        "normal_quantile" | "t_quantile" | "beta_quantile" => quantiles(kind, c),
        "normal_cdf" | "t_cdf" | "chi2_sf" | "binom_cdf" => distribution(kind, c),
        "quantile_type7" => type7(c),
        "bootstrap" => bootstrap(c),
        "sc_stats" => sc_stats(c),
        _ => return false,
    }
    true
}

#[test]
fn oracle_every_case_of_stats_json() {
    let file = load();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len() as u64, file["count"].as_u64().unwrap());
    let mut failures = Vec::new();
    let mut covered: BTreeMap<&str, usize> = BTreeMap::new();
    let mut uncovered = BTreeSet::new();
    for case in cases {
        let kind = case["kind"].as_str().unwrap();
        let mut check = Check { case, failures: Vec::new() };
        if check_case(kind, &mut check) {
            *covered.entry(kind).or_default() += 1;
        } else {
            uncovered.insert(kind);
        }
        failures.append(&mut check.failures);
    }
    assert_eq!(uncovered, OWED.into_iter().collect::<BTreeSet<_>>(), "kinds without a check");
    assert!(failures.is_empty(), "{} mismatches:\n{}", failures.len(), failures.join("\n"));
    assert_eq!(covered.values().sum::<usize>(), cases.len());
    println!("covered: {covered:?}");
}

fn ttest(c: &mut Check) {
    let d: Vec<f64> = c.numbers("x").iter().zip(c.numbers("y")).map(|(x, y)| x - y).collect();
    let t = paired_t(&d).unwrap();
    let (lo, hi) = t.interval(0.95).unwrap();
    let case = c.case;
    c.close("statistic", t.statistic, &case["statistic"], 1e-9);
    c.close("p", t.p_two_sided, &case["pvalue"], 1e-7);
    c.close("df", t.df, &case["df"], 0.0);
    c.close("lo", lo, &case["mean_diff_ci95"][0], 1e-9);
    c.close("hi", hi, &case["mean_diff_ci95"][1], 1e-9);
    c.close("p_less", t.p_less, &case["p_less"], 1e-7);
    c.close("p_greater", t.p_greater, &case["p_greater"], 1e-7);
}

fn wilcoxon(c: &mut Check) {
    let d = c.numbers("d");
    for want in c.case["results"].as_array().unwrap() {
        let zeros = match want["zero_method"].as_str().unwrap() {
            "wilcox" => Zeros::Drop,
            "pratt" => Zeros::Pratt,
            "zsplit" => Zeros::Split,
            other => panic!("zero method {other}"),
        };
        let got = match want["method"].as_str().unwrap() {
            "exact" => wilcoxon_exact(&d),
            _ => wilcoxon_approximate(&d, zeros, want["correction"].as_bool().unwrap()),
        }
        .unwrap();
        let name = want.to_string();
        c.close(&format!("statistic {name}"), got.statistic, &want["statistic"], 1e-9);
        c.close(&format!("p {name}"), got.p, &want["pvalue"], 1e-7);
        if let (Some(z), false) = (got.z, want["z"].is_null()) {
            c.close(&format!("z {name}"), z, &want["z"], 1e-9);
        }
    }
}

fn sign(c: &mut Check) {
    let t = sign_test(&c.numbers("d")).unwrap();
    let case = c.case;
    c.same("positives", t.positive, &case["positives"]);
    c.same("negatives", t.negative, &case["negatives"]);
    c.same("zeros", t.zero, &case["zeros"]);
    c.close("p", t.p_two_sided, &case["pvalue"], 1e-9);
    c.close("p_greater", t.p_greater, &case["p_greater"], 1e-9);
}

fn flips(c: &mut Check) {
    let d = c.numbers("d");
    let t = sign_flip(&d, 1, &mut keyed_rng(0, "oracle", "", "")).unwrap();
    let case = c.case;
    assert!(t.draws.is_none(), "{} must be exact", c.id());
    c.close("observed mean", t.observed / d.len() as f64, &case["observed"], 1e-9);
    c.close("p two-sided", t.p_two_sided, &case["pvalue_abs"], 1e-12);
    c.close("twice the smaller side", (2.0 * t.p_greater.min(t.p_less)).min(1.0), &case["pvalue_scipy"], 1e-12);
}

fn mcnemar_case(c: &mut Check) {
    let table = |i: usize, j: usize| c.case["table"][i][j].as_u64().unwrap();
    let t = mcnemar(table(0, 1), table(1, 0));
    let case = c.case;
    c.close("exact", t.p_exact, &case["exact"]["pvalue"], 1e-9);
    for (name, got) in [("chi2_corrected", t.corrected), ("chi2", t.plain)] {
        let (statistic, p) = got.unwrap_or((f64::NAN, f64::NAN));
        c.close(name, statistic, &case[name]["statistic"], 1e-9);
        c.close(name, p, &case[name]["pvalue"], 1e-7);
    }
}

fn multiple_testing(c: &mut Check) {
    let p = c.numbers("pvalues");
    let alpha = number(&c.case["alpha"]);
    for (name, adjusted) in [("holm", multiple::holm(&p)), ("fdr_bh", multiple::benjamini_hochberg(&p))] {
        for (i, got) in adjusted.unwrap().into_iter().enumerate() {
            let want = &c.case[name];
            c.close(&format!("{name} {i}"), got, &want["adjusted"][i], 1e-9);
            if (got <= alpha) != want["reject"][i].as_bool().unwrap() {
                c.failures.push(format!("{} {name} rejection {i}", c.id()));
            }
        }
    }
}

fn proportions(c: &mut Check) {
    let (k, n) = (c.case["k"].as_u64().unwrap(), c.case["n"].as_u64().unwrap());
    let level = number(&c.case["confidence"]);
    for (name, ends) in
        [("clopper_pearson", proportion::clopper_pearson(k, n, level)), ("wilson", proportion::wilson(k, n, level))]
    {
        let (lo, hi) = ends.unwrap();
        let want = &c.case[name];
        c.close(name, lo, &want[0], 1e-9);
        c.close(name, hi, &want[1], 1e-9);
    }
}

fn quantiles(kind: &str, c: &mut Check) {
    for (i, p) in c.numbers("p").into_iter().enumerate() {
        let got = match kind {
            "normal_quantile" => special::normal_quantile(p),
            "t_quantile" => special::t_quantile(p, number(&c.case["df"])),
            _ => special::beta_quantile(number(&c.case["a"]), number(&c.case["b"]), p),
        };
        let want = &c.case["x"][i];
        c.close(&format!("{kind} {p}"), got, want, 1e-9);
    }
}

fn distribution(kind: &str, c: &mut Check) {
    let case = c.case;
    if kind == "binom_cdf" {
        let (n, p) = (case["n"].as_u64().unwrap(), number(&case["p"]));
        for (i, k) in case["k"].as_array().unwrap().iter().enumerate() {
            let k = k.as_u64().unwrap();
            c.tail(&format!("cdf {k}"), special::binomial_cdf(k, n, p), &case["cdf"][i]);
            c.tail(&format!("sf {k}"), special::binomial_sf(k, n, p), &case["sf"][i]);
            c.tail(&format!("pmf {k}"), special::binomial_pmf(k, n, p), &case["pmf"][i]);
        }
        return;
    }
    let df = case.get("df").map_or(f64::NAN, number);
    for (i, x) in c.numbers("x").into_iter().enumerate() {
        let (cdf, sf) = match kind {
            "normal_cdf" => (Some(special::normal_cdf(x)), special::normal_sf(x)),
            "t_cdf" => (Some(special::t_cdf(x, df)), special::t_sf(x, df)),
            _ => (None, special::chi2_sf(x, df)),
        };
        if let Some(cdf) = cdf {
            c.tail(&format!("cdf {x}"), cdf, &case["cdf"][i]);
        }
        c.tail(&format!("sf {x}"), sf, &case["sf"][i]);
    }
}

fn type7(c: &mut Check) {
    let x = c.numbers("x");
    for (i, q) in c.numbers("q").into_iter().enumerate() {
        let want = &c.case["value"][i];
        c.close(&format!("q {q}"), quantile::type7(&x, q).unwrap(), want, 1e-12);
    }
    let case = c.case;
    let median = quantile::type7(&x, 0.5).unwrap();
    let deviations: Vec<f64> = x.iter().map(|v| (v - median).abs()).collect();
    c.close("median", median, &case["median"], 1e-12);
    c.close("mad", quantile::type7(&deviations, 0.5).unwrap(), &case["mad"], 1e-9);
    let iqr = quantile::type7(&x, 0.75).unwrap() - quantile::type7(&x, 0.25).unwrap();
    c.close("iqr", iqr, &case["iqr"], 1e-9);
}

fn bootstrap(c: &mut Check) {
    let case = c.case;
    let data: Vec<Vec<f64>> = case["data"].as_array().unwrap().iter().map(numbers).collect();
    let resamples = case["n_resamples"].as_u64().unwrap() as usize;
    let mut rng = keyed_rng(1729, "oracle", c.id(), "");
    let boot = match case["statistic"].as_str().unwrap() {
        "mean" => Bootstrap::mean(&data[0], resamples, &mut rng),
        "ratio_of_sums" => {
            let pairs: Vec<_> = data[0].iter().copied().zip(data[1].iter().copied()).collect();
            Bootstrap::ratio(&pairs, resamples, &mut rng)
        }
        "diff_of_ratio_of_sums" => {
            let pairs: Vec<_> = (0..data[0].len()).map(|i| (data[0][i] - data[1][i], data[2][i])).collect();
            Bootstrap::ratio(&pairs, resamples, &mut rng)
        }
        other => panic!("statistic {other}"),
    }
    .unwrap();
    c.close("theta", boot.observed(), &case["theta"], 1e-9);
    c.close("acceleration", boot.acceleration().unwrap(), &case["bca_acceleration"], 1e-9);
    c.near(
        "standard error",
        boot.standard_error(),
        number(&case["standard_error"]),
        number(&case["tol_standard_error"]),
    );
    for (name, method) in [("percentile", Method::Percentile), ("basic", Method::Basic), ("BCa", Method::Bca)] {
        for (percent, level) in [("95", 0.95), ("90", 0.90)] {
            let want = &case[format!("{name}_{percent}")];
            let (lo, hi) = boot.interval(method, level).unwrap();
            c.near(&format!("{name} {percent} lo"), lo, number(&want["low_mean6"]), number(&want["tol"]));
            c.near(&format!("{name} {percent} hi"), hi, number(&want["high_mean6"]), number(&want["tol"]));
        }
    }
}

/// Per-word outcomes from a string of C, S, D, I in utterance order.
fn outcome(operations: &str) -> UtteranceOutcome {
    let mut out = UtteranceOutcome::default();
    let mut inserted = 0;
    for op in operations.chars() {
        if op == 'I' {
            inserted += 1;
        } else {
            out.words.push(WordOutcome { inserted_before: inserted, wrong: op != 'C' });
            inserted = 0;
        }
    }
    out.inserted_at_end = inserted;
    out
}

fn sc_stats(c: &mut Check) {
    let case = c.case;
    for pair in case["pairs"].as_array().unwrap() {
        let system = |i: usize| pair["systems"][i].as_str().unwrap();
        let alignments = |i: usize| -> Vec<&str> {
            let list = case["sclite_alignments"][system(i)].as_array().unwrap();
            list.iter().map(|v| v.as_str().unwrap()).collect()
        };
        let (first, second) = (alignments(0), alignments(1));
        let all: Vec<Segment> =
            first.iter().zip(&second).flat_map(|(a, b)| segments(&outcome(a), &outcome(b)).unwrap()).collect();
        let got = mapsswe(&all).unwrap();
        let want = &pair["mapsswe"];
        let name = format!("{} {}", system(0), system(1));
        c.same(&format!("{name} segments"), got.segments as u64, &want["segments"]);
        c.same(&format!("{name} errors 0"), all.iter().map(|s| u64::from(s.first)).sum(), &want["errors"][0]);
        c.same(&format!("{name} errors 1"), all.iter().map(|s| u64::from(s.second)).sum(), &want["errors"][1]);
        c.close(&format!("{name} mean"), got.mean, &want["mean_diff"], 1e-9);
        c.close(&format!("{name} sd"), got.sd, &want["sd_n1"], 1e-9);
        c.close(&format!("{name} z"), got.z, &want["z"], 1e-9);
        c.close(&format!("{name} p"), got.p_two_sided, &want["pvalue_two_sided"], 1e-7);
        let right = |ops: &str| ops.chars().all(|op| op == 'C');
        let only = |a: &[&str], b: &[&str]| a.iter().zip(b).filter(|(x, y)| right(x) && !right(y)).count() as u64;
        let (b, d) = (only(&first, &second), only(&second, &first));
        let table = &pair["mcnemar_sentence"];
        c.same(&format!("{name} only first"), b, &table["table_corr_incorr"][0][1]);
        c.same(&format!("{name} only second"), d, &table["table_corr_incorr"][1][0]);
        c.close(&format!("{name} mcnemar"), mcnemar(b, d).p_exact, &table["pvalue_exact"], 1e-9);
        speaker_tests(c, pair, &name);
    }
}

fn speaker_tests(c: &mut Check, pair: &Value, name: &str) {
    let rates = |i: usize| numbers(&c.case["speaker_wer_percent"][pair["systems"][i].as_str().unwrap()]);
    // Differences within 0.005 points count as zero in sc_stats.
    let differences: Vec<f64> =
        rates(0).iter().zip(rates(1)).map(|(a, b)| a - b).map(|d| if d.abs() <= 0.005 { 0.0 } else { d }).collect();
    let got = sign_test(&differences).unwrap();
    let want = &pair["sign_speaker"];
    let mut counts = [got.positive, got.negative];
    let mut expected = [want["positive"].as_u64().unwrap(), want["negative"].as_u64().unwrap()];
    counts.sort_unstable();
    expected.sort_unstable();
    if counts != expected || Some(got.zero) != want["zero"].as_u64() {
        c.failures.push(format!("{} {name} signs: {got:?}, expected {want}", c.id()));
    }
    c.close(&format!("{name} sign test"), got.p_two_sided, &want["pvalue_exact_no_zeros"], 1e-9);
    let want = &pair["wilcoxon_speaker"];
    if let Some(p) = want.get("pvalue_normal").filter(|v| !v.is_null()) {
        let got = wilcoxon_approximate(&differences, Zeros::Drop, false).unwrap();
        c.close(&format!("{name} wilcoxon"), got.statistic, &want["statistic"], 1e-9);
        c.close(&format!("{name} wilcoxon z"), got.z.unwrap().abs(), &Value::from(number(&want["z"]).abs()), 1e-9);
        c.close(&format!("{name} wilcoxon p"), got.p, p, 1e-7);
    }
    if let Some(p) = want.get("pvalue_exact").filter(|v| !v.is_null()) {
        c.close(&format!("{name} wilcoxon exact"), wilcoxon_exact(&differences).unwrap().p, p, 1e-7);
    }
}
