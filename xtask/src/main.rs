//! Developer commands: `cargo xtask test`, `tidy`, `statistics`, `golden`, `conditions`, `reports`, `bench`, `ci`.
#![expect(clippy::print_stderr, reason = "a developer tool talks to its terminal")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use clap::{Parser, Subcommand};
use xtask::{bench, browser, conditions, peers, reports, root, tidy};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Developer commands of vbench")]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Provision the peer tools in target/peers and target/browser, then run every test; skips are counted (a failure with CI=true)
    Test {
        /// Arguments for `cargo test`, e.g. `-p vbench-score`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Check the invariants of ARCHITECTURE.md that a machine can check
    Tidy,
    /// Simulate how often intervals hold and tests are wrong; writes reports/statistics.md
    Statistics {
        /// Simulated corpora for each line of the tables; under 2,000 a requirement may fail by chance
        #[arg(long, default_value_t = 4_000)]
        sets: usize,
    },
    /// Score the goldens' transcripts again, then run every suite that has a golden live and check it: minutes
    Golden,
    /// Put a sentence through every built-in condition and write docs/conditions.md with a spectrogram of each
    Conditions,
    /// Render reports/all, reports/tiny-en-vs-base and reports/latency again, from fresh runs unless runs are given
    Reports {
        /// Run of suites/all.toml to render
        #[arg(long, value_name = "DIR")]
        run: Option<PathBuf>,
        /// Run of suites/all.toml with whisper-base, to compare with it
        #[arg(long, value_name = "DIR")]
        base: Option<PathBuf>,
        /// Bench of whisper-tiny.en to render
        #[arg(long, value_name = "DIR")]
        bench: Option<PathBuf>,
    },
    /// Run the criterion benches of the hot crates, store the dated results in reports/bench and draw the trend: half an hour
    Bench {
        /// Fractions of a second for each benchmark: minutes, and wide intervals
        #[arg(long)]
        quick: bool,
        /// Only this crate (repeatable)
        #[arg(short, long = "package", value_name = "CRATE")]
        package: Vec<String>,
        /// Run nothing: draw the trend of what is stored
        #[arg(long, conflicts_with_all = ["quick", "package"])]
        draw: bool,
    },
    /// Format, lint, docs, deny, test: what must pass before a change lands
    Ci,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Task::Test { rest } => test(&rest),
        Task::Tidy => run_tidy(),
        Task::Statistics { sets } => statistics(sets),
        Task::Golden => golden(),
        Task::Conditions => told("conditions", conditions::write(&root())),
        Task::Reports { run, base, bench } => {
            let given = reports::Given { run: run.as_deref(), base: base.as_deref(), bench: bench.as_deref() };
            told("reports", reports::write(&root(), &given))
        }
        Task::Bench { draw: true, .. } => told("bench", bench::draw(&root())),
        Task::Bench { quick, package, .. } => {
            told("bench", bench::run(&root(), &bench::Options { quick, crates: package }))
        }
        Task::Ci => ci(),
    };
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn told(what: &str, done: Result<(), String>) -> bool {
    if let Err(problem) = &done {
        eprintln!("{what}: {problem}");
    }
    done.is_ok()
}

fn run_tidy() -> bool {
    let problems = tidy::check(&root());
    for problem in &problems {
        eprintln!("tidy: {problem}");
    }
    problems.is_empty()
}

/// The simulation is an example of `vbench-stats`; it fails when a requirement does not hold, and its page is written
/// all the same.
fn statistics(sets: usize) -> bool {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let arguments = ["run", "--release", "-p", "vbench-stats", "--example", "statistics", "--", "--sets"];
    let mut command = Command::new(program);
    command.args(arguments).arg(sets.to_string()).current_dir(root()).stderr(Stdio::inherit());
    let page = root().join("reports/statistics.md");
    match command.output() {
        Ok(done) if !done.stdout.is_empty() => match std::fs::write(&page, &done.stdout) {
            Ok(()) => done.status.success(),
            Err(e) => {
                eprintln!("cannot write {}: {e}", page.display());
                false
            }
        },
        Ok(_) => false,
        Err(e) => {
            eprintln!("cannot start cargo: {e}");
            false
        }
    }
}

