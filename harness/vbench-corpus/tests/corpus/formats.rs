//! One small corpus of every format, in the shape that people have them.

use super::common::Corpus;
use serde_json::{Value, json};
use vbench_corpus::{Format, ImportOptions, Imported, detect};

/// (id, audio's end, text, speaker, start, duration) of every line.
fn lines(imported: &Imported) -> Vec<Value> {
    let line = |l: &vbench_corpus::Line| {
        let audio = l.audio.file_name().expect("a name").to_string_lossy().into_owned();
        json!([l.id, audio, l.text, l.speaker, l.start_s, l.duration_s])
    };
    imported.lines.iter().map(line).collect()
}

fn detected(corpus: &Corpus, name: &str) -> &'static str {
    match detect(&corpus.path(name)) {
        Ok((format, why)) => {
            assert!(!why.is_empty());
            format.name()
        }
        Err(e) => panic!("{e}"),
    }
}

#[test]
fn librispeech() {
    let c = Corpus::new();
    c.text("LibriSpeech/SPEAKERS.TXT", "; comment\n1089 | M | test-clean | 8.03 | Peter Bobbe\n");
    c.text(
        "LibriSpeech/test-clean/1089/134686/1089-134686.trans.txt",
        "1089-134686-0000 HE HOPED\n1089-134686-0001 STUFF IT\n",
    );
    c.audio("LibriSpeech/test-clean/1089/134686/1089-134686-0000.flac", 2.5, 1);
    c.audio("LibriSpeech/test-clean/1089/134686/1089-134686-0001.flac", 1.25, 1);
    assert_eq!(detected(&c, "LibriSpeech/test-clean"), "librispeech");
    let got = c.import("LibriSpeech/test-clean", Format::Librispeech);
    assert_eq!(
        lines(&got),
        [
            json!(["1089-134686-0000", "1089-134686-0000.flac", "HE HOPED", "1089", null, 2.5]),
            json!(["1089-134686-0001", "1089-134686-0001.flac", "STUFF IT", "1089", null, 1.25]),
        ]
    );
    let first = &c.manifest()[0];
    assert_eq!(first["session"], "1089-134686");
    assert_eq!(first["tags"], json!({"gender": "m", "licence": "CC-BY-4.0"}));
    assert_eq!((got.seconds, got.speakers), (3.75, 1));
}

#[test]
fn kaldi_with_and_without_segments() {
    let c = Corpus::new();
    c.audio("wav/a.wav", 10.0, 1).audio("wav/b.wav", 3.0, 1);
    c.text("data/wav.scp", "rec-a ../wav/a.wav\nrec-b ../wav/b.wav\n");
    c.text("data/segments", "s1-u1 rec-a 0.50 2.75\ns1-u2 rec-a 3.1 -1\ns2-u3 rec-b 0 3.0\n");
    c.text("data/text", "s1-u1 hello there\ns1-u2 good bye\ns2-u3\n");
    c.text("data/utt2spk", "s1-u1 s1\ns1-u2 s1\ns2-u3 s2\n").text("data/spk2gender", "s1 f\ns2 m\n");
    assert_eq!(detected(&c, "data"), "kaldi");
    let options = ImportOptions { audio_roots: vec![c.path("wav")], hash: true, ..ImportOptions::default() };
    let got = c.import_with("data", Format::Kaldi, &options).expect("imports");
    assert_eq!(
        lines(&got),
        [
            json!(["s1-u1", "a.wav", "hello there", "s1", 0.5, 2.25]),
            json!(["s1-u2", "a.wav", "good bye", "s1", 3.1, 6.9]),
            json!(["s2-u3", "b.wav", "", "s2", 0.0, 3.0]),
        ]
    );
    let first = &c.manifest()[0];
    assert_eq!((&first["session"], &first["tags"]["gender"]), (&json!("rec-a"), &json!("f")));
    assert_eq!(first["sha256"], format!("{:064x}", 4));

    let c = Corpus::new();
    c.audio("data/a.wav", 10.0, 1);
    c.text("data/wav.scp", "u1\ta.wav\n").text("data/text", "u1 one two\n").text("data/utt2lang", "u1 te\n");
    let got = c.import("data", Format::Kaldi);
    assert_eq!(lines(&got), [json!(["u1", "a.wav", "one two", null, null, 10.0])]);
    assert_eq!(c.manifest()[0]["language"], "te");
}

