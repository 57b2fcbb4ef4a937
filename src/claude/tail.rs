//! Reads whole lines from a growing file, with the offset at which each one ends.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Only the ends of a longer line are kept in memory: [`Line::Overlong`].
const LONGEST_LINE: usize = 32 * 1024 * 1024;
/// How much is kept of each end of an overlong line, in bytes: enough for the fields that say what it is.
const ENDS_KEPT: usize = 8 * 1024;
const CHUNK: usize = 64 * 1024;

/// A place in a growing file.
pub struct Tail {
    file: File,
    /// Where `buffer` starts in the file.
    start: u64,
    buffer: Vec<u8>,
    /// Up to here the buffer has no end of line.
    searched: usize,
    /// The beginning of the current line, if its middle was not kept.
    overlong: Option<Vec<u8>>,
    /// Reading began in the middle of a line, which is left out.
    is_cut: bool,
}

/// A line without its line break.
pub enum Line<'a> {
    Text(&'a [u8]),
    /// The two ends of a line that is too long to be kept.
    Overlong {
        beginning: &'a [u8],
        end: &'a [u8],
    },
}

impl Tail {
    pub fn open(path: &Path) -> io::Result<Tail> {
        Ok(Tail {
            file: File::open(path)?,
            start: 0,
            buffer: Vec::new(),
            searched: 0,
            overlong: None,
            is_cut: false,
        })
    }

    /// As [`Tail::open`], for the last `limit` bytes; the line that is cut there is left out.
    pub fn open_near_end(path: &Path, limit: u64) -> io::Result<Tail> {
        let mut tail = Tail::open(path)?;
        let length = tail.file.metadata()?.len();
        if length > limit {
            tail.start = length - limit;
            tail.is_cut = true;
        }
        Ok(tail)
    }

    /// Reads at most one chunk and hands every complete line to `take`, with the offset after it. Returns
    /// whether there may be more to read. An unfinished last line is kept for the next call.
    pub fn read(&mut self, mut take: impl FnMut(u64, Line<'_>)) -> io::Result<bool> {
        let already = self.buffer.len();
        self.buffer.resize(already + CHUNK, 0);
        let position = self.start + already as u64;
        self.file.seek(SeekFrom::Start(position))?;
        let read = match self.file.read(&mut self.buffer[already..]) {
            Ok(read) => read,
            Err(error) => {
                self.buffer.truncate(already);
                return Err(error);
            }
        };
        self.buffer.truncate(already + read);

        let mut consumed = 0;
        while let Some(length) = self.buffer[self.searched..]
            .iter()
            .position(|byte| *byte == b'\n')
        {
            let end = self.searched + length;
            let kept = &self.buffer[consumed..end];
            let behind = self.start + end as u64 + 1;
            let beginning = self.overlong.take();
            match (std::mem::take(&mut self.is_cut), &beginning) {
                (true, _) => {}
                (false, None) => take(behind, Line::Text(kept)),
                (false, Some(beginning)) => {
                    let end = &kept[kept.len().saturating_sub(ENDS_KEPT)..];
                    take(behind, Line::Overlong { beginning, end });
                }
            }
            consumed = end + 1;
            self.searched = consumed;
        }
        self.searched = self.buffer.len();
        self.forget(consumed);
        if self.buffer.len() > LONGEST_LINE {
            self.overlong
                .get_or_insert_with(|| self.buffer[..ENDS_KEPT].to_vec());
            self.forget(self.buffer.len() - ENDS_KEPT);
        }
        Ok(read == CHUNK)
    }

    /// Drops the front of the buffer, and frees the memory that a long line took.
    fn forget(&mut self, bytes: usize) {
        self.buffer.drain(..bytes);
        self.start += bytes as u64;
        self.searched -= bytes;
        if self.buffer.len() < CHUNK {
            self.buffer.shrink_to(2 * CHUNK);
        }
    }
}
