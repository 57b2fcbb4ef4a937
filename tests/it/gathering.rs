//! What belongs together is one prompt: the parts of a long paste, an album, forwards and the words sent with them.

use serde_json::{Value, json};
use telecoder::domain::id::{ChatId, UserId};

use crate::support::{ADA, BOT, CHAT, Fault, GRACE, Machine, TEAM};

#[test]
fn a_paste_of_three_parts_is_one_prompt_to_the_byte() {
    let machine = Machine::new();
    let _bot = machine.start();
    let parts = [
        format!("a log\n{}", "x".repeat(4090)),
        format!("{}\t end of a line", "y".repeat(3880)),
        "//status is the last line".to_owned(),
    ];
    let ids: Vec<i32> = parts.iter().map(|part| machine.ada_says(part)).collect();
    machine.message_with("You said: a log");
    machine.until_quiet();
    // The first was full to the brim, so its last line goes on; after the second a line break was lost.
    let whole = format!("{}{}\n{}", parts[0], parts[1], parts[2]);
    assert_eq!(machine.claude_got(), [json!(whole)]);
    let reacted: Vec<bool> = machine
        .api
        .messages()
        .iter()
        .filter(|message| ids.contains(&message.id))
        .map(|message| message.reaction.is_some())
        .collect();
    assert_eq!(reacted, [true, false, false]);
    assert_eq!(
        machine.rows("SELECT message_id FROM prompt_messages ORDER BY message_id"),
        ids.iter().map(|id| i64::from(*id)).collect::<Vec<_>>()
    );
}

#[test]
fn a_paste_while_claude_works_goes_to_it_whole() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[bash: until [ -e go ]; do sleep 0.05; done]] [[say: done]]");
    machine.message_with("▸ Bash");
    let first = "p".repeat(4096);
    machine.ada_says(&first);
    machine.ada_says("the end");
    machine.until("claude has it on its input", || {
        let handed = machine.rows("SELECT count(*) FROM prompts WHERE handed_to IS NOT NULL");
        (handed == [1]).then_some(())
    });
    let workspaces = std::fs::read_dir(machine.data().join("workspaces")).expect("workspaces");
    for workspace in workspaces.flatten() {
        std::fs::write(workspace.path().join("go"), "").expect("a file");
    }
    machine.until_quiet();
    let whole = format!("{first}the end");
    assert_eq!(machine.times_run().get(&whole), Some(&1));
    assert_eq!(machine.times_run().len(), 2);
}

#[test]
fn what_comes_when_the_paste_is_complete_is_the_next_prompt() {
    let machine = Machine::new();
    let _bot = machine.start();
    let long = "z".repeat(4000);
    machine.ada_says(&long);
    machine.message_with("You said: zzz");
    machine.ada_says("and what is that?");
    machine.message_with("You said: and what is that?");
    assert_eq!(
        machine.claude_got(),
        [json!(long), json!("and what is that?")]
    );
}

#[test]
fn a_command_between_two_parts_acts_at_once_and_ends_the_paste() {
    let machine = Machine::new();
    let _bot = machine.start();
    let long = "z".repeat(4000);
    machine.ada_says(&long);
    machine.ada_says("/whoami");
    machine.ada_says("something else");
    machine.message_with("You said: something else");
    machine.until_quiet();
    assert_eq!(machine.claude_got(), [json!(long), json!("something else")]);
}

#[test]
fn the_rest_of_a_paste_is_its_rest_whatever_it_begins_with() {
    for (length, rest) in [
        (4096, "/stop ends what runs\n/push pushes"),
        (4096, "/whoami"),
        (4000, "/push pushes the branch"),
        (4000, "/stop\n/push"),
    ] {
        let machine = Machine::new();
        let _bot = machine.start();
        let first = "m".repeat(length);
        machine.ada_says(&first);
        machine.ada_says(rest);
        machine.message_with("You said: mmm");
        machine.until_quiet();
        let joint = if length == 4096 { "" } else { "\n" };
        assert_eq!(
            machine.claude_got(),
            [json!(format!("{first}{joint}{rest}"))]
        );
    }
}

#[test]
fn words_behind_a_command_that_takes_none_do_not_vanish() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("/status of the deployment looks wrong, please look");
    machine.message_with("No session yet");
    machine.message_with("/status takes no words, so claude did not get");
    machine.ada_says("/whoami\nis what I ask myself");
    machine.message_with("Nothing was done, and claude did not get this: it begins with /whoami");
    machine.ada_says("/stop\nand use tabs");
    machine.message_with("/stop takes no words");
    machine.until_quiet();
    assert_eq!(machine.claude_got(), Vec::<Value>::new());
    assert_eq!(machine.bot_messages().len(), 5);
}

