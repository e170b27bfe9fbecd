//! A trace holds everything: what is read again is what was written, and gives the same numbers.

use vbench_load::{
    Bench, Fault, Outcome, Parameter, Plan, Scenario, Stage, Sweep, Timeline, Trace, chrome_trace, read_trace,
    summarize, write_trace,
};

fn trace() -> Trace {
    let blank = Timeline {
        id: 0,
        sample: 1,
        due: 10,
        sent: 12,
        speech_end: None,
        chunk_lateness: vec![],
        partials: vec![],
        settled: None,
        tokens: vec![],
        interrupted: None,
        stopped: None,
        audio: vec![],
        outcome: Outcome::Open,
        stages: vec![],
        faults: vec![],
    };
    let stage = Stage { name: "asr".into(), owner: "model".into(), t0: 13, t1: 80 };
    let timelines = vec![
        Timeline {
            outcome: Outcome::Answered { at: 90, text: "a \"b\"\n\u{1f600}".into() },
            stages: vec![stage],
            ..blank.clone()
        },
        Timeline {
            id: 1,
            speech_end: Some(40),
            chunk_lateness: vec![1, 0, 7],
            partials: vec![(20, "x".into()), (30, "x y".into())],
            settled: Some((45, "x y".into())),
            tokens: vec![(46, "ok".into())],
            interrupted: Some(64),
            stopped: Some(66),
            audio: vec![(50, 20, None), (60, 20, Some(3))],
            outcome: Outcome::Failed { at: 70, reason: "crashed".into() },
            ..blank.clone()
        },
        Timeline {
            id: 2,
            outcome: Outcome::TimedOut { after: 1_000 },
            faults: vec![
                Fault::Late { at: 2_000 },
                Fault::AnsweredTwice { at: 1 },
                Fault::ClockWentBack { by: 5 },
                Fault::AfterTheEnd { at: 9 },
                Fault::ClockAhead { by: 8 },
            ],
            ..blank.clone()
        },
        Timeline { id: 3, outcome: Outcome::Impossible { at: 3 }, ..blank.clone() },
        Timeline { id: 4, due: 500, sent: 500, ..blank },
    ];
    let plan = Plan {
        scenario: Scenario::Paced { chunk: 20, streams: 3 },
        min_duration: 5,
        min_count: 1,
        max_count: 9,
        timeout: 1_000,
        seed: u64::MAX,
        barge_in: Some(12),
    };
    let sweep = Some(Sweep { parameter: Parameter::Batch, values: vec![1.0, 2.0] });
    Trace {
        plan,
        audio: vec![30, 40],
        sweep,
        max_lateness: Some(25),
        bench: Bench { timelines, strays: vec![(77, 5)], ended: 1_010 },
    }
}

#[test]
fn what_is_read_is_what_was_written() {
    let scenarios = [
        Scenario::SingleStream,
        Scenario::MultiStream { streams: 2 },
        Scenario::Server { rate_hz: 0.1 + 0.2 },
        Scenario::Offline,
        trace().plan.scenario,
    ];
    for scenario in scenarios {
        let mut before = trace();
        before.plan.scenario = scenario;
        let after = read_trace(&write_trace(&before)).expect("readable");
        assert_eq!(after, before);
        let numbers = |t: &Trace| summarize(&t.bench, &t.plan, &t.audio, 1_000);
        assert_eq!(numbers(&after), numbers(&before));
    }
}

