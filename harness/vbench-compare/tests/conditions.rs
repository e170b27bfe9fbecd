//! What conditions are worth: metrics of the signal per condition, and severity curves by family, on made-up cells.

use std::collections::BTreeMap;

use vbench_compare::{Coverage, ScoredCell, SeverityCurve, SignalSummary, Summary, SummaryHead, summarize};
use vbench_core::{ErrorCounts, ResamplingUnit, Severity};
use vbench_stats::{Observation, Plan, choose_unit, ratio_estimate};

const SEED: u64 = 7;
const UTTERANCES: usize = 40;

/// Two utterances of each speaker, ten words each, `errors` of them substituted.
fn cell(utterance: usize, condition: &str, model: &str, errors: u64) -> ScoredCell {
    let counts = ErrorCounts { hits: 10 - errors, sub: errors, del: 0, ins: 0 };
    ScoredCell {
        cell: format!("c/u{utterance:02}/{condition}/{model}"),
        utterance: format!("u{utterance:02}"),
        corpus: "c".into(),
        condition: condition.into(),
        model: model.into(),
        speaker: Some(format!("s{:02}", utterance / 2)),
        session: None,
        tags: BTreeMap::new(),
        target_snr_db: None,
        severity: None,
        achieved_snr_db: None,
        signal: Vec::new(),
        reference_words: 10,
        words: counts,
        words_min_errors: errors,
        chars: counts,
        audio_s: 4.0,
        processing_s: None,
        late: None,
    }
}

fn summary_of(conditions: &[&str], metrics: &[&str], scored: &[ScoredCell], unscored: &[ScoredCell]) -> Summary {
    let names = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let head = SummaryHead {
        suite: "s".into(),
        normalizer: "n/1".into(),
        weights: "sclite".into(),
        seed: SEED,
        primary: "wer".into(),
        absent: Vec::new(),
        conditions: names(conditions),
        signal_metrics: names(metrics),
        strata: Vec::new(),
        overall: Vec::new(),
        latency_budget_ms: None,
    };
    let (done, failed) = (scored.len(), unscored.len());
    let coverage = Coverage { planned: done + failed, done, failed, ..Coverage::default() };
    summarize(head, scored, unscored, Vec::new(), coverage)
}

fn stoi(utterance: usize) -> f64 {
    0.9 - 0.01 * utterance as f64
}

/// Forty utterances of twenty speakers heard by the models under `clean` and `noise`.
fn heard(models: &[&str], signal: impl Fn(usize, &str) -> Vec<(String, f64)>) -> Vec<ScoredCell> {
    let mut cells = Vec::new();
    for model in models {
        for u in 0..UTTERANCES {
            for condition in ["clean", "noise"] {
                cells.push(ScoredCell { signal: signal(u, condition), ..cell(u, condition, model, 1) });
            }
        }
    }
    cells
}

fn found<'a>(summary: &'a Summary, condition: &str, metric: &str) -> &'a SignalSummary {
    let same = |s: &&SignalSummary| s.condition == condition && s.metric == metric;
    summary.signal.iter().find(same).unwrap_or_else(|| panic!("{metric} in {condition}: {:?}", summary.signal))
}

