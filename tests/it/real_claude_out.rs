//! The real claude hands a file over.

use std::os::unix::fs::PermissionsExt;

use crate::files_out::file;
use crate::real_claude::machine;

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn what_real_claude_puts_into_its_outbox_arrives_and_it_is_told_of_it() {
    let machine = machine();
    let _bot = machine.start();
    machine.ada_says(
        r#"[[tool: Bash {"command":"seq 1 5000 > $TELECODER_OUTBOX/numbers.txt"}]] [[say: here it is]]"#,
    );
    machine.message_with("here it is");
    let (_, content) = file(&machine, "numbers.txt");
    let numbers: String = (1..=5000).map(|number| format!("{number}\n")).collect();
    assert!(content == numbers.as_bytes());
    machine.ada_says("[[system: $TELECODER_OUTBOX]]");
    machine.message_with(
        "(also $TELECODER_OUTBOX) are sent to the person in the chat when you are done.",
    );
    machine.ada_says("/raw");
    machine.message_with("── your words, 29 characters\n[[system: $TELECODER_OUTBOX]]");
}

/// In a mode in which claude may write to its folders only.
#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn real_claude_may_write_into_its_outbox_when_it_may_only_edit() {
    let machine = machine().with("TELECODER_PERMISSION_MODE", "acceptEdits");
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.until_quiet();
    let session = std::fs::read_dir(machine.data().join("files"))
        .expect("a folder")
        .flatten()
        .next()
        .expect("a session")
        .path();
    let path = session.join("outbox/plan.md");
    machine.ada_says(&format!(
        r#"[[tool: Write {{"file_path":"{}","content":"a plan"}}]] [[say: written]]"#,
        path.display()
    ));
    assert_eq!(file(&machine, "plan.md").1, b"a plan");
}

/// From 2.1.280 on, a claude by itself keeps what its first turn was told.
#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn what_a_later_telecoder_says_of_the_outbox_reaches_a_conversation_that_began_before() {
    let machine = machine();
    let claude = machine.environment["TELECODER_RUNTIME"].clone();
    let earlier = machine.folder.path().join("earlier");
    // As if an earlier telecoder had used other words.
    std::fs::write(
        &earlier,
        format!(
            "#!/bin/bash\nset -- \"${{@/when you are done./in the old way.}}\"\nexec '{claude}' \"$@\"\n"
        ),
    )
    .expect("a script");
    std::fs::set_permissions(&earlier, PermissionsExt::from_mode(0o700)).expect("it runs");
    let machine = machine.with("TELECODER_RUNTIME", earlier.display().to_string());
    let bot = machine.start();
    machine.ada_says("[[system: $TELECODER_OUTBOX]]");
    machine.message_with("are sent to the person in the chat in the old way.");
    machine.until_quiet();
    assert!(bot.terminate().success());
    let machine = machine.with("TELECODER_RUNTIME", claude);
    let _bot = machine.start();
    machine.ada_says("[[system: $TELECODER_OUTBOX]] again");
    machine.message_with("are sent to the person in the chat when you are done.");
}