const RECORDING: &str = r#"{"id":"r1","sources":[{"type":"file","channels":[0],"source":"a.wav"}],"sampling_rate":16000,"num_samples":160000,"duration":10.0}"#;

#[test]
fn lhotse_cuts_and_supervisions() {
    let c = Corpus::new();
    c.audio("l/a.wav", 10.0, 1);
    let cut = format!(
        r#"{{"id":"c1","start":2.0,"duration":6.0,"channel":0,"type":"MonoCut","recording":{RECORDING},"supervisions":[
        {{"id":"s1","recording_id":"r1","start":0.5,"duration":1.5,"channel":0,"text":"one","language":"en","speaker":"A","gender":"F","custom":{{"dialect":"north","vec":[1]}}}},
        {{"id":"s2","recording_id":"r1","start":2.5,"duration":1.0,"channel":0,"text":"two","speaker":"B"}},
        {{"id":"s3","recording_id":"r1","start":4.0,"duration":1.0,"channel":0}}]}}"#
    )
    .replace('\n', "");
    let empty = format!(
        r#"{{"id":"c2","start":0,"duration":1,"channel":0,"type":"MonoCut","recording":{RECORDING},"supervisions":[]}}"#
    );
    c.text("l/cuts.jsonl", &format!("{cut}\n{empty}\n"));
    assert_eq!(detected(&c, "l"), "lhotse");
    let got = c.import("l", Format::Lhotse);
    assert_eq!(
        lines(&got),
        [json!(["s1", "a.wav", "one", "A", 2.5, 1.5]), json!(["s2", "a.wav", "two", "B", 4.5, 1.0])]
    );
    let first = &c.manifest()[0];
    assert_eq!(first["tags"], json!({"dialect": "north", "gender": "f"}));
    assert_eq!((&first["session"], &first["language"]), (&json!("r1"), &json!("en")));
    let left: Vec<_> = got.left_out.iter().map(|(k, v)| (k.as_str(), *v)).collect();
    assert_eq!(left, [("cuts without supervision", 1), ("supervisions without text", 1)]);

    let c = Corpus::new();
    c.audio("l/a.wav", 10.0, 1);
    gz(&c, "l/x_recordings_test.jsonl.gz", &format!("{RECORDING}\n"));
    gz(
        &c,
        "l/x_supervisions_test.jsonl.gz",
        "{\"id\":\"s\",\"recording_id\":\"r1\",\"start\":0.0,\"duration\":10.0,\"channel\":0,\"text\":\"all of it\"}\n",
    );
    assert_eq!(detected(&c, "l/x_supervisions_test.jsonl.gz"), "lhotse");
    let got = c.import("l/x_supervisions_test.jsonl.gz", Format::Lhotse);
    assert_eq!(lines(&got), [json!(["s", "a.wav", "all of it", null, null, 10.0])]);
}

fn gz(c: &Corpus, name: &str, text: &str) {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).expect("compresses");
    c.bytes(name, &encoder.finish().expect("compresses"));
}

#[test]
fn nemo() {
    let c = Corpus::new();
    c.audio("n/a/x.wav", 4.0, 1).audio("n/b/x.wav", 8.0, 1);
    c.text(
        "n/test.json",
        concat!(
            "{\"audio_filepath\": \"a/x.wav\", \"duration\": 4.0, \"text\": \"whole\", \"pred_text\": \"hole\", \"domain\": \"calls\"}\n",
            "{\"audio_filepath\": \"b/x.wav\", \"offset\": 1.5, \"duration\": 2.0, \"text\": \"a part\", \"lang\": \"de\"}\n",
            "{\"audio_filepath\": \"b/x.wav\", \"duration\": 3.0, \"text\": \"the beginning\", \"speaker\": 7}\n",
        ),
    );
    assert_eq!(detected(&c, "n/test.json"), "nemo");
    let got = c.import("n/test.json", Format::Nemo);
    // Two files of one name: the folder tells them apart.
    assert_eq!(
        lines(&got),
        [
            json!(["a/x", "x.wav", "whole", null, null, 4.0]),
            json!(["b/x-00001500", "x.wav", "a part", null, 1.5, 2.0]),
            json!(["b/x", "x.wav", "the beginning", "7", 0.0, 3.0]),
        ]
    );
    assert_eq!(c.manifest()[0]["tags"], json!({"domain": "calls"}));
    assert_eq!(c.manifest()[1]["language"], "de");
}

