//! teloxide's dispatcher over the stored updates: one worker per chat, each update to the inbox.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use teloxide::Bot;
use teloxide::RequestError;
use teloxide::dispatching::{DefaultKey, Dispatcher, UpdateHandler};
use teloxide::dptree;
use teloxide::error_handlers::LoggingErrorHandler;
use teloxide::types::{Me, Update};
use tokio::sync::mpsc;
use tracing::{debug, error, warn};

use super::incoming;
use super::listener::StoredUpdates;
use crate::id::UpdateSeq;
use crate::inbox::Inbox;
use crate::store::panic_text;
use crate::update::Incoming;

/// Before an update that failed comes again.
const PAUSE: Duration = Duration::from_millis(500);

/// Runs the dispatcher until the listener ends. Errors are those of its first call, getMe; then nothing was
/// dispatched, and it may be run again with a new listener.
pub async fn dispatch(
    bot: Bot,
    inbox: Arc<Inbox>,
    again: mpsc::UnboundedSender<UpdateSeq>,
    listener: StoredUpdates,
) -> Result<(), RequestError> {
    let mut dispatcher: Dispatcher<Bot, Infallible, DefaultKey> =
        Dispatcher::builder(bot, handler())
            .dependencies(dptree::deps![inbox, again])
            .build();
    dispatcher
        .try_dispatch_with_listener(listener, LoggingErrorHandler::new())
        .await
}

fn handler() -> UpdateHandler<Infallible> {
    dptree::entry().endpoint(on_update)
}

/// Never fails and never panics: a panic in a handler would end the whole dispatcher.
async fn on_update(
    update: Update,
    me: Me,
    inbox: Arc<Inbox>,
    again: mpsc::UnboundedSender<UpdateSeq>,
) -> Result<(), Infallible> {
    let seq = UpdateSeq(i64::from(update.id.0));
    let incoming = catch_unwind(AssertUnwindSafe(|| incoming::read(&update, &me)))
        .unwrap_or_else(|panic| Incoming::Other(panic_text(panic.as_ref())));
    let accepted = AssertUnwindSafe(inbox.accept(seq, incoming.clone(), me.username()))
        .catch_unwind()
        .await;
    let (failure, is_passing) = match accepted {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => (error.to_string(), error.is_passing()),
        Err(panic) => (panic_text(panic.as_ref()), false),
    };
    if is_passing {
        // The store says once that it takes nothing.
        debug!(update.seq = seq.0, failure, "an update waits for the store");
    } else {
        warn!(
            update.seq = seq.0,
            failure, "an update could not be handled"
        );
    }
    if inbox.failed(seq, &incoming, &failure, is_passing).await {
        tokio::spawn(async move {
            tokio::time::sleep(PAUSE).await;
            if again.send(seq).is_err() {
                error!(
                    update.seq = seq.0,
                    "an update comes again only after a restart"
                );
            }
        });
    }
    Ok(())
}
