//! The person at the terminal: questions, a secret that is not shown, a picture for the phone's camera.

use std::io::{IsTerminal, Write};

use anyhow::{Context, bail};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};

use crate::cli::table;

/// The person who can be asked; nobody if standard input is no terminal.
pub(super) struct Terminal {
    lines: Option<Lines<BufReader<Stdin>>>,
}

impl Terminal {
    pub fn of_this_process() -> Terminal {
        let lines = std::io::stdin()
            .is_terminal()
            .then(|| BufReader::new(tokio::io::stdin()).lines());
        Terminal { lines }
    }

    pub fn is_there(&self) -> bool {
        self.lines.is_some()
    }

    /// Asks for a yes or no. Returns `otherwise` for Enter alone, and if there is nobody to ask.
    pub async fn agrees(&mut self, question: &str, otherwise: bool) -> anyhow::Result<bool> {
        if !self.is_there() {
            return Ok(otherwise);
        }
        let choice = if otherwise { "[Y/n]" } else { "[y/N]" };
        loop {
            say(&format!("{question} {choice} "))?;
            match self.line().await?.trim().to_lowercase().as_str() {
                "" => return Ok(otherwise),
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => print_line!("Please answer y or n."),
            }
        }
    }

    /// A line that is not shown while it is typed.
    pub async fn secret(&mut self, question: &str) -> anyhow::Result<SecretString> {
        let unseen = Unseen::begin()?;
        say(&format!("{question} (it is not shown): "))?;
        let line = self.line().await;
        drop(unseen);
        print_line!();
        Ok(line?.trim().to_owned().into())
    }

    async fn line(&mut self) -> anyhow::Result<String> {
        let Some(lines) = &mut self.lines else {
            bail!("there is nobody to ask");
        };
        let line = lines.next_line().await?;
        line.context("the input has ended before init was done")
    }
}

/// While this lives, the terminal does not show what is typed.
struct Unseen {
    before: Termios,
}

impl Unseen {
    fn begin() -> anyhow::Result<Unseen> {
        let before = tcgetattr(std::io::stdin()).context("the terminal cannot be set up")?;
        let mut unseen = before.clone();
        unseen.local_modes.remove(LocalModes::ECHO);
        // Drops what was typed ahead: it was shown already.
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &unseen)
            .context("the terminal cannot be told not to show the token")?;
        Ok(Unseen { before })
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before);
    }
}

fn say(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Draws a QR code, if there is a terminal with room for it. It sets its own colours, so that a camera reads it on
/// every terminal; without colours it assumes a dark one.
pub(super) fn draw(link: &str) {
    let Some(room) = table::width() else { return };
    let Ok(code) = QrCode::new(link) else { return };
    let picture = code
        .render::<Dense1x2>()
        .dark_color(Dense1x2::Light)
        .light_color(Dense1x2::Dark)
        .build();
    let fits = picture
        .lines()
        .all(|line| line.chars().count() <= usize::from(room));
    if !fits {
        return;
    }
    let has_colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let (begin, end) = if has_colours {
        ("\x1b[97;40m", "\x1b[0m")
    } else {
        ("", "")
    };
    print_line!();
    for line in picture.lines() {
        print_line!("{begin}{line}{end}");
    }
    print_line!();
}

/// Somebody else's words, safe for a terminal.
pub(super) fn harmless(words: &str) -> String {
    words.chars().filter(|c| !c.is_control()).take(64).collect()
}
