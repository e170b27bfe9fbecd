//! Where errors and time come from: sums against the summary, edge cases, orders.

use std::collections::BTreeMap;

use proptest::prelude::*;
use vbench_compare::analysis::{
    AnalysedCell, Analysis, AnalysisRules, MAX_INTERVALS, Rate, StageTime, analyse, phoneme_language,
};
use vbench_compare::{Coverage, ScoredCell, Summary, SummaryHead, summarize};
use vbench_core::ErrorCounts;
use vbench_score::phoneme::Pronouncer;
use vbench_score::{Normalizer, Weights, score_pair};
use vbench_stats::quantile::{LowerEnd, UpperEnd};

/// One utterance with what was heard in it, and when.
#[derive(Debug, Clone)]
struct Said {
    speaker: Option<String>,
    condition: String,
    model: String,
    language: Option<String>,
    reference: String,
    hypothesis: String,
    /// Name, owner, beginning and end in nanoseconds.
    stages: Vec<(String, String, u64, u64)>,
    processing_s: Option<f64>,
}

fn said(i: usize, reference: &str, hypothesis: &str) -> Said {
    Said {
        speaker: Some(format!("s{i:02}")),
        condition: "clean".into(),
        model: "m".into(),
        language: Some("en".into()),
        reference: reference.into(),
        hypothesis: hypothesis.into(),
        stages: Vec::new(),
        processing_s: None,
    }
}

const RULES: Normalizer = Normalizer::WhisperEn;

fn scored(i: usize, s: &Said) -> ScoredCell {
    scored_by(i, s, &RULES)
}

fn scored_by(i: usize, s: &Said, normalizer: &Normalizer) -> ScoredCell {
    let score = score_pair(&s.reference, &s.hypothesis, normalizer, Weights::Sclite).expect("short texts");
    ScoredCell {
        cell: format!("c/u{i}/{}/{}", s.condition, s.model),
        utterance: format!("u{i}"),
        corpus: "c".into(),
        condition: s.condition.clone(),
        model: s.model.clone(),
        speaker: s.speaker.clone(),
        session: None,
        tags: s.language.iter().map(|l| ("language".to_owned(), l.clone())).collect::<BTreeMap<_, _>>(),
        target_snr_db: None,
        severity: None,
        achieved_snr_db: None,
        signal: Vec::new(),
        reference_words: score.words.reference(),
        words: score.words,
        words_min_errors: score.words_min_errors,
        chars: score.chars,
        audio_s: 2.0,
        processing_s: s.processing_s,
        late: None,
    }
}

fn conditions() -> Vec<String> {
    ["clean", "noise"].map(String::from).into()
}

/// The analysis and the summary of the same cells: words by the English normaliser, characters by the one for all scripts.
fn both(all: &[Said], rate: Rate, pronouncer: Result<(&str, &Pronouncer), &str>) -> (Analysis, Summary) {
    let safe = Normalizer::ScriptSafe { remove_harakat: false };
    let normalizer = if rate == Rate::Words { &RULES } else { &safe };
    let cells: Vec<ScoredCell> = all.iter().enumerate().map(|(i, s)| scored_by(i, s, normalizer)).collect();
    let analysed: Vec<AnalysedCell<'_>> = all
        .iter()
        .zip(&cells)
        .map(|(s, cell)| AnalysedCell {
            cell,
            reference: &s.reference,
            hypothesis: &s.hypothesis,
            stages: s.stages.iter().map(|(name, owner, t0, t1)| StageTime { name, owner, t0: *t0, t1: *t1 }).collect(),
        })
        .collect();
    let order = conditions();
    let weights = Weights::Sclite;
    let rules = AnalysisRules { seed: 7, rate, conditions: &order, normalizer, weights, pronouncer };
    let head = SummaryHead {
        suite: "s".into(),
        normalizer: normalizer.id().into(),
        weights: "sclite".into(),
        seed: 7,
        primary: rate.metric().into(),
        absent: Vec::new(),
        conditions: order.clone(),
        signal_metrics: Vec::new(),
        strata: vec!["condition".into(), "speaker".into()],
        overall: Vec::new(),
        latency_budget_ms: None,
    };
    let summary = summarize(head, &cells, &[], Vec::new(), Coverage::default());
    (analyse(&analysed, &rules), summary)
}

