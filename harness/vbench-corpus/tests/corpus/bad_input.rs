//! Bad corpora: everything wrong is listed with file and line, nothing is written, nothing panics.

use super::common::Corpus;
use vbench_corpus::{AudioCheck, Format, ImportError, ImportOptions, MAX_PROBLEMS};

/// One good utterance `u1` in `x.wav`, in each format; the audio is written by the caller.
fn minimal(c: &Corpus, format: Format) -> &'static str {
    let name = place_of(format);
    match format {
        Format::Librispeech => c.text("c/1/2/1-2.trans.txt", "1-2-0 ONE\n"),
        Format::Kaldi => c.text("c/wav.scp", "u1 x.wav\n").text("c/text", "u1 one\n"),
        Format::Lhotse => c.text("c/cuts.jsonl", &lhotse("u1", "x.wav", 0.0, 1.0)),
        Format::Nemo => c.text("c/m.jsonl", "{\"audio_filepath\":\"x.wav\",\"text\":\"one\"}\n"),
        Format::CommonVoice => c.text("c/test.tsv", "client_id\tpath\tsentence\na\tx.wav\tone\n"),
        Format::Coraal => c.text("c/x.txt", "Line\tSpkr\tStTime\tContent\tEnTime\n1\tx\t0\tone\t1\n"),
        Format::Stm => c.text("c/x.stm", "x 1 x 0 1 one\n"),
        Format::Csv => c.text("c/t.csv", "audio,text\nx.wav,one\n"),
        Format::Tsv => c.text("c/t.tsv", "audio\ttext\nx.wav\tone\n"),
        Format::AudioFolder => c.text("c/metadata.csv", "file_name,text\nx.wav,one\n"),
        Format::Classes => c.text("c/yes/readme", ""),
        Format::Textgrid => c.text("c/x.TextGrid", &grid("0\n1\n\"one\"")),
        Format::Elan => c.text("c/x.eaf", &eaf("0", "1000")),
        Format::Parquet => c,
    };
    name
}

fn place_of(format: Format) -> &'static str {
    match format {
        Format::Nemo => "c/m.jsonl",
        Format::CommonVoice => "c/test.tsv",
        Format::Csv => "c/t.csv",
        Format::Tsv => "c/t.tsv",
        _ => "c",
    }
}

/// The list that a format's lines stand in.
fn list_of(format: Format) -> &'static str {
    match format {
        Format::Librispeech => "c/1/2/1-2.trans.txt",
        Format::Kaldi => "c/text",
        Format::Lhotse => "c/cuts.jsonl",
        Format::Coraal => "c/x.txt",
        Format::Stm => "c/x.stm",
        Format::AudioFolder => "c/metadata.csv",
        Format::Textgrid => "c/x.TextGrid",
        Format::Elan => "c/x.eaf",
        other => place_of(other),
    }
}

/// Formats with a list of text.
fn listed() -> impl Iterator<Item = Format> {
    Format::ALL.into_iter().filter(|f| ![Format::Classes, Format::Parquet].contains(f))
}

fn lhotse(id: &str, audio: &str, start: f64, duration: f64) -> String {
    format!(
        "{{\"id\":\"{id}\",\"start\":0,\"duration\":1,\"channel\":0,\"type\":\"MonoCut\",\"recording\":{{\"id\":\"r\",\"sources\":[{{\"type\":\"file\",\"channels\":[0],\"source\":\"{audio}\"}}],\"duration\":1}},\"supervisions\":[{{\"id\":\"{id}\",\"recording_id\":\"r\",\"start\":{start},\"duration\":{duration},\"channel\":0,\"text\":\"one\"}}]}}\n"
    )
}

fn grid(interval: &str) -> String {
    format!("\"ooTextFile\"\n\"TextGrid\"\n0\n1\n<exists>\n1\n\"IntervalTier\"\n\"t\"\n0\n1\n1\n{interval}\n")
}

