//! One worker per busy chat: wakes it, passes a stop on to it, forgets it when it has nothing left to do.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::worker::Worker;
use crate::id::ChatThread;

/// Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    asks: mpsc::UnboundedSender<Ask>,
}

enum Ask {
    Wake(ChatThread),
    Stop(ChatThread),
}

impl Registry {
    pub fn new() -> (Registry, RegistryTask) {
        let (asks, incoming) = mpsc::unbounded_channel();
        (Registry { asks }, RegistryTask { incoming })
    }

    /// There is something to do for this chat: a row says what.
    pub fn wake(&self, at: ChatThread) {
        let _ = self.asks.send(Ask::Wake(at));
    }

    /// What this chat's worker is at may have been stopped: a row says whether.
    pub fn stop(&self, at: ChatThread) {
        let _ = self.asks.send(Ask::Stop(at));
    }
}

/// The task behind the handle.
pub struct RegistryTask {
    incoming: mpsc::UnboundedReceiver<Ask>,
}

struct Busy {
    stop: Arc<Notify>,
    /// It was woken while it worked, perhaps after its last look.
    again: bool,
}

impl RegistryTask {
    /// Runs until `quit`, and then until every worker has let go of its run.
    pub async fn run(mut self, worker: Arc<Worker>, quit: CancellationToken) {
        let mut busy: HashMap<ChatThread, Busy> = HashMap::new();
        let mut workers: JoinSet<ChatThread> = JoinSet::new();
        loop {
            tokio::select! {
                ask = self.incoming.recv() => match ask {
                    Some(Ask::Wake(at)) => match busy.get_mut(&at) {
                        Some(busy) => busy.again = true,
                        None => {
                            let stop = spawn(&mut workers, &worker, at, &quit);
                            busy.insert(at, Busy { stop, again: false });
                        }
                    },
                    Some(Ask::Stop(at)) => {
                        if let Some(busy) = busy.get(&at) {
                            busy.stop.notify_one();
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
                            let stop = spawn(&mut workers, &worker, at, &quit);
                            busy.insert(at, Busy { stop, again: false });
                        }
                    }
                    // A worker catches the panics of its work; this is for one in the catching itself.
                    Err(error) => error!(%error, "a worker died; its chat goes on after a restart"),
                },
                () = quit.cancelled() => break,
            }
        }
        while workers.join_next().await.is_some() {}
    }
}

fn spawn(
    workers: &mut JoinSet<ChatThread>,
    worker: &Arc<Worker>,
    at: ChatThread,
    quit: &CancellationToken,
) -> Arc<Notify> {
    let stop = Arc::new(Notify::new());
    let (worker, stop_here, quit) = (Arc::clone(worker), Arc::clone(&stop), quit.clone());
    workers.spawn(async move {
        worker.work(at, &stop_here, &quit).await;
        at
    });
    stop
}
