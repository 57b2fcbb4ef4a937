//! What became of a repository's commits, branches, tags and stash since a snapshot.
//!
//! A commit is a run's own if it was made here: git's reflog says so, or no remote has it. The others that came were
//! brought, as by a pull. A commit is gone if neither a branch, a tag, the stash nor a remote has it any more.

use std::collections::BTreeSet;

use super::refs::{HEADS, Position, Refs};
use super::repository::Repository;
use super::{GitError, file};
use crate::domain::changes::{Commit, Commits, RefChange, Work};

/// How many commits are named.
const COMMITS_NAMED: usize = 10;
/// How many branches that are not checked out are told of.
const BRANCHES_TOLD: usize = 100;
/// How many characters of a commit's id are shown.
const ID_SHOWN: usize = 7;
/// git's clock for files and reflogs may be behind by so much, in seconds.
const SLACK: i64 = 1;

/// What is compared, since a moment.
pub struct History<'a> {
    pub repository: Repository<'a>,
    pub was: &'a Position,
    pub is: &'a Position,
    /// When the run began, in Unix seconds.
    pub moment: i64,
}

/// Commits with their subjects, the newest first.
type Listed = Vec<(String, String)>;

impl History<'_> {
    /// Adds it to the work. A repository of which nothing has moved is not asked.
    pub async fn add_to(&self, work: &mut Work) -> Result<(), GitError> {
        work.is_shared = self.is.shared.is_some();
        work.has_moved = (&self.is.head, &self.is.branch) != (&self.was.head, &self.was.branch);
        self.add_tags(work);
        if !work.has_moved && self.was.all_refs() == self.is.all_refs() {
            return Ok(());
        }
        let made = self.made().await;
        let before = commits_of(self.was);
        let of_head = self.is.head.iter().cloned().collect();
        let new = self.list(&of_head, &before, &[]).await?;
        let own = self.own(&new, &made).await?;
        work.brought = (new.len() - own.len()) as u64;
        work.commits = named(own);
        if let (Some(was), Some(is)) = (self.was.all_refs(), self.is.all_refs()) {
            self.add_branches(work, was, is, &made).await?;
            add_stash(work, was, is);
        }
        self.add_gone(work, &made).await
    }

    fn add_tags(&self, work: &mut Work) {
        let (Some(was), Some(is)) = (&self.was.tags, &self.is.tags) else {
            return;
        };
        let others = is.iter().filter(|(name, id)| was.get(*name) != Some(id));
        work.refs.extend(others.map(|(name, _)| RefChange::Tag {
            name: name.clone(),
            is_new: !was.contains_key(name),
        }));
        let gone = was.iter().filter(|(name, _)| !is.contains_key(*name));
        work.refs.extend(gone.map(|(name, id)| RefChange::TagGone {
            name: name.clone(),
            id: shortened(id),
        }));
    }

    async fn add_branches(
        &self,
        work: &mut Work,
        was: &Refs,
        is: &Refs,
        made: &BTreeSet<String>,
    ) -> Result<(), GitError> {
        let short = |name: &str| name.strip_prefix(HEADS).unwrap_or(name).to_owned();
        let is_other = |name: &str| Some(short(name)) != self.is.branch;
        let moved = is.branches.iter();
        let moved =
            moved.filter(|(name, id)| is_other(name) && was.branches.get(*name) != Some(id));
        let mut known = commits_of(self.was);
        known.extend(self.is.head.clone());
        for (name, tip) in moved.take(BRANCHES_TOLD) {
            let new = self.list(&[tip.clone()].into(), &known, &[]).await?;
            work.refs.push(RefChange::Branch {
                name: short(name),
                is_new: !was.branches.contains_key(name),
                commits: self.own(&new, made).await?.len() as u64,
            });
        }
        let gone = was.branches.iter();
        let gone = gone.filter(|(name, _)| !is.branches.contains_key(*name));
        work.refs
            .extend(gone.map(|(name, id)| RefChange::BranchGone {
                name: short(name),
                id: shortened(id),
            }));
        Ok(())
    }

    /// Commits of before, and those made since, that nothing has any more.
    async fn add_gone(&self, work: &mut Work, made: &BTreeSet<String>) -> Result<(), GitError> {
        // A stash is commits as well, and is told by itself.
        let before = heads_of(self.was);
        let from = before.union(made).cloned().collect();
        let mut now = commits_of(self.is);
        let mut gone = self.list(&from, &now, &["--tags", "--remotes"]).await?;
        if !gone.is_empty() {
            now.extend(self.heads_of_worktrees().await?);
            gone = self.list(&from, &now, &["--tags", "--remotes"]).await?;
        }
        work.gone = named(gone);
        Ok(())
    }

    /// What is checked out in all worktrees. Format: `git worktree list --porcelain`.
    async fn heads_of_worktrees(&self) -> Result<BTreeSet<String>, GitError> {
        let list = ["worktree", "list", "--porcelain"];
        let list = self.repository.person(list).output().await?.text();
        let heads = list.lines().filter_map(|line| line.strip_prefix("HEAD "));
        // A branch without a commit has zeros.
        let heads = heads.filter(|head| head.bytes().any(|byte| byte != b'0'));
        Ok(heads.map(str::to_owned).collect())
    }

    /// Those of the new commits that were made here.
    async fn own(&self, new: &Listed, made: &BTreeSet<String>) -> Result<Listed, GitError> {
        if new.is_empty() {
            return Ok(Listed::new());
        }
        let all = new.iter().map(|(id, _)| id.clone()).collect();
        let fetched = self.fetched();
        let only_here = self.list(&all, &fetched, &["--remotes"]).await?;
        let only_here: BTreeSet<String> = only_here.into_iter().map(|(id, _)| id).collect();
        let is_own = |id: &String| made.contains(id) || only_here.contains(id);
        Ok(new.iter().filter(|(id, _)| is_own(id)).cloned().collect())
    }

    /// What the last fetch has brought, also from an address that is no remote. Format: git-fetch(1), `FETCH_HEAD`.
    fn fetched(&self) -> BTreeSet<String> {
        let folder = self.repository.git_folder();
        let fetched = folder.and_then(|folder| file::text(&folder.join("FETCH_HEAD")));
        let fetched = fetched.unwrap_or_default();
        let ids = fetched.lines().filter_map(|line| line.split('\t').next());
        ids.map(str::to_owned).collect()
    }

    /// The commits that were made here since the moment, by the reflogs of all branches and worktrees; what a remote's
    /// branch got was made elsewhere.
    async fn made(&self) -> BTreeSet<String> {
        let log = [
            "log",
            "--walk-reflogs",
            "--exclude=refs/remotes/*",
            "--all",
            "--no-show-signature",
            "--date=unix",
            "--format=%H%x09%gd%x09%gs",
        ];
        let log = self.repository.person(log).keeping(usize::MAX).output();
        let log = log.await.map(|output| output.text()).unwrap_or_default();
        let made = log.lines().filter_map(|line| {
            let mut fields = line.splitn(3, '\t');
            let (id, selector, what) = (fields.next()?, fields.next()?, fields.next()?);
            let at = selector.rsplit_once("@{")?.1.trim_end_matches('}');
            let is_since = at.parse::<i64>().ok()? >= self.moment - SLACK;
            (is_since && makes_a_commit(what)).then(|| id.to_owned())
        });
        made.collect()
    }

    /// The commits that `from` have and `but` have not; objects that are missing count as none.
    async fn list(
        &self,
        from: &BTreeSet<String>,
        but: &BTreeSet<String>,
        but_refs: &[&str],
    ) -> Result<Listed, GitError> {
        if from.is_empty() {
            return Ok(Listed::new());
        }
        let from = from.iter().map(|id| format!("{id}\n"));
        let but = but.iter().map(|id| format!("^{id}\n"));
        let input: String = from.chain(but).collect();
        let mut log = vec![
            "log",
            "--no-show-signature",
            "--ignore-missing",
            "-z",
            "--format=%H%x09%s",
            "--stdin",
        ];
        if !but_refs.is_empty() {
            log.push("--not");
            log.extend(but_refs);
        }
        let log = self.repository.person(log).input(input.into_bytes());
        let log = log.keeping(usize::MAX).output().await?.text();
        let commits = log.split('\0').filter_map(|record| record.split_once('\t'));
        Ok(commits
            .map(|(id, subject)| (id.to_owned(), subject.to_owned()))
            .collect())
    }
}

