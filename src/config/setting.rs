//! The closed list of settings, each with all its texts in one place.
//!
//! `.env.example` and `docs/configuration.md` are printed from this list ([`super::pages`]); [`mod@super::reader`]
//! reads the values and finds their faults.

use super::LogFormat;

/// The texts about a setting.
#[derive(Debug)]
pub struct About {
    /// The name of its variable.
    pub name: &'static str,
    pub group: Group,
    /// Its value if it is not set; empty if there is none.
    pub default: &'static str,
    /// What it does, in the lines of `.env.example`.
    pub meaning: &'static [&'static str],
    /// What may be written: form, unit, limits.
    pub takes: &'static str,
    /// A possible value; empty if the default says enough.
    pub example: &'static str,
    /// Its value is shown to nobody.
    pub is_secret: bool,
    /// In a new file it is ready to be filled in, not commented out.
    pub is_asked_for: bool,
}

/// Settings that are read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Telegram,
    Runs,
    Workspaces,
    Checks,
    Itself,
}

impl Group {
    pub const ALL: [Group; 5] = [
        Group::Telegram,
        Group::Runs,
        Group::Workspaces,
        Group::Checks,
        Group::Itself,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Group::Telegram => "Telegram",
            Group::Runs => "claude and its runs",
            Group::Workspaces => "Repositories and branches",
            Group::Checks => "Checks after a run",
            Group::Itself => "telecoder itself",
        }
    }
}

/// The fields of a setting that does not set them.
const PLAIN: About = About {
    name: "",
    group: Group::Itself,
    default: "",
    meaning: &[],
    takes: "",
    example: "",
    is_secret: false,
    is_asked_for: false,
};

/// Makes the enum, the list of its members and their texts from one entry a setting.
macro_rules! settings {
    ($($setting:ident { $($field:ident: $value:expr),* $(,)? })*) => {
        /// Every setting, in the order of `.env.example`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Setting {
            $($setting,)*
        }

        impl Setting {
            pub const ALL: [Setting; [$(Setting::$setting),*].len()] = [$(Setting::$setting),*];

            pub fn about(self) -> &'static About {
                match self {
                    $(Setting::$setting => {
                        const ABOUT: About = About { $($field: $value,)* ..PLAIN };
                        &ABOUT
                    })*
                }
            }
        }
    };
}

