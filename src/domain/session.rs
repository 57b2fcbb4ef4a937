//! A session: one conversation with claude, in one workspace, on one branch.

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
    /// The branch named in the request.
    pub wanted_branch: Option<String>,
    /// claude's working folder. It never changes, because `--resume` needs exactly this path.
    pub workspace: PathBuf,
    /// The branch the workspace was set up on; `None` until then.
    pub branch: Option<String>,
    pub state: SessionState,
    /// The argument of `--resume`; `None` before the first turn.
    pub claude_session: Option<ClaudeSessionId>,
    /// The model of the conversation's first turn, in claude's spelling. Later runs name it again, because `--resume`
    /// alone switches to a model with less context (seen on 2.1.197).
    pub model: Option<String>,
    pub checks: Commands,
    /// Failing checks go back to claude automatically: `/autofix`.
    pub autofix: bool,
}

impl Session {
    /// A session whose workspace is still to be made, in its own folder below `workspaces`.
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

/// What claude said at the beginning of its newest turn: how it really works, whatever it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reported {
    /// In claude's spelling.
    pub model: String,
    /// The permission mode in claude's spelling; empty if it did not say.
    pub mode: String,
}

/// The source of a workspace.
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
    /// The source as a person would name it.
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
