//! One table, written as aligned plain text or as Markdown.

use comfy_table::{CellAlignment, Table, TableStyle};

use crate::format::visible;
use crate::markdown::inline;

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