fn eaf(from: &str, to: &str) -> String {
    format!(
        "<ANNOTATION_DOCUMENT><TIME_ORDER>\n<TIME_SLOT TIME_SLOT_ID=\"1\" TIME_VALUE=\"{from}\"/><TIME_SLOT TIME_SLOT_ID=\"2\" TIME_VALUE=\"{to}\"/></TIME_ORDER>\n<TIER TIER_ID=\"t\"><ANNOTATION>\n<ALIGNABLE_ANNOTATION ANNOTATION_ID=\"a\" TIME_SLOT_REF1=\"1\" TIME_SLOT_REF2=\"2\"><ANNOTATION_VALUE>one</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>"
    )
}

/// Where each minimal corpus looks for its recording.
fn audio_of(format: Format) -> &'static str {
    match format {
        Format::Librispeech => "c/1/2/1-2-0.flac",
        Format::CommonVoice => "c/clips/x.wav",
        Format::Classes => "c/yes/x.wav",
        _ => "c/x.wav",
    }
}

#[test]
fn minimal_corpora_are_good_and_so_are_carriage_returns_and_byte_order_marks() {
    for format in listed() {
        let c = Corpus::new();
        let name = minimal(&c, format);
        c.audio(audio_of(format), 1.0, 1);
        let plain = c.import(name, format);
        assert_eq!((plain.lines.len(), plain.lines[0].text.to_lowercase()), (1, "one".into()), "{}", format.name());
        let text = std::fs::read_to_string(c.path(list_of(format))).expect("reads");
        c.text(list_of(format), &format!("\u{feff}{}", text.replace('\n', "\r\n")));
        let marked = c.import(name, format);
        assert_eq!(marked.lines, plain.lines, "{}", format.name());
    }
}

#[test]
fn missing_audio_is_named_with_file_line_and_where_it_was_looked_for() {
    for format in listed() {
        let c = Corpus::new();
        let name = minimal(&c, format);
        let said = c.refused(name, format);
        let list = if format == Format::Kaldi { "c/wav.scp" } else { list_of(format) };
        assert!(said.contains(&format!("{list}:")), "{}: {said}", format.name());
        assert!(said.contains("no audio `") && said.contains("looked in c"), "{}: {said}", format.name());
    }
}

#[test]
fn broken_utf8_is_named_by_line_and_byte() {
    for format in listed() {
        let c = Corpus::new();
        let name = minimal(&c, format);
        c.audio(audio_of(format), 1.0, 1);
        let mut bytes = std::fs::read(c.path(list_of(format))).expect("reads");
        let line = bytes.iter().filter(|b| **b == b'\n').count() + usize::from(bytes.last() != Some(&b'\n'));
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        bytes.push(0xff);
        c.bytes(list_of(format), &bytes);
        let said = c.refused(name, format);
        assert!(said.contains(&format!("{}:{line}: not UTF-8 at byte", list_of(format))), "{}: {said}", format.name());
    }
}

#[test]
fn duplicate_ids_name_both_places() {
    for (format, text, places) in [
        (Format::Csv, "id,audio,text\nu,x.wav,a\nv,x.wav,b\nu,x.wav,c\n", ("c/t.csv:4", "c/t.csv:2")),
        (Format::Tsv, "audio\ttext\nx.wav\ta\nx.wav\tb\n", ("c/t.tsv:3", "c/t.tsv:2")),
        (Format::Librispeech, "1-2-0 ONE\n\n1-2-0 TWO\n", ("1-2.trans.txt:3", "1-2.trans.txt:1")),
        (Format::Stm, "x 1 x 0 1 one\nx 1 x 0 1 two\n", ("c/x.stm:2", "c/x.stm:1")),
        (Format::Kaldi, "u1 one\nu1 two\n", ("c/text:2", "line 1")),
    ] {
        let c = Corpus::new();
        let name = minimal(&c, format);
        c.audio(audio_of(format), 1.0, 1).text(list_of(format), text);
        let said = c.refused(name, format);
        assert!(said.contains("duplicate id `") && said.contains(places.0) && said.contains(places.1), "{said}");
    }
}

