//! Input that is refused, named; sizes that are still computed.

use vbench_core::ErrorCounts;
use vbench_score::ScoreError;
use vbench_score::multi::{MAX_SPEAKERS, Segment, cp_wer, tcp_wer};

fn segment<'a>(speaker: &'a str, start: f64, end: f64, words: &'a str) -> Segment<'a> {
    Segment { session: "s", speaker, start_s: Some(start), end_s: Some(end), words }
}

#[test]
fn bad_times_are_named_with_their_segment() {
    let good = segment("A", 0.0, 1.0, "a");
    let none = Segment { end_s: None, ..good };
    let cases = [
        (segment("B", 2.0, 1.5, "x"), "ends before it starts", true),
        (segment("B", f64::NAN, 1.5, "x"), "is not finite", true),
        (segment("B", 1.0, f64::INFINITY, "x"), "is not finite", true),
        (segment("B", -3e9, 1.0, "x"), "is more than 2e9 s from 0", true),
        (Segment { speaker: "B", ..none }, "is missing", false),
    ];
    for (bad, want, also_cp) in cases {
        for (side, r, h) in [("reference", [good, bad], [good, good]), ("hypothesis", [good, good], [good, bad])] {
            for (name, got) in [("tcp", tcp_wer(&r, &h, 5.0)), ("cp", cp_wer(&r, &h))] {
                if name == "cp" && !also_cp {
                    assert!(got.is_ok(), "cpWER does not need times");
                    continue;
                }
                let error = got.expect_err(want);
                let text = error.to_string();
                assert!(text.contains(want) && text.contains(side), "{text}");
                assert!(
                    matches!(error, ScoreError::SegmentTime { index: 1, ref speaker, .. } if speaker == "B"),
                    "{text}"
                );
            }
        }
    }
}

#[test]
fn the_message_names_place_and_times() {
    let bad = [segment("Bob", 2.0, 1.5, "x")];
    let text = tcp_wer(&[], &bad, 5.0).expect_err("ends early").to_string();
    let want = r#"hypothesis segment 0 (counted from 0; session "s", speaker "Bob"): its time (2 to 1.5) ends before it starts"#;
    assert_eq!(text, want);
}

#[test]
fn a_collar_must_not_be_negative() {
    for collar in [-0.5, f64::NAN, f64::NEG_INFINITY] {
        assert!(matches!(tcp_wer(&[], &[], collar), Err(ScoreError::Collar { .. })), "{collar}");
    }
    assert!(tcp_wer(&[], &[], 0.0).is_ok());
}

#[test]
fn too_many_speakers_are_refused_at_once() {
    let names: Vec<String> = (0..=MAX_SPEAKERS).map(|n| n.to_string()).collect();
    let many: Vec<Segment<'_>> = names.iter().map(|n| segment(n, 0.0, 1.0, "a")).collect();
    let one = [segment("A", 0.0, 1.0, "a")];
    for (r, h, side) in [(&many[..], &one[..], "reference"), (&one[..], &many[..], "hypothesis")] {
        for got in [cp_wer(r, h), tcp_wer(r, h, 5.0)] {
            let error = got.expect_err("more speakers than allowed");
            let text = error.to_string();
            assert!(text.contains(&format!("65 {side} speakers, more than 64")), "{text}");
        }
    }
    let score = cp_wer(&many[1..], &many[1..]).expect("as many as allowed");
    assert_eq!(score.counts, ErrorCounts { hits: MAX_SPEAKERS as u64, ..ErrorCounts::ZERO });
}

#[test]
fn a_table_too_large_is_refused_before_it_is_computed() {
    // 200,000 unrelated words on each side: 4e10 cells when time does not separate them.
    let (a, b) = ("a ".repeat(200_000), "b ".repeat(200_000));
    let (r, h) = ([segment("A", 0.0, 60.0, &a)], [segment("1", 0.0, 60.0, &b)]);
    let refused = |got: Result<_, ScoreError>, what: &str| {
        let error = got.expect_err("too large");
        assert!(matches!(error, ScoreError::SessionTooLarge { actual, limit, .. } if actual > limit), "{error}");
        assert!(error.to_string().contains(what), "{error}");
    };
    refused(tcp_wer(&r, &h, 100.0), "cells inside the time windows");
    // 1.5 million words on each side: refused by the product of their numbers.
    let million = "a ".repeat(1_500_000);
    let many = [segment("A", 0.0, 60.0, &million)];
    refused(cp_wer(&many, &many), "pairs of words");
    let million = "a ".repeat(17_000_000);
    refused(cp_wer(&[segment("A", 0.0, 60.0, &million)], &[]), "reference words");
}

