//! The audio of cells, made again for players and exports: degradations are deterministic, so nothing is stored.

use std::sync::Arc;

use rayon::prelude::*;
use vbench_core::Cell;
use vbench_report::{AudioClip, SoundPicture, WorstCell};
use vbench_run::{AudioPreparer, Prepare};
use vbench_store::Row;
use vbench_suite::Suite;

use crate::analysis;
use crate::cli::{AudioPlace, RenderArguments, ReportFormat};

/// Makes the audio of a suite's cells again.
pub struct Audio<'a> {
    suite: &'a Suite,
    preparer: AudioPreparer<'a>,
}

impl<'a> Audio<'a> {
    /// Audio of a suite's cells.
    #[must_use]
    pub fn of_suite(suite: &'a Suite) -> Self {
        let corpora = suite.corpora.iter().map(|c| (c.name.as_str(), c.all.as_slice()));
        let preparer = AudioPreparer::new(&suite.utterances, &suite.conditions, corpora, suite.seed)
            .with_preprocess(suite.preprocess);
        Self { suite, preparer }
    }

    /// Needed before clips are made from tasks of the thread pool.
    pub fn prepare_pool(&self) {
        self.preparer.measure_spectra();
    }

    /// What the model heard: 16 kHz samples with the hash of the row's receipt.
    ///
    /// # Errors
    ///
    /// In words: why it cannot be made.
    pub fn heard(&self, row: &Row) -> Result<Arc<Vec<f32>>, String> {
        let stored = row.receipt.as_ref().ok_or("the cell has no receipt")?;
        let utterance = self.utterance(row)?;
        let condition = self.suite.conditions.iter().position(|c| c.name == row.condition);
        let condition = condition.ok_or("the suite has this condition no more")?;
        let cell = Cell { key: row.cell.clone(), utterance, condition, model: 0 };
        let prepared = self.preparer.prepare(&cell).map_err(|outcome| outcome.reason_text().to_owned())?;
        if prepared.receipt.output_sha256 != stored.output_sha256 {
            return Err("recording or recipe have changed since: this is not what the model heard".into());
        }
        Ok(prepared.samples)
    }

    /// The recording as it is, at 16 kHz: without the suite's preprocessing.
    ///
    /// # Errors
    ///
    /// In words: why it cannot be read.
    pub fn clean(&self, row: &Row) -> Result<Vec<f32>, String> {
        let utterance = &self.suite.utterances[self.utterance(row)?];
        vbench_run::prepare::read_utterance(utterance, &vbench_run::FileHashes::default()).map_err(|reason| reason.text)
    }

    fn utterance(&self, row: &Row) -> Result<usize, String> {
        let found = self.suite.utterances.iter().position(|u| u.corpus == row.corpus && u.id == row.utt);
        found.ok_or_else(|| "the suite has this utterance no more".to_owned())
    }

    /// What the model heard as Opus, with its picture.
    ///
    /// # Errors
    ///
    /// In words: why it cannot be made.
    pub fn clip(&self, row: &Row) -> Result<(AudioClip, SoundPicture), String> {
        let samples = self.heard(row)?;
        let bytes = vbench_audio::encode_ogg_opus(&samples).map_err(|e| e.to_string())?;
        Ok((AudioClip { mime: "audio/ogg; codecs=opus".into(), bytes, href: None }, analysis::picture(&samples)))
    }
}

/// Puts clips into the hardest cells, as the options say; a cell without one says why. Returns pictures of what the model
/// heard in each cell, where it can be made again.
pub fn attach(
    cells: &mut [(&Row, WorstCell)],
    audio: Option<&Audio<'_>>,
    options: &RenderArguments,
) -> Vec<Option<SoundPicture>> {
    let wanted = options.audio != AudioPlace::None && options.wants(ReportFormat::Html);
    let Some(audio) = audio.filter(|_| wanted) else {
        let why = if wanted {
            "No audio: the suite or its recordings are not to be had where this report was made."
        } else {
            "No audio: the report was made without."
        };
        cells.iter_mut().for_each(|(_, cell)| cell.audio_note = Some(why.into()));
        return vec![None; cells.len()];
    };
    audio.prepare_pool();
    // Making a clip again and encoding it costs tens of milliseconds: all at once.
    let attach = |(row, cell): &mut (&Row, WorstCell)| match audio.clip(row) {
        Ok((clip, picture)) => {
            cell.audio = Some(clip);
            Some(picture)
        }
        Err(why) => {
            cell.audio_note = Some(format!("No audio: {why}."));
            None
        }
    };
    let pictures = cells.par_iter_mut().map(attach).collect();
    match options.audio {
        AudioPlace::Folder => {
            for (i, (_, cell)) in cells.iter_mut().enumerate() {
                if let Some(clip) = &mut cell.audio {
                    clip.href = Some(format!("audio/{:03}.opus", i + 1));
                }
            }
        }
        AudioPlace::Embed | AudioPlace::None => {
            keep_within(cells.iter_mut().map(|c| &mut c.1), options.audio_budget_mib);
        }
    }
    pictures
}

/// Keeps clips, the hardest first, until the budget is spent.
fn keep_within<'a>(cells: impl Iterator<Item = &'a mut WorstCell>, budget_mib: u32) {
    let mut left = u64::from(budget_mib) << 20;
    for cell in cells {
        let Some(clip) = &cell.audio else { continue };
        // What Base64 makes of it.
        let size = clip.bytes.len().div_ceil(3) as u64 * 4;
        if size <= left {
            left -= size;
        } else {
            // Nothing behind it either: the reader should not have to guess which clips are there.
            left = 0;
            cell.audio = None;
            cell.audio_note = Some(format!(
                "No audio: the budget of {budget_mib} MiB is spent on harder utterances (--audio-budget-mib, --audio folder)."
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(bytes: usize) -> WorstCell {
        WorstCell {
            cell: String::new(),
            speaker: String::new(),
            condition: String::new(),
            model: String::new(),
            errors: 1,
            reference_words: 1,
            reference: String::new(),
            hypothesis: String::new(),
            alignment: Vec::new(),
            audio: Some(AudioClip { mime: "audio/ogg".into(), bytes: vec![0; bytes], href: None }),
            audio_note: None,
            receipt: Vec::new(),
        }
    }

    #[test]
    fn the_budget_is_spent_on_the_hardest_first_and_the_rest_says_so() {
        // 1 MiB holds 786,432 bytes as Base64.
        for (sizes, kept) in [
            (vec![786_432, 1], vec![true, false]),
            (vec![786_433], vec![false]),
            (vec![300_000, 300_000, 300_000, 10], vec![true, true, false, false]),
            (vec![0], vec![true]),
        ] {
            let mut cells: Vec<WorstCell> = sizes.iter().map(|n| cell(*n)).collect();
            keep_within(cells.iter_mut(), 1);
            let found: Vec<bool> = cells.iter().map(|c| c.audio.is_some()).collect();
            assert_eq!(found, kept, "{sizes:?}");
            for c in &cells {
                assert_eq!(c.audio.is_none(), c.audio_note.as_ref().is_some_and(|n| n.contains("budget of 1 MiB")));
            }
        }
    }
}