#[test]
fn talk_among_people_of_a_group_is_in_nobodys_prompt() {
    let machine = Machine::new();
    let _bot = machine.start();
    picture(
        &machine,
        TEAM,
        "one",
        json!({"caption": format!("@{BOT} mine"),
            "caption_entities": [{"type": "mention", "offset": 0, "length": BOT.len() + 1}]}),
    );
    machine.api.say(TEAM, ADA, "just chatting meanwhile");
    machine.until_quiet_but_for_runs();
    let prompts = files_of_prompts(&machine);
    assert_eq!(prompts, [("mine".to_owned(), vec!["one".to_owned()])]);
}

#[test]
fn in_a_group_only_the_rest_of_a_cut_message_follows_it() {
    let machine = Machine::new();
    let _bot = machine.start();
    addressed(&machine, ADA, &"z".repeat(4000));
    machine.api.say(TEAM, ADA, "the end");
    machine.api.say(TEAM, ADA, "just chatting again");
    machine.until_quiet_but_for_runs();
    let prompts = files_of_prompts(&machine);
    assert_eq!(prompts.len(), 1, "{prompts:?}");
    assert!(prompts[0].0.ends_with("zz\nthe end"));
}

#[test]
fn two_people_who_paste_in_one_group_at_the_same_time_do_not_mix() {
    let machine = Machine::new().with("TELECODER_TG_ALLOWED_USERS", "7,8");
    let _bot = machine.start();
    let long = |letter: &str| letter.repeat(4096 - BOT.len() - 2);
    addressed(&machine, ADA, &long("a"));
    addressed(&machine, GRACE, &long("g"));
    // Telegram puts no mention into the later parts.
    machine.api.say(TEAM, ADA, "end of Ada's");
    machine.api.say(TEAM, GRACE, "end of Grace's");
    machine.until("two prompts have been run", || {
        (machine.claude_got().len() == 2).then_some(())
    });
    machine.until_quiet();
    assert_eq!(
        machine.claude_got(),
        [
            json!(format!("{}end of Ada's", long("a"))),
            json!(format!("{}end of Grace's", long("g"))),
        ]
    );
}

#[test]
fn an_album_is_one_prompt_with_its_pictures_in_order_and_its_caption() {
    let machine = Machine::new();
    let _bot = machine.start();
    picture(&machine, CHAT, "one", json!({}));
    picture(&machine, CHAT, "two", json!({"caption": "which is best?"}));
    picture(&machine, CHAT, "three", json!({}));
    machine.until_quiet_but_for_runs();
    assert_eq!(
        files_of_prompts(&machine),
        [("which is best?".to_owned(), vec!["one", "two", "three"])].map(|(words, files)| (
            words,
            files.into_iter().map(str::to_owned).collect::<Vec<_>>()
        ))
    );
}

#[test]
fn in_a_group_an_album_is_meant_for_the_bot_whichever_part_says_so() {
    let machine = Machine::new();
    let _bot = machine.start();
    picture(&machine, TEAM, "one", json!({}));
    picture(&machine, TEAM, "two", json!({}));
    picture(
        &machine,
        TEAM,
        "three",
        json!({"caption": format!("@{BOT} compare them"),
            "caption_entities": [{"type": "mention", "offset": 0, "length": BOT.len() + 1}]}),
    );
    picture(&machine, TEAM, "four", json!({}));
    picture(&machine, TEAM, "another", json!({"media_group_id": "2"}));
    machine.until_quiet_but_for_runs();
    let expected: Vec<String> = ["one", "two", "three", "four"].map(str::to_owned).into();
    let prompts = files_of_prompts(&machine);
    assert_eq!(prompts.len(), 1, "{prompts:?}");
    assert_eq!(prompts[0].0, "compare them");
    assert_eq!(prompts[0].1, expected);
}

#[test]
fn an_album_among_people_of_a_group_is_nobodys_prompt() {
    let machine = Machine::new();
    let _bot = machine.start();
    picture(&machine, TEAM, "one", json!({"caption": "from my holiday"}));
    picture(&machine, TEAM, "two", json!({}));
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [0]);
    assert_eq!(machine.rows("SELECT count(*) FROM album_parts"), [2]);
}

#[test]
fn forwards_and_the_words_sent_with_them_are_one_prompt() {
    let machine = Machine::new();
    machine.ada_says("who is right?");
    forward(&machine, "Grace", "tabs");
    forward(&machine, "Linus", "spaces");
    let _bot = machine.start();
    machine.message_with("You said: who is right?");
    machine.until_quiet();
    assert_eq!(
        machine.claude_got(),
        [json!([
            {"type": "text", "text": "who is right?"},
            {"type": "text", "text": "[Forwarded from Grace:]"},
            {"type": "text", "text": "tabs"},
            {"type": "text", "text": "[Forwarded from Linus:]"},
            {"type": "text", "text": "spaces"},
        ])]
    );
}

