//! What is said about workspaces: made, not made, and what was done in them beside runs.

use std::time::Duration;

use super::button::Press;
use super::evidence::{file_list, summary};
use super::live::{LiveText, one_line, ticking};
use super::text::{duration, without_password};
use super::{Body, Outgoing};
use crate::git::diff::{Changed, Remote};
use crate::git::push::Pushed;
use crate::git::remarks::Remark;
use crate::git::source::Unusable;
use crate::id::RunId;
use crate::session::Source;
use crate::verify::Changes;

/// `/new`, as soon as it is written down.
pub fn new_session(source: &Source, waits_for_run: bool) -> Outgoing {
    let what = match source {
        Source::Empty => "A fresh session in an empty workspace".to_owned(),
        Source::Clone(url) => format!("A fresh session on a clone of {}", without_password(url)),
        Source::Worktree(path) => format!("A fresh session on a worktree of {}", path.display()),
    };
    let when = match (source, waits_for_run) {
        (_, true) => {
            "It is set up when the run that is going on has ended; /stop ends that one now."
        }
        (Source::Clone(_), false) => "Cloning; I tell you when it is ready.",
        (_, false) => "Setting it up.",
    };
    Outgoing::note(format!("{what}. {when}"))
}

/// The workspace is there.
pub fn workspace_ready(source: &Source, branch: &str, remarks: &[Remark]) -> Outgoing {
    let what = match source {
        Source::Empty => "The workspace is empty".to_owned(),
        Source::Clone(url) => format!("{} is cloned", without_password(url)),
        Source::Worktree(path) => format!("The worktree of {} is there", path.display()),
    };
    let mut text = format!("{what}, on branch {branch}.");
    for remark in remarks {
        text.push(' ');
        text.push_str(&remarked(remark));
    }
    text.push_str(" What is next?");
    Outgoing::note(text)
}

/// The workspace is there, and a prompt waits for it: only what the person would not expect is said.
pub fn remarks(remarks: &[Remark]) -> Option<Outgoing> {
    let sentences: Vec<String> = remarks.iter().map(remarked).collect();
    (!sentences.is_empty()).then(|| Outgoing::note(sentences.join(" ")))
}

fn remarked(remark: &Remark) -> String {
    match remark {
        Remark::Submodules(paths) => {
            let named: Vec<&str> = paths.iter().take(5).map(String::as_str).collect();
            format!(
                "Its submodules are not checked out ({}{}); git submodule update --init does that.",
                named.join(", "),
                if paths.len() > named.len() { ", …" } else { "" }
            )
        }
        Remark::LargeFiles(1) => {
            "1 file is in Git LFS and only a pointer here, because git-lfs is not set up on this machine."
                .to_owned()
        }
        Remark::LargeFiles(many) => format!(
            "{many} files are in Git LFS and only pointers here, because git-lfs is not set up on this machine."
        ),
    }
}

/// What is shown while a workspace is made; `said` is git's newest line.
pub fn setting_up(source: &Source, elapsed: Duration, said: &str) -> LiveText {
    let what = match source {
        Source::Clone(url) => format!("Cloning {}", without_password(url)),
        Source::Empty | Source::Worktree(_) => "Setting up the workspace".to_owned(),
    };
    let mut text = LiveText::plain(format!("{what} · {}", duration(ticking(elapsed))));
    if !said.is_empty() {
        text.push("\n");
        text.push(&one_line(&without_password(said), 80));
    }
    text
}

/// Where the chat is when a session came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackIn {
    /// The session it had before.
    Previous,
    /// A newer one, where it was already.
    Newer,
    /// None; its next message makes one.
    None,
}

/// The workspace could not be made; `words` are git's own.
pub fn workspace_failed(
    source: &Source,
    reason: &str,
    words: &str,
    back_in: BackIn,
    dropped: usize,
) -> Outgoing {
    let what = match source {
        Source::Empty => "The workspace could not be made".to_owned(),
        Source::Clone(url) => format!("{} could not be cloned", without_password(url)),
        Source::Worktree(path) => {
            format!("No worktree of {} could be made", path.display())
        }
    };
    let mut text = format!("{what}: {reason}. ");
    text.push_str(match back_in {
        BackIn::Previous => {
            "Nothing was left behind, and the chat is back in the session it had before."
        }
        BackIn::Newer => "Nothing was left behind; the newer session goes on.",
        BackIn::None => {
            "Nothing was left behind; the next message starts a session in an empty workspace."
        }
    });
    match dropped {
        0 => {}
        1 => text.push_str(" The prompt that waited for it was not run; send it again."),
        many => text.push_str(&format!(
            " The {many} prompts that waited for it were not run; send them again."
        )),
    }
    Outgoing::note(text).quoting(without_password(words)).loud()
}

