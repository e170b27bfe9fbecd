//! The assignment of least total cost (the Hungarian problem), in O(n^3).
//!
//! Shortest augmenting paths with dual prices: Kuhn 1955, Jonker & Volgenant 1987, in the form of Crouse, "On implementing
//! 2D rectangular assignment algorithms", IEEE Trans. AES 52 (2016). Where several assignments are equally cheap, the
//! order of the search decides; it is that of `scipy.optimize.linear_sum_assignment`, which MeetEval calls: columns are
//! looked at from the last to the first, the one just left being replaced by the one at the end of the list; of equally
//! near columns the first is taken, or the last free one if any is free.

const FREE: usize = usize::MAX;

/// For each row of a square matrix (`n * n` costs, row by row) its column.
///
/// Costs must be far from the limits of `i64` (sums of `n` of them are made).
///
/// # Panics
/// When `costs` does not hold `n * n` numbers.
#[must_use]
pub fn assign(costs: &[i64], n: usize) -> Vec<usize> {
    assert_eq!(costs.len(), n * n, "a square matrix");
    let mut search = Search {
        costs,
        n,
        row_price: vec![0; n],
        column_price: vec![0; n],
        column_of: vec![FREE; n],
        row_of: vec![FREE; n],
    };
    for row in 0..n {
        search.add_row(row);
    }
    search.column_of
}

struct Search<'a> {
    costs: &'a [i64],
    n: usize,
    row_price: Vec<i64>,
    column_price: Vec<i64>,
    /// Column of each row, or [`FREE`].
    column_of: Vec<usize>,
    /// Row of each column, or [`FREE`].
    row_of: Vec<usize>,
}

impl Search<'_> {
    /// Assigns one more row along a shortest path that alternates between rows and their columns.
    fn add_row(&mut self, row: usize) {
        let n = self.n;
        let mut distance = vec![i64::MAX; n];
        let mut reached_from = vec![FREE; n];
        let mut open: Vec<usize> = (0..n).rev().collect();
        let mut closed = Vec::new();
        let (mut at, mut walked) = (row, 0);
        let free = loop {
            let mut nearest = (i64::MAX, FREE);
            for (place, &column) in open.iter().enumerate() {
                let price = self.row_price[at] + self.column_price[column];
                let through = walked + self.costs[at * n + column] - price;
                if through < distance[column] {
                    (distance[column], reached_from[column]) = (through, at);
                }
                let tie_with_free = distance[column] == nearest.0 && self.row_of[column] == FREE;
                if distance[column] < nearest.0 || tie_with_free {
                    nearest = (distance[column], place);
                }
            }
            walked = nearest.0;
            let column = open.swap_remove(nearest.1);
            closed.push(column);
            if self.row_of[column] == FREE {
                break column;
            }
            at = self.row_of[column];
        };
        self.row_price[row] += walked;
        for column in closed {
            let slack = walked - distance[column];
            self.column_price[column] -= slack;
            if column != free {
                self.row_price[self.row_of[column]] += slack;
            }
        }
        self.take_path(row, free, &reached_from);
    }

    /// Every row on the path moves to the column it was left through.
    fn take_path(&mut self, start: usize, mut column: usize, reached_from: &[usize]) {
        loop {
            let row = reached_from[column];
            self.row_of[column] = row;
            std::mem::swap(&mut self.column_of[row], &mut column);
            if row == start {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;
    use vbench_core::keyed::keyed_rng;

    fn total(costs: &[i64], n: usize, columns: &[usize]) -> i64 {
        columns.iter().enumerate().map(|(row, column)| costs[row * n + column]).sum()
    }

    /// Least total over every permutation.
    fn exhaustive(costs: &[i64], n: usize, columns: &mut Vec<usize>, from: usize) -> i64 {
        if from == n {
            return total(costs, n, columns);
        }
        let mut best = i64::MAX;
        for i in from..n {
            columns.swap(from, i);
            best = best.min(exhaustive(costs, n, columns, from + 1));
            columns.swap(from, i);
        }
        best
    }

    #[test]
    fn no_permutation_is_cheaper() {
        for case in 0..3_000 {
            let mut rng = keyed_rng(3, "assign", &case.to_string(), "");
            let n = rng.next_u32() as usize % 7;
            let range = [2, 5, 1_000, 1_000_000_000][rng.next_u32() as usize % 4];
            let costs: Vec<i64> =
                (0..n * n).map(|_| i64::from(rng.next_u32() % range) - i64::from(range / 3)).collect();
            let assigned = assign(&costs, n);
            let mut columns = assigned.clone();
            columns.sort_unstable();
            assert_eq!(columns, (0..n).collect::<Vec<_>>(), "each column once");
            assert_eq!(total(&costs, n, &assigned), exhaustive(&costs, n, &mut columns, 0), "{costs:?}");
        }
    }

    #[test]
    fn equal_costs_keep_the_order() {
        for n in 0..20 {
            assert_eq!(assign(&vec![7; n * n], n), (0..n).collect::<Vec<_>>());
        }
    }
}
