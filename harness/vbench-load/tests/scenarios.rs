//! Scenarios on a simulated clock: every latency is exact.

use vbench_load::{
    Bench, Command, Fault, LoadError, Ns, Outcome, Plan, Reply, Scenario, Script, Simulated, TailValue, What, drive,
    summarize, tail,
};

const MS: Ns = 1_000_000;
const S: Ns = 1_000 * MS;

fn plan(scenario: Scenario) -> Plan {
    Plan { scenario, min_duration: 0, min_count: 100, max_count: 1_000_000, timeout: 60 * S, seed: 1, barge_in: None }
}

fn run(plan: &Plan, audio: &[Ns], servers: usize, script: impl FnMut(&Command, Ns) -> Script) -> Bench {
    drive(&mut Simulated::new(servers, script), plan, audio, &mut |_, _, _| {}).expect("a plan that can be followed")
}

fn id_of(command: &Command) -> u64 {
    match command {
        Command::Whole { id, .. } | Command::Chunk { id, .. } | Command::Interrupt { id } | Command::Abandon { id } => {
            *id
        }
    }
}

fn answers(busy: Ns) -> impl FnMut(&Command, Ns) -> Script {
    move |command, start| Script::answer(id_of(command), start, busy)
}

fn latencies(bench: &Bench) -> Vec<Ns> {
    bench.timelines.iter().filter_map(vbench_load::Timeline::latency).collect()
}

#[test]
fn single_stream_waits_for_every_answer() {
    let bench = run(&plan(Scenario::SingleStream), &[S], 1, answers(3 * MS));
    assert_eq!(latencies(&bench), vec![3 * MS; 100]);
    assert_eq!(bench.ended, 300 * MS);
    assert!(bench.timelines.iter().enumerate().all(|(i, t)| t.due == 3 * MS * i as Ns && t.lateness() == 0));
}

#[test]
fn both_the_least_number_and_the_least_time_are_met() {
    let long = Plan { min_duration: S, ..plan(Scenario::SingleStream) };
    assert_eq!(run(&long, &[S], 1, answers(3 * MS)).timelines.len(), 334);
    let many = Plan { min_duration: 1, min_count: 500, ..long };
    assert_eq!(run(&many, &[S], 1, answers(3 * MS)).timelines.len(), 500);
    let bounded = Plan { max_count: 120, ..long };
    assert_eq!(run(&bounded, &[S], 1, answers(3 * MS)).timelines.len(), 120);
}

#[test]
fn streams_queue_where_servers_are_few() {
    let bench = run(&plan(Scenario::MultiStream { streams: 4 }), &[S], 2, answers(10 * MS));
    // Four loops on two servers: from the second round on everyone waits for one other.
    assert!(latencies(&bench)[4..].iter().all(|l| *l == 20 * MS));
}

#[test]
fn offline_is_throughput() {
    let bench = run(&plan(Scenario::Offline), &[S, 2 * S], 2, answers(10 * MS));
    assert_eq!(bench.ended, 500 * MS);
    assert_eq!(bench.timelines.iter().filter(|t| t.sample == 0).count(), 50);
}

/// Gil Tene's coordinated omission: at 100 requests a second the system stalls once for 10 s. A closed loop sees one slow
/// request; who sends when it is due sees a thousand.
#[test]
fn a_stall_shows_in_the_tail_of_an_open_loop() {
    let stall = |command: &Command, start: Ns| {
        let busy = if (30 * S..40 * S).contains(&start) { 40 * S - start } else { MS };
        Script::answer(id_of(command), start, busy)
    };
    let open = Plan { min_duration: 100 * S, ..plan(Scenario::Server { rate_hz: 100.0 }) };
    let seen = latencies(&run(&open, &[S], 1, stall));
    let p99 = tail(&seen, 0, 60 * S, 99.0, 0.95).expect("some ten thousand requests");
    assert!((seen.len() as f64 - 10_000.0).abs() < 400.0, "{}", seen.len());
    assert!(matches!(p99.value, TailValue::At(ns) if ns > 8.5 * S as f64 && ns < 10.0 * S as f64), "{p99:?}");
    let closed = Plan { min_duration: 100 * S, ..plan(Scenario::SingleStream) };
    let seen = latencies(&run(&closed, &[S], 1, stall));
    let p99 = tail(&seen, 0, 60 * S, 99.0, 0.95).expect("many requests");
    assert_eq!(p99.value, TailValue::At(MS as f64), "the closed loop hides the stall: it must be called service time");
    assert!(Scenario::SingleStream.is_closed_loop() && !open.scenario.is_closed_loop());
}

