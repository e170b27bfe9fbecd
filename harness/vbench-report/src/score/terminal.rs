//! Scored pairs as tables of plain aligned text.

use comfy_table::{Cell, CellAlignment, Table, TableStyle};
use vbench_compare::TextSummary;
use vbench_core::{ErrorCounts, Estimate};
use vbench_score::analysis::Analysis;
use vbench_score::{mer, wil};

use super::{AnalysisReport, MultiReport, Pairing, ScoreReport};
use crate::format::{self, ABSENT, FACTOR, RATE, count, visible};
use crate::terminal::{Paint, clipped, wrapped};

/// Findings listed; all are counted.
const FINDINGS: usize = 20;

/// Speakers listed.
const SPEAKERS: usize = 20;

/// The report as text of about `width` columns, coloured when `colour` is set: one line for each normaliser and stratum, the
/// band of word error rates over the normalisers, what lacked a partner, and the breakdowns asked for.
#[must_use]
pub fn score_table(report: &ScoreReport, width: usize, colour: bool) -> String {
    let paint = Paint { on: colour };
    let mut out = main_table(report, paint);
    for line in details(report).iter().flat_map(|note| wrapped(note, width)) {
        out.push_str(&paint.dim(&line));
        out.push('\n');
    }
    for line in pairing_lines(&report.pairing) {
        out.push_str(&paint.red(&line));
        out.push('\n');
    }
    if let Some(analysis) = &report.analysis {
        out.push_str(&breakdowns(analysis, paint));
    }
    out
}

fn main_table(report: &ScoreReport, paint: Paint) -> String {
    let mut table = Table::new();
    let strata = report.results.iter().any(|r| r.strata.len() > 1);
    let mut header = vec!["normaliser"];
    header.extend(strata.then_some("stratum"));
    header.extend(["words", "WER %", "95 %", "S", "D", "I", "CER %", "95 %", "SER %", "resampled unit"]);
    let texts = if strata { 2 } else { 1 };
    table.load_style(TableStyle::new()).set_header(&header);
    for result in &report.results {
        for (index, s) in result.strata.iter().enumerate() {
            let mut row = vec![if index == 0 { clipped(&result.normalizer) } else { String::new() }];
            row.extend(
                strata.then(|| if s.by == "all" { "all".into() } else { clipped(&format!("{} {}", s.by, s.value)) }),
            );
            row.push(count(s.words.reference()));
            row.extend(value_and_interval(&s.wer));
            row.extend([s.words.sub, s.words.del, s.words.ins].map(count));
            row.extend(value_and_interval(&s.cer));
            row.push(RATE.number(s.ser.value));
            row.push(unit(&s.wer));
            table.add_row(row);
        }
    }
    aligned(&mut table, header.len(), texts);
    lines(&table, paint)
}

/// Text columns to the left, then the last one; numbers to the right.
fn aligned(table: &mut Table, columns: usize, texts: usize) {
    for (i, column) in table.column_iter_mut().enumerate() {
        let last = i + 1 == columns;
        column.set_padding((0, if last { 0 } else { 2 }));
        let left = i < texts || last;
        column.set_cell_alignment(if left { CellAlignment::Left } else { CellAlignment::Right });
    }
}

/// The first line bold, the others plain.
fn lines(table: &Table, paint: Paint) -> String {
    let mut out = String::new();
    for (index, line) in table.lines().enumerate() {
        let line = line.trim_end();
        out.push_str(&if index == 0 { paint.bold(line) } else { line.to_owned() });
        out.push('\n');
    }
    out
}

fn value_and_interval(estimate: &Estimate) -> [String; 2] {
    let interval =
        format::usable_interval(estimate).map_or_else(|_| format!("[{ABSENT}]"), |i| RATE.interval(i.lo, i.hi));
    [RATE.number(estimate.value), interval]
}

fn unit(estimate: &Estimate) -> String {
    match format::usable_interval(estimate) {
        Ok(i) => format!("{}, {}", format::unit(i), i.method),
        Err(reason) => visible(reason),
    }
}

