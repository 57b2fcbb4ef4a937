//! The phone of the demo: sends what a person types, and prints what the phone would show.

use std::io::{IsTerminal, Write};

use tokio::io::{AsyncBufReadExt, BufReader, Split, Stdin};
use tokio::time::{sleep, timeout};

use super::bot_api::{BotApi, Posted, Shown};
use super::{LOOK_EVERY, Runs};
use crate::domain::button::Press;
use crate::domain::id::{ChatId, UserId};

/// How long runs, and then what is left of them, may take to stop when the demo is quit.
pub(super) const STOP_TIME: std::time::Duration = std::time::Duration::from_secs(20);

pub struct Terminal {
    api: BotApi,
    chat: ChatId,
    person: UserId,
    input: std::sync::Mutex<Option<Split<BufReader<Stdin>>>>,
}

impl Terminal {
    pub fn new(api: BotApi, chat: ChatId, person: UserId) -> Terminal {
        let input = BufReader::new(tokio::io::stdin()).split(b'\n');
        Terminal {
            api,
            chat,
            person,
            input: std::sync::Mutex::new(Some(input)),
        }
    }

    /// Talks until the input ends, and then until nothing is left to do.
    pub async fn talk(&self, runs: &Runs) -> anyhow::Result<()> {
        let typed = std::io::stdin().is_terminal();
        if typed {
            println!(
                "Write something and press Enter; /help says more; Ctrl-D ends when all is done."
            );
        }
        println!();
        let Some(mut input) = self
            .input
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take()
        else {
            return Ok(());
        };
        let mut changes = self.api.changes();
        let mut shown = 0;
        loop {
            self.print_new(&mut shown);
            tokio::select! {
                line = input.next_segment() => match line? {
                    Some(line) => {
                        let line = String::from_utf8_lossy(&line);
                        let line = line.strip_suffix('\r').unwrap_or(&line);
                        if !typed && !line.trim().is_empty() {
                            print_block("you", line);
                        }
                        self.enter(line);
                    }
                    None => break,
                },
                _ = changes.changed() => {}
            }
        }
        while !(self.api.unconfirmed() == 0 && runs.are_over().await) {
            self.print_new(&mut shown);
            if runs.are_asking().await {
                // Nobody is there to answer any more.
                self.stop_runs(runs).await;
            }
            sleep(LOOK_EVERY).await;
        }
        self.print_new(&mut shown);
        Ok(())
    }

    /// Sends `/stop` until nothing runs.
    pub async fn stop_runs(&self, runs: &Runs) {
        let stopped = async {
            while !runs.are_over().await {
                self.api.say(self.chat, self.person, "/stop");
                sleep(LOOK_EVERY * 25).await;
            }
        };
        let _ = timeout(STOP_TIME, stopped).await;
    }

    /// A button's number presses it, or copies what it copies; everything else is a message.
    fn enter(&self, line: &str) {
        let buttons = self.buttons();
        let pressed = line
            .trim()
            .parse::<usize>()
            .ok()
            .and_then(|number| buttons.get(number.checked_sub(1)?));
        match pressed {
            Some((message, data)) if Press::parse(data).is_some() => {
                self.api.press(self.person, message, data);
            }
            // A button that copies does so on the phone; the bot hears nothing of it.
            Some((_, copied)) => print_block("you", &format!("(copied: {copied})")),
            None if line.trim().is_empty() => {}
            None => {
                self.api.say(self.chat, self.person, line);
            }
        }
    }

    /// The buttons that can be pressed now, in the order of their numbers.
    fn buttons(&self) -> Vec<(Posted, String)> {
        self.api
            .messages()
            .into_iter()
            .flat_map(|message| {
                message
                    .buttons
                    .clone()
                    .into_iter()
                    .map(move |(_, data)| (message.clone(), data))
            })
            .collect()
    }

    fn print_new(&self, shown: &mut usize) {
        let new = self.api.shown(*shown);
        *shown += new.len();
        for item in new {
            match item {
                Shown::New(message) => {
                    let who = if message.silent { "bot" } else { "bot 🔔" };
                    print_block(who, &self.drawn(&message));
                }
                Shown::Edited(message) => print_block("bot ✎", &self.drawn(&message)),
                Shown::Removed(_) => print_block("bot ✎", "(a message is gone)"),
                Shown::Toast(text) => print_block("bot", &format!("({text})")),
            }
        }
    }

    fn drawn(&self, message: &Posted) -> String {
        let mut text = message.text.clone();
        if let Some((name, content)) = &message.file {
            text = format!("[file {name}, {} bytes]\n{text}", content.len());
        }
        let buttons = self.buttons();
        for (label, data) in &message.buttons {
            let number = buttons
                .iter()
                .position(|(of, other)| of.id == message.id && other == data);
            if let Some(number) = number {
                text.push_str(&format!("\n[{}] {label}", number + 1));
            }
        }
        text
    }
}

/// Ignores errors: a closed transcript does not end the run.
fn print_block(who: &str, text: &str) {
    let mut out = std::io::stdout().lock();
    let mut name = who;
    for line in text.lines() {
        let _ = writeln!(out, "{name:<6}│ {line}");
        name = "";
    }
    let _ = writeln!(out);
}
