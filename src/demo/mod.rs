//! Runs the bot without a token and without Telegram: the real bot, with stand-ins at both ends.
//!
//! [`bot_api`] stands in for Telegram on loopback, [`terminal`] is the phone, and if there is no claude on PATH,
//! [`agent`] answers in its place. Everything in between is the bot as shipped.

pub mod agent;
pub mod bot_api;
pub mod html;
pub mod terminal;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use rustix::process::geteuid;
use tokio_util::sync::CancellationToken;

use crate::claude::environment;
use crate::claude::folder::RunFolder;
use crate::claude::host::Host;
use crate::claude::install::{self, Found};
use crate::config::{Config, PageAddress, Setting, Sources};
use crate::daemon::{self, DATABASE};
use crate::domain::id::{ChatId, UserId};
use crate::store;
use crate::store::page_keys::{self, Holder};
use bot_api::BotApi;
use terminal::{STOP_TIME, Terminal};

const TOKEN: &str = "1:demo";
const PERSON: UserId = UserId(7);
const CHAT: ChatId = ChatId(7);

/// Runs the demo until its input ends or somebody quits; writes what the phone shows to `page`, if one is given. With
/// `web`, the page for browsers is served too, and a link to it is printed.
pub async fn run(
    sources: &Sources,
    page: Option<&Path>,
    web: bool,
    quit: CancellationToken,
) -> anyhow::Result<()> {
    let folder = Folder::make().context("cannot make a folder for the demo")?;
    let claude = Claude::find(sources, folder.path()).await?;
    let api = BotApi::start(TOKEN, "telecoder_demo_bot")
        .await
        .context("cannot listen on loopback")?;

    let mut environment = sources.environment.clone();
    environment.retain(|name, _| {
        let name = name.to_string_lossy();
        !name.starts_with("TELECODER_TG_") && !name.starts_with("TELEGRAM_")
    });
    for (setting, value) in [
        (Setting::BotToken, TOKEN.to_owned()),
        (Setting::ApiUrl, api.url()),
        (Setting::AllowedUsers, PERSON.0.to_string()),
        (
            Setting::Data,
            folder.path().join("data").display().to_string(),
        ),
        (Setting::Runtime, claude.program.display().to_string()),
        // It is the person's own already.
        (Setting::LoginEnv, "false".to_owned()),
    ] {
        environment.insert(setting.name().into(), value.into());
    }
    if web {
        environment.insert(Setting::WebAddr.name().into(), "127.0.0.1:0".into());
    }
    claude.choose_permission_mode(sources, &mut environment);
    let config = Config::read(&Sources::of(environment))?;
    let (served, data) = (config.page.clone(), config.data.clone());
    let runs = Runs {
        database: config.data.join(DATABASE),
    };

    println!("telecoder demo: the bot as it is, without Telegram.");
    println!("{}", claude.introduction);
    println!(
        "Workspaces are in {} and are removed with the demo.",
        folder.path().display()
    );
    let stop_bot = CancellationToken::new();
    let mut bot = tokio::spawn(daemon::serve(config, stop_bot.clone()));
    if web {
        let link = tokio::select! {
            link = link(&served, &runs) => link?,
            ended = &mut bot => return Ok(ended??),
        };
        println!("The page, for one browser: {link}");
    }
    let drawn = async {
        match page {
            Some(page) => html::follow(api.clone(), page)
                .await
                .with_context(|| format!("{} cannot be written", page.display())),
            None => std::future::pending().await,
        }
    };
    let terminal = Terminal::new(api.clone(), CHAT, PERSON);
    let talked = tokio::select! {
        failed = drawn => Some(failed),
        talked = terminal.talk(&runs) => Some(talked),
        ended = &mut bot => return Ok(ended??),
        () = quit.cancelled() => None,
    };
    if !matches!(talked, Some(Ok(()))) {
        // Nothing of a demo outlives it.
        terminal.stop_runs(&runs).await;
    }
    stop_bot.cancel();
    bot.await??;
    // One that is kept for the next prompt outlives the bot.
    end_keepers(&data.join("runs")).await;
    if let Some(page) = page {
        html::write(&api, page)?;
        println!("{} shows the chat.", page.display());
    }
    talked.unwrap_or(Ok(()))
}

