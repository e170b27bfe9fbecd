//! The report as Markdown for a pull-request comment or a step summary.
//!
//! The same tables as the page, in at most [`MAX_CHARS`] characters. What does not fit is cut row by row, the speakers
//! first, and every cut says how much is missing and where it is. The two halves have budgets of their own, so that
//! the text outside the marked block does not depend on how long the timings are.

use crate::analysis::words;
use crate::curve::curve_plots;
use crate::figures;
use crate::format::ABSENT;
use crate::html::{BLOCK_BEGIN, BLOCK_END};
use crate::input::ReportInput;
use crate::signal::SignalView;
use crate::view::{self, Fact, Findings, Number, StrataTable, Timings, Token, Worst};

/// Most characters of a report; GitHub refuses comments from 65,536 on.
pub const MAX_CHARS: usize = 65_000;
/// Budget of everything outside the block, and of the block with its markers.
const FINDINGS_CHARS: usize = 52_000;
const TIMINGS_CHARS: usize = 12_000;
/// Longest single text (transcript, reason, fact) in characters.
const TEXT_CHARS: usize = 600;
/// Columns of an alignment before it continues below.
const ALIGNMENT_COLUMNS: usize = 96;

/// Whether figures lie beside the text, so that it may show them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figures {
    /// Under `figures/`.
    Beside,
    /// Nowhere that the reader's viewer could find.
    Absent,
}

/// The report as Markdown, at most [`MAX_CHARS`] characters.
#[must_use]
pub fn render_markdown(input: &ReportInput<'_>) -> String {
    render(input, Figures::Beside)
}

/// The report as Markdown with or without figures.
pub(crate) fn render(input: &ReportInput<'_>, shown: Figures) -> String {
    let findings = view::findings(input);
    let timings = view::timings(input);
    let mut out = assemble(findings_sections(&findings, input), FINDINGS_CHARS);
    out.push('\n');
    out.push_str(BLOCK_BEGIN);
    out.push_str("\n\n");
    out.push_str(&assemble(timings_sections(&timings), TIMINGS_CHARS));
    out.push('\n');
    out.push_str(BLOCK_END);
    out.push('\n');
    match shown {
        Figures::Beside => out,
        // Text of the run never begins a line with `![`: there its brackets are escaped, or it is indented.
        Figures::Absent => out.split_inclusive('\n').filter(|line| !line.starts_with("![")).collect(),
    }
}

/// A part of the report that may lose rows from its end.
struct Section {
    head: String,
    rows: Vec<String>,
    /// Parts with a higher rank lose rows first; rank 0 is kept.
    rank: u8,
    /// What a row is, in the plural, for the sentence on cut rows.
    noun: &'static str,
}

impl Section {
    fn fixed(head: String) -> Self {
        Self { head, rows: Vec::new(), rank: 0, noun: "" }
    }
}

/// Joins sections, cutting rows until the text fits.
fn assemble(mut sections: Vec<Section>, budget: usize) -> String {
    // Room for the sentence that each cut adds.
    const NOTE: usize = 120;
    let chars = |s: &str| s.chars().count() + 1;
    let mut total: usize =
        sections.iter().map(|s| chars(&s.head) + NOTE + s.rows.iter().map(|r| chars(r)).sum::<usize>()).sum();
    let mut order: Vec<usize> = (0..sections.len()).filter(|i| sections[*i].rank > 0).collect();
    order.sort_by_key(|i| std::cmp::Reverse(sections[*i].rank));
    let mut cut = vec![0usize; sections.len()];
    for i in order {
        while total > budget {
            let Some(row) = sections[i].rows.pop() else {
                break;
            };
            total -= chars(&row);
            cut[i] += 1;
        }
    }
    let mut out = String::new();
    for (section, cut) in sections.iter().zip(cut) {
        out.push_str(&section.head);
        out.push('\n');
        for row in &section.rows {
            out.push_str(row);
            out.push('\n');
        }
        if cut > 0 {
            out.push_str(&format!(
                "\n_{cut} more {} are left out to keep this text short; report.html has them._\n",
                section.noun
            ));
        }
    }
    // Fixed parts are a few kilobytes; this holds if names alone should exceed the budget.
    match out.char_indices().nth(budget) {
        None => out,
        Some((end, _)) => format!("{}\n\n_The rest is cut; report.html has it._\n", &out[..end.min(out.len())]),
    }
}

