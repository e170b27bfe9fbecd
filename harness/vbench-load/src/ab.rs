//! Two models by turns in one session: is the second slower than the first?
//!
//! Three lanes answer every clip once a turn: `A`, `B`, and a second `A` that shows how much two equal models differ here and
//! now (the noise floor). The six orders of the lanes come in mirrored pairs, so that `A` and `B` follow each other as ABBA
//! BAAB and whatever changes steadily over the session falls on all lanes alike; in six rounds a clip goes through all six.
//!
//! What is compared is what the user waits: to the first audible sample of a reply with sound, else to the answer.
//!
//! Ratios are of pairs (clip and turn), as logarithms; clusters are clips; the test is that of every gate
//! ([`vbench_stats::gate_test`]): the sign-flip test inverted at the margin, with the interval that decides the same.

use vbench_core::keyed::{keyed_rng, permutation};
use vbench_stats::gate::clusters_to_decide;
use vbench_stats::{Decision, StatsError, gate_test};

use crate::engine::Bench;
use crate::picture::{Curve, distribution_curve};
use crate::port::Ns;
use crate::summary::Distribution;

/// One-sided level of every test; the intervals are at `1 - 2 ALPHA`.
pub const AB_ALPHA: f64 = 0.05;
/// Sets of clips drawn where there are too many for all.
const DRAWS: usize = 99_999;
/// Chance of a decision that the number of clips named for one is to have.
const POWER: f64 = 0.8;

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// The baseline.
    A,
    /// What is compared with it.
    B,
    /// The baseline again.
    Control,
}

impl Lane {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::A, Self::B, Self::Control];

    /// `A`, `B` or `A again`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::Control => "A again",
        }
    }
}

/// Orders of a turn; each odd one mirrors the one before.
const ORDERS: [[Lane; 3]; 6] = {
    use Lane::{A, B, Control as C};
    [[A, B, C], [C, B, A], [B, C, A], [A, C, B], [C, A, B], [B, A, C]]
};

/// The sequence of an A/B session: which lane hears which clip. Samples are numbered lane by lane, `lane x clips + clip`.
#[derive(Debug, Clone)]
pub struct AbOrder {
    clips: usize,
    seed: u64,
    round: Vec<usize>,
}

impl AbOrder {
    /// Over so many clips (at least one), in a keyed random order that is another in every round.
    #[must_use]
    pub fn new(clips: usize, seed: u64) -> Self {
        Self { clips: clips.max(1), seed, round: Vec::new() }
    }

    /// The sample of the `request`-th request; to be asked for in order.
    pub fn sample(&mut self, request: usize) -> usize {
        let turn = request / 3;
        let (round, place) = (turn / self.clips, turn % self.clips);
        if request.is_multiple_of(3) && place == 0 || self.round.is_empty() {
            let mut rng = keyed_rng(self.seed, "ab-clips", "", &round.to_string());
            self.round = permutation(self.clips, &mut rng);
        }
        let clip = self.round[place];
        // Every clip begins with the first order of a pair.
        let lane = ORDERS[(2 * clip + round) % ORDERS.len()][request % 3];
        lane as usize * self.clips + clip
    }

    /// The clip and the lane of a sample.
    #[must_use]
    pub fn place(&self, sample: usize) -> (usize, Lane) {
        (sample % self.clips, Lane::ALL[(sample / self.clips).min(2)])
    }
}

/// One clip answered once by each lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbTurn {
    /// Which clip.
    pub clip: usize,
    /// When the turn began.
    pub at: Ns,
    /// Wait for the baseline.
    pub a: Ns,
    /// Of what is compared with it.
    pub b: Ns,
    /// Of the baseline again.
    pub control: Ns,
}

/// Turns that every lane answered, and how many were begun.
#[must_use]
pub fn ab_turns(bench: &Bench, order: &AbOrder) -> (Vec<AbTurn>, usize) {
    let mut turns = Vec::new();
    for requests in bench.timelines.chunks(3) {
        let mut waits = [None; 3];
        for t in requests {
            waits[order.place(t.sample).1 as usize] = t.wait();
        }
        if let [Some(a), Some(b), Some(control)] = waits {
            // A time of zero has no logarithm; nothing takes less than a nanosecond.
            let [a, b, control] = [a, b, control].map(|ns| ns.max(1));
            turns.push(AbTurn { clip: order.place(requests[0].sample).0, at: requests[0].due, a, b, control });
        }
    }
    (turns, bench.timelines.len().div_ceil(3))
}

