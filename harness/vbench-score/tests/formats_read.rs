//! What each format gives, and what pairing makes of it.

use vbench_score::formats::{
    Columns, Format, FormatError, IdList, MissingPolicy, Pair, Paired, ProblemKind, Reference, Side, Source, TimeTally,
    Transcript, load, load_pairs, read,
};
use vbench_score::{CharUnit, Normalizer, Weights, score_lattice};

fn source(text: &str, format: Format) -> Source<'_> {
    Source { file: "file", bytes: text.as_bytes(), format }
}

fn one_side(text: &str, format: Format, side: Side) -> Vec<Transcript<'_>> {
    read(&source(text, format), side, &Columns::default()).unwrap_or_else(|e| panic!("{e}")).list
}

fn two<'a>(
    reference: &'a str,
    hypothesis: &'a str,
    format: Format,
    policy: MissingPolicy,
) -> Result<Paired<'a>, FormatError> {
    let reference = Source { file: "ref", bytes: reference.as_bytes(), format };
    let hypothesis = Source { file: "hyp", bytes: hypothesis.as_bytes(), format };
    load(&reference, &hypothesis, &Columns::default(), policy)
}

fn shown(paired: &Paired<'_>) -> Vec<(String, String, String)> {
    let row = |p: &Pair<'_>| (p.id.to_string(), p.reference.plain().into_owned(), p.hypothesis.to_string());
    paired.pairs.iter().map(row).collect()
}

fn rows(list: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    list.iter().map(|(id, r, h)| ((*id).to_owned(), (*r).to_owned(), (*h).to_owned())).collect()
}

