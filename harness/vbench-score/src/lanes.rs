//! The table around the diagonal where it is narrow: one anti-diagonal in one, two or four registers.
//!
//! Lane t of anti-diagonal s holds the cell with i - j = 2t + p - right, where p is the parity of s + right: so the diagonal
//! neighbour stands in the same lane, and of the two others one does and one stands beside it. Nothing is read back from
//! memory but the tokens. Cells outside the table hold costs above every real one; tokens outside equal no other.
//!
//! SSE2 is part of x86-64. Other machines take the general way, with the same result.

use std::arch::x86_64::{
    __m128i, _mm_adds_epi16, _mm_and_si128, _mm_andnot_si128, _mm_cmpeq_epi16, _mm_cvtsi128_si64, _mm_insert_epi16,
    _mm_min_epi16, _mm_or_si128, _mm_packus_epi16, _mm_set_epi64x, _mm_set1_epi16, _mm_slli_si128, _mm_srli_si128,
};

/// Above every real cost, and a multiple of 4; sums saturate.
const FAR: i16 = 16_380;
/// Lanes of a register.
const LANES: usize = 8;
/// Tokens that stand for nothing, different on both sides.
const NO_REFERENCE: u16 = u16::MAX;
const NO_HYPOTHESIS: u16 = u16::MAX - 1;
/// Largest token.
pub(crate) const TOKEN_MAX: u32 = u16::MAX as u32 - 2;

/// A narrow band and its costs.
pub(crate) struct Narrow<'a> {
    pub(crate) reference: &'a [u32],
    pub(crate) hypothesis: &'a [u32],
    /// Most insertions that an optimal path can have more than deletions.
    pub(crate) right: usize,
    /// Cost of an insertion, a deletion and a substitution, times 4.
    pub(crate) gap: i16,
    pub(crate) substitution: i16,
}

/// Memory that bands share.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    reference: Vec<u8>,
    hypothesis: Vec<u8>,
    /// A byte for each cell: its operation.
    trace: Vec<u64>,
}

/// Whether a band has room in four registers, its costs in 16 bits.
pub(crate) fn fits(left: usize, right: usize, largest_cost: usize) -> bool {
    registers(left, right) <= 4 && largest_cost < FAR as usize
}

fn registers(left: usize, right: usize) -> usize {
    // One lane more: with odd parity the first cell lies one to the right.
    ((left + right) / 2 + 2).div_ceil(LANES)
}

