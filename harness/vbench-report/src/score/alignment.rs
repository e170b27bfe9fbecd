//! Pairs with their errors, one word above the other.

use unicode_width::UnicodeWidthStr as _;
use vbench_score::{AlignOp, PairScore};

use crate::format::visible;
use crate::terminal::Paint;

/// A scored pair to show.
#[derive(Debug, Clone)]
pub struct AlignedPair<'a> {
    /// Its id.
    pub id: &'a str,
    /// Tokens and operations.
    pub score: &'a PairScore,
}

/// One column: reference word, hypothesis word, letter of the operation (`S`, `D`, `I`, blank for a hit).
struct Column {
    reference: String,
    hypothesis: String,
    letter: char,
}

impl Column {
    fn width(&self) -> usize {
        self.reference.width().max(self.hypothesis.width()).max(1)
    }
}

/// The pair in lines of at most `width` columns where its words allow: `REF`, `HYP` and `ERR`, a missing word as stars, wrong
/// words coloured when `colour` is set.
#[must_use]
pub fn alignment_text(pair: &AlignedPair<'_>, width: usize, colour: bool) -> String {
    let paint = Paint { on: colour };
    let counts = pair.score.words;
    let mut out = format!(
        "{}  S {} D {} I {} of {}\n",
        paint.bold(&visible(pair.id)),
        counts.sub,
        counts.del,
        counts.ins,
        counts.reference()
    );
    let columns = columns(pair.score);
    let mut rest = columns.as_slice();
    while !rest.is_empty() {
        let mut used = 5;
        let fitting = rest.iter().take_while(|c| {
            used += c.width() + 1;
            used <= width
        });
        let (line, behind) = rest.split_at(fitting.count().max(1));
        push_line(&mut out, line, paint);
        rest = behind;
    }
    out
}

fn columns(score: &PairScore) -> Vec<Column> {
    let word = |list: &[String], at: u32| visible(list.get(at as usize).map_or("", String::as_str));
    score
        .word_alignment
        .iter()
        .map(|op| {
            let (reference, hypothesis, letter) = match *op {
                AlignOp::Hit { reference, hypothesis } => (Some(reference), Some(hypothesis), ' '),
                AlignOp::Sub { reference, hypothesis } => (Some(reference), Some(hypothesis), 'S'),
                AlignOp::Del { reference } => (Some(reference), None, 'D'),
                AlignOp::Ins { hypothesis } => (None, Some(hypothesis), 'I'),
            };
            let reference = reference.map(|at| word(&score.reference_tokens, at));
            let hypothesis = hypothesis.map(|at| word(&score.hypothesis_tokens, at));
            let stars = |other: &Option<String>| "*".repeat(other.as_deref().map_or(1, |w| w.width()));
            Column {
                reference: reference.clone().unwrap_or_else(|| stars(&hypothesis)),
                hypothesis: hypothesis.unwrap_or_else(|| stars(&reference)),
                letter,
            }
        })
        .collect()
}

fn push_line(out: &mut String, columns: &[Column], paint: Paint) {
    let mut rows = [String::from("REF:"), String::from("HYP:"), String::from("ERR:")];
    for column in columns {
        let code = match column.letter {
            'S' => "33",
            'D' => "31",
            'I' => "32",
            _ => "",
        };
        let letter = column.letter.to_string();
        for (row, word) in rows.iter_mut().zip([&column.reference, &column.hypothesis, &letter]) {
            let padding = " ".repeat(column.width() - word.width().min(column.width()));
            let word = if code.is_empty() { word.clone() } else { paint.wrap(code, word) };
            row.push(' ');
            row.push_str(&word);
            row.push_str(&padding);
        }
    }
    let quiet = columns.iter().all(|c| c.letter == ' ');
    for row in rows.iter().take(if quiet { 2 } else { 3 }) {
        out.push_str(row.trim_end());
        out.push('\n');
    }
}
