//! Reports of one invented run: snapshots, escaping, equal bytes, self-containment, limits.

mod fixture;
mod markup;
mod page_input;

use vbench_compare::{Coverage, Failure, LatencyReadings, OverallScore, OverallWeight, Summary};
use vbench_core::{ErrorCounts, Estimate, ResamplingUnit};
use vbench_report::{
    AlignedToken, AudioClip, BLOCK_BEGIN, BLOCK_END, TokenOp, figures, figures_in, palette, render_html,
    render_markdown, summary_json, terminal_table,
};

const MODEL: &str = "whisper-tiny.en";

fn one_model() -> Summary {
    fixture::summary(&[(MODEL, 1.0)])
}

/// A summary with everything that can be missing.
fn with_gaps() -> Summary {
    let mut s = fixture::summary(&[(MODEL, 1.0), ("whisper-base", 0.6)]);
    s.strata.retain(|x| x.by != "speaker");
    s.coverage = Coverage { planned: 1_152, done: 1_140, failed: 3, skipped: 8, outstanding: 1, stopped_early: false };
    s.failures = vec![
        Failure {
            cell: "voices-en/voice-01-0001/mp3-64k/whisper-base".into(),
            outcome: "skipped".into(),
            kind: "no_encoder".into(),
            text: "this build has no MP3 encoder".into(),
        },
        Failure {
            cell: "voices-en/voice-02-0007/clean/whisper-tiny.en".into(),
            outcome: "failed".into(),
            kind: "bad_audio".into(),
            text: "voice-02-0007.flac: sample 1200 is not a number".into(),
        },
    ];
    let reverb = s.strata.iter_mut().find(|x| x.value == "reverb").expect("a reverb stratum");
    (reverb.planned, reverb.scored, reverb.failed) = (72, 0, 72);
    reverb.words = Default::default();
    reverb.wer = Estimate::not_estimable(f64::NAN, "no utterance was scored");
    reverb.cer = reverb.wer.clone();
    // A metric resampled by another unit than the WER.
    reverb.snr_db = Some(fixture::estimate(17.25, 0.8, vbench_core::ResamplingUnit::Utterance, 72));
    (reverb.wer_macro, reverb.sentence_error_rate, reverb.rtf) = (None, None, None);
    s
}

fn outside_block(text: &str) -> String {
    assert_eq!(text.matches(BLOCK_BEGIN).count(), 1, "one begin marker");
    assert_eq!(text.matches(BLOCK_END).count(), 1, "one end marker");
    let (before, rest) = text.split_once(BLOCK_BEGIN).expect("a begin marker");
    let (_, after) = rest.split_once(BLOCK_END).expect("an end marker");
    format!("{before}{after}")
}

#[test]
fn html_of_one_model() {
    let summary = one_model();
    let html = render_html(&page_input::input(&summary, page_input::worst(MODEL))).expect("renders");
    // Neither the style nor its hash: a colour is no finding.
    let page = markup::without_script(&html);
    let (_, body) = page.split_once("</head>").expect("a head");
    insta::assert_snapshot!(body);
}

#[test]
fn html_with_two_models_and_gaps() {
    let summary = with_gaps();
    let html = render_html(&page_input::input(&summary, page_input::worst(MODEL))).expect("renders");
    for text in
        ["Coverage 98.95 %", "3 failed, 8 skipped, 1 without outcome", "no utterance was scored", "no MP3 encoder"]
    {
        assert!(html.contains(text), "{text}");
    }
}

#[test]
fn markdown_of_one_model_and_with_gaps() {
    let summary = one_model();
    insta::assert_snapshot!(
        "markdown_one_model",
        render_markdown(&page_input::input(&summary, page_input::worst(MODEL)))
    );
    let summary = with_gaps();
    insta::assert_snapshot!(
        "markdown_with_gaps",
        render_markdown(&page_input::input(&summary, page_input::worst(MODEL)))
    );
}

#[test]
fn json_of_a_run_with_gaps() {
    let value = summary_json(&with_gaps());
    let text = serde_json::to_string_pretty(&value).expect("JSON");
    assert!(!text.contains("NaN") && !text.contains("null"), "absent instead of NaN or null");
    insta::assert_snapshot!(text);
}

