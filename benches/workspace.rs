//! What measuring a run costs, and what a second session on a big repository does, each beside a floor measured in
//! the same run.
//!
//! `cargo bench --bench workspace`. Real git on this machine's disk; the remote is a repository in a folder, fetched
//! through `file://`, which packs and unpacks as a network would.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use telecoder::domain::id::{ChatId, ChatThread, RunId, SessionId};
use telecoder::domain::run::Before;
use telecoder::domain::session::{Session, Source};
use telecoder::git::mirror::Mirrors;
use telecoder::git::repository::Repository;
use telecoder::git::workspace::{self, Workshop};
use telecoder::git::{Git, Listener, diff, index, inner, objects, snapshot};
use telecoder::process::supervisor::{self, Place};
use telecoder::verify::measure::{self, Since};
use tokio_util::sync::CancellationToken;

const FILES: usize = 20_000;
const MANY: usize = 200_000;
const COMMITS: usize = 10_000;
const ROUNDS: usize = 9;

fn main() {
    // git that talks to the world runs below a supervisor, which is this very program.
    let mut arguments = std::env::args_os().skip(1);
    if arguments
        .next()
        .is_some_and(|command| command == "supervise")
    {
        let (report, program) = supervisor::parse(arguments).expect("what to hold");
        supervisor::supervise(Place::Pipes, &report, &program).expect("it is held");
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bench = Bench {
        runtime: tokio::runtime::Runtime::new().expect("a runtime"),
        git: Git {
            environment: std::env::vars_os().collect::<BTreeMap<_, _>>(),
            scratch: folder.path().to_owned(),
            snapshots: folder.path().join("snapshots"),
            file_max: 64_000_000,
        },
        folder: folder.path(),
    };
    println!("telecoder workspace, {}\n", version());
    println!(
        "{:<58} {:>10} {:>10}  {:>6}",
        "", "measured", "floor", "ratio"
    );
    bench.snapshots();
    bench.before_a_run();
    bench.large_files();
    bench.many_files();
    bench.sessions();
}

struct Bench<'a> {
    runtime: tokio::runtime::Runtime,
    git: Git,
    folder: &'a Path,
}