#[test]
fn common_voice() {
    let c = Corpus::new();
    c.audio("cv/clips/common_voice_te_1.mp3", 3.0, 1);
    c.text(
        "cv/test.tsv",
        "client_id\tpath\tsentence_id\tsentence\tsentence_domain\tup_votes\tdown_votes\tage\tgender\taccents\tvariant\tlocale\tsegment\n\
         abc\tcommon_voice_te_1.mp3\tq\tఇది \"ఒక\" వాక్యం\tgeneral\t2\t0\ttwenties\tfemale_feminine\tcoastal\t\tte\t\n",
    );
    assert_eq!(detected(&c, "cv"), "common-voice");
    assert_eq!(detected(&c, "cv/test.tsv"), "common-voice");
    let got = c.import("cv/test.tsv", Format::CommonVoice);
    assert_eq!(
        lines(&got),
        [json!(["common_voice_te_1", "common_voice_te_1.mp3", "ఇది \"ఒక\" వాక్యం", "abc", null, 3.0])]
    );
    let tags =
        json!({"accent": "coastal", "age": "twenties", "domain": "general", "gender": "f", "licence": "CC0-1.0"});
    assert_eq!((&c.manifest()[0]["tags"], &c.manifest()[0]["language"]), (&tags, &json!("te")));
}

const CORAAL: &str = "Line\tSpkr\tStTime\tContent\tEnTime\n\
    1\tDCB_int_01\t0.6\tSo, where are you from?\t2.1\n\
    2\tDCB_int_01\t2.1\t(pause 0.44)\t2.5\n\
    3\tDCB_se1_ag1_f_01\t2.5\t<laugh> [From,] /right/ here.\t4.75\n\
    4\tDCB_se1_ag1_f_01\t4.75\tWith /RD-NAME-2/.\t6\n\
    5\tmisc\t6\tHey.\t7\n";

#[test]
fn coraal() {
    let c = Corpus::new();
    c.text("coraal/DCB_metadata_2018.10.06.txt", "CORAAL.Sub\tCORAAL.Spkr\tCORAAL.File\tGender\tAge\tAge.Group\nDCB\tDCB_se1_ag1_f_01\tDCB_se1_ag1_f_01_1\tFemale\t17\t-19\n");
    c.text("coraal/texts/DCB_se1_ag1_f_01_1.txt", CORAAL).text("coraal/notes.txt", "Read me first.\n");
    c.audio("coraal/audio/DCB_se1_ag1_f_01_1.wav", 9.0, 1);
    assert_eq!(detected(&c, "coraal"), "coraal");
    let got = c.import("coraal", Format::Coraal);
    let (file, who) = ("DCB_se1_ag1_f_01_1.wav", "DCB_se1_ag1_f_01");
    let of_line = |n: u32| format!("DCB_se1_ag1_f_01_1-{n:05}");
    assert_eq!(
        lines(&got),
        [
            json!([of_line(1), file, "So, where are you from?", "DCB_int_01", 0.6, 1.5]),
            json!([of_line(3), file, "From, right here.", who, 2.5, 2.25]),
            json!([of_line(5), file, "Hey.", "misc", 6.0, 1.0]),
        ]
    );
    let tags = json!({"age": "17", "age_group": "-19", "component": "DCB", "gender": "f", "licence": "CC-BY-NC-SA-4.0",
        "overlap": "yes", "role": "interviewee"});
    assert_eq!((&c.manifest()[1]["tags"], &c.manifest()[1]["session"]), (&tags, &json!("DCB_se1_ag1_f_01_1")));
    let left: Vec<_> = got.left_out.values().copied().collect();
    assert_eq!(left, [1, 1, 1], "{:?}", got.left_out);
    let options = ImportOptions { drop_interviewer: true, ..ImportOptions::default() };
    let got = c.import_with("coraal", Format::Coraal, &options).expect("imports");
    assert_eq!((got.lines.len(), got.left_out["the interviewer's turns"]), (2, 1));
}

