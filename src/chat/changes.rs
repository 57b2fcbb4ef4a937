//! Replies about a run's changes: `/diff`, `/undo` and `/push`.

use std::time::Duration;

use super::evidence::{file_list, summary};
use super::live::ticking;
use super::text::duration;
use crate::domain::button::Press;
use crate::domain::changes::Changes;
use crate::domain::changes::Pushed;
use crate::domain::changes::{Files, Remote};
use crate::domain::id::RunId;
use crate::domain::live::LiveText;
use crate::domain::outgoing::{Body, Outgoing};
use crate::domain::shown::one_line;
use crate::domain::shown::without_password;

/// A command needs a workspace, and there is none.
pub fn no_session() -> Outgoing {
    Outgoing::note("There is no workspace yet: your first message, or /new, makes one.")
}

/// A command needs a workspace that is not ready.
pub fn not_ready() -> Outgoing {
    Outgoing::note("Nothing was done: this session has no workspace, or it is still being set up.")
}

/// `/undo` or `/diff` before anything has run.
pub fn nothing_has_run() -> Outgoing {
    Outgoing::note(
        "Nothing to show or take back: nothing has run in this session yet, or everything is undone.",
    )
}

/// `/undo` during a run.
pub fn undo_waits() -> Outgoing {
    Outgoing::note("A run is in progress. /stop ends it; then /undo takes its changes back.")
}

/// `/diff`, a short one.
pub fn diff(patch: &str) -> Outgoing {
    // The fence outgrows all backticks inside.
    let mut longest = 0;
    let mut current = 0;
    for character in patch.chars() {
        current = if character == '`' { current + 1 } else { 0 };
        longest = longest.max(current);
    }
    let fence = "`".repeat(longest.max(2) + 1);
    Outgoing::of(Body::Answer {
        markdown: format!("{fence}diff\n{}\n{fence}", patch.trim_end_matches('\n')),
        footer: "Since the last run began".to_owned(),
    })
}

/// `/diff`, a long one; `is_cut` if the file has only its beginning.
pub fn long_diff(patch: String, files: &Files, is_cut: bool) -> Outgoing {
    let cut = if is_cut {
        "; only its beginning is in the file"
    } else {
        ""
    };
    Outgoing::of(Body::File {
        name: "changes.diff".to_owned(),
        content: patch,
        caption: format!("{}, since the last run began{cut}", summary(files)),
    })
}

/// `/diff` if nothing differs.
pub fn no_diff() -> Outgoing {
    Outgoing::note("Nothing has changed since the last run began.")
}

/// `/push` succeeded.
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

/// `/push` failed.
pub fn not_pushed(reason: &str, words: &str) -> Outgoing {
    Outgoing::note(format!(
        "It was not pushed: {reason}. Nothing was forced, and what is here stays as it is."
    ))
    .quoting(without_password(words))
    .loud()
}

/// The live message of a push; `said` is git's newest line.
pub fn pushing(elapsed: Duration, said: &str) -> LiveText {
    let mut text = LiveText::plain(format!("Pushing · {}", duration(ticking(elapsed))));
    if !said.is_empty() {
        text.push("\n");
        text.push(&one_line(&without_password(said), 80));
    }
    text
}

/// The live message of an undo, or of one that is taken back.
pub fn going(what: &str, elapsed: Duration) -> LiveText {
    LiveText::plain(format!("{what} · {}", duration(ticking(elapsed))))
}

/// Somebody stopped a job other than checks.
pub fn job_stopped(what: &str) -> Outgoing {
    Outgoing::note(format!("{what} was stopped.")).urgent()
}

/// A job failed three times.
pub fn job_given_up() -> Outgoing {
    Outgoing::note(
        "This failed three times; the log says why. The workspace stays as it is, and waiting prompts run.",
    )
    .loud()
}

/// A git command failed.
pub fn git_failed(what: &str, reason: &str, words: &str) -> Outgoing {
    Outgoing::note(format!("{what}: {reason}. Nothing was changed."))
        .quoting(without_password(words))
}

/// `/undo` asks first.
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
    text.push_str(". You can take the undo back. Files that git ignores stay as they are.");
    if commits.count > 0 && changes.remote == Remote::Ahead(0) {
        text.push_str(" What was pushed stays pushed.");
    }
    if !changes.left_out.is_empty() {
        text.push_str(" Files that git cannot store stay, too.");
    }
    Outgoing::of(Body::Evidence {
        text,
        folded: file_list(files).into_iter().collect(),
    })
    .with_button("Undo", Press::Undo(run))
}

/// `/undo` if nothing differs.
pub fn nothing_to_undo() -> Outgoing {
    Outgoing::note("There is nothing to undo: the workspace is as it was before the last run.")
}

/// An undo is done. `left` are the files that git could not restore.
pub fn undone(run: RunId, left: &Files) -> Outgoing {
    let mut text =
        "Undone: the workspace is as it was before that run. Claude was not told.".to_owned();
    if !left.is_empty() {
        text = format!(
            "Undone, except {}, which git could not restore. Check that yourself, or ask claude.",
            one_or_many(left)
        );
    }
    Outgoing::of(Body::Evidence {
        text,
        folded: file_list(left).into_iter().collect(),
    })
    .with_button("Take the undo back", Press::Redo(run))
}

/// An undo failed halfway, and so did taking it back. `kept` is git's ref for the workspace before the undo.
pub fn not_undone(reason: &str, words: &str, kept: &str) -> Outgoing {
    Outgoing::note(format!(
        "Undone only in part: {reason}. The run's result is kept. In the workspace this restores its files: {kept}"
    ))
    .quoting(without_password(words))
    .loud()
}

/// Somebody pressed Undo too late.
pub fn not_undone_any_more() -> Outgoing {
    Outgoing::note(
        "Nothing was undone: another run has begun since. /undo shows what it would remove now.",
    )
}

/// The undo of a run was taken back, but for `left`.
pub fn redone(left: &Files) -> Outgoing {
    if left.is_empty() {
        return Outgoing::note("The undo is taken back: the workspace is as the run left it.");
    }
    Outgoing::of(Body::Evidence {
        text: format!(
            "The undo is taken back, except {}, which stays as the undo left it. What the run left there is kept.",
            one_or_many(left)
        ),
        folded: file_list(left).into_iter().collect(),
    })
}

fn one_or_many(files: &Files) -> String {
    match files.first.as_slice() {
        [only] => only.path.clone(),
        _ => format!("{} files", files.count),
    }
}

/// The undo of a run cannot be taken back any more.
pub fn not_redone() -> Outgoing {
    Outgoing::note(
        "The undo stays: taking it back would lose newer changes in the workspace. Nothing was done.",
    )
}

fn lowercased(text: &str) -> String {
    text.replacen("No file", "no file", 1)
}
