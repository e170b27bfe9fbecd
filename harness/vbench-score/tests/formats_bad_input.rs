//! A clear error or a right answer, never a panic.

use vbench_score::formats::{
    Columns, Format, FormatError, MissingPolicy, Paired, ProblemKind, Reference, Side, Source, load, load_pairs, read,
};

const POLICY: MissingPolicy = MissingPolicy::Error;

fn two<'a>(reference: &'a [u8], hypothesis: &'a [u8], format: Format) -> Result<Paired<'a>, FormatError> {
    let reference = Source { file: "ref", bytes: reference, format };
    let hypothesis = Source { file: "hyp", bytes: hypothesis, format };
    load(&reference, &hypothesis, &Columns::default(), POLICY)
}

fn pairs(bytes: &[u8], format: Format) -> Result<Paired<'_>, FormatError> {
    load_pairs(&Source { file: "f", bytes, format }, &Columns::default(), POLICY)
}

fn said(text: &str, format: Format) -> String {
    let source = Source { file: "f", bytes: text.as_bytes(), format };
    match read(&source, Side::Reference, &Columns::default()) {
        Ok(read) => panic!("{text:?} was read as {:?}", read.list),
        Err(e) => e.to_string(),
    }
}

/// A file of one utterance with this text, for both sides of `load`.
fn file_with(text: &str, format: Format) -> String {
    let quoted = serde_json::to_string(text).expect("JSON");
    match format {
        Format::Text => format!("{text}\n"),
        Format::Kaldi => format!("u-1 {text}\n"),
        Format::Jsonl => format!("{{\"id\":\"u-1\",\"text\":{quoted}}}\n"),
        Format::Csv => format!("id,text\nu-1,\"{}\"\n", text.replace('"', "\"\"")),
        Format::Tsv => format!("id\ttext\nu-1\t{text}\n"),
        Format::Trn => format!("{text} (u-1)\n"),
        Format::Stm => format!("f 1 u 0.0 1.0 {text}\n"),
        Format::Ctm => format!("f 1 0.0 1.0 {text}\n"),
        Format::Seglst => format!("[{{\"session_id\":\"s\",\"speaker\":\"a\",\"words\":{quoted}}}]\n"),
    }
}

const WITH_TEXT: [Format; 8] =
    [Format::Text, Format::Kaldi, Format::Jsonl, Format::Csv, Format::Tsv, Format::Trn, Format::Stm, Format::Seglst];

#[test]
fn unequal_line_counts_name_both_and_the_first_line_without_a_counterpart() {
    let error = two(b"a\nb\n", b"a\nb\nc\nd", Format::Text).expect_err("4 lines against 2");
    assert_eq!(error.to_string(), "ref: 2 lines, but hyp has 4; line 3 of the longer file has no counterpart");
}

#[test]
fn invalid_utf8_is_named_by_file_line_and_byte() {
    let error = two(b"good\nab\xffc\nok\n\xc3\n", b"1\n2\n3\n4\n", Format::Text).expect_err("not UTF-8");
    assert_eq!(error.to_string(), "ref:2: not UTF-8 at byte 3 of the line\nref:4: not UTF-8 at byte 1 of the line");
    let many = b"\x80\n".repeat(50);
    let error = two(&many, &many, Format::Text).expect_err("not UTF-8");
    assert_eq!((error.total, error.problems.len()), (100, 40), "20 a file");
    for format in Format::ALL {
        let read = read(&Source { file: "f", bytes: b"a\xff", format }, Side::Reference, &Columns::default());
        let error = read.expect_err("not UTF-8");
        assert_eq!(error.problems[0].kind, ProblemKind::InvalidUtf8 { byte: 2, utf16: false }, "{}", format.name());
    }
}

#[test]
fn utf16_is_recognised() {
    let bytes: Vec<u8> = "\u{feff}id,ref,hyp\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let error = pairs(&bytes, Format::Csv).expect_err("UTF-16");
    assert_eq!(error.to_string(), "f:1: not UTF-8 at byte 1 of the line (it looks like UTF-16: convert it)");
}

