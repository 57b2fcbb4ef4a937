//! What a run changed: each repository of the workspace now, against the snapshot that was taken before the run; one
//! that the run made, against what it began with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::changes::{Changes, Fate, Seen, Unseen, Work};
use crate::domain::id::RunId;
use crate::domain::run::Before;
use crate::git::beside::Beside;
use crate::git::history::Since;
use crate::git::index::{self, Looked, OwnIndex};
use crate::git::refs::{self, Position};
use crate::git::repository::Repository;
use crate::git::{Git, GitError, begun, diff, ignored, inner, snapshot};

/// How long git may take; a workspace with millions of files is not measured.
const LIMIT: Duration = Duration::from_secs(60);

/// The workspace's changes since just before the run. The error is for a person.
///
/// `since` is when the run began, in Unix milliseconds.
pub async fn changes(
    git: &Git,
    workspace: &Path,
    run: RunId,
    since: i64,
    before: &Before,
) -> Result<Changes, String> {
    let measured = async {
        if before.is_empty() && snapshot::is_empty(workspace) {
            return Ok(Changes::default());
        }
        let top = Repository::new(git, workspace);
        let all = All::of(top, run, before).await?;
        all.changes(since).await
    };
    match tokio::time::timeout(LIMIT, measured).await {
        Ok(Ok(changes)) => Ok(changes),
        Ok(Err(error)) => Err(in_words(&error)),
        Err(_) => Err(format!("git took longer than {} s", LIMIT.as_secs())),
    }
}

/// The repositories of a workspace, each with what it is compared with.
pub struct All<'a> {
    top: Repository<'a>,
    /// By their folders; the workspace's own is first.
    repositories: BTreeMap<PathBuf, One>,
    /// The names of those that are gone.
    gone: Vec<String>,
    unseen: Vec<Unseen>,
}

/// A repository that was looked at.
pub struct One {
    pub began: Began,
    pub index: OwnIndex,
    looked: Looked,
}

/// What a repository is compared with.
pub struct Began {
    /// A commit or a tree of the snapshots.
    pub tree: String,
    position: Position,
    beside: Beside,
    fate: Option<Fate>,
}