fn analysis(all: &[Said]) -> Analysis {
    both(all, Rate::Words, Err("not asked for")).0
}

/// Everything in an analysis is a number: no NaN in what is drawn or written.
fn assert_finite(a: &Analysis) {
    for m in &a.errors {
        for mix in &m.mix {
            assert!(mix.shares.is_none_or(|s| s.total().is_finite()));
        }
        for band in &m.bands {
            assert!(band.range.is_none_or(|r| r.0.is_finite() && r.1.is_finite() && r.0 <= r.1));
        }
        assert!(m.speakers.rows.iter().all(|r| r.rate.value.is_finite()));
        let words = m.confused.deletions.iter().chain(&m.confused.insertions).map(|w| w.share);
        assert!(words.chain(m.confused.substitutions.iter().map(|p| p.share)).all(|s| (0.0..=1.0).contains(&s)));
    }
    for t in &a.times {
        assert!(t.percentiles.iter().all(|p| p.time_s.value.is_finite()));
        assert!(t.waterfall.total_s.is_finite() && t.waterfall.stages.iter().all(|s| s.mean.value.is_finite()));
        assert!(t.cdf.is_sorted_by(|x, y| x.0 <= y.0 && x.1 <= y.1));
    }
}

#[test]
fn nothing_one_utterance_and_all_perfect_have_an_analysis() {
    let none = analysis(&[]);
    assert!(none.errors.is_empty() && none.times.is_empty() && none.trade_offs.is_empty());
    let one = analysis(&[said(0, "turn left", "turn right")]);
    assert_finite(&one);
    let m = &one.errors[0];
    assert_eq!((m.mix[0].counts.sub, m.speakers.rows.len()), (1, 1));
    assert_eq!(m.speakers.worst, Err("there is one speaker".into()));
    assert_eq!(m.confused.substitutions[0].share, 1.0);
    assert!(one.times.is_empty(), "an imported run has no timings");
    let perfect: Vec<Said> = (0..12).map(|i| said(i, "turn left now", "turn left now")).collect();
    let perfect = analysis(&perfect);
    assert_finite(&perfect);
    let m = &perfect.errors[0];
    assert_eq!((m.mix[0].counts.errors(), m.bands[0].range), (0, Some((0.0, 0.0))));
    assert!(m.confused.substitutions.is_empty() && m.confused.deletions.is_empty() && m.confused.insertions.is_empty());
    let worst = m.speakers.worst.as_ref().expect("twelve speakers");
    assert_eq!((worst.speakers, worst.rate.value, worst.others.value), (2, 0.0, 0.0));
}

#[test]
fn insertions_against_silence_are_counted_and_in_no_rate() {
    let a = analysis(&[said(0, "one two three four", "one two three four"), said(1, "", "thank you")]);
    assert_finite(&a);
    let all = &a.errors[0].mix[0];
    assert_eq!((all.counts.ins, all.hallucinated, all.cells), (2, 2, 2));
    assert_eq!(all.shares.expect("reference words").total(), 0.0);
    assert_eq!(a.errors[0].speakers.silent, 1);
    assert_eq!(a.errors[0].confused.counts.ins, 2);
    let silence = analysis(&[said(0, "", "")]);
    assert_finite(&silence);
    assert_eq!((silence.errors[0].mix[0].shares, silence.errors[0].bands[0].range), (None, None));
}