#[test]
fn json_results_name_stratum_metric_counts_and_estimate() {
    let value = summary_json(&one_model());
    assert_eq!(value["schema"], "vbench/run/1");
    let results = value["results"].as_array().expect("results");
    // 34 strata with six or five metrics each, and seven differences.
    assert!(results.len() > 34 * 5);
    for r in results {
        assert!(r["model"].is_string() && r["stratum"]["by"].is_string() && r["metric"].is_string(), "{r}");
        assert!(r["counts"].is_object() && r["estimate"]["value"].is_number(), "{r}");
        let e = &r["estimate"];
        let complete =
            ["lo", "hi", "level", "method", "unit", "clusters", "n", "seed"].iter().all(|k| !e[*k].is_null());
        assert!(complete ^ e["reason"].is_string(), "either an interval or a reason: {r}");
    }
    assert_eq!(results.iter().filter(|r| r["metric"] == "wer_difference").count(), 7);
}

#[test]
fn terminal_at_three_widths() {
    let summary = one_model();
    for width in [100, 120, 150] {
        let text = terminal_table(&summary, width, false);
        let widest = text.lines().map(|l| l.chars().count()).max().unwrap_or(0);
        assert!(widest <= width, "{widest} columns at width {width}:\n{text}");
        assert!(text.ends_with("coverage 100.00 %: 576 of 576 cells done\n"), "{text}");
        let one_line = text.lines().any(|l| l.starts_with("  clean ") && l.contains("0.083 ["));
        assert_eq!(one_line, width >= 120, "intervals stand beside their values from 120 columns on:\n{text}");
        insta::assert_snapshot!(format!("terminal_{width}"), text);
    }
    insta::assert_snapshot!("terminal_with_gaps", terminal_table(&with_gaps(), 140, false));
}

#[test]
fn terminal_colour_is_only_colour() {
    let summary = with_gaps();
    let coloured = terminal_table(&summary, 120, true);
    assert!(coloured.contains("\x1b[1;31mcoverage 98.95 %"), "{coloured}");
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\x1b') {
        plain.push_str(before);
        rest = after.split_once('m').expect("a whole escape sequence").1;
    }
    plain.push_str(rest);
    assert_eq!(plain, terminal_table(&summary, 120, false));
}

#[test]
fn bytes_outside_the_block_do_not_depend_on_timings_or_provenance() {
    let first = one_model();
    let mut second = first.clone();
    for (i, s) in second.strata.iter_mut().enumerate() {
        s.rtf = match i % 3 {
            0 => None,
            1 => Some(fixture::estimate(123.456, 99.0, vbench_core::ResamplingUnit::Utterance, 7)),
            _ => Some(Estimate::not_estimable(f64::NAN, "a very long reason ".repeat(40))),
        };
        s.processing_s = 1e9 + i as f64;
        s.audio_s = 0.5;
    }
    let a = page_input::input(&first, page_input::worst(MODEL));
    let mut b = page_input::input(&second, page_input::worst(MODEL));
    b.provenance = (0..500).map(|i| (format!("name {i}"), "value ".repeat(50))).collect();
    let (html_a, html_b) = (render_html(&a).expect("renders"), render_html(&b).expect("renders"));
    assert_ne!(html_a, html_b);
    assert_eq!(outside_block(&html_a), outside_block(&html_b));
    let (md_a, md_b) = (render_markdown(&a), render_markdown(&b));
    assert_ne!(md_a, md_b);
    assert_eq!(outside_block(&md_a), outside_block(&md_b));
    assert!(md_b.chars().count() <= 65_000);
}

/// Texts that break pages which forget to escape.
const HOSTILE: [&str; 12] = [
    "<script>alert(1)</script>",
    "</style><script>alert(2)</script>",
    "\"><img src=x onerror=alert(3)>",
    "' onmouseover='alert(4)",
    "--><!-- end timings and provenance --><svg onload=alert(5)>",
    "{{ 7 * 7 }}{% raw %}",
    "a | b \\| c",
    "שלום \u{202e}txet desrever\u{202c} مرحبا",
    "👩\u{200d}🚀 తెలుగు క్\u{200d}ష",
    "nul \u{0} bell \u{7} escape \u{1b}[31m",
    "`code` *bold* _under_ [link](javascript:alert(6)) @everyone",
    "\u{feff}&lt;b&gt; &amp; <b>",
];

