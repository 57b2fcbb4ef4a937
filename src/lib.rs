//! telecoder passes Telegram messages straight through as prompts to the `claude` CLI.
//!
//! A chat is a session, a message is a prompt, a run is one `claude` process. This page is the way of a
//! message; the modules are listed in the order in which it passes them.
//!
//! ```text
//! Telegram ─getUpdates─▶ poll ─commit─▶ updates ─▶ dispatcher ─▶ inbox: one transaction ──▶ run queued
//!                                                                (update done + its effect)      │
//! Telegram ◀─send/edit── outbox ◀─commit── answer ◀── progress ◀── events ◀── events.jsonl ◀── claude
//!                                                        └─ what is written meanwhile, answers ──▶ its input
//! ```
//!
//! 1. [`telegram::poll`] asks for updates, stores them with the next offset, and only then asks again.
//! 2. [`telegram::listener`] feeds the stored updates to teloxide's dispatcher ([`telegram::dispatch`]), which
//!    reads them ([`telegram::incoming`], [`telegram::message`]) into an [`domain::update::Incoming`].
//! 3. [`inbox`] lets it in or not ([`domain::access`]), tells commands from prompts ([`command`]) and writes
//!    the effect in the transaction that marks the update as done. What is asked in a shell of the machine has the
//!    same effects ([`inbox::shell`]), written by that process itself, which then rings ([`daemon::bell`]). What claude
//!    will get is a [`domain::prompt`]: what was written to the byte, and beside it what was quoted, forwarded or attached.
//! 4. [`session::registry`] wakes the chat's [`session::worker`], which makes the workspace
//!    ([`git::workspace`]) and takes the next queued run, when all its messages have come ([`store::gatherings`]) and
//!    its files are fetched ([`job::fetch`]; a [`job::picture`] is made to fit).
//! 5. [`run::start`] takes a snapshot ([`git::snapshot`]), writes the run's folder and starts its keeper
//!    ([`claude::keeper`]), a process that outlives the bot and owns claude.
//! 6. [`run::drive`] follows the run: lines become events ([`claude::stream`], [`domain::event`]), events fold into
//!    [`domain::progress`], a turn's end becomes an answer ([`run::answer`]) with our sentences ([`chat`]). What is written
//!    meanwhile goes to the same claude ([`store::steering`]), and what claude asks goes to the chat as a [`domain::question`]
//!    and comes back ([`claude::asks`]); both by lines that the keeper passes on ([`claude::host`]). A usage limit or
//!    a missing login holds the chat up instead ([`run::hold`]); [`login`] logs claude in from the owner's phone.
//! 7. When it has ended, a [`job`] measures what it left: [`verify`] asks [`git`] what changed since the snapshot that
//!    was taken before, runs the project's own checks, and holds both against what the answer says. Evidence, like
//!    everything that a chat has done in its workspace beside runs, comes from a job.
//! 8. [`telegram::outbox`] sends what must arrive from the [`store`], and shows the live message beside it: each
//!    chat in its own [`telegram::line`], as [`telegram::draw`] and [`telegram::markdown`] make it fit a phone.
//!
//! [`process`] sees to it that nothing which was started is left. [`daemon`] puts these together and takes up what
//! was left; [`health`] is what it knows of itself, [`metrics`] what it has counted, [`web`] shows both to whoever
//! watches it, and [`doctor`] says what can be seen from outside, what [`systemd`] knows of the service included.
//! [`redact`] takes secrets out of every line and message that leaves. [`cli`] and [`config`] are the shell around it.
//! [`demo`] runs the very same bot with stand-ins at both far ends.
//!
//! What is true of every step: it is on disk before the step before it is forgotten, so the bot can be killed
//! at any moment. `docs/ARCHITECTURE.md` has the invariants and the reasons, `docs/RELIABILITY.md` the promises.
//! `fail_point!` names the moments between two steps at which the tests kill it; it is nothing in a shipped build.

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