/// The goldens as they are, then live. A run that is there already is continued, so that a second call is cheap after
/// an interruption; it is removed when it passed.
fn golden() -> bool {
    let vbench =
        |arguments: &[&str]| cargo(&[&["run", "--release", "--quiet", "-p", "vbench", "--"], arguments].concat(), &[]);
    let mut passed = vbench(&["golden", "check"]);
    let mut suites: Vec<String> = std::fs::read_dir(root().join("golden/runs"))
        .into_iter()
        .flatten()
        .filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned()))
        .collect();
    suites.sort();
    for suite in suites {
        let file = format!("suites/{suite}.toml");
        if !root().join(&file).exists() {
            eprintln!("golden of `{suite}`: there is no {file}; not run");
            continue;
        }
        let out = format!("target/golden/{suite}");
        let resumed = root().join(&out).join("run.json").exists();
        let ran = if resumed { vbench(&["run", "--resume", &out]) } else { vbench(&["run", &file, "--out", &out]) };
        let checked = ran && vbench(&["golden", "check", &out]);
        if checked && let Err(e) = std::fs::remove_dir_all(root().join(&out)) {
            eprintln!("cannot remove {out}: {e}");
        }
        passed &= checked;
    }
    passed
}

fn ci() -> bool {
    let deny = || peers::tool("cargo-deny");
    let steps: [(&str, &dyn Fn() -> bool); 5] = [
        ("format", &|| cargo(&["fmt", "--all", "--check"], &[])),
        ("lint", &|| cargo(&["clippy", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"], &[])),
        ("docs", &|| cargo(&["doc", "--release", "--workspace", "--no-deps"], &[("RUSTDOCFLAGS", "-D warnings")])),
        ("deny", &|| match deny() {
            Ok(program) => run(Command::new(program).args(["check", "bans", "licenses", "sources"])),
            Err(e) => {
                eprintln!("cargo-deny is not to be had: {e}");
                false
            }
        }),
        ("test", &|| test(&[])),
    ];
    let mut times = Vec::new();
    let mut passed = true;
    for (name, step) in steps {
        eprintln!("==> {name}");
        let began = Instant::now();
        let ok = step();
        times.push(format!("{name} {:.0} s{}", began.elapsed().as_secs_f64(), if ok { "" } else { " FAILED" }));
        eprintln!("==> {}", times.last().map_or("", String::as_str));
        passed &= ok;
        if !ok {
            break;
        }
    }
    eprintln!("ci: {}", times.join(", "));
    passed
}

fn test(rest: &[String]) -> bool {
    let peers = peers::provision();
    for line in &peers.report {
        eprintln!("{line}");
    }
    match browser::provision() {
        Ok(folder) => eprintln!("browser: playwright-core and axe-core in {}", folder.display()),
        Err(missing) => eprintln!("browser: not available: {missing}"),
    }
    let log = root().join("target/skipped.txt");
    if std::fs::write(&log, "").is_err() {
        eprintln!("cannot write {}", log.display());
        return false;
    }
    // Every failure, not the first alone.
    let mut arguments = vec!["test", "--release", "--no-fail-fast"];
    if !rest.iter().any(|a| a == "-p" || a == "--package") {
        arguments.push("--workspace");
    }
    arguments.extend(rest.iter().map(String::as_str));
    let log_text = log.to_string_lossy().into_owned();
    let mut environment = vec![("VBENCH_SKIP_LOG", log_text.as_str())];
    let python = peers.python.as_ref().map(|p| p.to_string_lossy().into_owned());
    if let Some(python) = &python {
        environment.push(("VBENCH_PEER_PYTHON", python));
    }
    let passed = cargo(&arguments, &environment);
    let skipped = std::fs::read_to_string(&log).unwrap_or_default();
    let count = skipped.lines().count();
    for line in skipped.lines() {
        eprintln!("{line}");
    }
    eprintln!("skipped tests: {count}");
    if count > 0 && std::env::var("CI").is_ok_and(|v| v == "true") {
        eprintln!("CI=true: a skipped test is a failure");
        return false;
    }
    passed
}

fn cargo(arguments: &[&str], environment: &[(&str, &str)]) -> bool {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    run(Command::new(program).args(arguments).envs(environment.iter().copied()))
}

fn run(command: &mut Command) -> bool {
    let folder: PathBuf = root();
    match command.current_dir(Path::new(&folder)).status() {
        Ok(status) => status.success(),
        Err(e) => {
            eprintln!("cannot start {command:?}: {e}");
            false
        }
    }
}
