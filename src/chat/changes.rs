//! Replies about a run's changes: `/diff`, `/undo` and `/push`.

use std::time::Duration;

use super::changed::{file_list, lowercased, summary};
use super::live::ticking;
use super::text::duration;
use crate::domain::button::Press;
use crate::domain::changes::Changes;
use crate::domain::changes::Pushed;
use crate::domain::changes::{Fate, Files, Remote, Work};
use crate::domain::id::{RunId, SessionId};
use crate::domain::live::LiveText;
use crate::domain::outgoing::{Body, Outgoing};
use crate::domain::shown::{visible, without_password};
use crate::redact::short::one_line;

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

/// `/diff`, a long one; `is_cut` if the file has only its beginning, `is_inexact` if it has not all bytes.
pub fn long_diff(patch: String, files: &Files, is_cut: bool, is_inexact: bool) -> Outgoing {
    let cut = if is_cut {
        "; only its beginning is in the file"
    } else if is_inexact {
        "; what is no text is not in it, so git cannot apply it"
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

/// `/push` succeeded, in this folder of the workspace.
pub fn pushed(folder: &str, pushed: &Pushed) -> Outgoing {
    let branch = match folder {
        "" => pushed.branch.clone(),
        folder => format!("{} in {folder}", pushed.branch),
    };
    let mut text = match pushed.up_to_date {
        true => format!("All commits on {branch} were pushed already."),
        false => format!("{branch} is pushed."),
    };
    match pushed.uncommitted {
        0 => {}
        1 => text.push_str(" 1 change is not committed, so it was not pushed."),
        many => text.push_str(&format!(
            " {many} changes are not committed, so they were not pushed."
        )),
    }
    if let Some(link) = &pushed.link {
        text.push_str(&format!(" For a pull request: {link}"));
    }
    Outgoing::note(text)
}

/// Several repositories have something to push: which? Each with its folder and how many commits.
pub fn which_push(session: &SessionId, repositories: &[(String, u64)]) -> Outgoing {
    let lines = repositories.iter().map(|(folder, ahead)| {
        let commits = match ahead {
            1 => "1 commit".to_owned(),
            many => format!("{many} commits"),
        };
        format!("{}: {commits}", shown_folder(folder))
    });
    let lines: Vec<String> = lines.collect();
    let mut message = Outgoing::note(format!(
        "Several repositories have commits on no remote branch that is known here. Which is pushed?\n{}",
        lines.join("\n")
    ));
    for (folder, _) in repositories {
        let press = Press::PushIn(session.clone(), folder.clone());
        // For a longer name, claude can be asked.
        if press.fits() {
            message = message.with_button(shown_folder(folder), press);
        }
    }
    message
}

/// No repository has anything to push, as far as is known here.
pub fn all_pushed() -> Outgoing {
    Outgoing::note(
        "There is nothing to push: every commit is on a remote branch that is known here.",
    )
}

/// The repository that was to be pushed is not there any more.
pub fn no_such_repository(folder: &str) -> Outgoing {
    Outgoing::note(format!(
        "Nothing was pushed: there is no repository in {folder} in this workspace."
    ))
}

fn shown_folder(folder: &str) -> String {
    match folder {
        "" => "the workspace itself".to_owned(),
        folder => visible(folder),
    }
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
    let files: Files = changes
        .to_take_back()
        .map(|(_, work)| work.files.clone())
        .sum();
    let commits = changes.to_take_back().map(|(_, work)| work.commits.count);
    let commits: u64 = commits.sum();
    let mut text = format!(
        "Undo takes the workspace back to what it was before the last run (“{}”). This goes away: {}",
        one_line(asked, 60),
        lowercased(&summary(&files)),
    );
    match commits {
        0 => {}
        1 => text.push_str(", 1 commit"),
        many => text.push_str(&format!(", {many} commits")),
    }
    match changes
        .to_take_back()
        .map(|(_, work)| work.refs.len())
        .sum()
    {
        0_usize => {}
        1 => text.push_str(", a change of a branch or the stash"),
        many => text.push_str(&format!(", {many} changes of branches or the stash")),
    }
    let gone = changes
        .all()
        .filter(|(_, work)| work.fate == Some(Fate::Gone));
    for (folder, _) in gone {
        text.push_str(&format!(". {} comes back", visible(folder)));
    }
    text.push_str(". You can take the undo back. Files that git ignores stay as they are.");
    let is_pushed = |work: &Work| work.commits.count > 0 && work.remote == Remote::Ahead(0);
    if changes.all().any(|(_, work)| is_pushed(work)) {
        text.push_str(" What was pushed stays pushed.");
    }
    let is_kept = |work: &Work| work.too_large.is_empty();
    if !changes.unseen.is_empty() || !changes.all().all(|(_, work)| is_kept(work)) {
        text.push_str(" What could not be kept stays, too.");
    }
    text.push_str(&staying(changes));
    Outgoing::of(Body::Evidence {
        text,
        folded: file_list(&files).into_iter().collect(),
    })
    .with_button("Undo", Press::Undo(run))
}

/// What the run did to repositories as a whole, and is not taken back.
fn staying(changes: &Changes) -> String {
    let stays = |(folder, work): (&str, &Work)| match work.fate {
        Some(Fate::Cloned) => Some(format!(" {} stays, as it was cloned.", visible(folder))),
        Some(Fate::New | Fate::Submodule | Fate::Worktree) => Some(format!(
            " {} was made by the run and stays as it is.",
            visible(folder)
        )),
        Some(Fate::Gone) | None => None,
    };
    changes.all().filter_map(stays).collect()
}

/// `/undo` if nothing differs that it could take back.
pub fn nothing_to_undo(changes: &Changes) -> Outgoing {
    let text = "There is nothing to undo: git sees no change since before the last run.";
    Outgoing::note(format!("{text}{}", staying(changes)))
}

/// An undo is done. `left` are the files that git could not restore, `clones` the repositories that are as they were
/// cloned.
pub fn undone(run: RunId, left: &Files, clones: &[String]) -> Outgoing {
    let mut text = match clones {
        [] if left.is_empty() => {
            "Undone: the workspace is as it was before that run. Claude was not told.".to_owned()
        }
        _ if left.is_empty() => {
            "Undone: all else is as it was before that run. Claude was not told.".to_owned()
        }
        _ => format!(
            "Undone, except {}, which git could not restore. Check that yourself, or ask claude.",
            one_or_many(left)
        ),
    };
    for folder in clones {
        text.push_str(&format!(" {} stays, as it was cloned.", visible(folder)));
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
