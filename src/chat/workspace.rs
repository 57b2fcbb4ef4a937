//! Sentences about workspaces: ready, in preparation, failed.

use crate::domain::workspace::BackIn;
use std::time::Duration;

use super::live::ticking;
use super::text::duration;
use crate::domain::live::LiveText;
use crate::domain::outgoing::Outgoing;
use crate::domain::session::Source;
use crate::domain::shown::without_password;
use crate::domain::workspace::Remark;
use crate::domain::workspace::Unusable;
use crate::redact::short::one_line;

/// How many of many things a sentence names.
const NAMED: usize = 5;
/// How many characters are shown of a file's name, and of why it was not copied.
const NAME_SHOWN: usize = 80;
const WHY_SHOWN: usize = 200;

/// The first of them, and how many more there are.
fn listed(all: impl ExactSizeIterator<Item = String>) -> String {
    let more = all.len().saturating_sub(NAMED);
    let first = all.take(NAMED).collect::<Vec<_>>().join(", ");
    match more {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// `/new`, as soon as it is stored.
pub fn new_session(source: &Source, waits_for_run: bool) -> Outgoing {
    let what = match source {
        Source::Empty => "New session in an empty workspace".to_owned(),
        Source::Clone(url) => format!("New session on a clone of {}", without_password(url)),
        Source::Worktree(path) => format!("New session on a worktree of {}", path.display()),
    };
    let when = match (source, waits_for_run) {
        (_, true) => "It is set up after the current run; /stop ends that run now.",
        (Source::Clone(_), false) => "Cloning; I tell you when it is ready.",
        (_, false) => "Setting it up.",
    };
    Outgoing::note(format!("{what}. {when}"))
}

/// The workspace is ready; `setup` is the command that runs there first.
pub fn workspace_ready(
    source: &Source,
    branch: &str,
    remarks: &[Remark],
    setup: Option<&str>,
) -> Outgoing {
    let what = match source {
        Source::Empty => "The workspace is empty".to_owned(),
        Source::Clone(url) => format!("{} is cloned", without_password(url)),
        Source::Worktree(path) => format!("The worktree of {} is ready", path.display()),
    };
    let mut text = format!("{what}, on branch {branch}.");
    for remark in remarks {
        text.push(' ');
        text.push_str(&remarked(remark));
    }
    match setup {
        Some(command) => {
            let command = one_line(&without_password(command), NAME_SHOWN);
            text.push_str(&format!(" Its setup runs now: {command}"));
        }
        None => text.push_str(" What is next?"),
    }
    Outgoing::note(text).quoting(words_of_hook(remarks))
}

/// The workspace is ready and a prompt waits for it: only surprises are worth a message.
pub fn remarks(remarks: &[Remark]) -> Option<Outgoing> {
    let is_surprise = |remark: &&Remark| !matches!(remark, Remark::Copied(_));
    let surprises = remarks.iter().filter(is_surprise);
    let sentences: Vec<String> = surprises.map(remarked).collect();
    let message = || Outgoing::note(sentences.join(" ")).quoting(words_of_hook(remarks));
    (!sentences.is_empty()).then(message)
}

fn words_of_hook(remarks: &[Remark]) -> String {
    let words = remarks.iter().find_map(|remark| match remark {
        Remark::HookFailed(words) => Some(words.as_str()),
        _ => None,
    });
    without_password(words.unwrap_or_default())
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
        Remark::HookFailed(words) if words.is_empty() => {
            "Its hook post-checkout failed without a word; all files are there.".to_owned()
        }
        Remark::HookFailed(_) => {
            "Its hook post-checkout failed, in these words; all files are there.".to_owned()
        }
        Remark::BeginsAt(branch) => format!(
            "The repository's HEAD names no branch that exists, so this begins at {branch}."
        ),
        Remark::Copied(names) => format!(
            "Copied from there, as .worktreeinclude says: {}.",
            listed(names.iter().map(|name| one_line(name, NAME_SHOWN)))
        ),
        Remark::NotCopied(files) => {
            let named = files.iter().map(|file| {
                let why = one_line(&without_password(&file.why), WHY_SHOWN);
                format!("{} ({why})", one_line(&file.name, NAME_SHOWN))
            });
            format!(
                "What .worktreeinclude names was not copied completely: {}.",
                listed(named)
            )
        }
    }
}

/// The live message while a workspace is made; `said` is git's newest line.
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
        BackIn::Newer => "Nothing was left behind; the chat stays in its newer session.",
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

/// `/new` names an unusable source. `known` are the names of known repositories.
pub fn unusable(named: &str, why: &Unusable, known: &[String]) -> Outgoing {
    let shown = without_password(named);
    let mut text = match why {
        Unusable::Unknown => format!(
            "{shown} is no URL that git can clone, no folder on this machine and no known repository. Nothing was \
             changed. Give the URL of a repository, or a full path to one."
        ),
        Unusable::Transport(transport) => format!(
            "Nothing was changed: a URL with {transport} can do more than name a repository, so it is \
             refused. Use https, ssh, git or file, or a path."
        ),
        Unusable::NoAnswer => format!(
            "Nothing was changed: {shown} does not answer. Is it on a network disk that is away? When the disk answers \
             again, send /new once more."
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
        text.push_str(&format!(" Known: {}.", known.join(", ")));
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
        1 => " The waiting prompt was dropped and did not run.",
        _ => " The waiting prompts were dropped and did not run.",
    };
    Outgoing::note(format!(
        "{what}, and nothing of it was left behind.{waited}"
    ))
    .urgent()
}
