//! teloxide's dispatcher over the stored updates: one worker per chat; each update goes to the handler.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use teloxide::Bot;
use teloxide::RequestError;
use teloxide::dispatching::{DefaultKey, Dispatcher, UpdateHandler};
use teloxide::dptree;
use teloxide::error_handlers::LoggingErrorHandler;
use teloxide::types::{Me, Update};
use tracing::error;

use super::incoming;
use super::listener::StoredUpdates;
use crate::domain::id::UpdateSeq;
use crate::domain::update::Incoming;
use crate::store::panic_text;

/// Handles one update to its end: the chat's next one waits for it.
pub type Handler = Arc<dyn Fn(Arrived) -> BoxFuture<'static, ()> + Send + Sync>;

/// A stored update that the dispatcher brings.
pub struct Arrived {
    update: Update,
    me: Me,
}

impl Arrived {
    /// Its place among the stored updates.
    pub fn seq(&self) -> UpdateSeq {
        UpdateSeq(i64::from(self.update.id.0))
    }

    /// The bot's own username.
    pub fn bot(&self) -> &str {
        self.me.username()
    }

    /// Reads the update. `raw` is its stored text, which has more than teloxide knows.
    pub fn read(&self, raw: &str) -> Incoming {
        catch_unwind(AssertUnwindSafe(|| {
            incoming::read(&self.update, raw, &self.me)
        }))
        .unwrap_or_else(|panic| Incoming::Other(panic_text(panic.as_ref())))
    }
}

/// Runs the dispatcher until the listener ends. An error comes from its first call, getMe: nothing was dispatched, and
/// it may be run again with a new listener.
pub async fn dispatch(
    bot: Bot,
    handler: Handler,
    listener: StoredUpdates,
) -> Result<(), RequestError> {
    let mut dispatcher: Dispatcher<Bot, Infallible, DefaultKey> =
        Dispatcher::builder(bot, endpoint())
            .dependencies(dptree::deps![handler])
            .build();
    dispatcher
        .try_dispatch_with_listener(listener, LoggingErrorHandler::new())
        .await
}

fn endpoint() -> UpdateHandler<Infallible> {
    dptree::entry().endpoint(on_update)
}

/// Never fails and never panics: a panic in a handler would end the whole dispatcher.
async fn on_update(update: Update, me: Me, handler: Handler) -> Result<(), Infallible> {
    let arrived = Arrived { update, me };
    let seq = arrived.seq();
    let handled = AssertUnwindSafe(async { handler(arrived).await });
    if let Err(panic) = handled.catch_unwind().await {
        error!(
            update.seq = seq.0,
            failure = panic_text(panic.as_ref()),
            "an update's handler died; the update comes again after a restart"
        );
    }
    Ok(())
}
