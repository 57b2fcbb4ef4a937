//! telecoder passes Telegram messages straight through as prompts to the `claude` CLI.
//!
//! A chat is a session, a message is a prompt, a run is what claude does about it until it is idle; its process may
//! live on for the next one. This page follows a message through the modules. They are declared below it from the top
//! floor down: a module knows only those of lower floors.
//!
//! ```text
//! Telegram ─getUpdates─▶ poll ─commit─▶ updates ─▶ dispatcher ─▶ inbox: one transaction ──▶ run queued
//!                                                                (update done + its effect)      │
//! Telegram ◀─send/edit── outbox ◀─commit── answer ◀── progress ◀── events ◀── events.jsonl ◀── claude
//!                                                        └─ later messages and answers ──▶ claude's input
//! ```
//!
//! 1. [`telegram::poll`] asks for updates, stores them with the next offset, and only then asks again.
//! 2. [`telegram::listener`] feeds the stored updates to teloxide's dispatcher ([`telegram::dispatch`]), which calls
//!    [`inbox::Inbox::handle`]. An update is read ([`telegram::incoming`], [`telegram::message`]) into an
//!    [`domain::update::Incoming`].
//! 3. [`inbox`] asks [`domain::access`] whether the sender may use the bot, tells commands from prompts ([`command`]),
//!    and writes the effect in the transaction that marks the update as done. What claude will get is a
//!    [`domain::prompt`]: a person's words to the byte, and what was quoted, forwarded or attached ([`claude::forms`]).
//!    `telecoder session`, in a shell, writes the same effects from its own process ([`inbox::shell`]) and rings
//!    [`daemon::bell`]. Work that begins without a message is a
//!    [`domain::routine`]: [`inbox::routine`] keeps it and, when its moment or a signed call ([`web::hook`])
//!    comes, queues its prompt.
//! 4. [`session::registry`] wakes the chat's [`session::worker`]. The worker makes the workspace ([`git::workspace`])
//!    and takes the next queued run when all messages of its prompt have come ([`store::gatherings`]) and their files
//!    are fetched ([`job::fetch`]; [`job::picture`] makes pictures fit) into the session's folder ([`files`]), and a
//!    place for it is free ([`job::places`]).
//! 5. [`run::start`] writes the run's folder ([`claude::folder`]) and starts its keeper ([`claude::keeper`]), a process
//!    that outlives the bot and owns claude. If the session's claude of an earlier run lives ([`domain::process`]) and
//!    works as a new one would (`run::reuse`), the run begins in that. Either way a snapshot is taken of the workspace
//!    and the repositories inside ([`git::inner`], [`git::snapshot`]), and then claude gets the prompts.
//! 6. [`run::drive`] follows the run: lines become events ([`claude::stream`], [`domain::event`]), events fold into
//!    [`domain::progress`], and the end of a turn becomes an answer ([`run::answer`]; [`run::said`] makes it whole)
//!    in the sentences of [`chat`].
//!    Later messages go to the same claude ([`store::steering`]). What claude asks ([`claude::asks`]) goes to the chat
//!    as a [`domain::question`], and the answer back to claude. The keeper passes both on ([`claude::host`]). A usage
//!    limit, an API that does not work, a missing login or a claude that does not start puts a hold on the chat
//!    ([`run::hold`]); [`login`] logs claude in from the owner's phone. When claude is idle the run has ended. What lives
//!    on is watched by the worker: it may begin a run by itself.
//! 7. After the run, a [`job`] makes the evidence: [`verify`] asks [`git`] what changed since the snapshot and runs the
//!    project's own checks; beside both stands what claude itself ran ([`run::deeds`]). Everything else that is done in a workspace
//!    outside a run is a job, too; an undo ([`git::undo`]) among them.
//! 8. [`telegram::outbox`] sends the messages in the [`store`] that must arrive, and keeps the live message up to date.
//!    Each chat has its own [`telegram::line`], and [`telegram::turns`] says whose call is next, within what Telegram
//!    takes; [`telegram::draw`] and [`telegram::markdown`] make messages fit a phone. What Telegram refuses is read in
//!    [`telegram::error`].
//!
//! [`process`] runs programs and makes sure that none of their processes is left. [`daemon`] puts all modules together
//! and recovers what the last stop left. [`web`] is the page: it reads the [`store`] and, for a person, a run's record
//! ([`claude::transcript`], [`domain::transcript`]); what somebody does there becomes its effect in [`inbox::page`].
//! Programs do the same by [`web::api`]; the objects that they get there and in the shell are [`public`].
//! [`health`] is what the bot knows of its own state, [`metrics`] what it has counted; [`web`] shows both to monitors.
//! [`doctor`] checks the bot from outside, and asks [`systemd`] about its service. [`redact`] takes secrets out of every
//! log line, message and page that leaves, and of whatever is shortened before. [`cli`] has the commands of the shell,
//! [`config`] the settings. [`demo`] runs the same bot with stand-ins for Telegram and claude.
//!
//! Every step is on disk before the step before it is forgotten, so the bot can be killed at any moment.
//! `docs/ARCHITECTURE.md` has the invariants and the reasons, `docs/RELIABILITY.md` the promises. `fail_point!` names
//! the moments between two steps at which the tests kill the bot; in a shipped build it does nothing.

#![forbid(unsafe_code)]

pub mod cli;

pub mod demo;
pub mod doctor;

pub mod daemon;

pub mod web;

pub mod inbox;

pub mod login;

pub mod session;

pub mod run;

pub mod job;

pub mod telegram;

pub mod config;
pub mod verify;

pub mod health;
pub mod public;

pub mod claude;
pub mod git;
pub mod store;
pub mod systemd;

pub mod chat;
pub mod command;
pub mod files;
pub mod metrics;
pub mod process;

pub mod redact;

pub mod domain;
