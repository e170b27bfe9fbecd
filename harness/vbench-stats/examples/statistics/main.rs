//! Prints the simulation table of `reports/statistics.md`: `cargo xtask statistics [--sets N]` calls it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints a report")]

mod experiments;
mod population;

use std::process::ExitCode;

use experiments::{GATES, GateShares, INTERVALS, SEED, Share, TESTS, coverage, false_positives, gate, peeking};
use population::Population;

/// Sets of a published table unless asked otherwise.
const SETS: usize = 4_000;
/// Difference of rates that the simulated gate accepts.
const MARGIN: f64 = 0.005;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let sets = match arguments.as_slice() {
        [] => Some(SETS),
        [flag, n] if flag == "--sets" => n.parse().ok().filter(|n| *n > 0),
        _ => None,
    };
    let Some(sets) = sets else {
        eprintln!("usage: statistics [--sets N], N at least 1");
        return ExitCode::from(2);
    };
    let mut page = Page { text: String::new(), required: Vec::new(), broken: Vec::new(), sets };
    page.intervals();
    page.tests();
    page.gates();
    print!(
        "{}\n## What is required, and whether it holds\n\n{}\n\n{}",
        page.introduction(),
        page.required.join("\n"),
        page.text
    );
    for line in &page.broken {
        eprintln!("does not hold: {line}");
    }
    if page.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Page {
    /// Tables and what to make of them.
    text: String,
    /// A line for each requirement.
    required: Vec<String>,
    /// Requirements that do not hold.
    broken: Vec<String>,
    sets: usize,
}

