//! A pseudo-terminal for a supervised program, which thinks that a person sits there.
//!
//! Its screen goes to the supervisor's stdout; the supervisor's stdin is typed into it. It is wide, so that no line is
//! broken, and has no echo: what is typed may be a secret. It is nobody's controlling terminal.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize};

const COLUMNS: u16 = 4_000;
const ROWS: u16 = 50;
/// How long the rest of the screen is read after the program has ended.
const LAST_WORDS: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

/// Both ends of it.
pub(super) struct Terminal {
    ours: File,
    theirs: OwnedFd,
}

impl Terminal {
    pub(super) fn open() -> io::Result<Terminal> {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let name = ptsname(&ours, Vec::new())?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let theirs = open(name, flags, Mode::empty())?;
        tcsetwinsize(
            &theirs,
            Winsize {
                ws_row: ROWS,
                ws_col: COLUMNS,
                ws_xpixel: 0,
                ws_ypixel: 0,
            },
        )?;
        let mut modes = tcgetattr(&theirs)?;
        modes.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&theirs, OptionalActions::Now, &modes)?;
        Ok(Terminal {
            ours: File::from(ours),
            theirs,
        })
    }

    /// Starts a program in it; the screen ends when no process has the other end open.
    pub(super) fn start(self, mut command: Command) -> io::Result<(Child, Screen)> {
        let child = command
            .stdin(self.theirs.try_clone()?)
            .stdout(self.theirs.try_clone()?)
            .stderr(self.theirs)
            .spawn()?;
        Ok((child, Screen { ours: self.ours }))
    }
}

/// Our end of a terminal that a program is in.
pub(super) struct Screen {
    ours: File,
}

impl Screen {
    /// Passes on output and input until the program has ended, as its process file `ended` says. `None` if the input
    /// has ended, so that the program is to be ended.
    pub(super) fn pass_on(
        &mut self,
        child: &mut Child,
        ended: &OwnedFd,
    ) -> io::Result<Option<ExitStatus>> {
        let stdin = io::stdin();
        let mut is_shown = true;
        loop {
            let mut sources = vec![
                PollFd::new(ended, PollFlags::IN),
                PollFd::new(&stdin, PollFlags::IN),
            ];
            if is_shown {
                sources.push(PollFd::new(&self.ours, PollFlags::IN));
            }
            match poll(&mut sources, None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let ready: Vec<bool> = sources
                .iter()
                .map(|source| !source.revents().is_empty())
                .collect();
            if ready.get(2) == Some(&true) {
                is_shown = self.show_some();
            }
            if ready[0]
                && let Some(status) = child.try_wait()?
            {
                self.show_what_is_left(is_shown);
                return Ok(Some(status));
            }
            if ready[1] {
                let mut typed = [0; 4096];
                match stdin.lock().read(&mut typed) {
                    Ok(length @ 1..) => self.ours.write_all(&typed[..length])?,
                    _ => return Ok(None),
                }
            }
        }
    }

    /// Returns whether more can come.
    fn show_some(&mut self) -> bool {
        let mut shown = [0; 4096];
        match self.ours.read(&mut shown) {
            Ok(length @ 1..) => {
                let mut out = io::stdout().lock();
                // If the bot is gone, stdin says so.
                let _ = out.write_all(&shown[..length]).and_then(|()| out.flush());
                true
            }
            Err(error) => error.kind() == ErrorKind::Interrupted,
            Ok(0) => false,
        }
    }

    fn show_what_is_left(&mut self, is_shown: bool) {
        let mut is_shown = is_shown;
        while is_shown {
            let mut source = [PollFd::new(&self.ours, PollFlags::IN)];
            let is_ready = matches!(poll(&mut source, Some(&LAST_WORDS)), Ok(1..));
            is_shown = is_ready && self.show_some();
        }
    }
}