settings! {
    BotToken {
        name: "TELEGRAM_BOT_TOKEN",
        group: Group::Telegram,
        meaning: &["The bot's token, from @BotFather in Telegram (/newbot). Required."],
        takes: "the token as @BotFather shows it, a number, a colon and a secret",
        is_secret: true,
        is_asked_for: true,
    }
    AllowedUsers {
        name: "TELECODER_TG_ALLOWED_USERS",
        group: Group::Telegram,
        meaning: &[
            "Who may use the bot: Telegram user ids, separated by commas. Empty means nobody.",
            "`telecoder init` puts you there as the owner; /invite in the chat lets others in without a line here.",
        ],
        takes: "numbers, not @names, separated by commas; the first one is the owner, who is told what \
                concerns the whole bot",
        example: "123456789,987654321",
        is_asked_for: true,
    }
    AllowedChats {
        name: "TELECODER_TG_ALLOWED_CHATS",
        group: Group::Telegram,
        meaning: &[
            "Groups that may use the bot, by their (negative) ids; the sender must be allowed to use it as well.",
        ],
        takes: "negative numbers, separated by commas",
        example: "-1001234567890",
    }
    ApiUrl {
        name: "TELEGRAM_API_URL",
        group: Group::Telegram,
        default: "https://api.telegram.org",
        meaning: &["The Bot API server: Telegram's own, or a local one."],
        takes: "an http or https address",
        example: "http://127.0.0.1:8081",
    }
    Runtime {
        name: "TELECODER_RUNTIME",
        group: Group::Runs,
        default: "claude",
        meaning: &["The claude program: a name on PATH, or a full path."],
        takes: "a name, a full path, or one from ~/",
        example: "~/.local/bin/claude",
    }
    LoginEnv {
        name: "TELECODER_LOGIN_ENV",
        group: Group::Runs,
        default: "true",
        meaning: &[
            "Whether claude, git and the checks get what your login shell has, as programs started in a terminal do: its PATH,",
            "with what nvm, mise, pyenv or cargo put there, and the variables that telecoder has no value for. The shell is asked",
            "once, at the start.",
        ],
        takes: "true or false",
    }
    Model {
        name: "TELECODER_MODEL",
        group: Group::Runs,
        meaning: &[
            "The model, as claude's --model takes it. Empty means claude's own choice, kept for a whole session.",
            "A chat can choose another one with /model.",
        ],
        takes: "a name that claude knows",
        example: "opus",
    }
    PermissionMode {
        name: "TELECODER_PERMISSION_MODE",
        group: Group::Runs,
        default: "bypassPermissions",
        meaning: &[
            "What claude may do without asking: manual, acceptEdits, plan, dontAsk, auto or bypassPermissions.",
            "A chat can choose another one with /mode. claude asks in the chat for what the mode does not allow.",
            "bypassPermissions lets it run every command as the user that telecoder runs as; root cannot use it.",
        ],
        takes: "one of these six names",
        example: "acceptEdits",
    }
    TimeZone {
        name: "TELECODER_TIME_ZONE",
        group: Group::Runs,
        meaning: &[
            "The time zone of routines (/every weekday 9:00) that name none. Empty means that of this machine.",
        ],
        takes: "a name like Europe/Berlin, or UTC",
        example: "Europe/Berlin",
    }
    MaxRuns {
        name: "TELECODER_MAX_RUNS",
        group: Group::Runs,
        default: "4",
        meaning: &[
            "How many runs may run at the same time in all chats (1 to 1000); each takes about 300 MB of memory.",
        ],
        takes: "a whole number from 1 to 1000",
        example: "2",
    }
    RunTimeout {
        name: "TELECODER_RUN_TIMEOUT",
        group: Group::Runs,
        default: "none",
        meaning: &[
            "The longest that one run may take, like 90s, 30m or 2h; the time that claude waits for an answer counts.",
        ],
        takes: "a length of time like 90s, 30m or 2h, or none",
        example: "2h",
    }
    Warm {
        name: "TELECODER_WARM",
        group: Group::Runs,
        default: "5m",
        meaning: &[
            "How long claude is kept after a run, so that the chat's next prompt need not start it anew; none ends it with the",
            "run, as TELECODER_RUN_TIMEOUT does. Each takes some 200 MB of memory.",
        ],
        takes: "a length of time like 90s, 30m or 2h, or none",
        example: "none",
    }
    WarmMost {
        name: "TELECODER_WARM_MAX",
        group: Group::Runs,
        default: "2",
        meaning: &["How many are kept so at most, in all chats; the one that was used longest ago goes first."],
        takes: "a whole number from 0 to 1000",
        example: "4",
    }
    StaleAfter {
        name: "TELECODER_STALE_AFTER",
        group: Group::Runs,
        default: "6h",
        meaning: &[
            "Prompts older than this, after telecoder was down, need a button press to run; none runs them all.",
        ],
        takes: "a length of time of a minute or more, like 90s, 30m or 2h, or none",
        example: "none",
    }
    TranscribeCommand {
        name: "TELECODER_TRANSCRIBE_CMD",
        group: Group::Runs,
        meaning: &[
            "The shell command that turns a voice message into text. It gets the file's path as its last argument, or in place",
            "of {}, and writes the text to stdout. docs/runtime-setup.md has one with whisper.cpp. If empty, voice messages are",
            "not passed on.",
        ],
        takes: "a shell command",
        example: "/usr/local/bin/telecoder-transcribe",
    }
    BranchPrefix {
        name: "TELECODER_BRANCH_PREFIX",
        group: Group::Workspaces,
        default: "telecoder/",
        meaning: &["How the branches of sessions begin; the session's name follows."],
        takes: "the beginning of a branch's name, as git takes it",
        example: "ada/",
    }
    RepoRoots {
        name: "TELECODER_REPO_ROOTS",
        group: Group::Workspaces,
        meaning: &[
            "Folders that /new may take local repositories from, separated by commas. Empty means any folder that telecoder's",
            "user can read.",
        ],
        takes: "full paths, or paths from ~/, separated by commas",
        example: "~/src,/srv/git",
    }
    SetupCommand {
        name: "TELECODER_SETUP_CMD",
        group: Group::Workspaces,
        meaning: &[
            "The shell command that sets up a new clone or worktree, once, before its first prompt, for sessions without one",
            "of their own from /checks. It may take as long as a check.",
        ],
        takes: "a shell command",
        example: "npm ci",
    }
    TestCommand {
        name: "TELECODER_TEST_CMD",
        group: Group::Checks,
        meaning: &[
            "The shell command that tests the workspace after each run, for sessions without one of their own from /checks.",
            "If empty, the chat suggests a command that fits the project.",
        ],
        takes: "a shell command",
        example: "cargo test",
    }
    LintCommand {
        name: "TELECODER_LINT_CMD",
        group: Group::Checks,
        meaning: &["The same for a linter."],
        takes: "a shell command",
        example: "cargo clippy",
    }
    RepoChecks {
        name: "TELECODER_REPO_CHECKS",
        group: Group::Checks,
        default: "false",
        meaning: &[
            "Whether .telecoder.toml in a repository may set the checks and the setup: true or false. Anyone who can write to",
            "the repository can then choose commands that run here.",
        ],
        takes: "true or false",
    }
    VerifyTimeout {
        name: "TELECODER_VERIFY_TIMEOUT",
        group: Group::Checks,
        default: "15m",
        meaning: &["The longest that one check, or the setup, may take, like 90s, 30m or 2h, or none."],
        takes: "a length of time like 90s, 30m or 2h, or none",
        example: "1h",
    }
    AutoPush {
        name: "TELECODER_AUTO_PUSH",
        group: Group::Checks,
        default: "false",
        meaning: &[
            "Whether the branch is pushed automatically after a run whose checks are green: true or false. Never by force.",
        ],
        takes: "true or false",
    }
    Data {
        name: "TELECODER_DATA",
        group: Group::Itself,
        default: "~/.telecoder",
        meaning: &[
            "Where telecoder keeps its database, the runs and the workspaces. A full path, or one from ~/.",
        ],
        takes: "the path of a folder, made if missing",
        example: "/var/lib/telecoder",
    }
    KeepRuns {
        name: "TELECODER_KEEP_RUNS",
        group: Group::Itself,
        default: "500",
        meaning: &[
            "How many of the newest runs keep their log (/logs) and snapshot (/undo). The same number of check outputs and of",
            "sendings of files is kept. all keeps everything. Workspaces are never removed.",
        ],
        takes: "a whole number, or all",
        example: "100",
    }
    SnapshotFileMax {
        name: "TELECODER_SNAPSHOT_FILE_MAX",
        group: Group::Itself,
        default: "64",
        meaning: &[
            "How large a file may be, in MB (1,000,000 bytes), to be kept in the snapshot before each run (/undo, /diff). The",
            "evidence names larger ones; nobody brings them back.",
        ],
        takes: "a whole number from 1 to 100000",
        example: "500",
    }
    WebAddr {
        name: "TELECODER_WEB_ADDR",
        group: Group::Itself,
        meaning: &[
            "Where the page is served, and health (/healthz) and metrics (/metrics) can be read: a port of this machine, or an",
            "address with a port. Empty means nowhere. docs/web.md and docs/observability.md say what is there.",
        ],
        takes: "a port, or an address with a port; port 0 takes a free one, which the log names",
        example: "127.0.0.1:9464",
    }
    WebUrl {
        name: "TELECODER_WEB_URL",
        group: Group::Itself,
        meaning: &[
            "The address under which people find the page, if that is another one than TELECODER_WEB_ADDR: that of a proxy",
            "or a tunnel in front of it. With https, /web opens the page inside Telegram.",
        ],
        takes: "an http or https address without a path",
        example: "https://telecoder.example.com",
    }
    WebPublic {
        name: "TELECODER_WEB_PUBLIC",
        group: Group::Itself,
        default: "false",
        meaning: &[
            "Whether other machines may reach that address without anything in front of it that encrypts: true or false. Health",
            "and metrics need no login.",
        ],
        takes: "true or false",
    }
    Log {
        name: "RUST_LOG",
        group: Group::Itself,
        default: "info",
        meaning: &[
            "How much telecoder logs to stderr: error, warn, info, debug, trace, or per module as in telecoder=debug.",
        ],
        takes: "a level, or pairs of module and level, separated by commas",
        example: "warn,telecoder=debug",
    }
    LogFormat {
        name: "TELECODER_LOG_FORMAT",
        group: Group::Itself,
        default: LogFormat::Text.name(),
        meaning: &["How its log lines look: text for people, json for programs."],
        takes: "text or json",
        example: "json",
    }
}

impl Setting {
    /// The name of its variable.
    pub fn name(self) -> &'static str {
        self.about().name
    }

    /// Its value if it is not set; empty if there is none.
    pub fn default(self) -> &'static str {
        self.about().default
    }

    pub fn named(name: &str) -> Option<Setting> {
        Setting::ALL
            .into_iter()
            .find(|setting| setting.name() == name)
    }

    /// The line of a new settings file: its default, commented out, or its name to be filled in.
    pub fn line(self) -> String {
        let About {
            name,
            default,
            is_asked_for,
            ..
        } = self.about();
        if *is_asked_for {
            format!("{name}=")
        } else {
            format!("#{name}={default}")
        }
    }
}
