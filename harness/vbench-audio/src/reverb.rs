//! Shoebox rooms by the image-source method.
//!
//! J. B. Allen and D. A. Berkley, Image method for efficiently simulating small-room acoustics, J. Acoust. Soc. Am.
//! 65(4), 1979: every reflection is the direct sound of a mirrored source. One energy absorption serves all six walls,
//! source and microphone are omnidirectional, air absorbs nothing. Delays are fractional (windowed sinc), and a 10 Hz
//! high-pass removes the low-frequency part that positive image amplitudes pile up and no real room has.

use std::sync::OnceLock;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use vbench_core::keyed::keyed_rng;
use vbench_core::{Placement, Room, Rt60Formula, Walls};

use crate::RATE_HZ;
use crate::error::DegradeError;
use vbench_dsp::{Convolver, add_filtered};

/// Speed of sound, m/s.
pub const SPEED_OF_SOUND: f64 = 343.0;
/// Half-width of the fractional-delay filter, samples: the direct sound lies this far into a response.
pub const HALF_WIDTH: usize = 40;
/// Least distance of source and microphone to a wall, m.
const WALL_MARGIN_M: f64 = 0.5;
/// Images fall on a grid this much finer than the samples, shared between the two nearest points. The error is that of
/// linear interpolation at 256 kHz: below -60 dB at 8 kHz, less beneath.
const PHASES: usize = 16;
const TAPS: usize = 2 * HALF_WIDTH + 1;
/// Draws of a position before a room counts as too small.
const MAX_DRAWS: usize = 10_000;
/// More images than this make a response too expensive.
const MAX_IMAGES: f64 = 2e7;

/// A shoebox with a source and a microphone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shoebox {
    /// Length, width, height, m.
    pub size_m: [f64; 3],
    /// Share of the energy that every wall absorbs, 0 to 1.
    pub absorption: f64,
    /// Source position, m.
    pub source_m: [f64; 3],
    /// Microphone position, m.
    pub microphone_m: [f64; 3],
}

/// A mirrored source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Image {
    /// Number of reflections.
    pub order: u32,
    /// Position, m.
    pub position_m: [f64; 3],
    /// Distance to the microphone, m.
    pub distance_m: f64,
    /// `(1 - absorption)^(order / 2) / (4 pi distance)`.
    pub amplitude: f64,
}

/// What is measured on an impulse response.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures {
    /// Reverberation time from the decay between -5 and -35 dB, extrapolated to 60 dB, s; absent when the response
    /// does not fall that far.
    pub t30_s: Option<f64>,
    /// The same from -5 to -25 dB.
    pub t20_s: Option<f64>,
    /// Direct-to-reverberant energy ratio, dB: within 40 samples of the direct sound over all that follows.
    pub drr_db: f64,
    /// Clarity, dB: energy of the first 50 ms after the direct sound over the rest.
    pub c50_db: f64,
}

/// How far a response reaches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Extent {
    /// All images up to this many reflections.
    Order(u32),
    /// All images that arrive within this time after the source sounds, s.
    Time(f64),
}

impl Shoebox {
    /// Volume, m3.
    #[must_use]
    pub fn volume_m3(&self) -> f64 {
        volume(self.size_m)
    }

    /// Reverberation time by Sabine: `24 ln(10) V / (c S a)`, s.
    #[must_use]
    pub fn sabine_s(&self) -> f64 {
        24.0 * core::f64::consts::LN_10 / SPEED_OF_SOUND * volume(self.size_m)
            / (surface(self.size_m) * self.absorption)
    }

    /// Reverberation time by Eyring: `24 ln(10) V / (-c S ln(1 - a))`, s.
    #[must_use]
    pub fn eyring_s(&self) -> f64 {
        let absorbed = -surface(self.size_m) * libm::log(1.0 - self.absorption);
        24.0 * core::f64::consts::LN_10 / SPEED_OF_SOUND * volume(self.size_m) / absorbed
    }