/// Whether an entry of a reflog tells of a new commit, as `commit (amend): subject` does and `pull: Fast-forward` does
/// not.
fn makes_a_commit(what: &str) -> bool {
    const MAKING: [&str; 7] = [
        "commit",
        "cherry-pick",
        "revert",
        "am",
        "rebase",
        "merge",
        "pull",
    ];
    let (how, detail) = what.split_once(": ").unwrap_or((what, ""));
    let command = how.split(' ').next().unwrap_or_default();
    let only_moves = ["(start)", "(finish)", "(abort)", "(reset)"];
    MAKING.contains(&command)
        && !only_moves.iter().any(|step| how.contains(step))
        && (command == "commit" || !detail.to_ascii_lowercase().starts_with("fast-forward"))
}

/// The commits of all branches, and of what is checked out.
fn heads_of(position: &Position) -> BTreeSet<String> {
    let branches = position.all_refs().into_iter();
    let branches = branches.flat_map(|refs| refs.branches.values());
    position.head.iter().chain(branches).cloned().collect()
}

/// As [`heads_of`], and those of the stash.
fn commits_of(position: &Position) -> BTreeSet<String> {
    let stash = position.all_refs().into_iter();
    let stash = stash.flat_map(|refs| refs.stash.iter().cloned());
    heads_of(position).into_iter().chain(stash).collect()
}

fn add_stash(work: &mut Work, was: &Refs, is: &Refs) {
    let new = is.stash.iter().filter(|id| !was.stash.contains(id)).count();
    if new > 0 {
        work.refs.push(RefChange::Stashed(new as u64));
    }
    let gone = was.stash.iter().filter(|id| !is.stash.contains(id));
    let gone = gone.map(|id| RefChange::StashGone { id: shortened(id) });
    work.refs.extend(gone);
}

fn named(all: Listed) -> Commits {
    Commits {
        count: all.len() as u64,
        newest: all
            .into_iter()
            .take(COMMITS_NAMED)
            .map(|(id, subject)| Commit {
                id: shortened(&id),
                subject,
            })
            .collect(),
    }
}

fn shortened(id: &str) -> String {
    id.chars().take(ID_SHOWN).collect()
}