#[test]
fn times_that_are_none_negative_or_past_the_end() {
    let csv = |times: &str| (Format::Csv, format!("audio,text,start,end,duration\nx.wav,a,{times}\n"));
    for ((format, text), expected) in [
        (csv("-1,2,"), "`start_s` must be a number of seconds of at least 0, found `-1`"),
        (csv("0.5,0.25,"), "the duration must be above 0 s, found -0.25 s"),
        (csv("0.5,,0"), "the duration must be above 0 s, found 0 s"),
        (csv("0.5,,-3"), "`duration_s` must be a number of seconds of at least 0, found `-3`"),
        (csv("0.5,,NaN"), "found `NaN`"),
        (csv("x,,1"), "`start_s` must be a number of seconds of at least 0, found `x`"),
        (csv("0.5,,9.75"), "ends at 10.25 s, but c/x.wav has 10.000 s"),
        (csv("11,,"), "ends at 11 s, but c/x.wav has 10.000 s"),
        (csv(",,12"), "ends at 12 s, but c/x.wav has 10.000 s"),
        ((Format::Stm, "x 1 x 5 4 one\n".into()), "the duration must be above 0 s, found -1 s"),
        ((Format::Stm, "x 1 x -5 4 one\n".into()), "`start` must be"),
        ((Format::Stm, "x 1 x 5 11 one\n".into()), "ends at 11 s"),
        ((Format::Nemo, "{\"audio_filepath\":\"x.wav\",\"text\":\"\",\"duration\":-1}\n".into()), "found `-1`"),
        (
            (Format::Nemo, "{\"audio_filepath\":\"x.wav\",\"text\":\"\",\"offset\":8,\"duration\":3}\n".into()),
            "ends at 11 s",
        ),
        ((Format::Lhotse, lhotse("u", "x.wav", -2.0, 1.0)), "`start` must be"),
        ((Format::Lhotse, lhotse("u", "x.wav", 2.0, 0.0)), "the duration must be above 0 s"),
        ((Format::Lhotse, lhotse("u", "x.wav", 2.0, 80.0)), "ends at 82 s"),
        ((Format::Textgrid, grid("0.5\n0.25\n\"one\"")), "the duration must be above 0 s"),
        ((Format::Textgrid, grid("0.5\n25\n\"one\"")), "ends at 25 s"),
        ((Format::Elan, eaf("500", "200")), "the duration must be above 0 s"),
        ((Format::Elan, eaf("500", "20000")), "ends at 20 s"),
        ((Format::Elan, eaf("500", "never")), "expected times, found annotation `a` without"),
        ((Format::Coraal, "Line\tSpkr\tStTime\tContent\tEnTime\n1\tx\t3\tone\t2\n".into()), "above 0 s, found -1 s"),
    ] {
        let c = Corpus::new();
        let name = minimal(&c, format);
        c.audio(audio_of(format), 10.0, 1).text(list_of(format), &text);
        let said = c.refused(name, format);
        assert!(said.contains(expected), "{} {text:?}: {said}", format.name());
        assert!(said.contains(&format!("{}:", list_of(format))), "{said}");
    }
    let c = Corpus::new();
    c.audio("c/x.wav", 10.0, 1).text("c/wav.scp", "r x.wav\n").text("c/text", "a one\nb two\nd three\n");
    c.text("c/segments", "a r 3 2\nb r 9 10.5\nd r 1\n");
    let said = c.refused("c", Format::Kaldi);
    for expected in
        ["segments:1: the duration must be above 0 s, found -1 s", "segments:2: ends at 10.5 s", "segments:3: 3 fields"]
    {
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn an_end_ten_milliseconds_beyond_the_end_is_the_end() {
    let c = Corpus::new();
    c.audio("c/x.wav", 10.0, 1).text("c/x.stm", "x 1 x 9 10.009 one\n");
    assert_eq!(c.import("c", Format::Stm).lines.len(), 1);
}

#[test]
fn wrong_columns_and_shapes_are_named_with_what_is_there() {
    for (format, text, expected) in [
        (Format::Csv, "path_to,text\nx.wav,a\n", "c/t.csv:2: no `audio`; there are: path_to, text"),
        (Format::Csv, "audio,words\nx.wav,a\n", "no `text`; there are: audio, words"),
        (Format::Csv, "audio,text,text\nx.wav,a,b\n", "c/t.csv:1: two columns are named `text`"),
        (Format::Csv, "audio,text\nx.wav,a,b\n", "c/t.csv:2: 3 fields, expected 2 as in the header"),
        (Format::Csv, "audio,text\nx.wav,\"a\nb\n", "c/t.csv:2: a field opens with a quotation mark"),
        (Format::Csv, "audio,text\nx.wav,\"a\" b\n", "c/t.csv:2: text behind the closing quotation mark"),
        (Format::Csv, "audio,text,sha256\nx.wav,a,zz\n", "c/t.csv:2: a sha256 has 64 hex digits, found `zz`"),
        (Format::Csv, "id,audio,text\n\u{7},x.wav,a\n", "holds control characters"),
        (Format::Csv, "audio,text\n", "no utterances: expected rows below the header"),
        (Format::Csv, "", "c/t.csv: no utterances"),
        (Format::CommonVoice, "client\tpath\tsentence\na\tx.wav\tone\n", "c/test.tsv:1: no `client_id`"),
        (Format::Nemo, "{\"audio_filepath\":\"x.wav\"}\n", "c/m.jsonl:1: no `text`; there are: audio_filepath"),
        (Format::Nemo, "[1]\n", "c/m.jsonl:1: expected a JSON object a line"),
        (Format::Nemo, "{\"audio_filepath\":\n", "c/m.jsonl:1: not JSON: EOF"),
        (Format::Lhotse, "{\"id\":\"c\",\"supervisions\":[{}]}\n", "no `recording`"),
        (Format::Lhotse, "{\"id\":\"c\",\"type\":\"MixedCut\",\"supervisions\":[{}]}\n", "a MixedCut is not supported"),
        (Format::Stm, "x 1 x 0\n", "c/x.stm:1: 4 fields, expected at least 5"),
        (Format::Stm, "x 1 x 0 1 we {went / go} home\n", "alternates or optional words"),
        (Format::Stm, "x 1 x 0 1 well (uh) yes\n", "alternates or optional words (`(uh)`)"),
        (
            Format::Librispeech,
            "no id here\n",
            "1-2.trans.txt:1: expected `SPEAKER-CHAPTER-NUMBER TEXT`, found no id here",
        ),
        (Format::Textgrid, "\"ooTextFile\"\n\"Pitch\"\n", "expected \"TextGrid\", as a TextGrid begins, found Pitch"),
        (
            Format::Textgrid,
            "\"ooTextFile\"\n\"TextGrid\"\n0\n1\n<exists>\n1\n\"IntervalTier\"\n\"t\"\n0\n1\n3\n0\n1\n\"a\"\n",
            "found the end of the file",
        ),
        (
            Format::Textgrid,
            "\"ooTextFile\"\n\"TextGrid\"\n0\n1\n<exists>\n99999999999999999999\n",
            "expected the number of tiers",
        ),
        (Format::Elan, "<ANNOTATION_DOCUMENT><TIER>\n</ANNOTATION_DOCUMENT>", "c/x.eaf:2: expected XML of ELAN"),
        (Format::Elan, "<html/>", "expected an ANNOTATION_DOCUMENT of ELAN, found <html>"),
        (
            Format::Elan,
            "<!DOCTYPE a [<!ENTITY b \"bbbb\">]><ANNOTATION_DOCUMENT>&b;</ANNOTATION_DOCUMENT>",
            "expected XML of ELAN, found XML with DTD",
        ),
        (Format::Coraal, "Line\tSpkr\n1\tx\n", "no `StTime`"),
    ] {
        let c = Corpus::new();
        minimal(&c, format);
        c.audio(audio_of(format), 10.0, 1).text(list_of(format), text);
        let name = if format == Format::Coraal { "c/x.txt" } else { place_of(format) };
        let said = c.refused(name, format);
        assert!(said.contains(expected), "{} {text:?}: {said}", format.name());
    }
    let mut options = ImportOptions::default();
    options.columns.name("text", "words");
    let c = Corpus::new();
    let said = c.text("c/t.csv", "audio,text\nx.wav,a\n").refused_with("c/t.csv", Format::Csv, &options);
    assert!(said.contains("c/t.csv:1: no `words`; there are: audio, text"), "{said}");
}

#[test]
fn paths_that_leave_the_corpus_are_refused_and_the_way_out_is_named() {
    for format in
        [Format::Csv, Format::Tsv, Format::Nemo, Format::Lhotse, Format::Kaldi, Format::AudioFolder, Format::Elan]
    {
        for (written, what) in
            [("../secret.wav", "`..`"), ("sub/../../secret.wav", "hidden `..`"), ("ABSOLUTE", "absolute")]
        {
            let c = Corpus::new();
            let name = minimal(&c, format);
            c.audio("secret.wav", 1.0, 1).audio("c/sub/x.wav", 1.0, 1);
            let secret = c.path("secret.wav").display().to_string();
            let written = if written == "ABSOLUTE" { secret.as_str() } else { written };
            let list = if format == Format::Kaldi { "c/wav.scp" } else { list_of(format) };
            let text = std::fs::read_to_string(c.path(list)).expect("reads").replace("x.wav", written);
            let header =
                format!("<ANNOTATION_DOCUMENT><HEADER><MEDIA_DESCRIPTOR RELATIVE_MEDIA_URL=\"{written}\"/></HEADER>");
            c.text(list, &text.replace("<ANNOTATION_DOCUMENT>", &header));
            let said = c.refused(name, format);
            assert!(
                said.contains("lies outside of c; name the folder that holds it with --audio-root"),
                "{} {what}: {said}",
                format.name()
            );
            let options = ImportOptions { audio_roots: vec![c.path("")], ..ImportOptions::default() };
            let got = c.import_with(name, format, &options).unwrap_or_else(|e| panic!("{} {what}: {e}", format.name()));
            assert_eq!(*got.lines[0].audio, *c.path("secret.wav"));
        }
    }
}

#[cfg(unix)]
#[test]
fn symbolic_links_in_circles_and_out_of_the_corpus() {
    use std::os::unix::fs::symlink;
    for format in [
        Format::Librispeech,
        Format::Coraal,
        Format::Stm,
        Format::Classes,
        Format::Textgrid,
        Format::Elan,
        Format::AudioFolder,
    ] {
        let c = Corpus::new();
        let name = minimal(&c, format);
        c.audio(audio_of(format), 1.0, 1).text("c/deep/er/file", "");
        symlink("../..", c.path("c/deep/er/up")).expect("links");
        let said = c.refused(name, format);
        assert!(
            said.contains("c/deep/er/up: a symbolic link leads back to a folder above it"),
            "{}: {said}",
            format.name()
        );
    }
    let c = Corpus::new();
    c.audio("secret.wav", 1.0, 1).text("c/t.csv", "audio,text\nlink.wav,a\nloop.wav,b\n");
    symlink("../secret.wav", c.path("c/link.wav")).expect("links");
    symlink("loop.wav", c.path("c/loop.wav")).expect("links");
    let said = c.refused("c/t.csv", Format::Csv);
    assert!(
        said.contains("t.csv:2: `link.wav` lies outside of c") && said.contains("t.csv:3: no audio `loop.wav`"),
        "{said}"
    );
    let c = Corpus::new();
    c.audio("secret/x.wav", 1.0, 1).text("c/x.stm", "x 1 x 0 1 one\n");
    symlink("../secret", c.path("c/wav")).expect("links");
    assert!(c.refused("c", Format::Stm).contains("no audio `x.wav, .flac"), "a link is not a way out for names either");
}

#[test]
fn kaldi_commands_archives_and_names_without_partners() {
    let c = Corpus::new();
    c.audio("c/x.wav", 1.0, 1);
    c.text("c/wav.scp", "a sox x.wav -t wav - |\nb foo.ark:1234\nc -\nd x.wav\ne\nf x.wav\n");
    c.text("c/text", "a one\nb two\nc three\nd four\ne five\ng six\n");
    let said = c.refused("c", Format::Kaldi);
    for expected in [
        "c/wav.scp:1: `sox x.wav -t wav - |` is a command: vbench runs none",
        "c/wav.scp:2: audio inside an ark archive is not supported",
        "c/wav.scp:3: `-` is a command",
        "c/wav.scp:5: 1 fields, expected 2",
        "c/wav.scp:6: `f` is not in text",
        "c/text:6: `g` is not in wav.scp",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(said.starts_with("nothing imported: 6 problems:"), "{said}");
    c.text("c/wav.scp", "r x.wav\n").text("c/text", "a one\nz two\n").text("c/segments", "a q 0 1\nb r 0 1\n");
    let said = c.refused("c", Format::Kaldi);
    for expected in
        ["segments:1: `q` is not in wav.scp", "segments:2: `b` is not in text", "text:2: `z` is not in segments"]
    {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    std::fs::remove_file(c.path("c/text")).expect("removes");
    assert!(c.refused("c", Format::Kaldi).contains("c/text: cannot read"));
    let c = Corpus::new();
    let command = lhotse("u", "sox x.wav -t wav -", 0.0, 1.0).replace("\"type\":\"file\"", "\"type\":\"command\"");
    let said = c.text("c/cuts.jsonl", &command).refused("c", Format::Lhotse);
    assert!(said.contains("`sox x.wav -t wav -` is a command"), "{said}");
}

#[test]
fn channels_of_a_recording_with_several_are_refused() {
    let c = Corpus::new();
    c.audio("c/x.wav", 10.0, 2).text("c/x.stm", "x A x 0 1 one\nx B y 0 1 two\n");
    let said = c.refused("c", Format::Stm);
    assert!(said.contains("x.stm:1: asks for channel A of c/x.wav, which has 2") && said.contains("x.stm:2"), "{said}");
}

#[test]
fn recordings_of_one_name_and_recordings_that_are_none() {
    let c = Corpus::new();
    c.audio("c/1/x.wav", 1.0, 1).audio("c/2/x.flac", 1.0, 1).text("c/x.stm", "x 1 x 0 1 one\n");
    let said = c.refused("c", Format::Stm);
    assert!(said.contains("c/1/x.wav") && said.contains("c/2/x.flac") && said.contains("name one folder"), "{said}");
    let options = ImportOptions { audio_roots: vec![c.path("c/2")], ..ImportOptions::default() };
    assert_eq!(c.import_with("c", Format::Stm, &options).expect("imports").lines.len(), 1);

    let c = Corpus::new();
    c.text("c/x.wav", "noise").audio("c/y.wav", 1.0, 1).text("c/t.csv", "audio,text\nx.wav,a\ny.wav,b\nz.wav,c\n");
    let said = c.refused("c/t.csv", Format::Csv);
    assert!(
        said.contains("t.csv:2: audio c/x.wav: unknown format") && said.contains("t.csv:4: no audio `z.wav`"),
        "{said}"
    );
    let options = ImportOptions { leave_out_bad_audio: true, ..ImportOptions::default() };
    let got = c.import_with("c/t.csv", Format::Csv, &options).expect("imports");
    assert_eq!(
        (got.lines.len(), got.bad_audio.len(), got.left_out["utterances without a usable recording"]),
        (1, 2, 2)
    );
    let options = ImportOptions { audio: AudioCheck::Exist, ..ImportOptions::default() };
    let said = Corpus::refused_with(
        &{
            std::fs::remove_dir_all(c.path("out")).expect("removes");
            c
        },
        "c/t.csv",
        Format::Csv,
        &options,
    );
    assert!(!said.contains("x.wav:") && said.contains("no audio `z.wav`"), "only looked for: {said}");
}

#[test]
fn twenty_problems_are_listed_and_the_rest_counted() {
    let c = Corpus::new();
    let lines: String = (0..50).map(|i| format!("x{i}.wav,a\n")).collect();
    c.text("c/t.csv", &format!("audio,text\n{lines}broken\n"));
    let said = c.refused("c/t.csv", Format::Csv);
    assert!(said.starts_with("nothing imported: 51 problems:\n  c/t.csv:52: 1 fields"), "{said}");
    assert_eq!(said.lines().count(), 1 + MAX_PROBLEMS + 1, "{said}");
    assert!(said.ends_with("and 31 more"), "{said}");
}

#[test]
fn tiers_must_be_chosen_among_several() {
    let c = Corpus::new();
    let two = "\"ooTextFile\"\n\"TextGrid\"\n0\n1\n<exists>\n2\n\"IntervalTier\"\n\"words\"\n0\n1\n0\n\"IntervalTier\"\n\"phones\"\n0\n1\n0\n";
    c.audio("c/x.wav", 1.0, 1).text("c/x.TextGrid", two);
    assert!(
        c.refused("c", Format::Textgrid)
            .contains("2 tiers of intervals; choose with --tier NAME; tiers: words, phones")
    );
    let options = ImportOptions { tiers: vec!["word".into()], ..ImportOptions::default() };
    let said = c.refused_with("c", Format::Textgrid, &options);
    assert!(said.contains("no tier of intervals `word`; tiers: words, phones"), "{said}");
}

#[test]
fn a_compressed_list_that_expands_beyond_the_limit_is_refused() {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let blank = vec![b'\n'; 1 << 20];
    for _ in 0..=(vbench_corpus::MAX_LIST_BYTES >> 20) {
        encoder.write_all(&blank).expect("compresses");
    }
    let c = Corpus::new();
    c.bytes("c/cuts.jsonl.gz", &encoder.finish().expect("compresses"));
    let said = c.refused("c/cuts.jsonl.gz", Format::Lhotse);
    assert!(said.contains("more than the limit of 1073741824 bytes"), "{said}");
    c.bytes("c/cuts.jsonl.gz", b"not gzip");
    assert!(c.refused("c/cuts.jsonl.gz", Format::Lhotse).contains("cannot read"));
}

#[test]
fn an_interrupted_or_failed_write_leaves_the_old_manifest() {
    let c = Corpus::new();
    c.audio("c/x.wav", 1.0, 1).text("c/t.csv", "audio,text\nx.wav,a\n").text("out/manifest.jsonl", "old");
    c.text("c/bad.csv", "audio,text\nnone.wav,a\n");
    assert!(matches!(
        c.import_with("c/bad.csv", Format::Csv, &ImportOptions::default()),
        Err(ImportError::Problems(_))
    ));
    assert_eq!(std::fs::read_to_string(c.path("out/manifest.jsonl")).expect("reads"), "old");
    c.import("c/t.csv", Format::Csv);
    assert_eq!(c.manifest().len(), 1);
    let names: Vec<_> =
        std::fs::read_dir(c.path("out")).expect("lists").map(|e| e.expect("entry").file_name()).collect();
    assert_eq!(names, ["manifest.jsonl"]);
    let into_a_file = vbench_corpus::import(
        &c.path("c/t.csv"),
        Format::Csv,
        &c.path("c/t.csv/manifest.jsonl"),
        &ImportOptions::default(),
        &super::common::tools(),
    );
    assert!(matches!(into_a_file, Err(ImportError::Write { .. })));
}
