//! What a run changed: each repository of the workspace now, against the snapshot that was taken before the run; one
//! that the run made, against what it began with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::changes::{Changes, Fate, Seen, Unseen, Work};
use crate::domain::id::RunId;
use crate::domain::run::Before;
use crate::git::beside::Beside;
use crate::git::history::History;
use crate::git::index::{self, Looked, OwnIndex};
use crate::git::refs::{self, Position};
use crate::git::repository::Repository;
use crate::git::{Git, GitError, begun, diff, ignored, inner, snapshot};

/// How long git may take; a workspace with millions of files is not measured.
const LIMIT: Duration = Duration::from_secs(60);

/// When the run began, and what it may have done.
#[derive(Clone, Copy)]
pub struct Since {
    /// Unix milliseconds.
    pub moment: i64,
    /// Else nobody looks for files that git ignores.
    pub can_have_written: bool,
}

/// The workspace's changes since just before the run. The error is for a person.
pub async fn changes(
    git: &Git,
    workspace: &Path,
    run: RunId,
    since: Since,
    before: &Before,
) -> Result<Changes, String> {
    let measured = async {
        if before.is_empty() && snapshot::is_empty(workspace) {
            return Ok(Changes::default());
        }
        let top = Repository::new(git, workspace);
        let all = All::of(top, run, before, since.moment).await?;
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
    /// Looks at all of them. `since` is when the run began, in Unix milliseconds. Errors are git's, about the
    /// workspace's own.
    pub async fn of(
        top: Repository<'a>,
        run: RunId,
        before: &Before,
        since: i64,
    ) -> Result<All<'a>, GitError> {
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
            let looked = match known.remove(&folder) {
                Some(began) => all.look(inner, began).await,
                None => all.look_at_new(inner, run, since / 1000).await,
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
        Ok(self.add(repository, began, index, looked))
    }

    /// As [`All::look`], at one that was not there before the run, or that nobody had looked at.
    async fn look_at_new(
        &mut self,
        repository: Repository<'_>,
        run: RunId,
        since: i64,
    ) -> Result<BTreeSet<PathBuf>, GitError> {
        let Some((fate, first)) = begun::since(repository, since) else {
            let why = "this repository is older than the run, and nobody had looked at it";
            self.leave_out(repository.name(), why);
            return Ok(BTreeSet::new());
        };
        let index = OwnIndex::within(&self.top.git.scratch);
        let looked = index::look(repository, &index).await?;
        let tree = match &first {
            Some(first) => begun::tree(repository, &index, first, &looked.large).await?,
            None => begun::nothing(repository).await?,
        };
        let began = match (&fate, &first) {
            (Fate::Cloned, Some(first)) => {
                Began::kept(snapshot::take_as_cloned(repository, first, tree, run).await?)
            }
            _ => Began::made(repository, fate, first, tree).await?,
        };
        Ok(self.add(repository, began, index, looked))
    }

    /// Returns the folders of the repositories inside.
    fn add(
        &mut self,
        repository: Repository<'_>,
        began: Began,
        index: OwnIndex,
        looked: Looked,
    ) -> BTreeSet<PathBuf> {
        if !looked.words.is_empty() {
            self.unseen.push(Unseen {
                what: String::new(),
                why: looked.words.trim_end().to_owned(),
            });
        }
        let inside = looked.repositories.clone();
        let one = One {
            began,
            index,
            looked,
        };
        self.repositories
            .insert(repository.workspace.to_owned(), one);
        inside
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

    /// Each, and the folders of all, of those that are gone or were not looked at, too.
    pub fn each(&self) -> (Vec<PathBuf>, impl Iterator<Item = (Repository<'_>, &One)>) {
        let unseen = self.unseen.iter().map(|unseen| &unseen.what);
        let unseen = unseen.filter(|name| !name.is_empty());
        let others = self.gone.iter().chain(unseen);
        let others = others.map(|name| self.top.workspace.join(name));
        let folders = self.repositories.keys().cloned().chain(others).collect();
        let each = self.repositories.iter();
        let each = each.map(|(folder, one)| (self.top.inner(folder), one));
        (folders, each)
    }

    /// The folders of repositories that are gone, and what was not looked at.
    pub fn missing(self) -> (Vec<String>, Vec<Unseen>) {
        (self.gone, self.unseen)
    }

    async fn changes(self, since: Since) -> Result<Changes, GitError> {
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
            let name = repository.name().join("").to_string_lossy().into_owned();
            let mut work = match one.work(repository, since.moment, &folders).await {
                Ok(work) => work,
                Err(error) if name.is_empty() => return Err(error),
                Err(error) => {
                    let why = in_words(&error);
                    changes.unseen.push(Unseen { what: name, why });
                    continue;
                }
            };
            if since.can_have_written {
                let is_new = work.fate.is_some();
                let found = ignored::written(repository, since.moment, is_new).await?;
                work.ignored = found.ignored;
                if !found.is_whole {
                    changes.unseen.push(Unseen {
                        what: name.clone(),
                        why: "there are too many files that git ignores".to_owned(),
                    });
                }
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

    /// With this commit, if any.
    async fn made(
        repository: Repository<'_>,
        fate: Fate,
        first: Option<String>,
        tree: String,
    ) -> Result<Began, GitError> {
        let mut position = refs::look(repository).await?;
        // Only what is checked out counts.
        let (branch, first_there) = (position.branch.clone(), first.as_deref());
        for refs in [&mut position.refs, &mut position.shared]
            .into_iter()
            .flatten()
        {
            refs.set_branch(branch.as_deref(), first_there);
        }
        position.head = first;
        Ok(Began {
            tree,
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
        // Nobody has looked at those of a new one before.
        let is_known = !matches!(
            self.began.fate,
            Some(Fate::Cloned | Fate::Submodule | Fate::Worktree)
        );
        let large = self.looked.beside.large_since(&self.began.beside);
        for path in large.into_iter().filter(|_| is_known) {
            files.push_unread(&repository.name().join(path));
        }
        let mut work = Work {
            files,
            branch: is.branch.clone(),
            too_large: self.looked.large.clone(),
            fate: self.began.fate.clone(),
            ..Work::default()
        };
        let history = History {
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
