//! A trace for a browser: the format that Perfetto and Chrome's tracing page open.

use serde_json::{Value, json};

use crate::port::Ns;
use crate::timeline::{Outcome, Timeline};
use crate::trace::Trace;

/// Tracks of a group: the request, what is heard, then a track for each stage, because stages of a pipeline overlap.
const REQUEST: usize = 0;
const SOUND: usize = 1;
const FIRST_STAGE: usize = 2;

/// The trace as JSON: a group of tracks for each of the requests in flight at once, with the request, its stages and its sound
/// as spans, and texts, tokens and barge-in as marks. Times in microseconds.
#[must_use]
pub fn chrome_trace(trace: &Trace) -> String {
    let mut out = Events::default();
    // When each group is free again: requests that overlap lie beside each other.
    let mut groups: Vec<Ns> = Vec::new();
    for t in &trace.bench.timelines {
        let end = match t.outcome {
            Outcome::Answered { at, .. } | Outcome::Failed { at, .. } => at,
            Outcome::TimedOut { after } => t.speech_end.unwrap_or(t.due) + after,
            Outcome::Open | Outcome::Impossible { .. } => t.sent,
        };
        let group = groups.iter().position(|free| *free <= t.due).unwrap_or(groups.len());
        if group == groups.len() {
            groups.push(end);
            out.name(group, REQUEST, "requests");
        } else {
            groups[group] = end;
        }
        out.request(group, t, end);
    }
    json!({"displayTimeUnit": "ms", "traceEvents": out.events}).to_string()
}

#[derive(Default)]
struct Events {
    events: Vec<Value>,
    /// Stages by first appearance.
    stages: Vec<String>,
    /// Tracks that have a name: (group, track).
    named: Vec<(usize, usize)>,
}

impl Events {
    fn request(&mut self, group: usize, t: &Timeline, end: Ns) {
        let answered = if let Outcome::Answered { text, .. } = &t.outcome { text.as_str() } else { "" };
        let about = json!({"clip": t.sample, "text": answered});
        self.span((group, REQUEST), &format!("request {}", t.id), (t.due, end), about);
        if t.sent > t.due {
            self.span((group, REQUEST), "sent late", (t.due, t.sent), json!({}));
        }
        for stage in &t.stages {
            let known = self.stages.iter().position(|name| *name == stage.name);
            let track = FIRST_STAGE
                + known.unwrap_or_else(|| {
                    self.stages.push(stage.name.clone());
                    self.stages.len() - 1
                });
            self.name(group, track, &stage.name);
            self.span((group, track), &stage.name, (stage.t0, stage.t1), json!({"owner": stage.owner}));
        }
        let mut playing_until = 0;
        for (at, length, onset) in &t.audio {
            self.name(group, SOUND, "sound");
            let from = playing_until.max(*at);
            playing_until = from + length;
            let name = if onset.is_some() { "sound" } else { "silence" };
            self.span((group, SOUND), name, (from, playing_until), json!({"came": us(*at)}));
        }
        let texts = t.partials.iter().map(|p| ("partial", p)).chain(t.settled.iter().map(|p| ("settled", p)));
        for (name, (at, text)) in texts.chain(t.tokens.iter().map(|p| ("token", p))) {
            self.mark(group, name, *at, text);
        }
        for (name, at) in [("the user speaks again", t.interrupted), ("stopped", t.stopped)] {
            if let Some(at) = at {
                self.mark(group, name, at, "");
            }
        }
    }

    fn span(&mut self, (group, track): (usize, usize), name: &str, (from, to): (Ns, Ns), about: Value) {
        self.events.push(json!({
            "name": name, "ph": "X", "pid": group + 1, "tid": track, "ts": us(from), "dur": us(to.saturating_sub(from)),
            "args": about,
        }));
    }

    fn mark(&mut self, group: usize, name: &str, at: Ns, text: &str) {
        self.events.push(json!({
            "name": name, "ph": "i", "s": "t", "pid": group + 1, "tid": REQUEST, "ts": us(at), "args": {"text": text},
        }));
    }

    /// Names a track once.
    fn name(&mut self, group: usize, track: usize, name: &str) {
        if self.named.contains(&(group, track)) {
            return;
        }
        self.named.push((group, track));
        let about = json!({"name": name});
        self.events.push(json!({"name": "thread_name", "ph": "M", "pid": group + 1, "tid": track, "args": about}));
    }
}

fn us(ns: Ns) -> f64 {
    ns as f64 / 1e3
}