impl Bench<'_> {
    /// The snapshot before a run and the difference after it, against one `git status`.
    fn snapshots(&self) {
        let repository = self.folder.join("files");
        for number in 0..FILES {
            let folder = repository.join(format!("d{}", number / 100));
            if number % 100 == 0 {
                std::fs::create_dir_all(&folder).expect("a folder");
            }
            std::fs::write(folder.join(format!("f{number}.txt")), format!("{number}\n"))
                .expect("a file");
        }
        git(&repository, &["init", "--quiet"]);
        git(&repository, &["add", "."]);
        commit(&repository, "all");
        let index = self.folder.join("files.index");
        let mut times = Vec::new();
        let mut floors = Vec::new();
        for round in 0..ROUNDS {
            let begun = Instant::now();
            git(&repository, &["status", "--porcelain=v2"]);
            floors.push(begun.elapsed());
            let reference = snapshot::reference(RunId::new(), snapshot::Moment::Before);
            let begun = Instant::now();
            self.runtime
                .block_on(inner::take_all(
                    Repository::new(&self.git, &repository),
                    &reference,
                ))
                .expect("a snapshot");
            let mut took = begun.elapsed();
            // What a run does.
            for file in 0..10 {
                let path = repository.join(format!("d{file}/f{}.txt", file * 100));
                std::fs::write(path, format!("changed {round}\n")).expect("a file");
            }
            std::fs::write(repository.join(format!("new{round}.txt")), "new\n").expect("a file");
            let begun = Instant::now();
            let files = self.runtime.block_on(async {
                index::look(Repository::new(&self.git, &repository), &index)
                    .await
                    .expect("a look");
                diff::files(
                    Repository::new(&self.git, &repository),
                    &reference,
                    &index,
                    &[],
                )
                .await
                .expect("a difference")
            });
            took += begun.elapsed();
            assert_eq!(files.count, 11);
            times.push(took);
        }
        row(
            &format!("snapshot + difference, {FILES} files (floor: git status)"),
            median(times),
            median(floors),
        );
    }

    /// What a run waits for before its agent starts, in a repository as most are.
    fn before_a_run(&self) {
        let repository = self.folder.join("small");
        std::fs::create_dir(&repository).expect("a folder");
        git(&repository, &["init", "--quiet"]);
        for number in 0..200 {
            std::fs::write(repository.join(format!("f{number}.txt")), "text\n").expect("a file");
        }
        git(&repository, &["add", "."]);
        commit(&repository, "all");
        let (mut times, mut floors) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS * 3 {
            let begun = Instant::now();
            git(&repository, &["status", "--porcelain=v2"]);
            floors.push(begun.elapsed());
            let reference = snapshot::reference(RunId::new(), snapshot::Moment::Before);
            let begun = Instant::now();
            self.runtime
                .block_on(inner::take_all(
                    Repository::new(&self.git, &repository),
                    &reference,
                ))
                .expect("a snapshot");
            times.push(begun.elapsed());
        }
        row(
            "snapshot before a run, 200 files (floor: git status)",
            median(times),
            median(floors),
        );
    }

    /// A file of 3 GB that nobody tracks, and one of 1 GB that changes at each run: neither is read.
    fn large_files(&self) {
        let repository = self.folder.join("large");
        std::fs::create_dir(&repository).expect("a folder");
        git(&repository, &["init", "--quiet"]);
        std::fs::write(repository.join("a.txt"), "text\n").expect("a file");
        git(&repository, &["add", "."]);
        commit(&repository, "all");
        for (name, size) in [
            ("model.bin", 3_000_000_000_u64),
            ("changes.db", 1_000_000_000),
        ] {
            let file = std::fs::File::create(repository.join(name)).expect("a file");
            file.set_len(size).expect("it is that long");
        }
        let before = self.room();
        let (mut takes, mut looks) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let (take, look) = self.measure(&repository, || {
                let file = std::fs::File::options()
                    .write(true)
                    .open(repository.join("changes.db"))
                    .expect("a file");
                file.set_len(1_000_000_001 + round as u64)
                    .expect("it grows");
            });
            takes.push(take);
            looks.push(look);
        }
        let floor = Instant::now();
        git(&repository, &["status", "--porcelain=v2"]);
        let floor = floor.elapsed();
        row(
            "snapshot, 3 GB untracked and 1 GB that changes",
            median(takes),
            floor,
        );
        row("measuring there after a run", median(looks), floor);
        println!(
            "{:<58} {:>7} kB",
            "what its snapshots take on the disk",
            (self.room() - before) / 1000
        );
    }

    /// 200,000 small files that nobody tracks: read once.
    fn many_files(&self) {
        let repository = self.folder.join("many");
        std::fs::create_dir(&repository).expect("a folder");
        git(&repository, &["init", "--quiet"]);
        for number in 0..MANY {
            let folder = repository.join(format!("d{}", number / 200));
            if number % 200 == 0 {
                std::fs::create_dir_all(&folder).expect("a folder");
            }
            std::fs::write(folder.join(format!("f{number}.txt")), format!("{number}\n"))
                .expect("a file");
        }
        let before = self.room();
        let floor = Instant::now();
        git(
            &repository,
            &["status", "--porcelain=v2", "--untracked-files=all"],
        );
        let floor = floor.elapsed();
        let change = || std::fs::write(repository.join("d0/f0.txt"), "changed\n").expect("a file");
        let (first, _) = self.measure(&repository, change);
        row(
            &format!("first snapshot, {MANY} untracked files"),
            first,
            floor,
        );
        let (next, look) = self.measure(&repository, change);
        row("the next one", next, floor);
        row("measuring there after a run", look, floor);
        println!(
            "{:<58} {:>7} kB",
            "what its snapshots take on the disk",
            (self.room() - before) / 1000
        );
    }

    /// How long a snapshot takes, and measuring what changed since.
    fn measure(&self, repository: &Path, run: impl Fn()) -> (Duration, Duration) {
        let repository = Repository::new(&self.git, repository);
        let id = RunId::new();
        let reference = snapshot::reference(id, snapshot::Moment::Before);
        let begun = Instant::now();
        self.runtime
            .block_on(inner::take_all(repository, &reference))
            .expect("a snapshot");
        let took = begun.elapsed();
        run();
        let begun = Instant::now();
        let since = Since {
            moment: 0,
            can_have_written: false,
        };
        let changes = measure::changes(&self.git, repository.workspace, id, since, &Before::Kept);
        self.runtime.block_on(changes).expect("it is measured");
        (took, begun.elapsed())
    }

    /// What all snapshots take, in bytes.
    fn room(&self) -> u64 {
        let deadline = Instant::now() + Duration::from_secs(60);
        objects::taken_by(&self.git.snapshots, deadline).unwrap_or_else(|size| size)
    }

    /// A session on a repository that was cloned before, against the first one.
    fn sessions(&self) {
        let repository = self.folder.join("history");
        std::fs::create_dir(&repository).expect("a folder");
        git(&repository, &["init", "--quiet", "--initial-branch=main"]);
        history(&repository);
        let url = format!("file://{}", repository.display());
        let mirrors = Mirrors::new(self.folder.join("mirrors"));
        let first = self.session(&mirrors, &url);
        let mut seconds = Vec::new();
        for _ in 0..ROUNDS {
            seconds.push(self.session(&mirrors, &url));
        }
        let mut clones = Vec::new();
        for number in 0..3 {
            let target = self.folder.join(format!("plain{number}"));
            let begun = Instant::now();
            git(
                self.folder,
                &["clone", "--quiet", &url, &target.display().to_string()],
            );
            clones.push(begun.elapsed());
        }
        row(
            &format!("first session, {COMMITS} commits (floor: git clone)"),
            first,
            median(clones),
        );
        row(
            "second session on it (floor: the first session)",
            median(seconds),
            first,
        );
    }

    fn session(&self, mirrors: &Mirrors, url: &str) -> Duration {
        let id = SessionId::random();
        let at = ChatThread {
            chat: ChatId(1),
            thread: None,
        };
        let source = Source::Clone(url.to_owned());
        let session = Session::new(id, at, source, &self.folder.join("workspaces"));
        let stop = CancellationToken::new();
        let shop = Workshop {
            git: &self.git,
            mirrors,
            branch_prefix: "telecoder/",
            listener: Listener {
                heard: &|_| {},
                stop: &stop,
                marker: None,
            },
        };
        let begun = Instant::now();
        self.runtime
            .block_on(workspace::make(&shop, &session))
            .expect("a workspace");
        begun.elapsed()
    }
}