/// A prompt for a session whose workspace could not be made.
pub fn no_workspace() -> Outgoing {
    Outgoing::note(
        "The prompt was not run, because this session has no workspace: it could not be made. /new starts a \
         fresh session; then send the prompt again.",
    )
    .loud()
}

/// `/new` names something that no workspace can be made of. `known` are names of repositories seen before.
pub fn unusable(named: &str, why: &Unusable, known: &[String]) -> Outgoing {
    let shown = without_password(named);
    let mut text = match why {
        Unusable::Unknown => format!(
            "{shown} is neither a URL that git can clone, nor a folder on this machine, nor the name of a \
             repository seen before, so nothing was changed. Give the URL of a repository, or a full path to one."
        ),
        Unusable::Transport(transport) => format!(
            "Nothing was changed: a URL with {transport} can do more than name a repository, so it is not \
             taken. Use https, ssh, git or file, or a path."
        ),
        Unusable::Outside(roots) => {
            let roots: Vec<String> = roots
                .iter()
                .map(|root| root.display().to_string())
                .collect();
            format!(
                "Nothing was changed: repositories on this machine may only be in {} (TELECODER_REPO_ROOTS), \
                 and {shown} is not.",
                roots.join(", ")
            )
        }
    };
    if *why == Unusable::Unknown && !known.is_empty() {
        text.push_str(&format!(" Seen before: {}.", known.join(", ")));
    }
    Outgoing::note(text)
}

/// `/stop` while a workspace is being made.
pub fn setting_up_stopped(source: &Source, dropped: usize) -> Outgoing {
    let what = match source {
        Source::Empty => "Setting up the workspace was stopped",
        Source::Clone(_) => "Cloning was stopped",
        Source::Worktree(_) => "Making the worktree was stopped",
    };
    let waited = match dropped {
        0 => "",
        1 => " The prompt that waited for it was dropped; it was not run.",
        _ => " The prompts that waited for it were dropped; they were not run.",
    };
    Outgoing::note(format!(
        "{what}, and nothing of it was left behind.{waited}"
    ))
    .urgent()
}

/// A command for a workspace that is not there.
pub fn no_session() -> Outgoing {
    Outgoing::note("There is no workspace yet: your first message, or /new, makes one.")
}

/// A command for a workspace that is still being made.
pub fn not_ready() -> Outgoing {
    Outgoing::note("Nothing was done: this session has no workspace, or it is still being set up.")
}

/// `/undo` or `/diff` before anything has run.
pub fn nothing_has_run() -> Outgoing {
    Outgoing::note(
        "There is nothing to show or to take back: nothing has run in this session yet, or all of it is undone.",
    )
}

/// `/undo` while a run goes on.
pub fn undo_waits() -> Outgoing {
    Outgoing::note("A run is going on; /stop ends it, and then /undo takes its changes back.")
}

/// `/diff`, a short one.
pub fn diff(patch: &str) -> Outgoing {
    // Longer than any run of backticks in it.
    let mut longest = 0;
    let mut current = 0;
    for character in patch.chars() {
        current = if character == '`' { current + 1 } else { 0 };
        longest = longest.max(current);
    }
    let fence = "`".repeat(longest.max(2) + 1);
    Outgoing::of(Body::Answer {
        markdown: format!("{fence}diff\n{}\n{fence}", patch.trim_end_matches('\n')),
        footer: "Since before the last run".to_owned(),
    })
}

/// `/diff`, a long one; of a very long one only the beginning is there.
pub fn long_diff(patch: String, files: &[Changed], is_cut: bool) -> Outgoing {
    let cut = if is_cut {
        "; the file has only its beginning"
    } else {
        ""
    };
    Outgoing::of(Body::File {
        name: "changes.diff".to_owned(),
        content: patch,
        caption: format!("{}, since before the last run{cut}", summary(files)),
    })
}

/// `/diff` where nothing differs.
pub fn no_diff() -> Outgoing {
    Outgoing::note("Nothing differs from what was there before the last run.")
}

