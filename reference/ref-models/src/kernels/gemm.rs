//! Matrix product with packed right-hand side: `C = A * B` (+ bias), or added to what C holds.
//!
//! B of K x N is stored as panels of [`PANEL`] columns, each panel K rows of `PANEL` values, the last panel padded with zeros. A
//! tile keeps some rows of A times one or two registers of columns in registers and walks the whole depth, so an element of C
//! is always summed in the order of the depth, whatever M is: a single row gives the same bits as the same row in a batch.

use super::Level;
use super::lanes::{Lanes, dispatch};
use half::f16;

/// Columns of a panel.
pub const PANEL: usize = 32;

/// Values of packed panels, in single precision or as IEEE half precision bits (widened while computing, which is exact).
#[derive(Clone, Copy, Debug)]
pub enum Packed<'a> {
    /// Single precision.
    F32(&'a [f32]),
    /// Half precision bits.
    F16(&'a [u16]),
}

/// What happens to a tile before it is stored.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epilogue<'a> {
    /// One value a column, added to each row.
    pub bias: Option<&'a [f32]>,
    /// Add to the present content of C instead of replacing it.
    pub accumulate: bool,
}

/// A weight matrix of `k` inputs and `n` outputs in packed form, with its bias.
#[derive(Clone, Debug)]
pub struct PackedWeights {
    n: usize,
    k: usize,
    data: PackedData,
    bias: Option<Vec<f32>>,
}

#[derive(Clone, Debug)]
enum PackedData {
    F32(Vec<f32>),
    F16(Vec<u16>),
}

impl PackedWeights {
    /// Packs a row-major `[n, k]` matrix (outputs by inputs, as linear layers are stored) of single precision.
    #[must_use]
    pub fn from_f32(rows: &[f32], n: usize, k: usize, bias: Option<Vec<f32>>) -> Self {
        let data = PackedData::F32(pack(rows, n, k));
        Self { n, k, data, bias }
    }

    /// The same for half precision; kept as half where the machine widens it for free, else widened once here.
    #[must_use]
    pub fn from_f16(rows: &[f16], n: usize, k: usize, bias: Option<Vec<f32>>) -> Self {
        let data = if Level::best() > Level::Portable {
            let bits: Vec<u16> = rows.iter().map(|h| h.to_bits()).collect();
            PackedData::F16(pack(&bits, n, k))
        } else {
            let wide: Vec<f32> = rows.iter().map(|h| h.to_f32()).collect();
            PackedData::F32(pack(&wide, n, k))
        };
        Self { n, k, data, bias }
    }

    /// Outputs.
    #[must_use]
    pub fn n(&self) -> usize {
        self.n
    }

    /// Inputs.
    #[must_use]
    pub fn k(&self) -> usize {
        self.k
    }

    /// Bytes of the packed values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match &self.data {
            PackedData::F32(d) => 4 * d.len(),
            PackedData::F16(d) => 2 * d.len(),
        }
    }

    /// Writes row `row` (the `k` weights of one output) to `out`. Used for embedding look-up in a tied matrix.
    pub fn row(&self, row: usize, out: &mut [f32]) {
        assert!(row < self.n && out.len() == self.k, "row {row} of {} x {}", self.n, self.k);
        let start = (row / PANEL) * self.k * PANEL + row % PANEL;
        for (i, o) in out.iter_mut().enumerate() {
            *o = match &self.data {
                PackedData::F32(d) => d[start + i * PANEL],
                PackedData::F16(d) => f16::from_bits(d[start + i * PANEL]).to_f32(),
            };
        }
    }

    fn packed(&self, columns: std::ops::Range<usize>) -> Packed<'_> {
        let range = columns.start / PANEL * PANEL * self.k..columns.end.div_ceil(PANEL) * PANEL * self.k;
        match &self.data {
            PackedData::F32(d) => Packed::F32(&d[range]),
            PackedData::F16(d) => Packed::F16(&d[range]),
        }
    }

    /// `C[m, n] = A[m, k] * W^T + bias`, stored or added to C; one thread. `lda` and `ldc` are row strides, so
    /// rows of A may overlap (a convolution over rows in time).
    pub fn apply(&self, a: &[f32], lda: usize, m: usize, c: &mut [f32], ldc: usize, accumulate: bool) {
        self.apply_columns(0..self.n, a, lda, m, c, ldc, accumulate);
    }

    /// [`Self::apply`] for a range of outputs only; `columns.start` must be a multiple of [`PANEL`], and `c` starts there.
    #[expect(clippy::too_many_arguments, reason = "a matrix product has this many")]
    pub fn apply_columns(
        &self,
        columns: std::ops::Range<usize>,
        a: &[f32],
        lda: usize,
        m: usize,
        c: &mut [f32],
        ldc: usize,
        accumulate: bool,
    ) {
        assert!(columns.start.is_multiple_of(PANEL) && columns.end <= self.n, "columns {columns:?} of {}", self.n);
        let epilogue = Epilogue { bias: self.bias.as_deref().map(|b| &b[columns.clone()]), accumulate };
        gemm(a, lda, m, self.packed(columns.clone()), columns.len(), self.k, c, ldc, epilogue);
    }
}

