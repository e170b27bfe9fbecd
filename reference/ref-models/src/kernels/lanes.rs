//! A handful of vector operations over three instruction sets.

use std::sync::OnceLock;

/// Instruction set of the inner loops, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Any machine; the compiler's baseline.
    Portable,
    /// x86-64 with AVX2, FMA and F16C.
    Avx2,
    /// x86-64 with AVX-512F.
    Avx512,
}

impl Level {
    /// Best level of this machine, found once.
    #[must_use]
    pub fn best() -> Self {
        #[cfg(test)]
        if let Some(limit) = tests::LIMIT.get() {
            return limit.min(Self::detected());
        }
        Self::detected()
    }

    fn detected() -> Self {
        static BEST: OnceLock<Level> = OnceLock::new();
        *BEST.get_or_init(|| {
            #[cfg(target_arch = "x86_64")]
            {
                if std::arch::is_x86_feature_detected!("avx512f") {
                    return Self::Avx512;
                }
                let avx2 = std::arch::is_x86_feature_detected!("avx2");
                if avx2 && std::arch::is_x86_feature_detected!("fma") && std::arch::is_x86_feature_detected!("f16c") {
                    return Self::Avx2;
                }
            }
            Self::Portable
        })
    }

    /// All levels this machine can run, slowest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        [Self::Portable, Self::Avx2, Self::Avx512].into_iter().filter(|l| *l <= Self::detected()).collect()
    }
}

/// One vector register of `f32`.
///
/// # Safety
/// Every method may use instructions of its level, so it may only be called on a machine that has them; `load` and `store`
/// need `N` valid elements at the pointer.
pub(super) trait Lanes: Copy {
    /// Number of lanes.
    const N: usize;
    /// Rows of the largest matrix product tile of two registers a row that the register file holds.
    const TILE_ROWS: usize;
    unsafe fn splat(x: f32) -> Self;
    unsafe fn load(p: *const f32) -> Self;
    /// Loads and widens IEEE half precision values.
    unsafe fn load_f16(p: *const u16) -> Self;
    unsafe fn store(self, p: *mut f32);
    unsafe fn add(self, b: Self) -> Self;
    unsafe fn sub(self, b: Self) -> Self;
    unsafe fn mul(self, b: Self) -> Self;
    unsafe fn div(self, b: Self) -> Self;
    unsafe fn max(self, b: Self) -> Self;
    /// `self * b + c`
    unsafe fn fma(self, b: Self, c: Self) -> Self;
    unsafe fn round(self) -> Self;
    unsafe fn abs(self) -> Self;
    /// 2 to the power of an integral value in -126..=127.
    unsafe fn pow2(self) -> Self;
}

/// Portable register: the compiler vectorises it for its baseline.
#[derive(Clone, Copy)]
pub(super) struct Portable([f32; 8]);

impl Portable {
    #[inline(always)]
    fn map2(self, b: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], b.0[i])))
    }
}