#[test]
fn an_overloaded_server_falls_behind_without_end() {
    let open = Plan { min_duration: 20 * S, timeout: 600 * S, ..plan(Scenario::Server { rate_hz: 200.0 }) };
    let seen = latencies(&run(&open, &[S], 1, answers(10 * MS)));
    // Twice the capacity: after 20 s the queue is about 20 s long.
    let last = *seen.last().expect("answers");
    assert!((15 * S..25 * S).contains(&last), "{last}");
}

#[test]
fn paced_speech_is_due_when_it_has_been_spoken() {
    let mut chunks = Vec::new();
    let paced = Plan { min_count: 1, max_count: 1, ..plan(Scenario::Paced { chunk: 20 * MS, streams: 1 }) };
    let bench = run(&paced, &[90 * MS], 1, |command, start| {
        let Command::Chunk { id, index, last, .. } = *command else { panic!("{command:?}") };
        chunks.push((index, start, last));
        let reply = |what| Reply { id, at: start + 5 * MS, what };
        let what = match last {
            true => What::Final { text: "all".into(), stages: vec![] },
            false => What::Partial(format!("up to {index}")),
        };
        Script { busy: 5 * MS, replies: vec![(5 * MS, reply(what))] }
    });
    let ends = [20, 40, 60, 80, 90].map(|t| t * MS);
    assert_eq!(chunks, (0..5u32).map(|i| (i, ends[i as usize], i == 4)).collect::<Vec<_>>());
    let timeline = &bench.timelines[0];
    assert_eq!(timeline.partials.len(), 4);
    assert_eq!(timeline.partials[0], (25 * MS, "up to 0".into()));
    // From the end of speech, not from its beginning.
    assert_eq!((timeline.latency(), timeline.speech_end), (Some(5 * MS), Some(90 * MS)));
    assert_eq!(timeline.chunk_lateness, vec![0; 5]);
}

#[test]
fn misbehaviour_has_a_type_and_the_run_goes_on() {
    let quick = Plan { min_count: 9, max_count: 9, timeout: S, ..plan(Scenario::SingleStream) };
    let bench = run(&quick, &[S], 1, |command, start| {
        let id = id_of(command);
        let done = |id, after: Ns, at: Ns| {
            (after, Reply { id, at, what: What::Final { text: String::new(), stages: vec![] } })
        };
        let honest = done(id, MS, start + MS);
        let replies = match id {
            1 => vec![],                                         // never
            2 => vec![honest, done(id, 2 * MS, start + 2 * MS)], // twice
            3 => vec![done(77, MS, start + MS), honest],         // another id
            4 => vec![done(id, MS, start - 1)],                  // before it was asked
            5 => vec![(MS, Reply { id, at: start + MS, what: What::Failed("crashed".into()) })],
            6 => vec![done(id, S + MS / 2, start + S + MS / 2)], // too late
            7 => {
                let partial = |at| Reply { id, at, what: What::Partial("x".into()) };
                vec![
                    (5 * MS, partial(start + 5 * MS)),
                    (6 * MS, partial(start + 2 * MS)),
                    done(id, 7 * MS, start + 7 * MS),
                ]
            }
            _ => vec![honest],
        };
        Script { busy: MS, replies }
    });
    let t = &bench.timelines;
    assert_eq!(t.len(), 9);
    assert!(matches!(t[0].outcome, Outcome::Answered { .. }));
    assert_eq!(t[1].outcome, Outcome::TimedOut { after: S });
    assert!(matches!(t[2].faults[..], [Fault::AnsweredTwice { .. }]), "{:?}", t[2]);
    assert!(matches!(bench.strays[..], [(77, _)]));
    assert!(matches!(t[4].outcome, Outcome::Impossible { .. }), "{:?}", t[4]);
    assert!(matches!(&t[5].outcome, Outcome::Failed { reason, .. } if reason == "crashed"));
    assert_eq!(t[6].outcome, Outcome::TimedOut { after: S });
    assert!(matches!(t[6].faults[..], [Fault::Late { .. }]), "{:?}", t[6]);
    assert!(matches!(t[7].faults[..], [Fault::ClockWentBack { by }] if by == 3 * MS), "{:?}", t[7]);
    assert!(matches!(t[8].outcome, Outcome::Answered { .. }), "the run goes on: {:?}", t[8]);
}

