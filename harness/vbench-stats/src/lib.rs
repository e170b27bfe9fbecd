//! Numbers in, estimates out. Knows nothing of speech: errors and words are a numerator and a denominator.
//!
//! ```text
//! clusters.rs    observations -> sums per resampling unit, and which unit that is
//! interval.rs    the interval that vbench prints beside a ratio of sums
//! bootstrap.rs   percentile, basic and BCa intervals over clusters
//! linear.rs      linearised (delta-method) interval of a ratio with t(S-1)
//! paired.rs      difference of two ratios on shared clusters, sign-flip test, probability of improvement
//! gate.rs        the sign-flip test inverted at a margin, both ways, with its interval
//! secondary.rs   paired t, Wilcoxon, sign test, McNemar: secondary tests
//! mapsswe.rs     matched-pairs sentence-segment word error test
//! quantile.rs    type-7 quantiles and order-statistic intervals
//! proportion.rs  Wilson and Clopper-Pearson
//! multiple.rs    Holm and Benjamini-Hochberg
//! power.rs       the smallest difference a comparison can detect
//! special.rs     normal, t, chi-square, binomial and beta functions
//! ```
//!
//! Pure: no clock, no files, no global random state. Every random draw comes from a generator passed in or keyed by
//! [`vbench_core::keyed::keyed_rng`]; the result does not depend on the number of threads.

pub mod bootstrap;
pub mod clusters;
mod error;
pub mod gate;
pub mod interval;
pub mod linear;
pub mod mapsswe;
pub mod multiple;
pub mod paired;
pub mod power;
pub mod proportion;
pub mod quantile;
pub mod secondary;
pub mod special;

pub use bootstrap::{Bootstrap, DEFAULT_RESAMPLES, Method};
pub use clusters::{Clusters, MIN_UNITS, Observation, choose_unit};
pub use error::StatsError;
pub use gate::{Decision, GateTest, clusters_to_decide, gate_test};
pub use interval::{FEW_CLUSTERS, Plan, ratio_estimate};
pub use paired::{PairedClusters, PairedComparison, PairedObservation, choose_paired_unit, compare_paired, sign_flip};
pub use power::{PowerAssumptions, detectable_difference, detectable_difference_observed};
pub use quantile::{QuantileInterval, UpperEnd, quantile_interval};
