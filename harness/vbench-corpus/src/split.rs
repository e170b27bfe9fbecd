//! Dividing a corpus: splits without common speakers or sessions, and samples that keep the shares of strata.
//!
//! Every choice is a hash of seed and name, so it depends on nothing else: not on order, not on what else is there.

use std::collections::{BTreeMap, HashMap};

use vbench_core::Utterance;
use vbench_core::hash::sha256_hex;

/// A number in [0, 1) that depends on the seed, what it is for, and a name.
#[must_use]
pub fn place(seed: u64, purpose: &str, name: &str) -> f64 {
    let hash = sha256_hex(format!("{seed}\u{1f}{purpose}\u{1f}{name}").as_bytes());
    // 52 bits: exact in double precision.
    u64::from_str_radix(&hash[..13], 16).unwrap_or(0) as f64 / (1u64 << 52) as f64
}

/// Names of groups that must not be divided, one an utterance: utterances that share a speaker or a session, directly or over
/// others, are one group; utterances without either are groups of their own. A group is named by its smallest label.
#[must_use]
pub fn groups(utterances: &[Utterance]) -> Vec<String> {
    let mut labels: HashMap<String, usize> = HashMap::new();
    let mut parent: Vec<usize> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let mut number = |label: String, parent: &mut Vec<usize>, names: &mut Vec<String>| {
        *labels.entry(label.clone()).or_insert_with(|| {
            parent.push(parent.len());
            names.push(label);
            parent.len() - 1
        })
    };
    let mut of_utterance = Vec::with_capacity(utterances.len());
    for u in utterances {
        let label = |kind: &str, name: &str| format!("{kind}\u{1f}{}\u{1f}{name}", u.corpus);
        let speaker = u.speaker.as_deref().map(|s| number(label("speaker", s), &mut parent, &mut names));
        let session = u.session.as_deref().map(|s| number(label("session", s), &mut parent, &mut names));
        let one = match (speaker, session) {
            (Some(a), Some(b)) => {
                let (a, b) = (root(&mut parent, a), root(&mut parent, b));
                parent[a.max(b)] = a.min(b);
                a.min(b)
            }
            (Some(a), None) | (None, Some(a)) => a,
            (None, None) => number(label("utterance", &u.id), &mut parent, &mut names),
        };
        of_utterance.push(one);
    }
    let mut smallest: BTreeMap<usize, &str> = BTreeMap::new();
    for (i, name) in names.iter().enumerate() {
        let at = root(&mut parent, i);
        // Speakers give their name before sessions do: `speaker` comes behind `session` in the alphabet.
        let key = |n: &str| (!n.starts_with("speaker"), n.to_owned());
        let best = smallest.entry(at).or_insert(name);
        if key(name) < key(best) {
            *best = name;
        }
    }
    of_utterance.into_iter().map(|i| smallest[&root(&mut parent, i)].to_owned()).collect()
}

fn root(parent: &mut [usize], mut at: usize) -> usize {
    while parent[at] != at {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    at
}

/// The split of every utterance, as an index into `shares` (above 0; scaled to a sum of 1).
///
/// Without `stratum` a group goes where its hash falls: adding utterances or groups moves no other group, unless a new utterance
/// joins two groups; the shares are kept on average. With `stratum` (a name for each utterance; a group belongs to
/// that of most of its utterances) groups of a stratum are put in the order of their hashes and cut so that each
/// stratum keeps the shares of utterances as nearly as whole groups allow; new groups can then move those near a cut.
#[must_use]
pub fn split(utterances: &[Utterance], shares: &[f64], seed: u64, stratum: Option<&[String]>) -> Vec<usize> {
    let total: f64 = shares.iter().sum();
    let ends: Vec<f64> = shares
        .iter()
        .scan(0.0, |sum, share| {
            *sum += share / total;
            Some(*sum)
        })
        .collect();
    let last = shares.len().saturating_sub(1);
    let split_at = |at: f64| ends.iter().position(|end| at < *end).unwrap_or(last);
    let groups = groups(utterances);
    let Some(stratum) = stratum else {
        let mut known: HashMap<&str, usize> = HashMap::new();
        return groups.iter().map(|g| *known.entry(g).or_insert_with(|| split_at(place(seed, "split", g)))).collect();
    };
    let mut sizes: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for (group, name) in groups.iter().zip(stratum) {
        *sizes.entry(group).or_default().entry(name).or_default() += 1;
    }
    let mut strata: BTreeMap<&str, Vec<(f64, &str, usize)>> = BTreeMap::new();
    for (group, counts) in &sizes {
        let home = counts.iter().rev().max_by_key(|(_, n)| **n).map_or("", |(name, _)| name);
        strata.entry(home).or_default().push((place(seed, "split", group), group, counts.values().sum()));
    }
    let mut of_group: HashMap<&str, usize> = HashMap::new();
    for members in strata.values_mut() {
        members.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(b.1)));
        let all: usize = members.iter().map(|m| m.2).sum();
        let mut before = 0;
        for (_, group, size) in members {
            // Where the middle of the group falls.
            of_group.insert(group, split_at((before as f64 + 0.5 * *size as f64) / all as f64));
            before += *size;
        }
    }
    groups.iter().map(|g| of_group[g.as_str()]).collect()
}

