//! Timelines as JSON lines, read and written.
//!
//! The first line says what was run: `{"schema":"vbench/trace/1","scenario":…,"timeout_ns":…,"audio_ns":[…],…}`; then one line
//! a request in the order of issue, all times in integer nanoseconds since the bench began:
//! `{"id","sample","due","sent","speech_end"?,"chunk_lateness"?,"partials"?:[[t,text]],"settled"?:[t,text],
//! "tokens"?:[[t,text]],"interrupted"?,"stopped"?,"audio"?:[[t,length,onset]],"outcome":"answered"|"failed"|"timed-out"|"impossible"|"open","at"?,"text"?,"stages"?:[{"name","owner","t0","t1"}],
//! "faults"?:[[kind,n]]}`; strays stand as `{"stray":id,"at":t}`.

use serde_json::{Map, Value, json};

use crate::engine::Bench;
use crate::ledger::Stage;
use crate::port::Ns;
use crate::scenario::{Plan, Scenario};
use crate::sweep::{Parameter, Sweep};
use crate::timeline::{Fault, Outcome, Timeline};

/// The schema of the first line.
pub const TRACE_SCHEMA: &str = "vbench/trace/1";

/// A bench as it was run.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The plan.
    pub plan: Plan,
    /// Lengths of the clips.
    pub audio: Vec<Ns>,
    /// What was varied from clip to clip, if anything.
    pub sweep: Option<Sweep>,
    /// The lateness beyond which it is void; absent in older traces.
    pub max_lateness: Option<Ns>,
    /// What happened.
    pub bench: Bench,
}

/// Why a trace cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct TraceError {
    /// From 1.
    pub line: usize,
    /// What was expected.
    pub message: String,
    /// The schema is a newer one.
    pub newer: bool,
}

/// The trace as JSON lines.
#[must_use]
pub fn write_trace(trace: &Trace) -> String {
    let mut out = format!("{}\n", head(trace));
    for t in &trace.bench.timelines {
        out += &format!("{}\n", request(t));
    }
    for (id, at) in &trace.bench.strays {
        out += &format!("{}\n", json!({"stray": id, "at": at}));
    }
    out
}

fn head(trace: &Trace) -> Value {
    let plan = &trace.plan;
    let mut head = json!({
        "schema": TRACE_SCHEMA, "scenario": plan.scenario.name(), "min_duration_ns": plan.min_duration, "min_count": plan.min_count,
        "max_count": plan.max_count, "timeout_ns": plan.timeout, "seed": plan.seed, "ended": trace.bench.ended, "audio_ns": trace.audio,
        "requests": trace.bench.timelines.len(),
    });
    if let Some(bound) = trace.max_lateness {
        head["max_lateness_ns"] = bound.into();
    }
    if let Some(after) = plan.barge_in {
        head["barge_in_ns"] = after.into();
    }
    if let Some(sweep) = &trace.sweep {
        head["sweep"] = json!({"parameter": sweep.parameter.name(), "values": sweep.values});
    }
    match plan.scenario {
        Scenario::SingleStream | Scenario::Offline => {}
        Scenario::MultiStream { streams } => head["streams"] = streams.into(),
        Scenario::Server { rate_hz } => head["rate_hz"] = rate_hz.into(),
        Scenario::Paced { chunk, streams } => {
            head["streams"] = streams.into();
            head["chunk_ns"] = chunk.into();
        }
    }
    head
}

fn request(t: &Timeline) -> Value {
    let mut line = Map::new();
    let mut put = |key: &str, value: Value| line.insert(key.into(), value);
    put("id", t.id.into());
    put("sample", t.sample.into());
    put("due", t.due.into());
    put("sent", t.sent.into());
    if let Some(end) = t.speech_end {
        put("speech_end", end.into());
    }
    if !t.chunk_lateness.is_empty() {
        put("chunk_lateness", json!(t.chunk_lateness));
    }
    if !t.partials.is_empty() {
        put("partials", json!(t.partials));
    }
    if let Some(settled) = &t.settled {
        put("settled", json!(settled));
    }
    if !t.tokens.is_empty() {
        put("tokens", json!(t.tokens));
    }
    if let Some(at) = t.interrupted {
        put("interrupted", at.into());
    }
    if let Some(at) = t.stopped {
        put("stopped", at.into());
    }
    if !t.audio.is_empty() {
        put("audio", json!(t.audio));
    }
    let (outcome, at, text) = match &t.outcome {
        Outcome::Open => ("open", None, None),
        Outcome::Answered { at, text } => ("answered", Some(*at), Some(text)),
        Outcome::Failed { at, reason } => ("failed", Some(*at), Some(reason)),
        Outcome::TimedOut { after } => ("timed-out", Some(*after), None),
        Outcome::Impossible { at } => ("impossible", Some(*at), None),
    };
    put("outcome", outcome.into());
    if let Some(at) = at {
        put("at", at.into());
    }
    if let Some(text) = text {
        put("text", text.as_str().into());
    }
    if !t.stages.is_empty() {
        let stage = |s: &Stage| json!({"name": s.name, "owner": s.owner, "t0": s.t0, "t1": s.t1});
        put("stages", t.stages.iter().map(stage).collect());
    }
    if !t.faults.is_empty() {
        put("faults", t.faults.iter().map(fault).collect());
    }
    Value::Object(line)
}

