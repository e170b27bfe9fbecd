//! What must hold for any bytes as a corpus. The tests of `vbench-corpus` run the same over changed seeds.

use std::collections::{BTreeMap, HashMap};
use std::io::Cursor;
use std::path::Path;

use vbench_corpus::check::{Limits, check_text};
use vbench_corpus::table::Dialect;
use vbench_corpus::{
    Columns, MAX_PROBLEMS, Parsed, Source, coraal, kaldi, lhotse, librispeech, parquet, stm, tabular, tiers,
};

fn read(name: &str, bytes: &[u8], parse: impl FnOnce(&Source<'_>, &mut Parsed)) {
    let mut parsed = Parsed::default();
    parse(&Source::new(Path::new(name), bytes), &mut parsed);
    check(&parsed);
}

/// Problems name their place; times are those of a manifest.
fn check(parsed: &Parsed) {
    let problems = &parsed.problems;
    assert!(problems.list.len() <= MAX_PROBLEMS && problems.list.len() as u64 <= problems.total);
    assert_eq!(problems.is_empty(), problems.list.is_empty());
    assert!(!problems.to_string().is_empty());
    for entry in &parsed.entries {
        assert!(entry.start_s.is_none_or(|s| s.is_finite() && s >= 0.0), "{entry:?}");
        assert!(entry.duration_s.is_none_or(|s| s.is_finite() && s >= 0.0), "{entry:?}");
        assert!(entry.tags.values().all(|v| !v.trim().is_empty()), "{entry:?}");
    }
}

/// The bytes between form feeds, as several files.
fn parts<const N: usize>(bytes: &[u8]) -> [&[u8]; N] {
    let mut parts = bytes.split(|b| *b == b'\x0c');
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// A table of speakers and a file of transcripts.
pub fn librispeech(bytes: &[u8]) {
    let [speakers, transcripts] = parts(bytes);
    let sexes: BTreeMap<String, String> = librispeech::parse_speakers(&String::from_utf8_lossy(speakers));
    read("1-2.trans.txt", transcripts, |source, parsed| librispeech::parse(source, &sexes, parsed));
}

/// `wav.scp`, `text`, `segments`, `utt2spk`, `spk2gender`, `utt2lang`; with and without the last four.
pub fn kaldi(bytes: &[u8]) {
    let all: [&[u8]; 6] = parts(bytes);
    let source = |i: usize| Source::new(Path::new(kaldi::FILES[i]), all[i]);
    let (wav_scp, text) = (source(0), source(1));
    for more in [false, true] {
        let optional = |i| more.then(|| source(i));
        let (segments, utt2spk, spk2gender, utt2lang) = (optional(2), optional(3), optional(4), optional(5));
        let (wav_scp, text) = (wav_scp.clone(), text.clone());
        let mut parsed = Parsed::default();
        kaldi::parse(&kaldi::DataFolder { wav_scp, text, segments, utt2spk, spk2gender, utt2lang }, &mut parsed);
        check(&parsed);
    }
}

/// Cuts; recordings and supervisions.
pub fn lhotse(bytes: &[u8]) {
    read("cuts.jsonl", bytes, lhotse::parse_cuts);
    let [recordings, supervisions] = parts(bytes);
    let mut parsed = Parsed::default();
    let recordings: HashMap<_, _> =
        lhotse::parse_recordings(&Source::new(Path::new("recordings.jsonl"), recordings), &mut parsed);
    lhotse::parse_supervisions(&Source::new(Path::new("s.jsonl"), supervisions), &recordings, &mut parsed);
    check(&parsed);
}

/// NeMo's manifests, and the metadata of audio folders.
pub fn json_lines(bytes: &[u8]) {
    read("m.jsonl", bytes, |source, parsed| tabular::parse_json_lines(source, &Columns::default(), parsed));
}

/// CSV, TSV and Common Voice.
pub fn tables(bytes: &[u8]) {
    let mut named = Columns::default();
    named.name("text", "sentence");
    for columns in [Columns::default(), named] {
        for dialect in [Dialect::Csv, Dialect::Tsv] {
            read("t.csv", bytes, |source, parsed| tabular::parse_table(source, dialect, &columns, parsed));
        }
    }
    read("test.tsv", bytes, tabular::parse_common_voice);
}

/// A table of speakers and a transcript.
pub fn coraal(bytes: &[u8]) {
    let [metadata, transcript] = parts(bytes);
    let mut speakers = coraal::Speakers::new();
    read("x_metadata_1.txt", metadata, |source, parsed| coraal::parse_metadata(source, &mut speakers, parsed));
    for drop in [false, true] {
        read("DCB_se1_ag1_f_01_1.txt", transcript, |source, parsed| coraal::parse(source, &speakers, drop, parsed));
    }
}

/// sclite's `stm`.
pub fn stm(bytes: &[u8]) {
    read("x.stm", bytes, stm::parse);
}

/// Praat's TextGrid.
pub fn textgrid(bytes: &[u8]) {
    for tiers in [vec![], vec!["Ann".to_owned(), "Bob".to_owned()]] {
        read("x.TextGrid", bytes, |source, parsed| tiers::parse_textgrid(source, &tiers, parsed));
    }
}

/// ELAN's EAF.
pub fn elan(bytes: &[u8]) {
    for tiers in [vec![], vec!["t".to_owned()]] {
        read("x.eaf", bytes, |source, parsed| tiers::parse_elan(source, &tiers, parsed));
    }
}

/// Parquet, with a place for stored recordings and without.
pub fn parquet(bytes: &[u8]) {
    let len = bytes.len() as u64;
    read("x.parquet", b"", |source, parsed| {
        parquet::parse(source, &mut Cursor::new(bytes), len, &Columns::default(), None, parsed);
    });
    let mut written = 0u64;
    let mut extract = |row: u64, _: &str, bytes: &[u8]| {
        written += bytes.len() as u64;
        Ok(format!("{row}.wav"))
    };
    read("x.parquet", b"", |source, parsed| {
        parquet::parse(source, &mut Cursor::new(bytes), len, &Columns::default(), Some(&mut extract), parsed);
    });
    assert!(written <= len * 20 + (64 << 20), "{written} bytes out of {len}");
}

/// A language and a text: every finding has a short piece of the text.
pub fn checked_text(bytes: &[u8]) {
    let [language, text] = parts(bytes);
    let (language, text) = (String::from_utf8_lossy(language), String::from_utf8_lossy(text));
    for found in check_text(&text, Some(&language), &Limits::default()) {
        assert!(found.detail.chars().count() <= 90 && found.badness.is_finite(), "{found:?}");
    }
}
