//! The sections on where errors and time come from: snapshots of one invented run, figures, hostile names, gaps.

mod fixture;
mod page_input;

use std::collections::BTreeMap;

use vbench_compare::ScoredCell;
use vbench_compare::analysis::{AnalysedCell, Analysis, AnalysisRules, Rate, StageTime, analyse, phoneme_language};
use vbench_dsp::Spectrogram;
use vbench_report::{
    Analysed, BLOCK_BEGIN, BLOCK_END, ReportInput, SoundPicture, analysis_json, figures, figures_in, palette,
    render_html, run_json,
};
use vbench_score::phoneme::Pronouncer;
use vbench_score::{Normalizer, Weights, score_pair};

/// What an invented run is made of.
#[derive(Clone)]
struct Run {
    models: Vec<&'static str>,
    speakers: usize,
    utterances: usize,
    language: Option<&'static str>,
    timed: bool,
    /// Added to every time, milliseconds.
    slower: u64,
    rate: Rate,
    normalizer: Normalizer,
}

fn run() -> Run {
    Run {
        models: vec!["whisper-tiny.en"],
        speakers: 12,
        utterances: 24,
        language: Some("en"),
        timed: true,
        slower: 0,
        rate: Rate::Words,
        normalizer: Normalizer::WhisperEn,
    }
}

const CONDITIONS: [&str; 2] = ["clean", "noise-5db"];
const TEXTS: [(&str, &str, &str); 4] = [
    ("Turn off the kitchen lights.", "Turn off the kitchen lights.", "Turn of the chicken light."),
    ("Please call Doctor Brown at nine.", "Please call doctor brown at 9.", "Call Dr. Brown at night."),
    ("What's the weather in Ghent?", "What is the weather in Kent?", "What is the weather in the Kent?"),
    ("Stop.", "Stop.", "Top it."),
];

fn cell(run: &Run, u: usize, condition: usize, model: usize) -> (ScoredCell, &'static str, &'static str, u64) {
    let (reference, good, bad) = TEXTS[u % TEXTS.len()];
    // The second model makes fewer mistakes and takes longer.
    let hypothesis = if condition == 1 && (u + model).is_multiple_of(model + 1) { bad } else { good };
    let score = score_pair(reference, hypothesis, &run.normalizer, Weights::Sclite).expect("short texts");
    let ms = 180 + 60 * model as u64 + (u as u64 * 37) % 90 + run.slower;
    let scored = ScoredCell {
        cell: format!("voices/u{u:02}/{}/{}", CONDITIONS[condition], run.models[model]),
        utterance: format!("u{u:02}"),
        corpus: "voices".into(),
        condition: CONDITIONS[condition].into(),
        model: run.models[model].into(),
        speaker: (run.speakers > 0).then(|| format!("voice-{:02}", u % run.speakers.max(1))),
        session: None,
        tags: run.language.iter().map(|l| ("language".to_owned(), (*l).to_owned())).collect::<BTreeMap<_, _>>(),
        target_snr_db: None,
        severity: None,
        achieved_snr_db: None,
        signal: Vec::new(),
        reference_words: score.words.reference(),
        words: score.words,
        words_min_errors: score.words_min_errors,
        chars: score.chars,
        audio_s: 2.5,
        processing_s: run.timed.then_some(ms as f64 * 1e-3),
        late: None,
    };
    (scored, reference, hypothesis, ms * 1_000_000)
}

fn analysis(run: &Run) -> Analysis {
    let all: Vec<_> = (0..run.models.len())
        .flat_map(|m| (0..run.utterances).map(move |u| (m, u)))
        .flat_map(|(m, u)| (0..CONDITIONS.len()).map(move |c| cell(run, u, c, m)))
        .collect();
    let stage = |name, owner, t0, t1| StageTime { name, owner, t0, t1 };
    let cells: Vec<AnalysedCell<'_>> = all
        .iter()
        .map(|(cell, reference, hypothesis, ns)| AnalysedCell {
            cell,
            reference,
            hypothesis,
            stages: if run.timed {
                vec![
                    stage("decode", "harness", 0, 400_000),
                    stage("degrade", "harness", 400_000, 3_000_000),
                    stage("model", "model", 3_200_000, 3_200_000 + ns),
                ]
            } else {
                Vec::new()
            },
        })
        .collect();
    let scored: Vec<ScoredCell> = all.iter().map(|a| a.0.clone()).collect();
    let language = phoneme_language(&scored);
    let pronouncer = Pronouncer::for_language(language.as_deref().unwrap_or_default(), None);
    let rules = AnalysisRules {
        seed: 7,
        rate: run.rate,
        conditions: &CONDITIONS.map(String::from),
        normalizer: &run.normalizer,
        weights: Weights::Sclite,
        pronouncer: language.as_ref().map(|l| (*l, &pronouncer)).map_err(String::as_str),
    };
    analyse(&cells, &rules)
}