fn row(what: &str, measured: Duration, floor: Duration) {
    println!(
        "{what:<58} {:>7.1} ms {:>7.1} ms  {:>6.2}",
        measured.as_secs_f64() * 1e3,
        floor.as_secs_f64() * 1e3,
        measured.as_secs_f64() / floor.as_secs_f64()
    );
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Commits that each change a file of some hundreds, as `git fast-import` takes them.
fn history(repository: &Path) {
    let mut import = Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(repository)
        .stdin(Stdio::piped())
        .spawn()
        .expect("git is there");
    let mut input = import.stdin.take().expect("stdin is piped");
    for number in 0..COMMITS {
        let text: String = (0..40)
            .map(|line| format!("line {line} of change {number}, {}\n", number * 31 + line))
            .collect();
        write!(
            input,
            "commit refs/heads/main\ncommitter A <a@b> {} +0000\ndata 6\nchange\nM 644 inline src/f{}.txt\ndata {}\n{text}\n",
            1_700_000_000 + number,
            number % 300,
            text.len(),
        )
        .expect("git reads");
    }
    drop(input);
    assert!(import.wait().expect("it ends").success());
}

fn commit(repository: &Path, message: &str) {
    let name = ["-c", "user.name=A", "-c", "user.email=a@b"];
    let commit = ["commit", "--quiet", "--message", message];
    git(repository, &[&name[..], &commit[..]].concat());
}

fn git(folder: &Path, arguments: &[&str]) {
    let folder: PathBuf = folder.to_owned();
    let output = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("git is there");
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn version() -> String {
    let output = Command::new("git").arg("--version").output();
    output.map_or_else(
        |_| "without git".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