fn findings_sections(f: &Findings, input: &ReportInput<'_>) -> Vec<Section> {
    let mut sections = vec![Section::fixed(headline(f))];
    let item = |s: &String| format!("- {}", inline(s));
    if !f.composites.is_empty() {
        sections.push(Section::fixed(f.composites.iter().map(item).collect::<Vec<_>>().join("\n") + "\n"));
    }
    for metric in figures::accuracy_metrics(input.summary) {
        sections.push(Section::fixed(format!("![{}](figures/{}.png)\n", metric.title(), metric.figure_name())));
    }
    for plot in curve_plots(input.summary) {
        sections.push(Section::fixed(format!("![{}](figures/{}.png)\n", inline(&plot.title), plot.name)));
    }
    let tables = f.tables.len().min(90) as u8;
    for (i, table) in (0u8..).zip(&f.tables) {
        let rank = match table.by.as_str() {
            "speaker" => 200,
            "stratum" => 0,
            "condition" => 1,
            // Later properties of the suite go first.
            _ => 10 + i.min(tables),
        };
        sections.push(strata_section(f, table, rank));
        if table.by == "condition" {
            sections.extend(delta_section(f));
        }
    }
    sections.extend(f.signal.as_ref().map(signal_section));
    sections.extend(input.analysis.as_ref().map(|a| causes_section(&words::causes(a.analysis))));
    sections.extend(worst_section(f));
    sections.extend(failure_section(f));
    sections.push(list_section("How these numbers were made", f.methods.iter().map(|m| inline(m)).collect(), 2));
    sections.push(fact_section("Conditions", &f.conditions, 3));
    sections.push(fact_section("What was measured", &f.identity, 4));
    sections.retain(|s| !s.head.is_empty());
    sections
}

fn headline(f: &Findings) -> String {
    let mut out = format!("# {}\n\n", inline(&f.suite));
    if let Some(v) = &f.verdict {
        out.push_str(&format!("> **Gate: {}.** {}\n\n", inline(&v.outcome), inline(&v.sentence)));
    }
    let c = &f.coverage;
    if c.complete {
        out.push_str(&format!("Coverage {} %: {} of {} cells.", c.percent, c.done, c.planned));
    } else {
        let absent = if c.absent.is_empty() {
            String::new()
        } else {
            format!(" Not present and not planned: {}.", inline(&c.absent))
        };
        out.push_str(&format!(
            "> **Coverage {} %: {} of {} cells; {} failed, {} skipped, {} without outcome{}.**{absent} \
             The numbers below are of the scored cells only.\n",
            c.percent, c.done, c.planned, c.failed, c.skipped, c.outstanding, c.why
        ));
    }
    out.push_str(&format!(
        "\nNormaliser {}, alignment weights {}, seed {}.\n\n",
        inline(&f.normalizer),
        inline(&f.weights),
        f.seed
    ));
    for h in &f.headlines {
        let (first, second) =
            if f.cer_first { (("CER", &h.cer), ("WER", &h.wer)) } else { (("WER", &h.wer), ("CER", &h.cer)) };
        out.push_str(&format!(
            "**{}: {} {}** · {} {} · S / D / I {} · {} words in {} cells · cells with an error {} %\n\n",
            inline(&h.model),
            first.0,
            percent_in_words(first.1),
            second.0,
            percent_in_words(second.1),
            h.sdi,
            h.words,
            h.scored,
            h.sentence_errors
        ));
    }
    if f.headlines.is_empty() {
        out.push_str("Nothing was scored.\n");
    }
    out
}

/// `7.90 % [5.12, 11.20] (95 %, speaker (18))`.
fn percent_in_words(n: &Number) -> String {
    match (&n.interval, &n.level, &n.unit) {
        (Some(interval), Some(level), Some(unit)) => {
            let notes: String = n.notes.iter().map(|note| format!(", {}", inline(note))).collect();
            format!("{} % {interval} ({level} interval, resampling {unit}{notes})", n.value)
        }
        _ => format!("{} % (no interval: {})", n.value, inline(n.reason.as_deref().unwrap_or("not given"))),
    }
}

/// `7.90 [5.12, 11.20]` or `7.90`; the unit column tells why an interval is missing.
fn cell(n: &Number) -> String {
    n.interval.as_ref().map_or_else(|| n.value.clone(), |interval| format!("{} {interval}", n.value))
}