fn tags(list: &[(std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)]) -> Vec<String> {
    list.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

#[test]
fn formats_have_names_and_endings() {
    for format in Format::ALL {
        assert_eq!(Format::from_name(format.name()), Some(format));
    }
    for policy in MissingPolicy::ALL {
        assert_eq!(MissingPolicy::from_name(policy.name()), Some(policy));
    }
    assert_eq!(Format::from_name("TRN"), None);
    let by_path = [
        ("a.txt", Some(Format::Text)),
        ("data/dev/text", Some(Format::Kaldi)),
        ("b/a.TRN", Some(Format::Trn)),
        ("a.b.stm", Some(Format::Stm)),
        ("a.ctm", Some(Format::Ctm)),
        ("a.jsonl", Some(Format::Jsonl)),
        ("a.csv", Some(Format::Csv)),
        ("a.tsv", Some(Format::Tsv)),
        ("a.json", Some(Format::Seglst)),
        ("a.wav", None),
        ("a.kaldi", None),
        ("texts", None),
    ];
    for (path, format) in by_path {
        assert_eq!(Format::from_path(path), format, "{path}");
    }
}

#[test]
fn text_lines_pair_by_number_and_braces_are_braces() {
    let paired = two("a {b / c}\n\n (d)\n", "a b\nx\n (d)", Format::Text, MissingPolicy::Error).unwrap();
    assert_eq!(shown(&paired), rows(&[("1", "a {b / c}", "a b"), ("2", "", "x"), ("3", " (d)", " (d)")]));
    assert!(paired.pairs.iter().all(|p| matches!(p.reference, Reference::Plain(_))));
    assert_eq!(two("", "", Format::Text, MissingPolicy::Error).unwrap().pairs, []);
}

#[test]
fn kaldi_text_pairs_by_id() {
    let paired = two("u1 a b\nu2\nu3\tc {\n", "u3 c {\nu1  a\nu2 \n", Format::Kaldi, MissingPolicy::Error).unwrap();
    assert_eq!(shown(&paired), rows(&[("u1", "a b", "a"), ("u2", "", ""), ("u3", "c {", "c {")]));
    assert_eq!(paired.pairs.iter().map(|p| p.line).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn jsonl_pairs_have_tags_and_people() {
    let text = concat!(
        r#"{"id":"a","ref":"one { two","hyp":"one","speaker":"s1","session":7,"snr":5,"ok":true,"x":null,"l":[1]}"#,
        "\n\n",
        r#"{"hyp":"","ref":"\u00e4 \"q\"","tags":{"accent":"te","n":1.5,"deep":{"y":1}},"id":12}"#,
    );
    let paired = load_pairs(&source(text, Format::Jsonl), &Columns::default(), MissingPolicy::Error).unwrap();
    assert_eq!(shown(&paired), rows(&[("a", "one { two", "one"), ("12", "ä \"q\"", "")]));
    let [first, second] = &paired.pairs[..] else { panic!("two pairs") };
    assert_eq!((first.speaker.as_deref(), first.session.as_deref()), (Some("s1"), Some("7")));
    assert_eq!(tags(&first.tags), ["snr=5", "ok=true"]);
    assert_eq!(tags(&second.tags), ["accent=te", "n=1.5"]);
    assert_eq!(second.line, 3);
}

#[test]
fn jsonl_of_one_side_takes_the_keys_of_a_manifest() {
    let text = r#"{"id":"a","audio":"a.wav","text":"t","start_s":1.5,"duration_s":2,"speaker":""}"#;
    let list = one_side(text, Format::Jsonl, Side::Reference);
    assert_eq!((list[0].start_s, list[0].end_s), (Some(1.5), Some(3.5)));
    assert_eq!((list[0].speaker.as_deref(), tags(&list[0].tags)), (None, vec!["audio=a.wav".to_owned()]));
}

#[test]
fn a_row_without_hypothesis_follows_the_policy_and_is_counted() {
    let text =
        "{\"id\":\"a\",\"ref\":\"x\"}\n{\"id\":\"b\",\"ref\":\"y\",\"hyp\":null}\n{\"ref\":\"z\",\"hyp\":\"z\"}\n";
    let load = |policy| load_pairs(&source(text, Format::Jsonl), &Columns::default(), policy);
    let counted = IdList { count: 2, first: vec!["a".into(), "b".into()] };
    let empty = load(MissingPolicy::Empty).unwrap();
    assert_eq!(shown(&empty), rows(&[("a", "x", ""), ("b", "y", ""), ("3", "z", "z")]));
    assert_eq!(empty.missing, counted);
    let skip = load(MissingPolicy::Skip).unwrap();
    assert_eq!((shown(&skip), &skip.missing), (rows(&[("3", "z", "z")]), &counted));
    let error = load(MissingPolicy::Error).unwrap_err();
    assert_eq!(error.to_string(), "file:1: no hypothesis for \"a\"\nfile:2: no hypothesis for \"b\"");
}

#[test]
fn csv_fields_may_be_quoted_and_columns_named() {
    let text = "no,said,heard,who,set\n1,\"a, \"\"b\"\"\nc\",a b,s,dev\n\n2,5\" disk,\"\",,test\r\n";
    let columns = Columns { id: "no", reference: "said", hypothesis: "heard", speaker: "who", ..Columns::default() };
    let paired = load_pairs(&source(text, Format::Csv), &columns, MissingPolicy::Error).unwrap();
    assert_eq!(shown(&paired), rows(&[("1", "a, \"b\"\nc", "a b"), ("2", "5\" disk", "")]));
    assert_eq!(paired.pairs[0].speaker.as_deref(), Some("s"));
    assert_eq!(paired.pairs[1].speaker, None);
    assert_eq!(tags(&paired.pairs[1].tags), ["set=test"]);
    assert_eq!((paired.pairs[0].line, paired.pairs[1].line), (2, 5));
}

#[test]
fn tsv_has_no_quoting_and_rows_without_id_are_numbered() {
    let text = "ref\thyp\n\"a\tb\"\nc\tc";
    let paired = load_pairs(&source(text, Format::Tsv), &Columns::default(), MissingPolicy::Error).unwrap();
    assert_eq!(shown(&paired), rows(&[("1", "\"a", "b\""), ("2", "c", "c")]));
    let sides = two("id\ttext\na\tx\n", "text\tid\ny\ta\n", Format::Tsv, MissingPolicy::Error).unwrap();
    assert_eq!(shown(&sides), rows(&[("a", "x", "y")]));
}

#[test]
fn trn_has_speakers_as_sclite_and_markup_in_references_only() {
    let text = ";; comment\n\nyes { um / uh } (no) (s1_a-1)\nplain (s2_2)  \n(x)\n";
    let list = one_side(text, Format::Trn, Side::Reference);
    let view = |t: &Transcript<'_>| (t.id.to_string(), t.text.to_string(), t.speaker.as_deref().map(str::to_owned));
    let speaker = |s: &str| Some(s.to_owned());
    assert_eq!(view(&list[0]), ("s1_a-1".into(), "yes um no".into(), speaker("s1_a")));
    assert_eq!(view(&list[1]), ("s2_2".into(), "plain".into(), speaker("s2")));
    assert_eq!(view(&list[2]), ("x".into(), "".into(), None));
    assert_eq!(list.iter().map(|t| t.line).collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!(list.iter().map(|t| t.lattice.is_some()).collect::<Vec<_>>(), [true, false, false]);
    let list = one_side(text, Format::Trn, Side::Hypothesis);
    assert_eq!((&*list[0].text, &list[0].lattice), ("yes { um / uh } (no)", &None));
}

const STM: &str = "\
;; LABEL \"o\" \"Overall\" \"all\"
m1 A ann 0.00 2.00 <o,f,00> so { um / @ } yes
m1 A bob 2.00 3.50 IGNORE_TIME_SEGMENT_IN_SCORING

m1 A inter_segment_gap 3.50 4.00
m1 A bob 5.00 6.00 good
m1 B cat 0.00 9.00 <unk> hm
";

#[test]
fn stm_segments_have_times_labels_and_markup() {
    let list = one_side(STM, Format::Stm, Side::Reference);
    assert_eq!(list.len(), 4, "the ignored one is left out");
    assert_eq!((&*list[0].id, &*list[0].text), ("m1_A_ann_0.00-2.00", "so um yes"));
    assert_eq!(tags(&list[0].tags), ["channel=A", "label=o,f,00", "label1=o", "label2=f", "label3=00"]);
    assert_eq!((list[0].start_s, list[0].end_s), (Some(0.0), Some(2.0)));
    assert_eq!((list[0].speaker.as_deref(), list[0].session.as_deref()), (Some("ann"), Some("m1")));
    assert_eq!((list[1].speaker.as_deref(), &*list[1].text), (Some("inter_segment_gap"), ""));
    assert!(list[0].lattice.is_some() && list[2].lattice.is_none());
}

#[test]
fn ctm_words_go_to_segments_by_midpoint() {
    let ctm = "\
;; out of order: words are taken by time
m1 A 5.20 0.20 good 0.9
m1 A 0.10 0.20 so
m1 A 1.85 0.10 yes
m1 A 1.90 0.20 dropped
m1 A 3.60 0.20 inserted
m1 A 4.30 0.20 early
m1 A 7.00 0.20 late
m1 C 0.00 0.20 nobody
";
    let load = |policy| {
        let reference = Source { file: "r.stm", bytes: STM.as_bytes(), format: Format::Stm };
        let hypothesis = Source { file: "h.ctm", bytes: ctm.as_bytes(), format: Format::Ctm };
        load(&reference, &hypothesis, &Columns::default(), policy)
    };
    let empty = load(MissingPolicy::Empty).unwrap();
    let heard: Vec<&str> = empty.pairs.iter().map(|p| &*p.hypothesis).collect();
    // The midpoint of "dropped" is the end of the first segment: it belongs to the next.
    assert_eq!(heard, ["so yes", "inserted", "early good late", ""]);
    assert_eq!(empty.times, Some(TimeTally { ignored_segments: 1, ignored_words: 1, words_between: 2 }));
    assert_eq!(empty.missing, IdList { count: 1, first: vec!["m1 B".into()] });
    assert_eq!(empty.extra, IdList { count: 1, first: vec!["m1 C".into()] });
    assert_eq!(load(MissingPolicy::Skip).unwrap().pairs.len(), 3);
    let error = load(MissingPolicy::Error).unwrap_err();
    assert_eq!(error.to_string(), "r.stm:7: no hypothesis for \"m1 B\"\nh.ctm:9: no reference for \"m1 C\"");
}

#[test]
fn seglst_segments_have_session_speaker_and_times() {
    let text = r#"[
      {"session_id": "s", "speaker": "a", "start_time": 0.5, "end_time": "1.25", "words": "x {y"},
      {"words": "z", "speaker": "b", "session_id": "s", "note": "n"}
    ]
"#;
    let list = one_side(text, Format::Seglst, Side::Reference);
    assert_eq!((&*list[0].id, &*list[0].text), ("s:1", "x {y"));
    assert_eq!((list[0].start_s, list[0].end_s, list[0].line), (Some(0.5), Some(1.25), 2));
    assert_eq!((&*list[1].id, list[1].start_s, list[1].line), ("s:2", None, 3));
    assert_eq!(tags(&list[1].tags), ["note=n"]);
    assert_eq!(one_side(" [ ] ", Format::Seglst, Side::Reference), []);
}

#[test]
fn missing_and_extra_ids_follow_the_policy_and_are_counted() {
    let (reference, hypothesis) = ("a 1\nb 2\nc 3\n", "x 9\nc 3\na 0\ny 8\n");
    let load = |policy| two(reference, hypothesis, Format::Kaldi, policy);
    let (missing, extra) =
        (IdList { count: 1, first: vec!["b".into()] }, IdList { count: 2, first: vec!["x".into(), "y".into()] });
    for (policy, pairs) in [
        (MissingPolicy::Empty, rows(&[("a", "1", "0"), ("b", "2", ""), ("c", "3", "3")])),
        (MissingPolicy::Skip, rows(&[("a", "1", "0"), ("c", "3", "3")])),
    ] {
        let paired = load(policy).unwrap();
        assert_eq!((shown(&paired), &paired.missing, &paired.extra), (pairs, &missing, &extra));
    }
    let error = load(MissingPolicy::Error).unwrap_err();
    assert_eq!(error.total, 3);
    assert_eq!(
        error.to_string(),
        "ref:2: no hypothesis for \"b\"\nhyp:1: no reference for \"x\"\nhyp:4: no reference for \"y\""
    );
}

#[test]
fn many_ids_are_counted_and_five_are_named() {
    let many: String = (0..100).map(|i| format!("u{i} a\n")).collect();
    let paired = two(&many, "", Format::Kaldi, MissingPolicy::Skip).unwrap();
    assert_eq!((paired.missing.count, paired.missing.first.len()), (100, 5));
    let error = two(&many, "", Format::Kaldi, MissingPolicy::Error).unwrap_err();
    assert_eq!((error.total, error.problems.len()), (100, 20));
    assert!(error.to_string().ends_with("\nand 80 more problems"));
}

#[test]
fn equal_ids_are_an_error_on_either_side_under_every_policy() {
    for policy in MissingPolicy::ALL {
        let error = two("a 1\nb 2\na 1\n", "b 2\na 1\nb 3\nc 1\nb 4\n", Format::Kaldi, policy).unwrap_err();
        let duplicates: Vec<String> = error
            .problems
            .iter()
            .filter(|p| matches!(p.kind, ProblemKind::DuplicateId { .. }))
            .map(|p| format!("{}:{}: {}", p.file, p.line, p.kind))
            .collect();
        assert_eq!(
            duplicates,
            [
                "ref:3: id \"a\" stands also in line 1",
                "hyp:3: id \"b\" stands also in line 1",
                "hyp:5: id \"b\" stands also in line 1"
            ]
        );
    }
    let error = two("a 1\na 2\n", "", Format::Kaldi, MissingPolicy::Skip).unwrap_err();
    assert_eq!(error.to_string(), "ref:2: id \"a\" stands also in line 1");
}

#[test]
fn tags_of_both_sides_are_joined_and_the_reference_comes_first() {
    let reference = r#"{"id":"a","text":"x","snr":"5","speaker":"r"}"#;
    let hypothesis = r#"{"id":"a","text":"y","snr":"9","model":"m","speaker":"h","session":"s"}"#;
    let paired = two(reference, hypothesis, Format::Jsonl, MissingPolicy::Error).unwrap();
    assert_eq!(tags(&paired.pairs[0].tags), ["snr=5", "model=m"]);
    assert_eq!(paired.pairs[0].speaker.as_deref(), Some("r"));
    assert_eq!(paired.pairs[0].session.as_deref(), Some("s"));
}

#[test]
fn formats_mix_by_id() {
    let reference = Source { file: "r", bytes: b"{ a / b } c (u-1)\n", format: Format::Trn };
    let hypothesis = Source { file: "h", bytes: b"u-1 b c\n", format: Format::Kaldi };
    let paired = load(&reference, &hypothesis, &Columns::default(), MissingPolicy::Error).unwrap();
    let Reference::Lattice(lattice) = &paired.pairs[0].reference else { panic!("a lattice") };
    let score =
        score_lattice(lattice, &paired.pairs[0].hypothesis, &Normalizer::None, Weights::Sclite, CharUnit::Grapheme);
    let score = score.unwrap();
    assert_eq!((score.words.hits, score.words.errors(), score.chars.errors(), score.exact), (2, 0, 0, true));
}
