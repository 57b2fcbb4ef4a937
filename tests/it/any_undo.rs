//! Whatever is in a workspace and whatever a run does to it: an undo and taking it back lose no byte, and give back those
//! that they promise.
//!
//! `TELECODER_UNDO_CASES=10000` makes it that many cases.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use telecoder::domain::id::RunId;
use telecoder::domain::run::Before;
use telecoder::git::Git;
use telecoder::git::inner;
use telecoder::git::repository::Repository;
use telecoder::git::snapshot::{self, Moment};
use telecoder::git::undo::Undo;
use tokio_util::sync::CancellationToken;

const PATHS: [&str; 17] = [
    "a",
    "b.txt",
    "d",
    "d/x",
    "d/y.db",
    "d/e/f",
    "data.db",
    "n.ipynb",
    "run.bat",
    "odd name\n\"q\" \\.txt",
    "ünïcode.é",
    "sub/f1",
    "sub/g/h.db",
    "-dash",
    "mod/s1",
    "lib/l1",
    "lib/new.db",
];
/// Where repositories of their own may be.
const INNER: [&str; 3] = ["sub", "mod", "lib"];
const CONTENTS: [&str; 8] = [
    "",
    "one\n",
    "two\n",
    "one\r\ntwo\n",
    "cell\noutput 1\n",
    "cell\noutput 2\n",
    "$Id$\n",
    "no end of line",
];
const IGNORED: [&str; 5] = ["", "*.db\n", "d/\n", "a\n*.txt\n", "*\n!.gitignore\n"];
const ATTRIBUTES: [&str; 4] = [
    "",
    "* text=auto eol=crlf\n",
    "*.ipynb filter=strip\n*.txt ident\n",
    "*.txt working-tree-encoding=UTF-16 text\n*.db filter=refuses\n",
];
const SETTINGS: &str = "[user]\nname=A\nemail=a@b\n[core]\nautocrlf=input\nfsync=none\n[submodule]\nrecurse=true\n\
    [filter \"strip\"]\nclean=grep -v output\nsmudge=cat\n[filter \"refuses\"]\nclean=false\nsmudge=false\nrequired=true\n\
    [gc]\nauto=0\n[advice]\ndetachedHead=false\n[status]\nshowUntrackedFiles=no\n";

#[derive(Clone, Debug)]
enum Op {
    Write(usize, usize),
    Remove(usize),
    Link(usize, usize),
    Executable(usize, bool),
    Ignore(usize),
    Attributes(usize),
    Add,
    AddInSpite(usize),
    Untrack(usize),
    Commit,
    Branch(usize),
    Reset,
    Stash,
    Clean,
    Repository(bool),
    Submodule,
    Clone,
    CommitWithin(usize),
    ResetWithin(usize),
    RemoveRepository(usize),
    Sparse(bool),
}

fn op() -> impl Strategy<Value = Op> {
    let path = 0..PATHS.len();
    prop_oneof![
        8 => (path.clone(), 0..CONTENTS.len()).prop_map(|(path, text)| Op::Write(path, text)),
        3 => path.clone().prop_map(Op::Remove),
        1 => (path.clone(), 0..PATHS.len()).prop_map(|(path, to)| Op::Link(path, to)),
        1 => (path.clone(), any::<bool>()).prop_map(|(path, is)| Op::Executable(path, is)),
        2 => (0..IGNORED.len()).prop_map(Op::Ignore),
        1 => (0..ATTRIBUTES.len()).prop_map(Op::Attributes),
        2 => Just(Op::Add),
        1 => path.clone().prop_map(Op::AddInSpite),
        1 => path.prop_map(Op::Untrack),
        2 => Just(Op::Commit),
        1 => (0..3_usize).prop_map(Op::Branch),
        1 => Just(Op::Reset),
        1 => Just(Op::Stash),
        1 => Just(Op::Clean),
        1 => any::<bool>().prop_map(Op::Repository),
        1 => Just(Op::Submodule),
        1 => Just(Op::Clone),
        1 => (0..INNER.len()).prop_map(Op::CommitWithin),
        1 => (0..INNER.len()).prop_map(Op::ResetWithin),
        1 => (0..INNER.len()).prop_map(Op::RemoveRepository),
        1 => any::<bool>().prop_map(Op::Sparse),
    ]
}

