//! Marks at round numbers over any range, for axes that need not begin at zero.

use crate::plot::Ticks;

/// Marks that cover a range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    step: f64,
    /// First and last mark, in steps from zero.
    ends: (i64, i64),
    ticks: Ticks,
}

impl Span {
    /// About `wanted` marks that cover every finite value; 0 to 1 when there is none, one step around a single value.
    pub(crate) fn covering(values: impl Iterator<Item = f64>, wanted: usize) -> Self {
        let (mut lo, mut hi) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|v| v.is_finite() && v.abs() < 1e12) {
            (lo, hi) = (lo.min(value), hi.max(value));
        }
        if lo > hi {
            (lo, hi) = (0.0, 1.0);
        }
        // A range too small for the size of its values has marks that all read the same.
        let extent = (hi - lo).max(1e-6 * hi.abs().max(lo.abs())).max(1e-9);
        let ticks = Ticks::covering(extent, wanted);
        let step = ticks.step();
        let ends = ((lo / step + 1e-9).floor() as i64, (hi / step - 1e-9).ceil() as i64);
        Self { step, ends: (ends.0, ends.1.max(ends.0 + 1)), ticks }
    }

    /// First and last mark.
    pub(crate) fn ends(self) -> (f64, f64) {
        (self.ends.0 as f64 * self.step, self.ends.1 as f64 * self.step)
    }

    /// All marks.
    pub(crate) fn values(self) -> impl Iterator<Item = f64> {
        (self.ends.0..=self.ends.1).map(move |i| i as f64 * self.step)
    }

    /// A mark as text.
    pub(crate) fn label(self, value: f64) -> String {
        let text = self.ticks.label(value);
        if text == "-0" { "0".to_owned() } else { text }
    }

    /// A value's place between `from` and `to`, held to them.
    pub(crate) fn place(self, value: f64, from: i32, to: i32) -> i32 {
        let (lo, hi) = self.ends();
        let share = ((value - lo) / (hi - lo)).clamp(0.0, 1.0);
        from + (share * f64::from(to - from)).round() as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_cover_the_range_and_read_differently() {
        for (lo, hi) in
            [(-3.2, 1.1), (8.61, 8.79), (0.0, 0.0), (5.0, 5.0), (-1e-12, 1e-12), (-120.0, -80.0), (1e6, 1e9)]
        {
            let span = Span::covering([lo, hi].into_iter(), 6);
            let (first, last) = span.ends();
            assert!(first <= lo + 1e-9 && last >= hi - 1e-9 * hi.abs() && first < last, "{lo} {hi}: {span:?}");
            let labels: Vec<String> = span.values().map(|v| span.label(v)).collect();
            let distinct: std::collections::BTreeSet<&String> = labels.iter().collect();
            assert!((2..=10).contains(&labels.len()) && distinct.len() == labels.len(), "{lo} {hi}: {labels:?}");
            assert_eq!((span.place(first, 10, 90), span.place(last, 10, 90)), (10, 90));
        }
        assert_eq!(Span::covering([f64::NAN, f64::INFINITY].into_iter(), 4).ends(), (0.0, 1.0));
    }
}
