//! Requests one at a time in an order that the caller states.

use crate::port::{Command, Ns, Port, What};
use crate::timeline::{Outcome, Timeline};

/// Sends the clips of `order` one after the other, each `pause` after the one before has ended; longer than `timeout` no
/// answer is awaited. `observe(done)` is called after each.
///
/// For comparisons that need to know what came before what; a load is driven by [`crate::drive`].
pub fn sequence(
    port: &mut dyn Port,
    order: &[usize],
    pause: Ns,
    timeout: Ns,
    observe: &mut dyn FnMut(usize),
) -> Vec<Timeline> {
    let mut timelines = Vec::with_capacity(order.len());
    for (i, sample) in order.iter().enumerate() {
        let due = port.now() + pause;
        // What still comes belongs to requests that have ended.
        while port.receive(due).is_some() {}
        let sent = port.now();
        let mut t = Timeline::new(i as u64, *sample, due, sent);
        port.send(Command::Whole { id: t.id, sample: *sample });
        await_end(port, &mut t, sent.saturating_add(timeout));
        if t.outcome == Outcome::Open {
            t.outcome = Outcome::TimedOut { after: timeout };
            port.send(Command::Abandon { id: t.id });
        }
        timelines.push(t);
        observe(timelines.len());
    }
    timelines
}

fn await_end(port: &mut dyn Port, t: &mut Timeline, until: Ns) {
    while t.outcome == Outcome::Open
        && let Some(reply) = port.receive(until)
    {
        let at = reply.at;
        if reply.id != t.id {
            continue;
        }
        t.outcome = match reply.what {
            What::Final { .. } | What::Failed(_) if at < t.sent => Outcome::Impossible { at },
            What::Final { text, stages } => {
                t.stages = stages;
                Outcome::Answered { at, text }
            }
            What::Failed(reason) => Outcome::Failed { at, reason },
            // Texts on the way and sound do not end it.
            _ => continue,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reply, Script, Simulated};

    #[test]
    fn each_request_begins_a_pause_after_the_last_has_ended() {
        let script = |command: &Command, start: Ns| match *command {
            // Clip 3 never answers.
            Command::Whole { sample: 3, .. } => Script::default(),
            Command::Whole { id, sample } => Script::answer(id, start, 10 * (sample as Ns + 1)),
            _ => Script::default(),
        };
        let mut port = Simulated::new(1, script);
        let seen = sequence(&mut port, &[0, 3, 2], 100, 1_000, &mut |_| {});
        let facts: Vec<_> = seen.iter().map(|t| (t.id, t.sample, t.sent, t.latency())).collect();
        assert_eq!(facts, [(0, 0, 100, Some(10)), (1, 3, 210, None), (2, 2, 1_310, Some(30))]);
        assert_eq!(seen[1].outcome, Outcome::TimedOut { after: 1_000 });
    }

    #[test]
    fn answers_to_others_and_from_the_past_are_told_apart() {
        let script = |command: &Command, start: Ns| {
            let Command::Whole { id, .. } = *command else { return Script::default() };
            let of = |id, at| Reply { id, at, what: What::Final { text: "x".into(), stages: Vec::new() } };
            let replies =
                if id == 0 { vec![(5, of(9, start + 5)), (8, of(0, start + 8))] } else { vec![(5, of(id, 1))] };
            Script { busy: 10, replies }
        };
        let seen = sequence(&mut Simulated::new(1, script), &[0, 0], 50, 1_000, &mut |_| {});
        assert_eq!(seen[0].latency(), Some(8));
        assert_eq!(seen[1].outcome, Outcome::Impossible { at: 1 });
    }
}
