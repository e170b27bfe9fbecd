//! The cheapest path through a network of words.
//!
//! Rows of the table belong to arcs (words of the reference). An arc's row follows from the row of the node it leaves,
//! which is the least, cell by cell, of the rows of the arcs that enter it; the first among equals, as in sclite. Arcs are
//! numbered in an order in which all arcs that enter a node come before those that leave it. Rows live no longer than
//! they are needed; the trace has two bits a cell.

use super::{Lattice, LatticeAlignment, Piece};
use crate::align::{AlignOp, Weights};
use crate::error::ScoreError;
use crate::tokens::{intern, words};
use vbench_core::ErrorCounts;

/// Largest table: two bits a cell make half a gibibyte.
const MAX_CELLS: u64 = 1 << 31;

/// Cells of a trace word.
const PER_WORD: usize = 32;

/// Two-bit cells that a choice between entering arcs takes.
const CELLS_PER_CHOICE: u64 = 16;

const DIAGONAL: u64 = 0;
const INSERTION: u64 = 1;
const DELETION: u64 = 2;

/// A word of the reference, between two nodes.
struct Arc<'l> {
    from: usize,
    to: usize,
    /// `None` is `@`.
    word: Option<&'l str>,
    optional: bool,
}

/// Node 0 is the beginning, node 1 the end; an empty network has them in one.
struct Network<'l> {
    arcs: Vec<Arc<'l>>,
    /// Arcs that enter each node, in the order of ties.
    entering: Vec<Vec<usize>>,
    /// How many arcs leave each node.
    leaving: Vec<usize>,
}

enum Item<'l> {
    Word(&'l str, bool),
    Null,
    Alternates(&'l [Vec<Piece<'l>>]),
}

fn items<'l>(pieces: &'l [Piece<'l>]) -> Vec<Item<'l>> {
    let mut out = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Words(text) => out.extend(words(text).map(|w| Item::Word(w, false))),
            Piece::Optional(word) => out.push(Item::Word(word, true)),
            Piece::Null => out.push(Item::Null),
            Piece::Alternates(alternatives) => out.push(Item::Alternates(alternatives)),
        }
    }
    out
}

impl<'l> Network<'l> {
    fn new(lattice: &'l Lattice<'l>) -> Self {
        let mut network = Self { arcs: Vec::new(), entering: vec![Vec::new(), Vec::new()], leaving: vec![0, 0] };
        network.sequence(&lattice.pieces, 0, 1);
        network
    }

    /// Arcs of a sequence from one node to another; an empty sequence is `@`.
    fn sequence(&mut self, pieces: &'l [Piece<'l>], from: usize, to: usize) {
        let mut list = items(pieces);
        if list.is_empty() {
            list.push(Item::Null);
        }
        let mut from = from;
        let last = list.len() - 1;
        for (i, item) in list.into_iter().enumerate() {
            let next = if i == last {
                to
            } else {
                self.entering.push(Vec::new());
                self.leaving.push(0);
                self.leaving.len() - 1
            };
            match item {
                Item::Word(word, optional) => self.arc(from, next, Some(word), optional),
                Item::Null => self.arc(from, next, None, false),
                Item::Alternates(alternatives) => {
                    for alternative in alternatives {
                        self.sequence(alternative, from, next);
                    }
                }
            }
            from = next;
        }
    }

    fn arc(&mut self, from: usize, to: usize, word: Option<&'l str>, optional: bool) {
        self.entering[to].push(self.arcs.len());
        self.leaving[from] += 1;
        self.arcs.push(Arc { from, to, word, optional });
    }
}

/// Costs, added in single precision for sclite's weights.
#[derive(Clone, Copy)]
struct Costs {
    single: bool,
    substitution: f64,
    gap: f64,
    optional: f64,
    null: f64,
}