/// Packs a row-major `[n, k]` matrix into panels of its transpose.
fn pack<T: Copy + Default>(rows: &[T], n: usize, k: usize) -> Vec<T> {
    assert_eq!(rows.len(), n * k, "a matrix of {n} x {k}");
    let mut out = vec![T::default(); n.div_ceil(PANEL) * PANEL * k];
    pack_transposed_into(rows, k, n, k, &mut out);
    out
}

/// Packs B = X^T where X has `n` rows of `k` values with row stride `stride` (keys: score = query . key). `out` must hold
/// `n.div_ceil(PANEL) * PANEL * k` values; padding columns are not written.
pub fn pack_transposed_into<T: Copy>(x: &[T], stride: usize, n: usize, k: usize, out: &mut [T]) {
    for (panel, first) in out.chunks_exact_mut(PANEL * k).zip((0..n).step_by(PANEL)) {
        for column in 0..PANEL.min(n - first) {
            let row = &x[(first + column) * stride..][..k];
            for (slot, v) in panel[column..].iter_mut().step_by(PANEL).zip(row) {
                *slot = *v;
            }
        }
    }
}

/// Packs B = X where X has `k` rows of `n` values with row stride `stride` (values: output = weights x value). `out` must
/// hold `n.div_ceil(PANEL) * PANEL * k` values; padding columns are not written.
pub fn pack_rows_into(x: &[f32], stride: usize, n: usize, k: usize, out: &mut [f32]) {
    for (panel, first) in out.chunks_exact_mut(PANEL * k).zip((0..n).step_by(PANEL)) {
        let width = PANEL.min(n - first);
        for (row, line) in panel.chunks_exact_mut(PANEL).enumerate() {
            line[..width].copy_from_slice(&x[row * stride + first..][..width]);
        }
    }
}

/// Matrix product with packed B; one thread. See the module text for the layout.
///
/// # Panics
/// If a slice is too short for the stated shape.
#[expect(clippy::too_many_arguments, reason = "a matrix product has this many")]
pub fn gemm(
    a: &[f32],
    lda: usize,
    m: usize,
    b: Packed<'_>,
    n: usize,
    k: usize,
    c: &mut [f32],
    ldc: usize,
    end: Epilogue<'_>,
) {
    if m == 0 || n == 0 {
        return;
    }
    let panels = n.div_ceil(PANEL) * PANEL * k;
    let have = match b {
        Packed::F32(d) => d.len(),
        Packed::F16(d) => d.len(),
    };
    assert!(
        a.len() >= (m - 1) * lda + k && c.len() >= (m - 1) * ldc + n && have >= panels && ldc >= n,
        "gemm {m} x {n} x {k}"
    );
    assert!(end.bias.is_none_or(|bias| bias.len() >= n), "bias of {n}");
    let job = Job { a: a.as_ptr(), lda, m, n, k, c: c.as_mut_ptr(), ldc, end };
    match b {
        Packed::F32(d) => run_f32(&job, d),
        Packed::F16(d) => run_f16(&job, d),
    }
}

struct Job<'a> {
    a: *const f32,
    lda: usize,
    m: usize,
    n: usize,
    k: usize,
    c: *mut f32,
    ldc: usize,
    end: Epilogue<'a>,
}

/// Element type of packed panels.
trait Element: Copy {
    unsafe fn load<V: Lanes>(p: *const Self) -> V;
}

impl Element for f32 {
    #[inline(always)]
    unsafe fn load<V: Lanes>(p: *const Self) -> V {
        unsafe { V::load(p) }
    }
}

impl Element for u16 {
    #[inline(always)]
    unsafe fn load<V: Lanes>(p: *const Self) -> V {
        unsafe { V::load_f16(p) }
    }
}

#[inline(always)]
unsafe fn f32_body<V: Lanes>(job: &Job<'_>, panels: &[f32]) {
    unsafe { run::<V, f32>(job, panels) }
}

/// Rows from which it pays to widen a panel once instead of in every tile.
const WIDEN_ROWS: usize = 24;

