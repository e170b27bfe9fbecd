//! cpWER and tcpWER of random sessions against the installed MeetEval: errors, length, S/D/I, speakers, assignment.

mod peer_tools;

use peer_tools::{Draw, python_with, run_python};
use serde_json::{Value, json};
use vbench_score::multi::{MultiScore, Segment, cp_wer, tcp_wer};

const SESSIONS: usize = 400;

/// A segment that owns its texts.
#[derive(Clone)]
struct Spoken {
    speaker: String,
    start_ms: i64,
    end_ms: i64,
    words: Vec<&'static str>,
}

struct Case {
    reference: Vec<Spoken>,
    hypothesis: Vec<Spoken>,
    collar_ms: i64,
}

/// Overlaps, equal and touching times, empty segments, speakers without words, unequal speaker counts, wrong speakers.
fn case(number: usize) -> Case {
    let mut draw = Draw::new("peer sessions", number);
    let kinds = [2, 4, 8, 20][draw.below(4)];
    // Milliseconds. Coarse steps make ties and times that touch.
    let step = [500, 100, 10, 1][draw.below(4)];
    let time = |draw: &mut Draw, range: i64| draw.below((range * 1_000 / step) as usize + 1) as i64 * step;
    let speakers = 1 + draw.below(6);
    let span = [5, 30, 200][draw.below(3)];
    let mut reference = Vec::new();
    for speaker in 0..speakers {
        let turns_follow = draw.once_in(2);
        let mut clock = 0;
        for _ in 0..draw.below(7) {
            let start = if turns_follow { clock + time(&mut draw, span / 10 + 1) } else { time(&mut draw, span) };
            let end = start + time(&mut draw, 4);
            clock = end;
            let length = if draw.once_in(10) { 0 } else { 1 + draw.below(8) };
            reference.push(Spoken {
                speaker: format!("r{speaker}"),
                start_ms: start,
                end_ms: end,
                words: draw.words(length, kinds),
            });
        }
    }
    let others = 1 + draw.below(6);
    let mut hypothesis = Vec::new();
    for spoken in &reference {
        if draw.once_in(12) {
            continue;
        }
        let own: usize = spoken.speaker[1..].parse().expect("a number");
        let speaker = if draw.once_in(8) { draw.below(others) } else { own % others };
        let start =
            if draw.once_in(2) { spoken.start_ms } else { (spoken.start_ms + time(&mut draw, 3) - 1_500).max(0) };
        let end = start + if draw.once_in(2) { spoken.end_ms - spoken.start_ms } else { time(&mut draw, 4) };
        let words = draw.disturbed(&spoken.words, kinds, 3);
        hypothesis.push(Spoken { speaker: format!("h{speaker}"), start_ms: start, end_ms: end, words });
    }
    for _ in 0..draw.below(3) {
        let start = time(&mut draw, span);
        let length = draw.below(4);
        let words = draw.words(length, kinds);
        hypothesis.push(Spoken {
            speaker: format!("h{}", draw.below(others)),
            start_ms: start,
            end_ms: start + 1_000,
            words,
        });
    }
    if !draw.once_in(3) {
        for list in [&mut reference, &mut hypothesis] {
            for i in (1..list.len()).rev() {
                list.swap(i, draw.below(i + 1));
            }
        }
    }
    let collar_ms = [0, 100, 250, 500, 1_000, 5_000, 1_000_000][draw.below(7)];
    Case { reference, hypothesis, collar_ms }
}

fn rows(side: &[Spoken]) -> Value {
    let row = |s: &Spoken| json!({"speaker": s.speaker, "start_ms": s.start_ms, "end_ms": s.end_ms, "words": s.words.join(" ")});
    side.iter().map(row).collect()
}

const MEETEVAL: &str = r#"
import json, logging, sys
from decimal import Decimal
logging.disable(logging.CRITICAL)
from meeteval.io.seglst import SegLST
from meeteval.wer.wer.cp import cp_word_error_rate
from meeteval.wer.wer.time_constrained import tcp_word_error_rate
def seconds(ms):
    # Decimals, as MeetEval reads them from files.
    return Decimal(ms) / 1000
def side(rows):
    return SegLST([
        {"session_id": "s", "speaker": row["speaker"], "words": row["words"],
         "start_time": seconds(row["start_ms"]), "end_time": seconds(row["end_ms"])} for row in rows
    ])
def plain(er):
    return {
        "errors": er.errors, "reference": er.length, "sub": er.substitutions, "del": er.deletions, "ins": er.insertions,
        "scored": er.scored_speaker, "missed": er.missed_speaker, "false_alarm": er.falarm_speaker,
        "assignment": [list(pair) for pair in er.assignment],
    }
results = []
for case in json.load(open(sys.argv[1], encoding="utf-8")):
    r, h = side(case["reference"]), side(case["hypothesis"])
    collar = seconds(case["collar_ms"])
    results.append({"cp": plain(cp_word_error_rate(r, h)), "tcp": plain(tcp_word_error_rate(r, h, collar=collar))})
print(json.dumps(results))
"#;

fn plain(score: &MultiScore) -> Value {
    let counts = score.counts;
    let pairs = score.sessions.iter().flat_map(|s| &s.pairs);
    json!({
        "errors": counts.errors(), "reference": counts.reference(), "sub": counts.sub, "del": counts.del,
        "ins": counts.ins, "scored": score.scored_speakers, "missed": score.missed_speakers,
        "false_alarm": score.false_alarm_speakers,
        "assignment": pairs.map(|p| json!([p.reference, p.hypothesis])).collect::<Vec<_>>(),
    })
}

#[test]
fn random_sessions_score_as_in_meeteval() {
    let Some(python) = python_with("meeteval") else { return };
    let cases: Vec<Case> = (0..SESSIONS).map(case).collect();
    let input: Vec<Value> = cases
        .iter()
        .map(|c| json!({"reference": rows(&c.reference), "hypothesis": rows(&c.hypothesis), "collar_ms": c.collar_ms}))
        .collect();
    let theirs = run_python(&python, MEETEVAL, &json!(input));
    assert_eq!(theirs.as_array().map(Vec::len), Some(SESSIONS));
    let mut differing = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let (r, h) = (owned(&case.reference), owned(&case.hypothesis));
        let cp = cp_wer(&borrowed(&r), &borrowed(&h)).expect("cpWER");
        let tcp = tcp_wer(&borrowed(&r), &borrowed(&h), seconds(case.collar_ms)).expect("tcpWER");
        for (name, ours) in [("cp", plain(&cp)), ("tcp", plain(&tcp))] {
            if ours != theirs[number][name] {
                differing.push(format!("{number} {name}: {ours}\n  MeetEval {}", theirs[number][name]));
            }
        }
    }
    assert!(differing.is_empty(), "{} results differ:\n{}", differing.len(), differing.join("\n"));
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1_000.0
}

type Owned = (String, f64, f64, String);

fn owned(side: &[Spoken]) -> Vec<Owned> {
    side.iter().map(|s| (s.speaker.clone(), seconds(s.start_ms), seconds(s.end_ms), s.words.join(" "))).collect()
}

fn borrowed(side: &[Owned]) -> Vec<Segment<'_>> {
    side.iter()
        .map(|(speaker, start, end, words)| {
            let (start_s, end_s) = (Some(*start), Some(*end));
            Segment { session: "s", speaker, start_s, end_s, words }
        })
        .collect()
}
