//! claude's input, as the keeper writes it: a FIFO, and the lines that wait for room in it.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;

use rustix::event::PollFlags;
use rustix::fs::{CWD, Mode, OFlags, mkfifoat};

use super::folder::RunFolder;

/// How much of a line is in memory on its way to claude, in bytes.
const CHUNK: usize = 64 * 1024;

/// claude's input: the FIFO, and the bytes that wait for room in it. Nothing here blocks.
pub(super) struct Input {
    /// Open for reading and writing: it has a reader before claude starts, and it never ends.
    fifo: File,
    /// The bytes that were read last and wait for room.
    chunk: VecDeque<u8>,
    waiting: VecDeque<Lines>,
}

/// Whole lines for claude.
enum Lines {
    Own(String),
    /// Left by the bot. With pictures they are large, so they are read piece by piece.
    Left(File),
}

impl Input {
    pub fn open(folder: &RunFolder) -> io::Result<Input> {
        match mkfifoat(CWD, folder.input(), Mode::RUSR | Mode::WUSR) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let fifo = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0))
            .open(folder.input())?;
        Ok(Input {
            fifo,
            chunk: VecDeque::new(),
            waiting: VecDeque::new(),
        })
    }

    /// Adds whole lines, after those that wait.
    pub fn push(&mut self, lines: String) {
        self.waiting.push_back(Lines::Own(lines));
    }

    /// Takes the lines that were left in the folder. One that cannot be read stays there, with those after it, until
    /// the next call.
    pub fn take_what_was_left(&mut self, folder: &RunFolder) {
        while let Ok(Some(line)) = folder.take_line() {
            self.waiting.push_back(Lines::Left(line));
        }
    }

    /// Writes as much as the FIFO has room for.
    pub fn write(&mut self) {
        while self.is_waiting() {
            while let (front @ [_, ..], _) = self.chunk.as_slices() {
                match self.fifo.write(front) {
                    Ok(written) => drop(self.chunk.drain(..written)),
                    // There is room later, or claude ends.
                    Err(_) => return,
                }
            }
            self.read_on();
        }
        self.chunk = VecDeque::new();
    }

    fn is_waiting(&self) -> bool {
        !self.chunk.is_empty() || !self.waiting.is_empty()
    }

    /// Reads the next piece of the lines that wait.
    fn read_on(&mut self) {
        match self.waiting.pop_front() {
            Some(Lines::Own(lines)) => self.chunk = lines.into_bytes().into(),
            Some(Lines::Left(mut file)) => {
                let mut piece = Vec::with_capacity(CHUNK);
                let read = (&mut file).take(CHUNK as u64).read_to_end(&mut piece);
                let is_more = matches!(read, Ok(read) if read > 0);
                self.chunk = piece.into();
                if is_more {
                    self.waiting.push_front(Lines::Left(file));
                }
            }
            None => {}
        }
    }

    pub fn fifo(&self) -> &File {
        &self.fifo
    }

    /// Room in the FIFO, if bytes wait for it.
    pub fn awaited(&self) -> PollFlags {
        match self.is_waiting() {
            true => PollFlags::OUT,
            false => PollFlags::empty(),
        }
    }
}