#[test]
fn the_band_holds_the_runs_own_estimate_and_every_named_normaliser() {
    let all: Vec<Said> = (0..8).map(|i| said(i, "I won't pay twenty one pounds!", "i wont pay £21")).collect();
    let (a, summary) = both(&all, Rate::Words, Err("not asked for"));
    let band = &a.errors[0].bands[0];
    let ids: Vec<&str> = band.rows.iter().map(|r| r.normalizer.as_str()).collect();
    assert_eq!(ids, ["none/1", "basic/1", "whisper-en/1", "script-safe/2"]);
    for row in &band.rows {
        let normalizer = Normalizer::from_name(row.normalizer.split_once('/').expect("an id").0).expect("a name");
        let alone = score_pair(&all[0].reference, &all[0].hypothesis, &normalizer, Weights::Sclite).expect("short");
        assert_eq!((row.counts.errors(), row.left_out), (8 * alone.words.errors(), 0), "{}", row.normalizer);
        assert_eq!(row.used, row.normalizer == RULES.id());
    }
    let used = band.rows.iter().find(|r| r.used).expect("the run's own");
    assert_eq!(used.rate, summary.strata[0].wer, "the same estimate as in the summary");
    let rates: Vec<f64> = band.rows.iter().map(|r| r.rate.value).collect();
    assert!(rates[0] > rates[2], "raw text is worse than normalised text: {rates:?}");
    assert_eq!(
        band.range,
        Some((rates.iter().copied().fold(9.0, f64::min), rates.iter().copied().fold(0.0, f64::max)))
    );
}

#[test]
fn a_suite_with_characters_first_is_analysed_in_characters() {
    let telugu = |i| Said {
        language: Some("te".into()), ..said(i, "నమస్కారం అండి", "నమస్కరం అండి")
    };
    let all: Vec<Said> = (0..7).map(telugu).collect();
    let pronouncer = Pronouncer::for_language("te", None);
    let (a, summary) = both(&all, Rate::Characters, Ok(("te", &pronouncer)));
    let m = &a.errors[0];
    assert_eq!(m.mix[0].counts, summary.strata[0].chars);
    let used = m.bands[0].rows.iter().find(|r| r.used).expect("the run's own");
    assert_eq!(used.rate, summary.strata[0].cer);
    let table = m.phonemes.as_ref().expect("Telugu has phonemes");
    assert_eq!((table.language.as_str(), table.cells, table.other_cells), ("te", 7, 0));
    assert!(table.total.errors() >= 7 && table.basis.contains("grapheme tables"), "{table:?}");
    let n = table.labels.len();
    assert_eq!(table.counts.len(), (n + 1) * (n + 1));
    assert_eq!(table.counts.iter().sum::<u64>(), table.total.reference() + table.total.ins);
}

#[test]
fn phonemes_are_of_the_language_that_most_cells_are_in_or_say_why_not() {
    let cell = |language: Option<&str>| scored(0, &Said { language: language.map(String::from), ..said(0, "a", "a") });
    assert_eq!(phoneme_language(&[]), Err("nothing was scored".into()));
    let unnamed = phoneme_language(&[cell(None)]).expect_err("no language");
    assert!(unnamed.starts_with("no utterance names its language"), "{unnamed}");
    let foreign = phoneme_language(&[cell(Some("pl")), cell(Some("de-DE"))]).expect_err("no phonemes");
    assert!(foreign.starts_with("there are no phonemes for de, pl"), "{foreign}");
    assert_eq!(phoneme_language(&[cell(Some("pl")), cell(Some("en_GB"))]), Ok("en"));
    assert_eq!(phoneme_language(&[cell(Some("en")), cell(Some("te")), cell(Some("te"))]), Ok("te"));
    let reason = analysis(&[said(0, "a", "b")]).errors[0].phonemes.clone();
    assert_eq!(reason, Err("not asked for".into()));
    let polish = Said { language: Some("pl".into()), ..said(0, "tak", "nie") };
    let pronouncer = Pronouncer::for_language("en", None);
    let (a, _) = both(&[polish], Rate::Words, Ok(("en", &pronouncer)));
    assert_eq!(a.errors[0].phonemes, Err("no cell of this model is in en".into()));
}