fn details(report: &ScoreReport) -> Vec<String> {
    let Some(all) = report.results.first().and_then(|r| r.strata.first()) else { return Vec::new() };
    let mut notes = vec![String::new()];
    notes.push(format!(
        "{} pairs; alignment weights {}; characters are {}s; seed {}.",
        count(report.pairing.pairs as u64),
        report.weights,
        report.char_unit,
        report.seed
    ));
    let rates: Vec<f64> = report.results.iter().filter_map(|r| Some(r.strata.first()?.wer.value)).collect();
    if rates.len() > 1 {
        let (low, high) = rates.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), r| (l.min(*r), h.max(*r)));
        notes.push(format!(
            "Band over {} normalisers: WER {} to {} %.",
            rates.len(),
            RATE.number(low),
            RATE.number(high)
        ));
    }
    notes.push(more_rates(all));
    if let Some(note) = &all.note {
        notes.push(format!("Intervals are {}.", visible(note)));
    }
    if all.empty_references > 0 {
        notes.push(format!(
            "{} pairs have an empty reference and no rate; {} hallucinated words in them are counted as insertions only.",
            count(all.empty_references as u64),
            count(all.hallucinated_words)
        ));
    }
    if all.chars_left_out > 0 {
        notes.push(format!(
            "{} pairs have too many characters to align: they are in no CER.",
            count(all.chars_left_out as u64)
        ));
    }
    notes.push(String::new());
    notes.retain(|n| n != "-");
    notes
}

fn more_rates(s: &TextSummary) -> String {
    let rated = s.rated_words();
    if rated.reference() == 0 {
        return "No reference has a word: there is no rate.".into();
    }
    format!(
        "Hits {}. Least possible errors (Levenshtein) {}. Mean of utterance WERs {} %. MER {} %, WIL {} %, word accuracy {} %. \
         {} of {} sentences wrong.",
        count(s.words.hits),
        count(s.words_min_errors),
        RATE.number(s.wer_macro.unwrap_or(f64::NAN)),
        RATE.number(mer(&rated)),
        RATE.number(wil(&rated)),
        RATE.number(rated.rate().map_or(f64::NAN, |r| 1.0 - r)),
        count(s.sentences_wrong as u64),
        count(s.sentences() as u64)
    )
}

fn pairing_lines(p: &Pairing) -> Vec<String> {
    let mut out = Vec::new();
    let what = if p.policy == "empty" { "scored as empty" } else { "left out" };
    for (ids, text) in [
        (&p.missing, format!("references without a hypothesis ({what})")),
        (&p.extra, "hypotheses without a reference (left out)".to_owned()),
    ] {
        if ids.count > 0 {
            let more = if ids.count > ids.first.len() as u64 { ", …" } else { "" };
            let first: Vec<String> = ids.first.iter().map(|id| visible(id)).collect();
            out.push(format!("{} {text}: {}{more}", count(ids.count), first.join(", ")));
        }
    }
    if let Some(t) = &p.times
        && (t.ignored_segments, t.ignored_words, t.words_between) != (0, 0, 0)
    {
        out.push(format!(
            "{} segments ignored with {} words; {} words outside every segment scored with the next one",
            t.ignored_segments, t.ignored_words, t.words_between
        ));
    }
    out
}