/// `speaker (18)`, with warnings, or the reason why there is no interval.
fn unit_cell(n: &Number) -> String {
    let mut parts: Vec<String> = n.unit.iter().cloned().collect();
    parts.extend(n.notes.iter().map(|note| inline(note)));
    parts.extend(n.reason.iter().map(|reason| format!("no interval: {}", inline(reason))));
    parts.join("; ")
}

fn strata_section(f: &Findings, table: &StrataTable, rank: u8) -> Section {
    let mut columns = vec![(inline(&table.by), false)];
    let mut column = |name: &str, right: bool| columns.push((name.to_owned(), right));
    if f.several_models {
        column("model", false);
    }
    column("cells", true);
    column("words", true);
    column("WER %", true);
    column("resampled unit", false);
    column("CER %", true);
    column("S / D / I", true);
    column("fewest errors", true);
    if table.has_snr {
        column("SNR dB", true);
    }
    if table.has_hallucinated {
        column("hallucinated words", true);
    }
    let rows = table.rows.iter().map(|r| {
        let mut cells = vec![inline(&r.value)];
        if f.several_models {
            cells.push(inline(&r.model));
        }
        let with_unit = |text: String, unit: &Option<String>| match unit {
            Some(unit) => format!("{text} by {unit}"),
            None => text,
        };
        cells.extend([
            r.cells.clone(),
            r.words.clone(),
            cell(&r.wer),
            unit_cell(&r.wer),
            with_unit(cell(&r.cer), &r.cer_unit),
            format!("{} / {} / {}", r.sub, r.del, r.ins),
            r.min_errors.clone(),
        ]);
        if table.has_snr {
            cells.push(r.snr.as_ref().map_or_else(|| "–".to_owned(), |snr| with_unit(cell(snr), &r.snr_unit)));
        }
        if table.has_hallucinated {
            cells.push(r.hallucinated.clone());
        }
        line(&cells)
    });
    Section { head: table_head(&inline(&table.title), &columns), rows: rows.collect(), rank, noun: "rows" }
}

fn delta_section(f: &Findings) -> Option<Section> {
    let from = f.deltas.first()?;
    let mut columns = vec![("condition".to_owned(), false)];
    if f.several_models {
        columns.push(("model".to_owned(), false));
    }
    columns.extend(
        [("WER difference, points", true), ("resampled unit", false), ("p", true), ("utterances", true)]
            .map(|(n, r)| (n.to_owned(), r)),
    );
    let rows = f.deltas.iter().map(|d| {
        let mut cells = vec![inline(&d.to)];
        if f.several_models {
            cells.push(inline(&d.model));
        }
        cells.extend([cell(&d.difference), unit_cell(&d.difference), inline(&d.p), d.utterances.clone()]);
        line(&cells)
    });
    let head = table_head(&format!("Paired difference to {}", inline(&from.from)), &columns);
    Some(Section { head, rows: rows.collect(), rank: 1, noun: "rows" })
}

fn signal_section(view: &SignalView) -> Section {
    let mut columns = vec![("condition".to_owned(), false), ("utterances".to_owned(), true)];
    columns.extend(view.columns.iter().map(|c| (inline(&c.heading), true)));
    columns.push(("resampled unit".to_owned(), false));
    let rows = view.rows.iter().map(|r| {
        let mut cells = vec![inline(&r.condition), r.utterances.clone()];
        cells.extend(r.cells.iter().map(|c| match c {
            None => "–".to_owned(),
            Some(c) => c.remarks.iter().fold(cell(&c.number), |text, remark| format!("{text}; {}", inline(remark))),
        }));
        cells.push(r.unit.as_ref().map_or_else(|| ABSENT.to_owned(), unit_cell));
        line(&cells)
    });
    let reasons = view.reasons.iter().map(|reason| format!("\n{}", inline(reason)));
    let rows = rows.chain(reasons);
    Section { head: table_head(view.title, &columns), rows: rows.collect(), rank: 1, noun: "rows" }
}

/// The findings of the analysis in sentences.
fn causes_section(causes: &[String]) -> Section {
    list_section("Where the errors come from", causes.iter().map(|text| inline(text)).collect(), 2)
}

