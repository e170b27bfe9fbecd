//! Overlap-save convolution with one fixed filter.
//!
//! A spectrum that is only multiplied and transformed back needs no order: blocks go down by decimation in frequency, in
//! place, and up again by decimation in time, depth first, so that all passes but the outermost stay in the first-level
//! cache and no pass reorders anything. Two real blocks share one complex transform.

use std::sync::OnceLock;

use crate::quad::Quad;

/// Four values that are treated alike.
type Four = [f64; 4];

/// Transforms of at most this many values are done pass by pass; longer ones are halved first, see the module's text.
const IN_CACHE: usize = 1024;
/// The innermost transform, done in registers.
const LEAF: usize = 16;

/// Convolution with one fixed real filter.
#[derive(Debug)]
pub struct Convolver {
    plan: &'static Plan,
    /// Spectrum of the filter over the length, in the order in which [`Plan`] leaves it.
    response: Split,
    taps: usize,
}

/// Real and imaginary parts, four by four.
#[derive(Debug)]
struct Split {
    re: Vec<Four>,
    im: Vec<Four>,
}

impl Convolver {
    /// Plans the convolution with `filter` (at least one tap).
    #[must_use]
    pub fn new(filter: &[f64]) -> Self {
        let taps = filter.len().max(1);
        // Four times the filter's length makes three quarters of a block useful; where that leaves the cache, half.
        let wide = (4 * taps).next_power_of_two().max(4096);
        let len = if wide <= 1 << 16 { wide } else { (2 * taps).next_power_of_two() };
        let plan = Plan::shared(len);
        let mut response = Split::zeros(len);
        let scale = 1.0 / len as f64;
        for (slot, h) in response.re.as_flattened_mut().iter_mut().zip(filter) {
            *slot = h * scale;
        }
        plan.run(&mut response, None);
        Self { plan, response, taps }
    }

    /// `y[i] = sum over k of filter[k] * x[i + offset - k]` for `i` in `0..out_len`, with `x` zero outside.
    #[must_use]
    pub fn convolve(&self, x: &[f32], offset: usize, out_len: usize) -> Vec<f64> {
        let overlap = self.taps - 1;
        let block = self.plan.len - overlap;
        let mut y = Vec::with_capacity(out_len);
        let mut work = Split::zeros(self.plan.len);
        while y.len() < out_len {
            let from = (y.len() + offset) as isize - overlap as isize;
            load(work.re.as_flattened_mut(), x, from);
            load(work.im.as_flattened_mut(), x, from + block as isize);
            self.plan.run(&mut work, Some(&self.response));
            for part in [&work.re, &work.im] {
                let wanted = block.min(out_len - y.len());
                y.extend_from_slice(&part.as_flattened()[overlap..overlap + wanted]);
            }
        }
        y
    }
}

impl Split {
    fn zeros(len: usize) -> Self {
        Self { re: vec![[0.0; 4]; len / 4], im: vec![[0.0; 4]; len / 4] }
    }
}

/// Fills `slots` with `x[from..]`, zero where `x` has no sample.
fn load(slots: &mut [f64], x: &[f32], from: isize) {
    let before = usize::try_from(-from).unwrap_or(0).min(slots.len());
    let source = x.get(usize::try_from(from).unwrap_or(0)..).unwrap_or_default();
    let samples = source.len().min(slots.len() - before);
    slots[..before].fill(0.0);
    for (slot, v) in slots[before..].iter_mut().zip(source) {
        *slot = f64::from(*v);
    }
    slots[before + samples..].fill(0.0);
}

/// Twiddles `exp(-2 pi i k p / n)` of one radix-4 pass for four neighbouring `p` and `k` = 1, 2, 3, each real, imaginary.
type Turns = [[Four; 2]; 3];

/// The passes of a transform of one length, a power of two of at least [`LEAF`].
#[derive(Debug)]
struct Plan {
    len: usize,
    /// Twiddles of the first pass where the length is not a power of four: it halves.
    half: Vec<[Four; 2]>,
    /// Twiddles of the passes that quarter, longest transform first, down to [`LEAF`].
    quarter: Vec<Vec<Turns>>,
}

