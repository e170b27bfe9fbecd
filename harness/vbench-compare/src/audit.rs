//! Audits of a timed model: do its times and its texts mean what they seem to mean?
//!
//! Each audit presents the same clips in two ways that an honest recogniser cannot tell apart, or in a way in which it cannot
//! do well, and states what it compared, the figure and the limit. An audit that fails names a fact; why it is so, and
//! whether it was meant, is for people to find out. An audit that passes proves no more than its sentence says.

use vbench_core::Estimate;
use vbench_score::{Normalizer, ScoreError, Weights, score_pair};
use vbench_stats::special::binomial_sf;
use vbench_stats::{PairedComparison, PairedObservation, Plan, choose_paired_unit, compare_paired};

/// How audits judge.
#[derive(Debug, Clone)]
pub struct AuditRules {
    /// Normaliser of the texts that are compared and scored.
    pub normalizer: Normalizer,
    /// Alignment weights.
    pub weights: Weights,
    /// Level, resamples and seed of the intervals.
    pub plan: Plan,
    /// Texts may differ while the WER difference is shown to stay within this (0.005: half a point) either way.
    pub max_difference: f64,
    /// A repeat is faster when it saves at least this share of the first hearing's time …
    pub min_saving: f64,
    /// … and at least this many nanoseconds, below which the instrument and not the model is timed.
    pub min_saving_ns: u64,
    /// Level of the test for caching: how often an honest model may fail it.
    pub cache_level: f64,
    /// Wrong references must raise WER by more than this (0.1: ten points); a model fails when they lower it.
    pub min_rise: f64,
    /// At most this share of texts may come back from silence.
    pub max_from_silence: f64,
}

impl AuditRules {
    /// The limits of `vbench audit`.
    #[must_use]
    pub fn new(normalizer: Normalizer, weights: Weights, seed: u64) -> Self {
        Self {
            normalizer,
            weights,
            plan: Plan::new(seed),
            max_difference: 0.005,
            min_saving: 0.1,
            min_saving_ns: 50_000,
            cache_level: 0.01,
            min_rise: 0.1,
            max_from_silence: 0.1,
        }
    }
}

/// A clip that is presented in several ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditClip {
    /// `corpus/id`.
    pub utterance: String,
    /// Who speaks, if known.
    pub speaker: Option<String>,
    /// Recording session, if known.
    pub session: Option<String>,
    /// What is said.
    pub reference: String,
}

/// What a model made of every clip, in the order of the clips; `None` for no answer.
pub type Texts<'a> = &'a [Option<String>];

/// Which audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditName {
    /// The timed run says the same as the accuracy run.
    Timed,
    /// Clips that come again are not answered faster.
    Repeats,
    /// Another order gives the same texts.
    Order,
    /// Other names and no metadata give the same texts.
    Names,
    /// Wrong references raise WER, also when the model is handed them.
    References,
    /// Silence does not give the texts.
    Silence,
}

impl AuditName {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 6] = [Self::Timed, Self::Repeats, Self::Order, Self::Names, Self::References, Self::Silence];

    /// The name in outputs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Timed => "timed-accuracy",
            Self::Repeats => "repeats",
            Self::Order => "order",
            Self::Names => "names",
            Self::References => "references",
            Self::Silence => "silence",
        }
    }

    /// What is compared, and what that shows.
    #[must_use]
    pub fn tests(self) -> &'static str {
        match self {
            Self::Timed => {
                "texts of a run back to back under the load generator against those of a run at leisure: speed was not \
                 bought with accuracy"
            }
            Self::Repeats => {
                "each clip's first hearing against its second, in turn: a time measured on clips that come again is a time \
                 for new ones"
            }
            Self::Order => "texts of another order of the same clips: no answer depends on what came before",
            Self::Names => {
                "texts under other ids, without speaker, session, tags and file name (the language stays): no answer is \
                 looked up by name"
            }
            Self::References => {
                "every model call got the reference of another clip, and its texts were scored against those and the right \
                 ones: the model does not read the references it is handed, and the score tells right from wrong. It does not \
                 show that the model was not trained on these clips"
            }
            Self::Silence => {
                "the same ids and lengths with the sound taken out: the texts come from the sound. It does not show that the \
                 model was not trained on these clips"
            }
        }
    }
}