/// How many times as long one lane takes as another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    /// Geometric mean over pairs.
    pub value: f64,
    /// Lower end of the interval; 0 where so few clusters exclude nothing.
    pub lo: f64,
    /// Upper end; infinite where so few exclude nothing.
    pub hi: f64,
    /// Level of the interval.
    pub level: f64,
    /// p of "not slower than the margin".
    pub p_slower: f64,
    /// p of "slower than the margin".
    pub p_within: f64,
    /// What the test says at the margin.
    pub decision: Decision,
    /// Clusters: clips, or pairs of fresh processes.
    pub clusters: usize,
    /// Pairs.
    pub pairs: usize,
    /// Clusters in all that would decide four times out of five, if things stay as they are; absent where none would.
    pub clusters_needed: Option<usize>,
}

impl Ratio {
    /// The largest factor that the interval holds, up or down.
    #[must_use]
    pub fn factor(&self) -> f64 {
        self.hi.max(1.0 / self.lo)
    }
}

/// Tests pairs of times `(cluster, first, second)` at a margin: 0.05 lets the second take 5 % longer.
///
/// # Errors
/// Fewer than six clusters.
pub fn ratio(pairs: &[(usize, Ns, Ns)], margin: f64, seed: u64, key: &str) -> Result<Ratio, StatsError> {
    let mut clusters: Vec<(f64, f64)> = Vec::new();
    for (cluster, first, second) in pairs {
        if *cluster >= clusters.len() {
            clusters.resize(cluster + 1, (0.0, 0.0));
        }
        clusters[*cluster].0 += libm::log(*second as f64 / *first as f64);
        clusters[*cluster].1 += 1.0;
    }
    clusters.retain(|c| c.1 > 0.0);
    let margin = libm::log1p(margin);
    let test = gate_test(&clusters, margin, AB_ALPHA, DRAWS, &mut keyed_rng(seed, "bench-ab", "", key))?;
    Ok(Ratio {
        value: libm::exp(test.observed),
        lo: libm::exp(test.lo),
        hi: libm::exp(test.hi),
        level: test.level,
        p_slower: test.p_regressed,
        p_within: test.p_pass,
        decision: test.decide(test.p_regressed, test.p_pass, AB_ALPHA),
        clusters: clusters.len(),
        pairs: pairs.len(),
        clusters_needed: clusters_to_decide(&clusters, margin, AB_ALPHA, POWER).ok().flatten(),
    })
}

/// What an A/B session says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AbVerdict {
    /// B is not slower than the margin allows.
    Pass,
    /// B is slower than the margin allows, by more than two equal models differ.
    Regressed,
    /// Neither can be said.
    Inconclusive,
}

impl AbVerdict {
    /// `pass`, `regressed` or `inconclusive`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Regressed => "regressed",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// An A/B session in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct AbSummary {
    /// The margin: 0.05 lets B take 5 % longer.
    pub margin: f64,
    /// In order of time.
    pub turns: Vec<AbTurn>,
    /// Turns begun: more than there are where a lane did not answer or the session ended.
    pub begun: usize,
    /// Times by lane: [`Lane::ALL`].
    pub lanes: [Distribution; 3],
    /// B against A.
    pub ratio: Result<Ratio, StatsError>,
    /// A against itself: the noise floor.
    pub floor: Result<Ratio, StatsError>,
    /// The largest factor that the interval of the noise floor holds, up or down; infinite without one.
    pub floor_factor: f64,
    /// B against A at the margin, or at the noise floor where that is larger.
    pub verdict: AbVerdict,
    /// Why, in words.
    pub reason: String,
}