/// `exp(-2 pi i k p / n)` for four neighbouring `p`.
fn twiddle(n: usize, k: usize, p: usize) -> [Four; 2] {
    let angle = |p: usize| -2.0 * core::f64::consts::PI * ((k * p) % n) as f64 / n as f64;
    [core::array::from_fn(|i| libm::cos(angle(p + i))), core::array::from_fn(|i| libm::sin(angle(p + i)))]
}

impl Plan {
    fn new(len: usize) -> Self {
        assert!(len.is_power_of_two() && len >= LEAF);
        let halves = !len.trailing_zeros().is_multiple_of(2);
        let half = if halves { (0..len / 2).step_by(4).map(|p| twiddle(len, 1, p)).collect() } else { Vec::new() };
        let mut n = if halves { len / 2 } else { len };
        let mut quarter = Vec::new();
        while n >= LEAF {
            quarter.push((0..n / 4).step_by(4).map(|p| [1, 2, 3].map(|k| twiddle(n, k, p))).collect());
            n /= 4;
        }
        Self { len, half, quarter }
    }

    /// The plan for `len`, kept for the life of the process: twiddles cost more than a transform.
    fn shared(len: usize) -> &'static Self {
        static PLANS: [OnceLock<Plan>; usize::BITS as usize] = [const { OnceLock::new() }; usize::BITS as usize];
        PLANS[len.trailing_zeros() as usize].get_or_init(|| Self::new(len))
    }

    /// Transforms `data`; with a `response` also multiplies by it and transforms back (without the factor 1 / len).
    fn run(&self, data: &mut Split, response: Option<&Split>) {
        let (re, im) = (&mut data.re[..], &mut data.im[..]);
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has what the function was compiled for.
            return unsafe { self.run_avx2(re, im, response) };
        }
        self.run_with::<Four>(re, im, response);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn run_avx2(&self, re: &mut [Four], im: &mut [Four], response: Option<&Split>) {
        self.run_with::<core::arch::x86_64::__m256d>(re, im, response);
    }

    #[inline(always)]
    fn run_with<Q: Quad>(&self, re: &mut [Four], im: &mut [Four], response: Option<&Split>) {
        let response = response.map(|r| (&r.re[..], &r.im[..]));
        if self.half.is_empty() {
            return self.quarters::<Q>(re, im, response);
        }
        let middle = re.len() / 2;
        halve::<Q>(re, im, &self.half);
        for from in [0, middle] {
            let range = from..from + middle;
            let response = response.map(|(hr, hi)| (&hr[range.clone()], &hi[range.clone()]));
            self.quarters::<Q>(&mut re[range.clone()], &mut im[range], response);
        }
        if response.is_some() {
            double::<Q>(re, im, &self.half);
        }
    }

    /// A transform whose length is a power of four: depth first down to [`IN_CACHE`], then pass by pass.
    #[inline(always)]
    fn quarters<Q: Quad>(&self, re: &mut [Four], im: &mut [Four], response: Option<(&[Four], &[Four])>) {
        let inner = self.quarter.partition_point(|turns| 16 * turns.len() > IN_CACHE);
        let (outer, inner) = self.quarter.split_at(inner);
        for step in walk(outer.len()) {
            match step {
                Step::Down { depth, index } => {
                    let at = span(re.len(), depth, index);
                    split::<Q>(&mut re[at.clone()], &mut im[at], &outer[depth]);
                }
                Step::Inside { index } => {
                    let at = span(re.len(), outer.len(), index);
                    let response = response.map(|(hr, hi)| (&hr[at.clone()], &hi[at.clone()]));
                    in_cache::<Q>(&mut re[at.clone()], &mut im[at], inner, response);
                }
                Step::Up { depth, index } => {
                    if response.is_some() {
                        let at = span(re.len(), depth, index);
                        join::<Q>(&mut re[at.clone()], &mut im[at], &outer[depth]);
                    }
                }
            }
        }
    }
}

/// One visit of the depth-first walk.
enum Step {
    Down { depth: usize, index: usize },
    Inside { index: usize },
    Up { depth: usize, index: usize },
}

/// The depth-first walk over a tree of `depth` levels with four branches each.
fn walk(depth: usize) -> impl Iterator<Item = Step> {
    let leaves = 1usize << (2 * depth);
    (0..leaves).flat_map(move |leaf| {
        // A level is entered at its first leaf and left at its last.
        let width = move |level: usize| 1usize << (2 * (depth - level));
        let down = (0..depth)
            .filter(move |level| leaf.is_multiple_of(width(*level)))
            .map(move |level| Step::Down { depth: level, index: leaf / width(level) });
        let up = (0..depth)
            .rev()
            .filter(move |level| (leaf + 1).is_multiple_of(width(*level)))
            .map(move |level| Step::Up { depth: level, index: leaf / width(level) });
        down.chain([Step::Inside { index: leaf }]).chain(up)
    })
}

