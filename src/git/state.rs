//! What a snapshot says of a repository, and how its commit's message says it.

use std::collections::BTreeMap;

use super::beside::Beside;
use super::inner::Root;
use super::refs::{Position, Refs};

/// The prefix of the message's line that names the branch.
const BRANCH: &str = "branch: ";
/// The lines that name the commit that was checked out, a branch and its commit, and a stashed commit.
const HEAD: &str = "head: ";
const ALL_REFS: &str = "all branches:";
const REF: &str = "ref: ";
const STASH: &str = "stash: ";
/// The same of the repository of which it is a worktree, and tags.
const SHARED_REFS: &str = "all branches, shared:";
const SHARED_REF: &str = "shared ref: ";
const SHARED_STASH: &str = "shared stash: ";
const ALL_TAGS: &str = "all tags:";
const TAG: &str = "tag: ";
/// The lines of the message that say that it is a clone's beginning, and that something was in progress.
const AS_CLONED: &str = "as it was cloned";
const BUSY: &str = "in progress: a merge or its like";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub commit: String,
    /// All that it keeps.
    pub tree: String,
    pub position: Position,
    /// A merge, a rebase or their like was in progress.
    pub is_busy: bool,
    /// It is not what was before the run: that has cloned the repository, and this is what it got.
    pub is_as_cloned: bool,
    /// Of a repository inside a workspace.
    pub root: Option<Root>,
    pub beside: Beside,
}

impl Snapshot {
    /// Whether files, commit, branches and stash are the same.
    pub fn is_same_state(&self, other: &Snapshot) -> bool {
        self.tree == other.tree && self.position.is_same(&other.position)
    }

    /// The message of its commit.
    pub(super) fn message(&self) -> String {
        let Position {
            head,
            branch,
            refs,
            shared,
            tags,
        } = &self.position;
        let named = |name: &Option<String>| name.clone().unwrap_or_default();
        let busy = if self.is_busy { BUSY } else { "" };
        let mut message = format!(
            "What the workspace was\n\n{BRANCH}{}\n{busy}\n{HEAD}{}",
            named(branch),
            named(head)
        );
        let mut add = |refs: &Option<Refs>, all: &str, one: &str, stash: &str| {
            let Some(refs) = refs else { return };
            message.push_str(&format!("\n{all}"));
            for (name, commit) in &refs.branches {
                message.push_str(&format!("\n{one}{commit} {name}"));
            }
            for commit in &refs.stash {
                message.push_str(&format!("\n{stash}{commit}"));
            }
        };
        add(refs, ALL_REFS, REF, STASH);
        add(shared, SHARED_REFS, SHARED_REF, SHARED_STASH);
        if let Some(tags) = tags {
            message.push_str(&format!("\n{ALL_TAGS}"));
            for (name, id) in tags {
                message.push_str(&format!("\n{TAG}{id} {name}"));
            }
        }
        if self.is_as_cloned {
            message.push_str(&format!("\n{AS_CLONED}"));
        }
        message.push_str(&self.root.as_ref().map(Root::line).unwrap_or_default());
        message.push_str(&self.beside.lines());
        message
    }

    /// From a commit: `commit tree parents LF message`.
    pub(super) fn read(record: &str) -> Option<Snapshot> {
        let (names, message) = record.split_once('\n')?;
        let mut names = names.split(' ');
        let mut name = || names.next().unwrap_or_default().to_owned();
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let said = |what: &'static str| {
            let lines = message.lines();
            lines.filter_map(move |line| line.strip_prefix(what))
        };
        let named = |what| -> BTreeMap<String, String> {
            said(what)
                .filter_map(|line| line.split_once(' '))
                .map(|(commit, name)| (name.to_owned(), commit.to_owned()))
                .collect()
        };
        let has = |heading: &str| message.lines().any(|line| line == heading);
        let refs = |heading, one, stash| {
            has(heading).then(|| Refs {
                branches: named(one),
                stash: said(stash).map(str::to_owned).collect(),
            })
        };
        Some(Snapshot {
            commit: name(),
            tree: name(),
            position: Position {
                head: match said(HEAD).next() {
                    Some(head) => some(head),
                    // An earlier telecoder kept it as the only parent.
                    None => some(&name()),
                },
                branch: said(BRANCH).next().and_then(some),
                refs: refs(ALL_REFS, REF, STASH),
                shared: refs(SHARED_REFS, SHARED_REF, SHARED_STASH),
                tags: has(ALL_TAGS).then(|| named(TAG)),
            },
            is_busy: has(BUSY),
            is_as_cloned: has(AS_CLONED),
            root: Root::in_message(message),
            beside: Beside::in_message(message),
        })
    }
}