#[test]
fn a_metric_of_the_signal_is_the_mean_over_utterances_each_once_whatever_the_models() {
    let signal = |u: usize, condition: &str| match condition {
        "clean" => vec![("stoi".to_owned(), 1.0)],
        _ => vec![("stoi".to_owned(), stoi(u)), ("si_sdr_db".to_owned(), -3.0 - u as f64)],
    };
    let one = summary_of(&["clean", "noise"], &[], &heard(&["m"], signal), &[]);
    let three = summary_of(&["clean", "noise"], &[], &heard(&["a", "b", "m"], signal), &[]);
    // As text: a mean that is not there is NaN, which equals nothing.
    let text = |s: &Summary| format!("{:?}", s.signal);
    assert_eq!(text(&one), text(&three), "the audio is the same for every model");

    let noise = found(&one, "noise", "stoi");
    let by_hand = (0..UTTERANCES).map(stoi).sum::<f64>() / 40.0;
    assert!((noise.mean.value - by_hand).abs() < 1e-12, "{} is not {by_hand}", noise.mean.value);
    assert_eq!((noise.utterances, noise.undefined, noise.note.as_deref()), (40, 0, None));
    // The same interval as a ratio with the denominator 1, its draws keyed by the metric.
    let names: Vec<(String, String)> =
        (0..UTTERANCES).map(|u| (format!("c/u{u:02}"), format!("s{:02}", u / 2))).collect();
    let observations: Vec<Observation> = names
        .iter()
        .enumerate()
        .map(|(u, (utterance, speaker))| {
            let num = stoi(u);
            Observation { utterance, speaker: Some(speaker), session: None, num, den: 1.0 }
        })
        .collect();
    assert_eq!(noise.mean, ratio_estimate(&choose_unit(&observations), &Plan::new(SEED), "stoi"));
    let interval = noise.mean.interval.as_ref().expect("spread over twenty speakers");
    assert_eq!((interval.unit, interval.clusters, interval.n), (ResamplingUnit::Speaker, 20, 40));
    // A level in dB may be negative, and its interval too.
    let (lo, hi) = found(&one, "noise", "si_sdr_db").mean.ends().expect("an interval");
    assert!(lo < -22.5 && -22.5 < hi && hi < 0.0, "{lo} {hi}");
    // What is the same everywhere has no interval, and what is not there no value.
    let clean = found(&one, "clean", "stoi");
    assert_eq!(clean.mean.value, 1.0);
    assert!(clean.mean.interval.as_ref().is_err_and(|reason| reason.contains("no spread")), "{:?}", clean.mean);
    let none = found(&one, "clean", "si_sdr_db");
    assert!(none.mean.value.is_nan());
    assert_eq!(none.mean.interval, Err("not defined for any of the 40 utterances".to_owned()));
    assert_eq!((none.utterances, none.undefined), (40, 40));
}

#[test]
fn undefined_values_are_counted_and_left_out_of_the_mean_and_zeros_are_no_share_of_errors() {
    let signal = |u: usize, condition: &str| match (condition, u) {
        ("noise", 3 | 7) => vec![("delay_samples".to_owned(), 0.0)],
        ("noise", 5) => vec![("stoi".to_owned(), f64::NAN), ("delay_samples".to_owned(), 0.0)],
        ("noise", _) => vec![("stoi".to_owned(), stoi(u)), ("delay_samples".to_owned(), 0.0)],
        _ => Vec::new(),
    };
    let mut cells = heard(&["m"], signal);
    // Another model's row of utterance 7 has the value: the audio has one, wherever it stands.
    cells.push(ScoredCell { signal: vec![("stoi".to_owned(), stoi(7))], ..cell(7, "noise", "other", 0) });
    let summary = summary_of(&["clean", "noise"], &[], &cells, &[]);
    let noise = found(&summary, "noise", "stoi");
    assert_eq!((noise.utterances, noise.undefined), (40, 2));
    let by_hand = (0..UTTERANCES).filter(|u| ![3, 5].contains(u)).map(stoi).sum::<f64>() / 38.0;
    assert!((noise.mean.value - by_hand).abs() < 1e-12);
    assert_eq!(noise.mean.interval.as_ref().expect("an interval").n, 38);
    let delay = found(&summary, "noise", "delay_samples");
    assert_eq!(delay.mean.value, 0.0);
    let reason = "all 40 utterances have the same value: no spread to infer from";
    assert_eq!(delay.mean.interval, Err(reason.to_owned()));
}

