//! Putting load on a server: many connections, each of which asks again as soon as it is answered.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

use crate::connection::Connection;
use crate::machine::cpu_time;

/// What one connection does over and over.
pub(crate) trait Script {
    /// Does it once. Returns how long the part took that is measured; `None` if there is nothing
    /// left to do.
    async fn step(&mut self, connection: &mut Connection) -> Result<Option<Duration>>;
}

/// A server under load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) process: u32,
}

/// What was measured.
#[derive(Clone, Debug)]
pub(crate) struct Measurement {
    /// How long each took, the shortest first.
    latencies: Vec<Duration>,
    /// From when to when.
    elapsed: Duration,
    /// What the server's core spent on it.
    cpu: Duration,
}

impl Measurement {
    pub(crate) fn count(&self) -> f64 {
        f64::from(u32::try_from(self.latencies.len()).unwrap_or(u32::MAX))
    }

    pub(crate) fn a_second(&self) -> f64 {
        self.count() / self.elapsed.as_secs_f64()
    }

    pub(crate) fn a_cpu_second(&self) -> f64 {
        self.count() / self.cpu.as_secs_f64().max(0.01)
    }

    /// The latency that so many of a hundred kept within.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        let index = (self.latencies.len() * percent / 100).min(last);
        self.latencies.get(index).copied().unwrap_or_default()
    }
}

/// Runs each script on a connection of its own, for `length` after a warm-up or until there is
/// nothing left to do.
pub(crate) async fn run<S: Script + 'static>(
    target: Target,
    length: Duration,
    scripts: Vec<S>,
) -> Result<Measurement> {
    let phase = Rc::new(Cell::new(Phase::WarmUp));
    let mut workers = JoinSet::new();
    for script in scripts {
        let connection = Connection::open(target.address).await?;
        workers.spawn_local(work(script, connection, Rc::clone(&phase)));
    }
    tokio::time::sleep(length / 10).await;
    let (began_at, cpu_before) = (Instant::now(), cpu_time(target.process)?);
    phase.set(Phase::Measure);

    let mut latencies = Vec::new();
    let deadline = tokio::time::sleep(length);
    tokio::pin!(deadline);
    let mut end = None;
    loop {
        tokio::select! {
            () = &mut deadline, if end.is_none() => {
                end = Some((began_at.elapsed(), cpu_time(target.process)?));
                phase.set(Phase::End);
            }
            worker = workers.join_next() => match worker {
                Some(worker) => latencies.extend(worker??),
                None => break,
            }
        }
    }
    let (elapsed, cpu) = match end {
        Some(end) => end,
        None => (began_at.elapsed(), cpu_time(target.process)?),
    };
    latencies.sort_unstable();
    Ok(Measurement {
        latencies,
        elapsed,
        cpu: cpu.saturating_sub(cpu_before),
    })
}

async fn work(
    mut script: impl Script,
    mut connection: Connection,
    phase: Rc<Cell<Phase>>,
) -> Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    while let Some(latency) = script.step(&mut connection).await? {
        match phase.get() {
            Phase::WarmUp => {}
            Phase::Measure => latencies.push(latency),
            Phase::End => break,
        }
    }
    Ok(latencies)
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    WarmUp,
    Measure,
    End,
}
