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
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use super::incoming;
use super::listener::StoredUpdates;
use crate::domain::id::UpdateSeq;
use crate::domain::update::Incoming;
use crate::inbox::Inbox;
use crate::store::panic_text;

/// Before an update that failed comes again.
const PAUSE: Duration = Duration::from_millis(500);

/// Runs the dispatcher until the listener ends. Errors are those of its first call, getMe; then nothing was
/// dispatched, and it may be run again with a new listener.
pub async fn dispatch(
    bot: Bot,
    inbox: Arc<Inbox>,
    again: mpsc::UnboundedSender<UpdateSeq>,
    listener: StoredUpdates,
    quit: CancellationToken,
) -> Result<(), RequestError> {
    let mut dispatcher: Dispatcher<Bot, Infallible, DefaultKey> =
        Dispatcher::builder(bot, handler())
            .dependencies(dptree::deps![inbox, again, quit])
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
    quit: CancellationToken,
) -> Result<(), Infallible> {
    let seq = UpdateSeq(i64::from(update.id.0));
    let mut incoming = Incoming::Other("not read yet".into());
    let failure = loop {
        let accept = async {
            // A stored update has everything; teloxide's has what teloxide knows.
            let Some(raw) = inbox.raw(seq).await? else {
                return Ok(());
            };
            incoming = catch_unwind(AssertUnwindSafe(|| incoming::read(&update, &raw, &me)))
                .unwrap_or_else(|panic| Incoming::Other(panic_text(panic.as_ref())));
            inbox.accept(seq, incoming.clone(), me.username()).await
        };
        let accepted = AssertUnwindSafe(accept).catch_unwind().await;
        match accepted {
            Ok(Ok(())) => return Ok(()),
            // The store says once that it takes nothing. The chat's next update waits behind this one, so that
            // their order is kept.
            Ok(Err(error)) if error.is_passing() => {
                debug!(update.seq = seq.0, %error, "an update waits for the store");
            }
            Ok(Err(error)) => break error.to_string(),
            Err(panic) => break panic_text(panic.as_ref()),
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            // It is handled after the next start.
            () = quit.cancelled() => return Ok(()),
        }
    };
    warn!(
        update.seq = seq.0,
        failure, "an update could not be handled"
    );
    if inbox.failed(seq, &incoming, &failure).await {
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
