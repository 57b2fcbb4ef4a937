//! What a snapshot says of a repository, and how its commit's message says it.

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
/// The line of the message that says that something was in progress.
const BUSY: &str = "in progress: a merge or its like";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub commit: String,
    /// All that it keeps.
    pub tree: String,
    pub position: Position,
    /// A merge, a rebase or their like was in progress.
    pub is_busy: bool,
    /// Of a repository inside a workspace.
    pub root: Option<Root>,
    pub beside: Beside,
}

impl Snapshot {
    /// Whether files, commit, branches and stash are the same.
    pub fn is_same_state(&self, other: &Snapshot) -> bool {
        self.tree == other.tree && self.position == other.position
    }

    /// The message of its commit.
    pub(super) fn message(&self) -> String {
        let Position { head, branch, refs } = &self.position;
        let named = |name: &Option<String>| name.clone().unwrap_or_default();
        let busy = if self.is_busy { BUSY } else { "" };
        let mut message = format!(
            "What the workspace was\n\n{BRANCH}{}\n{busy}\n{HEAD}{}",
            named(branch),
            named(head)
        );
        if let Some(refs) = refs {
            message.push_str(&format!("\n{ALL_REFS}"));
            for (name, commit) in &refs.branches {
                message.push_str(&format!("\n{REF}{commit} {name}"));
            }
            for commit in &refs.stash {
                message.push_str(&format!("\n{STASH}{commit}"));
            }
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
        let refs = || Refs {
            branches: said(REF)
                .filter_map(|line| line.split_once(' '))
                .map(|(commit, name)| (name.to_owned(), commit.to_owned()))
                .collect(),
            stash: said(STASH).map(str::to_owned).collect(),
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
                refs: message.lines().any(|line| line == ALL_REFS).then(refs),
            },
            is_busy: message.lines().any(|line| line == BUSY),
            root: Root::in_message(message),
            beside: Beside::in_message(message),
        })
    }
}
