//! The installed `sctk sclite` on random files: the same path through alternates, the same operations, the same words of a
//! `ctm` in the same segments.
//!
//! Without the tool the tests say `skipped: needs …`, which `cargo xtask test` counts and refuses under CI=true.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a broken fixture stops the test")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use rand::Rng;
use vbench_core::keyed::keyed_rng;
use vbench_score::formats::{Columns, Format, MissingPolicy, Pair, Paired, Reference, Source, load};
use vbench_score::tokens::{intern, words};
use vbench_score::{AlignOp, Weights, align};

/// Notes a skipped test where `cargo xtask test` counts it.
fn skipped(test: &str) {
    let line = format!("skipped: needs sctk sclite ({test})");
    eprintln!("{line}");
    if let Some(log) = std::env::var_os("VBENCH_SKIP_LOG") {
        use std::io::Write as _;
        let file = std::fs::OpenOptions::new().append(true).create(true).open(log);
        file.and_then(|mut f| writeln!(f, "{line}")).expect("the skip log can be written");
    }
}

/// Runs sclite in a folder and returns its alignments in SGML; `None` where it is not installed.
fn sclite(folder: &Path, arguments: &[&str]) -> Option<String> {
    let fixed = ["sclite", "-s", "-D", "-o", "sgml", "-O", ".", "-n", "out"];
    let output = Command::new("sctk").current_dir(folder).args(fixed).args(arguments).stdin(Stdio::null()).output();
    let output = output.ok()?;
    let written = std::fs::read_to_string(folder.join("out.sgml"));
    Some(written.unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr))))
}

/// Speaker and, of every utterance, its attributes and the operations as `C,"ref","hyp":…`.
fn paths(sgml: &str) -> Vec<(String, String, String)> {
    let mut out = Vec::new();
    let mut speaker = String::new();
    let mut lines = sgml.lines();
    while let Some(line) = lines.next() {
        if let Some(rest) = line.strip_prefix("<SPEAKER id=\"") {
            speaker = rest.trim_end_matches("\">").to_owned();
        } else if line.starts_with("<PATH") {
            let operations = lines.next().filter(|l| *l != "</PATH>").unwrap_or_default();
            out.push((speaker.clone(), line.to_owned(), operations.to_owned()));
        }
    }
    out
}

fn attribute<'a>(path: &'a str, name: &str) -> &'a str {
    path.split_once(&format!(" {name}=\"")).and_then(|(_, rest)| rest.split_once('"')).map_or("", |(value, _)| value)
}

/// sclite's operations without optional words left out, and how many of those there are.
fn theirs(operations: &str) -> (Vec<String>, u64) {
    let mut forgiven = 0;
    let mut out = Vec::new();
    for operation in operations.split(':').filter(|o| !o.is_empty()) {
        let fields: Vec<&str> = operation.split(',').take(3).map(|f| f.trim_matches('"')).collect();
        if fields[0] == "C" && fields[2].is_empty() {
            forgiven += 1;
            continue;
        }
        let reference = fields[1].strip_prefix('(').and_then(|w| w.strip_suffix(')')).unwrap_or(fields[1]);
        out.push(format!("{} {reference} {}", fields[0], fields[2]));
    }
    (out, forgiven)
}

/// The same of a pair of ours.
fn ours(pair: &Pair<'_>) -> (Vec<String>, u64) {
    let hypothesis: Vec<&str> = words(&pair.hypothesis).collect();
    let (reference, ops, forgiven) = match &pair.reference {
        Reference::Lattice(lattice) => {
            let found = lattice.align(&pair.hypothesis, Weights::Sclite).unwrap();
            assert_eq!(found.counts.reference(), found.reference.len() as u64 + found.forgiven);
            (found.reference, found.ops, found.forgiven)
        }
        Reference::Plain(text) => {
            let ids = intern(words(text), words(&pair.hypothesis));
            let found = align(&ids.reference, &ids.hypothesis, Weights::Sclite).unwrap();
            (words(text).map(str::to_owned).collect(), found.ops, 0)
        }
    };
    let (r, h) = (|i: u32| reference[i as usize].as_str(), |i: u32| hypothesis[i as usize]);
    let ops = ops.iter().map(|op| match *op {
        AlignOp::Hit { reference, hypothesis } => format!("C {} {}", r(reference), h(hypothesis)),
        AlignOp::Sub { reference, hypothesis } => format!("S {} {}", r(reference), h(hypothesis)),
        AlignOp::Del { reference } => format!("D {} ", r(reference)),
        AlignOp::Ins { hypothesis } => format!("I  {}", h(hypothesis)),
    });
    (ops.collect(), forgiven)
}