impl Costs {
    const fn new(weights: Weights) -> Self {
        match weights {
            Weights::Sclite => {
                Self { single: true, substitution: 4.0, gap: 3.0, optional: 2.0, null: 0.001_f32 as f64 }
            }
            // Leaving out what need not be there is no error, but comes after paths that have no need of it.
            Weights::Levenshtein => {
                let null = 1.0 / (1u64 << 40) as f64;
                Self { single: false, substitution: 1.0, gap: 1.0, optional: null * 1_024.0, null }
            }
        }
    }

    #[inline]
    fn add(self, a: f64, b: f64) -> f64 {
        // The sum of two single-precision numbers rounded twice is that rounded once.
        if self.single { f64::from((a + b) as f32) } else { a + b }
    }

    fn deletion(self, arc: &Arc<'_>) -> f64 {
        match arc.word {
            None => self.null,
            Some(_) if arc.optional => self.optional,
            Some(_) => self.gap,
        }
    }
}

pub(super) fn align(lattice: &Lattice<'_>, hypothesis: &str, weights: Weights) -> Result<LatticeAlignment, ScoreError> {
    let network = Network::new(lattice);
    let ids = intern(network.arcs.iter().map(|arc| arc.word.unwrap_or_default()), words(hypothesis));
    let mut table = Table::new(&network, &ids.reference, &ids.hypothesis)?;
    let mut alignment = table.run(Costs::new(weights));
    alignment.total_min = match weights {
        Weights::Levenshtein => alignment.counts.errors(),
        Weights::Sclite if alignment.counts.errors() == 0 => 0,
        Weights::Sclite => table.run(Costs::new(Weights::Levenshtein)).counts.errors(),
    };
    Ok(alignment)
}

struct Table<'n> {
    network: &'n Network<'n>,
    /// A number for the word of each arc.
    reference: &'n [u32],
    hypothesis: &'n [u32],
    /// Operations of all arcs' cells, two bits each.
    trace: Vec<u64>,
    /// Per node that several arcs enter: which of them is best, by hypothesis position.
    choices: Vec<Vec<u32>>,
}

impl<'n> Table<'n> {
    fn new(network: &'n Network<'n>, reference: &'n [u32], hypothesis: &'n [u32]) -> Result<Self, ScoreError> {
        let columns = hypothesis.len() as u64 + 1;
        let merges = network.entering.iter().filter(|arcs| arcs.len() > 1).count() as u64;
        let cells = (network.arcs.len() as u64 + merges * CELLS_PER_CHOICE) * columns;
        if cells > MAX_CELLS {
            let (reference, hypothesis) = (network.arcs.len(), hypothesis.len());
            return Err(ScoreError::TooLong { reference, hypothesis, cells, limit: MAX_CELLS });
        }
        let choices = vec![Vec::new(); network.entering.len()];
        Ok(Self { network, reference, hypothesis, trace: Vec::new(), choices })
    }

    fn words_per_arc(&self) -> usize {
        (self.hypothesis.len() + 1).div_ceil(PER_WORD)
    }

    fn run(&mut self, costs: Costs) -> LatticeAlignment {
        let network = self.network;
        let per_arc = self.words_per_arc();
        self.trace.clear();
        self.trace.resize(network.arcs.len() * per_arc, 0);
        let mut nodes: Vec<Vec<f64>> = vec![Vec::new(); network.entering.len()];
        let mut leaving = network.leaving.clone();
        nodes[0] = std::iter::successors(Some(0.0), |cost| Some(costs.add(*cost, costs.gap)))
            .take(self.hypothesis.len() + 1)
            .collect();
        for (a, arc) in network.arcs.iter().enumerate() {
            let row = self.row(a, &nodes[arc.from], costs);
            self.enter(a, row, &mut nodes[arc.to]);
            leaving[arc.from] -= 1;
            if leaving[arc.from] == 0 {
                nodes[arc.from] = Vec::new();
            }
        }
        self.trace_back()
    }