fn picture() -> SoundPicture {
    let peaks = (0..6).map(|i| (-0.1 * i as f32, 0.05 * i as f32)).collect();
    let db = (0..12).map(|i| -100.0 + 7.0 * i as f32).collect();
    SoundPicture {
        seconds: 2.5,
        peaks,
        spectrogram: Spectrogram { columns: 4, bands: 3, db, seconds: 2.5, max_hz: 8000.0 },
    }
}

fn page(analysis: &Analysis) -> String {
    let summary = fixture::summary(&[("whisper-tiny.en", 1.0)]);
    let worst = page_input::worst("whisper-tiny.en");
    let pictures = vec![Some(picture()), None, None];
    render_html(&with(page_input::input(&summary, worst), analysis, pictures)).expect("renders")
}

fn with<'a>(input: ReportInput<'a>, analysis: &'a Analysis, pictures: Vec<Option<SoundPicture>>) -> ReportInput<'a> {
    ReportInput { analysis: Some(Analysed { analysis, pictures }), ..input }
}

/// A section of the page with its drawings taken out: what stands in tables and sentences.
fn section(html: &str, id: &str) -> String {
    let from = html.split_once(&format!("<section id=\"{id}\"")).expect("the section").1;
    // The sections within have no id.
    let until = if id == "latency" { "<h3 id=\"rtf-0\"" } else { "<section id=\"strata\"" };
    let mut text = from.split_once(until).map_or(from, |(section, _)| section).to_owned();
    while let Some((before, rest)) = text.clone().split_once("<svg class=\"figure-") {
        let (drawing, after) = rest.split_once("</svg>").expect("an end");
        let words =
            drawing.split_once("<desc").and_then(|(_, d)| d.split_once('>')).and_then(|(_, d)| d.split_once("</desc>"));
        text = format!("{before}[{}]{after}", words.expect("a description").0);
    }
    text
}

#[test]
fn sections_of_one_model() {
    let html = page(&analysis(&run()));
    insta::assert_snapshot!("errors", section(&html, "analysis"));
    insta::assert_snapshot!("times", section(&html, "latency"));
}

#[test]
fn the_analysis_in_summary_json() {
    let a = analysis(&run());
    let text = serde_json::to_string_pretty(&analysis_json(&a)).expect("JSON");
    assert!(!text.contains("null") && !text.contains("NaN"));
    insta::assert_snapshot!("json", text);
    let summary = fixture::summary(&[("m", 1.0)]);
    let input = page_input::input(&summary, Vec::new());
    assert!(run_json(&input).get("analysis").is_none());
    assert_eq!(run_json(&with(input, &a, Vec::new()))["analysis"]["metric"], "wer");
}

#[test]
fn every_figure_is_png_and_svg_in_both_palettes_with_its_finding_in_words() {
    let a = analysis(&Run { models: vec!["fast", "good"], ..run() });
    let summary = fixture::summary(&[("fast", 1.0), ("good", 0.6)]);
    let input = with(page_input::input(&summary, Vec::new()), &a, Vec::new());
    let light = figures(&input).expect("drawn");
    let dark = figures_in(&input, palette::DARK).expect("drawn");
    let names: Vec<&str> = light.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(
        &names[3..],
        [
            "errors-by-condition",
            "normalizer-band",
            "error-by-speaker",
            "error-by-speaker-2",
            "phoneme-confusion",
            "phoneme-confusion-2",
            "latency-percentiles",
            "latency-histogram",
            "latency-histogram-2",
            "latency-cdf",
            "accuracy-latency",
            "stage-waterfall",
            "stage-waterfall-2",
        ]
    );
    for (figure, dark) in light.iter().zip(&dark).skip(3) {
        assert!(figure.png.starts_with(b"\x89PNG") && dark.png != figure.png, "{}", figure.name);
        assert!(figure.svg.contains("role=\"img\"") && figure.svg.contains("<title"), "{}", figure.name);
        assert!(figure.description.len() > 60, "{}: {}", figure.name, figure.description);
        assert!(!figure.description.contains("NaN") && !figure.svg.contains("NaN"), "{}", figure.name);
    }
    let words = |name: &str| light.iter().find(|f| f.name == name).expect("a figure").description.clone();
    assert!(words("accuracy-latency").starts_with("No model is dominated: by these point estimates"));
    assert!(words("stage-waterfall").contains("go to model"), "{}", words("stage-waterfall"));
}

#[test]
fn figures_in_the_page_take_their_colours_from_the_page() {
    let html = page(&analysis(&run()));
    let analysis = html.split_once("<section id=\"analysis\"").expect("a section").1;
    for (variable, colour) in palette::LIGHT.variables() {
        let fixed = format!("\"{}\"", palette::hex(colour));
        assert!(!analysis.contains(&fixed), "{fixed} is not {variable}");
    }
    assert!(analysis.contains("var(--fig-series-0)"));
}