/// Random words with alternates and optional words; few kinds, so that ties abound.
struct Author<R> {
    rng: R,
    kinds: u32,
}

fn author(case: u32) -> Author<impl Rng> {
    let mut author = Author { rng: keyed_rng(7, "sclite", &case.to_string(), ""), kinds: 1 };
    author.kinds = [2, 3, 5, 12][author.below(4) as usize];
    author
}

impl<R: Rng> Author<R> {
    fn below(&mut self, n: u32) -> u32 {
        self.rng.next_u32() % n
    }

    fn word(&mut self) -> String {
        format!("w{}", self.below(self.kinds))
    }

    /// Between `least` and 7 words or groups.
    fn text(&mut self, least: u32, depth: u32) -> String {
        let n = least + self.below(8 - least);
        let parts: Vec<String> = (0..n).map(|_| self.part(depth)).collect();
        parts.join(" ")
    }

    fn part(&mut self, depth: u32) -> String {
        match self.below(10) {
            0 | 1 if depth < 3 => {
                let alternatives: Vec<String> = (0..2 + self.below(3)).map(|_| self.alternative(depth + 1)).collect();
                format!("{{ {} }}", alternatives.join(" / "))
            }
            2 => format!("({})", self.word()),
            _ => self.word(),
        }
    }

    fn alternative(&mut self, depth: u32) -> String {
        match self.below(4) {
            0 => "@".to_owned(),
            1 => self.text(1, depth),
            _ => self.word(),
        }
    }

    fn plain(&mut self, least: u32) -> String {
        let n = least + self.below(12);
        let parts: Vec<String> = (0..n).map(|_| self.word()).collect();
        parts.join(" ")
    }
}

fn load_files(files: (&str, &str), formats: (Format, Format), policy: MissingPolicy) -> Paired<'static> {
    // Leaked: the pairs borrow from the bytes, and a test is short.
    let bytes = |text: &str| -> &'static [u8] { Box::leak(text.to_owned().into_boxed_str()).as_bytes() };
    let reference = Source { file: "r", bytes: bytes(files.0), format: formats.0 };
    let hypothesis = Source { file: "h", bytes: bytes(files.1), format: formats.1 };
    load(&reference, &hypothesis, &Columns::default(), policy).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn trn_with_alternates_takes_the_path_and_the_operations_of_sclite() {
    const PAIRS: u32 = 6_000;
    let (mut references, mut hypotheses) = (String::new(), String::new());
    for case in 0..PAIRS {
        let mut author = author(case);
        let separator = ["-", "_", "_x-"][author.below(3) as usize];
        let id = format!("s{}{separator}{case}", author.below(9));
        references += &format!("{} ({id})\n", author.text(0, 0));
        hypotheses += &format!("{} ({id})\n", author.plain(0));
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("r.trn"), &references).unwrap();
    std::fs::write(folder.path().join("h.trn"), &hypotheses).unwrap();
    let Some(sgml) = sclite(folder.path(), &["-r", "r.trn", "trn", "-h", "h.trn", "trn", "-i", "spu_id"]) else {
        return skipped("trn_with_alternates_takes_the_path_and_the_operations_of_sclite");
    };
    let paired = load_files((&references, &hypotheses), (Format::Trn, Format::Trn), MissingPolicy::Error);
    let by_id: BTreeMap<&str, &Pair<'_>> = paired.pairs.iter().map(|p| (&*p.id, p)).collect();
    let their_paths = paths(&sgml);
    assert_eq!(their_paths.len(), PAIRS as usize);
    let mut failures = Vec::new();
    let mut lattices = 0;
    for (speaker, path, operations) in &their_paths {
        let pair = by_id[attribute(path, "id").trim_matches(['(', ')'])];
        lattices += u32::from(matches!(pair.reference, Reference::Lattice(_)));
        if ours(pair) != theirs(operations) || pair.speaker.as_deref() != Some(speaker) {
            failures.push(format!("line {}: sclite {speaker} {operations}, ours {:?}", pair.line, ours(pair)));
        }
    }
    assert!(lattices > PAIRS / 2, "{lattices} references with markup");
    assert!(failures.is_empty(), "{} of {PAIRS}:\n{}", failures.len(), failures[..failures.len().min(5)].join("\n"));
}

