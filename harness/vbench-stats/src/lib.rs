//! Numbers in, estimates out. Knows nothing of speech: errors and words are a numerator and a denominator.
//!
//! ```text
//! clusters.rs    observations -> sums per resampling unit, and which unit that is
//! interval.rs    the interval that vbench prints beside a ratio of sums
//! abc.rs         BCa without drawing, for many clusters
//! bootstrap.rs   percentile, basic and BCa intervals over clusters or blocks
//! blocks.rs      blocks of consecutive utterances, and how long they should be
//! draw.rs        random words -> indices of the clusters or blocks of one resample
//! kinds.rs       one resample of many clusters of few kinds at once
//! statistic.rs   what is resampled: ratio of sums, quantile
//! linear.rs      linearised (delta-method) interval of a ratio with t(S-1)
//! paired.rs      difference of two ratios on shared clusters, sign-flip test, probability of improvement
//! gate.rs        the sign-flip test inverted at a margin, both ways, with its interval
//! secondary.rs   paired t, Wilcoxon, sign test, McNemar: secondary tests
//! mapsswe.rs     matched-pairs sentence-segment word error test
//! quantile.rs    type-7 quantiles and order-statistic intervals
//! polynomial.rs  least squares with HC3 intervals
//! trend.rs       Mann and Kendall's test, Theil and Sen's slope
//! proportion.rs  Wilson and Clopper-Pearson
//! multiple.rs    Holm and Benjamini-Hochberg
//! power.rs       the smallest difference a comparison can detect, the speakers that a decision needs
//! sequential.rs  the gate's test looked at again and again while clusters come in
//! shift.rs       where the level of a series of runs shifted
//! weighted.rs    a weighted sum of ratios on shared clusters: areas and overall scores
//! special.rs     normal, t, chi-square, binomial and beta functions
//! ```
//!
//! Pure: no clock, no files, no global random state. Every random draw comes from a generator passed in or keyed by
//! [`vbench_core::keyed::keyed_rng`]; the result does not depend on the number of threads.

pub mod abc;
pub mod blocks;
pub mod bootstrap;
pub mod clusters;
mod draw;
mod error;
pub mod gate;
pub mod interval;
mod kinds;
pub mod linear;
pub mod mapsswe;
pub mod multiple;
pub mod paired;
pub mod polynomial;
pub mod power;
pub mod proportion;
pub mod quantile;
pub mod secondary;
pub mod sequential;
pub mod shift;
pub mod special;
mod statistic;
pub mod trend;
pub mod weighted;

pub use blocks::{BlockScheme, Blocks, block_length};
pub use bootstrap::{Bootstrap, DEFAULT_RESAMPLES, MAX_RESAMPLES, Method};
pub use clusters::{Clusters, MIN_UNITS, Observation, Observed, assign_units, choose_unit, choose_units};
pub use error::StatsError;
pub use gate::{Decision, GateTest, clusters_to_decide, gate_test};
pub use interval::{FEW_CLUSTERS, Plan, expanded_level, ratio_estimate};
pub use paired::{PairedClusters, PairedComparison, PairedObservation, choose_paired_unit, compare_paired, sign_flip};
pub use power::{PowerAssumptions, detectable_difference, detectable_difference_observed, speakers_needed};
pub use quantile::{QuantileInterval, UpperEnd, quantile_interval};
pub use sequential::{Sequential, SequentialVerdict, Spending};
pub use shift::{Shift, level_shifts};
pub use weighted::{StrataClusters, weighted_estimate};