/// A report whose every text field is `text`.
fn hostile(text: &str) -> Summary {
    let mut s = one_model();
    s.suite = text.into();
    s.normalizer = text.into();
    s.weights = text.into();
    s.strata.truncate(14);
    for x in &mut s.strata {
        x.model = text.into();
        x.value = format!("{text}{}", x.value);
        if x.by == "snr" {
            x.by = text.into();
        }
        if x.by == "accent" {
            x.wer = Estimate::not_estimable(0.5, text);
        } else if let Ok(i) = &mut x.wer.interval {
            i.method = text.into();
        }
    }
    for d in &mut s.deltas {
        (d.model, d.from, d.to) = (text.into(), text.into(), text.into());
    }
    s.failures = vec![Failure { cell: text.into(), outcome: text.into(), kind: text.into(), text: text.into() }];
    s
}

#[test]
fn hostile_text_stays_text_everywhere() {
    for text in HOSTILE {
        let summary = hostile(text);
        let mut worst = page_input::worst(text);
        for w in &mut worst {
            (w.cell, w.speaker, w.condition) = (text.into(), text.into(), text.into());
            (w.reference, w.hypothesis) = (text.into(), text.into());
            w.alignment = [TokenOp::Hit, TokenOp::Substitution, TokenOp::Deletion, TokenOp::Insertion]
                .map(|op| AlignedToken { op, reference: Some(text.into()), hypothesis: Some(text.into()) })
                .to_vec();
            w.receipt = vec![(text.into(), text.into())];
            w.audio = Some(AudioClip { mime: text.into(), bytes: text.as_bytes().to_vec(), href: Some(text.into()) });
        }
        let mut input = page_input::input(&summary, worst);
        for facts in [&mut input.conditions, &mut input.identity, &mut input.provenance] {
            *facts = vec![(text.into(), text.into())];
        }
        let html = render_html(&input).expect("renders");
        outside_block(&html);
        let html = markup::without_script(&html);
        for tag in ["<script", "<img", "onload=alert(5)>", "<b> "] {
            assert!(!html.contains(tag), "{tag} in the page for {text:?}");
        }
        assert_eq!(html.matches("<style").count(), 1, "{text:?}");
        assert_eq!(html.matches("</style").count(), 1, "{text:?}");
        assert!(!html.contains('\u{202e}') && !html.contains('\0') && !html.contains('\u{1b}'), "{text:?}");
        assert!(!html.contains("\"data:"), "a MIME type that is not audio is not embedded: {text:?}");
        // Every attribute still ends where the template ends it: no attribute of ours is named like a handler.
        assert!(!html.contains(" onerror=") || html.contains("&lt;img src=x onerror="), "{text:?}");
        assert!(!html.contains("' onmouseover='"), "{text:?}");

        let markdown = render_markdown(&input);
        outside_block(&markdown);
        // Lines indented by four after an empty line are code, where markup is text.
        let prose: String = markdown.lines().filter(|l| !l.starts_with("    ")).collect::<Vec<_>>().join("\n");
        assert!(!prose.contains("<script") && !prose.contains("<img") && !prose.contains("@everyone"), "{text:?}");
        assert_indented_lines_are_code(&markdown);
        assert_table_shapes(&markdown);
        for figure in figures(&input).expect("draws") {
            assert!(!figure.svg.contains("<script") && !figure.svg.contains("<img"), "{text:?}");
        }
        let terminal = terminal_table(&summary, 120, false);
        assert!(!terminal.contains('\u{1b}') && !terminal.contains('\u{202e}'), "{text:?}");
        let json = summary_json(&summary).to_string();
        let back: serde_json::Value = serde_json::from_str(&json).expect("valid JSON");
        assert_eq!(back["suite"], text);
    }
}

/// An indented line follows an empty line or another indented line, never a paragraph that it would continue.
fn assert_indented_lines_are_code(markdown: &str) {
    let mut before = "";
    for line in markdown.lines() {
        if line.starts_with("    ") {
            assert!(before.is_empty() || before.starts_with("    "), "{before:?} then {line:?}");
        }
        before = line;
    }
}

/// Every row of a table has as many cells as its head.
fn assert_table_shapes(markdown: &str) {
    let mut columns = None;
    for line in markdown.lines() {
        if !line.starts_with('|') {
            columns = None;
            continue;
        }
        let bars = line.replace("\\\\", "").replace("\\|", "").matches('|').count();
        assert_eq!(*columns.get_or_insert(bars), bars, "{line}");
    }
}