    /// Distance of the direct path, m.
    #[must_use]
    pub fn distance_m(&self) -> f64 {
        distance(self.source_m, self.microphone_m)
    }

    /// All images of at most `max_order` reflections, without an order among them.
    #[must_use]
    pub fn images(&self, max_order: u32) -> Vec<Image> {
        let mut images = Vec::new();
        self.visit(Extent::Order(max_order), |order, position_m, squared| {
            let distance_m = squared.sqrt();
            images.push(Image { order, position_m, distance_m, amplitude: self.amplitude(order, distance_m) });
        });
        images
    }

    /// Impulse response at `rate_hz`. The sound of an image at distance `d` lies at sample `d / c * rate + 40` minus
    /// `advance` samples (not below 40); `scale` multiplies all amplitudes.
    #[must_use]
    pub fn response(&self, rate_hz: f64, extent: Extent, advance: f64, scale: f64) -> Vec<f64> {
        let samples_per_m = rate_hz / SPEED_OF_SOUND;
        let reflection = (1.0 - self.absorption).sqrt();
        let gain = scale / (4.0 * core::f64::consts::PI);
        let mut gains = vec![gain];
        let reach_m = match extent {
            Extent::Time(seconds) => seconds * SPEED_OF_SOUND,
            Extent::Order(order) => f64::from(order + 2) * self.size_m.iter().sum::<f64>(),
        };
        let samples = ((reach_m * samples_per_m - advance).max(0.0)) as usize + 2;
        // An impulse train on the fine grid: image by image, only two numbers change.
        let mut fine = vec![0.0; PHASES * samples];
        let mut last = 0;
        self.visit(extent, |order, _, squared| {
            while gains.len() <= order as usize {
                gains.push(gains[gains.len() - 1] * reflection);
            }
            let distance_m = squared.sqrt();
            let amplitude = gains[order as usize] / distance_m;
            let place = (distance_m * samples_per_m - advance).max(0.0) * PHASES as f64;
            let step = place as usize;
            let share = place - step as f64;
            last = last.max(step);
            fine[step] += amplitude * (1.0 - share);
            fine[step + 1] += amplitude * share;
        });
        let used = (last + 1) / PHASES + 1;
        let mut response = vec![0.0; used + TAPS];
        for (phase, filter) in fractional_delays().chunks_exact(TAPS).enumerate() {
            let train: Vec<f64> = fine[phase..].iter().step_by(PHASES).take(used).copied().collect();
            add_filtered(&mut response, &train, filter);
        }
        response
    }

    fn amplitude(&self, order: u32, distance_m: f64) -> f64 {
        libm::pow(1.0 - self.absorption, f64::from(order) / 2.0) / (4.0 * core::f64::consts::PI * distance_m)
    }

    /// Calls `f(order, position, squared distance)` for every image within `extent`.
    fn visit(&self, extent: Extent, mut f: impl FnMut(u32, [f64; 3], f64)) {
        let reach_m = match extent {
            Extent::Order(_) => f64::INFINITY,
            Extent::Time(seconds) => seconds * SPEED_OF_SOUND,
        };
        let max_order = match extent {
            Extent::Order(order) => i64::from(order),
            Extent::Time(_) => i64::MAX,
        };
        let squared_reach = reach_m * reach_m;
        let bound = |axis: usize| {
            let by_reach = libm::ceil(reach_m / self.size_m[axis]) + 1.0;
            if by_reach < 1e6 { (by_reach as i64).min(max_order) } else { max_order.min(1_000_000) }
        };
        let (bx, by, bz) = (bound(0), bound(1), bound(2));
        // Per axis: coordinate of the n-th mirror image and its squared distance.
        let axis = |a: usize, n: i64| {
            let shift = n as f64 * self.size_m[a];
            let at =
                if n.rem_euclid(2) == 0 { shift + self.source_m[a] } else { shift + self.size_m[a] - self.source_m[a] };
            let d = at - self.microphone_m[a];
            (at, d * d)
        };
        let z_axis: Vec<(f64, f64)> = (-bz..=bz).map(|n| axis(2, n)).collect();
        for nx in -bx..=bx {
            let (x, dx) = axis(0, nx);
            for ny in -by..=by {
                let (y, dy) = axis(1, ny);
                let lateral = dx + dy;
                let order_xy = nx.abs() + ny.abs();
                if lateral > squared_reach || order_xy > max_order {
                    continue;
                }
                let least = bz.min(max_order - order_xy);
                let floors = &z_axis[(bz - least) as usize..=(bz + least) as usize];
                // Heights rise with the image's number, so those within reach are neighbours.
                let below = |(z, dz): &(f64, f64)| *z < self.microphone_m[2] && lateral + dz > squared_reach;
                let first = floors.partition_point(below);
                for (nz, (z, dz)) in (-least..).zip(floors).skip(first) {
                    let squared = lateral + dz;
                    if squared > squared_reach {
                        break;
                    }
                    f((order_xy + nz.abs()) as u32, [x, y, *z], squared);
                }
            }
        }
    }
}