/// Puts an A/B session into numbers.
#[must_use]
pub fn summarize_ab(bench: &Bench, order: &AbOrder, margin: f64, timeout: Ns, seed: u64) -> AbSummary {
    let (turns, begun) = ab_turns(bench, order);
    let of = |second: fn(&AbTurn) -> Ns| -> Vec<(usize, Ns, Ns)> {
        turns.iter().map(|t| (t.clip, t.a, second(t))).collect()
    };
    let (b, control) = (of(|t| t.b), of(|t| t.control));
    let floor = ratio(&control, margin, seed, "floor");
    let floor_factor = floor.as_ref().map_or(f64::INFINITY, Ratio::factor);
    let found = ratio(&b, margin, seed, "ratio");
    let (verdict, reason) = decide(&b, &found, &floor, margin, seed);
    let lane = |lane: Lane| {
        let of_lane = || bench.timelines.iter().filter(move |t| order.place(t.sample).1 == lane);
        let known: Vec<Ns> = of_lane().filter_map(crate::timeline::Timeline::wait).collect();
        let unanswered = of_lane().count() - known.len();
        Distribution::of(known, unanswered, timeout)
    };
    AbSummary { margin, begun, lanes: Lane::ALL.map(lane), ratio: found, turns, floor, floor_factor, verdict, reason }
}

fn decide(
    b: &[(usize, Ns, Ns)],
    found: &Result<Ratio, StatsError>,
    floor: &Result<Ratio, StatsError>,
    margin: f64,
    seed: u64,
) -> (AbVerdict, String) {
    use AbVerdict::{Inconclusive, Pass, Regressed};
    let (at_margin, floor) = match (found, floor) {
        (Ok(r), Ok(f)) => (r, f),
        (Err(e), _) | (_, Err(e)) => return (Inconclusive, e.to_string()),
    };
    let floor_factor = floor.factor();
    let noisy = floor_factor > 1.0 + margin;
    let percent = |factor: f64| format!("{:.1} %", 100.0 * (factor - 1.0));
    let (shown, allowed) = (percent(floor_factor), percent(1.0 + margin));
    let beyond = if noisy && floor_factor.is_finite() {
        ratio(b, floor_factor - 1.0, seed, "ratio").map_or(Decision::Inconclusive, |r| r.decision)
    } else {
        at_margin.decision
    };
    match (at_margin.decision, beyond) {
        (_, _) if !floor_factor.is_finite() => {
            (Inconclusive, format!("{} clips say nothing about the noise floor", floor.clusters))
        }
        (Decision::Regressed, Decision::Regressed) => {
            let over = if noisy { format!("the noise floor of {shown}") } else { format!("the margin of {allowed}") };
            (Regressed, format!("B is slower than A by more than {over}"))
        }
        (Decision::Regressed, _) => (
            Inconclusive,
            format!("B is slower than A, but not by more than A differs from itself here (noise floor {shown})"),
        ),
        (Decision::Pass | Decision::Identical, _) if !noisy => {
            (Pass, format!("B is not slower than A by more than the margin of {allowed}"))
        }
        (Decision::Pass | Decision::Identical, _) => {
            (Inconclusive, format!("A differs from itself by up to {shown} here: more than the margin of {allowed}"))
        }
        (Decision::Inconclusive, _) => {
            let more = at_margin.clusters_needed.map_or_else(
                || "the ratio is as good as on the margin".to_owned(),
                |n| {
                    format!("about {n} clips would decide if things stay as they are; there are {}", at_margin.clusters)
                },
            );
            (Inconclusive, format!("the interval holds the margin of {allowed}: {more}"))
        }
    }
}

/// One pair of fresh processes: waits for A and for B, as `(clip, ns)`.
pub type FreshPair = (Vec<(usize, Ns)>, Vec<(usize, Ns)>);

/// Looks at a claim again in fresh processes, pair by pair: clip by clip the geometric mean of B's times over that of A's;
/// clusters are pairs of processes.
///
/// # Errors
/// Fewer than six pairs.
pub fn confirm(pairs: &[FreshPair], margin: f64, seed: u64) -> Result<Ratio, StatsError> {
    let mean = |times: &[(usize, Ns)], clip: usize| {
        let logs: Vec<f64> = times.iter().filter(|t| t.0 == clip).map(|t| libm::log(t.1.max(1) as f64)).collect();
        (!logs.is_empty()).then(|| libm::exp(logs.iter().sum::<f64>() / logs.len() as f64) as Ns)
    };
    let mut all = Vec::new();
    for (i, (a, b)) in pairs.iter().enumerate() {
        let clips = a.iter().chain(b).map(|t| t.0 + 1).max().unwrap_or(0);
        all.extend((0..clips).filter_map(|clip| Some((i, mean(a, clip)?.max(1), mean(b, clip)?.max(1)))));
    }
    ratio(&all, margin, seed, "fresh")
}

