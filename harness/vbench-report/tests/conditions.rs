//! What conditions are worth: the table of signal metrics and curves of several families, in every output.

mod fixture;
mod markup;
mod page_input;

use vbench_compare::{SeverityCurve, SignalSummary, Summary};
use vbench_core::{Estimate, ResamplingUnit};
use vbench_report::{figures, figures_in, palette, render_html, render_markdown, summary_json, terminal_table};

const MODEL: &str = "whisper-tiny.en";

/// Metrics with their value in clean audio, and by how much every condition is off.
const METRICS: [(&str, Option<f64>, f64); 6] = [
    ("stoi", Some(1.0), -0.021_4),
    ("si_sdr_db", None, 17.9),
    ("lsd_db", Some(0.0), 1.73),
    ("loudness_difference_lu", Some(0.0), 0.31),
    ("delay_samples", Some(0.0), 0.0),
    ("of_another_version", Some(1.0), 0.5),
];

/// The fixture's conditions with `count` of the metrics; some are not defined, one by another unit, one failed.
fn with_signal(count: usize) -> Summary {
    let mut summary = fixture::summary(&[(MODEL, 1.0)]);
    for (i, (condition, _, _)) in fixture::CONDITIONS.iter().enumerate() {
        for (metric, clean, step) in METRICS.iter().take(count) {
            let value = clean.unwrap_or(20.0) + step * i as f64 * if clean.is_none() { -0.2 } else { 1.0 };
            let (mut mean, mut undefined) = (fixture::estimate(value, 0.02, ResamplingUnit::Speaker, 18), 0);
            if let Ok(interval) = &mut mean.interval {
                (interval.lo, interval.hi) = (value - 0.016, value + 0.02);
            }
            match (*condition, *metric) {
                ("clean", "si_sdr_db") => {
                    undefined = 72;
                    mean = Estimate::not_estimable(f64::NAN, "not defined for any of the 72 utterances");
                }
                (_, "delay_samples") | ("clean", _) => {
                    mean = Estimate::not_estimable(
                        value,
                        "all 72 utterances have the same value: no spread to infer from",
                    );
                }
                ("reverb", "si_sdr_db") => {
                    undefined = 3;
                    mean = fixture::estimate(value, 0.02, ResamplingUnit::Utterance, 69);
                }
                _ => {}
            }
            let conditional = mean.interval.as_ref().is_ok_and(|i| i.unit == ResamplingUnit::Utterance);
            summary.signal.push(SignalSummary {
                condition: (*condition).into(),
                metric: (*metric).into(),
                mean,
                note: conditional.then(|| "conditional on these 4 speakers".to_owned()),
                utterances: 72,
                undefined,
            });
        }
    }
    summary
}

fn from_heading(text: &str) -> &str {
    &text[text.find("Signal against its clean input").expect("the heading")..]
}

#[test]
fn the_terminal_shows_conditions_by_metrics_within_its_width() {
    for (count, width) in [(3, 100), (3, 120), (6, 120), (6, 80)] {
        let table = terminal_table(&with_signal(count), width, false);
        let widest = from_heading(&table).lines().map(|l| l.chars().count()).max().unwrap_or(0);
        assert!(widest <= width, "{widest} columns at width {width}:\n{table}");
        insta::assert_snapshot!(format!("signal_terminal_{count}_{width}"), from_heading(&table));
    }
    // The table in colour says the same, and a summary without metrics has none.
    let coloured = terminal_table(&with_signal(6), 120, true);
    assert!(coloured.contains("\u{1b}[36mSignal against its clean input, by condition\u{1b}[0m"));
    let none = terminal_table(&with_signal(0), 120, false);
    assert!(!none.contains("Signal against"));
}

#[test]
fn page_and_markdown_have_the_table_and_say_what_the_columns_are() {
    let summary = with_signal(6);
    let input = page_input::input(&summary, page_input::worst(MODEL));
    let (html, markdown) = (render_html(&input).expect("renders"), render_markdown(&input));
    let begin = html.find("<section id=\"signal\"").expect("a section");
    let end = begin + html[begin..].find("</section>").expect("its end");
    insta::assert_snapshot!("signal_html", &html[begin..end]);
    let begin = markdown.find("## Signal against").expect("a section");
    let end = begin + 3 + markdown[begin + 3..].find("\n## ").expect("the next section");
    insta::assert_snapshot!("signal_markdown", &markdown[begin..end]);
    assert!(html.contains("<a href=\"#signal\">"));
    for text in [html, markdown] {
        assert!(text.contains("STOI: Short-time objective intelligibility, 1 for identical signals."), "{text}");
    }
    let without = with_signal(0);
    let without = render_html(&page_input::input(&without, Vec::new())).expect("renders");
    assert!(
        !without.contains("id=\"signal\"")
            && !without.contains("href=\"#signal\"")
            && !without.contains("Signal metrics:")
    );
}