fn fault(fault: &Fault) -> Value {
    match fault {
        Fault::AnsweredTwice { at } => json!(["answered-twice", at]),
        Fault::Late { at } => json!(["late", at]),
        Fault::ClockWentBack { by } => json!(["clock-went-back", by]),
        Fault::ClockAhead { by } => json!(["clock-ahead", by]),
        Fault::AfterTheEnd { at } => json!(["after-the-end", at]),
    }
}

/// Reads what [`write_trace`] wrote.
///
/// # Errors
/// [`TraceError`] with the line: not JSON, a key missing or of another type, a newer schema.
pub fn read_trace(text: &str) -> Result<Trace, TraceError> {
    let mut lines = text.lines().enumerate().map(|(i, line)| {
        let fail = |message: String| TraceError { line: i + 1, message, newer: false };
        Ok((i + 1, serde_json::from_str::<Value>(line).map_err(|e| fail(format!("not JSON: {e}")))?))
    });
    let (_, first) = lines
        .next()
        .unwrap_or_else(|| Err(TraceError { line: 1, message: "the file is empty".into(), newer: false }))?;
    let (plan, audio, ended) = read_head(&first)?;
    let sweep = read_sweep(&first, audio.len())?;
    let mut last = 1;
    let of_head = Reader { line: 1, value: &first };
    let max_lateness = first.get("max_lateness_ns").map(|_| of_head.number("max_lateness_ns")).transpose()?;
    let mut bench = Bench { timelines: Vec::new(), strays: Vec::new(), ended };
    for line in lines {
        let (number, value) = line?;
        last = number;
        let at = Reader { line: number, value: &value };
        if value.get("stray").is_some() {
            bench.strays.push((at.number("stray")?, at.number("at")?));
            continue;
        }
        let timeline = read_request(&at)?;
        if timeline.sample >= audio.len() {
            return Err(at.fail(format!("sample {} of {} clips", timeline.sample, audio.len())));
        }
        consistent(&timeline, bench.timelines.len(), ended).map_err(|message| at.fail(message))?;
        bench.timelines.push(timeline);
    }
    let (there, wanted) = (bench.timelines.len(), first["requests"].as_u64());
    if let Some(wanted) = wanted.filter(|n| *n != there as u64) {
        return Err(Reader { line: last, value: &first }.fail(format!("{there} of {wanted} requests are there")));
    }
    Ok(Trace { plan, audio, sweep, max_lateness, bench })
}

/// Whether a request stands in its place, and ends after it begins.
fn consistent(t: &Timeline, place: usize, last: Ns) -> Result<(), String> {
    if t.id != place as u64 {
        return Err(format!("request {} stands where {place} belongs", t.id));
    }
    let (due, sent) = (t.due, t.sent);
    if sent < due {
        return Err(format!("due at {due}, sent at {sent}"));
    }
    if let Some(end) = t.speech_end.filter(|end| *end < due) {
        return Err(format!("due at {due}, speech ends at {end}"));
    }
    match t.outcome {
        Outcome::Answered { at, .. } | Outcome::Failed { at, .. } if at < sent => {
            Err(format!("sent at {sent}, ended at {at}"))
        }
        _ if due > last => Err(format!("due at {due}, the last request ended at {last}")),
        _ => Ok(()),
    }
}

fn read_head(value: &Value) -> Result<(Plan, Vec<Ns>, Ns), TraceError> {
    let at = Reader { line: 1, value };
    let schema = at.text("schema")?;
    if schema != TRACE_SCHEMA {
        let newer = schema.starts_with("vbench/trace/");
        let message = format!("schema `{schema}`: this version reads `{TRACE_SCHEMA}`");
        return Err(TraceError { line: 1, message, newer });
    }
    let scenario = match at.text("scenario")? {
        "single-stream" => Scenario::SingleStream,
        "offline" => Scenario::Offline,
        "multi-stream" => Scenario::MultiStream { streams: at.number("streams")? as usize },
        "server" => {
            let rate = value["rate_hz"].as_f64().ok_or_else(|| at.fail("`rate_hz`: expected a number".into()))?;
            Scenario::Server { rate_hz: rate }
        }
        "paced" => Scenario::Paced { chunk: at.number("chunk_ns")?, streams: at.number("streams")? as usize },
        other => return Err(at.fail(format!("unknown scenario `{other}`"))),
    };
    let plan = Plan {
        scenario,
        min_duration: at.number("min_duration_ns")?,
        min_count: at.number("min_count")? as usize,
        max_count: at.number("max_count")? as usize,
        timeout: at.number("timeout_ns")?,
        seed: at.number("seed")?,
        barge_in: value.get("barge_in_ns").map(|_| at.number("barge_in_ns")).transpose()?,
    };
    if plan.timeout == 0 {
        return Err(at.fail("`timeout_ns`: expected above 0".into()));
    }
    Ok((plan, at.numbers(&value["audio_ns"])?, at.number("ended")?))
}