impl<'a> All<'a> {
    /// Looks at all of them. Errors are git's, about the workspace's own.
    pub async fn of(top: Repository<'a>, run: RunId, before: &Before) -> Result<All<'a>, GitError> {
        let before = snapshot::before(top, run, before).await?;
        let unkept = before.beside.unkept.clone();
        let mut known: BTreeMap<PathBuf, Began> = BTreeMap::new();
        for (folder, before) in inner::found_by(top, run).await? {
            known.insert(folder, Began::kept(before));
        }
        let mut all = All {
            top,
            repositories: BTreeMap::new(),
            gone: Vec::new(),
            unseen: Vec::new(),
        };
        for name in &unkept {
            all.leave_out(name, "this repository could not be kept before the run");
        }
        let mut waiting = all.look(top, Began::kept(before)).await?;
        waiting.extend(known.keys().cloned());
        while let Some(folder) = waiting.pop_first() {
            let inner = top.inner(&folder);
            let is_known = known.contains_key(&folder);
            if all.repositories.contains_key(&folder) || unkept.contains(inner.name()) {
                continue;
            }
            if !inner.is_there() {
                if is_known {
                    all.miss(inner);
                }
                continue;
            }
            let began = match known.remove(&folder) {
                Some(began) => Ok(began),
                None => Began::made(inner, run).await,
            };
            let looked = match began {
                Ok(began) => all.look(top.inner(&folder), began).await,
                Err(error) => Err(error),
            };
            match looked {
                Ok(more) => waiting.extend(more),
                Err(error) => all.leave_out(inner.name(), &in_words(&error)),
            }
        }
        Ok(all)
    }

    /// Returns the folders of the repositories inside.
    async fn look(
        &mut self,
        repository: Repository<'_>,
        began: Began,
    ) -> Result<BTreeSet<PathBuf>, GitError> {
        let index = OwnIndex::within(&self.top.git.scratch);
        let looked = index::look(repository, &index).await?;
        if !looked.words.is_empty() {
            self.unseen.push(Unseen {
                what: String::new(),
                why: looked.words.trim_end().to_owned(),
            });
        }
        let inside = looked.repositories.clone();
        let folder = repository.workspace.to_owned();
        let one = One {
            began,
            index,
            looked,
        };
        self.repositories.insert(folder, one);
        Ok(inside)
    }

    /// It was there before the run.
    fn miss(&mut self, inner: Repository<'_>) {
        if inner.workspace.join(".git").symlink_metadata().is_ok() {
            self.leave_out(inner.name(), "this repository cannot be read any more");
        } else {
            let name = inner.name().join("");
            self.gone.push(name.to_string_lossy().into_owned());
        }
    }

    fn leave_out(&mut self, name: &Path, why: &str) {
        self.unseen.push(Unseen {
            what: name.join("").to_string_lossy().into_owned(),
            why: why.to_owned(),
        });
    }

    /// Each, and the folders of all, of those that are gone too.
    pub fn each(&self) -> (Vec<PathBuf>, impl Iterator<Item = (Repository<'_>, &One)>) {
        let gone = self.gone.iter().map(|name| self.top.workspace.join(name));
        let folders = self.repositories.keys().cloned().chain(gone).collect();
        let each = self.repositories.iter();
        let each = each.map(|(folder, one)| (self.top.inner(folder), one));
        (folders, each)
    }

    async fn changes(self, since: i64) -> Result<Changes, GitError> {
        let mut changes = Changes {
            unseen: self.unseen.clone(),
            ..Changes::default()
        };
        for name in &self.gone {
            let gone = Work {
                fate: Some(Fate::Gone),
                ..Work::default()
            };
            changes.inside.insert(name.clone(), gone);
        }
        let (folders, each) = self.each();
        for (repository, one) in each {
            let mut work = one.work(repository, since, &folders).await?;
            let found = ignored::written(repository, since, work.fate.is_some()).await?;
            work.ignored = found.ignored;
            let name = repository.name().join("").to_string_lossy().into_owned();
            if !found.is_whole && work.ignored.count == 0 {
                changes.unseen.push(Unseen {
                    what: name.clone(),
                    why: "there are too many files that git ignores".to_owned(),
                });
            }
            match name.as_str() {
                "" => changes.own = work,
                _ if work.is_silent() && work.ignored.count == 0 => {}
                _ => drop(changes.inside.insert(name, work)),
            }
        }
        // Without changes, nobody asks what is pushed.
        if changes.seen() == Seen::Changed {
            changes.own.remote = diff::remote(self.top).await?;
            let inside = changes.inside.iter_mut();
            for (name, work) in inside.filter(|(_, work)| work.fate != Some(Fate::Gone)) {
                let folder = self.top.workspace.join(name);
                work.remote = diff::remote(self.top.inner(&folder)).await?;
            }
        }
        Ok(changes)
    }
}

impl Began {
    fn kept(before: snapshot::Snapshot) -> Began {
        Began {
            tree: before.commit,
            position: before.position,
            beside: before.beside,
            fate: before.is_as_cloned.then_some(Fate::Cloned),
        }
    }

    /// With a clone's or a worktree's first commit, or with nothing.
    async fn made(repository: Repository<'_>, run: RunId) -> Result<Began, GitError> {
        repository.open().await?;
        let (fate, first) = begun::by(repository);
        if let (Fate::Cloned, Some(first)) = (&fate, &first) {
            let before = begun::keep_as_cloned(repository, run, first).await?;
            return Ok(Began::kept(before));
        }
        let is = refs::look(repository).await?;
        let position = Position {
            head: first.clone(),
            branch: is.branch.clone(),
            // Only what is checked out counts.
            refs: is.refs.map(|mut refs| {
                refs.set_branch(is.branch.as_deref(), first.as_deref());
                refs
            }),
            shared: is.shared,
            tags: is.tags,
        };
        Ok(Began {
            tree: match first {
                Some(first) => first,
                None => begun::nothing(repository).await?,
            },
            position,
            beside: Beside::default(),
            fate: Some(fate),
        })
    }
}

impl One {
    async fn work(
        &self,
        repository: Repository<'_>,
        since: i64,
        others: &[PathBuf],
    ) -> Result<Work, GitError> {
        let (files, is) = tokio::join!(
            diff::files(repository, &self.began.tree, &self.index, others),
            refs::look(repository),
        );
        let (mut files, is) = (files?, is?);
        match self.began.fate {
            // Nobody has looked at its large files before.
            Some(Fate::Cloned | Fate::Worktree) => {
                let large = self.looked.large.iter();
                let large: Vec<PathBuf> = large.map(|path| repository.name().join(path)).collect();
                files.leave_out(|file| large.iter().any(|path| path == Path::new(&file.path)));
            }
            _ => {
                for path in self.looked.beside.large_since(&self.began.beside) {
                    files.push_unread(&repository.name().join(path));
                }
            }
        }
        let mut work = Work {
            files,
            branch: is.branch.clone(),
            too_large: self.looked.large.clone(),
            fate: self.began.fate.clone(),
            ..Work::default()
        };
        let history = Since {
            repository,
            was: &self.began.position,
            is: &is,
            moment: since / 1000,
        };
        history.add_to(&mut work).await?;
        Ok(work)
    }
}

/// A file as it was before a run, if it was there and is a text.
pub async fn file_before(git: &Git, workspace: &Path, run: RunId, name: &str) -> Option<String> {
    let top = Repository::new(git, workspace);
    let before = snapshot::before(top, run, &Before::Kept).await.ok()?;
    snapshot::file(top, &before, name).await.ok()
}

/// The reason, and git's words if there are any.
pub fn in_words(error: &GitError) -> String {
    match error.words() {
        "" => error.reason(),
        words => format!("{}: {words}", error.reason()),
    }
}
