//! A terminal with a program in it, and what a person would see and type.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::PATIENCE;

/// A program running in a terminal. Killed when dropped.
pub struct Terminal {
    process: Child,
    keyboard: File,
    screen: Arc<(Mutex<Screen>, Condvar)>,
    /// How far a person has read.
    read: usize,
}

#[derive(Default)]
struct Screen {
    text: String,
    has_ended: bool,
}

impl Terminal {
    /// Starts a program in a terminal of 100 columns.
    pub fn start(mut command: Command) -> Terminal {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .expect("a terminal");
        grantpt(&ours).expect("its rights");
        unlockpt(&ours).expect("it is free");
        let name = ptsname(&ours, Vec::new()).expect("its name");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let theirs = open(name, flags, Mode::empty()).expect("its other end");
        let size = Winsize {
            ws_row: 50,
            ws_col: 100,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&theirs, size).expect("its size");
        let another = || theirs.try_clone().expect("the same end");
        let process = command
            .stdin(another())
            .stdout(another())
            .stderr(another())
            .spawn()
            .expect("telecoder starts");
        // The command keeps the other end open until it is dropped; otherwise the screen would never end.
        drop((command, theirs));
        let screen = Arc::new((Mutex::new(Screen::default()), Condvar::new()));
        let mut input = File::from(ours.try_clone().expect("the same end"));
        let to = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = input.read(&mut chunk) {
                bytes.extend_from_slice(&chunk[..length]);
                to.0.lock().expect("whole").text = String::from_utf8_lossy(&bytes).into_owned();
                to.1.notify_all();
            }
            to.0.lock().expect("whole").has_ended = true;
            to.1.notify_all();
        });
        Terminal {
            process,
            keyboard: File::from(ours),
            screen,
            read: 0,
        }
    }

    /// Waits until this is on the screen, after what was waited for before; returns the text up to there.
    pub fn until(&mut self, part: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut screen = self.screen.0.lock().expect("whole");
        loop {
            let new = &screen.text[self.read..];
            if let Some(at) = new.find(part) {
                let end = at + part.len();
                let seen = new[..end].to_owned();
                self.read += end;
                return seen;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !screen.has_ended && !left.is_zero(),
                "{part:?} does not come; the screen shows:\n{}",
                screen.text
            );
            screen = self.screen.1.wait_timeout(screen, left).expect("whole").0;
        }
    }

    /// Waits until a program that draws by itself has drawn nothing for a moment: it says in no words that it is ready.
    pub fn until_still(&mut self) {
        const STILL: Duration = Duration::from_millis(800);
        let deadline = Instant::now() + PATIENCE;
        let mut screen = self.screen.0.lock().expect("whole");
        loop {
            let before = screen.text.len();
            let (now, waited) = self.screen.1.wait_timeout(screen, STILL).expect("whole");
            screen = now;
            if waited.timed_out() && screen.text.len() == before {
                self.read = screen.text.len();
                return;
            }
            assert!(
                Instant::now() < deadline,
                "it draws for ever:\n{}",
                screen.text
            );
        }
    }

    /// Types a line and presses Enter.
    pub fn types(&mut self, line: &str) {
        writeln!(self.keyboard, "{line}").expect("the program reads");
    }

    /// Presses these keys; `\r` is Enter. A program that draws the whole screen needs a moment between two of them.
    pub fn types_keys(&mut self, keys: &str) {
        for key in keys.chars() {
            write!(self.keyboard, "{key}").expect("the program reads");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether what is typed appears on the screen.
    pub fn shows_what_is_typed(&self) -> bool {
        let modes = tcgetattr(&self.keyboard).expect("its modes");
        modes.local_modes.contains(LocalModes::ECHO)
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits until the program has ended; returns everything that was ever on the screen.
    pub fn end(&mut self) -> (ExitStatus, String) {
        let status = self.process.wait().expect("it ends");
        let mut screen = self.screen.0.lock().expect("whole");
        while !screen.has_ended {
            screen = self.screen.1.wait(screen).expect("whole");
        }
        (status, screen.text.clone())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