#[test]
fn the_worst_tenth_is_rounded_up_pooled_and_apart_from_the_others() {
    // Speaker i has i wrong words of twenty.
    let text = |wrong: usize| (0..20).map(|w| if w < wrong { "x" } else { "a" }).collect::<Vec<_>>().join(" ");
    let reference = text(0);
    let all: Vec<Said> = (0..11).map(|i| said(i, &reference, &text(i))).collect();
    let (a, summary) = both(&all, Rate::Words, Err("no"));
    let s = &a.errors[0].speakers;
    let names: Vec<&str> = s.rows.iter().map(|r| r.speaker.as_str()).collect();
    assert_eq!((names[0], names[10]), ("s10", "s00"), "the worst first");
    assert_eq!(s.rows.iter().filter(|r| r.worst).count(), 2);
    let worst = s.worst.as_ref().expect("eleven speakers");
    assert_eq!(worst.speakers, 2);
    assert!((worst.rate.value - 19.0 / 40.0).abs() < 1e-12);
    assert!((worst.others.value - 36.0 / 180.0).abs() < 1e-12);
    for row in &s.rows {
        let stratum = summary.strata.iter().find(|x| x.by == "speaker" && x.value == row.speaker).expect("a stratum");
        assert_eq!(row.rate, stratum.wer, "{}: the same estimate as in the strata", row.speaker);
    }
    let unknown: Vec<Said> = (0..3).map(|i| Said { speaker: None, ..said(i, "a", "b") }).collect();
    let s = analysis(&unknown).errors.remove(0).speakers;
    assert_eq!((s.rows.len(), s.unknown, s.worst), (0, 3, Err("no utterance names its speaker".into())));
    let nine = analysis(&all[..9]).errors.remove(0).speakers;
    assert_eq!(nine.worst, Err("there are 9 speakers, and a tenth of them needs at least 10".into()));
}

#[test]
fn only_the_worst_of_many_speakers_have_an_interval() {
    let many: Vec<Said> = (0..MAX_INTERVALS + 5)
        .flat_map(|i| (0..6).map(move |k| (i, k)))
        .map(|(i, k)| said(i, "a b c", if k < 3 { "a b" } else { "a b c" }))
        .collect();
    let s = analysis(&many).errors.remove(0).speakers;
    assert!(s.rows[..MAX_INTERVALS].iter().all(|r| r.rate.interval.is_ok()));
    let reason = s.rows[MAX_INTERVALS].rate.interval.as_ref().expect_err("too many");
    assert!(reason.contains("only the worst 100 speakers"), "{reason}");
}

/// A cell that took `ms`, decoded in a tenth of that before, with a gap of one millisecond in between.
fn timed(i: usize, ms: u64) -> Said {
    let (a, b, c) = (1_000_000 * i as u64, 100_000 * ms, 1_000_000 * ms);
    let stage = |name: &str, owner: &str, from, to| (name.to_owned(), owner.to_owned(), a + from, a + to);
    Said {
        stages: vec![stage("model", "model", b + 1_000_000, b + 1_000_000 + c), stage("decode", "harness", 0, b)],
        processing_s: Some(ms as f64 * 1e-3),
        ..said(i, "turn left", if i.is_multiple_of(4) { "turn" } else { "turn left" })
    }
}

#[test]
fn percentiles_have_order_statistic_intervals_or_say_how_many_are_needed() {
    let all: Vec<Said> = (0..100).map(|i| timed(i, 1 + i as u64)).collect();
    let a = analysis(&all);
    assert_finite(&a);
    let t = &a.times[0];
    assert_eq!((t.timed, t.untimed, t.range_s), (100, 0, (0.001, 0.1)));
    let p = |q: f64| t.percentiles.iter().find(|p| p.q == q).expect("a percentile");
    assert!((p(0.5).time_s.value - 0.0505).abs() < 1e-12);
    // Binomial(100, 0.5): ranks 40 and 61 hold 95 %.
    assert_eq!((p(0.5).time_s.lo, p(0.5).time_s.hi), (LowerEnd::Value(0.040), UpperEnd::Value(0.061)));
    assert_eq!((p(0.99).time_s.hi, p(0.99).needed), (UpperEnd::AtLeastMaximum(0.1), 368));
    assert_eq!(t.histogram.counts.iter().sum::<u64>() + t.histogram.beyond, 100);
    assert_eq!(t.cdf.last(), Some(&(0.1, 1.0)));
    assert!((t.rtf.value - 5.05 / 200.0).abs() < 1e-12);
    let one = analysis(&[timed(0, 5)]);
    assert_finite(&one);
    let p50 = &one.times[0].percentiles[0];
    assert_eq!(
        (p50.time_s.lo, p50.time_s.hi, p50.needed),
        (LowerEnd::AtMostMinimum(0.005), UpperEnd::AtLeastMaximum(0.005), 6)
    );
}