#[test]
fn page_is_self_contained() {
    let summary = one_model();
    let html = render_html(&page_input::input(&summary, page_input::worst(MODEL))).expect("renders");
    for attribute in ["src=\"", "href=\"", "url(", "@import"] {
        for (at, _) in html.match_indices(attribute) {
            let value: String = html[at + attribute.len()..].chars().take(20).collect();
            assert!(value.starts_with('#') || value.starts_with("data:audio/"), "{attribute}{value}");
        }
    }
    assert_eq!(html.matches("<script>").count(), 1, "the one script that the policy knows");
    assert!(!html.contains("<script src") && !html.contains("<link") && !html.contains("style=\""));
    let policy = "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-";
    assert!(html.contains(policy) && html.contains("; script-src 'sha256-"));
    // Unquoted and single-quoted attributes would slip through the search above.
    assert!(!html.contains("src='") && !html.contains("href='"));
    assert!(html.len() < 175_000, "{} bytes", html.len());
}

#[test]
fn every_figure_has_a_text_alternative_with_its_numbers() {
    let summary = one_model();
    let input = page_input::input(&summary, page_input::worst(MODEL));
    let html = render_html(&input).expect("renders");
    for name in [
        "wer-by-condition-wide",
        "rtf-by-condition-wide",
        "rtf-by-condition-narrow",
        "wer-by-snr-wide",
        "wer-by-snr-narrow",
    ] {
        let label = format!("role=\"img\" aria-labelledby=\"{name}-title {name}-desc\"");
        assert_eq!(html.matches(&label).count(), 1, "{name}");
        assert_eq!(html.matches(&format!("<title id=\"{name}-title\">")).count(), 1, "{name}");
    }
    let figures = figures(&input).expect("draws");
    assert_eq!(
        figures.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(),
        ["wer-by-condition", "rtf-by-condition", "wer-by-snr"]
    );
    for figure in figures {
        let by_condition = fixture::CONDITIONS.map(|c| c.0);
        let labels = if figure.name == "wer-by-snr" { &["5 dB", "10 dB", "15 dB", "20 dB"][..] } else { &by_condition };
        for condition in labels {
            assert!(figure.description.contains(&format!(" {condition}: ")), "{}", figure.description);
        }
        assert!(figure.svg.contains("<title id=") && figure.svg.contains("<desc id="));
        assert!(!figure.svg.contains("var("), "a stand-alone figure has its own colours");
    }
}

#[test]
fn figures_say_when_there_is_no_interval() {
    let summary = with_gaps();
    let figures = figures(&page_input::input(&summary, Vec::new())).expect("draws");
    assert!(figures[0].description.contains("reverb, whisper-tiny.en: n/a (no value)"), "{}", figures[0].description);
    assert!(figures[0].description.contains("Open marker: interval not estimable"), "{}", figures[0].description);
    assert!(figures[1].description.contains("reverb, whisper-tiny.en: not measured"), "{}", figures[1].description);
}

#[test]
fn png_figures_decode_to_the_stated_width_and_hold_more_than_background() {
    let summary = fixture::summary(&[(MODEL, 1.0), ("whisper-base", 0.6), ("whisper-small", 0.4)]);
    let input = page_input::input(&summary, Vec::new());
    for colours in [palette::LIGHT, palette::DARK] {
        for figure in figures_in(&input, colours).expect("draws") {
            let mut reader = png::Decoder::new(figure.png.as_slice()).read_info().expect("a PNG");
            let mut pixels = vec![0; reader.output_buffer_size()];
            let info = reader.next_frame(&mut pixels).expect("a frame");
            assert_eq!(info.width, 1_600, "{}", figure.name);
            let found = |c: plotters::style::RGBColor| pixels.chunks(3).any(|p| p == [c.0, c.1, c.2]);
            assert!(
                found(colours.background) && found(colours.series(0)) && found(colours.series(2)),
                "{}",
                figure.name
            );
        }
    }
}