#[inline(always)]
unsafe fn f16_body<V: Lanes>(job: &Job<'_>, panels: &[u16]) {
    if job.m < WIDEN_ROWS {
        return unsafe { run::<V, u16>(job, panels) };
    }
    let mut wide = vec![0.0f32; PANEL * job.k];
    for (panel, first) in panels.chunks_exact(PANEL * job.k).zip((0..job.n).step_by(PANEL)) {
        for i in (0..wide.len()).step_by(V::N) {
            unsafe { V::load_f16(panel.as_ptr().add(i)).store(wide.as_mut_ptr().add(i)) };
        }
        unsafe { run_panel::<V, f32>(job, &wide, first) };
    }
}

dispatch! { fn run_f32(job: &Job<'_>, panels: &[f32]) = f32_body }
dispatch! { fn run_f16(job: &Job<'_>, panels: &[u16]) = f16_body }

#[inline(always)]
unsafe fn run<V: Lanes, E: Element>(job: &Job<'_>, panels: &[E]) {
    for (panel, first) in panels.chunks_exact(PANEL * job.k).zip((0..job.n).step_by(PANEL)) {
        unsafe { run_panel::<V, E>(job, panel, first) };
    }
}

/// All rows of the panel whose first column is `first`.
#[inline(always)]
unsafe fn run_panel<V: Lanes, E: Element>(job: &Job<'_>, panel: &[E], first: usize) {
    for half in (0..PANEL.min(job.n - first)).step_by(2 * V::N) {
        let b = unsafe { panel.as_ptr().add(half) };
        let column = first + half;
        let mut row = 0;
        while row < job.m {
            let left = job.m - row;
            // SAFETY: `gemm` checked the shapes; rows and columns stay inside them.
            row += unsafe {
                match V::TILE_ROWS.min(left) {
                    12.. => tile::<V, E, 12>(job, b, row, column),
                    8..=11 => tile::<V, E, 8>(job, b, row, column),
                    6..=7 => tile::<V, E, 6>(job, b, row, column),
                    4..=5 => tile::<V, E, 4>(job, b, row, column),
                    2..=3 => tile::<V, E, 2>(job, b, row, column),
                    _ => tile::<V, E, 1>(job, b, row, column),
                }
            };
        }
    }
}

/// Computes rows `row..row + M` and two registers of columns from `column`; returns M.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "constant indices keep the accumulators in registers")]
unsafe fn tile<V: Lanes, E: Element, const M: usize>(job: &Job<'_>, b: *const E, row: usize, column: usize) -> usize {
    unsafe {
        let a = job.a.add(row * job.lda);
        let mut acc = [[V::splat(0.0); 2]; M];
        let mut bp = b;
        for p in 0..job.k {
            let b0 = E::load::<V>(bp);
            let b1 = E::load::<V>(bp.add(V::N));
            bp = bp.add(PANEL);
            for r in 0..M {
                let x = V::splat(*a.add(r * job.lda + p));
                acc[r][0] = x.fma(b0, acc[r][0]);
                acc[r][1] = x.fma(b1, acc[r][1]);
            }
        }
        let width = (job.n - column).min(2 * V::N);
        let c = job.c.add(row * job.ldc + column);
        // The loops below are short enough to be unrolled; an accumulator that is indexed by a variable anywhere would live
        // in memory everywhere.
        if width < 2 * V::N {
            let mut buf = [0.0f32; MAX_TILE];
            for r in 0..M {
                acc[r][0].store(buf.as_mut_ptr().add(r * PANEL));
                acc[r][1].store(buf.as_mut_ptr().add(r * PANEL + V::N));
            }
            finish_narrow(&buf, job, row..row + M, column, width);
            return M;
        }
        if let Some(bias) = job.end.bias {
            let b0 = V::load(bias.as_ptr().add(column));
            let b1 = V::load(bias.as_ptr().add(column + V::N));
            for r in 0..M {
                acc[r] = [acc[r][0].add(b0), acc[r][1].add(b1)];
            }
        }
        if job.end.accumulate {
            for r in 0..M {
                let p = c.add(r * job.ldc);
                acc[r] = [acc[r][0].add(V::load(p)), acc[r][1].add(V::load(p.add(V::N)))];
            }
        }
        for r in 0..M {
            let p = c.add(r * job.ldc);
            acc[r][0].store(p);
            acc[r][1].store(p.add(V::N));
        }
    }
    M
}

/// Values of the largest tile.
const MAX_TILE: usize = 12 * PANEL;

/// Stores a tile at the last columns of a matrix whose width is not a multiple of two registers.
unsafe fn finish_narrow(
    tile: &[f32; MAX_TILE],
    job: &Job<'_>,
    rows: std::ops::Range<usize>,
    column: usize,
    width: usize,
) {
    for (r, line) in rows.zip(tile.chunks_exact(PANEL)) {
        // SAFETY: `gemm` checked that C has these elements.
        let target = unsafe { std::slice::from_raw_parts_mut(job.c.add(r * job.ldc + column), width) };
        for (i, (c, v)) in target.iter_mut().zip(line).enumerate() {
            let y = v + job.end.bias.map_or(0.0, |b| b[column + i]);
            *c = if job.end.accumulate { y + *c } else { y };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lanes::tests::at_each_level;
    use super::*;

    fn noise(n: usize, seed: u32) -> Vec<f32> {
        let mut s = seed;
        (0..n)
            .map(|_| {
                s = s.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                s as f32 / 2_147_483_648.0 - 1.0
            })
            .collect()
    }

    /// Every shape around the tile and panel edges, both element types, every epilogue, against sums in double precision.
    #[test]
    fn products_equal_the_definition_at_every_level() {
        at_each_level(|level| {
            for (m, n, k) in
                [(1, 1, 1), (1, 33, 7), (2, 16, 64), (3, 31, 5), (5, 70, 9), (12, 64, 32), (13, 24, 3), (27, 97, 40)]
            {
                let (a, w, bias, start) = (noise(m * (k + 3), 1), noise(n * k, 2), noise(n, 3), noise(m * (n + 2), 4));
                let half: Vec<f16> = w.iter().map(|v| f16::from_f32(*v)).collect();
                for (accumulate, is_half) in [(false, false), (false, true), (true, true), (true, false)] {
                    let packed = if is_half {
                        PackedWeights::from_f16(&half, n, k, Some(bias.clone()))
                    } else {
                        PackedWeights::from_f32(&w, n, k, Some(bias.clone()))
                    };
                    let mut c = start.clone();
                    packed.apply(&a, k + 3, m, &mut c, n + 2, accumulate);
                    for r in 0..m {
                        for j in 0..n {
                            let weight = |i: usize| {
                                if is_half { half[j * k + i].to_f64() } else { f64::from(w[j * k + i]) }
                            };
                            let mut want: f64 = (0..k).map(|i| f64::from(a[r * (k + 3) + i]) * weight(i)).sum::<f64>()
                                + f64::from(bias[j]);
                            if accumulate {
                                want += f64::from(start[r * (n + 2) + j]);
                            }
                            let got = f64::from(c[r * (n + 2) + j]);
                            assert!((got - want).abs() < 4e-6, "{level:?} {m}x{n}x{k} ({r},{j}): {got} for {want}");
                        }
                        assert_eq!(
                            c[r * (n + 2) + n..(r + 1) * (n + 2)],
                            start[r * (n + 2) + n..(r + 1) * (n + 2)],
                            "wrote past the row"
                        );
                    }
                }
            }
        });
    }

    /// One row at a time, or all at once: the same bits. Decoding relies on it (a prompt and its tokens one by one agree).
    #[test]
    fn a_row_has_the_same_bits_alone_and_in_a_batch() {
        at_each_level(|_| {
            let (m, n, k) = (29, 75, 50);
            let a = noise(m * k, 9);
            let w = PackedWeights::from_f32(&noise(n * k, 8), n, k, None);
            let mut batch = vec![0.0; m * n];
            w.apply(&a, k, m, &mut batch, n, false);
            for r in 0..m {
                let mut one = vec![0.0; n];
                w.apply(&a[r * k..], k, 1, &mut one, n, false);
                assert_eq!(one, batch[r * n..(r + 1) * n]);
            }
        });
    }

    #[test]
    fn packing_rows_and_columns_gives_the_same_product() {
        let (m, n, k) = (4, 37, 6);
        let (a, x) = (noise(m * k, 5), noise(n * k, 6));
        let mut turned = vec![0.0; n * k];
        for i in 0..n {
            for j in 0..k {
                turned[j * n + i] = x[i * k + j];
            }
        }
        let size = n.div_ceil(PANEL) * PANEL * k;
        let (mut p, mut q) = (vec![0.0; size], vec![0.0; size]);
        pack_transposed_into(&x, k, n, k, &mut p);
        pack_rows_into(&turned, n, n, k, &mut q);
        assert_eq!(p, q);
        let mut c = vec![0.0; m * n];
        gemm(&a, k, m, Packed::F32(&p), n, k, &mut c, n, Epilogue::default());
        let want: f32 = (0..k).map(|i| a[k + i] * x[36 * k + i]).sum();
        assert!((c[n + 36] - want).abs() < 1e-5);
        let mut row = vec![0.0; k];
        PackedWeights::from_f32(&x, n, k, None).row(36, &mut row);
        assert_eq!(row, x[36 * k..]);
    }
}
