//! The tables of an analysis as text.

use serde::Serialize;
use vbench_compare::analysis::{
    Analysis, BandRow, Confused, ConfusedWord, ModelErrors, ModelTimes, NormalizerBand, Percentile, SpeakerRow,
};

use super::words;
use crate::format::{self, ABSENT, visible};
use crate::view::{Number, number};

/// At most this many speakers stand in the table, the worst first.
const SPEAKERS: usize = 20;
/// At most this many rows of normaliser bands.
const BANDS: usize = 120;

/// What two runs with one seed share.
#[derive(Debug, Serialize)]
pub(crate) struct Errors {
    several: bool,
    metric: String,
    normalizers: Vec<Heading>,
    bands: Vec<Band>,
    models: Vec<Model>,
}

#[derive(Debug, Serialize)]
struct Heading {
    name: String,
    used: bool,
}

#[derive(Debug, Serialize)]
struct Band {
    value: String,
    model: String,
    range: String,
    rates: Vec<Number>,
    left_out: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Model {
    model: String,
    speakers: Vec<Speaker>,
    /// Speakers that are not in the table.
    more_speakers: Option<String>,
    /// What the speakers say, and who is missing.
    speaker_notes: Vec<String>,
    lists: Vec<List>,
    /// Why there is no figure of phonemes.
    no_phonemes: Option<String>,
}

#[derive(Debug, Serialize)]
struct Speaker {
    name: String,
    worst: bool,
    cells: String,
    tokens: String,
    rate: Number,
}

/// One list of confusions.
#[derive(Debug, Serialize)]
struct List {
    title: String,
    /// How many there are in all.
    total: String,
    pairs: bool,
    rows: Vec<Confusion>,
    /// Of all, so many are listed: `12.4 %`.
    listed: String,
}

#[derive(Debug, Serialize)]
struct Confusion {
    reference: Option<String>,
    hypothesis: Option<String>,
    count: String,
    share: String,
    /// Length of the bar from 0 to 100, as text for an SVG attribute.
    bar: String,
}

/// What differs from run to run.
#[derive(Debug, Serialize)]
pub(crate) struct Times {
    several: bool,
    models: Vec<ModelTime>,
    trade_off: String,
    stages: Vec<Stages>,
    /// Why there is no waterfall.
    no_stages: Option<String>,
}

#[derive(Debug, Serialize)]
struct ModelTime {
    model: String,
    timed: String,
    untimed: Option<String>,
    range: String,
    percentiles: Vec<Percent>,
    rtf: Number,
}

#[derive(Debug, Serialize)]
struct Percent {
    name: String,
    value: String,
    interval: Option<String>,
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct Stages {
    model: String,
    rows: Vec<Stage>,
    total: String,
}

#[derive(Debug, Serialize)]
struct Stage {
    name: String,
    owner: String,
    mean: String,
    interval: String,
    share: String,
    cells: String,
}

pub(crate) fn errors(analysis: &Analysis) -> Errors {
    let heading = |r: &BandRow| Heading { name: visible(&r.normalizer), used: r.used };
    let first = analysis.errors.first().and_then(|m| m.bands.first());
    Errors {
        several: analysis.errors.len() > 1,
        metric: analysis.rate.metric().to_uppercase(),
        normalizers: first.into_iter().flat_map(|b| b.rows.iter().map(heading)).collect(),
        bands: analysis.errors.iter().flat_map(|m| m.bands.iter().map(|b| band(m, b))).take(BANDS).collect(),
        models: analysis.errors.iter().map(model).collect(),
    }
}

fn band(m: &ModelErrors, b: &NormalizerBand) -> Band {
    let left_out = b.rows.iter().filter(|r| r.left_out > 0);
    Band {
        value: if b.value.is_empty() { "all cells".to_owned() } else { visible(&b.value) },
        model: visible(&m.model),
        range: words::range(b),
        rates: b.rows.iter().map(|r| number(&r.rate, format::RATE, r.note.as_deref(), None)).collect(),
        left_out: left_out
            .map(|r| format!("{} too long to align under {}", format::count(r.left_out as u64), visible(&r.normalizer)))
            .collect(),
    }
}

fn model(m: &ModelErrors) -> Model {
    let s = &m.speakers;
    // With several speakers the figure says it.
    let mut notes: Vec<String> = (s.rows.len() < 2).then(|| words::speaker_finding(m)).into_iter().collect();
    if s.worst.is_ok() {
        notes.push(
            "The worst were picked for being worst in this run: new recordings of them will, on average, come out better."
                .to_owned(),
        );
    }
    if s.unknown > 0 {
        notes.push(format!("{} cells name no speaker and are in none of them.", format::count(s.unknown as u64)));
    }
    if s.silent > 0 {
        notes.push(format!(
            "{} speakers say nothing in the references and have no rate.",
            format::count(s.silent as u64)
        ));
    }
    let more = s.rows.len().checked_sub(SPEAKERS).filter(|n| *n > 0);
    Model {
        model: visible(&m.model),
        speakers: s.rows.iter().take(SPEAKERS).map(speaker).collect(),
        more_speakers: more.map(|n| format::count(n as u64)),
        speaker_notes: notes,
        lists: lists(&m.confused),
        no_phonemes: match &m.phonemes {
            Err(reason) => Some(visible(reason)),
            Ok(t) if t.total.errors() == 0 => Some("no word was wrong in a way that can be heard".to_owned()),
            Ok(_) => None,
        },
    }
}

fn speaker(row: &SpeakerRow) -> Speaker {
    Speaker {
        name: visible(&row.speaker),
        worst: row.worst,
        cells: format::count(row.cells as u64),
        tokens: format::count(row.counts.reference()),
        rate: number(&row.rate, format::RATE, None, None),
    }
}

fn lists(c: &Confused) -> Vec<List> {
    let share = |s: f64| format!("{} %", format::RATE.with_decimals(1).number(s));
    let row = |reference: Option<&str>, hypothesis: Option<&str>, count: u64, s: f64, most: f64| Confusion {
        reference: reference.map(visible),
        hypothesis: hypothesis.map(visible),
        count: format::count(count),
        share: share(s),
        bar: format!("{:.1}", if most > 0.0 { 100.0 * s / most } else { 0.0 }),
    };
    let list = |title: &str, total: u64, pairs: bool, rows: Vec<Confusion>, listed: f64| List {
        title: title.to_owned(),
        total: format::count(total),
        pairs,
        rows,
        listed: share(listed),
    };
    let most = |shares: &mut dyn Iterator<Item = f64>| shares.fold(0.0, f64::max);
    let subs = most(&mut c.substitutions.iter().map(|p| p.share));
    let of_words = |words: &[ConfusedWord], inserted: bool| -> (Vec<Confusion>, f64) {
        let top = most(&mut words.iter().map(|w| w.share));
        let one = |w: &ConfusedWord| {
            let word = Some(w.word.as_str());
            let (r, h) = if inserted { (None, word) } else { (word, None) };
            row(r, h, w.count, w.share, top)
        };
        (words.iter().map(one).collect(), words.iter().map(|w| w.share).sum())
    };
    let pairs = c.substitutions.iter().map(|p| row(Some(&p.reference), Some(&p.hypothesis), p.count, p.share, subs));
    let (deleted, inserted) = (of_words(&c.deletions, false), of_words(&c.insertions, true));
    vec![
        list("Taken for another", c.counts.sub, true, pairs.collect(), c.substitutions.iter().map(|p| p.share).sum()),
        list("Left out", c.counts.del, false, deleted.0, deleted.1),
        list("Put in", c.counts.ins, false, inserted.0, inserted.1),
    ]
}

pub(crate) fn times(analysis: &Analysis) -> Times {
    let staged = analysis.times.iter().filter(|t| !t.waterfall.stages.is_empty());
    let stages: Vec<Stages> = staged.map(stages).collect();
    Times {
        several: analysis.times.len() > 1,
        models: analysis.times.iter().map(model_time).collect(),
        trade_off: words::trade_off_finding(analysis),
        no_stages: stages.is_empty().then(|| {
            if analysis.times.is_empty() { "nothing was timed" } else { "the timings name no stages" }.to_owned()
        }),
        stages,
    }
}

fn model_time(t: &ModelTimes) -> ModelTime {
    let percent = |p: &Percentile| {
        let interval = words::interval_or_reason(p);
        Percent {
            name: format!("p{}", words::percent_of(p.q)),
            value: words::duration(p.time_s.value),
            interval: interval.clone().ok(),
            reason: interval.err(),
        }
    };
    ModelTime {
        model: visible(&t.model),
        timed: format::count(t.timed as u64),
        untimed: (t.untimed > 0).then(|| format::count(t.untimed as u64)),
        range: format!("{} to {}", words::duration(t.range_s.0), words::duration(t.range_s.1)),
        percentiles: t.percentiles.iter().map(percent).collect(),
        rtf: number(&t.rtf, format::FACTOR, t.note.as_deref(), None),
    }
}

fn stages(t: &ModelTimes) -> Stages {
    let w = &t.waterfall;
    let row = |s: &vbench_compare::analysis::StageMean| Stage {
        name: visible(&s.name),
        owner: if s.owner.is_empty() { ABSENT.to_owned() } else { visible(&s.owner) },
        mean: words::duration(s.mean.value),
        interval: match format::usable_interval(&s.mean) {
            Ok(i) => format!("[{}, {}]", words::duration(i.lo), words::duration(i.hi)),
            Err(reason) => format!("no interval: {}", visible(reason)),
        },
        share: format!("{} %", format::RATE.with_decimals(1).number(s.share)),
        cells: format::count(s.cells as u64),
    };
    Stages { model: visible(&t.model), rows: w.stages.iter().map(row).collect(), total: words::duration(w.total_s) }
}