impl Narrow<'_> {
    /// Computes the band and tells the operations from the end to the beginning: 0 diagonal, 1 insertion, 2 deletion.
    pub(crate) fn trace_back(&self, left: usize, buffers: &mut Buffers, told: impl FnMut(u8)) {
        match registers(left, self.right) {
            1 => self.run::<1>(buffers, told),
            2 => self.run::<2>(buffers, told),
            _ => self.run::<4>(buffers, told),
        }
    }

    fn run<const R: usize>(&self, buffers: &mut Buffers, mut told: impl FnMut(u8)) {
        // SAFETY: the only requirement is SSE2, which every x86-64 processor has.
        unsafe { self.sweep::<R>(buffers) };
        let (mut i, mut j) = (self.reference.len(), self.hypothesis.len());
        while i + j > 0 {
            let s = i + j;
            let lane = (i + self.right - j - self.parity(s)) / 2;
            let op = (buffers.trace[(s - 1) * R + lane / LANES] >> (8 * (lane % LANES))) as u8 & 3;
            told(op);
            (i, j) = match op {
                1 => (i, j - 1),
                2 => (i - 1, j),
                _ => (i - 1, j - 1),
            };
        }
    }

    fn parity(&self, s: usize) -> usize {
        (s + self.right) & 1
    }

    #[target_feature(enable = "sse2")]
    fn sweep<const R: usize>(&self, buffers: &mut Buffers) {
        let pad = R * LANES + 2;
        let (n, m) = (self.reference.len(), self.hypothesis.len());
        fill(&mut buffers.reference, self.reference.iter(), NO_REFERENCE, pad);
        fill(&mut buffers.hypothesis, self.hypothesis.iter().rev(), NO_HYPOTHESIS, pad);
        buffers.trace.clear();
        buffers.trace.resize((n + m) * R, 0);
        let far = _mm_set1_epi16(FAR);
        let mut before = [far; R];
        let mut last = first::<R>((self.right - self.parity(0)) / 2);
        let inserted = _mm_set1_epi16(self.gap | 1);
        let deleted = _mm_set1_epi16(self.gap | 2);
        let substituted = _mm_set1_epi16(self.substitution);
        let operation = _mm_set1_epi16(3);
        for (s, trace) in (1..=n + m).zip(buffers.trace.chunks_exact_mut(R)) {
            let p = self.parity(s);
            // Reference position of lane 0, with the padding; the token is one before.
            let i0 = (s + p + 2 * pad - self.right) / 2;
            let reference = &buffers.reference[2 * (i0 - 1)..];
            let hypothesis = &buffers.hypothesis[2 * (m + i0 - s)..];
            let (above, beside) = if p == 0 { (up(&last), last) } else { (last, down(&last)) };
            let mut next = [far; R];
            for r in 0..R {
                let same = _mm_cmpeq_epi16(tokens(reference, r), tokens(hypothesis, r));
                let diagonal = _mm_adds_epi16(before[r], _mm_andnot_si128(same, substituted));
                let gaps = _mm_min_epi16(_mm_adds_epi16(beside[r], inserted), _mm_adds_epi16(above[r], deleted));
                let least = _mm_min_epi16(diagonal, gaps);
                let op = _mm_and_si128(least, operation);
                trace[r] = _mm_cvtsi128_si64(_mm_packus_epi16(op, op)) as u64;
                next[r] = _mm_andnot_si128(operation, least);
            }
            (before, last) = (last, next);
        }
    }
}

/// Tokens as little-endian bytes between paddings.
fn fill<'t>(buffer: &mut Vec<u8>, tokens: impl Iterator<Item = &'t u32>, nothing: u16, pad: usize) {
    buffer.clear();
    let padding = || std::iter::repeat_n(nothing, pad);
    buffer.extend(padding().chain(tokens.map(|t| *t as u16)).chain(padding()).flat_map(u16::to_le_bytes));
}

/// Eight tokens.
#[inline]
#[target_feature(enable = "sse2")]
fn tokens(bytes: &[u8], register: usize) -> __m128i {
    let half = |at: usize| i64::from_le_bytes(bytes[at..at + 8].try_into().unwrap_or_default());
    _mm_set_epi64x(half(16 * register + 8), half(16 * register))
}

/// Cost 0 in one lane, too much in all others.
#[target_feature(enable = "sse2")]
fn first<const R: usize>(lane: usize) -> [__m128i; R] {
    std::array::from_fn(|r| {
        let cost = |k: usize| if r * LANES + k == lane { 0 } else { u64::from(FAR as u16) };
        let half = |from: usize| (0..4).map(|k| cost(from + k) << (16 * k)).sum::<u64>() as i64;
        _mm_set_epi64x(half(4), half(0))
    })
}

/// Every lane takes the one before it.
#[inline]
#[target_feature(enable = "sse2")]
fn up<const R: usize>(costs: &[__m128i; R]) -> [__m128i; R] {
    std::array::from_fn(|r| {
        let shifted = _mm_slli_si128::<2>(costs[r]);
        if r == 0 {
            _mm_insert_epi16::<0>(shifted, i32::from(FAR))
        } else {
            _mm_or_si128(shifted, _mm_srli_si128::<14>(costs[r - 1]))
        }
    })
}

/// Every lane takes the one after it.
#[inline]
#[target_feature(enable = "sse2")]
fn down<const R: usize>(costs: &[__m128i; R]) -> [__m128i; R] {
    std::array::from_fn(|r| {
        let shifted = _mm_srli_si128::<2>(costs[r]);
        if r + 1 == R {
            _mm_insert_epi16::<7>(shifted, i32::from(FAR))
        } else {
            _mm_or_si128(shifted, _mm_slli_si128::<14>(costs[r + 1]))
        }
    })
}
