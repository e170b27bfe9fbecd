//! The terminal's table: width, wide scripts, colours.

mod fixture;

use unicode_width::UnicodeWidthStr as _;
use vbench_compare::Summary;
use vbench_report::terminal_table;

const MODEL: &str = "whisper-tiny.en";

/// Names of which characters take two columns, one, or none.
const WIDE: [&str; 4] =
    ["東京の騒がしい駅前で録音した音声の条件の名前", "తెలుగు క్\u{200d}ష", "हिन्दी शोर", "e\u{301}tude ＦＵＬＬ"];

fn with_wide_names(models: &[(&str, f64)]) -> Summary {
    let mut s = fixture::summary(models);
    for (i, x) in s.strata.iter_mut().filter(|x| x.by == "condition").enumerate() {
        x.value = WIDE[i % WIDE.len()].into();
    }
    s
}

fn widest(text: &str) -> usize {
    text.lines().map(str::width).max().unwrap_or(0)
}

#[test]
fn the_table_fits_80_100_and_160_columns() {
    let two = [(MODEL, 1.0), ("faster-whisper-large-v3-turbo-int8", 0.6)];
    let mut cer = fixture::summary(&two);
    cer.primary = "cer".into();
    let mut absent = fixture::summary(&two);
    absent.absent = (0..20).map(|i| format!("corpus-{i}")).collect();
    let summaries = [
        ("one model", fixture::summary(&[(MODEL, 1.0)])),
        ("two models", fixture::summary(&two)),
        ("wide names", with_wide_names(&[(MODEL, 1.0)])),
        ("wide names, two models", with_wide_names(&two)),
        ("CER first", cer),
        ("absent corpora", absent),
    ];
    for (what, summary) in &summaries {
        for width in [80, 100, 120, 160] {
            let text = terminal_table(summary, width, false);
            assert!(widest(&text) <= width, "{what}: {} columns at width {width}:\n{text}", widest(&text));
            assert!(text.contains("S/D/I") && text.lines().any(|l| l.starts_with("coverage ")), "{text}");
            let first = if summary.primary == "cer" { "CER %" } else { "WER %" };
            assert!(text.contains(first), "{what}: the suite's first rate is always there:\n{text}");
        }
    }
    // One model fits half a screen too.
    assert!(widest(&terminal_table(&summaries[0].1, 60, false)) <= 60);
    let narrow = terminal_table(&summaries[0].1, 80, false);
    assert!(narrow.contains("no room for SNR") && narrow.contains("summary.json has them"), "{narrow}");
    assert!(!terminal_table(&summaries[0].1, 160, false).contains("no room for"));
    insta::assert_snapshot!("terminal_80", narrow);
}

#[test]
fn of_many_speakers_the_hardest_are_shown_and_the_rest_is_counted() {
    let mut summary = fixture::summary(&[(MODEL, 1.0)]);
    let of_speaker = summary.strata.iter().position(|s| s.by == "speaker").expect("a speaker");
    let one = summary.strata[of_speaker].clone();
    summary.strata.retain(|s| s.by != "speaker");
    for i in 0..300 {
        let mut stratum = one.clone();
        (stratum.value, stratum.wer.value) = (format!("s{i:03}"), f64::from(i) / 1000.0);
        summary.strata.push(stratum);
    }
    let text = terminal_table(&summary, 120, false);
    assert!(text.contains("s299") && text.contains("s250") && !text.contains("s249"), "{text}");
    assert!(text.contains("250 more by speaker"), "{text}");
}

/// Numbers of one column end at one place, whatever script the names before them are in.
#[test]
fn columns_stay_aligned_behind_wide_names() {
    let text = terminal_table(&with_wide_names(&[(MODEL, 1.0)]), 160, false);
    let ends: Vec<usize> = text
        .lines()
        .filter(|l| l.contains(" 702  "))
        .map(|l| l[..l.find(" 702  ").expect("the words")].width())
        .collect();
    assert!(ends.len() > 10 && ends.windows(2).all(|w| w[0] == w[1]), "{ends:?}\n{text}");
    assert!(text.contains("東京の騒がしい駅前で録音し…"), "a long name is cut at its columns:\n{text}");
}

/// Without its colours the text is the plain one: nothing is said by colour alone.
#[test]
fn colours_follow_the_verdict_and_add_nothing() {
    let mut gaps = fixture::summary(&[(MODEL, 1.0)]);
    let reverb = gaps.strata.iter_mut().find(|x| x.value == "reverb").expect("a stratum");
    (reverb.scored, reverb.failed) = (70, 2);
    (gaps.coverage.done, gaps.coverage.failed) = (574, 2);
    for (summary, last) in
        [(fixture::summary(&[(MODEL, 1.0)]), "\x1b[32mcoverage 100.00 %"), (gaps, "\x1b[1;31mcoverage 99.65 %")]
    {
        for width in [80, 120] {
            let (plain, coloured) = (terminal_table(&summary, width, false), terminal_table(&summary, width, true));
            assert!(!plain.contains('\x1b'), "{plain:?}");
            assert!(coloured.lines().last().is_some_and(|l| l.starts_with(last)), "{coloured:?}");
            let mut stripped = String::new();
            for part in coloured.split('\x1b') {
                stripped += part.strip_prefix('[').and_then(|p| p.split_once('m')).map_or(part, |(_, text)| text);
            }
            assert_eq!(stripped, plain);
            let missing = coloured.lines().any(|l| l.starts_with("\x1b[33m  reverb"));
            assert_eq!(missing, summary.coverage.failed > 0, "{coloured}");
            assert_eq!(plain.contains("scored cells only: condition reverb (70 of 72)"), missing, "{plain}");
        }
    }
}