/// The order in which a sample takes utterances: within a stratum by hash, strata in turn as their shares demand. The first `n` of it
/// are a sample of `n` that has each stratum's share to within one utterance, and a larger sample holds the smaller ones.
#[must_use]
pub fn sample_order(utterances: &[Utterance], seed: u64, stratum: &[String]) -> Vec<usize> {
    let mut members: BTreeMap<&str, Vec<(f64, usize)>> = BTreeMap::new();
    for (i, (u, name)) in utterances.iter().zip(stratum).enumerate() {
        let key = format!("{}/{}", u.corpus, u.id);
        members.entry(name).or_default().push((place(seed, "sample", &key), i));
    }
    // The k-th of m members stands at (k + 0.5) / m of the whole: every stretch of the order holds every stratum's share.
    let mut order: Vec<(f64, usize)> = Vec::with_capacity(utterances.len());
    for list in members.values_mut() {
        list.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let m = list.len() as f64;
        order.extend(list.iter().enumerate().map(|(k, (_, i))| ((k as f64 + 0.5) / m, *i)));
    }
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    order.into_iter().map(|(_, i)| i).collect()
}

/// The smallest number of utterances of an order that is enough; `None` where all of them are not. `enough` is asked with
/// reference words and clusters, and says yes to more of both when it says yes to fewer.
#[must_use]
pub fn smallest_enough(
    utterances: &[Utterance],
    order: &[usize],
    words: impl Fn(&str) -> u64,
    enough: impl Fn(u64, usize) -> bool,
) -> Option<usize> {
    let groups = groups(utterances);
    let mut seen = std::collections::HashSet::new();
    let mut total = 0;
    let sums: Vec<(u64, usize)> = order
        .iter()
        .map(|i| {
            total += words(&utterances[*i].text);
            seen.insert(groups[*i].as_str());
            (total, seen.len())
        })
        .collect();
    let at = sums.partition_point(|(words, clusters)| !enough(*words, *clusters));
    (at < sums.len()).then_some(at + 1)
}