#[test]
fn timings_change_nothing_outside_their_block() {
    let outside = |html: String| {
        let (before, rest) = html.split_once(BLOCK_BEGIN).expect("a begin marker");
        format!("{before}{}", rest.split_once(BLOCK_END).expect("an end marker").1)
    };
    let [one, other] = [0, 55].map(|slower| page(&analysis(&Run { slower, ..run() })));
    assert_ne!(one, other);
    assert_eq!(outside(one.clone()), outside(other));
    let untimed = page(&analysis(&Run { timed: false, ..run() }));
    assert_eq!(outside(one), outside(untimed.clone()));
    assert!(untimed.contains("Nothing was timed: there are no percentiles"));
}

#[test]
fn what_is_missing_is_said() {
    let none = page(&analysis(&Run { utterances: 0, ..run() }));
    assert!(none.contains("Nothing was scored: there is no error to break down."));
    let polish = page(&analysis(&Run { language: Some("pl"), ..run() }));
    assert!(polish.contains("No phoneme confusions: there are no phonemes for pl (only for en, hi, mr, ne, sa, te)."));
    let one = page(&analysis(&Run { speakers: 1, utterances: 1, ..run() }));
    assert!(one.contains("One speaker, voice-00:"), "one speaker has a sentence, no figure");
    assert!(one.contains("no interval: 368 cells are needed for one, 2 were timed"));
    assert!(one.contains("One model was timed: there is none to compare it with."));
    let nobody = page(&analysis(&Run { speakers: 0, ..run() }));
    assert!(nobody.contains("No utterance names its speaker.") && nobody.contains("48 cells name no speaker"));
    let bare = {
        let summary = fixture::summary(&[("m", 1.0)]);
        render_html(&page_input::input(&summary, page_input::worst("m"))).expect("renders")
    };
    assert!(!bare.contains("id=\"analysis\"") && !bare.contains("class=\"sound\""), "no analysis, no section");
}

#[test]
fn a_suite_with_characters_first_says_characters() {
    let normalizer = Normalizer::ScriptSafe { remove_harakat: false };
    let html = page(&analysis(&Run { rate: Rate::Characters, normalizer, language: Some("te"), ..run() }));
    let section = section(&html, "analysis");
    assert!(section.contains("CER in its three parts") && section.contains("of the reference characters"));
    assert!(section.contains("CER under every normaliser"));
}

#[test]
fn a_beaten_model_is_named_in_words() {
    let a = {
        let mut a = analysis(&Run { models: vec!["a", "b"], ..run() });
        a.trade_offs[1].dominated_by = vec!["a".into()];
        a
    };
    assert!(page(&a).contains("b is dominated: a is no less accurate and no slower."));
}

#[test]
fn pictures_stand_beside_the_utterances_that_have_one() {
    let html = page(&analysis(&run()));
    assert_eq!(html.matches("<figure class=\"sound\"").count(), 1);
    assert!(html.contains("Waveform and spectrogram of 2.50 s of sound, 0 to 8 kHz"));
    assert_eq!(html.matches("src=\"data:image/png;base64,").count(), 1);
    let article = html.split_once("id=\"worst-1\"").expect("the first").1.split_once("</article>").expect("an end").0;
    assert!(article.contains("<path d=\"M0 "), "in the first article");
}

#[test]
fn hostile_names_stay_text() {
    let hostile = "<script>alert(1)</script>\"'\u{202e}";
    let mut a = analysis(&Run { models: vec!["m", "n"], ..run() });
    a.errors[0].model = hostile.into();
    a.errors[0].speakers.rows[0].speaker = hostile.into();
    a.errors[0].confused.substitutions[0].reference = hostile.into();
    a.errors[0].phonemes = Err(hostile.into());
    a.errors[0].bands[0].rows[0].normalizer = hostile.into();
    a.errors[0].mix[1].value = hostile.into();
    a.times[0].model = hostile.into();
    a.times[0].waterfall.stages[0].name = hostile.into();
    a.times[0].waterfall.stages[0].owner = hostile.into();
    a.trade_offs[0].model = hostile.into();
    a.trade_offs[1].dominated_by = vec![hostile.into()];
    let html = page(&a);
    assert!(!html.contains("<script>alert") && !html.contains('\u{202e}'));
    assert!(html.matches("&lt;script&gt;alert(1)").count() >= 10);
    let summary = fixture::summary(&[("m", 1.0)]);
    for figure in figures(&with(page_input::input(&summary, Vec::new()), &a, Vec::new())).expect("drawn") {
        assert!(!figure.svg.contains("<script>") && !figure.svg.contains('\u{202e}'), "{}", figure.name);
        assert!(figure.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
    }
}
