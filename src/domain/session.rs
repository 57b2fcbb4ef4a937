//! A session: what a chat talks to. One claude conversation in one workspace on one branch.

use crate::domain::check::Commands;
use crate::domain::id::ChatThread;
use crate::domain::id::ClaudeSessionId;
use crate::domain::id::SessionId;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::path::PathBuf;

/// A chat's conversation with claude.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub at: ChatThread,
    pub source: Source,
    /// The branch that was asked for by name.
    pub wanted_branch: Option<String>,
    /// Where claude works: always the same folder, as `--resume` needs it to the letter.
    pub workspace: PathBuf,
    /// The branch the workspace was set up on; none until then.
    pub branch: Option<String>,
    pub state: SessionState,
    /// What `--resume` goes on with; none before the first turn.
    pub claude_session: Option<ClaudeSessionId>,
    /// The model of the conversation's first turn, as claude named it. Named again for every later one:
    /// `--resume` alone would go on with a model of less context (seen on 2.1.197).
    pub model: Option<String>,
    pub checks: Commands,
    /// Failing checks are sent back to claude without anybody asking: `/autofix`.
    pub autofix: bool,
}

impl Session {
    /// One whose workspace is still to be made, in a folder of its own below `workspaces`.
    pub fn new(id: SessionId, at: ChatThread, source: Source, workspaces: &Path) -> Session {
        Session {
            workspace: workspaces.join(&id.0),
            id,
            at,
            source,
            wanted_branch: None,
            branch: None,
            state: SessionState::New,
            claude_session: None,
            model: None,
            checks: Commands::default(),
            autofix: false,
        }
    }
}

/// Where a workspace comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A new folder with an empty repository.
    Empty,
    /// A clone of this URL.
    Clone(String),
    /// A worktree of the repository in this folder.
    Worktree(PathBuf),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// The workspace is not made yet.
    New,
    Ready,
    /// The workspace could not be made; nothing can run here.
    Failed,
}

impl Source {
    /// A repository as a person would name it.
    pub fn name(&self) -> String {
        match self {
            Source::Empty => "-".to_owned(),
            Source::Clone(url) => url.clone(),
            Source::Worktree(path) => path.to_string_lossy().into_owned(),
        }
    }

    /// The last part of a repository's URL or path, without `.git`.
    pub fn short_name(&self) -> Option<String> {
        if *self == Source::Empty {
            return None;
        }
        let named = self.name();
        let name = named
            .trim_end_matches('/')
            .rsplit(['/', ':'])
            .next()
            .unwrap_or_default();
        let name = name.strip_suffix(".git").unwrap_or(name);
        (!name.is_empty()).then(|| name.to_owned())
    }
}