impl Lanes for Portable {
    const N: usize = 8;
    const TILE_ROWS: usize = 2;
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        Self([x; 8])
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        Self(unsafe { p.cast::<[f32; 8]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn load_f16(p: *const u16) -> Self {
        let h = unsafe { p.cast::<[u16; 8]>().read_unaligned() };
        Self(h.map(|b| half::f16::from_bits(b).to_f32()))
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        unsafe { p.cast::<[f32; 8]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        self.map2(b, |x, y| x + y)
    }
    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        self.map2(b, |x, y| x - y)
    }
    #[inline(always)]
    unsafe fn mul(self, b: Self) -> Self {
        self.map2(b, |x, y| x * y)
    }
    #[inline(always)]
    unsafe fn div(self, b: Self) -> Self {
        self.map2(b, |x, y| x / y)
    }
    #[inline(always)]
    unsafe fn max(self, b: Self) -> Self {
        self.map2(b, |x, y| if x > y { x } else { y })
    }
    #[inline(always)]
    unsafe fn fma(self, b: Self, c: Self) -> Self {
        // Not `mul_add`: without the instruction that is a slow library call.
        Self(std::array::from_fn(|i| self.0[i] * b.0[i] + c.0[i]))
    }
    #[inline(always)]
    unsafe fn round(self) -> Self {
        // Adding and taking away 1.5 * 2^23 rounds to an integer for |x| < 2^22, which `exp` respects.
        const MAGIC: f32 = 12_582_912.0;
        Self(self.0.map(|x| (x + MAGIC) - MAGIC))
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        Self(self.0.map(f32::abs))
    }
    #[inline(always)]
    unsafe fn pow2(self) -> Self {
        Self(self.0.map(|n| f32::from_bits(((n as i32 + 127) as u32) << 23)))
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Lanes;
    use std::arch::x86_64::*;

    #[derive(Clone, Copy)]
    pub struct Avx2(__m256);
    #[derive(Clone, Copy)]
    pub struct Avx512(__m512);

    impl Lanes for Avx2 {
        const N: usize = 8;
        const TILE_ROWS: usize = 6;
        #[inline(always)]
        unsafe fn splat(x: f32) -> Self {
            Self(unsafe { _mm256_set1_ps(x) })
        }
        #[inline(always)]
        unsafe fn load(p: *const f32) -> Self {
            Self(unsafe { _mm256_loadu_ps(p) })
        }
        #[inline(always)]
        unsafe fn load_f16(p: *const u16) -> Self {
            Self(unsafe { _mm256_cvtph_ps(_mm_loadu_si128(p.cast())) })
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut f32) {
            unsafe { _mm256_storeu_ps(p, self.0) }
        }
        #[inline(always)]
        unsafe fn add(self, b: Self) -> Self {
            Self(unsafe { _mm256_add_ps(self.0, b.0) })
        }
        #[inline(always)]
        unsafe fn sub(self, b: Self) -> Self {
            Self(unsafe { _mm256_sub_ps(self.0, b.0) })
        }
        #[inline(always)]
        unsafe fn mul(self, b: Self) -> Self {
            Self(unsafe { _mm256_mul_ps(self.0, b.0) })
        }
        #[inline(always)]
        unsafe fn div(self, b: Self) -> Self {
            Self(unsafe { _mm256_div_ps(self.0, b.0) })
        }
        #[inline(always)]
        unsafe fn max(self, b: Self) -> Self {
            Self(unsafe { _mm256_max_ps(self.0, b.0) })
        }
        #[inline(always)]
        unsafe fn fma(self, b: Self, c: Self) -> Self {
            Self(unsafe { _mm256_fmadd_ps(self.0, b.0, c.0) })
        }
        #[inline(always)]
        unsafe fn round(self) -> Self {
            Self(unsafe { _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0) })
        }
        #[inline(always)]
        unsafe fn abs(self) -> Self {
            Self(unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0) })
        }
        #[inline(always)]
        unsafe fn pow2(self) -> Self {
            let n = unsafe { _mm256_add_epi32(_mm256_cvtps_epi32(self.0), _mm256_set1_epi32(127)) };
            Self(unsafe { _mm256_castsi256_ps(_mm256_slli_epi32::<23>(n)) })
        }
    }

    impl Lanes for Avx512 {
        const N: usize = 16;
        const TILE_ROWS: usize = 12;
        #[inline(always)]
        unsafe fn splat(x: f32) -> Self {
            Self(unsafe { _mm512_set1_ps(x) })
        }
        #[inline(always)]
        unsafe fn load(p: *const f32) -> Self {
            Self(unsafe { _mm512_loadu_ps(p) })
        }
        #[inline(always)]
        unsafe fn load_f16(p: *const u16) -> Self {
            Self(unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(p.cast())) })
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut f32) {
            unsafe { _mm512_storeu_ps(p, self.0) }
        }
        #[inline(always)]
        unsafe fn add(self, b: Self) -> Self {
            Self(unsafe { _mm512_add_ps(self.0, b.0) })
        }
        #[inline(always)]
        unsafe fn sub(self, b: Self) -> Self {
            Self(unsafe { _mm512_sub_ps(self.0, b.0) })
        }
        #[inline(always)]
        unsafe fn mul(self, b: Self) -> Self {
            Self(unsafe { _mm512_mul_ps(self.0, b.0) })
        }
        #[inline(always)]
        unsafe fn div(self, b: Self) -> Self {
            Self(unsafe { _mm512_div_ps(self.0, b.0) })
        }
        #[inline(always)]
        unsafe fn max(self, b: Self) -> Self {
            Self(unsafe { _mm512_max_ps(self.0, b.0) })
        }
        #[inline(always)]
        unsafe fn fma(self, b: Self, c: Self) -> Self {
            Self(unsafe { _mm512_fmadd_ps(self.0, b.0, c.0) })
        }
        #[inline(always)]
        unsafe fn round(self) -> Self {
            Self(unsafe { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0) })
        }
        #[inline(always)]
        unsafe fn abs(self) -> Self {
            Self(unsafe { _mm512_abs_ps(self.0) })
        }
        #[inline(always)]
        unsafe fn pow2(self) -> Self {
            let n = unsafe { _mm512_add_epi32(_mm512_cvtps_epi32(self.0), _mm512_set1_epi32(127)) };
            Self(unsafe { _mm512_castsi512_ps(_mm512_slli_epi32::<23>(n)) })
        }
    }
}