/// The stratum of every utterance: the values of some properties (`speaker`, `session`, `language` or a tag), joined.
#[must_use]
pub fn strata(utterances: &[Utterance], properties: &[String]) -> Vec<String> {
    let value = |u: &Utterance, property: &str| match property {
        "speaker" => u.speaker.clone(),
        "session" => u.session.clone(),
        "language" => u.language.clone(),
        tag => u.tags.get(tag).cloned(),
    };
    let of = |u: &Utterance| {
        let values: Vec<String> = properties.iter().map(|p| value(u, p).unwrap_or_else(|| "none".into())).collect();
        values.join(", ")
    };
    utterances.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utterance(i: usize, speaker: Option<&str>, session: Option<&str>) -> Utterance {
        let own = |s: Option<&str>| s.map(str::to_owned);
        let tags = [("accent".to_owned(), ["te", "hi", "en"][i % 3].to_owned())].into();
        let text = "one two three".to_owned();
        Utterance {
            id: format!("u{i}"),
            speaker: own(speaker),
            session: own(session),
            text,
            tags,
            ..Utterance::default()
        }
    }

    fn corpus(n: usize) -> Vec<Utterance> {
        (0..n).map(|i| utterance(i, Some(&format!("s{}", i % 97)), Some(&format!("x{}", i % 97)))).collect()
    }

    #[test]
    fn speakers_and_sessions_stay_together_over_others_too() {
        let chain = [
            utterance(0, Some("a"), Some("1")),
            utterance(1, Some("b"), Some("1")),
            utterance(2, Some("b"), Some("2")),
            utterance(3, Some("c"), None),
            utterance(4, None, Some("2")),
            utterance(5, None, None),
        ];
        let found = groups(&chain);
        assert!([1, 2, 4].iter().all(|i| found[*i] == found[0]), "{found:?}");
        assert!(found[3] != found[0] && found[5] != found[0] && found[3] != found[5]);
    }

    #[test]
    fn adding_utterances_moves_no_other_and_shares_hold() {
        let whole = corpus(5000);
        let all = split(&whole, &[8.0, 1.0, 1.0], 7, None);
        let fewer: Vec<Utterance> = whole.iter().filter(|u| !u.id.ends_with('3')).cloned().collect();
        let some = split(&fewer, &[8.0, 1.0, 1.0], 7, None);
        let by_id: HashMap<&str, usize> = whole.iter().map(|u| u.id.as_str()).zip(all.iter().copied()).collect();
        assert!(fewer.iter().zip(&some).all(|(u, s)| by_id[u.id.as_str()] == *s));
        // 97 speakers: a share of 0.8 has a standard deviation of 0.04.
        let train = all.iter().filter(|s| **s == 0).count() as f64 / 5000.0;
        assert!((0.68..0.92).contains(&train), "{train}");
        let disjoint: HashMap<&str, usize> =
            whole.iter().zip(&all).map(|(u, s)| (u.speaker.as_deref().unwrap_or(""), *s)).collect();
        assert!(whole.iter().zip(&all).all(|(u, s)| disjoint[u.speaker.as_deref().unwrap_or("")] == *s));
        assert_ne!(split(&whole, &[8.0, 1.0, 1.0], 8, None), all, "another seed divides otherwise");
    }

    #[test]
    fn strata_keep_their_shares() {
        let whole: Vec<Utterance> = (0..900).map(|i| utterance(i, Some(&format!("s{}", i % 300)), None)).collect();
        let accents = strata(&whole, &["accent".into()]);
        let found = split(&whole, &[0.8, 0.2], 1, Some(&accents));
        for accent in ["te", "hi", "en"] {
            let of: Vec<usize> = found.iter().zip(&accents).filter(|(_, a)| *a == accent).map(|(s, _)| *s).collect();
            let share = of.iter().filter(|s| **s == 1).count() as f64 / of.len() as f64;
            assert!((share - 0.2).abs() < 0.011, "{accent}: {share}");
        }
    }

    #[test]
    fn samples_keep_shares_and_larger_ones_hold_smaller_ones() {
        let whole = corpus(1000);
        let accents = strata(&whole, &["accent".into()]);
        let order = sample_order(&whole, 3, &accents);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert!(sorted.iter().enumerate().all(|(i, at)| i == *at));
        for n in [3, 10, 100, 333] {
            for accent in ["te", "hi", "en"] {
                let share = accents.iter().filter(|a| *a == accent).count() as f64 / 1000.0;
                let count = order[..n].iter().filter(|i| accents[**i] == accent).count() as f64;
                assert!((count - share * n as f64).abs() <= 1.0, "{n} {accent}: {count}");
            }
        }
    }

    #[test]
    fn the_smallest_sample_is_the_smallest() {
        let whole = corpus(1000);
        let order = sample_order(&whole, 3, &strata(&whole, &[]));
        let words = |t: &str| t.split_whitespace().count() as u64;
        let n =
            smallest_enough(&whole, &order, words, |words, clusters| words >= 300 && clusters >= 6).expect("enough");
        assert_eq!(n, 100);
        assert_eq!(smallest_enough(&whole, &order, words, |words, _| words > 3000), None);
        assert_eq!(place(1, "a", "b"), place(1, "a", "b"));
        assert!((0..1000).map(|i| place(1, "a", &i.to_string())).sum::<f64>() / 1000.0 - 0.5 < 0.05);
    }
}