#[test]
fn tedlium_stm() {
    let c = Corpus::new();
    c.audio("test/sph/AaronHuey_2010X.wav", 60.0, 1).text("test/sph/AaronHuey_2010X.sph", "NIST_1A");
    c.text(
        "test/stm/AaronHuey_2010X.stm",
        ";; CATEGORY \"0\"\n\
         AaronHuey_2010X 1 AaronHuey_2010X 0.00 16.00 <NA> ignore_time_segment_in_scoring\n\
         AaronHuey_2010X 1 AaronHuey_2010X 16.00 27.36 <o,f0,female> i 'm here today {NOISE} to show <unk> my(2) photographs\n\
         AaronHuey_2010X 1 inter_segment_gap 27.36 28.1 <o,,unknown> ignore_time_segment_in_scoring\n\
         AaronHuey_2010X A guest 30 31.5 yes\n",
    );
    assert_eq!(detected(&c, "test"), "stm");
    let got = c.import("test", Format::Stm);
    assert_eq!(
        lines(&got),
        [
            json!([
                "AaronHuey_2010X-00016000-00027360",
                "AaronHuey_2010X.wav",
                "i 'm here today to show my photographs",
                "AaronHuey_2010X",
                16.0,
                11.36
            ]),
            json!(["AaronHuey_2010X-guest-00030000-00031500", "AaronHuey_2010X.wav", "yes", "guest", 30.0, 1.5]),
        ]
    );
    assert_eq!(c.manifest()[0]["tags"], json!({"gender": "f", "label": "o,f0,female", "unknown_words": "yes"}));
    assert_eq!(got.left_out["segments marked as not to be scored"], 2);
}

#[test]
fn csv_and_tsv_with_named_columns() {
    let c = Corpus::new();
    c.audio("t/w/a.wav", 5.0, 1).audio("t/w/b.wav", 5.0, 1);
    c.text("t/calls.csv", "\u{feff}recording,transcript,who,begin_time,end_time,branch\r\nw/a.wav,\"hello, \"\"you\"\"\",Ann,1.5,3.0,north\r\nw/b.wav,,Bob,,,\r\n");
    let mut options = ImportOptions::default();
    for (key, column) in [("audio", "recording"), ("text", "transcript"), ("speaker", "who")] {
        assert!(options.columns.name(key, column));
    }
    (options.licence, options.language) = (Some("CC0-1.0".into()), Some("en".into()));
    assert_eq!(detected(&c, "t/calls.csv"), "csv");
    let got = c.import_with("t/calls.csv", Format::Csv, &options).expect("imports");
    assert_eq!(
        lines(&got),
        [
            json!(["a-00001500", "a.wav", "hello, \"you\"", "Ann", 1.5, 1.5]),
            json!(["b", "b.wav", "", "Bob", null, 5.0]),
        ]
    );
    assert_eq!(c.manifest()[0]["tags"], json!({"branch": "north", "licence": "CC0-1.0"}));
    assert_eq!(c.manifest()[1]["language"], "en");

    c.text("t/calls.tsv", "id\tpath\ttext\tstart\tduration\nx\tw/a.wav\tsay \"hi\"\t0.25\t1\n");
    let got = c.import("t/calls.tsv", Format::Tsv);
    assert_eq!(lines(&got), [json!(["x", "a.wav", "say \"hi\"", null, 0.25, 1.0])]);
}

#[test]
fn audio_folders_with_csv_and_json_lines() {
    let c = Corpus::new();
    c.audio("h/test/a.wav", 2.0, 1).audio("h/train/b.wav", 3.0, 1);
    c.text("h/test/metadata.csv", "file_name,transcription,speaker_id\na.wav,one two,s1\n");
    c.text("h/train/metadata.jsonl", "{\"file_name\": \"b.wav\", \"text\": \"three\", \"level\": 3}\n");
    assert_eq!(detected(&c, "h"), "audiofolder");
    let got = c.import("h", Format::AudioFolder);
    assert_eq!(
        lines(&got),
        [json!(["a", "a.wav", "one two", "s1", null, 2.0]), json!(["b", "b.wav", "three", null, null, 3.0])]
    );
    assert_eq!(c.manifest()[0]["tags"], json!({"split": "test"}));
    assert_eq!(c.manifest()[1]["tags"], json!({"level": "3", "split": "train"}));
}

#[test]
fn class_folders() {
    let c = Corpus::new();
    c.audio("k/yes/0a7c_nohash_0.wav", 1.0, 1).audio("k/no/0a7c_nohash_0.wav", 1.0, 1);
    c.audio("k/turn_left/b.wav", 1.0, 1).audio("k/stray.wav", 1.0, 1).text("k/README.md", "x");
    assert_eq!(detected(&c, "k"), "classes");
    let got = c.import("k", Format::Classes);
    assert_eq!(
        lines(&got),
        [
            json!(["no/0a7c_nohash_0", "0a7c_nohash_0.wav", "no", "0a7c", null, 1.0]),
            json!(["turn_left/b", "b.wav", "turn left", null, null, 1.0]),
            json!(["yes/0a7c_nohash_0", "0a7c_nohash_0.wav", "yes", "0a7c", null, 1.0]),
        ]
    );
    assert_eq!(c.manifest()[1]["tags"], json!({"label": "turn_left"}));
    assert_eq!(got.left_out.len(), 2, "{:?}", got.left_out);
}

