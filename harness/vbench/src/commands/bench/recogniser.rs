//! Models of whole clips under load, on the real and on a simulated clock.

use std::sync::Arc;

use rayon::ThreadPool;
use vbench_load::{Clock, Command, Ns, Reply, Script, Session, Stage, System, What};
use vbench_model::{Model, ModelError, Response, ResponseClock};

use super::clips::Clips;

/// A model of whole clips. A stream's clip is heard when it ends.
pub struct Recogniser {
    pub model: Arc<dyn Model>,
    pub clips: Arc<Clips>,
    /// Of each thread count that was asked for.
    pub pools: Vec<ThreadPool>,
}

impl Recogniser {
    /// What the model says to a request.
    fn respond(&self, sample: usize) -> Result<Vec<Response>, String> {
        let asked = &self.clips.requests[sample];
        let call = || -> Result<Vec<Response>, ModelError> {
            match asked.clips.as_slice() {
                [one] => Ok(vec![self.model.transcribe(&self.clips.request(*one))?]),
                many => {
                    let requests: Vec<_> = many.iter().map(|clip| self.clips.request(*clip)).collect();
                    self.model.transcribe_batch(&requests).into_iter().collect()
                }
            }
        };
        let responses = match asked.pool {
            Some(pool) => self.pools[pool].install(call),
            None => call(),
        };
        let responses = responses.map_err(|e| e.to_string())?;
        if responses.iter().any(|r| r.clock == ResponseClock::Untimed) {
            return Err("these transcripts were made elsewhere: there is no time to measure".into());
        }
        Ok(responses)
    }

    fn answer(&self, sample: usize, clock: &Clock) -> Result<What, String> {
        let t0 = clock.now();
        let responses = self.respond(sample)?;
        Ok(answer(responses, t0, clock.now()))
    }

    /// One server of a simulated clock: busy for as long as the model says.
    pub fn script(&self, command: &Command, start: Ns) -> Script {
        let (Command::Whole { id, sample } | Command::Chunk { id, sample, last: true, .. }) = *command else {
            return Script::default();
        };
        let (busy, what) = match self.respond(sample) {
            Ok(responses) => {
                let simulated = |r: &Response| if let ResponseClock::Simulated(ns) = r.clock { ns } else { 0 };
                let busy = responses.iter().map(simulated).sum();
                (busy, answer(responses, start, start + busy))
            }
            Err(reason) => (0, What::Failed(reason)),
        };
        Script { busy, replies: vec![(busy, Reply { id, at: start + busy, what })] }
    }
}

fn answer(responses: Vec<Response>, t0: Ns, t1: Ns) -> What {
    let texts: Vec<String> = responses.into_iter().map(|r| r.hypothesis.text).collect();
    What::Final { text: texts.join("\n"), stages: vec![Stage { name: "model".into(), owner: "model".into(), t0, t1 }] }
}

impl System for Recogniser {
    fn whole(&self, _: u64, sample: usize, clock: &Clock, emit: &mut dyn FnMut(What)) -> Result<(), String> {
        emit(self.answer(sample, clock)?);
        Ok(())
    }

    fn open(self: Arc<Self>, _: u64, sample: usize) -> Result<Box<dyn Session>, String> {
        Ok(Box::new(WholeClip { system: self, sample }))
    }
}

struct WholeClip {
    system: Arc<Recogniser>,
    sample: usize,
}

impl Session for WholeClip {
    fn chunk(&mut self, _: u32, last: bool, clock: &Clock, emit: &mut dyn FnMut(What)) -> Result<(), String> {
        if last {
            emit(self.system.answer(self.sample, clock)?);
        }
        Ok(())
    }
}
