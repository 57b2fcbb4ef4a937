//! Whether and how the bot can run as a service here; checked before anything is written.
//!
//! `telecoder service` installs it.

use anyhow::{Context, bail};
use nix::unistd::User;
use rustix::process::geteuid;

use super::InitArguments;
use super::terminal::Terminal;
use crate::cli::Misused;
use crate::config::Setting;
use crate::systemd;

const NEEDS_USER: &str = "a service does not run as root, and there is no user telecoder here. deploy/install.sh makes one and \
                          installs the service; `telecoder service install --run-as USER` takes another one; run init as \
                          that user too";

/// The step after the settings are written.
pub(super) enum Next {
    Nothing,
    InstallService,
    /// The service is installed already.
    StartService,
}

/// Whether the bot can run as a service here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// There is no systemd.
    Impossible,
    CanBeInstalled,
    /// The machine's service runs as this user.
    IsThere,
    /// This is root, and there is no user that a service could run as.
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
                "this is root, but telecoder runs as {name} here and does not read root's settings. Nothing was done. \
                 Run: sudo -u {name} -H telecoder init",
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

    /// Asks whether to install the service, if that is possible and no flag decides.
    pub async fn offer(
        self,
        arguments: &InitArguments,
        terminal: &mut Terminal,
    ) -> anyhow::Result<Next> {
        match self {
            Service::IsThere => return Ok(Next::StartService),
            Service::NeedsUser if !arguments.no_service => print_line!("! {NEEDS_USER}."),
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

/// Runs this program again; the person reads its output.
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