/// Where the part `index` of those that `depth` quarterings make lies.
fn span(len: usize, depth: usize, index: usize) -> core::ops::Range<usize> {
    let part = len >> (2 * depth);
    part * index..part * (index + 1)
}

#[inline(always)]
fn in_cache<Q: Quad>(re: &mut [Four], im: &mut [Four], passes: &[Vec<Turns>], response: Option<(&[Four], &[Four])>) {
    let Some((leaf, passes)) = passes.split_last() else { return };
    let leaf = &leaf[0];
    for turns in passes {
        let part = 4 * turns.len();
        for (re, im) in re.chunks_exact_mut(part).zip(im.chunks_exact_mut(part)) {
            split::<Q>(re, im, turns);
        }
    }
    let blocks = re.as_chunks_mut::<4>().0.iter_mut().zip(im.as_chunks_mut::<4>().0);
    let Some((hr, hi)) = response else {
        for (re, im) in blocks {
            let (r, i) = leaf_down(re.map(|v| Q::load(&v)), im.map(|v| Q::load(&v)), leaf);
            (*re, *im) = (r.map(Q::store), i.map(Q::store));
        }
        return;
    };
    for ((re, im), (hr, hi)) in blocks.zip(hr.as_chunks::<4>().0.iter().zip(hi.as_chunks::<4>().0)) {
        let (mut r, mut i) = leaf_down(re.map(|v| Q::load(&v)), im.map(|v| Q::load(&v)), leaf);
        for k in 0..4 {
            (r[k], i[k]) = times((r[k], i[k]), (Q::load(&hr[k]), Q::load(&hi[k])));
        }
        let (r, i) = leaf_up(r, i, leaf);
        (*re, *im) = (r.map(Q::store), i.map(Q::store));
    }
    for turns in passes.iter().rev() {
        let part = 4 * turns.len();
        for (re, im) in re.chunks_exact_mut(part).zip(im.chunks_exact_mut(part)) {
            join::<Q>(re, im, turns);
        }
    }
}

/// A complex number in each lane.
type Pair<Q> = (Q, Q);

#[inline(always)]
fn times<Q: Quad>((ar, ai): Pair<Q>, (br, bi): Pair<Q>) -> Pair<Q> {
    (ar.mul(br).sub(ai.mul(bi)), ar.mul(bi).add(ai.mul(br)))
}

/// `a` times the conjugate of `b`.
#[inline(always)]
fn times_conjugate<Q: Quad>((ar, ai): Pair<Q>, (br, bi): Pair<Q>) -> Pair<Q> {
    (ar.mul(br).add(ai.mul(bi)), ai.mul(br).sub(ar.mul(bi)))
}

#[inline(always)]
fn plus<Q: Quad>(a: Pair<Q>, b: Pair<Q>) -> Pair<Q> {
    (a.0.add(b.0), a.1.add(b.1))
}

#[inline(always)]
fn minus<Q: Quad>(a: Pair<Q>, b: Pair<Q>) -> Pair<Q> {
    (a.0.sub(b.0), a.1.sub(b.1))
}

/// The transform of four values.
#[inline(always)]
fn four_down<Q: Quad>([a, b, c, d]: [Pair<Q>; 4]) -> [Pair<Q>; 4] {
    let (even, odd) = (plus(a, c), plus(b, d));
    let (left, right) = (minus(a, c), minus(b, d));
    // -i times `right` is (imaginary, -real).
    let (one, three) = ((left.0.add(right.1), left.1.sub(right.0)), (left.0.sub(right.1), left.1.add(right.0)));
    [plus(even, odd), one, minus(even, odd), three]
}

/// The inverse transform of four values, without the factor 1/4.
#[inline(always)]
fn four_up<Q: Quad>([a, b, c, d]: [Pair<Q>; 4]) -> [Pair<Q>; 4] {
    let [zero, one, two, three] = four_down([a, b, c, d]);
    [zero, three, two, one]
}