fn worst_section(f: &Findings) -> Option<Section> {
    (!f.worst.is_empty()).then(|| Section {
        head: "\n## Worst utterances\n\nBy word errors. S: substituted, D: deleted, I: inserted.\n".to_owned(),
        rows: f.worst.iter().map(worst).collect(),
        rank: 5,
        noun: "utterances",
    })
}

fn worst(w: &Worst) -> String {
    let mut out = format!(
        "\n**{}.** {}, speaker {}, {}: {} errors in {} words\n\n",
        w.rank,
        inline(&w.condition),
        inline(&w.speaker),
        inline(&w.model),
        w.errors,
        w.reference_words
    );
    for line in alignment(&w.alignment) {
        // An indented code block: nothing in it is markup, and no line of it can end it.
        out.push_str("    ");
        out.push_str(line.trim_end());
        out.push('\n');
    }
    if let Some(n) = &w.tokens_left_out {
        out.push_str(&format!("\n{n} more words are left out.\n"));
    }
    out
}

/// Three lines per stretch: reference, hypothesis, marks.
fn alignment(tokens: &[Token]) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut top, mut bottom, mut marks) = (String::from("REF "), String::from("HYP "), String::from("    "));
    for token in tokens.iter().take(150) {
        // The markers of the block must not appear in a text, and code is not escaped.
        let shown = |t: &Option<String>, other: &Option<String>| match t {
            Some(t) => crate::format::shortened(t, 60).replace("<!--", "<!- -"),
            None => "*".repeat(other.as_ref().map_or(1, |o| o.chars().count().min(60))),
        };
        let (r, h) = (shown(&token.reference, &token.hypothesis), shown(&token.hypothesis, &token.reference));
        let width = r.chars().count().max(h.chars().count()).max(1) + 1;
        if top.chars().count() + width > ALIGNMENT_COLUMNS && top.len() > 4 {
            lines.extend([
                std::mem::replace(&mut top, "REF ".into()),
                std::mem::replace(&mut bottom, "HYP ".into()),
                std::mem::replace(&mut marks, "    ".into()),
            ]);
        }
        for (line, text) in [(&mut top, r.as_str()), (&mut bottom, h.as_str()), (&mut marks, token.mark)] {
            line.push_str(text);
            line.push_str(&" ".repeat(width - text.chars().count()));
        }
    }
    lines.extend([top, bottom, marks]);
    lines
}

fn failure_section(f: &Findings) -> Option<Section> {
    if f.failures.is_empty() {
        return None;
    }
    let columns =
        [("cell", false), ("outcome", false), ("kind", false), ("reason", false)].map(|(n, r)| (n.to_owned(), r));
    let rows =
        f.failures.iter().map(|x| line(&[inline(&x.cell), inline(&x.outcome), inline(&x.kind), inline(&x.text)]));
    Some(Section {
        head: table_head("Cells without a hypothesis", &columns),
        rows: rows.collect(),
        rank: 140,
        noun: "cells",
    })
}

fn timings_sections(t: &Timings) -> Vec<Section> {
    let mut sections = vec![Section::fixed(
        "## Timings and provenance\n\nThis part differs from run to run; the rest does not.\n\n\
         ![Real-time factor by condition](figures/rtf-by-condition.png)\n"
            .to_owned(),
    )];
    if !t.latencies.is_empty() {
        let lines: Vec<String> = t.latencies.iter().map(|l| format!("- {}\n", inline(l))).collect();
        sections.push(Section::fixed(lines.concat()));
    }
    if !t.judged.is_empty() {
        let columns = ["rule", "model", "outcome", "why"].map(|name| (name.to_owned(), false));
        let rows = t.judged.iter().map(|rule| line(&rule.each_ref().map(|text| inline(text)))).collect();
        sections.push(Section { head: table_head("Rules of the gate", &columns), rows, rank: 1, noun: "rules" });
    }
    for (i, table) in (0u8..100).zip(&t.tables) {
        let mut columns = vec![(inline(&table.by), false)];
        if t.several_models {
            columns.push(("model".to_owned(), false));
        }
        columns.extend(
            [("audio s", true), ("processing s", true), ("RTF", true), ("resampled unit", false)]
                .map(|(n, r)| (n.to_owned(), r)),
        );
        let rows = table.rows.iter().map(|r| {
            let mut cells = vec![inline(&r.value)];
            if t.several_models {
                cells.push(inline(&r.model));
            }
            cells.extend([r.audio_s.clone(), r.processing_s.clone(), cell(&r.rtf), unit_cell(&r.rtf)]);
            line(&cells)
        });
        let rank = if table.by == "speaker" { 200 } else { 10 + i };
        let head = table_head(&inline(&table.title), &columns);
        sections.push(Section { head, rows: rows.collect(), rank, noun: "rows" });
    }
    sections.push(fact_section("Provenance", &t.provenance, 1));
    sections.retain(|s| !s.head.is_empty());
    sections
}