fn breakdowns(report: &AnalysisReport, paint: Paint) -> String {
    let a = &report.analysis;
    let mut out = confusion_table(report, paint);
    if report.whole {
        let parts = a.by_part.rows().map(|(part, c)| (part.name().to_owned(), c));
        out.push_str(&counted("By part of the utterance", parts, paint));
        let classes = a.by_class.rows().map(|(class, c)| (class.name().to_owned(), c));
        out.push_str(&counted("By word class", classes, paint));
        let lengths = a.by_length.rows().map(|(name, utterances, c)| (format!("{name} words ({utterances})"), c));
        out.push_str(&counted("By reference length (utterances)", lengths, paint));
        out.push_str(&speakers(a, paint));
        out.push_str(&findings(report, paint));
    }
    if !a.keywords.by_keyword.is_empty() {
        out.push_str(&keywords(report, paint));
    }
    if let Some(rate) = a.weighted.rate() {
        out.push_str(&format!(
            "\nWeighted WER {} % of {} weighted words\n",
            RATE.number(rate),
            FACTOR.number(a.weighted.reference())
        ));
    }
    if let Some((phonemes, basis)) = &report.phonemes {
        let counts = phonemes.counts();
        out.push_str(&format!("\n{}\n", paint.cyan("Phonemes taken for one another")));
        let mut table = Table::new();
        table.load_style(TableStyle::new()).set_header(["count", "reference", "hypothesis"]);
        for c in phonemes.substitutions(report.top) {
            table.add_row([count(c.count), c.reference.ipa().into(), c.hypothesis.ipa().into()]);
        }
        aligned(&mut table, 3, 0);
        out.push_str(&lines(&table, paint));
        out.push_str(&format!(
            "{} phonemes; S {} D {} I {}; {}\n",
            count(counts.reference()),
            counts.sub,
            counts.del,
            counts.ins,
            visible(basis)
        ));
    }
    out
}

/// The speakers with the highest rates.
fn speakers(a: &Analysis, paint: Paint) -> String {
    let mut rows: Vec<(String, ErrorCounts)> =
        a.by_speaker.iter().filter_map(|(s, c)| Some((s.clone()?, *c))).collect();
    let rate = |c: &ErrorCounts| c.rate().unwrap_or(f64::NEG_INFINITY);
    rows.sort_by(|x, y| rate(&y.1).total_cmp(&rate(&x.1)));
    let title = if rows.len() > SPEAKERS {
        format!("By speaker, the worst {SPEAKERS} of {} (all of them in the JSON)", rows.len())
    } else {
        "By speaker".to_owned()
    };
    counted(&title, rows.into_iter().take(SPEAKERS), paint)
}

fn confusion_table(report: &AnalysisReport, paint: Paint) -> String {
    let c = &report.analysis.confusions;
    if c.is_empty() {
        return "\nNo word is wrong.\n".to_owned();
    }
    let (subs, dels, ins) = (c.substitutions(report.top), c.deletions(report.top), c.insertions(report.top));
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_header([
        Cell::new(""),
        Cell::new("substituted"),
        Cell::new(""),
        Cell::new("deleted"),
        Cell::new(""),
        Cell::new("inserted"),
    ]);
    for i in 0..subs.len().max(dels.len()).max(ins.len()) {
        let pair = subs.get(i).map(|p| (p.count, format!("{} → {}", visible(p.reference), visible(p.hypothesis))));
        let word = |w: Option<&vbench_score::analysis::CountedWord<'_>>| w.map(|w| (w.count, visible(w.word)));
        let cells = [pair, word(dels.get(i)), word(ins.get(i))];
        table.add_row(cells.into_iter().flat_map(|c| match c {
            Some((n, text)) => [count(n), text],
            None => [String::new(), String::new()],
        }));
    }
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if i % 2 == 0 { 1 } else { 3 }));
        column.set_cell_alignment(if i % 2 == 0 { CellAlignment::Right } else { CellAlignment::Left });
    }
    format!("\n{}\n{}", paint.cyan("Most frequent errors"), lines(&table, paint))
}

fn counted(title: &str, rows: impl Iterator<Item = (String, ErrorCounts)>, paint: Paint) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_header(["", "words", "WER %", "S", "D", "I"]);
    let mut any = false;
    for (name, c) in rows.filter(|(_, c)| *c != ErrorCounts::ZERO) {
        any = true;
        let rate = RATE.number(c.rate().unwrap_or(f64::NAN));
        table.add_row([clipped(&name), count(c.reference()), rate, count(c.sub), count(c.del), count(c.ins)]);
    }
    if !any {
        return String::new();
    }
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        column.set_cell_alignment(if i == 0 { CellAlignment::Left } else { CellAlignment::Right });
    }
    format!("\n{}\n{}", paint.cyan(title), lines(&table, paint))
}