const LONG_GRID: &str = "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\nxmin = 0\nxmax = 5.5\ntiers? <exists>\nsize = 3\nitem []:\n    item [1]:\n        class = \"IntervalTier\"\n        name = \"Ann\"\n        xmin = 0\n        xmax = 5.5\n        intervals: size = 2\n        intervals [1]:\n            xmin = 0\n            xmax = 1.25\n            text = \"\"\n        intervals [2]:\n            xmin = 1.25\n            xmax = 2.5\n            text = \"say \"\"hi\"\"\nnow\"\n    item [2]:\n        class = \"TextTier\"\n        name = \"clicks\"\n        xmin = 0\n        xmax = 5.5\n        points: size = 1\n        points [1]:\n            number = 3\n            mark = \"x\"\n    item [3]:\n        class = \"IntervalTier\"\n        name = \"Bob\"\n        xmin = 0\n        xmax = 5.5\n        intervals: size = 1\n        intervals [1]:\n            xmin = 3\n            xmax = 4\n            text = \"నమస్తే\"\n";

#[test]
fn textgrids_long_short_and_utf16() {
    let c = Corpus::new();
    c.audio("p/a.wav", 5.5, 1).text("p/a.TextGrid", LONG_GRID);
    assert_eq!(detected(&c, "p"), "textgrid");
    let tiers = |names: &[&str]| ImportOptions {
        tiers: names.iter().map(|n| (*n).to_owned()).collect(),
        ..ImportOptions::default()
    };
    let got = c.import_with("p", Format::Textgrid, &tiers(&["Ann", "Bob"])).expect("imports");
    let expected = [
        json!(["a-1-0002", "a.wav", "say \"hi\" now", "Ann", 1.25, 1.25]),
        json!(["a-3-0001", "a.wav", "నమస్తే", "Bob", 3.0, 1.0]),
    ];
    assert_eq!(lines(&got), expected);
    assert_eq!(c.manifest()[0]["tags"], json!({"tier": "Ann"}));
    // The short form has the same values without their names.
    let short = "File type = \"ooTextFile\"\n\"TextGrid\"\n0\n5.5\n<exists>\n3\n\"IntervalTier\"\n\"Ann\"\n0\n5.5\n2\n0\n1.25\n\"\"\n1.25\n2.5\n\"say \"\"hi\"\" now\"\n\"TextTier\"\n\"clicks\"\n0\n5.5\n1\n3\n\"x\"\n\"IntervalTier\"\n\"Bob\" ! a remark with 7 in it\n0\n5.5\n1\n3\n4\n\"నమస్తే\"\n";
    c.text("p/a.TextGrid", short);
    assert_eq!(lines(&c.import_with("p", Format::Textgrid, &tiers(&["Ann", "Bob"])).expect("imports")), expected);
    let units: Vec<u16> = format!("\u{feff}{LONG_GRID}").encode_utf16().collect();
    for bytes in [u16::to_be_bytes, u16::to_le_bytes] {
        c.bytes("p/a.TextGrid", &units.iter().flat_map(|u| bytes(*u)).collect::<Vec<_>>());
        assert_eq!(lines(&c.import_with("p", Format::Textgrid, &tiers(&["Ann", "Bob"])).expect("imports")), expected);
    }
    // One tier is no speaker: it may be named `words`.
    let one = c.import_with("p", Format::Textgrid, &tiers(&["Bob"])).expect("imports");
    assert_eq!(lines(&one), [json!(["a-3-0001", "a.wav", "నమస్తే", null, 3.0, 1.0])]);
}