#[test]
fn one_slow_utterance_does_not_hide_the_others() {
    let mut all: Vec<Said> = (0..40).map(|i| timed(i, 100 + i as u64 % 7)).collect();
    all.push(timed(40, 60_000));
    let h = analysis(&all).times.remove(0).histogram;
    assert_eq!((h.beyond, h.counts.iter().sum::<u64>()), (1, 40));
    assert!(h.bin_s * (h.counts.len() as f64) < 0.4, "{h:?}");
    assert!((8..=60).contains(&h.counts.len()), "{h:?}");
}

#[test]
fn the_waterfall_is_in_order_of_time_and_sums_to_the_whole() {
    let all: Vec<Said> = (0..20).map(|i| timed(i, 10 + i as u64)).collect();
    let w = analysis(&all).times.remove(0).waterfall;
    let names: Vec<&str> = w.stages.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["decode", "model", "between stages"], "by time, whatever the order of the lines");
    assert!((w.stages[2].mean.value - 0.001).abs() < 1e-12, "{:?}", w.stages[2]);
    let sum: f64 = w.stages.iter().map(|s| s.mean.value).sum();
    assert!((sum - w.total_s).abs() < 1e-12 && (w.stages.iter().map(|s| s.share).sum::<f64>() - 1.0).abs() < 1e-12);
    let mean: f64 = (10..30).map(|ms| 1.1e-3 * f64::from(ms) + 1e-3).sum::<f64>() / 20.0;
    assert!((w.total_s - mean).abs() < 1e-9, "{} {mean}", w.total_s);
}

#[test]
fn a_model_that_another_beats_in_both_is_dominated_and_ties_are_not() {
    let model = |name: &str, ms: u64, wrong: bool| {
        let of = |i: usize| Said { model: name.into(), ..timed(i, ms) };
        let mut all: Vec<Said> = (0..8).map(of).collect();
        for s in &mut all {
            s.hypothesis = if wrong { "turn right".into() } else { "turn left".into() };
        }
        all
    };
    let all = [
        model("slow-good", 50, false),
        model("fast-bad", 10, true),
        model("slow-bad", 60, true),
        model("twin", 50, false),
    ];
    let a = analysis(&all.concat());
    let of = |name: &str| a.trade_offs.iter().find(|t| t.model == name).expect("a model").dominated_by.clone();
    assert!(of("slow-good").is_empty() && of("twin").is_empty(), "equals do not dominate each other");
    assert!(of("fast-bad").is_empty());
    assert_eq!(of("slow-bad"), ["slow-good", "fast-bad", "twin"]);
    let untimed: Vec<Said> = all.concat().into_iter().map(|s| Said { processing_s: None, ..s }).collect();
    assert!(analysis(&untimed).trade_offs.is_empty());
}

