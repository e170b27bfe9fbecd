//! Corpora as text, JSON, Markdown and pages. Utterances are invented.

use std::collections::BTreeMap;

use vbench_compare::{HeardByAll, suspects};
use vbench_core::Utterance;
use vbench_corpus::check::{Checked, Code, Finding, Hit, Item, Limits, check};
use vbench_corpus::describe::{Description, describe};
use vbench_report::AudioClip;
use vbench_report::corpus::{
    BadLine, CheckInput, DescribeInput, PhonemeCoverage, SuspectsInput, check_html, check_json, check_text, data_card,
    describe_html, describe_json, describe_text, suspects_html, suspects_json, suspects_text,
};
use vbench_score::{Normalizer, Weights};

const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\u{202e}";

fn utterances() -> Vec<Utterance> {
    let texts = ["turn off the kitchen lights now", "", "call 911", "Turn off the kitchen lights, now!", HOSTILE];
    let of = |(i, text): (usize, &&str)| Utterance {
        id: if i == 4 { format!("it's {HOSTILE}") } else { format!("u{i}") },
        audio: format!("u{i}.wav").into(),
        text: (*text).to_owned(),
        speaker: (i != 2).then(|| format!("s{}", i % 2)),
        language: Some("en".into()),
        duration_s: Some(1.5 + i as f64),
        tags: [("accent".to_owned(), ["te", "us"][i % 2].to_owned())].into(),
        ..Utterance::default()
    };
    texts.iter().enumerate().map(of).collect()
}

struct Case {
    utterances: Vec<Utterance>,
    checked: Checked,
    description: Description,
    bad: Vec<BadLine>,
}

fn case() -> Case {
    let utterances = utterances();
    let items: Vec<Item<'_>> = utterances.iter().map(|utterance| Item { utterance, split: None }).collect();
    let mut checked = check(&items, None, &Limits::default());
    let hits = vec![Hit { item: 0, badness: 0.0, detail: "".into() }];
    checked.findings.insert(0, Finding { code: Code::LineInvalid, limit: String::new(), hits });
    let description = describe(&utterances.iter().collect::<Vec<_>>(), None);
    let bad = vec![BadLine { manifest: 0, line: 9, message: "expected one JSON object".into() }];
    Case { utterances, checked, description, bad }
}

fn with_input<T>(case: &Case, clips: &BTreeMap<usize, AudioClip>, f: impl FnOnce(&CheckInput<'_>) -> T) -> T {
    let names = ["my corpus/m.jsonl".to_owned()];
    let rows: Vec<_> = case.utterances.iter().enumerate().map(|(i, u)| (u, 0, i + 1)).collect();
    f(&CheckInput {
        manifests: &names,
        utterances: &rows,
        bad_lines: &case.bad,
        checked: &case.checked,
        limits: &Limits::default(),
        listened: false,
        description: &case.description,
        clips,
    })
}

#[test]
fn a_check_as_text_and_json() {
    let case = case();
    with_input(&case, &BTreeMap::new(), |input| {
        insta::assert_snapshot!("check_text", check_text(input));
        insta::assert_snapshot!("check_json", format!("{:#}", check_json(input)));
    });
}

#[test]
fn pages_hold_no_markup_of_the_data() {
    let case = case();
    let clip = AudioClip { mime: "audio/ogg".into(), bytes: vec![1, 2, 3], href: None };
    let clips = [(2, clip)].into();
    let page = with_input(&case, &clips, |input| check_html(input).expect("a page"));
    let description = DescribeInput { name: HOSTILE, description: &case.description, phonemes: None };
    let described = describe_html(&description).expect("a page");
    for html in [&page, &described] {
        assert!(!html.contains("<img") && !html.contains('\u{202e}') && !html.contains("onerror=alert(1)>"), "escaped");
        assert_eq!(html.matches("<script").count(), 1, "the page's own");
        assert!(html.contains("Content-Security-Policy"));
    }
    let of_second =
        case.checked.findings.iter().filter(|f| f.code != Code::LineInvalid && f.hits.iter().any(|h| h.item == 2));
    assert_eq!(page.matches("<audio").count(), of_second.count(), "one in the row of every finding");
    assert!(page.contains("data:audio/ogg;base64,AQID") && page.contains("text-numbers"));
    assert!(described.contains("<svg class=\"figure-wide\"") && described.contains("<svg class=\"figure-narrow\""));
}

#[test]
fn a_description_as_text_json_and_card() {
    let case = case();
    let phonemes = PhonemeCoverage {
        source: "dictionary: absent, letter-to-sound only".into(),
        counts: vec![("t".into(), 9), ("n".into(), 4)],
        absent: vec!["ʒ".into()],
        words: 12,
        unknown_words: 1,
    };
    let input = DescribeInput { name: "calls", description: &case.description, phonemes: Some(&phonemes) };
    insta::assert_snapshot!("describe_text", describe_text(&input));
    insta::assert_snapshot!("data_card", data_card(&input));
    insta::assert_snapshot!("describe_json", format!("{:#}", describe_json(&input)));
}

#[test]
fn suspects_as_text_json_and_page() {
    let heard = |id: &'static str, reference: &'static str, hypotheses: [&'static str; 2]| HeardByAll {
        id,
        speaker: None,
        session: None,
        reference,
        hypotheses: hypotheses.to_vec(),
    };
    let utterances = [
        heard(
            "c/typo",
            "press three to mute or umute all",
            ["press 3 to mute or unmute all", "Press three to mute or unmute all."],
        ),
        heard("c/good", "good morning", ["good morning", "good morning"]),
        heard("c/more", "thank you", ["thank you very much", "thank you very much"]),
    ];
    let models = ["tiny".to_owned(), "base".to_owned()];
    let found = suspects(&models, &utterances, &Normalizer::WhisperEn, Weights::Sclite, 1).expect("short");
    let input = SuspectsInput {
        suspects: &found,
        utterances: &utterances,
        normalizer: "whisper-en/1",
        runs: &["runs/a".to_owned()],
        clips: &BTreeMap::new(),
    };
    insta::assert_snapshot!("suspects_text", suspects_text(&input));
    insta::assert_snapshot!("suspects_json", format!("{:#}", suspects_json(&input)));
    let page = suspects_html(&input).expect("a page");
    assert!(page.contains("umute → unmute") && page.contains("(nothing) → very much"));
}
