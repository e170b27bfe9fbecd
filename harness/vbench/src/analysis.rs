//! What the analysis of a run is made of: scored cells with their texts, timings and a dictionary; pictures of sounds.

use vbench_compare::analysis::{AnalysedCell, AnalysisRules, Rate, StageTime, phoneme_language};
use vbench_compare::{Analysis, ScoredCell, Summary, analyse as analysed};
use vbench_fetch::{Cache, Registry};
use vbench_report::{SoundPicture, WAVE_COLUMNS};
use vbench_score::phoneme::{Dictionary, Pronouncer};
use vbench_store::RunRecord;

use crate::render::condition_sentences;
use crate::score::{Rules, Scored};

/// Columns and bands of a spectrogram: twice a phone's pixels are of no use.
const SPECTROGRAM: (usize, usize) = (320, 64);

/// Name of the pronouncing dictionary in the registry of lexicons.
const DICTIONARY: &str = "cmudict";

/// Where the errors and the time of a run come from.
#[must_use]
pub fn analyse(record: &RunRecord, rules: &Rules, scored: &Scored, summary: &Summary) -> Analysis {
    let cells: Vec<AnalysedCell<'_>> =
        scored.scored.iter().zip(&scored.row_index).map(|(cell, row)| analysed_cell(record, cell, *row)).collect();
    let conditions: Vec<String> = condition_sentences(&record.record).into_iter().map(|(name, _)| name).collect();
    analyse_cells(&cells, &scored.scored, &conditions, rules, summary)
}

/// The same for cells of whatever run.
#[must_use]
pub fn analyse_cells(
    cells: &[AnalysedCell<'_>],
    scored: &[ScoredCell],
    conditions: &[String],
    rules: &Rules,
    summary: &Summary,
) -> Analysis {
    let language = phoneme_language(scored);
    let pronouncer = language.as_ref().ok().map(|language| {
        let dictionary = if *language == "en" { dictionary() } else { None };
        Pronouncer::for_language(language, dictionary)
    });
    let rules = AnalysisRules {
        seed: summary.seed,
        rate: Rate::of_primary(&summary.primary),
        conditions,
        normalizer: &rules.normalizer,
        weights: rules.weights,
        pronouncer: match (&language, &pronouncer) {
            (Ok(language), Some(pronouncer)) => Ok((language, pronouncer)),
            (Err(reason), _) => Err(reason),
            (Ok(_), None) => Err("there is no pronouncer"),
        },
    };
    analysed(cells, &rules)
}

fn analysed_cell<'a>(record: &'a RunRecord, cell: &'a ScoredCell, row: usize) -> AnalysedCell<'a> {
    let row = &record.rows[row];
    AnalysedCell {
        cell,
        reference: &row.reference,
        hypothesis: row.hyp.as_deref().unwrap_or_default(),
        stages: stages_of(record, &cell.cell),
    }
}

/// The stages of a cell, where it was timed.
pub fn stages_of<'a>(record: &'a RunRecord, cell: &str) -> Vec<StageTime<'a>> {
    let stages = record.timings.get(cell).map(|t| t.stages.as_slice()).unwrap_or_default();
    let stage =
        |s: &'a vbench_store::timing::StageLine| StageTime { name: &s.name, owner: &s.owner, t0: s.t0, t1: s.t1 };
    stages.iter().map(stage).collect()
}

/// The dictionary, where it is in the cache: a report fetches nothing. Without it words go by letter-to-sound rules, and
/// the figure says so.
pub fn dictionary() -> Option<Dictionary> {
    let root = vbench_fetch::cache::root_from(&|name| std::env::var_os(name))?;
    // Opening a cache would make its folder.
    if !root.is_dir() {
        return None;
    }
    let cache = Cache::open(Some(root)).ok()?;
    let registry = Registry::embedded().ok()?;
    let status = vbench_fetch::model::lexicon_status(registry.lexicon(DICTIONARY).ok()?, &cache).ok()?;
    if !status.is_verified() {
        return None;
    }
    let text = std::fs::read_to_string(cache.lexicon_dir(DICTIONARY).join("cmudict.dict")).ok()?;
    Dictionary::parse(DICTIONARY, &text).ok()
}

/// Waveform and spectrogram of samples at the rate of vbench.
#[must_use]
pub fn picture(samples: &[f32]) -> SoundPicture {
    let columns = samples.len().min(WAVE_COLUMNS);
    let peaks = (0..columns)
        .map(|i| {
            let part = &samples[i * samples.len() / columns..(i + 1) * samples.len() / columns];
            part.iter().fold((0.0f32, 0.0f32), |(lo, hi), v| (lo.min(*v), hi.max(*v)))
        })
        .collect();
    let spectrogram = vbench_dsp::spectrogram(samples, vbench_audio::RATE_HZ, SPECTROGRAM.0, SPECTROGRAM.1);
    SoundPicture { seconds: spectrogram.seconds, peaks, spectrogram }
}
