//! Whether and how the bot can run as a service here, asked before anything is written.
//!
//! The service itself is `telecoder service`'s.

use anyhow::{Context, bail};
use nix::unistd::User;
use rustix::process::geteuid;

use super::InitArguments;
use super::terminal::Terminal;
use crate::cli::Misused;
use crate::config::Setting;
use crate::systemd;

const NEEDS_USER: &str = "a service does not run as root, and there is no user telecoder here. deploy/install.sh makes one and \
                          installs the service; `telecoder service install --run-as USER` takes another one, as whom init \
                          is run too";

/// What comes after the settings are written.
pub(super) enum Next {
    Nothing,
    InstallService,
    /// It is there already.
    StartService,
}

/// What can be done here to have the bot run as a service.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// There is no systemd.
    Impossible,
    CanBeInstalled,
    /// The machine's own runs as this user.
    IsThere,
    /// This is root, and nobody is there as whom a service could run.
    NeedsUser,
}

impl Service {
    /// Refuses to ask root for settings that the service, which runs as somebody else, would not read.
    pub fn here(arguments: &InitArguments) -> anyhow::Result<Service> {
        let caller = geteuid();
        let of_unit = systemd::user_of_machine(&arguments.root);
        if of_unit
            .as_ref()
            .is_some_and(|user| user.uid.as_raw() == caller.as_raw())
        {
            return Ok(Service::IsThere);
        }
        let user = of_unit.or_else(|| User::from_name(systemd::USER).ok().flatten());
        let runs_machine = systemd::runs_machine(&arguments.root);
        match user {
            Some(user) if caller.is_root() && arguments.file.is_none() => Err(Misused(format!(
                "this is root, and telecoder runs as {name} on this machine, who would not read root's settings. Nothing \
                 was done. Run: sudo -u {name} -H telecoder init",
                name = user.name
            ))
            .into()),
            None if caller.is_root() && arguments.service => {
                Err(Misused(format!("{NEEDS_USER}. Nothing was done")).into())
            }
            None if caller.is_root() && runs_machine => Ok(Service::NeedsUser),
            _ if runs_machine => Ok(Service::CanBeInstalled),
            _ => Ok(Service::Impossible),
        }
    }

    /// Asks whether the service is wanted, where it can be had and no flag says it.
    pub async fn offer(
        self,
        arguments: &InitArguments,
        terminal: &mut Terminal,
    ) -> anyhow::Result<Next> {
        match self {
            Service::IsThere => return Ok(Next::StartService),
            Service::NeedsUser if !arguments.no_service => println!("! {NEEDS_USER}."),
            _ => {}
        }
        let wanted = if arguments.service || arguments.no_service {
            arguments.service
        } else if self == Service::CanBeInstalled && terminal.is_there() {
            terminal.agrees("\nInstall it as a service?", true).await?
        } else {
            false
        };
        Ok(if wanted {
            Next::InstallService
        } else {
            Next::Nothing
        })
    }
}

/// Runs this very program; what it says is for the person.
pub(super) fn install() -> anyhow::Result<()> {
    let status = std::process::Command::new("/proc/self/exe")
        .args(["service", "install"])
        .env_remove(Setting::BotToken.name())
        .status()
        .context("the settings are written, but the service could not be installed")?;
    if !status.success() {
        bail!(
            "the settings are written, but the service was not installed. Do what is said above and run: telecoder \
             service install"
        );
    }
    Ok(())
}