    /// Lowers the row of a node to that of an arc that enters it. Arcs come in the order of ties.
    fn enter(&mut self, a: usize, row: Vec<f64>, node: &mut Vec<f64>) {
        let to = self.network.arcs[a].to;
        let entering = &self.network.entering[to];
        if entering.len() == 1 {
            *node = row;
            return;
        }
        let choice = &mut self.choices[to];
        if a == entering[0] {
            choice.clear();
            choice.resize(row.len(), a as u32);
            *node = row;
            return;
        }
        for ((least, which), cost) in node.iter_mut().zip(choice).zip(row) {
            if cost < *least {
                (*least, *which) = (cost, a as u32);
            }
        }
    }

    fn row(&mut self, a: usize, before: &[f64], costs: Costs) -> Vec<f64> {
        let arc = &self.network.arcs[a];
        let per_arc = self.words_per_arc();
        let trace = &mut self.trace[a * per_arc..][..per_arc];
        let gap = costs.deletion(arc);
        let mut previous = costs.add(before[0], gap);
        let mut row = Vec::with_capacity(before.len());
        row.push(previous);
        trace[0] |= DELETION;
        for (j, token) in self.hypothesis.iter().enumerate() {
            let deleted = costs.add(before[j + 1], gap);
            let inserted = costs.add(previous, costs.gap);
            // No word is opposite `@`: that costs more than an insertion beside it.
            let paired = match arc.word {
                None => f64::INFINITY,
                Some(_) if self.reference[a] == *token => before[j],
                Some(_) => costs.add(before[j], costs.substitution),
            };
            let (cost, op) = if paired <= deleted && paired <= inserted {
                (paired, DIAGONAL)
            } else if deleted < inserted {
                (deleted, DELETION)
            } else {
                (inserted, INSERTION)
            };
            trace[(j + 1) / PER_WORD] |= op << (2 * ((j + 1) % PER_WORD));
            row.push(cost);
            previous = cost;
        }
        row
    }

    fn trace_back(&self) -> LatticeAlignment {
        let per_arc = self.words_per_arc();
        let (mut node, mut j) = (1, self.hypothesis.len());
        let mut steps: Vec<(u64, Option<usize>)> = Vec::new();
        while node != 0 {
            let entering = &self.network.entering[node];
            let a = if entering.len() > 1 { self.choices[node][j] as usize } else { entering[0] };
            loop {
                let op = self.trace[a * per_arc + j / PER_WORD] >> (2 * (j % PER_WORD)) & 3;
                j -= usize::from(op != DELETION);
                if op != INSERTION {
                    steps.push((op, Some(a)));
                    break;
                }
                steps.push((INSERTION, None));
            }
            node = self.network.arcs[a].from;
        }
        steps.extend(std::iter::repeat_n((INSERTION, None), j));
        steps.reverse();
        self.collect(&steps)
    }

    fn collect(&self, steps: &[(u64, Option<usize>)]) -> LatticeAlignment {
        let mut out = LatticeAlignment::default();
        let mut counts = ErrorCounts::ZERO;
        let mut hypothesis = 0u32;
        for (op, arc) in steps {
            let reference = out.reference.len() as u32;
            let taken = arc.and_then(|a| Some((a, &self.network.arcs[a], self.network.arcs[a].word?)));
            match (*op, taken) {
                (INSERTION, _) => {
                    counts.ins += 1;
                    out.ops.push(AlignOp::Ins { hypothesis });
                    hypothesis += 1;
                }
                (_, None) => {}
                (DELETION, Some((_, arc, _))) if arc.optional => out.forgiven += 1,
                (DELETION, Some((_, _, word))) => {
                    counts.del += 1;
                    out.ops.push(AlignOp::Del { reference });
                    out.reference.push(word.to_owned());
                }
                (_, Some((a, _, word))) => {
                    let hit = self.reference[a] == self.hypothesis[hypothesis as usize];
                    *if hit { &mut counts.hits } else { &mut counts.sub } += 1;
                    out.ops.push(if hit {
                        AlignOp::Hit { reference, hypothesis }
                    } else {
                        AlignOp::Sub { reference, hypothesis }
                    });
                    out.reference.push(word.to_owned());
                    hypothesis += 1;
                }
            }
        }
        counts.hits += out.forgiven;
        out.counts = counts;
        out
    }
}
