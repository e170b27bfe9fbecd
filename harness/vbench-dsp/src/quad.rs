//! Four values in double precision that go the same way, in whatever registers there are.
//!
//! The operations are those of IEEE 754, one by one and none fused, so every implementation gives the same bits.

/// Four lanes.
pub(crate) trait Quad: Copy {
    fn load(from: &[f64; 4]) -> Self;
    fn store(self) -> [f64; 4];
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    /// Lane `i` of value `j` becomes lane `j` of value `i`.
    fn transpose(rows: [Self; 4]) -> [Self; 4];
}

impl Quad for [f64; 4] {
    #[inline(always)]
    fn load(from: &[f64; 4]) -> Self {
        *from
    }

    #[inline(always)]
    fn store(self) -> [f64; 4] {
        self
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        core::array::from_fn(|i| self[i] + other[i])
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        core::array::from_fn(|i| self[i] - other[i])
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        core::array::from_fn(|i| self[i] * other[i])
    }

    #[inline(always)]
    fn transpose(rows: [Self; 4]) -> [Self; 4] {
        core::array::from_fn(|i| core::array::from_fn(|j| rows[j][i]))
    }
}

/// Only ever reached from functions that are compiled for AVX2 and called where the processor has it: the methods are
/// inlined into those.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use core::arch::x86_64::{
        __m256d, _mm256_add_pd, _mm256_loadu_pd, _mm256_mul_pd, _mm256_permute2f128_pd, _mm256_storeu_pd,
        _mm256_sub_pd, _mm256_unpackhi_pd, _mm256_unpacklo_pd,
    };

    use super::Quad;

    impl Quad for __m256d {
        #[inline(always)]
        fn load(from: &[f64; 4]) -> Self {
            // SAFETY: four values lie there; AVX2 see above.
            unsafe { _mm256_loadu_pd(from.as_ptr()) }
        }

        #[inline(always)]
        fn store(self) -> [f64; 4] {
            let mut to = [0.0; 4];
            // SAFETY: there is room for four values; AVX2 see above.
            unsafe { _mm256_storeu_pd(to.as_mut_ptr(), self) };
            to
        }

        #[inline(always)]
        fn add(self, other: Self) -> Self {
            // SAFETY: AVX2 see above.
            unsafe { _mm256_add_pd(self, other) }
        }

        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            // SAFETY: AVX2 see above.
            unsafe { _mm256_sub_pd(self, other) }
        }

        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            // SAFETY: AVX2 see above.
            unsafe { _mm256_mul_pd(self, other) }
        }

        #[inline(always)]
        fn transpose([a, b, c, d]: [Self; 4]) -> [Self; 4] {
            // SAFETY: AVX2 see above.
            unsafe {
                // a0 b0 a2 b2, a1 b1 a3 b3, and the same of c and d.
                let (ab, ab_odd) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
                let (cd, cd_odd) = (_mm256_unpacklo_pd(c, d), _mm256_unpackhi_pd(c, d));
                [
                    _mm256_permute2f128_pd::<0x20>(ab, cd),
                    _mm256_permute2f128_pd::<0x20>(ab_odd, cd_odd),
                    _mm256_permute2f128_pd::<0x31>(ab, cd),
                    _mm256_permute2f128_pd::<0x31>(ab_odd, cd_odd),
                ]
            }
        }
    }
}