fn ops(most: usize) -> impl Strategy<Value = Vec<Op>> {
    proptest::collection::vec(op(), 0..most)
}

#[derive(Clone, Debug)]
struct Case {
    before: Vec<Op>,
    run: Vec<Op>,
    person: Vec<Op>,
    /// What the person writes before an undo that was cut off goes on.
    between: Vec<(usize, usize)>,
    /// In milliseconds, for the first undo and for taking it back.
    cut_off: [Option<u64>; 2],
}

fn case() -> impl Strategy<Value = Case> {
    let cut = || proptest::option::weighted(0.3, 0..80_u64);
    let person = prop_oneof![Just(Vec::new()), ops(4)];
    let write = (0..PATHS.len(), 0..CONTENTS.len());
    let between = prop_oneof![Just(Vec::new()), proptest::collection::vec(write, 0..3)];
    (ops(14), ops(14), person, between, cut(), cut()).prop_map(
        |(before, run, person, between, undo, redo)| Case {
            before,
            run,
            person,
            between,
            cut_off: [undo, redo],
        },
    )
}

/// What lies at a path: a file with its bytes, a link with its target.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Lies {
    File(Vec<u8>, bool),
    Link(PathBuf),
}

struct Place {
    folder: tempfile::TempDir,
    workspace: PathBuf,
    git: Git,
    runtime: tokio::runtime::Runtime,
    /// What was read of the stores, by its id.
    blobs: RefCell<BTreeMap<String, Vec<u8>>>,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        let workspace = folder.path().join("workspace");
        fs::create_dir(&workspace).expect("a folder");
        let settings = folder.path().join("gitconfig");
        fs::write(&settings, SETTINGS).expect("settings");
        let [scratch, snapshots] = ["scratch", "snapshots"].map(|name| folder.path().join(name));
        fs::create_dir(&scratch).expect("a folder");
        fs::create_dir(&snapshots).expect("a folder");
        let environment = [
            ("PATH", std::env::var_os("PATH").unwrap_or_default()),
            ("HOME", folder.path().into()),
            ("GIT_CONFIG_GLOBAL", settings.into()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
        ];
        let git = Git {
            environment: environment
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
            scratch,
            snapshots,
            file_max: 64_000_000,
        };
        let place = Place {
            folder,
            workspace,
            git,
            runtime: tokio::runtime::Runtime::new().expect("a runtime"),
            blobs: RefCell::default(),
        };
        place.run(&["init", "--quiet", "--initial-branch=main"]);
        place.run(&["commit", "--quiet", "--allow-empty", "-m", "first"]);
        place
    }

    /// A repository to clone, made when it is first needed.
    fn source(&self) -> String {
        let source = self.folder.path().join("source");
        if fs::create_dir(&source).is_ok() {
            self.run_in(&source, &["init", "--quiet", "--initial-branch=main"]);
            for name in ["s1", "l1"] {
                fs::write(source.join(name), "from the source\n").expect("a file");
                self.run_in(&source, &["add", "--all"]);
                self.run_in(&source, &["commit", "--quiet", "-m", name]);
            }
        }
        source.display().to_string()
    }

