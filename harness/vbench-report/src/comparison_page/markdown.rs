//! The comparison as Markdown.

use super::{ComparisonInput, Drawing, TableView, View, drawings, timings, view};
use crate::comparison::{over_conditions, split_grid, split_title, splits};
use crate::format::shortened;
use crate::html::{BLOCK_BEGIN, BLOCK_END};
use crate::markdown::{MAX_CHARS, inline};
use crate::view::Number;

/// Strata of one property.
const MARKDOWN_STRATA: usize = 40;
/// Longest transcript, in characters.
const MARKDOWN_TEXT: usize = 160;

/// The comparison as Markdown for a pull-request comment, at most [`MAX_CHARS`] characters. Figures are linked as files of
/// the extension that is written beside it, `svg` or `png`; not at all without one.
#[must_use]
pub fn comparison_page_markdown(input: &ComparisonInput<'_>, figures: Option<&str>) -> String {
    let v = view(input);
    let mut out = format!("# {} against {}\n\n**{}**\n", inline(&v.b.name), inline(&v.a.name), inline(&v.verdict));
    out += &format!(
        "\nA: {} ({})  \nB: {} ({})  \nsuite {}, normaliser {}, alignment weights {}, seed {}, {}\n",
        inline(&v.a.label),
        v.a.coverage,
        inline(&v.b.label),
        v.b.coverage,
        inline(&v.suite),
        v.normalizer,
        v.weights,
        v.seed,
        v.shared
    );
    for forced in &v.forced {
        out += &format!("\n> **Forced:** {}\n", inline(forced));
    }
    out += "\n| | A | B | B - A | p | |\n| --- | --- | --- | --- | ---: | --- |\n";
    for h in &v.headlines {
        let side = |n: &Number| format!("{} % {}", n.value, n.interval.as_deref().unwrap_or(""));
        let reason = || inline(h.reason.as_deref().unwrap_or(""));
        let interval = h.interval.clone().unwrap_or_else(reason);
        let (a, b) = (side(&h.a), side(&h.b));
        out += &format!("| {} | {a} | {b} | {} {interval} | {} | {} |\n", h.name, h.difference, h.p, h.finding);
    }
    if let Some(extension) = figures {
        for drawing in &drawings(input).differences {
            if let Drawing::Difference(name, plot) = drawing {
                out += &format!("\n![{}](figures/{name}.{extension})\n", inline(&plot.title));
            }
        }
    }
    out += &markdown_tables(&v.tables);
    out.push('\n');
    for line in v.notes.iter().chain(&v.left_out) {
        out += &format!("- {}\n", inline(line));
    }
    out += &markdown_explained(input, &v);
    let mut block = String::from("\n## Timings and provenance\n");
    let t = timings(input);
    if let Some(why) = t.not_judged.as_ref().filter(|_| !t.tables.is_empty()) {
        block += &format!("\nNot judged: {}.\n", inline(why));
    }
    block += &markdown_tables(&t.tables);
    block += "\n| | A | B |\n| --- | --- | --- |\n";
    for f in &t.provenance {
        let short = |s: &str| inline(&shortened(s, MARKDOWN_TEXT));
        block += &format!("| {} | {} | {} |\n", inline(&f.name), short(&f.a), short(&f.b));
    }
    let room = MAX_CHARS.saturating_sub(block.chars().count() + 300);
    if let Some((end, _)) = out.char_indices().nth(room) {
        out.truncate(end);
        out += "\n\n_The rest is cut; comparison.html has it._\n";
    }
    format!("{out}\n{BLOCK_BEGIN}\n{block}\n{BLOCK_END}\n")
}

fn markdown_tables(tables: &[TableView]) -> String {
    let mut out = String::new();
    for table in tables {
        out += &format!("\n## {}\n\n", table.title);
        out += "| stratum | cells | A | B | B - A | p | p adjusted | | unit |\n";
        out += "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |\n";
        let mut seen: Vec<(&str, usize)> = Vec::new();
        for r in &table.rows {
            match seen.iter_mut().find(|(by, _)| *by == r.by) {
                Some((_, n)) => *n += 1,
                None => seen.push((&r.by, 1)),
            }
            if seen.iter().any(|(by, n)| *by == r.by && *n > MARKDOWN_STRATA) {
                continue;
            }
            let name = if r.by == "all" { "all".into() } else { format!("{}={}", inline(&r.by), inline(&r.value)) };
            let reason = || inline(&format!("(no interval: {})", r.reason.as_deref().unwrap_or("unknown")));
            let between = r.interval.clone().unwrap_or_else(reason);
            let numbers =
                format!("{} | {} | {} | {} {between} | {} | {}", r.cells, r.a, r.b, r.difference, r.p, r.p_adjusted);
            out += &format!("| {name} | {numbers} | {} | {} |\n", r.finding, r.unit);
        }
        for (by, n) in seen.iter().filter(|(_, n)| *n > MARKDOWN_STRATA) {
            out += &format!(
                "\n_{} more of {} are left out; comparison.html has them._\n",
                n - MARKDOWN_STRATA,
                inline(by)
            );
        }
    }
    out
}

fn markdown_explained(input: &ComparisonInput<'_>, v: &View) -> String {
    let mut out = format!("\n## Explained\n\n{}\n", inline(&v.explained));
    for split in splits(&input.comparison.explained) {
        out += &format!("\n### {}\n\n{}", inline(&split_title(split)), split_grid(split).markdown());
    }
    for (name, total, list) in [("Broken", &v.broken_total, &v.broken), ("Fixed", &v.fixed_total, &v.fixed)] {
        if list.is_empty() {
            continue;
        }
        out += &format!("\n## {name} utterances\n\n{} of {total}, the largest change first.\n\n", list.len());
        for m in list {
            let text = |t: &str| inline(&shortened(t, MARKDOWN_TEXT));
            out += &format!(
                "- {} errors ({} -> {}{}), {}, shown in {} ({} -> {})  \n  said {}  \n  A {}  \n  B {}\n",
                m.change,
                m.errors_a,
                m.errors_b,
                over_conditions(m.cells),
                inline(&m.utterance),
                inline(&m.condition),
                m.shown_a,
                m.shown_b,
                text(&m.reference),
                text(&m.sides[0].hypothesis),
                text(&m.sides[1].hypothesis)
            );
        }
    }
    out
}