#[inline(always)]
fn turn<Q: Quad>(turns: &Turns, k: usize) -> Pair<Q> {
    (Q::load(&turns[k][0]), Q::load(&turns[k][1]))
}

/// Sixteen values: the last two passes down. The spectrum's order is whatever it is.
#[inline(always)]
fn leaf_down<Q: Quad>(re: [Q; 4], im: [Q; 4], turns: &Turns) -> ([Q; 4], [Q; 4]) {
    let [a, b, c, d] = four_down(core::array::from_fn(|k| (re[k], im[k])));
    let y = [a, times(b, turn(turns, 0)), times(c, turn(turns, 1)), times(d, turn(turns, 2))];
    let (re, im) = (Q::transpose(y.map(|v| v.0)), Q::transpose(y.map(|v| v.1)));
    let y = four_down(core::array::from_fn(|k| (re[k], im[k])));
    (y.map(|v| v.0), y.map(|v| v.1))
}

/// The reverse of [`leaf_down`], times 16.
#[inline(always)]
fn leaf_up<Q: Quad>(re: [Q; 4], im: [Q; 4], turns: &Turns) -> ([Q; 4], [Q; 4]) {
    let y = four_up(core::array::from_fn(|k| (re[k], im[k])));
    let (re, im) = (Q::transpose(y.map(|v| v.0)), Q::transpose(y.map(|v| v.1)));
    let [a, b, c, d] = core::array::from_fn(|k| (re[k], im[k]));
    let y = four_up([
        a,
        times_conjugate(b, turn(turns, 0)),
        times_conjugate(c, turn(turns, 1)),
        times_conjugate(d, turn(turns, 2)),
    ]);
    (y.map(|v| v.0), y.map(|v| v.1))
}

/// The quarters of a block, each as long as there are turns, so that no index into them needs a check.
#[inline(always)]
fn quarters_of(block: &mut [Four], len: usize) -> [&mut [Four]; 4] {
    let (a, rest) = block.split_at_mut(len);
    let (b, rest) = rest.split_at_mut(len);
    let (c, d) = rest.split_at_mut(len);
    [a, b, c, &mut d[..len]]
}

/// One pass down: the transform of a block becomes those of its quarters.
#[inline(always)]
fn split<Q: Quad>(re: &mut [Four], im: &mut [Four], turns: &[Turns]) {
    let len = turns.len();
    let ([ar, br, cr, dr], [ai, bi, ci, di]) = (quarters_of(re, len), quarters_of(im, len));
    for p in 0..len {
        let w = &turns[p];
        let at = |r: &[Four], i: &[Four]| (Q::load(&r[p]), Q::load(&i[p]));
        let [a, b, c, d] = four_down([at(ar, ai), at(br, bi), at(cr, ci), at(dr, di)]);
        let (b, c, d) = (times(b, turn(w, 0)), times(c, turn(w, 1)), times(d, turn(w, 2)));
        (ar[p], ai[p]) = (a.0.store(), a.1.store());
        (br[p], bi[p]) = (b.0.store(), b.1.store());
        (cr[p], ci[p]) = (c.0.store(), c.1.store());
        (dr[p], di[p]) = (d.0.store(), d.1.store());
    }
}

/// One pass up: the reverse of [`split`], times four.
#[inline(always)]
fn join<Q: Quad>(re: &mut [Four], im: &mut [Four], turns: &[Turns]) {
    let len = turns.len();
    let ([ar, br, cr, dr], [ai, bi, ci, di]) = (quarters_of(re, len), quarters_of(im, len));
    for p in 0..len {
        let w = &turns[p];
        let at = |r: &[Four], i: &[Four]| (Q::load(&r[p]), Q::load(&i[p]));
        let (b, c) = (times_conjugate(at(br, bi), turn(w, 0)), times_conjugate(at(cr, ci), turn(w, 1)));
        let [a, b, c, d] = four_up([at(ar, ai), b, c, times_conjugate(at(dr, di), turn(w, 2))]);
        (ar[p], ai[p]) = (a.0.store(), a.1.store());
        (br[p], bi[p]) = (b.0.store(), b.1.store());
        (cr[p], ci[p]) = (c.0.store(), c.1.store());
        (dr[p], di[p]) = (d.0.store(), d.1.store());
    }
}