fn findings(report: &AnalysisReport, paint: Paint) -> String {
    let list = &report.analysis.findings;
    if list.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{} ({})\n", paint.cyan("Repetitions and hallucinations"), count(list.len() as u64));
    for f in list.iter().take(FINDINGS) {
        out.push_str(&format!(
            "{}: {} of {} words at {}: {}\n",
            visible(&f.id),
            f.kind.name(),
            f.length,
            f.position,
            visible(&f.text)
        ));
    }
    if list.len() > FINDINGS {
        out.push_str(&format!("… and {} more (all of them in the JSON)\n", list.len() - FINDINGS));
    }
    out
}

fn keywords(report: &AnalysisReport, paint: Paint) -> String {
    let k = &report.analysis.keywords;
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_header([
        "keyword",
        "said",
        "recognised",
        "found",
        "recall %",
        "precision %",
        "F1 %",
    ]);
    let share = |s: Option<f64>| RATE.number(s.unwrap_or(f64::NAN));
    let rows = k.by_keyword.iter().map(|(name, c)| (name.as_str(), c)).chain(std::iter::once(("all", &k.total)));
    for (name, c) in rows {
        let numbers = [c.reference, c.hypothesis, c.found].map(count);
        let shares = [c.recall(), c.precision(), c.f1()].map(share);
        table.add_row(std::iter::once(clipped(name)).chain(numbers).chain(shares));
    }
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        column.set_cell_alignment(if i == 0 { CellAlignment::Left } else { CellAlignment::Right });
    }
    let wer = RATE.number(k.words.rate().unwrap_or(f64::NAN));
    format!("\n{} (WER over their words {wer} %)\n{}", paint.cyan("Keywords"), lines(&table, paint))
}

/// Several-speaker scores: one line a session, one for each pair of speakers below it, and the sum.
#[must_use]
pub fn multi_table(report: &MultiReport, colour: bool) -> String {
    let paint = Paint { on: colour };
    let mut table = Table::new();
    let metric = format!("{} %", report.metric);
    table.load_style(TableStyle::new()).set_header(["session / speakers", "words", &metric, "S", "D", "I"]);
    let mut row = |name: String, c: &ErrorCounts| {
        let rate = RATE.number(c.rate().unwrap_or(f64::NAN));
        table.add_row([name, count(c.reference()), rate, count(c.sub), count(c.del), count(c.ins)]);
    };
    for s in &report.score.sessions {
        row(clipped(&s.session), &s.counts);
        for p in &s.pairs {
            let name = |n: &Option<String>, absent: &str| n.as_deref().map_or_else(|| absent.to_owned(), clipped);
            row(format!("  {} ← {}", name(&p.reference, "nobody"), name(&p.hypothesis, "nobody")), &p.counts);
        }
    }
    row("all".into(), &report.score.counts);
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        column.set_cell_alignment(if i == 0 { CellAlignment::Left } else { CellAlignment::Right });
    }
    let mut out = lines(&table, paint);
    let s = &report.score;
    out.push_str(&format!(
        "\n{} speakers; {} missed, {} false alarms; normaliser {}{}\n",
        s.scored_speakers,
        s.missed_speakers,
        s.false_alarm_speakers,
        visible(&report.normalizer),
        report.collar_s.map_or_else(String::new, |c| format!("; collar {c} s"))
    ));
    for (names, text) in
        [(&s.missing_sessions, "sessions without a hypothesis"), (&s.extra_sessions, "sessions without a reference")]
    {
        if !names.is_empty() {
            let list: Vec<String> = names.iter().take(5).map(|n| visible(n)).collect();
            out.push_str(&paint.red(&format!("{} {text}: {}", names.len(), list.join(", "))));
            out.push('\n');
        }
    }
    out
}