/// How an audit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditVerdict {
    /// What was to be shown is shown.
    Passed,
    /// The opposite is shown, or a difference that was not to be there is.
    Failed,
    /// Too few clips, or too much noise.
    Inconclusive,
}

/// One audit.
#[derive(Debug, Clone, PartialEq)]
pub struct Audit {
    /// Which.
    pub name: AuditName,
    /// How it ended.
    pub verdict: AuditVerdict,
    /// What it found.
    pub found: AuditFound,
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq)]
pub enum AuditFound {
    /// Two sets of texts that should be the same.
    Texts(SameTexts),
    /// Times of first and second hearings.
    Times(RepeatTimes),
    /// Scores against right and wrong references.
    References(WrongReferences),
    /// Texts made of silence.
    Silence(FromSilence),
}

/// Two sets of texts that should be the same.
#[derive(Debug, Clone, PartialEq)]
pub struct SameTexts {
    /// Clips compared.
    pub clips: usize,
    /// Clips left out: sampled texts, whose draws follow the names that were changed.
    pub sampled: usize,
    /// Clips whose texts differ after normalising, or that have only one.
    pub differing: usize,
    /// The first of them: (utterance, accuracy run, other run).
    pub example: Option<(String, Option<String>, Option<String>)>,
    /// WER of the accuracy run, of the other, and their difference; absent while no text differs.
    pub wer: Option<(f64, f64, Estimate)>,
    /// Limit of the difference, either way.
    pub max_difference: f64,
}

/// Times of first and second hearings of the same clips.
#[derive(Debug, Clone, PartialEq)]
pub struct RepeatTimes {
    /// Clips with both times.
    pub pairs: usize,
    /// Clips whose repeat was faster by more than the limit.
    pub repeat_faster: usize,
    /// Clips whose first hearing was faster by more than the limit: noise, which strikes both ways.
    pub first_faster: usize,
    /// Exact binomial p of "as often the one as the other".
    pub p: f64,
    /// Median of repeat / first.
    pub median_ratio: f64,
    /// With such noise on the others, a cache of so many of these clips would have failed; absent when not even one of all would.
    pub would_fail: Option<usize>,
    /// Level of the test.
    pub level: f64,
    /// Limit: share of the time saved.
    pub min_saving: f64,
    /// Limit: time saved, ns.
    pub min_saving_ns: u64,
}

/// Scores against right and wrong references.
#[derive(Debug, Clone, PartialEq)]
pub struct WrongReferences {
    /// Clips compared.
    pub clips: usize,
    /// Clips left out: their wrong reference says the same as the right one.
    pub same_reference: usize,
    /// WER against the right references.
    pub right: f64,
    /// WER against the wrong ones.
    pub wrong: f64,
    /// `wrong - right`.
    pub rise: Estimate,
    /// The rise must exceed this.
    pub min_rise: f64,
}

/// Texts made of silence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromSilence {
    /// Clips whose sound gave words.
    pub clips: usize,
    /// Of them, clips whose silence gave the same words.
    pub same: usize,
    /// At most so many.
    pub limit: usize,
}

