//! Any bytes as any format: the entry points of the fuzz targets over changed seeds.

use proptest::prelude::*;

#[path = "../../../fuzz/src/corpus.rs"]
mod corpus;

type Target = (&'static str, fn(&[u8]), &'static [u8]);

/// Each target with a seed that gets far.
const TARGETS: [Target; 10] = [
    ("checked_text", corpus::checked_text, "te\u{c}ఈ \u{200b} hello <b> &amp; caf\u{c3}\u{a9} 5 (x) aaaaaa".as_bytes()),
    ("librispeech", corpus::librispeech, b"1 | F | x\n\x0c1-2-0 ONE\n1-2-1 TWO\n"),
    ("kaldi", corpus::kaldi, b"r a.wav\n\x0cu one\nv two\n\x0cu r 0.5 1.5\nv r 2 -1 A\n\x0cu s\nv s\n\x0cs f\n\x0cu te\n"),
    (
        "lhotse",
        corpus::lhotse,
        b"{\"id\":\"r\",\"sources\":[{\"type\":\"file\",\"channels\":[0],\"source\":\"a\"}],\"duration\":9.5}\n\x0c{\"id\":\"s\",\"recording_id\":\"r\",\"start\":0.5,\"duration\":1.5,\"channel\":0,\"text\":\"x\"}\n",
    ),
    ("json_lines", corpus::json_lines, b"{\"audio_filepath\":\"a\",\"text\":\"t\",\"offset\":1.5,\"duration\":2,\"x\":[1]}\n"),
    (
        "tables",
        corpus::tables,
        b"client_id,path,sentence,start,end\na,b.wav,\"say \"\"hi\"\"\",1.5,2\nclient_id\tpath\tsentence\na\tb\tc\n",
    ),
    (
        "coraal",
        corpus::coraal,
        b"CORAAL.Spkr\tGender\nx\tFemale\n\x0cLine\tSpkr\tStTime\tContent\tEnTime\n1\tx\t0.5\t<a> [b] /c/ (d)\t1.5\n",
    ),
    ("stm", corpus::stm, b";; x\na 1 s 0.5 1.5 <o,f0,male> one {NOISE} two(2)\na 1 s 2 3 three\n"),
    (
        "textgrid",
        corpus::textgrid,
        b"\"ooTextFile\"\n\"TextGrid\"\n0\n9\n<exists>\n1\n\"IntervalTier\"\n\"Ann\"\n0\n9\n2\n0\n1\n\"a \"\"b\"\"\"\n1\n2\n\"c\"\n",
    ),
    (
        "elan",
        corpus::elan,
        b"<ANNOTATION_DOCUMENT><TIME_ORDER><TIME_SLOT TIME_SLOT_ID=\"1\" TIME_VALUE=\"5\"/><TIME_SLOT TIME_SLOT_ID=\"2\" TIME_VALUE=\"9\"/></TIME_ORDER><TIER TIER_ID=\"t\"><REF_ANNOTATION ANNOTATION_ID=\"b\" ANNOTATION_REF=\"b\"/><ALIGNABLE_ANNOTATION ANNOTATION_ID=\"a\" TIME_SLOT_REF1=\"1\" TIME_SLOT_REF2=\"2\"><ANNOTATION_VALUE>x</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></TIER></ANNOTATION_DOCUMENT>",
    ),
];

/// The seed with bytes overwritten, cut out and repeated.
fn changed(seed: &[u8], changes: &[(prop::sample::Index, u8, u8)]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for (at, what, value) in changes {
        let at = at.index(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
        match what % 4 {
            _ if bytes.is_empty() => bytes.push(*value),
            0 => bytes[at] = *value,
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, *value),
            _ => {
                let copy = bytes[at..(at + usize::from(*value)).min(bytes.len())].to_vec();
                bytes.splice(at..at, copy);
            }
        }
    }
    bytes
}

fn parquets() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/oracles/parquet");
    let read = |name: &str| std::fs::read(format!("{folder}/{name}.parquet")).expect("the oracle");
    ["snappy", "gzip-v2", "zstd-plain", "deltas", "deltas-v1", "paths"].map(read).to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_text_is_read_or_refused(
        target in 0..TARGETS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<u8>()), 0..12),
    ) {
        let (_, read, seed) = TARGETS[target];
        read(&changed(seed, &changes));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for (_, read, _) in TARGETS {
            read(&bytes);
        }
        corpus::parquet(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_parquet_is_read_or_refused(
        file in 0..6usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        footer in any::<bool>(),
    ) {
        let mut bytes = parquets()[file].clone();
        let from = if footer { bytes.len().saturating_sub(3000) } else { 4 };
        for (at, value) in changes {
            let at = from + at.index(bytes.len() - from);
            bytes[at] = value;
        }
        corpus::parquet(&bytes);
    }
}