#[test]
fn a_byte_order_mark_and_carriage_returns_change_nothing() {
    for format in WITH_TEXT {
        let plain = file_with("some words", format);
        let marked = format!("\u{feff}{}", plain.replace('\n', "\r\n"));
        let unended = plain.trim_end().to_owned();
        let expected = two(plain.as_bytes(), plain.as_bytes(), format).expect("pairs");
        assert_eq!(&*expected.pairs[0].reference.plain(), "some words", "{}", format.name());
        for other in [&marked, &unended] {
            let paired = two(other.as_bytes(), plain.as_bytes(), format).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(paired, expected, "{}: {other:?}", format.name());
        }
    }
}

#[test]
fn odd_characters_come_through_unchanged() {
    let odd = [
        "nul\0inside",
        "\u{202e}bidi\u{202c} \u{627}\u{644}",
        "\u{301}\u{c4d} lone marks",
        "e\u{301} \u{1f469}\u{200d}\u{1f4bb}",
        "line\u{2028}separator\u{b}vt\u{85}nel",
        "in\rside",
        "inner \u{feff}mark",
    ];
    for format in WITH_TEXT {
        for text in odd {
            let file = file_with(text, format);
            let paired = two(file.as_bytes(), file.as_bytes(), format).unwrap_or_else(|e| panic!("{e}: {file:?}"));
            assert_eq!(paired.pairs.len(), 1, "{}: {file:?}", format.name());
            assert_eq!(&*paired.pairs[0].reference.plain(), text, "{}", format.name());
            assert_eq!(&*paired.pairs[0].hypothesis, text, "{}", format.name());
        }
    }
}

#[test]
fn a_line_of_ten_megabytes_is_read() {
    let long = "word ".repeat(2 << 20);
    let long = long.trim_end();
    for format in WITH_TEXT {
        let file = file_with(long, format);
        let paired = two(file.as_bytes(), file.as_bytes(), format).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(paired.pairs[0].hypothesis.len(), long.len(), "{}", format.name());
    }
}

#[test]
fn braces_are_markup_in_trn_and_stm_references_only() {
    let text = "{ktb } and (word) at @";
    for format in WITH_TEXT {
        let file = file_with(text, format);
        let with_markup = matches!(format, Format::Trn | Format::Stm);
        match two(file.as_bytes(), file.as_bytes(), format) {
            Ok(paired) => {
                assert!(!with_markup);
                assert_eq!(paired.pairs[0].reference, Reference::Plain(text.into()), "{}", format.name());
            }
            Err(e) => {
                assert!(with_markup, "{}: {e}", format.name());
                assert!(e.to_string().starts_with("ref:1: alternates { … } with one alternative only"), "{e}");
                assert!(e.to_string().ends_with("use --format kaldi or jsonl"), "{e}");
            }
        }
    }
}

#[test]
fn broken_markup_is_an_error_with_its_line() {
    let error = said("ok (a-1)\n{ a / b (a-2)\n{ a / } (a-3)\n{ a{b / c } (a-4)\n", Format::Trn);
    let lines: Vec<&str> = error.lines().map(|l| l.split(';').next().unwrap_or_default()).collect();
    assert_eq!(
        lines,
        [
            "f:2: alternates are opened with { and never closed with }",
            "f:3: an empty alternative: write @ for no word",
            "f:4: an opening brace inside a word of an alternative"
        ]
    );
    let deep = format!("{}x{} (a-1)\n", "{ a / ".repeat(100_000), " }".repeat(100_000));
    assert!(said(&deep, Format::Trn).contains("nested more than 32 deep"));
}