#[test]
fn a_long_session_with_times_stays_linear() {
    // Ten hours of one speaker, 100,000 words a side, in segments of ten seconds.
    let texts: Vec<String> =
        (0..3_600).map(|n| (0..28).map(|w| format!("w{} ", (n * 7 + w * w) % 500)).collect()).collect();
    let timed: Vec<Segment<'_>> =
        texts.iter().enumerate().map(|(n, t)| segment("A", n as f64 * 10.0, n as f64 * 10.0 + 10.0, t)).collect();
    let score = tcp_wer(&timed, &timed[1..], 5.0).expect("in range");
    assert_eq!(score.counts, ErrorCounts { hits: 3_599 * 28, sub: 0, del: 28, ins: 0 });
}

#[test]
fn empty_sides_and_speakers_without_words() {
    let silent = [segment("A", 0.0, 1.0, " "), segment("B", 0.0, 0.0, "")];
    let spoken = [segment("1", 0.0, 1.0, "a b")];
    let score = tcp_wer(&silent, &spoken, 5.0).expect("silence is no error");
    assert_eq!(score.counts, ErrorCounts { ins: 2, ..ErrorCounts::ZERO });
    assert_eq!(score.counts.rate(), None);
    assert_eq!((score.scored_speakers, score.missed_speakers, score.false_alarm_speakers), (2, 1, 0));
    let score = cp_wer(&spoken, &[]).expect("no hypothesis at all");
    assert_eq!(score.counts, ErrorCounts { del: 2, ..ErrorCounts::ZERO });
    assert_eq!(score.missing_sessions, ["s"]);
    let score = cp_wer(&[], &spoken).expect("no reference at all");
    assert_eq!((score.extra_sessions.len(), score.false_alarm_speakers), (1, 1));
    assert_eq!(cp_wer(&[], &[]).expect("nothing"), vbench_score::multi::MultiScore::default());
}

#[test]
fn without_times_the_order_given_counts() {
    let untimed = |speaker, words| Segment { session: "s", speaker, start_s: None, end_s: None, words };
    let reference = [untimed("A", "a b"), untimed("B", "x"), untimed("A", "c")];
    let hypothesis = [untimed("2", "x"), untimed("1", "a b"), untimed("1", "c")];
    assert_eq!(cp_wer(&reference, &hypothesis).expect("cpWER").counts.errors(), 0);
    // With times, their order counts.
    let reference = [segment("A", 5.0, 6.0, "c"), segment("A", 0.0, 1.0, "a b")];
    assert_eq!(cp_wer(&reference, &hypothesis).expect("cpWER").counts.errors(), 1);
}

#[test]
fn times_that_only_touch_do_not_overlap() {
    let reference = [segment("A", 0.0, 1.0, "a")];
    // The middle of the hypothesis, 2.0, less the collar of 1 s touches the end of the reference.
    let hypothesis = [segment("1", 1.5, 2.5, "a")];
    let errors = |collar| tcp_wer(&reference, &hypothesis, collar).expect("tcpWER").counts.errors();
    assert_eq!((errors(1.0), errors(1.000_000_001)), (2, 0));
    // 0.3 + 0.1 s, the middle of two fifths and so on: on paper 0.1 + 0.3 s touches 0.4 s, in binary it does not.
    let reference = [segment("A", 0.1, 0.4, "a"), segment("A", 0.4, 0.7, "b")];
    for (start, end) in [(0.0, 0.2), (0.05, 0.15), (0.1, 0.1)] {
        let hypothesis = [segment("1", start, end, "b")];
        let errors = tcp_wer(&reference, &hypothesis, 0.3).expect("tcpWER").counts.errors();
        assert_eq!(errors, 2, "`b` is substituted for `a` and not matched");
    }
}

#[test]
fn a_segment_is_divided_among_its_words_by_code_points() {
    // 2 + 6 code points (18 bytes) in 4 s: the first word ends at 1 s.
    let reference = [segment("A", 0.0, 4.0, "ab పరీక్ష")];
    let at = |time: f64, word| {
        let hypothesis = [segment("1", time, time, word)];
        tcp_wer(&reference, &hypothesis, 0.25).expect("tcpWER").counts.hits
    };
    assert_eq!((at(1.2, "ab"), at(1.3, "ab")), (1, 0));
    assert_eq!((at(0.7, "పరీక్ష"), at(0.8, "పరీక్ష")), (0, 1));
    // The hypothesis words stand for the middles of their parts: 0.5 s and 2.5 s.
    let hypothesis = [segment("1", 0.0, 4.0, "ab పరీక్ష")];
    let hits = |start, end, collar| {
        let reference = [segment("A", start, end, "పరీక్ష")];
        tcp_wer(&reference, &hypothesis, collar).expect("tcpWER").counts.hits
    };
    assert_eq!((hits(3.0, 4.0, 0.5), hits(2.9, 4.0, 0.5), hits(3.0, 4.0, 0.6)), (0, 1, 1));
}
