//! Secondary tests, printed for the record: they take cells, sentences or segments as independent, which speech of one
//! speaker is not. The sign-flip test over clusters decides.

use vbench_stats::StatsError;
use vbench_stats::mapsswe::{mapsswe, segments};
use vbench_stats::secondary::{Zeros, mcnemar, paired_t, sign_test, wilcoxon_approximate};

use crate::pair::Pair;

/// One test over all shared cells.
#[derive(Debug, Clone, PartialEq)]
pub struct SecondaryTest {
    /// `paired t`, `Wilcoxon`, `sign`, `McNemar`, `MAPSSWE`.
    pub name: String,
    /// What one observation is, with their number: `288 cells`.
    pub over: String,
    /// Name and value of the statistic, and the two-sided p.
    pub result: Result<(String, f64, f64), StatsError>,
}

/// Paired t and Wilcoxon on the cells' WERs, the sign test on their errors, McNemar on sentences, MAPSSWE on segments.
///
/// Differences are of the second side less the first; MAPSSWE's z too.
#[must_use]
pub fn secondary_tests(pairs: &[Pair<'_>]) -> Vec<SecondaryTest> {
    let spoken: Vec<&Pair<'_>> = pairs.iter().filter(|p| p.a.scored.words.reference() > 0).collect();
    let rates: Vec<f64> =
        spoken.iter().filter_map(|p| Some(p.b.scored.words.rate()? - p.a.scored.words.rate()?)).collect();
    let errors: Vec<f64> =
        spoken.iter().map(|p| p.b.scored.words.errors() as f64 - p.a.scored.words.errors() as f64).collect();
    let right = |errors: u64| errors == 0;
    let only = |first: bool| {
        let alone = |p: &&&Pair<'_>| {
            let (a, b) = (right(p.a.scored.words.errors()), right(p.b.scored.words.errors()));
            if first { a && !b } else { b && !a }
        };
        spoken.iter().filter(alone).count() as u64
    };
    let over = format!("{} cells", spoken.len());
    let test = |name: &str, over: &str, result| SecondaryTest { name: name.into(), over: over.into(), result };
    let named = |statistic: &str, value: f64, p: f64| (statistic.to_owned(), value, p);
    let (only_a, only_b) = (only(true), only(false));
    vec![
        test("paired t", &over, paired_t(&rates).map(|t| named("t", t.statistic, t.p_two_sided))),
        test("Wilcoxon", &over, wilcoxon_approximate(&rates, Zeros::Drop, false).map(|w| named("W", w.statistic, w.p))),
        test("sign", &over, sign_test(&errors).map(|s| named("more errors", s.positive as f64, s.p_two_sided))),
        test(
            "McNemar",
            &format!("{} sentences that one side alone has right", only_a + only_b),
            Ok(named("right in A alone", only_a as f64, mcnemar(only_a, only_b).p_exact)),
        ),
        segment_test(&spoken),
    ]
}

fn segment_test(pairs: &[&Pair<'_>]) -> SecondaryTest {
    let found: Result<Vec<_>, StatsError> =
        pairs.iter().map(|p| segments(&p.b.outcome, &p.a.outcome)).collect::<Result<Vec<_>, _>>();
    let found = found.map(|list| list.concat());
    let count = found.as_ref().map_or(0, Vec::len);
    let result = found.and_then(|s| mapsswe(&s)).map(|m| ("z".to_owned(), m.z, m.p_two_sided));
    SecondaryTest { name: "MAPSSWE".into(), over: format!("{count} segments"), result }
}