/// `/push` has worked.
pub fn pushed(pushed: &Pushed) -> Outgoing {
    if pushed.up_to_date {
        return Outgoing::note(format!(
            "Everything on {} was pushed already.",
            pushed.branch
        ));
    }
    let link = match &pushed.link {
        Some(link) => format!(" For a pull request: {link}"),
        None => String::new(),
    };
    Outgoing::note(format!("{} is pushed.{link}", pushed.branch))
}

/// `/push` has not.
pub fn not_pushed(reason: &str, words: &str) -> Outgoing {
    Outgoing::note(format!(
        "It was not pushed: {reason}. Nothing was forced, and what is here stays as it is."
    ))
    .quoting(without_password(words))
    .loud()
}

/// What is shown while a push goes on; `said` is git's newest line.
pub fn pushing(elapsed: Duration, said: &str) -> LiveText {
    let mut text = LiveText::plain(format!("Pushing · {}", duration(ticking(elapsed))));
    if !said.is_empty() {
        text.push("\n");
        text.push(&one_line(&without_password(said), 80));
    }
    text
}

/// A job that somebody stopped, other than checks.
pub fn job_stopped(what: &str) -> Outgoing {
    Outgoing::note(format!("{what} was stopped.")).urgent()
}

/// A job failed again and again.
pub fn job_given_up() -> Outgoing {
    Outgoing::note(
        "What was asked for could not be done, three times; the log says why. The workspace is as it was left, and \
         what waits goes on.",
    )
    .loud()
}

/// git could not say or do something.
pub fn git_failed(what: &str, reason: &str, words: &str) -> Outgoing {
    Outgoing::note(format!("{what}: {reason}. Nothing was changed."))
        .quoting(without_password(words))
}

/// `/undo`: what would go away.
pub fn ask_undo(run: RunId, asked: &str, changes: &Changes) -> Outgoing {
    let (files, commits) = (&changes.files, &changes.commits);
    let mut text = format!(
        "Undo takes the workspace back to what it was before the last run (“{}”). This goes away: {}",
        one_line(asked, 60),
        lowercased(&summary(files)),
    );
    match commits.count {
        0 => {}
        1 => text.push_str(", 1 commit"),
        many => text.push_str(&format!(", {many} commits")),
    }
    text.push_str(". It can be taken back afterwards. Files that git ignores stay as they are.");
    if commits.count > 0 && changes.remote == Remote::Ahead(0) {
        text.push_str(" What was pushed stays pushed.");
    }
    if !changes.left_out.is_empty() {
        text.push_str(" Files that git cannot take in stay as they are, too.");
    }
    Outgoing::of(Body::Evidence {
        text,
        folded: file_list(files).into_iter().collect(),
    })
    .with_button("Undo", Press::Undo(run))
}

/// `/undo` where nothing differs.
pub fn nothing_to_undo() -> Outgoing {
    Outgoing::note("There is nothing to undo: the workspace is as it was before the last run.")
}

/// An undo is done. `left` are files that are not as they were.
pub fn undone(run: RunId, left: &[Changed]) -> Outgoing {
    let mut text =
        "Undone: the workspace is as it was before that run. claude does not know; tell it if it \
                    matters."
            .to_owned();
    if !left.is_empty() {
        text = format!(
            "Undone, but for {}, which git could not take back; look at that yourself, or ask claude.",
            match left {
                [only] => only.path.clone(),
                many => format!("{} files", many.len()),
            }
        );
    }
    Outgoing::of(Body::Evidence {
        text,
        folded: file_list(left).into_iter().collect(),
    })
    .with_button("Take the undo back", Press::Redo(run))
}

/// An undo stopped on its way.
pub fn not_undone(reason: &str, words: &str) -> Outgoing {
    Outgoing::note(format!(
        "It was not undone to the end: {reason}. What the run had left is kept; /undo tries it again."
    ))
    .quoting(without_password(words))
    .loud()
}

/// The press on Undo came too late.
pub fn not_undone_any_more() -> Outgoing {
    Outgoing::note(
        "Nothing was undone: another run has begun meanwhile. /undo says what an undo would take away now.",
    )
}

/// The undo of a run was taken back.
pub fn redone() -> Outgoing {
    Outgoing::note("The undo is taken back: the workspace is as the run had left it.")
}

/// The undo of a run cannot be taken back any more.
pub fn not_redone() -> Outgoing {
    Outgoing::note(
        "The undo was not taken back, and nothing was changed: the workspace has changed since, and that would \
         be lost.",
    )
}

fn lowercased(text: &str) -> String {
    text.replacen("No file", "no file", 1)
}