/// A room impulse response as used on a clip: the direct sound lies at sample 40 with amplitude 1.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) measures: Measures,
    pub(crate) source_m: [f64; 3],
    pub(crate) microphone_m: [f64; 3],
    convolver: Convolver,
}

impl Response {
    /// Reverberates a clip: time-aligned with it (the direct sound is not delayed) and of equal length.
    pub(crate) fn apply(&self, clip: &[f32]) -> Vec<f64> {
        self.convolver.convolve(clip, HALF_WIDTH, clip.len())
    }
}

/// Places source and microphone by a keyed draw and computes the response.
///
/// # Errors
/// [`DegradeError::Parameter`], [`DegradeError::RoomImpossible`], [`DegradeError::PlacementImpossible`].
pub(crate) fn draw(room: &Room, seed: u64, utterance: &str, key: &str) -> Result<Response, DegradeError> {
    let (absorption, rt60_s) = walls(room)?;
    let (source_m, microphone_m) = match room.placement {
        Placement::Drawn { distance_m } => {
            place(room.size_m, distance_m, &mut keyed_rng(seed, "reverb", utterance, key))?
        }
        Placement::Given { source_m, microphone_m } => given(room.size_m, source_m, microphone_m)?,
    };
    let shoebox = Shoebox { size_m: room.size_m, absorption, source_m, microphone_m };
    let direct_m = shoebox.distance_m();
    let rate = f64::from(RATE_HZ);
    let seconds = rt60_s + direct_m / SPEED_OF_SOUND;
    let scale = 4.0 * core::f64::consts::PI * direct_m;
    let mut response = shoebox.response(rate, Extent::Time(seconds), direct_m / SPEED_OF_SOUND * rate, scale);
    high_pass(&mut response, rate);
    let measures = measure(&response, HALF_WIDTH, rate);
    Ok(Response { measures, source_m, microphone_m, convolver: Convolver::new(&response) })
}

