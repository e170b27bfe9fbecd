//! Process exit codes, stable and documented.

/// What the process ends with. The lowest non-zero code wins when several apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExitCode {
    /// Everything passed.
    Passed = 0,
    /// A bug in vbench.
    Internal = 1,
    /// Bad command-line usage.
    Usage = 2,
    /// Suite or configuration invalid.
    SuiteInvalid = 3,
    /// Nothing selected.
    NothingSelected = 4,
    /// Model or data unavailable: fetch failed, sha256 differs, crash at start.
    Unavailable = 5,
    /// A planned cell without an outcome, a failed cell beyond `--allow-failed`, Ctrl-C.
    Incomplete = 6,
    /// Store unreadable or newer than this program.
    StoreUnreadable = 7,
    /// Output not written.
    OutputNotWritten = 8,
    /// Input data invalid.
    InputInvalid = 9,
    /// A gate, golden check or audit failed.
    GateFailed = 10,
    /// A gate could not decide.
    GateInconclusive = 11,
}
