//! `vbench data describe`: what a corpus holds.

use std::collections::BTreeMap;

use vbench_core::{ExitCode, Utterance};
use vbench_corpus::describe::describe as of_utterances;
use vbench_report::corpus::{DescribeInput, PhonemeCoverage, data_card, describe_html, describe_json, describe_text};
use vbench_score::phoneme::{Phoneme, Pronouncer};

use super::{Corpora, listen, write_whole};
use crate::cli::DescribeArguments;
use crate::failure::{Failure, say};

/// `vbench data describe MANIFEST… | SUITE`.
pub fn describe(arguments: &DescribeArguments) -> Result<ExitCode, Failure> {
    let corpora = Corpora::read(&arguments.manifests, &arguments.cache)?;
    for out in arguments.html.iter().chain(&arguments.card) {
        corpora.spare(out)?;
    }
    let heard = (!arguments.no_audio).then(|| listen(&corpora.utterances));
    let all: Vec<&Utterance> = corpora.utterances.iter().collect();
    let description = of_utterances(&all, heard.as_deref());
    let phonemes = phonemes(&all);
    let name = arguments.name.clone().unwrap_or_else(|| corpora.names.join(", "));
    let input = DescribeInput { name: &name, description: &description, phonemes: phonemes.as_ref() };
    if arguments.json {
        say(format_args!("{:#}", describe_json(&input)));
    } else {
        say(describe_text(&input));
    }
    if let Some(path) = &arguments.html {
        let html = describe_html(&input).map_err(|e| Failure::new(ExitCode::Internal, e))?;
        write_whole(path, &html)?;
    }
    if let Some(path) = &arguments.card {
        write_whole(path, &data_card(&input))?;
    }
    Ok(ExitCode::Passed)
}

/// Phonemes of the words in the language that most utterances have; `None` where it has no pronunciations here.
fn phonemes(utterances: &[&Utterance]) -> Option<PhonemeCoverage> {
    let mut languages: BTreeMap<&str, usize> = BTreeMap::new();
    for u in utterances {
        *languages.entry(u.language.as_deref().unwrap_or("")).or_default() += 1;
    }
    let language = languages.iter().max_by_key(|(_, n)| **n).map(|(l, _)| *l).filter(|l| !l.is_empty())?;
    let english = language.to_ascii_lowercase().starts_with("en");
    let dictionary = if english { crate::analysis::dictionary() } else { None };
    let pronouncer = Pronouncer::for_language(if english { "en" } else { language }, dictionary);
    let mut words: BTreeMap<String, u64> = BTreeMap::new();
    for u in utterances.iter().filter(|u| u.language.as_deref() == Some(language)) {
        for word in u.text.split_whitespace() {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
            if !word.is_empty() {
                *words.entry(word).or_default() += 1;
            }
        }
    }
    let mut coverage = PhonemeCoverage { source: pronouncer.describe(), ..PhonemeCoverage::default() };
    let mut counts: BTreeMap<Phoneme, u64> = BTreeMap::new();
    for (word, n) in &words {
        match pronouncer.pronounce(word) {
            Some(said) => {
                coverage.words += n;
                said.phonemes.iter().for_each(|p| *counts.entry(*p).or_default() += n);
            }
            None => coverage.unknown_words += n,
        }
    }
    if counts.is_empty() {
        return None;
    }
    // The inventory is that of all languages: absent is what English, by its ARPAbet names, has and the words have not.
    if english {
        let english = Phoneme::all().filter(|p| p.entry().arpabet.is_some());
        coverage.absent = english.filter(|p| !counts.contains_key(p)).map(|p| p.ipa().to_owned()).collect();
    }
    coverage.counts = counts.into_iter().map(|(p, n)| (p.ipa().to_owned(), n)).collect();
    coverage.counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Some(coverage)
}
