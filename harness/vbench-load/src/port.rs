//! The seam to the system under test.

use crate::ledger::Stage;

/// Nanoseconds since the bench began, on one monotonic clock.
pub type Ns = u64;

/// What the engine asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// One whole clip.
    Whole {
        /// Of the request.
        id: u64,
        /// Which clip.
        sample: usize,
    },
    /// The next piece of a clip that is fed in real time.
    Chunk {
        /// Of the request.
        id: u64,
        /// Which clip.
        sample: usize,
        /// Number of the chunk, 0 opens the stream.
        index: u32,
        /// No more will follow.
        last: bool,
    },
    /// The user speaks again while the reply is being said.
    Interrupt {
        /// Of the request.
        id: u64,
    },
    /// The answer is not awaited any more.
    Abandon {
        /// Of the request.
        id: u64,
    },
}

/// What came back, when.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Of the request.
    pub id: u64,
    /// When, as the answering side stamped it.
    pub at: Ns,
    /// What.
    pub what: What,
}

/// Kinds of replies.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A text that may still change.
    Partial(String),
    /// A text that will not change any more, while the answer is still being made.
    Settled(String),
    /// A piece of a reply's text.
    Token(String),
    /// A stretch of sound was handed out: its length, and where in it the first audible sample lies, if any.
    Audio {
        /// Length of the stretch.
        length_ns: Ns,
        /// Offset of the first sample above the onset level.
        onset_ns: Option<Ns>,
    },
    /// The reply was broken off because the user speaks again.
    Stopped,
    /// The answer, and the stages that it went through.
    Final {
        /// The text.
        text: String,
        /// In any order.
        stages: Vec<Stage>,
    },
    /// No answer will come.
    Failed(String),
    /// As above, with what the answering side claims of it. [`crate::Workers`] takes these claims for the reply's own.
    Claimed {
        /// The request it belongs to, when another than the one that is being worked on.
        id: Option<u64>,
        /// When it was made, when not now.
        at: Option<Ns>,
        /// What.
        what: Box<What>,
    },
}

impl Reply {
    /// What was made for request `id` at `at`, unless it claims otherwise.
    #[must_use]
    pub fn made(id: u64, at: Ns, what: What) -> Self {
        match what {
            What::Claimed { id: claimed, at: stamped, what } => {
                Self { id: claimed.unwrap_or(id), at: stamped.unwrap_or(at), what: *what }
            }
            what => Self { id, at, what },
        }
    }
}

/// Sends commands and waits for replies, on its own clock: a real one, or a simulated one.
pub trait Port {
    /// The time.
    fn now(&mut self) -> Ns;

    /// Hands over a command; must not wait for its answer.
    fn send(&mut self, command: Command);

    /// Waits for a reply until the time is `until`; `None` when none came.
    fn receive(&mut self, until: Ns) -> Option<Reply>;

    /// Whether the bench is to end now, whatever is under way. Then [`Port::receive`] may return early.
    fn stopped(&self) -> bool {
        false
    }
}
