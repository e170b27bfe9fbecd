//! A system under test in this process, on worker threads and the real clock.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::port::{Command, Ns, Port, Reply, What};

/// The clock of a bench.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    began: Instant,
}

impl Clock {
    /// Begins now.
    #[must_use]
    pub fn start() -> Self {
        Self { began: Instant::now() }
    }

    /// Nanoseconds since it began.
    #[must_use]
    pub fn now(&self) -> Ns {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// What is measured. Calls come from several threads at once.
pub trait System: Send + Sync {
    /// Answers a whole clip: `emit` takes partial texts, sound and the answer, stamped when it is called.
    ///
    /// # Errors
    /// Why there is no answer.
    fn whole(&self, id: u64, sample: usize, clock: &Clock, emit: &mut dyn FnMut(What)) -> Result<(), String>;

    /// Opens a stream for a clip that is fed chunk by chunk.
    ///
    /// # Errors
    /// Why there is none, such as a model that cannot stream.
    fn open(self: Arc<Self>, id: u64, sample: usize) -> Result<Box<dyn Session>, String>;

    /// Something has come up for a request that may be being worked on. Called while its worker is busy; must not wait.
    fn notice(&self, _id: u64, _notice: Notice) {}
}

/// What may come up for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The user speaks again.
    Interrupted,
    /// Its answer is not awaited any more.
    Abandoned,
}

/// A stream that is being fed.
pub trait Session {
    /// Takes the next chunk; the last one ends in an answer.
    ///
    /// # Errors
    /// Why there will be no answer.
    fn chunk(&mut self, index: u32, last: bool, clock: &Clock, emit: &mut dyn FnMut(What)) -> Result<(), String>;
}

/// Worker threads around a [`System`]. Whole clips go to whoever is free, the chunks of a stream to one worker: the one
/// that held fewest streams when it began.
///
/// A worker that hangs is written off when its request is abandoned, and another takes its place; the streams that it held
/// are lost and say so.
pub struct Workers {
    shared: Arc<Shared>,
    replies: Receiver<Reply>,
    clock: Clock,
    /// A whole clip has been sent since the last wait.
    asked: bool,
}

struct Shared {
    system: Arc<dyn System>,
    clock: Clock,
    state: Mutex<State>,
    /// One for each worker: a chunk is for one, and waking the others costs more than the chunk.
    wake: Vec<Condvar>,
    /// Commands so far: whoever looks for the next one sees it change without taking the lock.
    sent: AtomicU64,
    /// How long to look before going to sleep.
    look: Duration,
    replies: Sender<Reply>,
}

struct State {
    anyone: VecDeque<Command>,
    pinned: Vec<VecDeque<Command>>,
    /// The worker of each stream that is open.
    streams: HashMap<u64, usize>,
    /// What each worker is at, and which thread of that place it is: one that was written off goes home.
    current: Vec<Option<u64>>,
    generation: Vec<u64>,
    asleep: Vec<bool>,
    closing: bool,
}

impl State {
    /// The worker with the fewest streams.
    fn least_held(&self) -> usize {
        let mut held = vec![0usize; self.pinned.len()];
        self.streams.values().for_each(|place| held[*place] += 1);
        (0..held.len()).min_by_key(|place| held[*place]).unwrap_or(0)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Workers {
    /// So many workers (at least one) on a clock.
    #[must_use]
    pub fn new(system: Arc<dyn System>, workers: usize, clock: Clock) -> Self {
        let (sender, replies) = channel();
        let workers = workers.max(1);
        let state = State {
            anyone: VecDeque::new(),
            pinned: vec![VecDeque::new(); workers],
            streams: HashMap::new(),
            current: vec![None; workers],
            generation: vec![0; workers],
            asleep: vec![false; workers],
            closing: false,
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // Only where nobody is kept from working by it.
        let look = if workers < cores { LOOK } else { Duration::ZERO };
        let (wake, sent) = ((0..workers).map(|_| Condvar::new()).collect(), AtomicU64::new(0));
        let shared = Arc::new(Shared { system, clock, state: Mutex::new(state), wake, sent, look, replies: sender });
        for place in 0..workers {
            spawn(&shared, place, 0);
        }
        Self { shared, replies, clock, asked: false }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.state().closing = true;
        self.shared.wake.iter().for_each(Condvar::notify_all);
    }
}

fn spawn(shared: &Arc<Shared>, place: usize, generation: u64) {
    let shared = Arc::clone(shared);
    // Not joined: one that hangs must not keep the bench from ending.
    std::thread::spawn(move || work(&shared, place, generation));
}

fn work(shared: &Shared, place: usize, generation: u64) {
    let mut sessions: HashMap<u64, Box<dyn Session>> = HashMap::new();
    while let Some(command) = next_command(shared, place, generation) {
        let id = match command {
            Command::Whole { id, .. } | Command::Chunk { id, .. } => id,
            Command::Abandon { id } => {
                sessions.remove(&id);
                continue;
            }
            Command::Interrupt { .. } => continue,
        };
        let mut emit = |what| {
            // Nobody listens any more once the bench has ended.
            let _ = shared.replies.send(Reply::made(id, shared.clock.now(), what));
        };
        let done = catch_unwind(AssertUnwindSafe(|| obey(shared, &mut sessions, command, &mut emit)));
        let done = done.unwrap_or_else(|panic| Err(format!("panicked: {}", panic_text(panic.as_ref()))));
        if matches!(command, Command::Chunk { last, .. } if last || done.is_err()) {
            sessions.remove(&id);
            shared.state().streams.remove(&id);
        }
        if let Err(reason) = done {
            emit(What::Failed(reason));
        }
    }
}

fn obey(
    shared: &Shared,
    sessions: &mut HashMap<u64, Box<dyn Session>>,
    command: Command,
    emit: &mut dyn FnMut(What),
) -> Result<(), String> {
    match command {
        Command::Whole { id, sample } => shared.system.whole(id, sample, &shared.clock, emit),
        Command::Chunk { id, sample, index, last } => {
            if index == 0 {
                sessions.insert(id, Arc::clone(&shared.system).open(id, sample)?);
            }
            let lost = || "the stream is lost: the worker that held it hung or it had failed".to_owned();
            sessions.get_mut(&id).ok_or_else(lost)?.chunk(index, last, &shared.clock, emit)?;
            if last {
                sessions.remove(&id);
            }
            Ok(())
        }
        Command::Abandon { .. } | Command::Interrupt { .. } => Ok(()),
    }
}

/// Waits for something to do; `None` when the thread should end.
fn next_command(shared: &Shared, place: usize, generation: u64) -> Option<Command> {
    let mut state = shared.state();
    if state.generation[place] == generation {
        state.current[place] = None;
    }
    let mut looking = shared.look;
    loop {
        if state.closing || state.generation[place] != generation {
            return None;
        }
        let found = match state.pinned[place].pop_front() {
            Some(command) => Some(command),
            None => state.anyone.pop_front(),
        };
        if let Some(command) = found {
            if let Command::Whole { id, .. } | Command::Chunk { id, .. } = command {
                state.current[place] = Some(id);
            }
            return Some(command);
        }
        if looking.is_zero() {
            state.asleep[place] = true;
            state = shared.wake[place].wait(state).unwrap_or_else(PoisonError::into_inner);
            state.asleep[place] = false;
        } else {
            let seen = shared.sent.load(Ordering::Acquire);
            drop(state);
            look_until(std::mem::take(&mut looking), || shared.sent.load(Ordering::Acquire) != seen);
            state = shared.state();
        }
    }
}

/// Looks whether something has come, for so long; a thread that sleeps takes some tens of microseconds to wake up.
fn look_until(long: Duration, mut come: impl FnMut() -> bool) {
    let began = Instant::now();
    while !come() && began.elapsed() < long {
        std::hint::spin_loop();
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}

/// Sleeping wakes late by some tens of microseconds: the last stretch before a time is spent looking at the clock.
const SPIN: Duration = Duration::from_micros(80);
/// How long a thread looks for work or an answer before it goes to sleep.
const LOOK: Duration = Duration::from_micros(50);

impl Port for Workers {
    fn now(&mut self) -> Ns {
        self.clock.now()
    }

    fn send(&mut self, command: Command) {
        match command {
            Command::Interrupt { id } => return self.shared.system.notice(id, Notice::Interrupted),
            Command::Abandon { id } => self.shared.system.notice(id, Notice::Abandoned),
            Command::Whole { .. } | Command::Chunk { .. } => {}
        }
        let mut state = self.shared.state();
        self.shared.sent.fetch_add(1, Ordering::Release);
        match command {
            Command::Interrupt { .. } => {}
            Command::Whole { .. } => {
                self.asked = true;
                state.anyone.push_back(command);
                // Whoever is awake comes by; of the others one is enough.
                let sleeper = state.asleep.iter().position(|asleep| *asleep);
                sleeper.into_iter().for_each(|place| state.asleep[place] = false);
                drop(state);
                sleeper.into_iter().for_each(|place| self.shared.wake[place].notify_one());
            }
            Command::Chunk { id, index, .. } => {
                if index == 0 {
                    let place = state.least_held();
                    state.streams.insert(id, place);
                }
                // A stream that has failed takes no more.
                let Some(place) = state.streams.get(&id).copied() else { return };
                state.pinned[place].push_back(command);
                drop(state);
                self.shared.wake[place].notify_one();
            }
            Command::Abandon { id } => {
                let of_it =
                    |c: &Command| matches!(c, Command::Whole { id: i, .. } | Command::Chunk { id: i, .. } if *i == id);
                state.anyone.retain(|c| !of_it(c));
                let place = state.streams.remove(&id);
                if let Some(place) = place {
                    state.pinned[place].retain(|c| !of_it(c));
                }
                if let Some(hung) = state.current.iter().position(|c| *c == Some(id)) {
                    state.current[hung] = None;
                    state.generation[hung] += 1;
                    let generation = state.generation[hung];
                    drop(state);
                    spawn(&self.shared, hung, generation);
                } else if let Some(place) = place {
                    state.pinned[place].push_back(command);
                    drop(state);
                    self.shared.wake[place].notify_one();
                }
            }
        }
    }

    fn receive(&mut self, until: Ns) -> Option<Reply> {
        if std::mem::take(&mut self.asked) {
            let long = self.shared.look.min(Duration::from_nanos(until.saturating_sub(self.clock.now())));
            let mut reply = None;
            look_until(long, || {
                reply = self.replies.try_recv().ok();
                reply.is_some()
            });
            if reply.is_some() {
                return reply;
            }
        }
        loop {
            let left = Duration::from_nanos(until.saturating_sub(self.clock.now()));
            if left > SPIN {
                match self.replies.recv_timeout(left - SPIN) {
                    Ok(reply) => return Some(reply),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => std::thread::sleep(left),
                }
                continue;
            }
            match self.replies.try_recv() {
                Ok(reply) => return Some(reply),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) if left.is_zero() => return None,
                Err(_) => std::hint::spin_loop(),
            }
        }
    }
}
