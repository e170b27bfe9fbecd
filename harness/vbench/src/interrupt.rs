//! Ctrl-C: the first one ends what is under way in order, the second one ends the program. In a run the cells in progress are
//! finished and committed; a bench leaves what there is.

use std::sync::atomic::{AtomicBool, Ordering};

use vbench_core::ExitCode;
use vbench_load::{Command, Ns, Port, Reply};

/// Set by the first Ctrl-C.
pub static STOP: AtomicBool = AtomicBool::new(false);

/// Listens from now on.
pub fn listen() {
    // A handler can be set once per process; this is the only place that sets it.
    drop(ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(ExitCode::Incomplete as u8));
        }
    }));
}

/// Whether Ctrl-C was pressed.
pub fn stopped() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// How long a port on the real clock waits before it looks again, ns.
const LOOK: Ns = 200_000_000;

/// A port that ends a bench on Ctrl-C.
pub struct Interruptible<P> {
    /// What it passes everything to.
    pub port: P,
    /// Whether its clock is the real one.
    pub real: bool,
}

impl<P: Port> Port for Interruptible<P> {
    fn now(&mut self) -> Ns {
        self.port.now()
    }

    fn send(&mut self, command: Command) {
        self.port.send(command);
    }

    fn receive(&mut self, until: Ns) -> Option<Reply> {
        if !self.real {
            return self.port.receive(until);
        }
        loop {
            let soon = self.port.now().saturating_add(LOOK).min(until);
            let reply = self.port.receive(soon);
            if reply.is_some() || soon == until || stopped() {
                return reply;
            }
        }
    }

    fn stopped(&self) -> bool {
        stopped()
    }
}
