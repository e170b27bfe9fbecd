//! Observations summed per resampling unit, and the choice of that unit.

use vbench_core::ResamplingUnit;

/// Fewer units of any kind than this: no interval.
pub const MIN_UNITS: usize = 6;

/// One measured piece, e.g. one cell of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation<'a> {
    /// Identity of the utterance (`corpus/id`). The same utterance under several conditions is one unit.
    pub utterance: &'a str,
    /// Who spoke, if known.
    pub speaker: Option<&'a str>,
    /// Recording session, if known. Unique over the corpus: sessions are not nested in speakers here.
    pub session: Option<&'a str>,
    /// Numerator, e.g. word errors.
    pub num: f64,
    /// Denominator, e.g. reference words.
    pub den: f64,
}

/// Sums of numerators and denominators per resampling unit, ordered by the unit's name.
#[derive(Debug, Clone, PartialEq)]
pub struct Clusters {
    /// What a cluster is.
    pub unit: ResamplingUnit,
    /// Numerator and denominator of each cluster.
    pub sums: Vec<(f64, f64)>,
    /// Distinct utterances.
    pub utterances: usize,
    /// Distinct speakers, when every observation names one.
    pub speakers: Option<usize>,
}

impl Clusters {
    /// The warning that goes with every interval whose unit is not the speaker.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        match (self.unit, self.speakers) {
            (ResamplingUnit::Speaker, _) => None,
            (_, Some(1)) => Some("conditional on this 1 speaker".to_owned()),
            (_, Some(n)) => Some(format!("conditional on these {n} speakers")),
            (_, None) => Some("conditional on these speakers, whose number is not known".to_owned()),
        }
    }
}

/// Which unit to resample, and the index of each observation's cluster.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Assignment {
    pub(crate) unit: ResamplingUnit,
    pub(crate) cluster_of: Vec<usize>,
    pub(crate) clusters: usize,
    pub(crate) utterances: usize,
    pub(crate) speakers: Option<usize>,
}

/// The rule of `formats.md`: speaker when every observation names one and there are at least [`MIN_UNITS`]; else
/// session under the same two conditions; else utterance.
pub(crate) fn assign<'a>(
    keys: impl Iterator<Item = (&'a str, Option<&'a str>, Option<&'a str>)> + Clone,
) -> Assignment {
    let utterance = index_by(keys.clone().map(|k| Some(k.0)));
    let speaker = index_by(keys.clone().map(|k| k.1));
    let session = index_by(keys.map(|k| k.2));
    let speakers = speaker.as_ref().map(|(_, n)| *n);
    let (by_utterance, utterances) = utterance.unwrap_or_default();
    let enough = |index: &Option<(Vec<usize>, usize)>| index.as_ref().is_some_and(|(_, n)| *n >= MIN_UNITS);
    let (unit, cluster_of, clusters) = if enough(&speaker) {
        let (of, n) = speaker.unwrap_or_default();
        (ResamplingUnit::Speaker, of, n)
    } else if enough(&session) {
        let (of, n) = session.unwrap_or_default();
        (ResamplingUnit::Session, of, n)
    } else {
        (ResamplingUnit::Utterance, by_utterance, utterances)
    };
    Assignment { unit, cluster_of, clusters, utterances, speakers }
}

/// The resampling unit by the rule of [`choose_unit`] for pieces named (utterance, speaker, session), the cluster of each
/// piece (clusters are numbered in the order of their names), and how many there are. Known before anything is measured.
pub fn assign_units<'a>(
    pieces: impl Iterator<Item = (&'a str, Option<&'a str>, Option<&'a str>)> + Clone,
) -> (ResamplingUnit, Vec<usize>, usize) {
    let assignment = assign(pieces);
    (assignment.unit, assignment.cluster_of, assignment.clusters)
}

/// Positions in the sorted list of distinct names, or `None` when a name is missing.
fn index_by<'a>(names: impl Iterator<Item = Option<&'a str>> + Clone) -> Option<(Vec<usize>, usize)> {
    let names: Vec<&str> = names.collect::<Option<_>>()?;
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|i| names[*i]);
    let mut index = vec![0; names.len()];
    let mut distinct = 0;
    for (position, i) in order.iter().enumerate() {
        distinct += usize::from(position == 0 || names[order[position - 1]] != names[*i]);
        index[*i] = distinct - 1;
    }
    Some((index, distinct))
}

/// Sums observations per resampling unit, chosen by the rule of `formats.md` ("Resampling unit"): speaker when known
/// for every observation and at least 6 of them; else session likewise; else utterance.
///
/// The result does not depend on the order of the observations beyond floating-point addition (exact for counts).
#[must_use]
pub fn choose_unit(observations: &[Observation<'_>]) -> Clusters {
    let [clusters] = choose_units(observations, |o| [(o.num, o.den)]);
    clusters
}

/// As [`choose_unit`], for several metrics of the same observations: numerators and denominators are those that `of` gives.
#[must_use]
pub fn choose_units<const M: usize, O: Observed>(
    observations: &[O],
    of: impl Fn(&O) -> [(f64, f64); M],
) -> [Clusters; M] {
    let assignment = assign(observations.iter().map(Observed::keys));
    let mut sums = [(); M].map(|()| vec![(0.0, 0.0); assignment.clusters]);
    for (observation, &cluster) in observations.iter().zip(&assignment.cluster_of) {
        for (sums, (num, den)) in sums.iter_mut().zip(of(observation)) {
            sums[cluster].0 += num;
            sums[cluster].1 += den;
        }
    }
    let Assignment { unit, utterances, speakers, .. } = assignment;
    sums.map(|sums| Clusters { unit, sums, utterances, speakers })
}

/// What belongs to an utterance, a speaker and a session.
pub trait Observed {
    /// Identity of the utterance, speaker and session, as in [`Observation`].
    fn keys(&self) -> (&str, Option<&str>, Option<&str>);
}

impl Observed for Observation<'_> {
    fn keys(&self) -> (&str, Option<&str>, Option<&str>) {
        (self.utterance, self.speaker, self.session)
    }
}
