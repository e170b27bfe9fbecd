//! The suites that ship.

mod common;

use std::path::PathBuf;

use vbench_suite::{LoadContext, load};

fn shipped() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(common::root().join("suites"))
        .expect("suites/")
        .map(|e| e.expect("an entry").path())
        .filter(|p| {
            p.extension().is_some_and(|x| x == "toml")
                && !["corpora.toml", "lexicons.toml"].iter().any(|r| p.ends_with(r))
        })
        .collect();
    paths.sort();
    paths
}

#[test]
fn every_shipped_suite_is_in_all_or_says_why_not() {
    let all = load(&common::root().join("suites/all.toml"), &LoadContext::default()).expect("all.toml loads");
    let included: Vec<_> = all.files.iter().filter_map(|(p, _)| p.canonicalize().ok()).collect();
    assert!(shipped().len() >= 5);
    for path in shipped() {
        let suite = load(&path, &LoadContext::default()).unwrap_or_else(|e| panic!("{e}"));
        let name = path.display();
        if included.contains(&path.canonicalize().expect("exists")) {
            assert_eq!(suite.not_in_all, None, "{name} is included and says it is not");
        } else {
            assert!(suite.not_in_all.is_some(), "{name} is neither included in all.toml nor says why");
        }
    }
}

#[test]
fn the_default_suite_is_72_utterances_by_12_voices_or_more_through_8_conditions() {
    let all = load(&common::root().join("suites/all.toml"), &LoadContext::default()).expect("loads");
    assert_eq!(all.utterances.len(), 72);
    let distinct = |of: &dyn Fn(&vbench_core::Utterance) -> Option<String>| {
        all.utterances.iter().filter_map(of).collect::<std::collections::BTreeSet<_>>().len()
    };
    assert!(distinct(&|u| u.speaker.clone()) >= 12);
    assert!(distinct(&|u| u.tags.get("accent").cloned()) >= 3);
    let names: Vec<&str> = all.conditions.iter().map(|c| c.name.as_str()).collect();
    let expected = ["clean", "noise-20db", "noise-15db", "noise-10db", "noise-5db", "reverb", "mp3-64k", "opus-16k"];
    assert_eq!(names, expected);
    let cells = vbench_suite::expand(&all, &vbench_suite::Selection::default()).expect("expands");
    assert_eq!(cells.len(), 576);
}

#[test]
fn the_telugu_corpus_is_telugu() {
    let suite = load(&common::root().join("suites/telugu.toml"), &LoadContext::default()).expect("loads");
    assert!(suite.utterances.len() >= 16);
    assert_eq!(suite.metrics.first().map(|m| m.name()), Some("cer"));
    for u in &suite.utterances {
        assert!(u.text.chars().any(|c| ('\u{c00}'..='\u{c7f}').contains(&c)), "{}: {}", u.id, u.text);
    }
}
