//! The snapshots of a workspace: a git folder of telecoder's own, in which everything is kept as the bytes on the disk.
//!
//! `snapshots/<session>.git` in the data folder; `within/` in that has those of the repositories inside the workspace. Its `info/attributes` overrides every attribute that would change a
//! file's content (gitattributes(5)), whatever the workspace and the person have set. The person's objects are linked
//! into it, file by file, so a snapshot takes no room for what a commit has already, and loses nothing when the
//! person's repository is cleaned up. Nothing is ever written into the person's `.git` for a snapshot.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::call::Call;
use super::objects::{link_objects, take_over_ends};
use super::{Git, GitError, file};

/// In the folder of a workspace's snapshots.
const WITHIN: &str = "within";
/// So many bytes of old packs are kept before they are packed anew.
const OLD_PACKS_MOST: u64 = 200_000_000;
/// So many loose objects stay so; as `gc.auto` of git.
const LOOSE_MOST: usize = 6_700;
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
    /// The folder that has its files.
    pub workspace: &'a Path,
    /// The session's workspace: the same, or a folder around it.
    top: &'a Path,
}

impl<'a> Repository<'a> {
    pub fn new(git: &'a Git, workspace: &'a Path) -> Repository<'a> {
        Repository {
            git,
            workspace,
            top: workspace,
        }
    }

    /// A repository inside this one's workspace, by the path of its folder.
    pub fn inner(self, workspace: &'a Path) -> Repository<'a> {
        Repository { workspace, ..self }
    }

    /// Its path in the session's workspace; empty for that itself.
    pub fn name(self) -> &'a Path {
        self.workspace
            .strip_prefix(self.top)
            .unwrap_or(Path::new(""))
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
        // What is kept can be had even if the repository is gone.
        let at = match self.workspace.is_dir() {
            true => self.workspace,
            false => &self.git.scratch,
        };
        self.git
            .call(at, with(&[&OWN, &OF_SNAPSHOTS], arguments))
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
        let mut name = self.top.file_name().unwrap_or_default().to_owned();
        name.push(".git");
        let folder = self.git.snapshots.join(name);
        match self.name() {
            name if name.as_os_str().is_empty() => folder,
            // No folder of a workspace's files has that name.
            name => folder.join(WITHIN).join(name).join(".git"),
        }
    }

    /// The folders of all repositories inside that have snapshots, those around others first.
    pub fn inner_ones(self) -> Vec<PathBuf> {
        let stores = self.folder().join(WITHIN);
        let mut found = Vec::new();
        let mut folders = vec![stores.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                if entry.file_name() != ".git" {
                    folders.push(entry.path());
                } else if let Ok(name) = folder.strip_prefix(&stores) {
                    found.push(self.top.join(name));
                }
            }
        }
        found.sort();
        found
    }

    /// Whether no link leads to its folder from the session's workspace.
    pub fn is_inside(self) -> bool {
        let folders = self.workspace.ancestors();
        let mut inside = folders.take_while(|folder| *folder != self.top);
        inside.all(|folder| !folder.is_symlink())
    }

    /// Whether its folder is a repository now: one whose git folder is the workspace's, or a worktree of another one.
    pub fn is_there(self) -> bool {
        let Some(folder) = self.git_folder() else {
            return false;
        };
        if !folder.join("HEAD").exists() || !common_folder(&folder).join("objects").is_dir() {
            return false;
        }
        if self.workspace == self.top || common_folder(&folder) != folder {
            return self.is_inside();
        }
        let around = [Some(self.top.to_owned()), git_folder(self.top)];
        let around = around
            .iter()
            .flatten()
            .filter_map(|it| it.canonicalize().ok());
        let real = folder.canonicalize();
        let is_ours = real.is_ok_and(|real| around.into_iter().any(|it| real.starts_with(it)));
        is_ours && self.is_inside()
    }

    /// Makes a folder a repository, with the format of hashes that these snapshots have.
    pub(super) async fn init(self, folder: &Path) -> Result<(), GitError> {
        let format = self.snapshots(["rev-parse", "--show-object-format"]);
        let format = format!("--object-format={}", format.output().await?.text());
        let make = ["init", "--quiet", "--template=", &format];
        let make = self.git.call(folder, with(&[&OWN], make));
        make.output().await.map(drop)
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
        let newest = newest_of(&settings);
        let excludes = match newest == newest_of(std::slice::from_ref(&exclude)) {
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
                // Its time says what it was made from. A file named there may change without a sign in the repository.
                let made_from = newest.filter(|_| more.is_none());
                File::options()
                    .write(true)
                    .open(&exclude)?
                    .set_modified(made_from.unwrap_or(SystemTime::UNIX_EPOCH))?;
            }
            link_objects(&common.join("objects"), &folder.join("objects"))?;
            take_over_ends(&common.join("shallow"), &folder.join("shallow"))
        };
        tokio::task::spawn_blocking(update)
            .await
            .map_err(|error| io::Error::other(error.to_string()))
            .flatten()
            .map_err(|error| {
                GitError::Impossible(format!("the snapshot cannot be made ({error})"))
            })?;
        self.forget_ends().await
    }

    /// Once the person has the whole history of a clone that was shallow, the snapshots have it too.
    async fn forget_ends(self) -> Result<(), GitError> {
        let ends = self.folder().join("shallow");
        let persons = self.git_folder().map(|folder| common_folder(&folder));
        let is_shallow = persons.is_some_and(|persons| persons.join("shallow").exists());
        let Some(ends_there) = file::text(&ends).filter(|_| !is_shallow) else {
            return Ok(());
        };
        let parents: String = ends_there.lines().map(|end| format!("{end}^1\n")).collect();
        let ask = self
            .person(["cat-file", "--batch-check"])
            .input(parents.into_bytes());
        let said = ask.output().await?.text();
        if said.lines().all(|line| !line.ends_with(" missing")) {
            let _ = fs::remove_file(ends);
        }
        Ok(())
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
        let packs = fs::read_dir(self.folder().join("objects/pack"));
        let packs = packs.into_iter().flatten().flatten();
        let only_ours = packs.filter_map(|pack| pack.metadata().ok().filter(|it| it.nlink() == 1));
        only_ours.map(|pack| pack.len()).sum::<u64>() > OLD_PACKS_MOST
    }

    /// Whether so many objects are loose, each a file of its own, that they take much more room than in a pack.
    pub fn has_many_loose(self) -> bool {
        // Their names begin with a random byte. Those that are linked are the person's.
        let some = fs::read_dir(self.folder().join("objects/17"));
        let some = some.into_iter().flatten().flatten();
        let own = some.filter(|object| object.metadata().is_ok_and(|there| there.nlink() == 1));
        own.count() > LOOSE_MOST / 256
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

/// When the newest of these was written.
fn newest_of(files: &[PathBuf]) -> Option<SystemTime> {
    let written = files
        .iter()
        .filter_map(|file| file.metadata().ok()?.modified().ok());
    written.max()
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