/// Compares two sets of texts that should be the same; `sampled` marks clips to leave out.
///
/// Passes when they are the same after normalising, or when the interval of the WER difference lies within the limit.
///
/// # Errors
/// A text too long to align.
pub fn same_texts(
    name: AuditName,
    clips: &[AuditClip],
    accuracy: Texts<'_>,
    other: Texts<'_>,
    sampled: &[bool],
    rules: &AuditRules,
) -> Result<Audit, ScoreError> {
    let normal = |t: &Option<String>| t.as_ref().map(|t| rules.normalizer.normalize(t).into_owned());
    let used: Vec<usize> = (0..clips.len()).filter(|i| !sampled[*i]).collect();
    let differing: Vec<usize> = used.iter().copied().filter(|i| normal(&accuracy[*i]) != normal(&other[*i])).collect();
    let wer = if differing.is_empty() {
        None
    } else {
        let pairs = used.iter().map(|i| (*i, &accuracy[*i], &other[*i]));
        let c = compare(clips, pairs, rules, name.name())?;
        Some((c.a, c.b, c.difference))
    };
    let within =
        |e: &Estimate| e.ends().is_some_and(|(lo, hi)| lo >= -rules.max_difference && hi <= rules.max_difference);
    let verdict = match &wer {
        _ if used.is_empty() => AuditVerdict::Inconclusive,
        Some((_, _, difference)) if !within(difference) => AuditVerdict::Failed,
        _ => AuditVerdict::Passed,
    };
    let found = SameTexts {
        clips: used.len(),
        sampled: clips.len() - used.len(),
        differing: differing.len(),
        example: differing.first().map(|i| (clips[*i].utterance.clone(), accuracy[*i].clone(), other[*i].clone())),
        wer,
        max_difference: rules.max_difference,
    };
    Ok(Audit { name, verdict, found: AuditFound::Texts(found) })
}

/// WER of two sets of texts against the same references.
fn compare<'a>(
    clips: &[AuditClip],
    pairs: impl Iterator<Item = (usize, &'a Option<String>, &'a Option<String>)>,
    rules: &AuditRules,
    key: &str,
) -> Result<PairedComparison, ScoreError> {
    let mut observations = Vec::new();
    for (i, a, b) in pairs {
        let clip = &clips[i];
        // No answer is a text without words: every word of the reference is deleted.
        let words = |t: &Option<String>| {
            let text = t.as_deref().unwrap_or_default();
            score_pair(&clip.reference, text, &rules.normalizer, rules.weights).map(|s| s.words)
        };
        let (a, b) = (words(a)?, words(b)?);
        observations.push(PairedObservation {
            utterance: &clip.utterance,
            speaker: clip.speaker.as_deref(),
            session: clip.session.as_deref(),
            a: a.errors() as f64,
            b: b.errors() as f64,
            den: a.reference() as f64,
        });
    }
    Ok(compare_paired(&choose_paired_unit(&observations), &rules.plan, key))
}

/// Looks for a cache in the times (ns) of each clip's first and second hearing.
///
/// Without one, noise makes the repeat faster as often as the first hearing: among clips where one of the two is faster by more
/// than the limit, the number of faster repeats is binomial with 1/2 (McNemar's exact test, one-sided). It needs no assumption
/// on the noise but that it strikes both hearings alike, for which they must be interleaved.
#[must_use]
pub fn repeat_times(pairs: &[(u64, u64)], rules: &AuditRules) -> Audit {
    let saves = |slow: u64, fast: u64| {
        slow.saturating_sub(fast) > rules.min_saving_ns && (slow as f64 - fast as f64) > rules.min_saving * slow as f64
    };
    let repeat_faster = pairs.iter().filter(|(first, repeat)| saves(*first, *repeat)).count();
    let first_faster = pairs.iter().filter(|(first, repeat)| saves(*repeat, *first)).count();
    let p = |repeat: usize, first: usize| match repeat {
        0 => 1.0,
        k => binomial_sf(k as u64 - 1, (k + first) as u64, 0.5),
    };
    // Cached clips are faster whatever the noise, which strikes the rest as often one way as the other.
    let n = pairs.len();
    let with_cache = |m: usize| p(m + first_faster * (n - m) / n, (first_faster * (n - m)).div_ceil(n));
    let would_fail = (1..=n).find(|m| with_cache(*m) < rules.cache_level);
    let p = p(repeat_faster, first_faster);
    let mut ratios: Vec<f64> = pairs.iter().map(|(first, repeat)| *repeat as f64 / (*first).max(1) as f64).collect();
    ratios.sort_by(f64::total_cmp);
    let verdict = if p < rules.cache_level {
        AuditVerdict::Failed
    } else if would_fail.is_none() {
        AuditVerdict::Inconclusive
    } else {
        AuditVerdict::Passed
    };
    let found = RepeatTimes {
        pairs: n,
        repeat_faster,
        first_faster,
        p,
        median_ratio: vbench_stats::quantile::type7(&ratios, 0.5).unwrap_or(f64::NAN),
        would_fail,
        level: rules.cache_level,
        min_saving: rules.min_saving,
        min_saving_ns: rules.min_saving_ns,
    };
    Audit { name: AuditName::Repeats, verdict, found: AuditFound::Times(found) }
}

