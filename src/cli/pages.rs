//! Prints shell completions and man pages, from the same source as the help.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use clap::Command;
use clap_complete::Shell;

use super::screen::NotPrinted;

/// Prints the script that completes commands and options in a shell.
pub(super) fn completions(shell: Shell, mut command: Command) -> anyhow::Result<()> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    print(&script)
}

/// Prints the page telecoder.1, or writes a page for each command into a folder.
pub(super) fn man(folder: Option<&Path>, mut command: Command) -> anyhow::Result<()> {
    let Some(folder) = folder else {
        // Subcommands get their full names by this.
        command.build();
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        return print(&page);
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(command, folder))
        .with_context(|| format!("the man pages cannot be written into {}", folder.display()))?;
    let count = std::fs::read_dir(folder)?.count();
    print_line!(
        "{} has {count} pages now; man -l {} shows the first.",
        folder.display(),
        folder.join("telecoder.1").display()
    );
    // On the disk before somebody packs them.
    Ok(File::open(folder)?.sync_all()?)
}

fn print(page: &[u8]) -> anyhow::Result<()> {
    let mut stdout = io::stdout();
    let printed = stdout.write_all(page).and_then(|()| stdout.flush());
    Ok(printed.map_err(NotPrinted::from)?)
}