impl AbSummary {
    /// How many of the six orders a clip went through: the fewest and the most; absent without a turn.
    #[must_use]
    pub fn orders(&self) -> Option<(usize, usize)> {
        let mut heard = std::collections::BTreeMap::new();
        self.turns.iter().for_each(|t| *heard.entry(t.clip).or_insert(0usize) += 1);
        let orders = |n: &usize| (*n).min(ORDERS.len());
        heard.values().map(orders).min().zip(heard.values().map(orders).max())
    }
}

/// The last word, with what fresh processes said about a claim; `voided` says why the session does not count.
#[must_use]
pub fn conclude(
    summary: &AbSummary,
    fresh: Option<&Result<Ratio, StatsError>>,
    voided: Option<&str>,
) -> (AbVerdict, String) {
    if let Some(voided) = voided {
        return (AbVerdict::Inconclusive, voided.to_owned());
    }
    let reason = &summary.reason;
    match (summary.verdict, fresh) {
        (AbVerdict::Regressed, Some(Ok(r))) if r.decision == Decision::Regressed => {
            (AbVerdict::Regressed, format!("{reason}; {} pairs of fresh processes say the same", r.clusters))
        }
        (AbVerdict::Regressed, Some(Ok(r))) => (
            AbVerdict::Inconclusive,
            format!("{reason} in this session, but {} pairs of fresh processes do not confirm it", r.clusters),
        ),
        (AbVerdict::Regressed, Some(Err(e))) => {
            (AbVerdict::Inconclusive, format!("{reason} in this session; fresh processes cannot tell: {e}"))
        }
        (AbVerdict::Regressed, None) => {
            (AbVerdict::Inconclusive, format!("{reason} in this session; fresh processes were not asked"))
        }
        (verdict, _) => (verdict, reason.clone()),
    }
}

/// What the figures of an A/B session show.
#[derive(Debug, Clone, PartialEq)]
pub struct AbPicture {
    /// Per turn: when, B over A, A again over A; at most [`PAIRS_DRAWN`], evenly chosen.
    pub pairs: Vec<(Ns, f64, f64)>,
    /// The ratios between which all but the outermost pairs lie, on both sides as far from 1.
    pub shown: (f64, f64),
    /// Distribution functions by lane.
    pub curves: [Curve; 3],
    /// Geometric mean ratio clip by clip, the smallest first: B over A, A again over A.
    pub clips: Vec<(f64, f64)>,
}

/// Turns in a figure.
pub const PAIRS_DRAWN: usize = 300;

/// Draws up the figures.
#[must_use]
pub fn ab_picture(summary: &AbSummary) -> AbPicture {
    let turns = &summary.turns;
    let of = |t: &AbTurn| (t.at, t.b as f64 / t.a as f64, t.control as f64 / t.a as f64);
    let every = turns.len().div_ceil(PAIRS_DRAWN).max(1);
    let mut far: Vec<f64> = turns.iter().map(of).flat_map(|(_, b, c)| [b.max(1.0 / b), c.max(1.0 / c)]).collect();
    far.sort_unstable_by(f64::total_cmp);
    // One pair in fifty may lie outside.
    let far = far.get((far.len().max(1) - 1) * 49 / 50).map_or(1.0, |f| f.max(1.0 + 2.0 * summary.margin));
    let lane = |i: usize, pick: fn(&AbTurn) -> Ns| {
        distribution_curve(Lane::ALL[i].name(), &turns.iter().map(pick).collect::<Vec<_>>(), 0)
    };
    let most = turns.iter().map(|t| t.clip + 1).max().unwrap_or(0);
    let mut sums = vec![(0.0, 0.0, 0.0); most];
    for t in turns {
        let (_, b, control) = of(t);
        let sum = &mut sums[t.clip];
        *sum = (sum.0 + libm::log(b), sum.1 + libm::log(control), sum.2 + 1.0);
    }
    let mean = |s: &(f64, f64, f64)| (libm::exp(s.0 / s.2), libm::exp(s.1 / s.2));
    let mut clips: Vec<(f64, f64)> = sums.iter().filter(|s| s.2 > 0.0).map(mean).collect();
    clips.sort_unstable_by(|x, y| x.0.total_cmp(&y.0));
    AbPicture {
        pairs: turns.iter().step_by(every).map(of).collect(),
        shown: (1.0 / far, far),
        curves: [lane(0, |t| t.a), lane(1, |t| t.b), lane(2, |t| t.control)],
        clips,
    }
}
