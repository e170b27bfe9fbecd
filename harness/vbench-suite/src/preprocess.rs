//! `[preprocess]`: what is done to every recording before conditions.

use vbench_core::{Condition, Levelling, Preprocess, UNPROCESSED};

use crate::problem::Problems;
use crate::reader::TableReader;

/// `[preprocess] resample_hz = 8000, trim_db = 40, loudness_lufs = -23` (or `peak_dbfs`), and the condition that leaves it out.
pub(crate) fn read_preprocess(root: &mut TableReader, conditions: &[Condition], problems: &mut Problems) -> Preprocess {
    let Some(mut table) = root.table(problems, "preprocess") else {
        if !root.has("preprocess") && conditions.iter().any(Condition::is_unprocessed) {
            let text = format!(
                "`{UNPROCESSED}` leaves out what `[preprocess]` declares, and this suite has none; `clean` is the recording as it is"
            );
            root.problem(problems, "conditions", text);
        }
        return Preprocess::default();
    };
    let before = problems.list.len();
    let mut number = |key: &'static str, lo: f64, hi: f64, unit: &str, whole: bool| {
        let value = table.number(problems, key)?;
        let fits = (lo..=hi).contains(&value) && (!whole || value.fract() == 0.0);
        if !fits {
            let whole = if whole { "a whole number of " } else { "" };
            table.problem(problems, key, format!("expected {whole}{lo} to {hi} {unit}, found {value}"));
        }
        fits.then_some(value)
    };
    let resample_hz = number("resample_hz", 4000.0, 16_000.0, "Hz", true).map(|hz| hz as u32);
    let trim_db = number("trim_db", 10.0, 80.0, "dB below the loudest frame", false);
    let peak = number("peak_dbfs", -60.0, 0.0, "dBFS", false).map(Levelling::PeakDbfs);
    let loudness = number("loudness_lufs", -60.0, 0.0, "LUFS", false).map(Levelling::LoudnessLufs);
    if peak.is_some() && loudness.is_some() {
        table.problem(problems, "peak_dbfs", "give either `peak_dbfs` or `loudness_lufs`");
    }
    table.finish(problems);
    let preprocess = Preprocess { resample_hz, trim_db, level: peak.or(loudness) };
    if preprocess.is_none() && problems.list.len() == before {
        let text = "declares nothing: give at least one of resample_hz, trim_db, peak_dbfs, loudness_lufs";
        root.problem(problems, "preprocess", text);
    }
    preprocess
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use toml_edit::Document;

    use super::*;

    fn read(text: &str) -> (Preprocess, String) {
        let document = Document::parse(text).expect("TOML");
        let mut problems = Problems::new(Path::new("s.toml"), text);
        let mut root = TableReader::new(document.as_table(), "", None);
        let conditions = crate::conditions::read_conditions(&mut root, &mut problems);
        let preprocess = read_preprocess(&mut root, &conditions, &mut problems);
        (preprocess, problems.list.iter().map(|p| format!("{p}\n")).collect())
    }

    #[test]
    fn steps_are_read_in_their_order() {
        let (all, problems) = read(
            "conditions = [\"clean\", \"unprocessed\"]\n[preprocess]\nloudness_lufs = -23\ntrim_db = 40\nresample_hz = 8000\n",
        );
        assert_eq!(
            (problems.as_str(), all.recipe().as_str()),
            ("", "resample(hz=8000) | trim(db=40) | loudness(lufs=-23)")
        );
        let (peak, problems) = read("[preprocess]\npeak_dbfs = -1.5\n");
        assert_eq!((problems.as_str(), peak.recipe().as_str()), ("", "peak(dbfs=-1.5)"));
        assert_eq!(read("seed = 1\n"), (Preprocess::default(), String::new()));
        assert_eq!(Preprocess::default().recipe(), "none");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, expected) in [
            (
                "[preprocess]\nresample_hz = 2000\n",
                "s.toml:2: preprocess.resample_hz: expected a whole number of 4000 to 16000 Hz, found 2000",
            ),
            (
                "[preprocess]\nresample_hz = 8000.5\n",
                "s.toml:2: preprocess.resample_hz: expected a whole number of 4000 to 16000 Hz",
            ),
            ("[preprocess]\ntrim_db = nan\n", "s.toml:2: preprocess.trim_db: expected a finite number"),
            (
                "[preprocess]\ntrim_db = -40\n",
                "preprocess.trim_db: expected 10 to 80 dB below the loudest frame, found -40",
            ),
            ("[preprocess]\npeak_dbfs = 1\n", "preprocess.peak_dbfs: expected -60 to 0 dBFS, found 1"),
            (
                "[preprocess]\nloudness_lufs = \"-23\"\n",
                "preprocess.loudness_lufs: expected a finite number, found string",
            ),
            ("[preprocess]\n\npeak_dbfs = -1\nloudness_lufs = -23\n", "s.toml:3: preprocess.peak_dbfs: give either"),
            (
                "[preprocess]\nloudness = -23\n",
                "s.toml:2: preprocess.loudness: unknown key; did you mean `loudness_lufs`?",
            ),
            ("\n[preprocess]\n", "s.toml:2: preprocess: declares nothing"),
            ("preprocess = 3\nconditions = [\"unprocessed\"]\n", "s.toml:1: preprocess: expected a table"),
            (
                "seed = 1\nconditions = [\"clean\", \"unprocessed\"]\n",
                "s.toml:2: conditions: `unprocessed` leaves out what `[preprocess]` declares",
            ),
            (
                "conditions = [\"unprocessed\"]\n[[condition]]\nname = \"unprocessed\"\nrecipe = \"clean\"\n[preprocess]\npeak_dbfs = -1\n",
                "`unprocessed` is a built-in condition with another recipe",
            ),
        ] {
            let (_, problems) = read(text);
            assert!(problems.contains(expected), "{text}\n{problems}");
            assert_eq!(problems.lines().count(), 1, "one problem: {text}\n{problems}");
        }
    }
}
