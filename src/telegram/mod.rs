//! The only module that knows the Bot API.
//!
//! In: [`poll`] stores updates before it confirms them. [`listener`] feeds them to teloxide's dispatcher, which
//! [`dispatch`] runs. [`repair`], [`incoming`] and [`message`] turn the raw JSON into what the inbox acts on.
//! `domain::access` decides who may use the bot.
//! Out: [`outbox`] keeps one [`mod@line`] per chat with its [`live`] messages, paced by [`budget`]; [`draw`],
//! [`markdown`] and [`rich`] turn a message into texts with entities, `keyboard` draws what stands below it; `send`
//! sends one when [`turns`] lets it; [`error`] knows what a refusal is about, and `leaving` how a message goes. [`api`]
//! makes the calls, on the way that [`client`] knows; [`files`] downloads what people sent. [`ask`] has the calls of
//! commands that inspect or set up a bot.

pub mod api;
pub mod ask;
pub mod budget;
pub mod client;
mod content;
pub mod dispatch;
pub mod draw;
pub mod error;
pub mod files;
mod form;
pub mod incoming;
mod keyboard;
mod largest_file;
mod leaving;
pub mod line;
pub mod listener;
pub mod live;
pub mod markdown;
pub mod message;
pub mod outbox;
pub mod pace;
pub mod poll;
mod react;
pub mod repair;
pub mod rich;
pub mod rich_message;
mod send;
mod times;
pub mod turns;
mod upload;
