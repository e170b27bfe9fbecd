//! `vbench data import` in every format: the corpus as people have it, its manifest, and a run over it.

mod common;

use std::path::Path;

use common::{clip, command, outcome, root, rows, vbench, write_wav};

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("creates");
    std::fs::write(path, content).expect("writes");
}

/// One second of speech.
fn speech(folder: &Path, name: &str, index: usize) {
    write(folder, name, "");
    write_wav(&folder.join(name), &clip(index));
}

/// A copy of a recording that ships.
fn shipped(folder: &Path, name: &str, of: &str) {
    write(folder, name, "");
    std::fs::copy(root().join("suites/corpora/voices-en/audio").join(of), folder.join(name)).expect("copies");
}

const GRID: &str = "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\nxmin = 0\nxmax = 1\ntiers? <exists>\nsize = 1\nitem []:\n item [1]:\n class = \"IntervalTier\"\n name = \"words\"\n xmin = 0\n xmax = 1\n intervals: size = 2\n intervals [1]:\n xmin = 0\n xmax = 0.4\n text = \"open the\"\n intervals [2]:\n xmin = 0.4\n xmax = 1\n text = \"window\"\n";
const EAF: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ANNOTATION_DOCUMENT><HEADER><MEDIA_DESCRIPTOR MEDIA_URL=\"file:///elsewhere/a.wav\" RELATIVE_MEDIA_URL=\"./a.wav\"/></HEADER><TIME_ORDER><TIME_SLOT TIME_SLOT_ID=\"t1\" TIME_VALUE=\"100\"/><TIME_SLOT TIME_SLOT_ID=\"t2\" TIME_VALUE=\"900\"/></TIME_ORDER><TIER TIER_ID=\"x\" PARTICIPANT=\"Ann\"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID=\"a1\" TIME_SLOT_REF1=\"t1\" TIME_SLOT_REF2=\"t2\"><ANNOTATION_VALUE>open the window</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>\n";

