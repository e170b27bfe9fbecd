//! An expected failure: what to tell the user and how to exit.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};

use vbench_core::ExitCode;
use vbench_model::SpecError;
use vbench_store::StoreError;
use vbench_suite::{ProblemClass, SelectionError, SuiteError};

/// What to tell the user and how to exit.
#[derive(Debug)]
pub struct Failure {
    /// Exit code.
    pub code: ExitCode,
    /// The whole message.
    pub message: String,
}

impl Failure {
    /// A failure of any kind.
    pub fn new(code: ExitCode, message: impl Display) -> Self {
        Self { code, message: message.to_string() }
    }
}

/// Writes a line to standard output. A closed pipe (`vbench … | head`) is not an error; anything else that loses output
/// ends the program with its exit code.
pub fn say(text: impl Display) {
    let mut out = std::io::stdout();
    if let Err(e) = writeln!(out, "{text}").and_then(|()| out.flush())
        && e.kind() != std::io::ErrorKind::BrokenPipe
    {
        print_error(&format!("cannot write to standard output: {e}"));
        std::process::exit(i32::from(ExitCode::OutputNotWritten as u8));
    }
}

/// Writes a line to standard error.
pub fn note(text: impl Display) {
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// Prints an error, red on a terminal.
pub fn print_error(message: &str) {
    let (on, off) = if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        ("\x1b[1;31m", "\x1b[0m")
    } else {
        ("", "")
    };
    note(format_args!("{on}error:{off} {message}"));
}

impl From<SuiteError> for Failure {
    fn from(e: SuiteError) -> Self {
        let code = match e.class() {
            ProblemClass::Suite => ExitCode::SuiteInvalid,
            ProblemClass::Data => ExitCode::InputInvalid,
            ProblemClass::Newer => ExitCode::StoreUnreadable,
        };
        Self::new(code, e)
    }
}

impl From<StoreError> for Failure {
    fn from(e: StoreError) -> Self {
        let code = if e.is_write() { ExitCode::OutputNotWritten } else { ExitCode::StoreUnreadable };
        Self::new(code, e)
    }
}

impl From<SelectionError> for Failure {
    fn from(e: SelectionError) -> Self {
        let code = match &e {
            SelectionError::Form(_) => ExitCode::Usage,
            SelectionError::NoMatch { .. } => ExitCode::NothingSelected,
        };
        Self::new(code, e)
    }
}

impl From<SpecError> for Failure {
    fn from(e: SpecError) -> Self {
        Self::new(ExitCode::SuiteInvalid, e)
    }
}