#[test]
fn two_messages_that_come_in_one_go_are_two_prompts() {
    let machine = Machine::new();
    machine.ada_says("first this");
    machine.ada_says("then that");
    let _bot = machine.start();
    machine.message_with("You said: then that");
    assert_eq!(
        machine.claude_got(),
        [json!("first this"), json!("then that")]
    );
}

#[test]
fn a_paste_is_whole_when_the_bot_was_killed_between_its_parts() {
    let machine = Machine::new();
    let bot = machine.start();
    let first = "k".repeat(4096);
    let now = jiff::Timestamp::now().as_second();
    machine
        .api
        .deliver_message(CHAT, ADA, json!({"text": first, "date": now}));
    machine.until("the first part is on disk", || {
        (machine.rows("SELECT count(*) FROM runs WHERE gathering IS NOT NULL") == [1]).then_some(())
    });
    bot.kill();
    machine
        .api
        .deliver_message(CHAT, ADA, json!({"text": "the end", "date": now}));
    let _bot = machine.start();
    machine.message_with("You said: kkk");
    machine.until_quiet();
    assert_eq!(machine.claude_got(), [json!(format!("{first}the end"))]);
}

#[test]
fn a_prompt_waits_for_its_file_and_nothing_overtakes_it() {
    let machine = Machine::new();
    machine
        .api
        .put_file_as("one", "photos/file_1", "no picture");
    machine.api.plan("file", None, 1_000, Fault::Flood(1));
    let _bot = machine.start();
    picture(
        &machine,
        CHAT,
        "one",
        json!({"media_group_id": null, "caption": "what is this?"}),
    );
    machine.until_quiet_but_for_runs();
    machine.ada_says("and now go on");
    machine.until_quiet_but_for_runs();
    assert_eq!(machine.claude_got(), Vec::<Value>::new());
    machine.api.heal();
    machine.message_with("You said: and now go on");
    let got = machine.claude_got();
    assert_eq!(got[0][1], json!({"type": "text", "text": "what is this?"}));
    assert_eq!(got[1], json!("and now go on"));
}

fn addressed(machine: &Machine, user: UserId, text: &str) {
    machine.api.deliver_message(
        TEAM,
        user,
        json!({"text": format!("@{BOT} {text}"),
            "entities": [{"type": "mention", "offset": 0, "length": BOT.len() + 1}]}),
    );
}

/// A picture of an album.
fn picture(machine: &Machine, chat: ChatId, name: &str, more: Value) {
    let mut fields = json!({"media_group_id": "1", "photo": [
        {"file_id": format!("{name}-small"), "file_unique_id": "s", "width": 90, "height": 51, "file_size": 900},
        {"file_id": name, "file_unique_id": "l", "width": 1280, "height": 720, "file_size": 90_000},
    ]});
    if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
        fields.extend(more);
    }
    machine.api.deliver_message(chat, ADA, fields);
}

fn forward(machine: &Machine, from: &str, text: &str) {
    machine.api.deliver_message(
        CHAT,
        ADA,
        json!({"text": text, "forward_date": 1,
            "forward_origin": {"type": "hidden_user", "sender_user_name": from, "date": 1}}),
    );
}

/// The words of each prompt, and the files that came with it.
fn files_of_prompts(machine: &Machine) -> Vec<(String, Vec<String>)> {
    let database = machine.database();
    let mut prompts = database
        .prepare("SELECT id, text FROM prompts ORDER BY rowid")
        .expect("a query");
    let prompts = prompts
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("rows")
        .collect::<Result<Vec<(String, String)>, _>>()
        .expect("prompts");
    let files = |prompt: &str| {
        let mut files = database
            .prepare("SELECT file ->> 'id' FROM attachments WHERE prompt_id = ?1 ORDER BY id")
            .expect("a query");
        files
            .query_map([prompt], |row| row.get(0))
            .expect("rows")
            .collect::<Result<Vec<String>, _>>()
            .expect("files")
    };
    prompts
        .into_iter()
        .map(|(id, words)| (words, files(&id)))
        .collect()
}

#[test]
fn in_a_group_the_end_of_a_paste_that_comes_too_late_is_the_next_prompt() {
    let machine = Machine::new();
    let _bot = machine.start();
    let long = "l".repeat(4000);
    let now = jiff::Timestamp::now().as_second();
    machine.api.deliver_message(
        TEAM,
        ADA,
        json!({"text": format!("@{BOT} {long}"), "date": now,
            "entities": [{"type": "mention", "offset": 0, "length": BOT.len() + 1}]}),
    );
    machine.message_with("You said: lll");
    // Telegram sent it on when the network was back.
    machine
        .api
        .deliver_message(TEAM, ADA, json!({"text": "the end", "date": now + 1}));
    machine.message_with("You said: the end");
    machine
        .api
        .deliver_message(TEAM, ADA, json!({"text": "lunch?", "date": now + 60}));
    machine.until_quiet();
    assert_eq!(machine.claude_got(), [json!(long), json!("the end")]);
}
