//! The `vbench` command line: parses arguments, calls one command, prints its outcome, exits with the documented code.
//!
//! ```text
//! cli.rs        arguments and `--help`
//! pipeline.rs   the run on one screen: load, expand, run, score, aggregate, render
//! open.rs       the one match from ModelSpec to Box<dyn Model>
//! score.rs      stored rows -> scored cells
//! side.rs       run folders and goldens as sides of a comparison
//! pairs.rs      a file of pairs as a side of a comparison
//! record.rs     run.json and run ids
//! render.rs     summary + rows -> what a report shows
//! clips.rs      the audio of cells, made again for players and exports
//! export.rs     the hardest cells as a folder to listen through
//! outputs.rs    the formats of a report, written into one folder
//! counting.rs   the allocator, counted while a bench asks for it
//! progress.rs   progress with ETA on stderr
//! interrupt.rs  Ctrl-C
//! failure.rs    message + exit code
//! commands/     suite, models, data, degrade, measure, reproduce, conditions, report, score, compare, gate, golden, sequential,
//!               comparison_page, history, bench, audit
//! ```

mod analysis;
mod cells;
mod cli;
mod clips;
mod commands;
mod counting;
mod export;
mod failure;
mod interrupt;
mod open;
mod outputs;
mod pairs;
mod pipeline;
mod progress;
mod record;
mod render;
mod score;
mod side;
mod side_by_side;
mod suite_clips;

use clap::Parser as _;

use crate::cli::{Cli, Command};
use crate::failure::Failure;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

fn main() -> std::process::ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // clap prints help and usage errors itself and knows which stream; usage errors exit with 2, as documented.
        Err(e) => e.exit(),
    };
    let outcome = match cli.command {
        Command::Run(arguments) => pipeline::run(&arguments),
        Command::Report(arguments) => commands::report::report(&arguments),
        Command::Bench(arguments) => commands::bench::bench(&arguments),
        Command::Audit(arguments) => commands::audit::audit(&arguments),
        Command::Score(arguments) => commands::score::score(&arguments),
        Command::Degrade(arguments) => commands::degrade::degrade(&arguments),
        Command::Reproduce(arguments) => commands::reproduce::reproduce(&arguments),
        Command::Measure(arguments) => commands::measure::measure(&arguments),
        Command::Conditions(arguments) => commands::conditions::conditions(&arguments),
        Command::Compare(arguments) => commands::compare::compare(&arguments),
        Command::Gate(arguments) => commands::gate::gate(&arguments),
        Command::Golden(command) => commands::golden::golden(&command),
        Command::Suite(command) => commands::suite::suite(&command),
        Command::Models(command) => commands::models::models(&command),
        Command::Data(command) => commands::data::data(&command),
    };
    match outcome {
        Ok(code) => std::process::ExitCode::from(code as u8),
        Err(Failure { code, message }) => {
            failure::print_error(&message);
            std::process::ExitCode::from(code as u8)
        }
    }
}