    fn top(&self) -> Repository<'_> {
        Repository::new(&self.git, &self.workspace)
    }

    /// Runs git as a person does; it may refuse.
    fn run(&self, arguments: &[&str]) {
        self.run_in(&self.workspace, arguments);
    }

    fn run_in(&self, folder: &Path, arguments: &[&str]) {
        let _ = Command::new("git")
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .envs(&self.git.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("git");
    }

    fn apply(&self, ops: &[Op]) {
        for op in ops {
            self.do_one(op);
        }
    }

    fn do_one(&self, op: &Op) {
        let at = |path: &usize| self.workspace.join(PATHS[*path]);
        match op {
            Op::Write(path, text) => {
                if self.make_room(PATHS[*path]) {
                    let _ = fs::write(at(path), CONTENTS[*text]);
                }
            }
            Op::Remove(path) => {
                let path = at(path);
                match path.symlink_metadata() {
                    Ok(there) if there.is_dir() => drop(fs::remove_dir_all(path)),
                    Ok(_) => drop(fs::remove_file(path)),
                    Err(_) => {}
                }
            }
            Op::Link(path, to) => {
                if self.make_room(PATHS[*path]) {
                    let _ = std::os::unix::fs::symlink(PATHS[*to], at(path));
                }
            }
            Op::Executable(path, is) => {
                let path = at(path);
                if path.symlink_metadata().is_ok_and(|there| there.is_file()) {
                    let mode = if *is { 0o755 } else { 0o644 };
                    let _ = fs::set_permissions(path, fs::Permissions::from_mode(mode));
                }
            }
            Op::Ignore(rules) => {
                let _ = fs::write(self.workspace.join(".gitignore"), IGNORED[*rules]);
            }
            Op::Attributes(rules) => {
                let _ = fs::write(self.workspace.join(".gitattributes"), ATTRIBUTES[*rules]);
            }
            Op::Add => self.run(&["add", "--all"]),
            Op::AddInSpite(path) => self.run(&["add", "--force", "--", PATHS[*path]]),
            Op::Untrack(path) => self.run(&["rm", "-r", "--quiet", "--cached", "--", PATHS[*path]]),
            Op::Commit => self.run(&["commit", "--quiet", "--allow-empty", "-a", "-m", "more"]),
            Op::Branch(name) => {
                let name = format!("branch-{name}");
                self.run(&["switch", "--quiet", "--create", &name]);
                self.run(&["switch", "--quiet", &name]);
            }
            Op::Reset => self.run(&["reset", "--quiet", "--hard", "HEAD~1"]),
            Op::Stash => self.run(&["stash", "--quiet", "--include-untracked"]),
            Op::Clean => {
                self.run(&[
                    "reflog",
                    "expire",
                    "--expire=now",
                    "--expire-unreachable=now",
                    "--all",
                ]);
                self.run(&["gc", "--quiet", "--prune=now"]);
            }
            Op::Submodule => {
                let source = self.source();
                let file = "protocol.file.allow=always";
                self.run(&["-c", file, "submodule", "--quiet", "add", &source, "mod"]);
            }
            Op::Clone => self.run(&["clone", "--quiet", &self.source(), "lib"]),
            Op::CommitWithin(name) => self.within(*name, |folder| {
                self.run_in(folder, &["add", "--all"]);
                self.run_in(folder, &["commit", "--quiet", "-m", "within"]);
            }),
            Op::ResetWithin(name) => self.within(*name, |folder| {
                self.run_in(folder, &["reset", "--quiet", "--hard", "HEAD~1"]);
            }),
            Op::RemoveRepository(name) => self.within(*name, |folder| {
                fs::remove_dir_all(folder).expect("it goes");
            }),
            Op::Sparse(true) => self.run(&["sparse-checkout", "set", "--no-cone", "/d", "/*.txt"]),
            Op::Sparse(false) => self.run(&["sparse-checkout", "disable"]),
            Op::Repository(has_commit) => {
                let folder = self.workspace.join("sub");
                if folder.symlink_metadata().is_ok_and(|there| !there.is_dir()) {
                    return;
                }
                let _ = fs::create_dir_all(&folder);
                self.run_in(&folder, &["init", "--quiet"]);
                if *has_commit {
                    self.run_in(&folder, &["add", "--all"]);
                    self.run_in(
                        &folder,
                        &["commit", "--quiet", "--allow-empty", "-m", "inner"],
                    );
                }
            }
        }
    }

    /// Does something in a repository inside, if it is one.
    fn within(&self, name: usize, what: impl Fn(&Path)) {
        let folder = self.workspace.join(INNER[name]);
        if folder.join(".git").exists() {
            what(&folder);
        }
    }

    /// The repositories that are there.
    fn repositories(&self) -> BTreeSet<&'static str> {
        let is_one = |name: &&str| self.workspace.join(name).join(".git").exists();
        INNER.into_iter().filter(is_one).collect()
    }

    /// Removes what is in the way of a file, and makes its folder.
    fn make_room(&self, path: &str) -> bool {
        let path = self.workspace.join(path);
        for folder in path.ancestors().skip(1) {
            if folder == self.workspace {
                break;
            }
            if folder.symlink_metadata().is_ok_and(|there| !there.is_dir()) {
                let _ = fs::remove_file(folder);
            }
        }
        let _ = fs::create_dir_all(path.parent().expect("a folder"));
        match path.symlink_metadata() {
            Ok(there) if there.is_dir() => fs::remove_dir(&path).is_ok(),
            Ok(_) => fs::remove_file(&path).is_ok(),
            Err(_) => true,
        }
    }

    /// All that lies in the workspace, inner repositories included, but for what git keeps itself.
    fn disk(&self) -> BTreeMap<PathBuf, Lies> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.workspace.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder").flatten() {
                if entry.file_name() == ".git" {
                    continue;
                }
                let path = entry.path();
                let there = path.symlink_metadata().expect("it is there");
                let name = path
                    .strip_prefix(&self.workspace)
                    .expect("inside")
                    .to_owned();
                if there.is_dir() {
                    folders.push(path);
                } else if there.is_symlink() {
                    found.insert(name, Lies::Link(fs::read_link(path).expect("a link")));
                } else {
                    let is_executable = there.permissions().mode() & 0o100 != 0;
                    let bytes = fs::read(path).expect("a file");
                    found.insert(name, Lies::File(bytes, is_executable));
                }
            }
        }
        found
    }

    /// What the snapshots of that moment have.
    fn kept(&self, run: RunId, moment: Moment) -> BTreeMap<PathBuf, Lies> {
        let name = snapshot::reference(run, moment);
        let mut all = self.kept_as(self.top(), &name);
        for folder in self.top().inner_ones() {
            all.extend(self.kept_as(self.top().inner(&folder), &name));
        }
        all
    }

    /// All that was found on the way, one snapshot each.
    fn found(&self, run: RunId) -> Vec<BTreeMap<PathBuf, Lies>> {
        let folders = [self.workspace.clone()].into_iter();
        let folders = folders.chain(self.top().inner_ones());
        let found = folders.flat_map(|folder| {
            let repository = self.top().inner(&folder);
            let output = Command::new("git")
                .args(["for-each-ref", "--format=%(refname)"])
                .arg(format!("refs/telecoder/{run}/"))
                .env_clear()
                .envs(&self.git.environment)
                .env("GIT_DIR", repository.folder())
                .output()
                .expect("git");
            let names = String::from_utf8_lossy(&output.stdout).into_owned();
            let kept = names.lines().map(|name| self.kept_as(repository, name));
            kept.collect::<Vec<_>>()
        });
        found.collect()
    }

    fn kept_as(&self, repository: Repository<'_>, name: &str) -> BTreeMap<PathBuf, Lies> {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let store = repository.folder();
        let read = |arguments: &[&str]| {
            let output = Command::new("git")
                .args(arguments)
                .env_clear()
                .envs(&self.git.environment)
                .env("GIT_DIR", &store)
                .output()
                .expect("git");
            output.stdout
        };
        let list = read(&["ls-tree", "-r", "-z", name]);
        let mut found = BTreeMap::new();
        for line in list
            .split(|byte| *byte == 0)
            .filter(|line| !line.is_empty())
        {
            let tab = line.iter().position(|byte| *byte == b'\t').expect("a tab");
            let words = String::from_utf8_lossy(&line[..tab]).into_owned();
            let words: Vec<&str> = words.split(' ').collect();
            let path = repository.name().join(OsStr::from_bytes(&line[tab + 1..]));
            let mut blobs = self.blobs.borrow_mut();
            let bytes = || read(&["cat-file", "blob", words[2]]);
            let lies = match words[0] {
                "160000" => continue,
                mode => {
                    // The same few contents come again and again.
                    let bytes = blobs.entry(words[2].to_owned()).or_insert_with(bytes);
                    match mode {
                        "120000" => Lies::Link(PathBuf::from(OsStr::from_bytes(bytes))),
                        mode => Lies::File(bytes.clone(), mode == "100755"),
                    }
                }
            };
            found.insert(path, lies);
        }
        found
    }

    /// Where `HEAD` and every branch are, and what is stashed.
    fn head(&self) -> String {
        let ask = |arguments: &[&str]| {
            let output = Command::new("git")
                .args(arguments)
                .current_dir(&self.workspace)
                .env_clear()
                .envs(&self.git.environment)
                .output()
                .expect("git");
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        [
            ask(&["rev-parse", "HEAD", "--symbolic-full-name", "HEAD"]),
            ask(&[
                "for-each-ref",
                "--format=%(objectname) %(refname)",
                "refs/heads/",
            ]),
            // Its log may have been cut, which hides it from `git stash list`.
            ask(&["for-each-ref", "--format=%(objectname)", "refs/stash"]),
        ]
        .concat()
    }
}