#[test]
fn json_has_a_result_for_every_condition_and_metric_and_none_of_it_is_of_a_model() {
    let value = summary_json(&with_signal(6));
    let of_signal = |r: &&serde_json::Value| r["model"].is_null();
    let results: Vec<_> = value["results"].as_array().expect("results").iter().filter(of_signal).collect();
    assert_eq!(results.len(), 8 * 6);
    assert!(results.iter().all(|r| r["stratum"]["by"] == "condition" && r["counts"]["utterances"] == 72));
    let wanted = |r: &&&serde_json::Value| {
        r["metric"] == "si_sdr_db" && ["clean", "noise-5db", "reverb"].iter().any(|c| r["stratum"]["value"] == *c)
    };
    let shown: Vec<_> = results.iter().filter(wanted).collect();
    insta::assert_snapshot!("signal_json", serde_json::to_string_pretty(&shown).expect("JSON"));
}

#[test]
fn hostile_names_of_conditions_and_metrics_stay_text() {
    let mut summary = with_signal(2);
    for s in &mut summary.signal {
        s.condition = "<script>|\u{202e}x".into();
        s.metric = "<img src=x>|\u{1b}[31m".into();
    }
    summary.curves[0].family = "</title><script>alert(1)</script>|".into();
    summary.curves[0].parameter = "<img src=x onerror=1>".into();
    summary.curves.push(SeverityCurve { family: "b".into(), ..summary.curves[0].clone() });
    let input = page_input::input(&summary, Vec::new());
    let (html, markdown) = (render_html(&input).expect("renders"), render_markdown(&input));
    for text in [&markup::without_script(&html), &markdown] {
        assert!(!text.contains("<script") && !text.contains("<img") && !text.contains('\u{202e}'), "{text}");
    }
    let terminal = terminal_table(&summary, 120, false);
    assert!(!terminal.contains('\u{1b}') && !terminal.contains('\u{202e}'));
    for figure in figures(&input).expect("draws") {
        assert!(figure.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{}", figure.name);
        assert!(!figure.svg.contains("<script") && !figure.svg.contains("<img"));
    }
}

/// The fixture's curve, and others over other parameters.
fn with_families(models: &[(&str, f64)]) -> Summary {
    let mut summary = fixture::summary(models);
    let curves = std::mem::take(&mut summary.curves);
    let families: [(&str, &str, &[f64]); 5] = [
        ("noise(speech-shaped)", "snr_db", &[5.0, 10.0, 15.0, 20.0]),
        ("cafe", "snr_db", &[-5.0, 0.0, 10.0, 20.0]),
        ("opus", "kbps", &[6.0, 12.0, 24.0, 48.0]),
        ("lost", "loss", &[0.01, 0.05, 0.1, 0.2]),
        ("drive", "amount", &[1.0, 2.0, 3.0, 4.5]),
    ];
    for curve in &curves {
        for (family, parameter, places) in families {
            let mut own = SeverityCurve { family: family.into(), parameter: parameter.into(), ..curve.clone() };
            let falling = !["loss", "amount"].contains(&parameter);
            let heights: Vec<Estimate> = curve.points.iter().map(|p| p.wer.clone()).collect();
            for (i, point) in own.points.iter_mut().enumerate() {
                point.value = places[i];
                point.wer = heights[if falling { i } else { 3 - i }].clone();
            }
            summary.curves.push(own);
        }
    }
    summary
}

#[test]
fn every_family_has_a_figure_a_sentence_and_a_result_of_its_own() {
    let summary = with_families(&[(MODEL, 1.0), ("whisper-base", 0.6)]);
    let input = page_input::input(&summary, Vec::new());
    let drawn = figures(&input).expect("draws");
    let names: Vec<&str> = drawn.iter().skip(2).map(|f| f.name.as_str()).collect();
    let expected = ["snr-noise-speech-shaped", "snr-cafe", "kbps", "loss", "amount"].map(|id| format!("wer-by-{id}"));
    assert_eq!(names, expected);
    for (figure, parts) in drawn.iter().skip(2).zip([
        [" 5 dB, whisper-base: area", " 10 dB, ", " 20 dB, "],
        ["-5 dB, ", "0 dB, ", "20 dB, "],
        [" 6 kbit/s, ", " 12 kbit/s, ", " 48 kbit/s, "],
        [" 1 %, ", " 5 %, ", " 20 %, "],
        [" amount 1, ", " amount 3, ", " amount 4.5, "],
    ]) {
        for part in parts {
            assert!(figure.description.contains(part), "{part}: {}", figure.description);
        }
    }
    for (text, title) in
        drawn.iter().skip(2).map(|f| &f.svg).zip(["SNR: noise(speech-shaped)", "SNR: cafe", "bit rate: opus"])
    {
        assert!(text.contains(&format!("Word error rate by {title}")), "{title}");
    }
    let html = render_html(&input).expect("renders").replace("&#x2f;", "/");
    let markdown = render_markdown(&input).replace('\\', "");
    for sentence in [
        "area under WER over 5..20 dB, noise(speech-shaped), whisper-tiny.en: 11.50 % [9.10, 14.50]",
        "area under WER over -5..20 dB, cafe, whisper-base: ",
        "area under WER over bit rate 6..48 kbit/s, opus, whisper-tiny.en: ",
        "area under WER over packet loss 1..20 %, lost, whisper-tiny.en: ",
        "area under WER over amount 1..4.5, drive, whisper-tiny.en: ",
    ] {
        assert!(html.contains(sentence) && markdown.contains(sentence), "{sentence}");
    }
    assert!(markdown.contains("![Word error rate by packet loss: lost](figures/wer-by-loss.png)"));
    let value = summary_json(&summary);
    let areas: Vec<_> =
        value["results"].as_array().expect("results").iter().filter(|r| r["metric"] == "wer_area").collect();
    assert_eq!(areas.len(), 10);
    let lost = areas.iter().find(|r| r["stratum"]["value"] == "loss" && r["model"] == MODEL).expect("a result");
    assert_eq!((&lost["family"], &lost["parameter"]), (&"lost".into(), &"loss".into()));
    assert_eq!((&lost["points"][1]["value"], &lost["points"][1]["snr_db"]), (&0.05.into(), &serde_json::Value::Null));
    let cafe = areas.iter().find(|r| r["stratum"]["value"] == "snr-cafe").expect("a result");
    assert_eq!((&cafe["points"][0]["value"], &cafe["points"][0]["snr_db"]), (&(-5.0).into(), &(-5.0).into()));
}

#[test]
fn more_families_than_figures_are_told() {
    let mut summary = fixture::summary(&[(MODEL, 1.0)]);
    let one = summary.curves[0].clone();
    summary.curves = (0..14).map(|i| SeverityCurve { family: format!("kind {i}"), ..one.clone() }).collect();
    // Two names that are one file name are told apart.
    summary.curves[1].family = "kind-0".into();
    let input = page_input::input(&summary, Vec::new());
    let names: Vec<String> = figures(&input).expect("draws").into_iter().skip(2).map(|f| f.name).collect();
    assert_eq!(names.len(), 12);
    assert_eq!(names[..2], ["wer-by-snr-kind-0", "wer-by-snr-kind-0-2"]);
    let html = render_html(&input).expect("renders");
    assert!(html.contains("figures show the first 12 of 14 families; summary.json has every curve"));
    assert_eq!(html.matches("area under WER over 5..20 dB, kind").count(), 14);
}

/// Files to look at: `VBENCH_REPORT_OUT=dir cargo test` writes them there.
#[test]
fn pages_and_figures_of_families_and_metrics_render_in_both_schemes_and_can_be_kept() {
    let mut summary = with_families(&[(MODEL, 1.0), ("whisper-base", 0.6)]);
    summary.signal = with_signal(6).signal;
    let input = page_input::input(&summary, Vec::new());
    let html = render_html(&input).expect("renders");
    let dark = figures_in(&input, palette::DARK).expect("draws");
    assert_eq!(dark.len(), figures(&input).expect("draws").len());
    assert_eq!(html.matches("<section id=\"signal\"").count(), 1);
    let Some(dir) = std::env::var_os("VBENCH_REPORT_OUT") else { return };
    let dir = std::path::Path::new(&dir);
    std::fs::write(dir.join("families.html"), html).expect("the folder can be written");
    std::fs::write(dir.join("families.md"), render_markdown(&input)).expect("the folder can be written");
    for figure in dark {
        std::fs::write(dir.join(format!("families-{}-dark.png", figure.name)), figure.png).expect("can be written");
    }
}