#[test]
fn empty_and_broken_summaries_render() {
    let mut empty = one_model();
    empty.strata.clear();
    empty.deltas.clear();
    empty.curves.clear();
    empty.coverage = Coverage::default();
    let input = page_input::input(&empty, Vec::new());
    let html = render_html(&input).expect("renders");
    assert!(html.contains("Coverage 0.00 %") && html.contains("Nothing was scored."));
    assert!(render_markdown(&input).contains("Nothing was scored."));
    assert_eq!(figures(&input).expect("draws").len(), 2);
    assert!(terminal_table(&empty, 100, false).contains("coverage 0.00 %: 0 of 0"));

    let mut wild = one_model();
    for (i, s) in wild.strata.iter_mut().enumerate() {
        let value = [f64::NAN, f64::INFINITY, f64::MAX, -1.0, 0.0, 1e-320][i % 6];
        s.wer = fixture::estimate(value, value, vbench_core::ResamplingUnit::Session, 6);
        s.rtf = Some(s.wer.clone());
        s.snr_db = Some(s.wer.clone());
    }
    let input = page_input::input(&wild, Vec::new());
    render_html(&input).expect("renders");
    figures(&input).expect("draws");
    let json = summary_json(&wild).to_string();
    assert!(!json.contains("null"), "a number that does not exist is absent");
    for width in [0, 1, 40, 100] {
        assert!(terminal_table(&wild, width, true).contains("coverage"));
    }
}

#[test]
fn markdown_fits_a_comment_and_loses_speakers_first() {
    let mut summary = one_model();
    for i in 0..2_000 {
        summary.strata.push(fixture::stratum(MODEL, "speaker", &format!("voice-{i}"), 0.1, 312));
    }
    let mut worst = page_input::worst(MODEL);
    worst[0].reference = "long ".repeat(10_000);
    worst[0].alignment =
        vec![AlignedToken { op: TokenOp::Insertion, reference: None, hypothesis: Some("w".repeat(50_000)) }; 3_000];
    let markdown = render_markdown(&page_input::input(&summary, worst));
    assert!(markdown.chars().count() <= 65_000, "{}", markdown.chars().count());
    assert!(markdown.contains("more rows are left out to keep this text short"), "says that rows are missing");
    assert!(markdown.contains("| noise-5db | 72 |"), "conditions are kept");
    assert!(markdown.contains("| scottish | 72 |"), "accents are kept");
    assert!(markdown.contains("okonkwo"), "worst utterances are kept");
    assert_table_shapes(&markdown);
}

#[test]
fn cer_comes_first_where_the_suite_says_so() {
    let mut summary = one_model();
    summary.primary = "cer".into();
    let input = page_input::input(&summary, Vec::new());
    let html = render_html(&input).expect("renders");
    let (cer, wer) = (html.find("character error rate</p>"), html.find("word error rate</p>"));
    assert!(cer.is_some() && cer < wer);
    let names: Vec<String> = figures(&input).expect("draws").into_iter().map(|f| f.name).collect();
    assert_eq!(names, ["cer-by-condition", "wer-by-condition", "rtf-by-condition", "wer-by-snr"]);
}

#[test]
fn units_other_than_the_speaker_are_marked_conditional() {
    let summary = one_model();
    let html = render_html(&page_input::input(&summary, Vec::new())).expect("renders");
    assert!(html.contains("utterance (48)<span class=\"note\">conditional on this 1 speaker</span>"));
    assert!(html.contains("no interval: 3 speakers, at least 6 needed"));
    let mut few = summary.clone();
    few.strata[0].wer = fixture::estimate(0.1, 0.02, vbench_core::ResamplingUnit::Utterance, 96);
    few.strata[0].note = Some("conditional on these 4 speakers".into());
    let html = render_html(&page_input::input(&few, Vec::new())).expect("renders");
    assert!(html.contains("utterance (96)<span class=\"note\">conditional on these 4 speakers</span>"));
}

