//! Direct filtering: for filters so short that a transform would not pay.

use crate::quad::Quad;

/// Quads of outputs that are kept in registers while all taps go by.
const WIDTH: usize = 4;

/// Adds `x` filtered by `taps` to `out`: `out[n] += sum over k of taps[k] * x[n - k]`, tap by tap in this order, with `x`
/// zero outside.
pub fn add_filtered(out: &mut [f64], x: &[f64], taps: &[f64]) {
    // Zeros on both sides make every position an inner one.
    let reach = taps.len().saturating_sub(1);
    let mut padded = vec![0.0; reach + out.len().next_multiple_of(4 * WIDTH)];
    let shown = x.len().min(out.len());
    padded[reach..reach + shown].copy_from_slice(&x[..shown]);
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has what the function was compiled for.
        return unsafe { add_avx2(out, &padded, taps) };
    }
    add_with::<[f64; 4]>(out, &padded, taps);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_avx2(out: &mut [f64], padded: &[f64], taps: &[f64]) {
    add_with::<core::arch::x86_64::__m256d>(out, padded, taps);
}

#[inline(always)]
fn add_with<Q: Quad>(out: &mut [f64], padded: &[f64], taps: &[f64]) {
    let Some(reach) = taps.len().checked_sub(1) else { return };
    for (block, slots) in out.chunks_mut(4 * WIDTH).enumerate() {
        let mut kept = [0.0; 4 * WIDTH];
        kept[..slots.len()].copy_from_slice(slots);
        let (quads, _) = kept.as_chunks::<4>();
        let mut sums: [Q; WIDTH] = core::array::from_fn(|i| Q::load(&quads[i]));
        let inputs = padded[block * 4 * WIDTH..].windows(4 * WIDTH);
        // The newest sample meets the first tap.
        for (tap, input) in taps.iter().zip(inputs.take(reach + 1).rev()) {
            let (tap, (input, _)) = (Q::load(&[*tap; 4]), input.as_chunks::<4>());
            for (sum, x) in sums.iter_mut().zip(input) {
                *sum = sum.add(tap.mul(Q::load(x)));
            }
        }
        slots.copy_from_slice(&sums.map(Q::store).as_flattened()[..slots.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_defining_sum_bit_for_bit() {
        let signal = |n: usize| (0..n).map(|i| libm::sin(0.37 * (i * i) as f64)).collect::<Vec<_>>();
        for (outputs, inputs, taps) in [(0, 3, 2), (1, 1, 1), (7, 30, 5), (100, 40, 81), (133, 133, 9), (50, 50, 0)] {
            let (x, taps) = (signal(inputs), signal(taps));
            let mut got = signal(outputs);
            let want: Vec<u64> = (got.iter().enumerate())
                .map(|(n, start)| {
                    let terms = taps.iter().enumerate().filter_map(|(k, tap)| Some(tap * x.get(n.checked_sub(k)?)?));
                    terms.fold(*start, |sum, term| sum + term).to_bits()
                })
                .collect();
            let mut plain = got.clone();
            add_filtered(&mut got, &x, &taps);
            assert_eq!(got.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), want, "{outputs} {inputs}");
            let mut padded = vec![0.0; taps.len().saturating_sub(1) + outputs.next_multiple_of(16)];
            let shown = inputs.min(outputs);
            padded[taps.len().saturating_sub(1)..][..shown].copy_from_slice(&x[..shown]);
            add_with::<[f64; 4]>(&mut plain, &padded, &taps);
            assert_eq!(plain.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), want, "plain {outputs} {inputs}");
        }
    }
}
