//! Breakdowns of the errors: the pairs are aligned once more, with their tokens.

use rayon::prelude::*;
use vbench_core::ExitCode;
use vbench_report::score::AnalysisReport;
use vbench_report::{ConfusionMatrix, phoneme_confusion};
use vbench_score::Normalizer;
use vbench_score::analysis::{Analysis, Keywords, Rules as AnalysisRules, Utterance, WordWeights};
use vbench_score::formats::Pair;
use vbench_score::phoneme::{Dictionary, PhonemeConfusions, Pronouncer, PronunciationCache};

use super::{Rules, score_one, too_long};
use crate::cli::ScoreArguments;
use crate::failure::{Failure, note};
use crate::open::cache_folder;

/// Name in the registry of lexicons.
const DICTIONARY: &str = "cmudict";

/// Rows of every list when only the breakdowns were asked for.
const TOP: usize = 10;

/// Pairs analysed by one thread before the next takes some.
const CHUNK: usize = 2_048;

/// The breakdowns asked for, if any.
pub(super) fn analyse(
    arguments: &ScoreArguments,
    pairs: &[Pair<'_>],
    normalizer: &Normalizer,
    rules: &Rules,
) -> Result<Option<AnalysisReport>, Failure> {
    let lists = arguments.keywords.is_some() || arguments.word_weights.is_some();
    if !(arguments.analysis || arguments.confusions.is_some() || arguments.phonemes || lists) {
        return Ok(None);
    }
    let analysis_rules = AnalysisRules {
        keywords: list(arguments.keywords.as_deref(), |text| Keywords::parse(text, normalizer))?,
        weights: list(arguments.word_weights.as_deref(), |text| WordWeights::parse(text, normalizer))?,
        ..AnalysisRules::for_language(&arguments.language)
    };
    let pronouncer = arguments.phonemes.then(|| pronouncer(arguments)).transpose()?;
    let part = |chunk: &[Pair<'_>]| -> Result<(Analysis, PhonemeConfusions), Failure> {
        let mut sums = (Analysis::default(), PhonemeConfusions::default());
        let mut cache = pronouncer.as_ref().map(PronunciationCache::new);
        for pair in chunk {
            let score = score_one(pair, normalizer, rules).map_err(|e| too_long(pair, &e))?;
            let raw = pair.reference.plain();
            let utterance =
                Utterance { id: &pair.id, speaker: pair.speaker.as_deref(), raw_reference: Some(&raw), score: &score };
            sums.0.add(&analysis_rules, &utterance);
            if let Some(cache) = &mut cache {
                sums.1.add(cache, &score);
            }
        }
        Ok(sums)
    };
    let parts: Vec<_> = pairs.par_chunks(CHUNK).map(part).collect::<Result<_, _>>()?;
    let (mut analysis, mut phonemes) = (Analysis::default(), PhonemeConfusions::default());
    for (a, p) in parts {
        analysis.merge(a);
        phonemes.merge(&p);
    }
    let top = arguments.confusions.map_or(TOP, usize::from);
    let phonemes = pronouncer.map(|p| (phonemes, p.describe()));
    if let (Some(path), Some((confusions, basis))) = (&arguments.phoneme_figure, &phonemes) {
        figure(path, confusions, basis)?;
    }
    Ok(Some(AnalysisReport { analysis, top, whole: arguments.analysis, phonemes }))
}

/// The confusion matrix as a heat map; the file's ending says how.
fn figure(path: &std::path::Path, confusions: &PhonemeConfusions, basis: &str) -> Result<(), Failure> {
    let phonemes = confusions.phonemes();
    let mut counts = Vec::with_capacity((phonemes.len() + 1) * (phonemes.len() + 1));
    for reference in &phonemes {
        counts.extend(phonemes.iter().map(|hypothesis| confusions.of(*reference, *hypothesis)));
        counts.push(confusions.deleted(*reference));
    }
    counts.extend(phonemes.iter().map(|hypothesis| confusions.inserted(*hypothesis)));
    let matrix = ConfusionMatrix {
        title: "Phoneme confusions".into(),
        subtitle: basis.into(),
        labels: phonemes.iter().map(|p| p.ipa().to_owned()).collect(),
        counts,
    };
    let drawn = phoneme_confusion(&matrix).map_err(|e| Failure::new(ExitCode::Internal, e))?;
    let bytes = match path.extension().and_then(|e| e.to_str()) {
        Some("png") => drawn.png,
        Some("svg") => drawn.svg.into_bytes(),
        _ => {
            let text = format!("--phoneme-figure {}: the file must end in .png or .svg", path.display());
            return Err(Failure::new(ExitCode::Usage, text));
        }
    };
    std::fs::write(path, bytes)
        .map_err(|e| Failure::new(ExitCode::OutputNotWritten, format!("cannot write {}: {e}", path.display())))
}

fn list<T>(
    path: Option<&std::path::Path>,
    parse: impl FnOnce(&str) -> Result<T, vbench_score::ScoreError>,
) -> Result<Option<T>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let invalid = |e: &dyn std::fmt::Display| Failure::new(ExitCode::InputInvalid, format!("{}: {e}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| invalid(&e))?;
    parse(&text).map(Some).map_err(|e| invalid(&e))
}

/// English words go by the dictionary, fetched when it is missing; without it by letter-to-sound rules, which is said.
fn pronouncer(arguments: &ScoreArguments) -> Result<Pronouncer, Failure> {
    let dictionary = match arguments.language.split(['-', '_']).next() {
        Some("en") => dictionary(arguments)?,
        _ => None,
    };
    Ok(Pronouncer::for_language(&arguments.language, dictionary))
}

fn dictionary(arguments: &ScoreArguments) -> Result<Option<Dictionary>, Failure> {
    let folder = match crate::open::pull_lexicon(DICTIONARY, &cache_folder(&arguments.cache)?) {
        Ok(folder) => folder,
        Err(failure) => {
            note(format_args!("{}\nphonemes are by letter-to-sound rules alone", failure.message));
            return Ok(None);
        }
    };
    let path = folder.join("cmudict.dict");
    let invalid = |e: &dyn std::fmt::Display| Failure::new(ExitCode::Unavailable, format!("{}: {e}", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|e| invalid(&e))?;
    Dictionary::parse(DICTIONARY, &text).map(Some).map_err(|e| invalid(&e))
}