/// Files to look at: `VBENCH_REPORT_OUT=dir cargo test` writes the pages and figures of the fixtures there.
#[test]
fn pages_and_figures_of_every_fixture_render_and_can_be_kept() {
    let one = one_model();
    let gaps = with_gaps();
    let mut many =
        fixture::summary(&[(MODEL, 1.0), ("whisper-base", 0.6), ("whisper-small", 0.4), ("faster-whisper", 1.02)]);
    for model in [MODEL, "whisper-base", "whisper-small", "faster-whisper"] {
        for extra in ["noise-0db", "clipping-12db", "band-telephone", "packet-loss-10-percent-with-a-long-name"] {
            many.strata.push(fixture::stratum(model, "condition", extra, 0.35, 702));
        }
    }
    for (name, summary) in [("one", &one), ("gaps", &gaps), ("many", &many)] {
        let input = page_input::input(summary, page_input::worst(MODEL));
        let html = render_html(&input).expect("renders");
        assert!(html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"));
        let light = figures(&input).expect("draws");
        let dark = figures_in(&input, palette::DARK).expect("draws");
        let Some(dir) = std::env::var_os("VBENCH_REPORT_OUT") else {
            continue;
        };
        let write = |file: String, bytes: &[u8]| {
            std::fs::write(std::path::Path::new(&dir).join(file), bytes).expect("the folder can be written");
        };
        write(format!("{name}.html"), html.as_bytes());
        write(format!("{name}.md"), render_markdown(&input).as_bytes());
        for (scheme, figures) in [("light", light), ("dark", dark)] {
            for f in figures {
                write(format!("{name}-{}-{scheme}.png", f.name), &f.png);
                write(format!("{name}-{}-{scheme}.svg", f.name), f.svg.as_bytes());
            }
        }
    }
}

/// A declared overall score and latency readings of a model.
fn declare(summary: &mut Summary, model: &str) {
    let weight = |value: &str, weight| OverallWeight { by: "condition".into(), value: value.into(), weight };
    summary.overall.push(OverallScore {
        model: model.into(),
        weights: vec![weight("clean", 1.0), weight("noise-5db", 3.0)],
        wer: fixture::estimate(0.2234, 0.06, ResamplingUnit::Speaker, 18),
        note: None,
    });
    let rate = |value| fixture::estimate(value, 0.03, ResamplingUnit::Utterance, 72);
    summary.latency.push(LatencyReadings {
        model: model.into(),
        budget_ms: 200.0,
        timed: 570,
        untimed: 6,
        late: 57,
        on_time_words: ErrorCounts { hits: 4_700, sub: 200, del: 100, ins: 50 },
        late_empty_errors: 906,
        reference_words: 5_556,
        on_time: fixture::estimate(0.9, 0.02, ResamplingUnit::Utterance, 72),
        wer_on_time: Estimate::not_estimable(0.07, "all 72 utterances have the same value: no spread to infer from"),
        wer_late_empty: rate(0.1631),
        wer: rate(0.0877),
        note: Some("conditional on these 4 speakers".into()),
    });
}

/// Declared scores stand in every output; what depends on timings stands in the block of the timings alone.
#[test]
fn areas_scores_and_latencies_are_told_everywhere() {
    let mut summary = one_model();
    declare(&mut summary, MODEL);
    let input = page_input::input(&summary, Vec::new());
    let (html, markdown) = (render_html(&input).expect("renders"), render_markdown(&input));
    let terminal = terminal_table(&summary, 120, false);
    let area = "area under WER over 5..20 dB: 11.50 % [9.10, 14.50] (95 % interval, resampling speaker (18))";
    let overall = "overall WER (condition=clean 25 %, condition=noise-5db 75 %): 22.34 % [17.54, 28.34]";

    for sentence in [area, overall] {
        assert!(outside_block(&html).contains(sentence), "{sentence}");
        assert!(terminal.replace('\n', " ").contains(sentence), "{terminal}");
    }
    let plain = outside_block(&markdown).replace('\\', "");
    assert!(plain.contains(area) && plain.contains(overall), "{plain}");
    for text in [&html, &markdown] {
        assert!(text.contains("late as empty") && !outside_block(text).contains("late as empty"), "{text}");
    }
    let (from, to) =
        (terminal.find("area under").expect("the lines"), terminal.find("WER and CER").expect("the notes"));
    insta::assert_snapshot!("terminal_composites", terminal[from..to].trim_end());
    let value = summary_json(&summary);
    let results: Vec<_> = value["results"].as_array().expect("results").iter().collect();
    let own = |r: &&&serde_json::Value| ["curve", "overall", "latency"].iter().any(|by| r["stratum"]["by"] == *by);
    let composites: Vec<_> = results.iter().filter(own).collect();
    insta::assert_snapshot!("json_composites", serde_json::to_string_pretty(&composites).expect("JSON"));
}

#[test]
fn a_run_without_two_noise_levels_has_no_curve() {
    let mut summary = one_model();
    let with = figures(&page_input::input(&summary, Vec::new())).expect("draws");
    let curve = with.iter().find(|f| f.name == "wer-by-snr").expect("a curve");
    assert!(curve.description.contains(" 5 dB: 28.77 [") && curve.description.contains("Area under the curve"));
    summary.curves.clear();
    let without = figures(&page_input::input(&summary, Vec::new())).expect("draws");
    assert!(!without.iter().any(|f| f.name == "wer-by-snr"));
    assert!(!render_markdown(&page_input::input(&summary, Vec::new())).contains("wer-by-snr"));
}
