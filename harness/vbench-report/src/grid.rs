//! One table, written as aligned plain text or as Markdown.

use comfy_table::{CellAlignment, Table, TableStyle};

use crate::format::visible;
use crate::markdown::inline;
use crate::terminal::{clipped_to, display_width};

/// Columns with their alignment, and rows of as many cells.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grid {
    columns: Vec<(&'static str, bool)>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    /// A grid; a column is its title and whether it is aligned to the right.
    pub(crate) fn new(columns: &[(&'static str, bool)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row. An empty first cell and nothing else makes an empty line in plain text.
    pub(crate) fn push(&mut self, row: Vec<String>) {
        debug_assert_eq!(row.len(), self.columns.len());
        self.rows.push(row);
    }

    /// Aligned columns, two spaces apart; every line ends with a line break.
    pub(crate) fn plain(&self) -> String {
        let mut table = Table::new();
        table.load_style(TableStyle::new());
        table.set_header(self.columns.iter().map(|(title, _)| (*title).to_owned()).collect::<Vec<_>>());
        for row in &self.rows {
            table.add_row(row.iter().map(|cell| visible(cell)).collect::<Vec<_>>());
        }
        let last = self.columns.len().saturating_sub(1);
        for (i, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, if i == last { 0 } else { 2 }));
            let right = self.columns[i].1;
            column.set_cell_alignment(if right { CellAlignment::Right } else { CellAlignment::Left });
        }
        table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    /// As plain text of at most `width` columns: columns are left out in the order given until the lines fit, then the first
    /// column is clipped. Returns the titles of what was left out.
    pub(crate) fn fitted(&self, width: usize, leave_out: &[usize]) -> (String, Vec<&'static str>) {
        let widest = |text: &str| text.lines().map(display_width).max().unwrap_or(0);
        let (mut shown, mut left_out) = (self.plain(), Vec::new());
        let mut gone: Vec<usize> = Vec::new();
        for &column in leave_out {
            if widest(&shown) <= width {
                break;
            }
            gone.push(column);
            left_out.push(self.columns[column].0);
            shown = self.without(&gone).plain();
        }
        let over = widest(&shown).saturating_sub(width);
        if over > 0 {
            let mut clipped = self.without(&gone);
            let first = clipped.rows.iter().map(|r| display_width(&visible(&r[0]))).max().unwrap_or(0);
            let limit = first.saturating_sub(over).max(8);
            for row in &mut clipped.rows {
                row[0] = clipped_to(&visible(&row[0]), limit);
            }
            shown = clipped.plain();
        }
        (shown, left_out)
    }

    fn without(&self, gone: &[usize]) -> Self {
        fn kept<T: Clone>(all: &[T], gone: &[usize]) -> Vec<T> {
            let left = all.iter().enumerate().filter(|(i, _)| !gone.contains(i));
            left.map(|(_, item)| item.clone()).collect()
        }
        Self { columns: kept(&self.columns, gone), rows: self.rows.iter().map(|row| kept(row, gone)).collect() }
    }

    /// A Markdown table; cells are escaped.
    pub(crate) fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut out = line(self.columns.iter().map(|(title, _)| inline(title)).collect());
        out += &line(self.columns.iter().map(|(_, right)| if *right { "---:" } else { "---" }.to_owned()).collect());
        for row in &self.rows {
            out += &line(row.iter().map(|cell| inline(visible(cell).trim())).collect());
        }
        out
    }
}