/// Scores texts against the right references and against wrong ones: clip `i` was handed the reference of clip `wrong[i]`, a
/// permutation. For each reference the text of its own clip stands beside that of the clip that was handed it.
///
/// # Errors
/// A text too long to align.
pub fn wrong_references(
    clips: &[AuditClip],
    texts: Texts<'_>,
    wrong: &[usize],
    rules: &AuditRules,
) -> Result<Audit, ScoreError> {
    let normal = |i: usize| rules.normalizer.normalize(&clips[i].reference);
    let used: Vec<usize> = (0..clips.len()).filter(|i| normal(*i) != normal(wrong[*i])).collect();
    let pairs = used.iter().map(|i| (wrong[*i], &texts[wrong[*i]], &texts[*i]));
    let c = compare(clips, pairs, rules, AuditName::References.name())?;
    // The same on every clip of enough: there is nothing to be unsure of.
    let exact = c.test.is_ok().then_some((c.difference.value, c.difference.value));
    let verdict = match c.difference.ends().or(exact) {
        Some((lo, _)) if lo > rules.min_rise => AuditVerdict::Passed,
        // Texts are nearer to the references that were handed than to what was said.
        Some((_, hi)) if hi < 0.0 => AuditVerdict::Failed,
        // Whoever hears few words right is hardly nearer to what was said than to anything else.
        _ => AuditVerdict::Inconclusive,
    };
    let found = WrongReferences {
        clips: used.len(),
        same_reference: clips.len() - used.len(),
        right: c.a,
        wrong: c.b,
        rise: c.difference,
        min_rise: rules.min_rise,
    };
    Ok(Audit { name: AuditName::References, verdict, found: AuditFound::References(found) })
}

