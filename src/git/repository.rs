//! The snapshots of a workspace: a git folder of telecoder's own, in which everything is kept as the bytes on the disk.
//!
//! `snapshots/<session>.git` in the data folder. Its `info/attributes` overrides every attribute that would change a
//! file's content (gitattributes(5)), whatever the workspace and the person have set. The person's objects are linked
//! into it, file by file, so a snapshot takes no room for what a commit has already, and loses nothing when the person's
//! repository is cleaned up. Nothing is ever written into the person's `.git` for a snapshot.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::call::Call;
use super::{Git, GitError, file};

/// So many bytes of old packs are kept before they are packed anew.
const OLD_PACKS_MOST: u64 = 200_000_000;
/// Content is kept as it is. `!` takes an attribute back to "not set", `-` switches it off.
const BYTES: &str = "* -text -crlf -ident -filter !eol !working-tree-encoding\n";
/// The person's settings must neither run anything nor change the result.
const OWN: [&str; 16] = [
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "advice.addEmbeddedRepo=false",
    "-c",
    "core.safecrlf=false",
    "-c",
    "submodule.recurse=false",
    "-c",
    "status.showUntrackedFiles=all",
    "-c",
    "diff.ignoreSubmodules=none",
    "-c",
    "core.quotePath=false",
];
/// What counts in the folder of snapshots only.
const OF_SNAPSHOTS: [&str; 24] = [
    "-c",
    "core.bare=false",
    "-c",
    "core.autocrlf=false",
    // Files outside a sparse checkout are seen when they are there.
    "-c",
    "core.sparseCheckout=true",
    "-c",
    "gc.auto=0",
    // A file that has changed must be seen to have changed.
    "-c",
    "core.ignoreStat=false",
    "-c",
    "core.trustctime=true",
    "-c",
    "core.checkStat=default",
    "-c",
    "core.symlinks=true",
    "-c",
    "core.fileMode=true",
    // All objects of one look are synced at once.
    "-c",
    "core.fsyncMethod=batch",
    "-c",
    "core.splitIndex=false",
    // Our index is whole and has no checksum: it is made anew if it cannot be read.
    "-c",
    "index.skipHash=true",
];

/// A repository in a workspace: the person's, and telecoder's own snapshots of it.
#[derive(Clone, Copy)]
pub struct Repository<'a> {
    pub git: &'a Git,
    pub workspace: &'a Path,
}

impl<'a> Repository<'a> {
    pub fn new(git: &'a Git, workspace: &'a Path) -> Repository<'a> {
        Repository { git, workspace }
    }

    /// A call for the person's repository, whatever its settings say, even if it is none any more.
    pub(super) fn person<'b>(self, arguments: impl IntoIterator<Item = &'b str>) -> Call<'a> {
        let call = self.git.call(self.workspace, with(&[&OWN], arguments));
        match self.git_folder() {
            Some(folder) => call
                .with("GIT_DIR", folder)
                .with("GIT_WORK_TREE", self.workspace),
            None => call,
        }
    }

    /// A call for the snapshots.
    pub(super) fn snapshots<'b>(self, arguments: impl IntoIterator<Item = &'b str>) -> Call<'a> {
        self.git
            .call(self.workspace, with(&[&OWN, &OF_SNAPSHOTS], arguments))
            .with("GIT_DIR", self.folder())
            .with("GIT_WORK_TREE", self.workspace)
    }

    /// A call for the snapshots through an index of its own.
    pub(super) fn through<'b>(
        self,
        index: &Path,
        arguments: impl IntoIterator<Item = &'b str>,
    ) -> Call<'a> {
        self.snapshots(arguments).with("GIT_INDEX_FILE", index)
    }

    /// The folder of the snapshots.
    pub fn folder(self) -> PathBuf {
        let name = self.workspace.file_name().unwrap_or_default();
        let mut name = name.to_owned();
        name.push(".git");
        self.git.snapshots.join(name)
    }

    /// The index of the last look, from which the next one begins.
    pub fn last_index(self) -> PathBuf {
        self.folder().join("index")
    }

    /// `.git`, or where it points to. Format: gitrepository-layout(5).
    pub fn git_folder(self) -> Option<PathBuf> {
        git_folder(self.workspace)
    }

    /// Makes the folder of the snapshots if there is none, and brings it up to date with the person's repository.
    pub async fn open(self) -> Result<(), GitError> {
        let gone = || GitError::Impossible("the workspace is no git repository any more".into());
        let git_folder = self.git_folder().ok_or_else(gone)?;
        let folder = self.folder();
        if !folder.join("info/attributes").exists() {
            self.make(&folder).await?;
        }
        let common = common_folder(&git_folder);
        let exclude = folder.join("info/exclude");
        let settings = ["config", "config.worktree", "info/exclude"].map(|name| common.join(name));
        let excludes = match is_newer_than_all(&exclude, &settings) {
            true => None,
            false => {
                let excludes = self.person(["config", "--type=path", "core.excludesFile"]);
                let excludes = excludes.output().await.ok().map(|output| output.text());
                Some(excludes)
            }
        };
        let update = move || -> io::Result<()> {
            if let Some(more) = excludes {
                // The later rule counts: the repository's own comes last.
                let named = more.as_ref().and_then(|more| fs::read(more).ok());
                let mut rules = named.unwrap_or_default();
                rules.push(b'\n');
                rules.extend(fs::read(common.join("info/exclude")).unwrap_or_default());
                fs::write(&exclude, rules)?;
                if more.is_some() {
                    // That file may change without a sign in the repository.
                    File::options()
                        .write(true)
                        .open(&exclude)?
                        .set_modified(SystemTime::UNIX_EPOCH)?;
                }
            }
            link_objects(&common.join("objects"), &folder.join("objects"))
        };
        tokio::task::spawn_blocking(update)
            .await
            .map_err(|error| io::Error::other(error.to_string()))
            .flatten()
            .map_err(|error| GitError::Impossible(format!("the snapshot cannot be made ({error})")))
    }

    /// Whether an earlier telecoder has left snapshots in the person's repository.
    pub fn has_old_snapshots(self) -> bool {
        let Some(folder) = self.git_folder() else {
            return false;
        };
        let common = common_folder(&folder);
        common.join("refs/telecoder").is_dir()
            || file::text(&common.join("packed-refs"))
                .is_some_and(|refs| refs.contains(" refs/telecoder/"))
    }

    /// Whether packs take much room that the person's repository has replaced: nobody else has a link to them.
    pub fn has_old_packs(self) -> bool {
        use std::os::unix::fs::MetadataExt;
        let packs = fs::read_dir(self.folder().join("objects/pack"));
        let packs = packs.into_iter().flatten().flatten();
        let only_ours = packs.filter_map(|pack| pack.metadata().ok().filter(|it| it.nlink() == 1));
        only_ours.map(|pack| pack.len()).sum::<u64>() > OLD_PACKS_MOST
    }

    async fn make(self, folder: &Path) -> Result<(), GitError> {
        let format = self.person(["rev-parse", "--show-object-format"]);
        let format = format!("--object-format={}", format.output().await?.text());
        let shown = folder.to_string_lossy().into_owned();
        let make = [
            "init",
            "--quiet",
            "--bare",
            "--template=",
            &format,
            "--",
            &shown,
        ];
        self.git
            .call(&self.git.scratch, with(&[&OWN], make))
            .output()
            .await?;
        let attributes = || -> io::Result<()> {
            fs::create_dir_all(folder.join("info"))?;
            // Last: with it the folder is whole.
            fs::write(folder.join("info/attributes"), BYTES)
        };
        attributes()
            .map_err(|error| GitError::Impossible(format!("the snapshot cannot be made ({error})")))
    }
}

