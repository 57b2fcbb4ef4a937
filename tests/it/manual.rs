//! Help, completions, man pages, and the answer to a mistyped command.

use std::process::Command;

use crate::support::{Machine, without_program};

fn said(machine: &Machine, arguments: &[&str]) -> (Option<i32>, String) {
    let output = machine.telecoder(arguments).output().expect("it starts");
    let both = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&both).into_owned(),
    )
}

/// The names of the commands, as the help has them.
fn commands(machine: &Machine) -> Vec<String> {
    let (_, help) = said(machine, &["--help"]);
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_mistyped_command_or_option_is_answered_with_the_one_that_was_meant() {
    let machine = Machine::new();
    for (arguments, meant) in [
        (&["sesion", "list"][..], "'session'"),
        (&["stauts"], "'status'"),
        (&["session", "lst"], "'list'"),
        (&["doctor", "--jsn"], "'--json'"),
    ] {
        let (code, answer) = said(&machine, arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {answer}");
        assert!(answer.contains(meant), "{arguments:?}: {answer}");
    }
}

#[test]
fn help_has_examples_and_the_long_one_the_exit_codes() {
    let machine = Machine::new();
    let (code, short) = said(&machine, &["-h"]);
    assert_eq!(code, Some(0));
    assert!(
        short.contains("telecoder doctor") && !short.contains("Exit codes:"),
        "{short}"
    );
    let (_, long) = said(&machine, &["--help"]);
    assert!(long.contains("3  the data folder is in use"), "{long}");
    let (_, doctor) = said(&machine, &["doctor", "--help"]);
    assert!(doctor.contains("remedy  what to do"), "{doctor}");
}

#[test]
fn a_real_bash_takes_its_completions() {
    let machine = Machine::new();
    let (code, script) = said(&machine, &["completions", "bash"]);
    assert_eq!(code, Some(0));
    let file = machine.folder.path().join("telecoder.bash");
    std::fs::write(&file, script).expect("a file");
    let complete = format!(
        "source {} && complete -p telecoder && COMP_WORDS=(telecoder do) COMP_CWORD=1 && \
         _telecoder telecoder do telecoder && echo \"${{COMPREPLY[@]}}\"",
        file.display()
    );
    let bash = Command::new("bash")
        .args(["-c", &complete])
        .output()
        .expect("bash");
    let answer = String::from_utf8_lossy(&bash.stdout);
    assert!(bash.status.success(), "{bash:?}");
    assert!(answer.contains("-F _telecoder"), "{answer}");
    assert!(answer.ends_with("doctor\n"), "{answer}");
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let (code, script) = said(&machine, &["completions", shell]);
        assert_eq!(code, Some(0), "{shell}");
        assert!(
            script.contains("doctor") && !script.contains("stand-in"),
            "{shell}"
        );
    }
}

#[test]
fn the_man_page_has_its_name_and_every_command() {
    let machine = Machine::new();
    let (code, page) = said(&machine, &["man"]);
    assert_eq!(code, Some(0));
    let commands = commands(&machine);
    assert!(commands.len() > 5, "{commands:?}");
    assert!(page.contains(".SH NAME\n"), "{page}");
    for command in &commands {
        let named = format!("telecoder\\-{command}(1)");
        assert!(page.contains(&named), "{command}: {page}");
    }
    let folder = machine.folder.path().join("man");
    let (code, answer) = said(&machine, &["man", "--dir", &folder.display().to_string()]);
    assert_eq!(code, Some(0), "{answer}");
    for command in commands.iter().filter(|command| *command != "help") {
        let page = folder.join(format!("telecoder-{command}.1"));
        let page = std::fs::read_to_string(page).expect("a page");
        assert!(page.contains(".SH SYNOPSIS"), "{page}");
    }
    render(&folder.join("telecoder.1"), "NAME");
    render(
        &folder.join("telecoder-session-list.1"),
        "telecoder-session-list",
    );
}

/// groff takes the page without a complaint, where there is one.
fn render(page: &std::path::Path, part: &str) {
    let rendered = Command::new("groff")
        .args(["-man", "-Tutf8", "-ww"])
        .arg(page)
        .env("GROFF_NO_SGR", "1")
        .output();
    let Ok(rendered) = rendered else {
        without_program("groff", "whether the man pages can be shown");
        return;
    };
    let text = String::from_utf8_lossy(&rendered.stdout).replace('\u{2010}', "-");
    assert!(rendered.stderr.is_empty(), "{rendered:?}");
    assert!(text.contains(part) || text.contains(&bold(part)), "{text}");
}

/// As a printer that overstrikes is told.
fn bold(text: &str) -> String {
    text.chars()
        .map(|letter| format!("{letter}\u{8}{letter}"))
        .collect()
}