/// One pass down by two.
#[inline(always)]
fn halve<Q: Quad>(re: &mut [Four], im: &mut [Four], turns: &[[Four; 2]]) {
    let ((ar, br), (ai, bi)) = (re.split_at_mut(turns.len()), im.split_at_mut(turns.len()));
    for (p, w) in turns.iter().enumerate() {
        let (a, b) = ((Q::load(&ar[p]), Q::load(&ai[p])), (Q::load(&br[p]), Q::load(&bi[p])));
        let (sum, difference) = (plus(a, b), times(minus(a, b), (Q::load(&w[0]), Q::load(&w[1]))));
        (ar[p], ai[p]) = (sum.0.store(), sum.1.store());
        (br[p], bi[p]) = (difference.0.store(), difference.1.store());
    }
}

/// One pass up by two: the reverse of [`halve`], times two.
#[inline(always)]
fn double<Q: Quad>(re: &mut [Four], im: &mut [Four], turns: &[[Four; 2]]) {
    let ((ar, br), (ai, bi)) = (re.split_at_mut(turns.len()), im.split_at_mut(turns.len()));
    for (p, w) in turns.iter().enumerate() {
        let b = times_conjugate((Q::load(&br[p]), Q::load(&bi[p])), (Q::load(&w[0]), Q::load(&w[1])));
        let a = (Q::load(&ar[p]), Q::load(&ai[p]));
        let (sum, difference) = (plus(a, b), minus(a, b));
        (ar[p], ai[p]) = (sum.0.store(), sum.1.store());
        (br[p], bi[p]) = (difference.0.store(), difference.1.store());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(n: usize) -> Vec<f64> {
        (0..n).map(|i| libm::sin(0.37 * i as f64) + 0.3 * libm::cos(1.9 * i as f64 * i as f64)).collect()
    }

    #[test]
    fn convolver_equals_direct_convolution() {
        for (taps, n, offset) in [(1, 10, 0), (5, 3, 2), (257, 10_000, 128), (3000, 20_001, 0), (9000, 50_000, 40)] {
            let h = signal(taps);
            let x: Vec<f32> = signal(n).iter().map(|v| *v as f32).collect();
            let y = Convolver::new(&h).convolve(&x, offset, n);
            assert_eq!(y.len(), n);
            for i in (0..n).step_by(n / 40 + 1) {
                let direct: f64 = (0..taps)
                    .filter_map(|k| (i + offset).checked_sub(k).and_then(|j| x.get(j)).map(|v| h[k] * f64::from(*v)))
                    .sum();
                assert!((direct - y[i]).abs() < 1e-8, "taps {taps} at {i}: {direct} and {}", y[i]);
            }
        }
    }

    #[test]
    fn down_and_up_again_is_the_identity_at_every_length() {
        for len in (4..16).map(|b| 1usize << b) {
            let plan = Plan::new(len);
            let mut ones = Split::zeros(len);
            ones.re.fill([1.0; 4]);
            let input = signal(2 * len);
            let mut data = Split::zeros(len);
            data.re.as_flattened_mut().copy_from_slice(&input[..len]);
            data.im.as_flattened_mut().copy_from_slice(&input[len..]);
            plan.run(&mut data, Some(&ones));
            for (x, y) in input.iter().zip(data.re.as_flattened().iter().chain(data.im.as_flattened())) {
                assert!((x - y / len as f64).abs() < 1e-12, "len {len}: {x} and {}", y / len as f64);
            }
        }
    }

    #[test]
    fn wide_registers_give_the_same_bits() {
        for len in [16, 32, 256, 2048, 16_384] {
            let plan = Plan::new(len);
            let fill = |shift: usize| {
                let values = signal(2 * len + shift);
                let mut split = Split::zeros(len);
                split.re.as_flattened_mut().copy_from_slice(&values[shift..len + shift]);
                split.im.as_flattened_mut().copy_from_slice(&values[len + shift..]);
                split
            };
            let response = fill(7);
            let (mut wide, mut plain) = (fill(0), fill(0));
            plan.run(&mut wide, Some(&response));
            plan.run_with::<Four>(&mut plain.re, &mut plain.im, Some(&response));
            let bits = |v: &[Four]| v.as_flattened().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!((bits(&wide.re), bits(&wide.im)), (bits(&plain.re), bits(&plain.im)), "len {len}");
        }
    }
}