#[test]
fn plans_that_cannot_be_followed_say_why() {
    let error = |plan: &Plan, audio: &[Ns]| plan.check(audio).expect_err("refused").to_string();
    let good = plan(Scenario::SingleStream);
    assert_eq!(good.check(&[]), Err(LoadError::NoSamples));
    assert!(error(&plan(Scenario::Server { rate_hz: 0.0 }), &[S]).contains("the rate, requests/s is 0"));
    assert!(error(&plan(Scenario::Server { rate_hz: f64::NAN }), &[S]).contains("NaN"));
    assert!(error(&plan(Scenario::MultiStream { streams: 0 }), &[S]).contains("streams is 0"));
    assert!(error(&Plan { timeout: 0, ..good }, &[S]).contains("time limit"));
    assert!(error(&Plan { min_count: 0, ..good }, &[S]).contains("least number"));
    assert!(error(&Plan { max_count: 5, ..good }, &[S]).contains("greatest number"));
    let chunks = plan(Scenario::Paced { chunk: 200 * MS, streams: 1 });
    assert!(error(&chunks, &[S, 90 * MS]).contains("200 ms are longer than the shortest clip (90 ms)"));
}

#[test]
fn one_seed_one_order_and_every_clip_once_a_round() {
    let audio = [S; 7];
    let order = |seed| {
        let plan = Plan { seed, min_count: 21, ..plan(Scenario::SingleStream) };
        run(&plan, &audio, 1, answers(MS)).timelines.iter().map(|t| t.sample).collect::<Vec<_>>()
    };
    assert_eq!(order(1), order(1));
    assert_ne!(order(1), order(2));
    for round in order(1).chunks(7) {
        let mut sorted = round.to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..7).collect::<Vec<_>>());
    }
}

#[test]
fn the_summary_counts_what_happened() {
    let open = Plan { min_duration: 50 * S, timeout: 400 * MS, ..plan(Scenario::Server { rate_hz: 20.0 }) };
    let bench = run(&open, &[S, 3 * S], 4, |command, start| {
        let id = id_of(command);
        // Every twentieth is never answered.
        if id % 20 == 7 { Script { busy: MS, replies: vec![] } } else { Script::answer(id, start, 50 * MS) }
    });
    let summary = summarize(&bench, &open, &[S, 3 * S], MS);
    let c = summary.counts;
    assert_eq!(c.requests, c.answered + c.timed_out);
    assert_eq!(c.timed_out, bench.timelines.iter().filter(|t| t.id % 20 == 7).count());
    assert!(summary.voided.is_none() && summary.rtf.is_none());
    assert!((summary.offered_hz.unwrap() - 20.0).abs() < 2.0, "{:?}", summary.offered_hz);
    // 5 % without an answer: the 99th percentile is at least the limit, the median is known.
    let latency = &summary.latency;
    assert!(matches!(latency.tails[0].as_ref().unwrap().value, TailValue::At(v) if v >= 50e6), "{latency:?}");
    assert_eq!(latency.tails[3].as_ref().unwrap().value, TailValue::AtLeast(400e6));
    assert_eq!((latency.censored, latency.early_stopping[3]), (c.timed_out, None));
    assert!(latency.early_stopping[1].is_some_and(|ns| ns >= 50 * MS));
    assert!((summary.rtfx - summary.answered_hz * 2.0).abs() < 0.2, "{summary:?}");
}

#[test]
fn closed_loops_have_a_real_time_factor_and_few_requests_no_tail() {
    let few = Plan { min_count: 20, ..plan(Scenario::SingleStream) };
    let bench = run(&few, &[2 * S], 1, answers(100 * MS));
    let summary = summarize(&bench, &few, &[2 * S], MS);
    assert!((summary.rtf.unwrap() - 0.05).abs() < 1e-12 && (summary.rtfx - 20.0).abs() < 1e-9);
    assert!(matches!(summary.latency.tails[3], Err(LoadError::TooFew { needed: 368, found: 20, .. })));
    assert!(summary.latency.tails[0].is_ok());
}
