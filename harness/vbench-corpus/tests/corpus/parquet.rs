//! Parquet as Apache Arrow writes it, and as nobody should.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use super::common::Corpus;
use serde_json::Value;
use vbench_corpus::{Columns, Format, ImportOptions, Parsed, Source, parquet};

fn oracles() -> PathBuf {
    let root = std::env::var_os("VBENCH_ORACLES").map(PathBuf::from);
    root.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/oracles").into()).join("parquet")
}

fn read(bytes: &[u8], extract: Option<&mut parquet::Extract<'_>>) -> Parsed {
    let mut parsed = Parsed::default();
    let source = Source::new(Path::new("x.parquet"), b"");
    parquet::parse(&source, &mut Cursor::new(bytes), bytes.len() as u64, &Columns::default(), extract, &mut parsed);
    parsed
}

/// Every value of every row of every file, whatever its compression, pages and encodings.
#[test]
fn oracle_rows_are_those_that_arrow_wrote() {
    let rows = std::fs::read_to_string(oracles().join("rows.jsonl")).expect("the oracle");
    let rows: Vec<Value> = rows.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!(rows.len(), 300);
    let mut wrong = Vec::new();
    for file in ["snappy", "snappy-groups", "gzip-v2", "zstd-plain", "none", "none-v2-plain", "deltas", "deltas-v1"] {
        let bytes = std::fs::read(oracles().join(format!("{file}.parquet"))).expect("the oracle");
        let mut stored = Vec::new();
        let mut extract = |row: u64, name: &str, bytes: &[u8]| {
            stored.push((row, name.to_owned(), bytes.to_vec()));
            Ok(format!("{row}.wav"))
        };
        let parsed = read(&bytes, Some(&mut extract));
        if !parsed.problems.is_empty() || parsed.entries.len() != rows.len() || stored.len() != rows.len() {
            wrong.push(format!("{file}: {} entries, {}", parsed.entries.len(), parsed.problems));
            continue;
        }
        for (i, (row, entry)) in rows.iter().zip(&parsed.entries).enumerate() {
            let number = |key: &str| row[key].as_f64().map(|n| n.to_string());
            let text = row["text"].as_str().unwrap_or_default();
            let audio = (i as u64 + 1, row["path"].as_str().expect("a path").to_owned());
            let hex: String = stored[i].2.iter().map(|b| format!("{b:02x}")).collect();
            let good = entry.id == row["id"]
                && entry.text == text.trim()
                && entry.audio.as_str() == format!("{}.wav", i + 1)
                && entry.speaker == number("speaker_id")
                && entry.duration_s == row["duration"].as_f64()
                && entry.tags.get("loud").map(String::as_str) == Some(if i % 3 == 0 { "true" } else { "false" })
                && entry.tags.get("label").map(String::as_str) == row["label"].as_str()
                && entry.tags.get("year").cloned() == number("year")
                && (stored[i].0, stored[i].1.clone()) == audio
                && row["bytes"] == hex
                && entry.place.line == i + 1;
            if !good {
                wrong.push(format!("{file} row {i}: {entry:?}, Arrow has {row}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong: {:#?}", wrong.len(), &wrong[..wrong.len().min(3)]);
}

#[test]
fn paths_in_a_table_are_left_in_place() {
    let c = Corpus::new();
    c.bytes("p/test-00000-of-00001.parquet", &std::fs::read(oracles().join("paths.parquet")).expect("the oracle"));
    for i in 0..5 {
        c.audio(&format!("p/a{i}.wav"), 1.0, 1);
    }
    let got = c.import("p", Format::Parquet);
    let lines: Vec<_> = got.lines.iter().map(|l| (l.id.as_str(), l.text.as_str())).collect();
    assert_eq!(lines, [("a0", "x"), ("a1", ""), ("a2", ""), ("a3", "y z"), ("a4", "w")]);
    assert_eq!(got.lines[0].tags["split"], "test");
}

#[test]
fn recordings_inside_a_table_are_written_only_where_a_place_is_named() {
    let c = Corpus::new();
    c.bytes("p/x.parquet", &std::fs::read(oracles().join("snappy-groups.parquet")).expect("the oracle"));
    let said = c.refused("p/x.parquet", Format::Parquet);
    assert!(said.contains("audio inside the table (column `audio`)") && said.contains("--out-audio DIR"), "{said}");
    // The recordings of the oracle are none: they are refused, and none is left behind.
    let options = ImportOptions { out_audio: Some(c.path("wav")), ..ImportOptions::default() };
    let said = c.refused_with("p/x.parquet", Format::Parquet, &options);
    assert!(said.contains("unknown format"), "{said}");
    let names = || -> Vec<_> {
        let mut names: Vec<_> =
            std::fs::read_dir(c.path("")).expect("lists").map(|e| e.expect("entry").file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["p"], "nothing is left of a corpus that was refused");
    let options = ImportOptions { audio: vbench_corpus::AudioCheck::Exist, ..options };
    let into_a_file = c.path("p/x.parquet/manifest.jsonl");
    let tools = super::common::tools();
    let unwritten = vbench_corpus::import(&c.path("p/x.parquet"), Format::Parquet, &into_a_file, &options, &tools);
    assert!(matches!(unwritten, Err(vbench_corpus::ImportError::Write { .. })));
    assert_eq!(names(), ["p"], "no recordings without their manifest");
    let got = c.import_with("p/x.parquet", Format::Parquet, &options).expect("imports");
    assert_eq!(got.lines.len(), 300);
    assert_eq!(names(), ["out", "p", "wav"]);
    let first = c.path("wav/0000001-clip_0.wav");
    assert_eq!(*got.lines[0].audio, *first);
    assert!(std::fs::read(first).expect("the recording").starts_with(b"RIFF"));
    let again = c.import_with("p/x.parquet", Format::Parquet, &options);
    assert!(again.expect_err("refused").to_string().contains("the folder is not empty"));
}

#[test]
fn other_compression_and_other_files_are_named() {
    let said = |bytes: &[u8]| read(bytes, None).problems.to_string();
    let brotli = std::fs::read(oracles().join("brotli.parquet")).expect("the oracle");
    assert!(
        said(&brotli).contains("compression 4 (write the file again with snappy, gzip, zstd or none)"),
        "{}",
        said(&brotli)
    );
    assert!(said(b"").contains("the file ends early"));
    assert!(said(b"PAR1 not really a file").contains("which is not PAR1"));
    assert!(said(b"PAR1\x00\x00\x00\x00PARE").contains("an encrypted file"));
    assert!(said(b"PAR1\xff\xff\xff\x7fPAR1").contains("the length of the footer"));
    let good = std::fs::read(oracles().join("snappy.parquet")).expect("the oracle");
    for len in (0..good.len()).step_by(97) {
        assert!(!read(&good[..len], None).problems.is_empty(), "cut to {len}");
    }
}

/// A column chunk of one page that declares what it likes.
fn bomb(compressed: &[u8], uncompressed: i64, codec: u8) -> Vec<u8> {
    fn zigzag(n: i64) -> Vec<u8> {
        let mut value = ((n << 1) ^ (n >> 63)) as u64;
        let mut bytes = Vec::new();
        while value >= 0x80 {
            bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    }
    fn text(text: &str) -> Vec<u8> {
        [&[text.len() as u8], text.as_bytes()].concat()
    }
    // Thrift's compact protocol: a byte with the step to the field's number and its type, then the value.
    let number = |n: i64| [vec![0x15], zigzag(n)].concat();
    let page = [
        number(0),
        number(uncompressed),
        number(compressed.len() as i64),
        // The data page's header is field 5.
        [vec![0x2c], number(1), number(0), number(3), number(3), vec![0]].concat(),
        vec![0],
    ]
    .concat();
    let chunk = [
        number(6),
        vec![0x19, 0x15, 0],
        [vec![0x19, 0x18], text("audio")].concat(),
        number(i64::from(codec)),
        number(1),
        number(uncompressed),
        number((page.len() + compressed.len()) as i64),
        // The data page's offset is field 9.
        [vec![0x26], zigzag(4)].concat(),
        vec![0],
    ]
    .concat();
    let root = [vec![0x48], text("root"), number(1), vec![0]].concat();
    let leaf = [number(6), vec![0x25], zigzag(0), vec![0x18], text("audio"), vec![0]].concat();
    let columns = [vec![0x19, 0x1c, 0x3c], chunk, vec![0]].concat();
    let footer = [
        number(1),
        [vec![0x19, 0x2c], root, leaf].concat(),
        [vec![0x16], zigzag(1)].concat(),
        [vec![0x19, 0x1c], columns, vec![0x16], zigzag(100), vec![0x16], zigzag(1), vec![0]].concat(),
        vec![0],
    ]
    .concat();
    let size = (footer.len() as u32).to_le_bytes();
    [b"PAR1".to_vec(), page, compressed.to_vec(), footer, size.to_vec(), b"PAR1".to_vec()].concat()
}

#[test]
fn a_page_that_expands_beyond_reason_is_refused_before_it_is_made() {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![0; 64 << 20]).expect("compresses");
    let zeros = encoder.finish().expect("compresses");
    // As it is: 64 MiB from 64 kB.
    let said = read(&bomb(&zeros, 64 << 20, 2), None).problems.to_string();
    assert!(said.contains(&format!("a page of {} bytes declares 67108864 after decompression", zeros.len())), "{said}");
    // A page that lies about its size is not expanded beyond it.
    let said = read(&bomb(&zeros, 1000, 2), None).problems.to_string();
    assert!(said.contains("a page that is not of the declared 1000 bytes"), "{said}");
    let said = read(&bomb(b"xx", i64::from(i32::MAX), 1), None).problems.to_string();
    assert!(said.contains("decompression bomb"), "{said}");
    // The same file with an honest page is read.
    let value = [&5u32.to_le_bytes()[..], b"a.wav"].concat();
    let parsed = read(&bomb(&value, value.len() as i64, 0), None);
    assert!(parsed.problems.to_string().contains("no `text`; there are: audio"), "{}", parsed.problems);
}
