//! Prints the list of settings: `.env.example`, with which a new settings file begins, and `docs/configuration.md`.
//! Tests compare both files with it.

use super::setting::{Group, Setting};

const HEAD: &str = "\
# Settings of telecoder. Copy to .env and fill in; a line that is commented out shows the default.
# Values in the environment win over this file; telecoder also reads telecoder.env in ~/.config/telecoder and
# in /etc/telecoder. Other variables in here (ANTHROPIC_API_KEY, proxies, keys of your tools) reach claude. A proxy
# (HTTPS_PROXY=socks5h://HOST:PORT or http://HOST:PORT, ALL_PROXY, NO_PROXY) and certificates of your own (SSL_CERT_FILE,
# SSL_CERT_DIR) are used for the way to Telegram as well.
";

const INTRODUCTION: &str = "\
# Configuration

This page is printed from the list of settings in the code, and so is [.env.example](../.env.example).

## Where settings come from

Each setting is a variable. telecoder looks for it in this order; what comes first wins, and an empty value counts as
not set:

1. the environment of the process,
2. `.env` in the folder that the bot is started in,
3. `telecoder.env` in `$XDG_CONFIG_HOME/telecoder`, or in `~/.config/telecoder` if that is not set,
4. `/etc/telecoder/telecoder.env`,
5. the default.

`.env` is read by `telecoder` itself, `telecoder init` and `telecoder config`. All other commands (`doctor`, `session`,
`backup`, `service`) are often run in folders of others, whose `.env` must not choose programs: for them it counts only
if a bot of yours was started with it, which telecoder remembers in `~/.local/state/telecoder/started-with`.

Settings are read once, at the start: a running bot needs a restart to use a change. All faults are reported together,
each with its remedy, and the bot does not start with one.

    telecoder config view                            # every setting, its value and where that comes from
    telecoder config set TELECODER_MODEL opus        # changes one line of a settings file, and keeps all others
    telecoder config unset TELECODER_MODEL           # back to the default
    telecoder config set TELEGRAM_BOT_TOKEN -        # the token, from standard input only

`telecoder config set` changes the file that has the setting. If none has it, that is `.env` in the current folder
unless that is a project's, else `telecoder.env` in `~/.config/telecoder`; `--file` names another one. Where telecoder
is a service of another user, run it as that user, who reads other files. An invalid value is not written. If the file
has a line that cannot be read, the command writes the value, names the line and ends with 1: no bot starts with such a
file.

## What a file looks like

`NAME=value`, a line each; a line that begins with `#` is a comment. A value with blanks, quotes, `#`, `$` or `\\` goes
into double quotes, with `\\` before `\"`, `$` and `\\`. An unquoted `$NAME` stands for another variable's value;
`telecoder config view` says where there is none. The file is UTF-8. It has the bot's token in it: it should be readable
for telecoder's user only (`chmod 600`), which is how `telecoder init` makes it.

## Variables that are not telecoder's

All other variables in the environment or in a settings file reach claude and all that it starts: `ANTHROPIC_API_KEY`,
`CLAUDE_*`, proxies, keys of your own tools. So do those of the login shell ([TELECODER_LOGIN_ENV](#telecoder_login_env)),
unless the environment or a settings file has them; its PATH comes before that of the environment, and a PATH in
a settings file is left as it is. The bot's token and telecoder's own settings do not. `IS_SANDBOX=1` is
claude's own: with it root may use `bypassPermissions`, in a throw-away container.

`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, `SSL_CERT_FILE` and `SSL_CERT_DIR`, in the environment or in a
settings file, also decide the way to Telegram: [runtime-setup.md](runtime-setup.md#behind-a-proxy).
";

/// `.env.example`, and the beginning of every new settings file.
pub fn example() -> String {
    let mut page = HEAD.to_owned();
    for group in Group::ALL {
        page.push_str(&format!("\n# == {} ==\n", group.title()));
        for setting in of(group) {
            page.push('\n');
            for line in setting.about().meaning {
                page.push_str(&format!("# {line}\n"));
            }
            page.push_str(&setting.line());
            page.push('\n');
        }
    }
    page
}

/// `docs/configuration.md`.
pub fn documentation() -> String {
    let mut page = INTRODUCTION.to_owned();
    for group in Group::ALL {
        page.push_str(&format!("\n## {}\n", group.title()));
        for setting in of(group) {
            page.push_str(&entry(setting));
        }
    }
    page
}

fn entry(setting: Setting) -> String {
    let about = setting.about();
    let mut entry = format!("\n### {}\n\n{}\n\n", about.name, about.meaning.join("\n"));
    let default = match about.default {
        "" => "no value".to_owned(),
        default => format!("`{default}`"),
    };
    entry.push_str(&format!("- Takes: {}\n- Default: {default}\n", about.takes));
    if !about.example.is_empty() {
        entry.push_str(&format!("- Example: `{}={}`\n", about.name, about.example));
    }
    if about.is_secret {
        entry.push_str("- Secret: telecoder shows it nowhere\n");
    }
    entry
}

fn of(group: Group) -> impl Iterator<Item = Setting> {
    Setting::ALL
        .into_iter()
        .filter(move |setting| setting.about().group == group)
}