/// "94.3 ± 0.4".
fn percent(share: Share) -> String {
    format!("{:.1} ± {:.1}", 100.0 * share.value(), 100.0 * share.standard_error())
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        self.line(&format!("| {} |", head.join(" | ")));
        self.line(&format!("|{}", " --- |".repeat(head.len())));
        for row in rows {
            self.line(&format!("| {} |", row.join(" | ")));
        }
        self.line("");
    }

    /// States a requirement and whether the simulation meets it.
    fn require(&mut self, what: &str, share: Share, least: f64, most: f64) {
        let holds = (least..=most).contains(&share.value());
        let bounds = if most >= 1.0 {
            format!("at least {:.0} %", 100.0 * least)
        } else if least <= 0.0 {
            format!("at most {:.0} %", 100.0 * most)
        } else {
            format!("{:.0} to {:.0} %", 100.0 * least, 100.0 * most)
        };
        let verdict = if holds { "holds" } else { "DOES NOT HOLD" };
        self.required.push(format!("- {what}: {} %, required {bounds}: **{verdict}**", percent(share)));
        if !holds {
            self.broken.push(format!("{what}: {} %, required {bounds}", percent(share)));
        }
    }

    fn introduction(&self) -> String {
        let sets = self.sets;
        format!(
            "# Statistics, tried on made-up corpora

Made by `cargo xtask statistics --sets {sets}` (seed {SEED}; the same bytes on every machine and for every number of
threads). A corpus whose truth is known is drawn {sets} times for each line, and it is counted how often an interval
holds the truth and how often a test or a gate is wrong. **±** is the Monte-Carlo standard error of the figure itself,
in the same unit.

## The corpora

Speakers differ: each has a log-normal factor on the error rate, with the log-sd given in the tables. Utterances have
1 to 60 words (log-normal, median 10, log-sd 0.6) and a log-normal factor of their own (log-sd 0.5), so errors are
over-dispersed; given these they are Poisson. The true WER is 5 %. Where two systems are compared, 60 % of the errors
are made by both together, and each speaker has a factor for each system: its log-sd is the *interaction*. All factors
have mean 1, so two systems without a true difference have none, although each is better for some speakers. The code is
`harness/vbench-stats/examples/statistics/population.rs`.
"
        )
    }

    fn intervals(&mut self) {
        self.line("## Does a 95 % interval hold the truth in 95 % of the corpora?\n");
        let mut rows = Vec::new();
        let mut defaults = Vec::new();
        for (speakers, spread) in [(40, 0.5), (40, 1.0), (10, 0.5), (10, 1.0)] {
            let population = Population { speakers, speaker: spread, ..Population::default() };
            let shares = coverage(&population, &format!("{speakers} {spread}"), self.sets);
            defaults.push(shares[0]);
            let mut row = vec![format!("{speakers} x 65"), format!("{spread:.1}")];
            row.extend(shares.iter().enumerate().map(|(i, s)| emphasised(percent(*s), i == 0)));
            rows.push(row);
        }
        let mut head = vec!["speakers x utterances", "log-sd of speakers"];
        head.extend(INTERVALS);
        self.line("Corpora, in %, whose interval of the WER holds the true WER:\n");
        self.table(&head, &rows);
        self.require("Default interval at 40 speakers, log-sd 0.5", defaults[0], 0.93, 0.97);
        self.require("Default interval at 10 speakers, log-sd 0.5", defaults[2], 0.90, 1.0);
        self.line(
            "The default from 20 speakers on is BCa over speakers at Hesterberg's expanded level (`bca-expanded`), under 20 the wider
of plain BCa and the linearised interval with t(S-1). With a log-sd of 1.0 a few speakers carry most of the errors, and
a sample that misses them cannot know: no interval made from the sample alone gets to 95 % there. The utterance
bootstrap takes the utterances of a speaker for independent and misses the truth in half of the corpora or more; vbench
falls back on utterances only where fewer than six speakers or sessions are known, and says so beside the figure.
",
        );
    }

    fn tests(&mut self) {
        self.line("## Does a test find differences that are not there?\n");
        let mut rows = Vec::new();
        let mut defaults = Vec::new();
        for (speakers, interaction) in [(40, 0.0), (40, 0.15), (40, 0.3), (10, 0.15), (10, 0.3)] {
            let population = Population { speakers, interaction, ..Population::default() };
            let shares = false_positives(&population, &format!("{speakers} {interaction}"), self.sets);
            let mut row = vec![format!("{speakers} x 65"), format!("{interaction:.2}")];
            row.extend(shares.iter().enumerate().map(|(i, s)| emphasised(percent(*s), i == 0)));
            rows.push(row);
            defaults.push((format!("{speakers} speakers, interaction {interaction:.2}"), shares[0]));
        }
        let mut head = vec!["speakers x utterances", "interaction"];
        head.extend(TESTS);
        self.line("Corpora without a true difference, in %, where it is found at the 5 % level (should be 5):\n");
        self.table(&head, &rows);
        for (what, share) in &defaults[1..] {
            self.require(&format!("Default test at {what}"), *share, 0.03, 0.07);
        }
        self.line(
            "The sign-flip test over speakers decides; the interval is shown beside it and is a little less exact. A test over
utterances answers a narrower question (\"on these speakers\") and is wrong as soon as it is read as an answer about
speakers in general.
",
        );
    }

    fn gates(&mut self) {
        self.line("## Is the gate wrong, and what does stopping early save?\n");
        self.line(&format!(
            "Non-inferiority at a margin of {:.1} points of WER, one-sided 5 % for each verdict; 30 utterances a speaker,
log-sd 0.5, interaction 0.15. The speakers arrive in random order, the sequential gates look after each one from the
sixth on. Three truths: the second system is as good, worse by exactly the margin (the worst case of both errors:
`pass` and `regressed` may each come in 5 % at most), or worse by three times the margin. What is missing to 100 % is
`inconclusive`. *Run* is the mean share of the speakers that was run before the verdict; the rest was saved.
",
            100.0 * MARGIN
        ));
        let mut rows = Vec::new();
        let mut worst: [Option<(Share, String)>; 3] = [None, None, None];
        for speakers in [18, 36, 72] {
            let base = Population { speakers, utterances: 30, interaction: 0.15, ..Population::default() };
            let truths = [0.0, 1.0, 3.0].map(|times| {
                let population = Population { ratio: 1.0 + times * MARGIN / base.error_rate, ..base };
                (population, format!("{speakers} {times}"))
            });
            let found = truths.clone().map(|(p, name)| gate(&p, MARGIN, &name, self.sets));
            for (k, procedure) in GATES.iter().enumerate() {
                rows.push(gate_row(speakers, procedure, [found[0][k], found[1][k], found[2][k]]));
                for (verdict, share) in [("pass", found[1][k].pass), ("regressed", found[1][k].regressed)] {
                    if worst[k].as_ref().is_none_or(|(other, _)| other.count < share.count) {
                        worst[k] = Some((share, format!("`{verdict}` with {speakers} speakers")));
                    }
                }
            }
            if speakers == 36 {
                let found = truths.map(|(p, name)| peeking(&p, MARGIN, &name, self.sets));
                rows.push(gate_row(speakers, "fixed test, looked at after every speaker (wrong)", found));
            }
        }
        let head = [
            "speakers",
            "procedure",
            "as good: pass",
            "run",
            "at the margin: pass",
            "regressed",
            "run",
            "3 x margin: regressed",
            "pass",
            "run",
        ];
        self.table(&head, &rows);
        for (procedure, worst) in GATES.iter().zip(worst) {
            if let Some((share, place)) = worst {
                self.require(&format!("Gate, {procedure}: largest error at the margin ({place})"), share, 0.0, 0.07);
            }
        }
        self.line(
            "The gate's test assumes that a speaker's excess over the margin is as likely to have either sign. At a margin other than
zero that is not quite so (speakers with many errors have the large differences), hence errors a little off 5 %. With
O'Brien-Fleming spending the sequential gate decides nearly as often as the fixed one; Pocock spending stops earlier and
decides less often. Looking at the fixed test until it says something is wrong several times as often as it claims.",
        );
    }
}

fn gate_row(speakers: usize, procedure: &str, [good, margin, worse]: [GateShares; 3]) -> Vec<String> {
    let run = |shares: GateShares| format!("{:.0}", 100.0 * shares.used);
    vec![
        speakers.to_string(),
        procedure.to_owned(),
        percent(good.pass),
        run(good),
        percent(margin.pass),
        percent(margin.regressed),
        run(margin),
        percent(worse.regressed),
        percent(worse.pass),
        run(worse),
    ]
}

fn emphasised(text: String, yes: bool) -> String {
    if yes { format!("**{text}**") } else { text }
}