/// Writes a corpus of a format; what is imported, more arguments, utterances, and something that its rows must hold.
fn make(f: &Path, format: &str) -> (&'static str, &'static [&'static str], usize, &'static str) {
    speech(f, "c/a.wav", 0);
    speech(f, "c/b.wav", 1);
    match format {
        "librispeech" => {
            shipped(f, "c/1/2/1-2-0.flac", "flite-slt-1.flac");
            write(f, "c/1/2/1-2.trans.txt", "1-2-0 TURN OFF THE LIGHTS\n");
            ("c", &["--hash"], 1, "\"session\":\"1-2\"")
        }
        "kaldi" => {
            write(f, "c/wav.scp", "r1 a.wav\nr2 b.wav\n");
            write(f, "c/segments", "u1 r1 0.0 0.5\nu2 r1 0.5 1.0\nu3 r2 0.1 -1\n");
            write(f, "c/text", "u1 open\nu2 the\nu3 window\n");
            write(f, "c/utt2spk", "u1 s1\nu2 s1\nu3 s2\n");
            ("c", &["--hash", "--licence", "CC0-1.0"], 3, "\"speaker\":\"s2\"")
        }
        "lhotse" => {
            let cut = "{\"id\":\"c\",\"start\":0.25,\"duration\":0.5,\"channel\":0,\"type\":\"MonoCut\",\"recording\":{\"id\":\"r\",\"sources\":[{\"type\":\"file\",\"channels\":[0],\"source\":\"a.wav\"}],\"sampling_rate\":16000,\"num_samples\":16000,\"duration\":1.0},\"supervisions\":[{\"id\":\"s\",\"recording_id\":\"r\",\"start\":0.0,\"duration\":0.5,\"channel\":0,\"text\":\"open\",\"speaker\":\"Ann\"}]}\n";
            write(f, "c/cuts.jsonl", cut);
            ("c", &[], 1, "\"speaker\":\"Ann\"")
        }
        "nemo" => {
            write(
                f,
                "c/test.json",
                "{\"audio_filepath\": \"a.wav\", \"duration\": 1.0, \"text\": \"open\"}\n{\"audio_filepath\": \"b.wav\", \"offset\": 0.5, \"duration\": 0.25, \"text\": \"the\"}\n",
            );
            ("c/test.json", &["--language", "en"], 2, "\"utt\":\"b-00000500\"")
        }
        "common-voice" => {
            speech(f, "c/clips/x.wav", 2);
            write(
                f,
                "c/test.tsv",
                "client_id\tpath\tsentence\tage\tgender\taccents\tlocale\nabc\tx.wav\topen it\ttwenties\tmale_masculine\tcoastal\ten\n",
            );
            ("c/test.tsv", &[], 1, "\"accent\":\"coastal\"")
        }
        "coraal" => {
            std::fs::rename(f.join("c/a.wav"), f.join("c/DCB_se1_ag1_f_01_1.wav")).expect("renames");
            write(
                f,
                "c/DCB_se1_ag1_f_01_1.txt",
                "Line\tSpkr\tStTime\tContent\tEnTime\n1\tDCB_int_01\t0\tOpen?\t0.3\n2\tDCB_se1_ag1_f_01\t0.3\t<laugh> [Yes.]\t0.9\n",
            );
            write(
                f,
                "c/DCB_metadata_2018.txt",
                "CORAAL.Spkr\tGender\tAge\tAge.Group\nDCB_se1_ag1_f_01\tFemale\t17\t-19\n",
            );
            ("c", &["--drop-interviewer"], 1, "\"age\":\"17\"")
        }
        "stm" => {
            write(f, "c/a.stm", ";; x\na 1 ann 0.0 0.5 <o,f0,female> open the\na 1 ann 0.5 1.0 <NA> window\n");
            ("c", &[], 2, "\"gender\":\"f\"")
        }
        "csv" => {
            write(
                f,
                "c/calls.csv",
                "id,recording,words,branch\r\n1,a.wav,\"open, please\",north\r\n2,b.wav,window,south\r\n",
            );
            ("c/calls.csv", &["--column", "audio=recording", "--column", "text=words"], 2, "\"branch\":\"south\"")
        }
        "tsv" => {
            write(f, "c/calls.tsv", "audio\ttext\tspeaker\na.wav\topen\tAnn\n");
            ("c/calls.tsv", &[], 1, "\"speaker\":\"Ann\"")
        }
        "audiofolder" => {
            write(f, "c/metadata.csv", "file_name,transcription\na.wav,open\nb.wav,window\n");
            ("c", &[], 2, "\"utt\":\"b\"")
        }
        other => make_more(f, other),
    }
}

/// As [`make`]: formats that are no lists of lines.
fn make_more(f: &Path, format: &str) -> (&'static str, &'static [&'static str], usize, &'static str) {
    match format {
        "parquet" => {
            std::fs::copy(
                root().join("golden/oracles/parquet/speech.parquet"),
                f.join("c/test-00000-of-00001.parquet"),
            )
            .expect("copies");
            ("c", &["--out-audio", "extracted"], 3, "\"split\":\"test\"")
        }
        "classes" => {
            std::fs::remove_file(f.join("c/a.wav")).expect("removes");
            std::fs::remove_file(f.join("c/b.wav")).expect("removes");
            speech(f, "c/yes/0a_nohash_0.wav", 0);
            speech(f, "c/no/0b_nohash_0.wav", 1);
            ("c", &[], 2, "\"label\":\"no\"")
        }
        "textgrid" => {
            write(f, "c/a.TextGrid", GRID);
            ("c", &["--tier", "words"], 2, "\"tier\":\"words\"")
        }
        "elan" => {
            write(f, "c/talk.eaf", EAF);
            ("c", &[], 1, "\"speaker\":\"Ann\"")
        }
        other => panic!("no corpus of {other}"),
    }
}

const SUITE: &str = r#"schema = 1
name = "imported"
task = "asr"
seed = 7
conditions = ["clean"]

[[corpora]]
name = "c"
manifest = "m/manifest.jsonl"

[[models]]
name = "m"
spec = "fake:echo"
"#;

/// Names and content of every file of the corpus.
fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("lists").map(|e| e.expect("an entry").path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                found.push((entry.display().to_string(), std::fs::read(&entry).expect("reads")));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_format_is_found_imported_and_run() {
    let formats = [
        "librispeech",
        "kaldi",
        "lhotse",
        "nemo",
        "common-voice",
        "coraal",
        "stm",
        "csv",
        "tsv",
        "audiofolder",
        "parquet",
        "classes",
        "textgrid",
        "elan",
    ];
    for format in formats {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let f = folder.path();
        let (path, more, utterances, needle) = make(f, format);
        let before = content(&f.join("c"));
        let arguments = [&["data", "import", path, "--out", "m/manifest.jsonl"], more].concat();
        let (code, out, errors) = outcome(&vbench(f, &arguments));
        assert_eq!(code, 0, "{format}: {errors}");
        assert!(errors.contains(&format!("format: {format} (")), "{format}: {errors}");
        assert!(out.contains(&format!("{format}: {utterances} utterances")), "{format}: {out}");
        assert!(content(&f.join("c")) == before, "{format}: the corpus is not touched");
        // Named instead of found: the same manifest.
        let found = std::fs::read(f.join("m/manifest.jsonl")).expect("the manifest");
        if format != "parquet" {
            let arguments = [&["data", "import", format, path, "--out", "m/manifest.jsonl"], more].concat();
            assert_eq!(outcome(&vbench(f, &arguments)).0, 0, "{format}");
            assert!(std::fs::read(f.join("m/manifest.jsonl")).expect("the manifest") == found, "{format}");
        }
        write(f, "suite.toml", SUITE);
        let (code, table, errors) = outcome(&vbench(f, &["run", "suite.toml", "--out", "run", "-q"]));
        assert_eq!(code, 0, "{format}: {errors}{table}");
        assert!(table.contains(&format!("{utterances} of {utterances} cells done")), "{format}: {table}");
        let rows = rows(&f.join("run"));
        assert!(rows.contains(needle) && !rows.contains("\"outcome\":\"failed\""), "{format}: {rows}");
        let (code, _, errors) = outcome(&vbench(f, &["suite", "check", "suite.toml"]));
        assert_eq!(code, 0, "{format}: {errors}");
    }
}

#[test]
fn a_corpus_with_problems_exits_with_9_lists_them_all_and_writes_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let f = folder.path();
    speech(f, "c/a.wav", 0);
    write(
        f,
        "c/t.csv",
        "id,audio,text,start,end\n1,a.wav,x,,\n1,none.wav,y,,\n2,a.wav,z,0.5,7\n3,../a.wav,z,,\n4,a.wav\n",
    );
    let (code, out, errors) = outcome(&vbench(f, &["data", "import", "c/t.csv", "--out", "m.jsonl"]));
    assert_eq!((code, out.as_str()), (9, ""), "{errors}");
    for expected in [
        "nothing imported: 5 problems:",
        "c/t.csv:6: 2 fields, expected 5 as in the header",
        "c/t.csv:3: duplicate id `1`: also at c/t.csv:2",
        "c/t.csv:3: no audio `none.wav`; looked in c",
        "c/t.csv:4: ends at 7 s, but",
        "c/t.csv:5: no audio `../a.wav`",
    ] {
        assert!(errors.contains(expected), "{expected}: {errors}");
    }
    assert!(!f.join("m.jsonl").exists());
    let (code, _, errors) = outcome(&vbench(f, &["data", "import", "c/none.csv", "--out", "m.jsonl"]));
    assert_eq!(code, 9, "{errors}");
    let (code, _, errors) = outcome(&vbench(f, &["data", "import", "elan2", "c", "--out", "m.jsonl"]));
    assert_eq!(code, 2, "{errors}");
    assert!(errors.contains("no format `elan2`; known: librispeech, kaldi"), "{errors}");
    let (code, _, errors) = outcome(&vbench(f, &["data", "import", "c/t.csv", "--column", "words=x"]));
    assert_eq!(code, 2, "{errors}");
    let (code, _, errors) = outcome(&vbench(f, &["data", "import", "classes", "c", "--name", "../x"]));
    assert_eq!(code, 2, "{errors}");
    let (code, _, errors) = outcome(&vbench(f, &["data", "import", "classes", "c", "--tier", "x"]));
    assert_eq!(code, 2, "{errors}");
    assert!(errors.contains("--tier means nothing for the format classes"), "{errors}");
    std::fs::create_dir(f.join("d")).expect("creates");
    write(f, "d/t.csv", "audio,text\na.wav,x\n");
    speech(f, "d/a.wav", 0);
    let (code, _, errors) = outcome(&vbench(f, &["data", "import", "d/t.csv", "--out", "d/t.csv/m.jsonl"]));
    assert_eq!(code, 8, "{errors}");
}

#[test]
fn coraal_is_skipped_with_the_way_to_get_it_until_it_is_imported() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let f = folder.path();
    let suite = root().join("suites/coraal.toml");
    let suite = suite.to_str().expect("UTF-8");
    let run = ["run", suite, "--model", "f=fake:echo", "--select", "condition=clean", "--out", "run", "-q"];
    let (code, _, errors) = outcome(&vbench(f, &run));
    assert_eq!(code, 5, "{errors}");
    assert!(errors.contains("skipped: not present") && errors.contains("vbench data import coraal"), "{errors}");
    make(f, "coraal");
    let (code, out, errors) = outcome(&vbench(f, &["data", "import", "c", "--drop-interviewer"]));
    assert_eq!(code, 0, "{errors}");
    assert!(out.contains("left out: 1 the interviewer's turns"), "{out}");
    let (code, table, errors) = outcome(&vbench(f, &run));
    assert_eq!(code, 0, "{errors}");
    assert!(table.contains("1 of 1 cells done"), "{table}");
    let rows = rows(&f.join("run"));
    for needle in [
        "\"role\":\"interviewee\"",
        "\"licence\":\"CC-BY-NC-SA-4.0\"",
        "\"session\":\"DCB_se1_ag1_f_01_1\"",
        "\"ref\":\"Yes.\"",
    ] {
        assert!(rows.contains(needle), "{needle}: {rows}");
    }
}

#[test]
fn stretches_of_one_recording_are_pinned_by_its_hash() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let f = folder.path();
    make(f, "kaldi");
    let import = ["data", "import", "kaldi", "c", "--out", "m/manifest.jsonl", "--hash"];
    assert_eq!(outcome(&vbench(f, &import)).0, 0);
    write(f, "suite.toml", SUITE);
    write_wav(&f.join("c/a.wav"), &clip(2));
    let (code, table, errors) =
        outcome(&command(f, &["run", "suite.toml", "--out", "run", "-q"]).output().expect("starts"));
    assert_eq!(code, 6, "{errors}{table}");
    let rows = rows(&f.join("run"));
    assert_eq!(rows.matches("\"kind\":\"hash_mismatch\"").count(), 2, "{rows}");
    assert_eq!(rows.matches("\"outcome\":\"ok\"").count(), 1, "{rows}");
}
