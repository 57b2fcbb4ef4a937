//! The report: findings as lines for a person or as JSON for a program. Pure.
//!
//! The checks decide what is looked at and what it means.

use std::fmt;

use clap::builder::styling::{AnsiColor, Style};
use jiff::Timestamp;
use serde::Serialize;

use crate::redact::Redactor;

/// The checks, in the order of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    Settings,
    User,
    Telegram,
    Token,
    Updates,
    People,
    Groups,
    Clock,
    Data,
    Space,
    Database,
    Waiting,
    Workspaces,
    LoginShell,
    Git,
    Claude,
    Login,
    Permissions,
    Bot,
    Service,
    Log,
}

impl Check {
    fn title(self) -> &'static str {
        match self {
            Check::Settings => "Settings",
            Check::User => "User",
            Check::Telegram => "Telegram",
            Check::Token => "Token",
            Check::Updates => "Updates",
            Check::People => "People",
            Check::Groups => "Groups",
            Check::Clock => "Clock",
            Check::Data => "Data folder",
            Check::Space => "Disk",
            Check::Database => "Database",
            Check::Waiting => "Waiting",
            Check::Workspaces => "Workspaces",
            Check::LoginShell => "Login shell",
            Check::Git => "git",
            Check::Claude => "claude",
            Check::Login => "Login",
            Check::Permissions => "Permissions",
            Check::Bot => "Bot",
            Check::Service => "Service",
            Check::Log => "Log",
        }
    }

    pub(super) fn good(self, found: impl Into<String>) -> Finding {
        self.finding(Mark::Good, found.into(), None)
    }

    pub(super) fn remark(self, found: impl Into<String>) -> Finding {
        self.finding(Mark::Remark, found.into(), None)
    }

    pub(super) fn warning(self, found: impl Into<String>, remedy: impl Into<String>) -> Finding {
        self.finding(Mark::Warning, found.into(), Some(remedy.into()))
    }

    pub(super) fn broken(self, found: impl Into<String>, remedy: impl Into<String>) -> Finding {
        self.finding(Mark::Broken, found.into(), Some(remedy.into()))
    }

    fn finding(self, mark: Mark, found: String, remedy: Option<String>) -> Finding {
        Finding {
            check: self,
            mark,
            found,
            remedy,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    Good,
    /// Neither good nor bad, or not looked at.
    Remark,
    /// It works, but somebody should look.
    Warning,
    /// telecoder, or a part of it, does not work.
    Broken,
}

impl Mark {
    fn sign(self) -> &'static str {
        match self {
            Mark::Good => "✓",
            Mark::Remark => "·",
            Mark::Warning => "!",
            Mark::Broken => "✗",
        }
    }

    fn style(self) -> Style {
        match self {
            Mark::Good => AnsiColor::Green.on_default(),
            Mark::Remark => Style::new(),
            Mark::Warning => AnsiColor::Yellow.on_default().bold(),
            Mark::Broken => AnsiColor::Red.on_default().bold(),
        }
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub check: Check,
    pub mark: Mark,
    pub found: String,
    /// What to do; present if the mark is a warning or worse.
    pub remedy: Option<String>,
}

/// The findings, in the order of [`Check`]. Its JSON form is what `telecoder doctor --json` prints.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Of this telecoder.
    version: &'static str,
    /// RFC 3339, in UTC.
    at: String,
    broken: usize,
    warnings: usize,
    checks: Vec<Finding>,
}

impl Report {
    /// Takes secrets out of all findings.
    pub fn new(at: Timestamp, mut checks: Vec<Finding>, redactor: &Redactor) -> Report {
        checks.sort_by_key(|finding| finding.check);
        for finding in &mut checks {
            let texts = std::iter::once(&mut finding.found).chain(&mut finding.remedy);
            texts.for_each(|text| redactor.clean(text));
        }
        let count = |mark| checks.iter().filter(|finding| finding.mark == mark).count();
        Report {
            version: env!("CARGO_PKG_VERSION"),
            at: at.to_string(),
            broken: count(Mark::Broken),
            warnings: count(Mark::Warning),
            checks,
        }
    }

    /// How many things are broken.
    pub fn broken(&self) -> usize {
        self.broken
    }

    /// A line each, with its remedy below it.
    pub fn lines(&self) -> String {
        let mut text = String::new();
        for finding in &self.checks {
            let (sign, style) = (finding.mark.sign(), finding.mark.style());
            let title = finding.check.title();
            let found = finding.found.replace('\n', "\n               ");
            text.push_str(&format!("{style}{sign}{style:#} {title:<12} {found}\n"));
            if let Some(remedy) = &finding.remedy {
                text.push_str(&format!("               → {remedy}\n"));
            }
        }
        text
    }

    /// The lines and a summary, with colours; the printer strips them if they are not wanted.
    pub fn text(&self) -> String {
        let mut text = self.lines();
        text.push('\n');
        text.push_str(&match (self.broken, self.warnings) {
            (0, 0) => "All is well.\n".to_owned(),
            (0, warnings) => format!(
                "Nothing is broken; {} a look (!).\n",
                counted(warnings, "thing needs", "things need")
            ),
            (broken, 0) => format!(
                "{} broken (✗).\n",
                counted(broken, "thing is", "things are")
            ),
            (broken, warnings) => format!(
                "{} broken (✗), {} a look (!).\n",
                counted(broken, "thing is", "things are"),
                counted(warnings, "needs", "need")
            ),
        });
        text
    }
}

/// "1 run", "2 runs".
pub(super) fn counted<N>(count: N, one: &str, many: &str) -> String
where
    N: fmt::Display + From<u8> + PartialEq,
{
    let name = if count == N::from(1) { one } else { many };
    format!("{count} {name}")
}

/// A number of bytes as a person reads it: "1.2 GB".
pub(super) fn bytes(count: u64) -> String {
    const STEPS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    for (step, name) in STEPS {
        if count >= step {
            let tenths = count / (step / 10);
            return match tenths {
                100.. => format!("{} {name}", tenths / 10),
                _ => format!("{}.{} {name}", tenths / 10, tenths % 10),
            };
        }
    }
    format!("{count} B")
}