/// An `stm` and a `ctm` of several recordings. Times have two decimals, so midpoints fall on segment ends.
fn session(case: u32) -> (String, String) {
    let mut author = author(1_000_000 + case);
    let (mut stm, mut ctm) = (";; comment\n".to_owned(), ";; comment\n".to_owned());
    for file in 0..1 + author.below(3) {
        for channel in ["1", "A"].iter().take(1 + author.below(2) as usize) {
            let mut at = author.below(100);
            for _ in 0..1 + author.below(6) {
                let end = at + 20 + author.below(300);
                let (speaker, text) = match author.below(8) {
                    0 => ("inter_segment_gap".to_owned(), String::new()),
                    1 => ("x".to_owned(), "IGNORE_TIME_SEGMENT_IN_SCORING".to_owned()),
                    _ => (format!("spk{}", author.below(3)), author.text(0, 0)),
                };
                let label = ["", "<o,f,00> ", "<all> "][author.below(3) as usize];
                let times = format!("{:.2} {:.2}", f64::from(at) / 100.0, f64::from(end) / 100.0);
                stm += &format!("f{file} {channel} {speaker} {times} {label}{text}\n");
                at = end + [0, 0, 35, 120][author.below(4) as usize];
            }
            // Now and then a channel has no word at all.
            let silent = !ctm.ends_with("comment\n") && author.below(8) == 0;
            let mut time = author.below(60);
            while time < at + 100 && !silent {
                let duration = 2 + author.below(40);
                let confidence = ["", " 0.87", " NA"][author.below(3) as usize];
                let (t, d) = (f64::from(time) / 100.0, f64::from(duration) / 100.0);
                ctm += &format!("f{file} {channel} {t:.2} {d:.2} {}{confidence}\n", author.word());
                time += duration + author.below(30);
            }
        }
    }
    (stm, ctm)
}

#[test]
fn ctm_words_fall_to_the_stm_segments_of_sclite() {
    const SESSIONS: u32 = 150;
    let mut failures = Vec::new();
    let (mut segments, mut between, mut silent) = (0, 0, 0);
    let folder = tempfile::tempdir().unwrap();
    for case in 0..SESSIONS {
        let (stm, ctm) = session(case);
        std::fs::write(folder.path().join("r.stm"), &stm).unwrap();
        std::fs::write(folder.path().join("h.ctm"), &ctm).unwrap();
        let Some(sgml) = sclite(folder.path(), &["-r", "r.stm", "stm", "-h", "h.ctm", "ctm"]) else {
            return skipped("ctm_words_fall_to_the_stm_segments_of_sclite");
        };
        let paired = load_files((&stm, &ctm), (Format::Stm, Format::Ctm), MissingPolicy::Empty);
        between += paired.times.unwrap().words_between;
        silent += paired.missing.count;
        let key = |speaker: &str, file: &str, channel: &str, start: &str| format!("{speaker} {file} {channel} {start}");
        let mut want: BTreeMap<String, (Vec<String>, u64)> = BTreeMap::new();
        for (speaker, path, operations) in paths(&sgml) {
            let place = key(&speaker, attribute(&path, "file"), attribute(&path, "channel"), attribute(&path, "R_T1"));
            want.insert(place, theirs(&without_times(&operations)));
        }
        let mut got: BTreeMap<String, (Vec<String>, u64)> = BTreeMap::new();
        for pair in &paired.pairs {
            let start = pair.id.rsplit_once('_').and_then(|(_, times)| times.split_once('-')).unwrap().0;
            let channel = &pair.tags.iter().find(|(name, _)| name == "channel").unwrap().1;
            let (speaker, file) = (pair.speaker.as_deref().unwrap(), pair.session.as_deref().unwrap());
            let place = key(speaker, file, channel, &format!("{start}0"));
            got.insert(place, ours(pair));
        }
        segments += got.len();
        if got != want {
            let first = want.iter().find(|(k, v)| got.get(*k) != Some(v));
            failures.push(format!(
                "session {case}: sclite {first:?}\nours {:?}\n{stm}{ctm}",
                first.map(|(k, _)| got.get(k))
            ));
        }
    }
    assert!(segments > 500 && between > 500, "{segments} segments, {between} words between them");
    assert!(silent > 10, "{silent} channels without words");
    assert!(failures.is_empty(), "{} of {SESSIONS}; the first:\n{}", failures.len(), failures[0]);
}

/// `C,"a","a",1.0+1.2:…` and the like to `C,"a","a":…`.
fn without_times(operations: &str) -> String {
    let parts = operations.split(':').map(|o| o.split(',').take(3).collect::<Vec<_>>().join(","));
    parts.collect::<Vec<_>>().join(":")
}