/// Looks for texts that come back from silence. Clips whose sound gave no words say nothing either way.
#[must_use]
pub fn from_silence(accuracy: Texts<'_>, silent: Texts<'_>, rules: &AuditRules) -> Audit {
    let normal = |t: &Option<String>| t.as_ref().map(|t| rules.normalizer.normalize(t).trim().to_owned());
    let with_words = || accuracy.iter().zip(silent).filter(|(a, _)| normal(a).is_some_and(|t| !t.is_empty()));
    let clips = with_words().count();
    let same = with_words().filter(|(a, s)| normal(a) == normal(s)).count();
    let limit = (rules.max_from_silence * clips as f64) as usize;
    let verdict = match clips {
        0 => AuditVerdict::Inconclusive,
        _ if same > limit => AuditVerdict::Failed,
        _ => AuditVerdict::Passed,
    };
    Audit { name: AuditName::Silence, verdict, found: AuditFound::Silence(FromSilence { clips, same, limit }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clips(n: usize) -> Vec<AuditClip> {
        let clip = |i: usize| AuditClip {
            utterance: format!("c/u{i}"),
            speaker: None,
            session: None,
            reference: format!("alpha{i} beta{i} gamma{} delta", i * 7),
        };
        (0..n).map(clip).collect()
    }

    fn rules() -> AuditRules {
        AuditRules::new(Normalizer::None, Weights::Sclite, 3)
    }

    fn right(clips: &[AuditClip]) -> Vec<Option<String>> {
        clips.iter().map(|c| Some(c.reference.clone())).collect()
    }

    #[test]
    fn texts_pass_when_they_are_the_same_or_shown_to_be_as_good() {
        let clips = clips(600);
        let accuracy = right(&clips);
        let judge = |other: Texts<'_>, sampled: &[bool]| {
            same_texts(AuditName::Order, &clips, &accuracy, other, sampled, &rules()).expect("short texts")
        };
        let none = vec![false; 600];
        assert_eq!(judge(&accuracy, &none).verdict, AuditVerdict::Passed);
        // One word of 2,400 in each direction of a few clips: half a point is far.
        let mut other = accuracy.clone();
        for i in [3, 90, 401] {
            other[i] = Some(format!("other beta{i} gamma{} delta", i * 7));
        }
        let audit = judge(&other, &none);
        assert_eq!(audit.verdict, AuditVerdict::Passed, "{audit:?}");
        let AuditFound::Texts(found) = &audit.found else { panic!("texts") };
        assert_eq!((found.differing, found.example.as_ref().map(|e| e.0.as_str())), (3, Some("c/u3")));
        // The last word of every clip is missing: the same everywhere, no spread, and still a difference.
        for (text, clip) in other.iter_mut().zip(&clips) {
            *text = clip.reference.rsplit_once(' ').map(|t| t.0.to_owned());
        }
        assert_eq!(judge(&other, &none).verdict, AuditVerdict::Failed);
        assert_eq!(judge(&other, &vec![true; 600]).verdict, AuditVerdict::Inconclusive);
        // No answer is a difference, no answer twice is none.
        let mut silent = accuracy.clone();
        silent.iter_mut().take(60).for_each(|t| *t = None);
        assert_eq!(judge(&silent, &none).verdict, AuditVerdict::Failed);
        let twice = same_texts(AuditName::Order, &clips, &silent, &silent, &none, &rules()).expect("short");
        assert_eq!(twice.verdict, AuditVerdict::Passed);
    }

    fn times(pairs: &[(u64, u64)]) -> (AuditVerdict, RepeatTimes) {
        let audit = repeat_times(pairs, &rules());
        let AuditFound::Times(found) = audit.found else { panic!("times") };
        (audit.verdict, found)
    }

    const MS: u64 = 1_000_000;

    #[test]
    fn a_cache_is_seen_even_when_it_holds_a_third_and_the_machine_is_noisy() {
        let all: Vec<_> = (0..24).map(|i| (200 * MS + i, MS)).collect();
        let (verdict, found) = times(&all);
        assert_eq!((verdict, found.repeat_faster, found.would_fail), (AuditVerdict::Failed, 24, Some(7)));
        assert!((found.p - 0.5f64.powi(24)).abs() < 1e-12);
        let third: Vec<_> = (0..24).map(|i| (200 * MS, if i % 3 == 0 { MS } else { 201 * MS })).collect();
        assert_eq!(times(&third).0, AuditVerdict::Failed);
        // Noise of a factor of two either way, in turn: no cache is seen, and a whole one still would be.
        let noisy: Vec<_> = (0..24).map(|i| if i % 2 == 0 { (100, 200) } else { (200, 100) }).collect();
        let noisy: Vec<_> = noisy.iter().map(|(a, b)| (a * MS, b * MS)).collect();
        let (verdict, found) = times(&noisy);
        assert_eq!((verdict, found.first_faster, found.would_fail), (AuditVerdict::Passed, 12, Some(14)));
    }

    #[test]
    fn small_savings_are_no_cache_and_few_clips_decide_nothing() {
        // A twentieth faster, and a half faster within the instrument's own 50 us.
        assert_eq!(times(&[(200 * MS, 190 * MS); 24]).0, AuditVerdict::Passed);
        assert_eq!(times(&[(80_000, 40_000); 24]).0, AuditVerdict::Passed);
        assert_eq!(times(&[(200 * MS, 200 * MS); 6]).0, AuditVerdict::Inconclusive);
        assert_eq!(times(&[(200 * MS, MS); 6]).0, AuditVerdict::Inconclusive);
        assert_eq!(times(&[(200 * MS, MS); 7]).0, AuditVerdict::Failed);
        assert_eq!(times(&[]).0, AuditVerdict::Inconclusive);
    }

    /// How often an honest model fails: at most the level, whatever the noise.
    #[test]
    fn an_honest_model_fails_as_seldom_as_the_level_says() {
        use rand::Rng as _;
        let mut rng = vbench_core::keyed::keyed_rng(1, "audit test", "", "");
        let mut heavy = || {
            let u = (f64::from(rng.next_u32()) + 1.0) / 4_294_967_297.0;
            // Pareto with infinite variance: stalls of a shared machine.
            (50.0 * MS as f64 * u.powf(-0.7)) as u64
        };
        let runs = 4_000;
        let mut failed = 0;
        for _ in 0..runs {
            let pairs: Vec<(u64, u64)> = (0..24).map(|_| (heavy(), heavy())).collect();
            failed += usize::from(times(&pairs).0 == AuditVerdict::Failed);
        }
        // 0.01 at most (the test is discrete); 5 standard errors.
        assert!(
            (failed as f64) < 0.01 * f64::from(runs) + 5.0 * (0.0099 * f64::from(runs)).sqrt(),
            "{failed} of {runs}"
        );
    }

    #[test]
    fn a_model_that_follows_the_references_it_is_handed_fails() {
        let clips = clips(12);
        let wrong: Vec<usize> = (0..12).map(|i| (i + 5) % 12).collect();
        let judge = |texts: Texts<'_>| wrong_references(&clips, texts, &wrong, &rules()).expect("short texts");
        let honest = judge(&right(&clips));
        assert_eq!(honest.verdict, AuditVerdict::Passed, "{honest:?}");
        let AuditFound::References(found) = &honest.found else { panic!("references") };
        assert_eq!((found.right, found.wrong, found.clips), (0.0, 0.75, 12));
        let peeked: Vec<Option<String>> = wrong.iter().map(|w| Some(clips[*w].reference.clone())).collect();
        assert_eq!(judge(&peeked).verdict, AuditVerdict::Failed);
        // One text for everything: the score cannot tell.
        assert_eq!(judge(&vec![Some("delta".into()); 12]).verdict, AuditVerdict::Inconclusive);
        // Nothing to tell apart.
        let same: Vec<AuditClip> = clips.iter().map(|c| AuditClip { reference: "x".into(), ..c.clone() }).collect();
        let audit = wrong_references(&same, &right(&same), &wrong, &rules()).expect("short texts");
        assert_eq!(audit.verdict, AuditVerdict::Inconclusive);
    }

    #[test]
    fn a_bad_recogniser_does_not_follow_wrong_references() {
        let clips = clips(60);
        let wrong: Vec<usize> = (0..60).map(|i| (i + 5) % 60).collect();
        // One word of four right in every fourth clip, and no word of the reference that it was handed.
        let heard = |i: usize| if i.is_multiple_of(4) { format!("alpha{i} x y z") } else { "v x y z".to_owned() };
        let texts: Vec<Option<String>> = (0..60).map(|i| Some(heard(i))).collect();
        let audit = wrong_references(&clips, &texts, &wrong, &rules()).expect("short texts");
        let AuditFound::References(found) = &audit.found else { panic!("references") };
        assert!(found.rise.ends().is_some_and(|(lo, hi)| lo > 0.0 && hi <= found.min_rise), "{found:?}");
        assert_eq!(audit.verdict, AuditVerdict::Inconclusive, "{found:?}");
    }

    #[test]
    fn texts_that_come_from_silence_fail() {
        let accuracy = right(&clips(20));
        let mut silent = vec![Some(String::new()); 20];
        assert_eq!(from_silence(&accuracy, &silent, &rules()).verdict, AuditVerdict::Passed);
        silent[..2].clone_from_slice(&accuracy[..2]);
        assert_eq!(from_silence(&accuracy, &silent, &rules()).verdict, AuditVerdict::Passed);
        silent[2].clone_from(&accuracy[2]);
        assert_eq!(from_silence(&accuracy, &silent, &rules()).verdict, AuditVerdict::Failed);
        assert_eq!(from_silence(&silent[3..], &silent[3..], &rules()).verdict, AuditVerdict::Inconclusive);
    }
}