/// Ends every claude that is left, with its keeper.
async fn end_keepers(runs: &Path) {
    let folders = fs::read_dir(runs).into_iter().flatten().flatten();
    let hosts: Vec<Host> = folders
        .filter_map(|folder| Host::open(RunFolder::new(folder.path())).ok())
        .collect();
    let ended = async {
        for host in &hosts {
            while matches!(host.ask_to_stop(), Ok(true)) {
                tokio::time::sleep(LOOK_EVERY * 5).await;
            }
        }
    };
    if tokio::time::timeout(STOP_TIME, ended).await.is_err() {
        eprintln!("A claude of this demo could not be ended.");
    }
}

/// A link to the page, once it is served.
async fn link(served: &PageAddress, runs: &Runs) -> anyhow::Result<String> {
    let url = loop {
        match served.url() {
            Some(url) => break url,
            None => tokio::time::sleep(LOOK_EVERY).await,
        }
    };
    let holder = Holder {
        user: PERSON,
        name: String::new(),
    };
    let db = store::open_beside(&runs.database)?;
    let key = page_keys::make_link(&db, &holder)?;
    Ok(format!("{url}/in/{}", key.as_str()))
}

/// Reads from the bot's database whether it has anything left to do.
pub struct Runs {
    database: PathBuf,
}

impl Runs {
    /// True when every update has had its effect, every run has ended and every message has arrived.
    pub async fn are_over(&self) -> bool {
        let database = self.database.clone();
        let left = tokio::task::spawn_blocking(move || crate::store::left_to_do(&database)).await;
        matches!(left, Ok(Ok(0)))
    }

    /// True while claude waits for somebody's answer.
    pub async fn are_asking(&self) -> bool {
        let database = self.database.clone();
        let asking = tokio::task::spawn_blocking(move || crate::store::is_asking(&database)).await;
        matches!(asking, Ok(Ok(true)))
    }
}

/// The demo's own folder; removed when it ends.
struct Folder(PathBuf);

impl Folder {
    fn make() -> std::io::Result<Folder> {
        let path = std::env::temp_dir().join(format!("telecoder-demo-{}", uuid::Uuid::new_v4()));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Folder(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The program that answers the prompts.
struct Claude {
    program: PathBuf,
    introduction: String,
    is_real: bool,
}

impl Claude {
    async fn find(sources: &Sources, folder: &Path) -> anyhow::Result<Claude> {
        let wanted = sources
            .value(Setting::Runtime)
            .unwrap_or_else(|| Setting::Runtime.default().to_owned());
        let path = sources.environment.get(&OsString::from("PATH"));
        let program = install::on_path(Path::new(&wanted), path.map(OsString::as_os_str));
        let Some(program) = program else {
            return Claude::stand_in(folder, "There is no claude on this machine");
        };
        let found = install::look(&program, &environment::for_claude(&sources.environment)).await;
        let is_there = |introduction: String| Claude {
            program: program.clone(),
            introduction,
            is_real: true,
        };
        Ok(match found {
            Found::Ready { version } => is_there(format!(
                "Your prompts go to the real claude: {} ({version}). What it does may cost money.",
                program.display()
            )),
            Found::NotLoggedIn { version } => is_there(format!(
                "Your prompts go to the real claude: {} ({version}), but it is not logged in. Run claude \
                 once and log in.",
                program.display()
            )),
            Found::Missing | Found::Broken(_) => {
                Claude::stand_in(folder, "The claude on PATH does not answer")?
            }
        })
    }

    /// A script that calls this very binary, so that the bot starts it like any claude.
    fn stand_in(folder: &Path, why: &str) -> anyhow::Result<Claude> {
        let telecoder = std::env::current_exe().context("cannot find this program's own file")?;
        let quoted = telecoder.to_string_lossy().replace('\'', r"'\''");
        let program = folder.join("claude");
        fs::write(
            &program,
            format!("#!/bin/sh\nexec '{quoted}' stand-in \"$@\"\n"),
        )?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700))?;
        Ok(Claude {
            program,
            introduction: format!(
                "{why}, so a scripted stand-in answers. It does not think; it only shows the chat."
            ),
            is_real: false,
        })
    }

    /// claude refuses to bypass permissions for root; the demo then uses a stricter mode.
    fn choose_permission_mode(
        &self,
        sources: &Sources,
        environment: &mut BTreeMap<OsString, OsString>,
    ) {
        if !geteuid().is_root() || sources.value(Setting::PermissionMode).is_some() {
            return;
        }
        environment.insert(Setting::PermissionMode.name().into(), "acceptEdits".into());
        if self.is_real {
            println!(
                "You are root, and claude takes no bypassPermissions from root: the demo uses acceptEdits."
            );
        }
    }
}

/// How often the demo looks whether everything is over.
const LOOK_EVERY: Duration = Duration::from_millis(20);