fn some_said() -> impl Strategy<Value = Said> {
    let words = || proptest::collection::vec(prop_oneof!["a", "b", "cat", "Cat,", "dog", "twenty", "one"], 0..6);
    let optional = |n: usize| proptest::option::of((0..n).prop_map(|i| i.to_string()));
    let stage = (prop_oneof!["decode", "model", "degrade"], prop_oneof!["harness", "model"], 0u64..9_000, 0u64..9_000);
    let stages = proptest::collection::vec(stage.prop_map(|(n, o, a, l)| (n, o, a, a + l)), 0..4);
    (words(), words(), optional(14), any::<bool>(), any::<bool>(), stages, proptest::option::of(0.0f64..3.0)).prop_map(
        |(r, h, speaker, noisy, second, stages, processing_s)| Said {
            speaker,
            condition: if noisy { "noise" } else { "clean" }.into(),
            model: if second { "m2" } else { "m" }.into(),
            stages,
            processing_s,
            ..said(0, &r.join(" "), &h.join(" "))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn parts_add_up_to_the_summary(all in proptest::collection::vec(some_said(), 0..40)) {
        let pronouncer = Pronouncer::for_language("en", None);
        let (a, summary) = both(&all, Rate::Words, Ok(("en", &pronouncer)));
        assert_finite(&a);
        for m in &a.errors {
            let stratum = |by: &str, value: &str| {
                summary.strata.iter().find(|s| s.model == m.model && s.by == by && s.value == value).expect("a stratum")
            };
            let whole = stratum("all", "");
            for mix in &m.mix {
                let of = stratum(&mix.by, &mix.value);
                prop_assert_eq!(mix.counts, of.words);
                prop_assert_eq!(mix.hallucinated, of.hallucinated_words);
                if let Some(shares) = mix.shares {
                    prop_assert!((shares.total() - of.wer.value).abs() < 1e-12);
                }
            }
            let by_condition: ErrorCounts = m.mix[1..].iter().map(|x| x.counts).sum();
            prop_assert!(m.mix.len() == 1 || by_condition == whole.words);
            for band in &m.bands {
                let used = band.rows.iter().find(|r| r.used).expect("the run's own");
                let of = stratum(&band.by, &band.value);
                // Not a number is not equal to itself.
                prop_assert_eq!(format!("{:?}", used.rate), format!("{:?}", of.wer));
            }
            let unknown: ErrorCounts = all.iter().enumerate()
                .filter(|(_, s)| s.model == m.model).map(|(i, s)| (s, scored(i, s)))
                .filter(|(s, c)| s.speaker.is_none() || c.words.reference() == 0).map(|(_, c)| c.words).sum();
            let known: ErrorCounts = m.speakers.rows.iter().map(|r| r.counts).sum();
            prop_assert!(known.errors() <= whole.words.errors() && (known + unknown).reference() >= whole.words.reference());
            prop_assert_eq!(m.confused.counts, whole.words);
            let top: u64 = m.confused.deletions.iter().map(|w| w.count).sum();
            prop_assert!(top <= whole.words.del);
            if m.confused.deletions.len() < 10 {
                prop_assert_eq!(top, whole.words.del);
                prop_assert_eq!(m.confused.insertions.iter().map(|w| w.count).sum::<u64>(), whole.words.ins);
                let shares: f64 = m.confused.deletions.iter().map(|w| w.share).sum();
                prop_assert!(top == 0 || (shares - 1.0).abs() < 1e-12);
            }
        }
        for t in &a.times {
            prop_assert_eq!(t.histogram.counts.iter().sum::<u64>() + t.histogram.beyond, t.timed as u64);
            let sum: f64 = t.waterfall.stages.iter().map(|s| s.mean.value).sum();
            prop_assert!((sum - t.waterfall.total_s).abs() < 1e-12);
            let ends = t.waterfall.stages.iter().map(|s| s.from_s + s.mean.value);
            prop_assert!(t.waterfall.stages.iter().skip(1).map(|s| s.from_s).zip(ends).all(|(next, end)| next == end));
        }
    }

    #[test]
    fn the_number_of_threads_changes_nothing(all in proptest::collection::vec(some_said(), 1..30)) {
        let pool = |n: usize| rayon::ThreadPoolBuilder::new().num_threads(n).build().expect("threads");
        let text = |n: usize| pool(n).install(|| format!("{:?}", analysis(&all)));
        prop_assert_eq!(text(1), text(3));
    }
}