#[test]
fn a_damaged_trace_names_the_line() {
    let good = write_trace(&trace());
    for (from, to, wanted) in [
        ("vbench/trace/1", "vbench/trace/2", "line 1: schema `vbench/trace/2`"),
        ("\"scenario\":\"paced\"", "\"scenario\":\"x\"", "line 1: unknown scenario `x`"),
        ("\"due\":10", "\"due\":-1", "line 2: `due`: expected a whole number"),
        ("\"outcome\":\"failed\"", "\"outcome\":7", "line 3: `outcome`: expected a text"),
        ("\"sample\":1", "\"sample\":2", "line 2: sample 2 of 2 clips"),
        ("[\"late\",2000]", "[\"soon\",2000]", "line 4: unknown fault \"soon\""),
        ("{\"id\":", "{id:", "line 2: not JSON"),
        ("\"timeout_ns\":1000", "\"timeout_ns\":0", "line 1: `timeout_ns`: expected above 0"),
        ("\"id\":2", "\"id\":1", "line 4: request 1 stands where 2 belongs"),
        ("\"due\":10", "\"due\":18446744073709551615", "line 2: due at 18446744073709551615, sent at 12"),
        ("\"sent\":12", "\"sent\":91", "line 2: sent at 91, ended at 90"),
        ("\"speech_end\":40", "\"speech_end\":9", "line 3: due at 10, speech ends at 9"),
        (
            "\"due\":500,\"sent\":500",
            "\"due\":1011,\"sent\":1011",
            "line 6: due at 1011, the last request ended at 1010",
        ),
    ] {
        assert!(good.contains(from), "{from} in {good}");
        let error = read_trace(&good.replacen(from, to, 1)).expect_err(wanted);
        assert!(error.to_string().starts_with(wanted), "{error}");
        assert_eq!(error.newer, from.contains("trace"));
    }
    assert!(read_trace("").is_err());
}

#[test]
fn requests_that_are_missing_or_stand_twice_are_told() {
    let good = write_trace(&trace());
    let lines: Vec<&str> = good.lines().collect();
    let message = |lines: &[&str]| read_trace(&lines.join("\n")).expect_err("damaged").to_string();
    assert_eq!(message(&lines[..4]), "line 4: 3 of 5 requests are there");
    assert_eq!(message(&[&lines[..], &lines[1..6]].concat()), "line 8: request 0 stands where 5 belongs");
    let mut reversed = lines.clone();
    reversed[1..6].reverse();
    assert_eq!(message(&reversed), "line 2: request 4 stands where 0 belongs");
    // Traces of versions that did not count them are read all the same.
    let older = good.replacen("\"requests\":5,", "", 1);
    assert!(older != good && read_trace(&older).is_ok());
}

#[test]
fn the_browser_trace_has_a_group_for_each_request_in_flight_and_a_track_for_each_stage() {
    let value: serde_json::Value = serde_json::from_str(&chrome_trace(&trace())).expect("JSON");
    let events = value["traceEvents"].as_array().expect("events");
    let named = |name: &str| -> Vec<&serde_json::Value> {
        events.iter().filter(|e| e["name"].as_str().is_some_and(|n| n.starts_with(name))).collect()
    };
    let groups: Vec<u64> = named("request ").iter().map(|e| e["pid"].as_u64().expect("a group")).collect();
    assert_eq!(groups, [1, 2, 3, 4, 1]);
    assert!(named("asr").iter().any(|e| e["dur"] == 0.067 && e["tid"] == 2), "{:?}", named("asr"));
    // Two partials, the settled text, a token, the user's speaking again, the stop.
    assert_eq!(events.iter().filter(|e| e["ph"] == "i").count(), 6);
    // Sound queues behind silence that is still playing: from 70 on, though it came at 60.
    let sound: Vec<&serde_json::Value> = named("sound").into_iter().filter(|e| e["ph"] == "X").collect();
    assert_eq!((named("silence").len(), sound.len(), &sound[0]["ts"]), (1, 1, &0.07.into()));
    // Spans of one track lie within or beside each other: tracing pages drop what overlaps by halves.
    let tracks: Vec<(u64, u64)> = events
        .iter()
        .filter(|e| e["ph"] == "M")
        .map(|e| (e["pid"].as_u64().unwrap_or(0), e["tid"].as_u64().unwrap_or(9)))
        .collect();
    assert!(tracks.contains(&(1, 0)) && tracks.contains(&(1, 2)) && tracks.contains(&(2, 1)), "{tracks:?}");
}
