//! Which files are likely to contain secrets, judged by their names.
//!
//! Pure. Contents are not read: they would not tell for certain either.

use std::path::Path;

/// Names of secrets in any folder; lower case.
const NAMES: [&str; 22] = [
    ".credentials.json",
    ".dockercfg",
    ".git-credentials",
    ".htpasswd",
    ".my.cnf",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".pypirc",
    ".vault-token",
    ".yarnrc.yml",
    "_netrc",
    "auth.json",
    "credentials",
    "id_dsa",
    "id_ecdsa",
    "id_ecdsa_sk",
    "id_ed25519",
    "id_ed25519_sk",
    "id_rsa",
    "kubeconfig",
    "master.key",
];
/// How the names of secrets begin.
const STEMS: [&str; 5] = [
    "credentials.",
    "secret.",
    "secrets.",
    "service-account",
    "service_account",
];
const ENDINGS: [&str; 11] = [
    ".env",
    ".jks",
    ".kdbx",
    ".key",
    ".keystore",
    ".p12",
    ".pem",
    ".pfx",
    ".ppk",
    ".tfstate",
    ".tfvars",
];
/// Endings of examples, made to be shown.
const EXAMPLES: [&str; 4] = [".dist", ".example", ".sample", ".template"];
/// A copy of a secret is one.
const COPIES: [&str; 8] = [
    ".backup", ".bak", ".old", ".orig", ".save", ".swo", ".swp", "~",
];
/// Folders whose files all count: several in `.git` may have a password in an address.
const FOLDERS: [&str; 4] = [".aws", ".git", ".gnupg", ".ssh"];
/// A file in a folder.
const IN_FOLDERS: [(&str, &str); 3] = [
    (".cargo", "credentials.toml"),
    (".docker", "config.json"),
    (".kube", "config"),
];

/// Whether a file's name says that it has a secret in it. `path` is relative to the workspace.
pub fn is_named_so(path: &Path) -> bool {
    let mut names: Vec<String> = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy().to_lowercase())
        .collect();
    let Some(name) = names.pop() else {
        return false;
    };
    is_named(&name, &names) || original(&name).is_some_and(|name| is_named(name, &names))
}

/// The original's name, for a copy by an editor or a person: `key.pem~`, `key.pem.bak`, `.key.pem.swp`, `#key.pem#`.
fn original(name: &str) -> Option<&str> {
    if let Some(name) = name.strip_prefix('#') {
        return name.strip_suffix('#');
    }
    let ending = COPIES.iter().find(|ending| name.ends_with(**ending))?;
    let name = name.strip_suffix(ending)?;
    Some(match *ending {
        ".swo" | ".swp" => name.strip_prefix('.').unwrap_or(name),
        _ => name,
    })
}

/// Names are in lower case, `folders` those that the file is in.
fn is_named(name: &str, folders: &[String]) -> bool {
    if EXAMPLES.iter().any(|ending| name.ends_with(ending)) {
        return false;
    }
    let within = folders.last().map_or("", String::as_str);
    let is_in = |folder: &str| folders.iter().any(|name| name == folder);
    NAMES.contains(&name)
        || name.starts_with(".env")
        || STEMS.iter().any(|stem| name.starts_with(stem))
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
        || FOLDERS.iter().any(|folder| is_in(folder))
        || IN_FOLDERS.contains(&(within, name))
        // Also of a module, or of one worktree: an address there may have a password in it.
        || name.starts_with("config") && is_in(".git")
}
