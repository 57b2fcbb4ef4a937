//! One worker per busy chat and lane: wakes it, passes a stop on to it, forgets it when it has nothing left to do.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::worker::Worker;
use crate::domain::id::ChatThread;
use crate::domain::job::Lane;
use crate::job::Signals;

/// Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    asks: mpsc::UnboundedSender<Ask>,
}

enum Ask {
    Wake(ChatThread, Lane),
    Stop(ChatThread),
}

impl Registry {
    pub fn new() -> (Registry, RegistryTask) {
        let (asks, incoming) = mpsc::unbounded_channel();
        (Registry { asks }, RegistryTask { incoming })
    }

    /// There is something to do for this chat: a row says what.
    pub fn wake(&self, at: ChatThread) {
        let _ = self.asks.send(Ask::Wake(at, Lane::Workspace));
    }

    /// There is something to do for this chat that need not wait for its runs.
    pub fn wake_beside(&self, at: ChatThread) {
        for lane in Lane::ALL.into_iter().filter(|lane| lane.is_beside_runs()) {
            let _ = self.asks.send(Ask::Wake(at, lane));
        }
    }

    /// This chat's work may have been stopped: a row says whether.
    pub fn stop(&self, at: ChatThread) {
        let _ = self.asks.send(Ask::Stop(at));
    }
}

/// The task behind the handle.
pub struct RegistryTask {
    incoming: mpsc::UnboundedReceiver<Ask>,
}

struct Busy {
    signals: Arc<Signals>,
    /// It was woken while it worked, perhaps after its last look.
    again: bool,
}

impl RegistryTask {
    /// Runs until `quit`, then until every worker has returned.
    pub async fn run(mut self, worker: Arc<Worker>, quit: CancellationToken) {
        let mut busy: HashMap<(ChatThread, Lane), Busy> = HashMap::new();
        let mut workers: JoinSet<(ChatThread, Lane)> = JoinSet::new();
        loop {
            tokio::select! {
                ask = self.incoming.recv() => match ask {
                    Some(Ask::Wake(at, lane)) => match busy.get_mut(&(at, lane)) {
                        Some(busy) => {
                            busy.again = true;
                            busy.signals.more.notify_one();
                        }
                        None => {
                            let new = spawn(&mut workers, &worker, (at, lane), &quit);
                            busy.insert((at, lane), new);
                        }
                    },
                    Some(Ask::Stop(at)) => {
                        for lane in Lane::ALL {
                            if let Some(busy) = busy.get(&(at, lane)) {
                                busy.signals.stop.notify_one();
                            }
                        }
                    }
                    None => break,
                },
                Some(ended) = workers.join_next() => match ended {
                    Ok(at) => {
                        if let Some(was) = busy.remove(&at)
                            && was.again
                            && !quit.is_cancelled()
                        {
                            busy.insert(at, spawn(&mut workers, &worker, at, &quit));
                        }
                    }
                    // A worker catches the panics of its work; this is for one in the catching itself.
                    Err(error) => error!(%error, "a worker died; its chat continues after a restart"),
                },
                () = quit.cancelled() => break,
            }
        }
        while workers.join_next().await.is_some() {}
    }
}

fn spawn(
    workers: &mut JoinSet<(ChatThread, Lane)>,
    worker: &Arc<Worker>,
    (at, lane): (ChatThread, Lane),
    quit: &CancellationToken,
) -> Busy {
    let signals = Arc::new(Signals::default());
    let (worker, signals_here, quit) = (Arc::clone(worker), Arc::clone(&signals), quit.clone());
    workers.spawn(async move {
        worker.work(at, lane, &signals_here, &quit).await;
        (at, lane)
    });
    Busy {
        signals,
        again: false,
    }
}