/// Whether nothing of these was written in the second before a file, or after it.
fn is_newer_than_all(file: &Path, others: &[PathBuf]) -> bool {
    const COARSE: Duration = Duration::from_secs(1);
    let time = |path: &Path| fs::metadata(path).and_then(|there| there.modified()).ok();
    let Some(written) = time(file) else {
        return false;
    };
    let others = others.iter().filter_map(|other| time(other));
    others.into_iter().all(|other| other + COARSE < written)
}

fn with<'b>(
    settings: &[&[&'b str]],
    arguments: impl IntoIterator<Item = &'b str>,
) -> Vec<OsString> {
    let settings = settings
        .iter()
        .flat_map(|settings| settings.iter().copied());
    settings.chain(arguments).map(OsString::from).collect()
}

/// `.git`, or where it points to. Format: gitrepository-layout(5).
pub fn git_folder(workspace: &Path) -> Option<PathBuf> {
    let path = workspace.join(".git");
    if path.is_dir() {
        return Some(path);
    }
    let pointer = file::text(&path)?;
    Some(workspace.join(pointer.strip_prefix("gitdir:")?.trim()))
}

/// Where a worktree's repository has its objects and refs. Format: gitrepository-layout(5), `commondir`.
pub(super) fn common_folder(git_folder: &Path) -> PathBuf {
    match file::text(&git_folder.join("commondir")) {
        Some(common) => git_folder.join(common.trim()),
        None => git_folder.to_owned(),
    }
}

/// Links the objects that are new. Where the file system cannot, they are borrowed (`info/alternates`), and then depend
/// on the person's repository; so do those that it borrows itself.
fn link_objects(from: &Path, to: &Path) -> io::Result<()> {
    let mut borrowed = borrowed_by(from);
    let mut folders = vec![("pack".to_owned(), true)];
    for entry in fs::read_dir(from)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            folders.push((name, false));
        }
    }
    'all: for (name, is_packs) in folders {
        let (of, into) = (from.join(&name), to.join(&name));
        let Ok(entries) = fs::read_dir(&of) else {
            continue;
        };
        fs::create_dir_all(&into)?;
        for entry in entries.flatten() {
            let file = entry.file_name();
            let shown = file.to_string_lossy();
            let is_wanted = match is_packs {
                true => [".pack", ".idx", ".rev", ".promisor"]
                    .iter()
                    .any(|end| shown.starts_with("pack-") && shown.ends_with(end)),
                false => !shown.starts_with("tmp_"),
            };
            if !is_wanted {
                continue;
            }
            match fs::hard_link(entry.path(), into.join(&file)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                // It was packed meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => {
                    borrowed.push(from.to_string_lossy().into_owned());
                    break 'all;
                }
            }
        }
    }
    let alternates = to.join("info/alternates");
    if borrowed.is_empty() && !alternates.exists() {
        return Ok(());
    }
    fs::create_dir_all(to.join("info"))?;
    let known = fs::read_to_string(&alternates).unwrap_or_default();
    let mut lines: Vec<&str> = known.lines().collect();
    lines.extend(borrowed.iter().map(String::as_str));
    lines.sort_unstable();
    lines.dedup();
    fs::write(&alternates, lines.join("\n") + "\n")
}

/// The object folders that a repository borrows from. Format: gitrepository-layout(5), `objects/info/alternates`.
fn borrowed_by(objects: &Path) -> Vec<String> {
    let lines = fs::read_to_string(objects.join("info/alternates")).unwrap_or_default();
    let lines = lines
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    // One that is relative is so to the folder of the objects.
    lines
        .map(|line| objects.join(line).to_string_lossy().into_owned())
        .collect()
}