#[test]
fn an_unknown_column_lists_those_that_exist() {
    let error = pairs(b"id;ref;hyp\n1;a;b\n", Format::Csv).expect_err("semicolons");
    assert_eq!(
        error.to_string(),
        "f:1: no column \"ref\"; there are id;ref;hyp\nf:1: no column \"hyp\"; there are id;ref;hyp"
    );
    let source = Source { file: "f", bytes: b"id,ref,hyp\n1,a,b\n", format: Format::Csv };
    let columns = Columns { speaker: "spk", ..Columns::default() };
    let error = load_pairs(&source, &columns, POLICY).expect_err("no column spk");
    assert_eq!(error.to_string(), "f:1: no column \"spk\"; there are id, ref, hyp");
    assert_eq!(said("", Format::Csv), "f:1: no column \"id\"; there are none\nf:1: no column \"text\"; there are none");
    assert_eq!(said("id,text,text\n", Format::Csv), "f:1: two columns are named \"text\"");
}

#[test]
fn broken_tables_are_errors_with_their_lines() {
    let error = pairs(b"id,ref,hyp\n1,a\n2,\"x\ny\",b\n3,\"a\"b,c\n4,a,b,c\n5,a,\"b\n6,a,b\n", Format::Csv);
    assert_eq!(
        error.expect_err("five problems").to_string(),
        "f:2: 2 fields, expected 3 as in the header\n\
         f:5: text behind the closing quotation mark of a field; a quotation mark inside a field is written twice\n\
         f:6: 4 fields, expected 3 as in the header\n\
         f:7: a field opens with a quotation mark that is never closed"
    );
    assert_eq!(said("id,text\n,a\n", Format::Csv), "f:2: no utterance id: expected a field with the id");
}

#[test]
fn broken_json_is_an_error_with_line_and_column() {
    let text = "{\"id\":\"a\",\"text\":\"x\"}\n{\"id\":\"b\",}\n[1]\n{\"id\":\"c\",\"text\":5}\n{\"id\":\"d\"}\n\
                {\"id\":\"e\",\"text\":null}\n{\"id\":\"f\",\"id\":\"g\",\"text\":\"\"}\n{\"text\":\"\"}\n{\"id\":[],\"text\":\"\"}\n";
    let error = said(text, Format::Jsonl);
    let starts = [
        "f:2: not JSON at column 11: ",
        "f:3: not JSON at column ",
        "f:4: \"text\" is a number, expected a string",
        "f:5: no key \"text\"; there are id",
        "f:6: \"text\" is null, expected a string",
        "f:7: key \"id\" stands twice",
        "f:8: no utterance id: expected a key with the id",
        "f:9: \"id\" is a list, expected a string",
    ];
    assert_eq!(error.lines().count(), starts.len(), "{error}");
    for (line, start) in error.lines().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
    let deep = format!("{{\"id\":\"a\",\"text\":\"\",\"x\":{}", "[".repeat(1_000_000));
    assert!(said(&deep, Format::Jsonl).contains("not JSON"));
    let wide: Vec<String> = (0..200_000).map(|i| format!("\"k{i}\":{i}")).collect();
    assert_eq!(said(&format!("{{\"text\":\"\",{}}}", wide.join(",")), Format::Jsonl), "f:1: more than 1000 names");
}

#[test]
fn broken_seglst_is_an_error_with_its_line() {
    for (text, expected) in [
        ("", "f:1: expected a JSON list of segments, found \"the end of the file\""),
        ("\n{}", "f:2: expected a JSON list of segments, found \"{\""),
        ("[", "f:1: expected an object, found \"the end of the file\""),
        ("[]\n\nx", "f:3: expected nothing behind the list, found \"x\""),
        ("[1]", "f:1: not JSON at column 1: invalid type: integer `1`, expected an object"),
        ("[\0]", "f:1: not JSON at column 1: expected value"),
    ] {
        assert_eq!(said(text, Format::Seglst), expected, "{text:?}");
    }
    let segment = r#"{"session_id":"s","speaker":"a","words":"x"}"#;
    assert_eq!(
        said(&format!("[{segment}\n{segment}]"), Format::Seglst),
        "f:2: expected a comma or the end of the list, found \"{\""
    );
    let text = "[\n{\"words\":\"x\",\"speaker\":\"a\"},\n\n{\"session_id\":\"s\",\"speaker\":\"a\"},\n\
                {\"session_id\":\"s\",\"speaker\":\"a\",\"words\":\"\",\"start_time\":2,\"end_time\":1},\n{\"x\":\n[1,]}]";
    let error = said(text, Format::Seglst);
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines[0], "f:2: no key \"session_id\"; there are words, speaker");
    assert_eq!(lines[1], "f:4: no key \"words\"; there are session_id, speaker");
    assert_eq!(lines[2], "f:5: ends at 1 s, before its begin at 2 s");
    assert!(lines[3].starts_with("f:7: not JSON at column "), "{error}");
}