/// Checks a room's size and walls; the absorption and the reverberation time that go together.
fn walls(room: &Room) -> Result<(f64, f64), DegradeError> {
    let parameter = |parameter, actual, expected| Err(DegradeError::Parameter { parameter, actual, expected });
    if let Some(side) = room.size_m.iter().find(|s| !(1.0..=100.0).contains(*s)) {
        return parameter("room size_m", *side, "1 to 100 m");
    }
    let volume_m3 = volume(room.size_m);
    // Sabine's absorption times the reverberation time.
    let product = 24.0 * core::f64::consts::LN_10 / SPEED_OF_SOUND * volume_m3 / surface(room.size_m);
    let (absorption, rt60_s) = match room.walls {
        Walls::Rt60 { seconds, .. } if !(0.05..=10.0).contains(&seconds) => {
            return parameter("rt60_s", seconds, "0.05 to 10 s");
        }
        Walls::Rt60 { seconds, formula: Rt60Formula::Sabine } => (product / seconds, seconds),
        Walls::Rt60 { seconds, formula: Rt60Formula::Eyring } => (1.0 - libm::exp(-product / seconds), seconds),
        Walls::Absorption(share) if !(0.001..=0.999).contains(&share) => {
            return parameter("absorption", share, "0.001 to 0.999");
        }
        Walls::Absorption(share) => (share, (product / share).min(10.0)),
    };
    if absorption > 1.0 {
        return Err(DegradeError::RoomImpossible { volume_m3, rt60_s, absorption });
    }
    let reach = SPEED_OF_SOUND * rt60_s;
    if 4.0 / 3.0 * core::f64::consts::PI * reach * reach * reach / volume_m3 > MAX_IMAGES {
        return parameter("rt60_s", rt60_s, "a time in which at most 20 million images of this room arrive");
    }
    Ok((absorption, rt60_s))
}

/// Checks stated positions.
fn given(size_m: [f64; 3], source_m: [f64; 3], microphone_m: [f64; 3]) -> Result<([f64; 3], [f64; 3]), DegradeError> {
    for (who, at) in [("source", source_m), ("microphone", microphone_m)] {
        if (0..3).any(|a| !(at[a] > 0.0 && at[a] < size_m[a])) {
            return Err(DegradeError::OutsideRoom { who, at_m: at, size_m });
        }
    }
    let apart = distance(source_m, microphone_m);
    if apart < 0.1 {
        let expected = "source and microphone at least 0.1 m apart";
        return Err(DegradeError::Parameter { parameter: "distance", actual: apart, expected });
    }
    Ok((source_m, microphone_m))
}

fn place(size_m: [f64; 3], distance_m: f64, rng: &mut ChaCha8Rng) -> Result<([f64; 3], [f64; 3]), DegradeError> {
    if !(0.1..=100.0).contains(&distance_m) {
        let expected = "0.1 to 100 m";
        return Err(DegradeError::Parameter { parameter: "distance_m", actual: distance_m, expected });
    }
    let mut unit = || (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
    let impossible = DegradeError::PlacementImpossible { distance_m, margin_m: WALL_MARGIN_M };
    if size_m.iter().any(|s| *s < 2.0 * WALL_MARGIN_M) {
        return Err(impossible);
    }
    for _ in 0..MAX_DRAWS {
        let source = size_m.map(|s| WALL_MARGIN_M + unit() * (s - 2.0 * WALL_MARGIN_M));
        // Uniform on the sphere: height uniform, angle uniform.
        let (height, angle) = (2.0 * unit() - 1.0, 2.0 * core::f64::consts::PI * unit());
        let radius = (1.0 - height * height).sqrt();
        let direction = [radius * libm::cos(angle), radius * libm::sin(angle), height];
        let microphone: [f64; 3] = core::array::from_fn(|a| source[a] + distance_m * direction[a]);
        let inside = (0..3).all(|a| (WALL_MARGIN_M..=size_m[a] - WALL_MARGIN_M).contains(&microphone[a]));
        if inside {
            return Ok((source, microphone));
        }
    }
    Err(impossible)
}

fn volume([x, y, z]: [f64; 3]) -> f64 {
    x * y * z
}

fn surface([x, y, z]: [f64; 3]) -> f64 {
    2.0 * (x * y + y * z + z * x)
}

fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    (0..3).map(|i| (a[i] - b[i]) * (a[i] - b[i])).sum::<f64>().sqrt()
}

