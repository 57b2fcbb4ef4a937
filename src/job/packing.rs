//! Many files as one: a zip on the disk, written while the files are read.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::beneath::Root;

const PIECE: usize = 256 * 1024;
/// Deflate shrinks nothing by more than this factor.
const MOST_SHRUNK: u64 = 1_032;

/// A file and what it is called in the zip.
pub struct Member {
    pub path: PathBuf,
    pub name: String,
}

/// Why there is no zip.
#[derive(Debug)]
pub enum NotPacked {
    /// It would be larger than what can be sent.
    TooLarge,
    Cancelled,
    Failed(io::Error),
}

impl From<io::Error> for NotPacked {
    fn from(error: io::Error) -> NotPacked {
        match error.kind() {
            io::ErrorKind::FileTooLarge => NotPacked::TooLarge,
            _ => NotPacked::Failed(error),
        }
    }
}

impl From<zip::result::ZipError> for NotPacked {
    fn from(error: zip::result::ZipError) -> NotPacked {
        NotPacked::from(io::Error::from(error))
    }
}

/// Packs files of a folder into a new zip of at most `largest` bytes. Unreadable files are left out; their names are
/// returned. On an error, no file is left.
pub fn pack(
    root: &Root,
    members: &[Member],
    to: &Path,
    largest: u64,
    cancelled: &CancellationToken,
) -> Result<Vec<String>, NotPacked> {
    let packed = write(root, members, to, largest, cancelled);
    if packed.is_err() {
        let _ = std::fs::remove_file(to);
    }
    packed
}

fn write(
    root: &Root,
    members: &[Member],
    to: &Path,
    largest: u64,
    cancelled: &CancellationToken,
) -> Result<Vec<String>, NotPacked> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(to)?;
    let mut zip = ZipWriter::new(Limited {
        file,
        at: 0,
        largest,
        is_full: false,
    });
    let mut left_out = Vec::new();
    let mut all: u64 = 0;
    let mut piece = vec![0; PIECE];
    for member in members {
        let Ok(mut file) = root.open(&member.path) else {
            left_out.push(member.name.clone());
            continue;
        };
        // A file may be one long hole, which takes hours to read.
        all = all.saturating_add(file.metadata()?.len());
        if all / MOST_SHRUNK > largest {
            return Err(NotPacked::TooLarge);
        }
        zip.start_file(member.name.as_str(), options(&file)?)?;
        loop {
            if cancelled.is_cancelled() {
                return Err(NotPacked::Cancelled);
            }
            match file.read(&mut piece)? {
                0 => break,
                length => zip.write_all(&piece[..length])?,
            }
        }
    }
    zip.finish()?.file.sync_all()?;
    Ok(left_out)
}

/// Its permissions and time are kept.
fn options(file: &File) -> io::Result<SimpleFileOptions> {
    let found = file.metadata()?;
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .unix_permissions(found.permissions().mode() & 0o777)
        .large_file(found.len() >= u64::from(u32::MAX));
    let changed = found.modified().ok().and_then(time_of);
    Ok(match changed {
        Some(time) => options.last_modified_time(time),
        None => options,
    })
}

/// In the local time zone: a zip knows none.
fn time_of(changed: std::time::SystemTime) -> Option<DateTime> {
    let there = Timestamp::try_from(changed)
        .ok()?
        .to_zoned(TimeZone::system());
    let part = |number: i8| u8::try_from(number).ok();
    DateTime::from_date_and_time(
        u16::try_from(there.year()).ok()?,
        part(there.month())?,
        part(there.day())?,
        part(there.hour())?,
        part(there.minute())?,
        part(there.second())?,
    )
    .ok()
}

/// Fails once when the file would become too large. Later writes are dropped: the zip's writer closes it in any case.
struct Limited {
    file: File,
    at: u64,
    largest: u64,
    is_full: bool,
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_full {
            return Ok(bytes.len());
        }
        if self.at + bytes.len() as u64 > self.largest {
            self.is_full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let written = self.file.write(bytes)?;
        self.at += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Limited {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = self.file.seek(to)?;
        Ok(self.at)
    }
}
