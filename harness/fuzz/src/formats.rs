//! What must hold for any bytes as a file of transcripts. The tests of `vbench-score` run the same over changed seeds.

use vbench_score::formats::{
    Columns, Format, FormatError, MAX_PROBLEMS, MissingPolicy, Paired, Reference, Side, Source, load, load_pairs, read,
};
use vbench_score::{CharUnit, Normalizer, Weights, score_lattice};

/// An error names its place; a result counts what it left out and can be scored.
fn check(result: Result<Paired<'_>, FormatError>) {
    let paired = match result {
        Ok(paired) => paired,
        Err(e) => {
            assert!(!e.problems.is_empty() && e.total >= e.problems.len() as u64);
            assert!(e.problems.len() <= 2 * MAX_PROBLEMS);
            assert!(!e.to_string().is_empty());
            return;
        }
    };
    assert!(paired.missing.first.len() as u64 <= paired.missing.count);
    assert!(paired.extra.first.len() as u64 <= paired.extra.count);
    for pair in paired.pairs.iter().take(50) {
        assert!(!pair.id.is_empty() && pair.line > 0);
        let Reference::Lattice(lattice) = &pair.reference else { continue };
        let normalizer = Normalizer::None;
        let score = score_lattice(lattice, &pair.hypothesis, &normalizer, Weights::Sclite, CharUnit::Grapheme);
        let Ok(score) = score else { continue };
        assert!(score.words_min_errors <= score.words.errors());
        assert!(score.words.hypothesis() >= score.hypothesis_tokens.len() as u64);
    }
}

/// The bytes before and behind the first form feed, as two files.
fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|b| *b == b'\x0c') {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, b""),
    }
}

fn two_files(bytes: &[u8], reference: Format, hypothesis: Format) {
    let (first, second) = halves(bytes);
    let reference = Source { file: "ref", bytes: first, format: reference };
    let hypothesis = Source { file: "hyp", bytes: second, format: hypothesis };
    for policy in MissingPolicy::ALL {
        check(load(&reference, &hypothesis, &Columns::default(), policy));
    }
}

/// Any bytes as a file of pairs in every format that has them, as two text files, as Kaldi text and as SegLST.
pub fn pairs(bytes: &[u8]) {
    for format in Format::ALL {
        for policy in MissingPolicy::ALL {
            check(load_pairs(&Source { file: "pairs", bytes, format }, &Columns::default(), policy));
        }
    }
    for format in [Format::Text, Format::Kaldi, Format::Jsonl, Format::Csv, Format::Tsv, Format::Seglst] {
        two_files(bytes, format, format);
    }
}

/// Any bytes as a reference `stm`, and as a hypothesis.
pub fn stm(bytes: &[u8]) {
    two_files(bytes, Format::Stm, Format::Stm);
    let source = Source { file: "x.stm", bytes, format: Format::Stm };
    if let Ok(segments) = read(&source, Side::Reference, &Columns::default()) {
        assert!(segments.list.iter().all(|s| s.start_s <= s.end_s));
    }
}

/// Any bytes as an `stm` and a `ctm`, parted by a form feed.
pub fn ctm(bytes: &[u8]) {
    two_files(bytes, Format::Stm, Format::Ctm);
    two_files(bytes, Format::Ctm, Format::Ctm);
}

/// Any bytes as two `trn`.
pub fn trn(bytes: &[u8]) {
    two_files(bytes, Format::Trn, Format::Trn);
}