#[test]
fn columns_are_in_the_order_asked_for_and_a_condition_that_failed_keeps_its_row() {
    let signal = |u: usize, _: &str| ["unheard_of", "stoi", "lsd_db"].map(|m| (m.to_owned(), stoi(u))).to_vec();
    let lost = [cell(0, "reverb", "m", 0)];
    let order = ["noise", "reverb", "clean", "never planned"];
    let summary = summary_of(&order, &["estoi", "stoi"], &heard(&["m"], signal), &lost);
    let rows: Vec<(&str, &str)> = summary.signal.iter().map(|s| (s.condition.as_str(), s.metric.as_str())).collect();
    let expected: Vec<(&str, &str)> = ["noise", "reverb", "clean"]
        .into_iter()
        .flat_map(|c| ["estoi", "stoi", "lsd_db", "unheard_of"].map(|m| (c, m)))
        .collect();
    assert_eq!(rows, expected);
    assert_eq!(found(&summary, "reverb", "stoi").mean.interval, Err("no utterance was scored".to_owned()));
    assert_eq!(found(&summary, "noise", "estoi").undefined, 40);
    assert!(
        summary_of(&["clean"], &[], &[cell(0, "clean", "m", 0)], &[]).signal.is_empty(),
        "nothing asked, nothing said"
    );
}

/// One cell an utterance and level; errors rise with the level's place in the list.
fn levels(family: &str, parameter: &str, values: &[f64], model: &str) -> Vec<ScoredCell> {
    let mut cells = Vec::new();
    for u in 0..16 {
        for (i, &value) in values.iter().enumerate() {
            let severity = Severity { family: family.into(), parameter: parameter.into(), value };
            let errors = (i + u % 3) as u64;
            let condition = format!("{family}-{value}");
            cells.push(ScoredCell { severity: Some(severity), ..cell(u, &condition, model, errors) });
        }
    }
    cells
}

#[test]
fn every_family_of_conditions_has_a_curve_of_its_own_in_the_order_of_the_suite() {
    let mut cells = levels("opus", "kbps", &[32.0, 8.0], "m");
    cells.extend(levels("cafe", "snr_db", &[10.0, 0.0, -5.0], "m"));
    cells.extend(levels("street", "snr_db", &[10.0, 0.0], "m"));
    cells.extend(levels("lost", "loss", &[0.05], "m"));
    cells.extend(levels("opus", "kbps", &[32.0, 8.0], "other"));
    let conditions = ["cafe-10", "cafe-0", "cafe--5", "lost-0.05", "opus-32", "opus-8", "street-10", "street-0"];
    let summary = summary_of(&conditions, &[], &cells, &[]);
    let names: Vec<_> =
        summary.curves.iter().map(|c| (c.model.as_str(), c.family.as_str(), c.parameter.as_str())).collect();
    // One level is no curve, and one SNR in two kinds of noise is two points.
    let expected =
        [("m", "cafe", "snr_db"), ("m", "opus", "kbps"), ("m", "street", "snr_db"), ("other", "opus", "kbps")];
    assert_eq!(names, expected);
    let places = |c: &SeverityCurve| c.points.iter().map(|p| (p.value, p.scored)).collect::<Vec<_>>();
    assert_eq!(places(&summary.curves[0]), [(-5.0, 16), (0.0, 16), (10.0, 16)]);
    assert_eq!(places(&summary.curves[1]), [(8.0, 16), (32.0, 16)]);
    // Errors of utterance u at level i: i + u % 3, so 15 / 16 + i of ten words.
    let wer = |i: f64| (i + 15.0 / 16.0) / 10.0;
    let cafe = (5.0 * (wer(2.0) + wer(1.0)) / 2.0 + 10.0 * (wer(1.0) + wer(0.0)) / 2.0) / 15.0;
    assert!((summary.curves[0].area.value - cafe).abs() < 1e-12, "{}", summary.curves[0].area.value);
    let opus = (wer(0.0) + wer(1.0)) / 2.0;
    assert!((summary.curves[1].area.value - opus).abs() < 1e-12);
    // One family alone has the curve that it has among others.
    let alone = summary_of(&conditions, &[], &levels("cafe", "snr_db", &[10.0, 0.0, -5.0], "m"), &[]);
    assert_eq!(alone.curves, summary.curves[..1]);
}

#[test]
fn a_level_of_any_parameter_without_words_is_named() {
    let mut cells = levels("opus", "kbps", &[32.0, 8.0], "m");
    for c in cells.iter_mut().filter(|c| c.condition == "opus-8") {
        c.words = ErrorCounts::ZERO;
    }
    let area = &summary_of(&[], &[], &cells, &[]).curves[0].area;
    assert_eq!(area.interval, Err("no reference words were scored in kbps 8".to_owned()));
}
