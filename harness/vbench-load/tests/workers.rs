//! Worker threads on the real clock: what does not depend on how fast the machine is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use vbench_load::{Bench, Clock, Fault, Ns, Outcome, Plan, Scenario, Session, System, What, Workers, drive, sequence};

const MS: Ns = 1_000_000;

fn plan(scenario: Scenario, count: usize) -> Plan {
    Plan {
        scenario,
        min_duration: 0,
        min_count: count,
        max_count: count,
        timeout: 10_000 * MS,
        seed: 1,
        barge_in: None,
    }
}

fn run(system: impl System + 'static, plan: &Plan, audio: &[Ns], workers: usize) -> Bench {
    let mut port = Workers::new(Arc::new(system), workers, Clock::start());
    drive(&mut port, plan, audio, &mut |_, _, _| {}).expect("a plan that can be followed")
}

fn finish(text: &str) -> What {
    What::Final { text: text.into(), stages: Vec::new() }
}

/// Answers with the number of the clip; some requests misbehave.
#[derive(Default)]
struct Numbers {
    sleep: Duration,
    hang: Option<u64>,
    panic: Option<u64>,
    calls: Arc<AtomicUsize>,
}

impl System for Numbers {
    fn whole(&self, id: u64, sample: usize, _: &Clock, emit: &mut dyn FnMut(What)) -> Result<(), String> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        assert!(self.panic != Some(id), "told to panic on {id}");
        std::thread::sleep(if self.hang == Some(id) { Duration::from_millis(800) } else { self.sleep });
        emit(finish(&sample.to_string()));
        Ok(())
    }

    fn open(self: Arc<Self>, id: u64, sample: usize) -> Result<Box<dyn Session>, String> {
        if sample == 9 { Err("no stream for clip 9".into()) } else { Ok(Box::new(Counter { id, chunks: 0 })) }
    }
}

struct Counter {
    id: u64,
    chunks: u32,
}

impl Session for Counter {
    fn chunk(&mut self, index: u32, last: bool, _: &Clock, emit: &mut dyn FnMut(What)) -> Result<(), String> {
        assert_eq!(index, self.chunks, "chunks of stream {} out of order", self.id);
        self.chunks += 1;
        emit(if last { finish(&self.chunks.to_string()) } else { What::Partial(self.chunks.to_string()) });
        Ok(())
    }
}

#[test]
fn every_request_gets_its_own_answer() {
    for scenario in [
        Scenario::SingleStream,
        Scenario::MultiStream { streams: 8 },
        Scenario::Server { rate_hz: 5e4 },
        Scenario::Offline,
    ] {
        let bench = run(Numbers::default(), &plan(scenario, 500), &[MS; 10], 3);
        assert_eq!((bench.timelines.len(), bench.strays.len()), (500, 0), "{}", scenario.name());
        for t in &bench.timelines {
            assert!(matches!(&t.outcome, Outcome::Answered { text, .. } if *text == t.sample.to_string()), "{t:?}");
            assert!(t.faults.is_empty() && t.sent >= t.due, "{t:?}");
        }
    }
}

#[test]
fn latency_holds_the_work() {
    let bench = run(
        Numbers { sleep: Duration::from_millis(3), ..Numbers::default() },
        &plan(Scenario::SingleStream, 20),
        &[MS],
        1,
    );
    assert!(bench.timelines.iter().all(|t| t.latency().is_some_and(|l| l >= 3 * MS)));
}

#[test]
fn a_hanging_worker_is_replaced_and_its_late_answer_does_not_count() {
    let system = Numbers { hang: Some(3), ..Numbers::default() };
    let quick = Plan { timeout: 300 * MS, ..plan(Scenario::MultiStream { streams: 1 }, 300) };
    let slow = Numbers { sleep: Duration::from_millis(5), ..system };
    let bench = run(slow, &quick, &[MS], 1);
    let t = &bench.timelines;
    assert_eq!(t[3].outcome, Outcome::TimedOut { after: 300 * MS });
    assert!(t.iter().filter(|t| t.id != 3).all(|t| matches!(t.outcome, Outcome::Answered { .. })));
    // It answered after all, while others were being served by its successor.
    assert!(matches!(t[3].faults[..], [Fault::Late { .. }]), "{:?}", t[3]);
}

#[test]
fn a_panic_is_a_failed_request() {
    let system = Numbers { panic: Some(2), ..Numbers::default() };
    let calls = Arc::clone(&system.calls);
    let bench = run(system, &plan(Scenario::SingleStream, 6), &[MS], 1);
    let failed = &bench.timelines[2].outcome;
    assert!(matches!(failed, Outcome::Failed { reason, .. } if reason.contains("told to panic on 2")), "{failed:?}");
    assert_eq!(bench.timelines.iter().filter(|t| matches!(t.outcome, Outcome::Answered { .. })).count(), 5);
    assert_eq!(calls.load(Ordering::Relaxed), 6);
}

#[test]
fn streams_are_fed_in_order_and_in_real_time() {
    let paced = plan(Scenario::Paced { chunk: 2 * MS, streams: 20 }, 60);
    let bench = run(Numbers::default(), &paced, &[21 * MS; 5], 2);
    assert_eq!(bench.timelines.len(), 60);
    for t in &bench.timelines {
        // Ten chunks of 2 ms and one of 1 ms.
        assert!(matches!(&t.outcome, Outcome::Answered { text, .. } if text == "11"), "{t:?}");
        assert_eq!((t.partials.len(), t.chunk_lateness.len()), (10, 11));
        assert!(t.partials.iter().zip(1..).all(|((at, _), k)| *at >= t.due + k * 2 * MS), "{t:?}");
    }
}

#[test]
fn a_system_that_cannot_stream_says_so() {
    let bench = run(Numbers::default(), &plan(Scenario::Paced { chunk: MS, streams: 1 }, 10), &[3 * MS; 10], 1);
    let failed: Vec<_> = bench.timelines.iter().filter(|t| matches!(t.outcome, Outcome::Failed { .. })).collect();
    assert_eq!(failed.len(), 1);
    assert!(matches!(&failed[0].outcome, Outcome::Failed { reason, .. } if reason == "no stream for clip 9"));
}

/// Workers go to sleep between requests: each request wakes one of them, and each chunk the one that holds its stream.
#[test]
fn no_wake_up_is_lost() {
    for workers in [1, 2, 8] {
        let mut port = Workers::new(Arc::new(Numbers::default()), workers, Clock::start());
        let seen = sequence(&mut port, &[5; 200], MS, 2_000 * MS, &mut |_| {});
        assert!(seen.iter().all(|t| t.latency().is_some()), "{workers} workers, one at a time");
    }
    let lengths = [4 * MS; 6];
    let mut paced = plan(Scenario::Paced { chunk: MS, streams: 8 }, 200);
    paced.timeout = 2_000 * MS;
    let bench = run(Numbers::default(), &paced, &lengths, 8);
    assert!(bench.timelines.iter().all(|t| t.latency().is_some()), "paced");
    let all = run(Numbers::default(), &plan(Scenario::Offline, 2_000), &lengths, 8);
    assert!(all.timelines.iter().all(|t| t.latency().is_some()), "all at once");
}