fn fact_section(title: &str, facts: &[Fact], rank: u8) -> Section {
    let rows = facts.iter().map(|x| line(&[inline(&x.name), inline(&x.value)])).collect::<Vec<_>>();
    if rows.is_empty() {
        return Section::fixed(String::new());
    }
    let head = table_head(title, &[("fact".to_owned(), false), ("value".to_owned(), false)]);
    Section { head, rows, rank, noun: "facts" }
}

fn list_section(title: &str, rows: Vec<String>, rank: u8) -> Section {
    Section {
        head: format!("\n## {title}\n"),
        rows: rows.into_iter().map(|row| format!("- {row}")).collect(),
        rank,
        noun: "sentences",
    }
}

fn table_head(title: &str, columns: &[(String, bool)]) -> String {
    let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
    let rules: Vec<String> = columns.iter().map(|(_, right)| if *right { "---:" } else { "---" }.to_owned()).collect();
    format!("\n## {title}\n\n{}\n{}", line(&names), line(&rules))
}

/// One table row; cells are escaped already.
fn line(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// Text as Markdown inline text: no markup, no HTML, no table cell end, no mention of a user.
pub(crate) fn inline(text: &str) -> String {
    let text = crate::format::shortened(text, TEXT_CHARS);
    let mut out = String::with_capacity(text.len() + 8);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let rest = chars.as_str();
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            // An invisible joiner behind the sign keeps GitHub from notifying whoever has that name.
            '@' => out.push_str("@\u{2060}"),
            // The same for addresses and numbers of issues, which it would turn into links.
            ':' if rest.starts_with("//") => out.push_str(":\u{2060}"),
            '#' if rest.starts_with(|c: char| c.is_ascii_digit()) => out.push_str("#\u{2060}"),
            '-' if rest.starts_with(|c: char| c.is_ascii_digit()) && ends_with_gh(&out) => out.push_str("-\u{2060}"),
            'w' | 'W' if ends_with_two_w(&out) && rest.starts_with('.') => {
                out.push(c);
                out.push('\u{2060}');
            }
            c => out.push(c),
        }
    }
    out
}

fn ends_with_gh(text: &str) -> bool {
    text.get(text.len().saturating_sub(2)..).is_some_and(|end| end.eq_ignore_ascii_case("gh"))
}

fn ends_with_two_w(text: &str) -> bool {
    text.get(text.len().saturating_sub(2)..).is_some_and(|end| end.eq_ignore_ascii_case("ww"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_numbers_of_issues_do_not_become_links() {
        for (text, shown) in [
            ("see https://a.example/b", "see https:\u{2060}//a.example/b"),
            ("www.a.example", "www\u{2060}.a.example"),
            ("#1 and GH-3", "#\u{2060}1 and GH-\u{2060}3"),
            ("x-1: a # b 3", "x-1: a # b 3"),
        ] {
            assert_eq!(inline(text), shown);
        }
    }

    #[test]
    fn inline_text_cannot_become_markup() {
        assert_eq!(inline("a|b <i>*_`[x](y)"), "a\\|b &lt;i&gt;\\*\\_\\`\\[x\\](y)");
        assert_eq!(inline("@someone"), "@\u{2060}someone");
    }

    #[test]
    fn rows_are_cut_by_rank_from_the_end_and_the_text_says_so() {
        let section = |title: &str, rank: u8| Section {
            head: title.to_owned(),
            rows: (0..50).map(|i| format!("{title} row {i:02}")).collect(),
            rank,
            noun: "rows",
        };
        let text = assemble(vec![section("kept", 1), section("first to go", 9)], 1_400);
        assert!(text.chars().count() <= 1_400, "{}", text.chars().count());
        assert!(text.contains("kept row 49") && text.contains("first to go row 00"), "{text}");
        assert!(!text.contains("first to go row 49"));
        assert!(text.contains("more rows are left out"), "{text}");
    }
}