fn read_sweep(head: &Value, clips: usize) -> Result<Option<Sweep>, TraceError> {
    let Some(value) = head.get("sweep") else { return Ok(None) };
    let at = Reader { line: 1, value };
    let name = at.text("parameter")?;
    let parameter = Parameter::from_name(name).ok_or_else(|| at.fail(format!("unknown parameter `{name}`")))?;
    let values = at.list("values")?.iter().map(|v| v.as_f64().filter(|v| *v > 0.0));
    let values = values.collect::<Option<Vec<f64>>>().filter(|v| v.len() == clips);
    let values = values.ok_or_else(|| at.fail(format!("`values`: expected {clips} numbers above 0")))?;
    Ok(Some(Sweep { parameter, values }))
}

fn read_request(at: &Reader<'_>) -> Result<Timeline, TraceError> {
    let value = at.value;
    let mut t = Timeline::new(at.number("id")?, at.number("sample")? as usize, at.number("due")?, at.number("sent")?);
    t.speech_end = value.get("speech_end").map(|_| at.number("speech_end")).transpose()?;
    t.chunk_lateness = at.numbers(&value["chunk_lateness"])?;
    t.partials = at.list("partials")?.iter().map(|p| at.timed_text("partials", p)).collect::<Result<_, _>>()?;
    t.tokens = at.list("tokens")?.iter().map(|p| at.timed_text("tokens", p)).collect::<Result<_, _>>()?;
    t.settled = value.get("settled").map(|p| at.timed_text("settled", p)).transpose()?;
    t.interrupted = value.get("interrupted").map(|_| at.number("interrupted")).transpose()?;
    t.stopped = value.get("stopped").map(|_| at.number("stopped")).transpose()?;
    for piece in at.list("audio")? {
        let onset = if piece[2].is_null() { None } else { Some(at.whole(&piece[2])?) };
        t.audio.push((at.whole(&piece[0])?, at.whole(&piece[1])?, onset));
    }
    let text = || value["text"].as_str().unwrap_or_default().to_owned();
    t.outcome = match at.text("outcome")? {
        "open" => Outcome::Open,
        "answered" => Outcome::Answered { at: at.number("at")?, text: text() },
        "failed" => Outcome::Failed { at: at.number("at")?, reason: text() },
        "timed-out" => Outcome::TimedOut { after: at.number("at")? },
        "impossible" => Outcome::Impossible { at: at.number("at")? },
        other => return Err(at.fail(format!("unknown outcome `{other}`"))),
    };
    for stage in at.list("stages")? {
        let inner = Reader { line: at.line, value: stage };
        let (name, owner) = (inner.text("name")?.into(), inner.text("owner")?.into());
        t.stages.push(Stage { name, owner, t0: inner.number("t0")?, t1: inner.number("t1")? });
    }
    for fault in at.list("faults")? {
        let n = at.whole(&fault[1])?;
        t.faults.push(match fault[0].as_str() {
            Some("answered-twice") => Fault::AnsweredTwice { at: n },
            Some("late") => Fault::Late { at: n },
            Some("clock-went-back") => Fault::ClockWentBack { by: n },
            Some("clock-ahead") => Fault::ClockAhead { by: n },
            Some("after-the-end") => Fault::AfterTheEnd { at: n },
            _ => return Err(at.fail(format!("unknown fault {}", fault[0]))),
        });
    }
    Ok(t)
}

/// A line that is being read.
struct Reader<'a> {
    line: usize,
    value: &'a Value,
}

impl<'a> Reader<'a> {
    fn fail(&self, message: String) -> TraceError {
        TraceError { line: self.line, message, newer: false }
    }

    fn text(&self, key: &str) -> Result<&'a str, TraceError> {
        self.value[key].as_str().ok_or_else(|| self.fail(format!("`{key}`: expected a text")))
    }

    fn number(&self, key: &str) -> Result<u64, TraceError> {
        self.value[key].as_u64().ok_or_else(|| self.fail(format!("`{key}`: expected a whole number")))
    }

    fn whole(&self, value: &Value) -> Result<u64, TraceError> {
        value.as_u64().ok_or_else(|| self.fail(format!("expected a whole number, found {value}")))
    }

    fn timed_text(&self, key: &str, value: &Value) -> Result<(Ns, String), TraceError> {
        let text = value[1].as_str().ok_or_else(|| self.fail(format!("`{key}`: expected [time, text]")))?;
        Ok((self.whole(&value[0])?, text.into()))
    }

    /// A list that may be absent.
    fn list(&self, key: &str) -> Result<&'a [Value], TraceError> {
        match &self.value[key] {
            Value::Null => Ok(&[]),
            Value::Array(list) => Ok(list),
            _ => Err(self.fail(format!("`{key}`: expected a list"))),
        }
    }

    fn numbers(&self, value: &Value) -> Result<Vec<u64>, TraceError> {
        match value {
            Value::Null => Ok(Vec::new()),
            Value::Array(list) => list.iter().map(|v| self.whole(v)).collect(),
            _ => Err(self.fail("expected a list of whole numbers".into())),
        }
    }
}
