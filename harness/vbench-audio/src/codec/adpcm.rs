//! IMA ADPCM: four bits for each 16-bit sample, the first of a pair in the upper half of its byte.
//!
//! Written from IMA, "Recommended Practices for Enhancing Digital Audio Compatibility in Multimedia Systems", revision
//! 3.00 (1992), without block headers: predictor and step index start at zero.

/// Step sizes by index.
const STEPS: [i32; 89] = [
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107,
    118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963,
    1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894,
    6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794,
    32767,
];
/// Changes of the index by the three magnitude bits of a code.
const ADAPTATION: [i32; 8] = [-1, -1, -1, -1, 2, 4, 6, 8];

/// What encoder and decoder carry from sample to sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct State {
    /// The last decoded sample.
    pub predictor: i32,
    /// Index of the step size, 0 to 88.
    pub index: i32,
}

impl State {
    fn encode(&mut self, sample: i16) -> u8 {
        let step = STEPS[self.index as usize];
        let difference = i32::from(sample) - self.predictor;
        let mut rest = difference.abs();
        let mut code = if difference < 0 { 8 } else { 0 };
        for (bit, size) in [(4, step), (2, step >> 1), (1, step >> 2)] {
            if rest >= size {
                code |= bit;
                rest -= size;
            }
        }
        self.decode(code);
        code
    }

    fn decode(&mut self, code: u8) -> i16 {
        let step = STEPS[self.index as usize];
        let mut difference = step >> 3;
        for (bit, size) in [(4, step), (2, step >> 1), (1, step >> 2)] {
            if code & bit != 0 {
                difference += size;
            }
        }
        let signed = if code & 8 != 0 { -difference } else { difference };
        self.predictor = (self.predictor + signed).clamp(-32_768, 32_767);
        self.index = (self.index + ADAPTATION[usize::from(code & 7)]).clamp(0, 88);
        self.predictor as i16
    }
}

/// Two samples in each byte; a last odd sample is paired with silence. The bytes and the state at the end.
#[must_use]
pub fn encode(samples: &[i16]) -> (Vec<u8>, State) {
    let mut state = State::default();
    let bytes = samples
        .chunks(2)
        .map(|pair| {
            let first = state.encode(pair[0]);
            first << 4 | state.encode(pair.get(1).copied().unwrap_or(0))
        })
        .collect();
    (bytes, state)
}

/// Two 16-bit samples from each byte.
#[must_use]
pub fn decode(bytes: &[u8]) -> Vec<i16> {
    let mut state = State::default();
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|code| state.decode(code)).collect()
}