/// Hann-windowed sinc filters for every phase, 81 taps each.
fn fractional_delays() -> &'static [f64] {
    static FILTERS: OnceLock<Vec<f64>> = OnceLock::new();
    FILTERS.get_or_init(|| {
        let mut filters = Vec::with_capacity(PHASES * TAPS);
        for phase in 0..PHASES {
            let fraction = phase as f64 / PHASES as f64;
            for tap in 0..TAPS {
                let t = tap as f64 - HALF_WIDTH as f64 - fraction;
                let angle = core::f64::consts::PI * t;
                let sinc = if t == 0.0 { 1.0 } else { libm::sin(angle) / angle };
                let window = 0.5 + 0.5 * libm::cos(angle / (HALF_WIDTH + 1) as f64);
                filters.push(sinc * window);
            }
        }
        filters
    })
}

/// Second-order Butterworth high-pass at 10 Hz, forward and backward: no phase shift.
pub fn high_pass(response: &mut [f64], rate_hz: f64) {
    let k = libm::tan(core::f64::consts::PI * 10.0 / rate_hz);
    let norm = 1.0 / (1.0 + core::f64::consts::SQRT_2 * k + k * k);
    let (b0, a1, a2) = (norm, 2.0 * (k * k - 1.0) * norm, (1.0 - core::f64::consts::SQRT_2 * k + k * k) * norm);
    let pass = |samples: &mut dyn Iterator<Item = &mut f64>| {
        let (mut s1, mut s2) = (0.0, 0.0);
        for x in samples {
            let y = b0 * *x + s1;
            s1 = -2.0 * b0 * *x - a1 * y + s2;
            s2 = b0 * *x - a2 * y;
            *x = y;
        }
    };
    pass(&mut response.iter_mut());
    pass(&mut response.iter_mut().rev());
}

/// Measures a response whose direct sound lies at sample `direct`.
#[must_use]
pub fn measure(response: &[f64], direct: usize, rate_hz: f64) -> Measures {
    let energy = |from: usize, to: usize| -> f64 {
        let to = to.min(response.len());
        response.get(from..to).unwrap_or_default().iter().map(|h| h * h).sum()
    };
    let ratio_db = |a: f64, b: f64| 10.0 * libm::log10(a.max(1e-30) / b.max(1e-30));
    let first = direct.saturating_sub(HALF_WIDTH);
    let direct_end = direct + HALF_WIDTH;
    let early_end = direct + libm::round(0.050 * rate_hz) as usize;
    let decay = decay_db(response);
    Measures {
        t30_s: fall_time(&decay, -35.0, rate_hz),
        t20_s: fall_time(&decay, -25.0, rate_hz),
        drr_db: ratio_db(energy(first, direct_end), energy(direct_end, usize::MAX)),
        c50_db: ratio_db(energy(first, early_end), energy(early_end, usize::MAX)),
    }
}

/// Backward-integrated energy (Schroeder), dB relative to the whole.
fn decay_db(response: &[f64]) -> Vec<f64> {
    let mut decay: Vec<f64> = response
        .iter()
        .rev()
        .scan(0.0, |sum, h| {
            *sum += h * h;
            Some(*sum)
        })
        .collect();
    decay.reverse();
    let total = decay.first().copied().unwrap_or(0.0);
    decay
        .iter()
        .map(|e| if total > 0.0 && *e > 0.0 { 10.0 * libm::log10(e / total) } else { f64::NEG_INFINITY })
        .collect()
}

/// Time to fall 60 dB at the slope of the least-squares line from -5 dB to `lower_db`.
fn fall_time(decay: &[f64], lower_db: f64, rate_hz: f64) -> Option<f64> {
    let start = decay.iter().position(|d| *d <= -5.0)?;
    let end = decay.iter().position(|d| *d <= lower_db)?;
    let part = decay.get(start..end).filter(|p| p.len() >= 2)?;
    let n = part.len() as f64;
    let mean_t = (n - 1.0) / 2.0;
    let mean_d = part.iter().sum::<f64>() / n;
    let (mut cross, mut square) = (0.0, 0.0);
    for (i, d) in part.iter().enumerate() {
        let t = i as f64 - mean_t;
        cross += t * (d - mean_d);
        square += t * t;
    }
    let slope = cross / square;
    (slope < 0.0).then(|| -60.0 / slope / rate_hz)
}
