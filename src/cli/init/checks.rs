//! What telecoder needs on this machine: a line each, and what to do where something is missing.

use std::path::Path;

use rustix::fs::{Access, access};

use crate::claude::environment;
use crate::claude::install::{self, Found};
use crate::config::{self, Fault, Setting, Sources};
use crate::git::{Git, GitError};

/// What init itself sees to, and so is not told as a fault.
const SEEN_TO: [Setting; 2] = [Setting::BotToken, Setting::PermissionMode];

/// Looks at everything and says what it found. `sources` has what is about to be written.
pub(super) async fn print(sources: &Sources) {
    let environment = environment::for_claude(&sources.whole_environment());
    let git = Git {
        environment: environment.clone(),
        scratch: std::env::temp_dir(),
    };
    println!("{}", of_git(git.version().await));
    let runtime = config::runtime(sources);
    let found = install::look(&runtime, &environment).await;
    println!("{}", of_claude(&runtime, found));
    if let Ok(data) = config::data_folder(sources) {
        println!("{}", of_data(&data));
    }
    let (faults, remarks) = config::faults_and_remarks(sources);
    // What no setting is named for was said at the beginning: it is about the files.
    let is_news = |setting: &Setting| !SEEN_TO.contains(setting);
    for fault in faults {
        if fault.setting.as_ref().is_some_and(is_news) {
            println!("{}", of_fault(&fault));
        }
    }
    for remark in remarks {
        println!("! {remark}.");
    }
}

fn of_git(version: Result<String, GitError>) -> String {
    match version {
        Ok(version) => format!("✓ git: {version}"),
        Err(GitError::Missing) => {
            "✗ git: not installed. Install it (apt install git); telecoder keeps each session in a repository".into()
        }
        Err(error) => format!("! git: it does not answer as expected ({error})"),
    }
}

fn of_claude(runtime: &Path, found: Found) -> String {
    let runtime = runtime.display();
    match found {
        Found::Ready { version } => format!("✓ claude: {version}"),
        Found::NotLoggedIn { version } => format!(
            "✗ claude: {version}, but not logged in. Run {runtime} once and log in, or put ANTHROPIC_API_KEY into the \
             settings file"
        ),
        Found::Missing => format!(
            "✗ claude: there is no program {runtime}. Install Claude Code (npm install -g @anthropic-ai/claude-code), or \
             set TELECODER_RUNTIME to where it is"
        ),
        Found::Broken(words) => format!(
            "! claude: {runtime} does not answer as expected ({words}). Run {runtime} --version and see what it says"
        ),
    }
}

fn of_data(data: &Path) -> String {
    let shown = data.display();
    if can_be_made(data) {
        format!("✓ Data: {shown}")
    } else {
        format!(
            "✗ Data: {shown} cannot be written by this user. Set TELECODER_DATA to another folder, or make this one and \
             give it to the user that telecoder runs as"
        )
    }
}

pub(super) fn of_fault(fault: &Fault) -> String {
    format!("✗ {}. {}.", fault.what, fault.remedy)
}

/// Whether this user could make a file or folder of this name, or write to it.
pub(super) fn can_be_made(path: &Path) -> bool {
    path.ancestors()
        .find(|folder| folder.exists())
        .is_some_and(|there| access(there, Access::WRITE_OK).is_ok())
}