const EAF: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" FORMAT="3.0" VERSION="3.0">
  <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
    <MEDIA_DESCRIPTOR MEDIA_URL="file:///somewhere/talk.mp4" MIME_TYPE="video/mp4" RELATIVE_MEDIA_URL="./talk.mp4"/>
    <MEDIA_DESCRIPTOR MEDIA_URL="file:///somewhere/talk.wav" MIME_TYPE="audio/x-wav" RELATIVE_MEDIA_URL="./talk.wav"/>
  </HEADER>
  <TIME_ORDER>
    <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="500"/><TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="2000"/>
    <TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="2500"/><TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="3000"/>
  </TIME_ORDER>
  <TIER LINGUISTIC_TYPE_REF="default" PARTICIPANT="Ann" TIER_ID="ann-text" LANG_REF="en">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
      <ANNOTATION_VALUE>first &amp; last</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4">
      <ANNOTATION_VALUE/></ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>
  <TIER LINGUISTIC_TYPE_REF="translation" PARENT_REF="ann-text" TIER_ID="ann-te">
    <ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a3" ANNOTATION_REF="a1"><ANNOTATION_VALUE>మొదటి</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>
  </TIER>
</ANNOTATION_DOCUMENT>
"#;

#[test]
fn elan() {
    let c = Corpus::new();
    c.audio("e/talk.wav", 5.0, 1).text("e/session1.eaf", EAF);
    assert_eq!(detected(&c, "e"), "elan");
    let tier = |name: &str| ImportOptions { tiers: vec![name.into()], ..ImportOptions::default() };
    let got = c.import_with("e", Format::Elan, &tier("ann-text")).expect("imports");
    assert_eq!(lines(&got), [json!(["session1-a1", "talk.wav", "first & last", "Ann", 0.5, 1.5])]);
    assert_eq!((&c.manifest()[0]["language"], &c.manifest()[0]["session"]), (&json!("en"), &json!("session1")));
    let got = c.import_with("e", Format::Elan, &tier("ann-te")).expect("imports");
    assert_eq!(lines(&got), [json!(["session1-a3", "talk.wav", "మొదటి", null, 0.5, 1.5])]);
}

#[test]
fn audio_beneath_the_manifest_is_named_relative_to_it_and_other_audio_absolutely() {
    let c = Corpus::new();
    c.audio("out/wav/a.wav", 1.0, 1).audio("far/b.wav", 1.0, 1);
    c.text("out/list.csv", "audio,text\nwav/a.wav,x\nb.wav,y\n");
    let options = ImportOptions { audio_roots: vec![c.path("far")], ..ImportOptions::default() };
    c.import_with("out/list.csv", Format::Csv, &options).expect("imports");
    let manifest = c.manifest();
    assert_eq!((&manifest[0]["audio"], &manifest[1]["audio"]), (&json!("wav/a.wav"), &json!(c.path("far/b.wav"))));
}

#[test]
fn a_corpus_without_its_audio_keeps_paths_as_written() {
    let c = Corpus::new();
    c.text("n/test.jsonl", "{\"audio_filepath\": \"gone/x.wav\", \"duration\": 4.0, \"text\": \"t\"}\n");
    let options = ImportOptions { audio: vbench_corpus::AudioCheck::None, ..ImportOptions::default() };
    let got = c.import_with("n/test.jsonl", Format::Nemo, &options).expect("imports");
    assert_eq!(*got.lines[0].audio, *c.path("n/gone/x.wav"));
    let options = ImportOptions { audio_roots: vec![c.path("n")], ..options };
    c.text("n/test.jsonl", "{\"audio_filepath\": \"../../x.wav\", \"duration\": 4.0, \"text\": \"t\"}\n");
    assert!(c.import_with("n/test.jsonl", Format::Nemo, &options).is_err(), "not even then out of the folder");
}

#[test]
fn what_cannot_be_told_apart_asks_for_the_format() {
    let c = Corpus::new();
    c.text("x/a.stm", "").text("x/b.eaf", "").text("y/readme.md", "").text("z.bin", "?");
    let said = |name: &str| detect(&c.path(name)).expect_err("undecided").to_string();
    assert!(
        said("x").contains("elan (it holds b.eaf), stm") || said("x").contains("stm (it holds a.stm), elan"),
        "{}",
        said("x")
    );
    assert!(said("y").contains("no known corpus format") && said("y").contains("librispeech, kaldi"), "{}", said("y"));
    assert!(said("z.bin").contains("no known corpus format"));
    assert!(said("none").contains("cannot read"));
    for format in Format::ALL {
        assert_eq!(Format::from_name(format.name()), Some(format));
    }
    c.text("cv/dev.tsv", "client_id\tpath\tsentence\n").text("cv/test.tsv", "client_id\tpath\tsentence\n");
    let said = c.refused("cv", Format::CommonVoice);
    assert!(said.contains("several lists; name one of them: dev.tsv, test.tsv"), "{said}");
}