fn is_within(path: &Path, repositories: &BTreeSet<&str>) -> bool {
    repositories.iter().any(|name| path.starts_with(name))
}

/// Without what lies in these repositories.
fn without(
    mut lies: BTreeMap<PathBuf, Lies>,
    repositories: &BTreeSet<&str>,
) -> BTreeMap<PathBuf, Lies> {
    lies.retain(|path, _| !is_within(path, repositories));
    lies
}

fn fail(what: &str, at: &Path) -> TestCaseError {
    TestCaseError::fail(format!("{what}: {}", at.display()))
}

/// Whatever lay there and does not any more, or is another, is kept.
fn nothing_is_lost(
    lay: &BTreeMap<PathBuf, Lies>,
    lies: &BTreeMap<PathBuf, Lies>,
    kept: &[BTreeMap<PathBuf, Lies>],
) -> Result<(), TestCaseError> {
    for (path, content) in lay {
        let is_there = lies.get(path) == Some(content);
        let is_kept = kept.iter().any(|kept| kept.get(path) == Some(content));
        if !is_there && !is_kept {
            return Err(fail("neither there nor kept", path));
        }
    }
    Ok(())
}

fn holds(case: &Case) -> Result<(), TestCaseError> {
    let place = Place::new();
    let run = RunId::new();
    place.apply(&case.before);
    let at_first = place.disk();
    let first_head = place.head();
    let found_by_run = place.repositories();
    let before = snapshot::reference(run, Moment::Before);
    let taken = inner::take_all(place.top(), &before);
    place.runtime.block_on(taken).expect("a snapshot");
    let kept_before = place.kept(run, Moment::Before);
    for (path, content) in &kept_before {
        prop_assert_eq!(
            at_first.get(path),
            Some(content),
            "{:?} is kept as it is",
            path
        );
    }
    place.apply(&case.run);
    let after_run = place.disk();
    let run_head = place.head();
    let left_by_run = place.repositories();
    let made: BTreeSet<&str> = left_by_run.difference(&found_by_run).copied().collect();
    let removed: BTreeSet<&str> = found_by_run.difference(&left_by_run).copied().collect();

    let stop = CancellationToken::new();
    let undo = Undo {
        git: &place.git,
        workspace: &place.workspace,
        run,
        before: &Before::Kept,
        stop: &stop,
        marker: RunId::new(),
    };
    let mut lay_in_between = None;
    let differs = place.runtime.block_on(async {
        let mut cut = false;
        if let Some(after) = case.cut_off[0] {
            cut = tokio::time::timeout(Duration::from_millis(after), undo.go(false))
                .await
                .is_err();
            if cut {
                // What was begun in a thread of its own ends.
                tokio::time::sleep(Duration::from_millis(30)).await;
                for (path, text) in &case.between {
                    place.do_one(&Op::Write(*path, *text));
                }
                lay_in_between = Some(place.disk());
            } else {
                return Ok(None);
            }
        }
        undo.go(cut).await.map(Some)
    });
    let differs = differs.map_err(|error| TestCaseError::fail(format!("undo: {error:?}")))?;
    let undone = place.disk();
    let found = place.found(run);
    prop_assert_eq!(place.head(), first_head.clone());
    if let Some(lay) = lay_in_between.filter(|_| !case.between.is_empty()) {
        return nothing_is_lost(&lay, &undone, &found);
    }
    nothing_is_lost(&after_run, &undone, &found)?;
    if let Some(differs) = differs {
        let told: BTreeSet<&str> = differs
            .first
            .iter()
            .map(|file| file.path.as_str())
            .collect();
        for (path, content) in &kept_before {
            let is_told = told.contains(path.to_string_lossy().as_ref());
            if undone.get(path) != Some(content) && !is_told && !is_within(path, &made) {
                return Err(fail("not as it was, and not told", path));
            }
        }
    }

    let redone = place.runtime.block_on(async {
        if let Some(after) = case.cut_off[1] {
            let limit = Duration::from_millis(after);
            match tokio::time::timeout(limit, undo.take_back(false)).await {
                Ok(done) => return done,
                Err(_) => tokio::time::sleep(Duration::from_millis(30)).await,
            }
        }
        undo.take_back(case.cut_off[1].is_some()).await
    });
    let redone = redone.map_err(|error| TestCaseError::fail(format!("redo: {error:?}")))?;
    let Some(not_redone) = redone else {
        return Err(TestCaseError::fail(
            "nothing was added, so it can be taken back",
        ));
    };
    for file in &not_redone.first {
        let path = Path::new(&file.path);
        prop_assert!(is_within(path, &removed), "only those stay: {:?}", path);
    }
    prop_assert_eq!(
        without(place.disk(), &removed),
        without(after_run.clone(), &removed),
        "as the run had left it"
    );
    prop_assert_eq!(place.head(), run_head);
    place.runtime.block_on(undo.forget()).expect("it forgets");

    if case.person.is_empty() {
        return Ok(());
    }
    // Once more, and the person writes something in between.
    let gone = place.runtime.block_on(undo.go(false));
    gone.map_err(|error| TestCaseError::fail(format!("second undo: {error:?}")))?;
    place.apply(&case.person);
    let of_person = place.disk();
    let redone = place.runtime.block_on(undo.take_back(false));
    let redone = redone.map_err(|error| TestCaseError::fail(format!("second redo: {error:?}")))?;
    let lies = place.disk();
    if redone.is_some() {
        let found = place.found(run);
        nothing_is_lost(&of_person, &lies, &found)?;
    } else {
        prop_assert_eq!(lies, of_person, "refused, so nothing is touched");
    }
    Ok(())
}

#[test]
fn an_undo_and_taking_it_back_lose_nothing_whatever_was_there_and_whatever_was_done() {
    let cases = std::env::var("TELECODER_UNDO_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    let config = ProptestConfig {
        cases: cases.unwrap_or(200),
        max_shrink_iters: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    if let Err(failure) = runner.run(&case(), |case| holds(&case)) {
        panic!("{failure}");
    }
}