#[test]
fn broken_sclite_lines_are_errors_with_their_lines() {
    let no_id = "no utterance id: expected (id) at the end of the line";
    assert_eq!(
        said("a b\na (b) c\n()\n)\n", Format::Trn),
        format!("f:1: {no_id}\nf:2: {no_id}\nf:3: {no_id}\nf:4: {no_id}")
    );
    assert_eq!(
        said("f 1 s 0.0\nf 1 s zero 1.0 a\nf 1 s 2.0 1.0 a\nf 1 s nan 1.0 a\nf 1 s 0 inf a\n", Format::Stm),
        "f:1: 4 fields, expected at least 5: file, channel, speaker, start, end\n\
         f:2: start \"zero\" is not a number of seconds\n\
         f:3: ends at 1 s, before its begin at 2 s\n\
         f:4: start \"nan\" is not a number of seconds\n\
         f:5: end \"inf\" is not a number of seconds"
    );
    let stm = Source { file: "r", bytes: b"f 1 s 0 1 a\nf 1 s 0 1 a\n", format: Format::Stm };
    let ctm = Source {
        file: "h",
        bytes: b"f 1 0 1\nf 1 * * <ALT_BEGIN>\nf 1 0 x a\nf 1 1e308 1e308 a\n",
        format: Format::Ctm,
    };
    let error = load(&stm, &ctm, &Columns::default(), POLICY).expect_err("both are broken").to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines[0], "r:2: id \"f_1_s_0-1\" stands also in line 1");
    assert_eq!(lines[1], "h:1: 4 fields, expected at least 5: file, channel, start, duration, word");
    assert_eq!(lines[2], "h:2: alternates (<ALT_BEGIN>) in a hypothesis: only references have them");
    assert_eq!(lines[3], "h:3: duration \"x\" is not a number of seconds");
    assert_eq!(lines.len(), 4, "{error}");
}

#[test]
fn kaldi_lines_begin_with_their_id() {
    assert_eq!(
        said("a b\n c d\n", Format::Kaldi),
        "f:2: no utterance id: expected an id at the very beginning of the line"
    );
}

#[test]
fn formats_that_do_not_fit_together_are_refused() {
    let load = |reference: Format, hypothesis: Format| {
        let reference = Source { file: "r", bytes: b"", format: reference };
        let hypothesis = Source { file: "h", bytes: b"", format: hypothesis };
        load(&reference, &hypothesis, &Columns::default(), POLICY).expect_err("refused").to_string()
    };
    let no_ids = "plain text has no ids, so it pairs only with plain text, not with";
    assert_eq!(load(Format::Text, Format::Trn), format!("r: {no_ids} trn"));
    assert_eq!(load(Format::Kaldi, Format::Text), format!("h: {no_ids} kaldi"));
    assert_eq!(load(Format::Trn, Format::Ctm), "h: a ctm file is scored only against an stm reference");
    assert_eq!(load(Format::Ctm, Format::Stm), "r: a ctm file is scored only against an stm reference");
    let error = pairs(b"", Format::Trn).expect_err("one side");
    assert_eq!(error.to_string(), "f: trn holds one side only: pairs come as jsonl, csv or tsv");
}