/// e to the power of `x`, relative error under 3e-7 for x >= -87 and at most 1.2e-38 absolute below; for x <= 88.
///
/// Range reduction by multiples of ln 2 in two parts and a Taylor polynomial of degree 7 on |r| <= ln(2)/2.
#[inline(always)]
pub(super) unsafe fn exp<V: Lanes>(x: V) -> V {
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    const TAYLOR: [f32; 6] = [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5];
    unsafe {
        let x = x.max(V::splat(-87.0));
        let n = x.mul(V::splat(std::f32::consts::LOG2_E)).round();
        let r = n.fma(V::splat(-LN2_HIGH), x);
        let r = n.fma(V::splat(-LN2_LOW), r);
        let mut p = V::splat(TAYLOR[0]);
        for c in &TAYLOR[1..] {
            p = p.fma(r, V::splat(*c));
        }
        // 1 + r + r^2 * p
        let y = p.fma(r.mul(r), r).add(V::splat(1.0));
        y.mul(n.pow2())
    }
}

/// `x * (1 + erf(x / sqrt 2)) / 2`, absolute error under 1e-6.
///
/// erf by the rational approximation 7.1.26 of Abramowitz and Stegun (absolute error 1.5e-7). As erf is odd,
/// `x * erf(x / sqrt 2)` is `|x| * erf(|x| / sqrt 2)` and no sign is needed.
#[inline(always)]
pub(super) unsafe fn gelu_lanes<V: Lanes>(x: V) -> V {
    const P: f32 = 0.327_591_1;
    const A: [f32; 5] = [1.061_405_4, -1.453_152_1, 1.421_413_8, -0.284_496_74, 0.254_829_6];
    unsafe {
        let a = x.abs();
        let z = a.mul(V::splat(std::f32::consts::FRAC_1_SQRT_2));
        let t = V::splat(1.0).div(z.fma(V::splat(P), V::splat(1.0)));
        let mut q = V::splat(A[0]);
        for c in &A[1..] {
            q = q.fma(t, V::splat(*c));
        }
        let tail = q.mul(t).mul(exp(V::splat(0.0).sub(z.mul(z))));
        let erf = V::splat(1.0).sub(tail);
        a.fma(erf, x).mul(V::splat(0.5))
    }
}

/// Defines a function that runs `$body::<V>` for the best register type of the level, compiled with its instructions.
macro_rules! dispatch {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = $body:ident) => {
        $(#[$doc])*
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f")]
                unsafe fn avx512($($arg: $ty),*) $(-> $ret)? {
                    unsafe { $body::<$crate::kernels::lanes::Avx512>($($arg),*) }
                }
                #[target_feature(enable = "avx2,fma,f16c")]
                unsafe fn avx2($($arg: $ty),*) $(-> $ret)? {
                    unsafe { $body::<$crate::kernels::lanes::Avx2>($($arg),*) }
                }
                match $crate::kernels::Level::best() {
                    // SAFETY: the level was detected on this machine.
                    $crate::kernels::Level::Avx512 => return unsafe { avx512($($arg),*) },
                    $crate::kernels::Level::Avx2 => return unsafe { avx2($($arg),*) },
                    $crate::kernels::Level::Portable => {}
                }
            }
            // SAFETY: the portable register needs no special instructions.
            unsafe { $body::<$crate::kernels::lanes::Portable>($($arg),*) }
        }
    };
}
pub(super) use dispatch;

#[cfg(test)]
pub(super) mod tests {
    use super::Level;
    use std::cell::Cell;

    thread_local! {
        pub static LIMIT: Cell<Option<Level>> = const { Cell::new(None) };
    }

    /// Runs `f` once at every level of this machine.
    pub fn at_each_level(f: impl Fn(Level)) {
        for level in Level::available() {
            LIMIT.set(Some(level));
            f(level);
        }
        LIMIT.set(None);
    }
}
