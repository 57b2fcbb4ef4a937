//! Repositories to work on, made with the real git.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs git and returns what it wrote to stdout.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git is there");
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A repository with one commit on `main`.
pub fn repository(folder: &Path) -> PathBuf {
    let path = folder.join("project");
    std::fs::create_dir(&path).expect("a folder");
    git(&path, &["init", "--quiet", "--initial-branch=main"]);
    std::fs::write(path.join("README.md"), "# Project\n").expect("a file");
    git(&path, &["add", "."]);
    git(&path, &["commit", "--quiet", "--message", "first"]);
    path
}

/// A bare repository that can be pushed to, with one commit.
pub fn host(folder: &Path) -> PathBuf {
    let project = repository(folder);
    let bare = folder.join("host.git");
    git(
        folder,
        &[
            "clone",
            "--quiet",
            "--bare",
            &project.display().to_string(),
            &bare.display().to_string(),
        ],
    );
    bare
}

/// Gives a repository, bare or the `.git` of one, a hook.
pub fn hook(repository: &Path, name: &str, lines: &str) -> PathBuf {
    let path = repository.join("hooks").join(name);
    std::fs::create_dir_all(path.parent().expect("its folder")).expect("a folder");
    std::fs::write(&path, format!("#!/bin/sh\n{lines}\n")).expect("a hook");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("its rights");
    path
}
