//! A system under test on a simulated clock: every latency is exact.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use crate::port::{Command, Ns, Port, Reply, What};

/// What a server does with a command.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Script {
    /// How long it is busy with it.
    pub busy: Ns,
    /// Replies: how long after the server began each arrives, and what it says.
    pub replies: Vec<(Ns, Reply)>,
}

impl Script {
    /// An answer when the work is done, honestly stamped.
    #[must_use]
    pub fn answer(id: u64, start: Ns, busy: Ns) -> Self {
        let what = What::Final { text: String::new(), stages: Vec::new() };
        Self { busy, replies: vec![(busy, Reply { id, at: start + busy, what })] }
    }
}

/// Servers; whole clips go to whoever is free, the chunks of a stream to one server, the least occupied when it began. `script(command, start)` says what one
/// does with a command that it begins at `start`.
///
/// A server that is busy with an abandoned request is free at once: [`crate::Workers`] replaces it.
pub struct Simulated<F> {
    script: F,
    now: Ns,
    servers: Vec<Server>,
    anyone: VecDeque<Command>,
    /// The server of each stream that is being fed.
    streams: HashMap<u64, usize>,
    coming: BinaryHeap<Reverse<(Ns, usize)>>,
    replies: Vec<Option<Reply>>,
}

#[derive(Default)]
struct Server {
    /// When it is free again.
    free: Ns,
    current: Option<u64>,
    pinned: VecDeque<Command>,
}

impl<F: FnMut(&Command, Ns) -> Script> Simulated<F> {
    /// So many servers (at least one), free at 0.
    #[must_use]
    pub fn new(servers: usize, script: F) -> Self {
        let servers = (0..servers.max(1)).map(|_| Server::default()).collect();
        Self {
            script,
            now: 0,
            servers,
            anyone: VecDeque::new(),
            streams: HashMap::new(),
            coming: BinaryHeap::new(),
            replies: Vec::new(),
        }
    }

    /// Everyone who is free takes what waits.
    fn start_work(&mut self) {
        for place in 0..self.servers.len() {
            let server = &mut self.servers[place];
            while server.free <= self.now {
                let Some(command) = server.pinned.pop_front().or_else(|| self.anyone.pop_front()) else { break };
                server.current = Some(number(&command));
                if let Command::Chunk { id, last: true, .. } = command {
                    self.streams.remove(&id);
                }
                let script = (self.script)(&command, self.now);
                server.free = self.now.saturating_add(script.busy);
                for (after, reply) in script.replies {
                    self.coming.push(Reverse((self.now.saturating_add(after), self.replies.len())));
                    self.replies.push(Some(reply));
                }
            }
        }
    }

    /// The server with the fewest streams that are fed or answered.
    fn least_occupied(&self) -> usize {
        let mut held: Vec<usize> = self.servers.iter().map(|s| usize::from(s.free > self.now)).collect();
        self.streams.values().for_each(|place| held[*place] += 1);
        (0..held.len()).min_by_key(|place| held[*place]).unwrap_or(0)
    }

    /// When the next server is free for something that waits.
    fn next_start(&self) -> Option<Ns> {
        let wanted = |s: &&Server| !s.pinned.is_empty() || !self.anyone.is_empty();
        self.servers.iter().filter(wanted).map(|s| s.free).min()
    }
}

fn number(command: &Command) -> u64 {
    match command {
        Command::Whole { id, .. } | Command::Chunk { id, .. } | Command::Interrupt { id } | Command::Abandon { id } => {
            *id
        }
    }
}

impl<F: FnMut(&Command, Ns) -> Script> Port for Simulated<F> {
    fn now(&mut self) -> Ns {
        self.now
    }

    fn send(&mut self, command: Command) {
        match command {
            Command::Whole { .. } => self.anyone.push_back(command),
            Command::Chunk { id, .. } => {
                let place = match self.streams.get(&id) {
                    Some(place) => *place,
                    None => self.least_occupied(),
                };
                self.streams.insert(id, place);
                self.servers[place].pinned.push_back(command);
            }
            // Whoever writes the script knows the plan, and with it when the user speaks again.
            Command::Interrupt { .. } => {}
            Command::Abandon { id } => {
                self.anyone.retain(|c| number(c) != id);
                self.streams.remove(&id);
                for server in &mut self.servers {
                    server.pinned.retain(|c| number(c) != id);
                    if server.current == Some(id) {
                        server.free = server.free.min(self.now);
                    }
                }
            }
        }
    }

    fn receive(&mut self, until: Ns) -> Option<Reply> {
        loop {
            self.start_work();
            let reply = self.coming.peek().map(|Reverse((at, _))| *at);
            let next = reply.into_iter().chain(self.next_start()).min().filter(|at| *at <= until);
            let Some(at) = next else {
                self.now = self.now.max(until);
                return None;
            };
            self.now = self.now.max(at);
            if reply == Some(at) {
                let Reverse((_, index)) = self.coming.pop()?;
                return self.replies[index].take();
            }
        }
    }
}
