//! Who may do what: one rule for all doors to an effect, asked when the effect begins.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};
use telecoder::demo::bot_api::Posted;
use telecoder::domain::id::{ChatId, UserId};

use crate::support::processes::with_word;
use crate::support::{ADA, BOT, CHAT, GRACE, Machine, TEAM};

/// Grace's private chat with the bot.
const GRACES: ChatId = ChatId(8);
const ONLY_OWNER: &str = "Only the owner of the bot can do that.";

fn with_grace() -> Machine {
    Machine::new().with("TELECODER_TG_ALLOWED_USERS", "7,8")
}

pub fn let_in(machine: &Machine, user: UserId) {
    machine
        .database()
        .execute(
            "INSERT INTO people (user_id, name, invited_by, joined_at) VALUES (?1, 'Grace', 7, 1)",
            [user.0],
        )
        .expect("somebody is let in");
}

fn says_in_topic(machine: &Machine, chat: ChatId, user: UserId, topic: i32, text: &str) {
    machine.api.deliver_message(
        chat,
        user,
        json!({"text": text, "message_thread_id": topic, "is_topic_message": true}),
    );
}

/// A prompt in the group.
pub fn mentions(machine: &Machine, user: UserId, prompt: &str) -> i32 {
    machine.api.deliver_message(
        TEAM,
        user,
        json!({"text": format!("@{BOT} {prompt}"),
               "entities": [{"type": "mention", "offset": 0, "length": BOT.len() + 1}]}),
    )
}

fn mode_of_team(machine: &Machine) -> Option<String> {
    machine
        .database()
        .query_row(
            "SELECT permission_mode FROM chat_settings WHERE chat_id = ?1",
            [TEAM.0],
            |row| row.get(0),
        )
        .ok()
        .flatten()
}

fn said_to(machine: &Machine, chat: ChatId) -> Vec<Posted> {
    let messages = machine.bot_messages().into_iter();
    messages.filter(|message| message.chat == chat.0).collect()
}

#[test]
fn a_group_comes_to_a_mode_that_asks_nobody_by_the_owner_alone_whichever_door_is_used() {
    let machine = with_grace();
    let _bot = machine.start();
    machine.api.say(TEAM, ADA, "/mode default");
    let choices = machine.message_with("Mode: manual");
    machine.api.say(TEAM, GRACE, "/mode off");
    machine.message_with("Only the owner of the bot can choose this mode in a group");
    machine.api.say(TEAM, GRACE, "/mode auto");
    machine.nth_message_with(
        "Only the owner of the bot can choose this mode in a group",
        2,
    );
    for data in ["mode:off", "mode:bypassPermissions", "mode:auto"] {
        machine.api.press(GRACE, &choices, data);
    }
    machine.until("three refusals", || {
        let calls = machine.api.calls();
        let refused = calls
            .iter()
            .filter(|call| call.arguments["text"] == ONLY_OWNER);
        (refused.count() == 3).then_some(())
    });
    assert_eq!(mode_of_team(&machine).as_deref(), Some("default"));
    // What asks more is for everybody, and so is what changes nothing.
    machine.api.say(TEAM, GRACE, "/mode plan");
    machine.message_with("Mode: plan");
    machine.api.say(TEAM, ADA, "/mode off");
    machine.message_with("from telecoder's settings");
    machine.api.say(TEAM, GRACE, "/mode bypassPermissions");
    machine.nth_message_with("Mode: bypassPermissions", 2);
}

#[test]
fn a_plan_in_a_group_is_carried_out_without_questions_only_if_the_owner_says_so() {
    let machine = with_grace().with("TELECODER_PERMISSION_MODE", "plan");
    let _bot = machine.start();
    mentions(&machine, GRACE, "[[plan: one step]]");
    let question =
        machine.message_with_button("asks whether to carry it out", "Approve, ask about nothing");
    machine.press(GRACE, &question, "Approve, ask about nothing");
    machine.until_toast(ONLY_OWNER);
    machine.press(GRACE, &question, "Approve, accept edits");
    machine.message_with(r#""mode":"acceptEdits""#);
}

#[test]
fn a_mode_for_the_session_is_no_way_around_the_owner_of_a_group() {
    let machine = with_grace().with("TELECODER_PERMISSION_MODE", "default");
    let _bot = machine.start();
    mentions(
        &machine,
        GRACE,
        r#"[[ask-raw: {"subtype":"can_use_tool","tool_name":"Edit","tool_use_id":"t1","input":{"file_path":"a","old_string":"b","new_string":"c"},"permission_suggestions":[{"type":"setMode","mode":"bypassPermissions","destination":"session"}]}]]"#,
    );
    let question = machine.message_with_button("", "Allow for this session");
    machine.press(GRACE, &question, "Allow for this session");
    machine.until_toast(ONLY_OWNER);
    machine.press(ADA, &question, "Allow for this session");
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT count(*) FROM session_grants"), [1]);
}

#[test]
fn a_forged_press_can_choose_nothing_that_the_command_refuses() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("/model opus");
    let choices = machine.message_with("Model: opus");
    for data in [
        "model:--dangerously-skip-permissions",
        "model:two words",
        "mode:everything",
        "effort:endless",
    ] {
        machine.api.press(ADA, &choices, data);
    }
    machine.until_quiet();
    machine.until("each is refused", || {
        let calls = machine.api.calls();
        let refused = calls
            .iter()
            .filter(|call| call.arguments["text"] == "This button does nothing any more.");
        (refused.count() == 4).then_some(())
    });
    let model: String = machine
        .database()
        .query_row("SELECT model FROM chat_settings", [], |row| row.get(0))
        .expect("a choice");
    assert_eq!(model, "opus");
}

#[test]
fn who_is_removed_has_nothing_left_in_any_topic_and_hears_nothing_more() {
    let machine = Machine::new();
    let _bot = machine.start();
    let_in(&machine, GRACE);
    says_in_topic(&machine, GRACES, GRACE, 5, "[[sleep: 60000]]");
    machine.message_with("Working · ");
    says_in_topic(&machine, GRACES, GRACE, 5, "/queue on");
    machine.message_with("/queue off");
    says_in_topic(&machine, GRACES, GRACE, 5, "and then this");
    let queued = "SELECT count(*) FROM runs WHERE state = 'queued'";
    machine.until("it waits", || (machine.rows(queued) == [1]).then_some(()));
    machine
        .database()
        .execute(
            "INSERT INTO holds (chat_id, thread_id, why, since) VALUES (8, 7, 'limit', 1)",
            [],
        )
        .expect("a hold");
    machine.ada_says("/people");
    let list = machine.message_with("Who may use this bot:");
    machine.ada_presses(&list);
    machine.message_with("Work in their private chat is stopped.");
    let before = said_to(&machine, GRACES).len();
    machine.until_quiet();
    assert_eq!(said_to(&machine, GRACES).len(), before, "not a word more");
    assert_eq!(machine.rows("SELECT count(*) FROM holds"), [0]);
    assert!(!machine.times_run().contains_key("and then this"));
}

#[test]
fn a_clone_of_somebody_who_is_removed_is_given_up() {
    let machine = Machine::new();
    let git = machine.script(
        "git",
        r#"case "$1" in fetch) sleep 98764 & wait;; *) exec /usr/bin/env PATH="$REAL_PATH" git "$@";; esac"#,
    );
    let real_path = machine.environment["PATH"].clone();
    let folder = git.parent().expect("its folder").display();
    let path = format!("{folder}:{real_path}");
    let machine = machine.with("PATH", path).with("REAL_PATH", real_path);
    let _bot = machine.start();
    let_in(&machine, GRACE);
    machine
        .api
        .say(GRACES, GRACE, "/new https://example.invalid/x.git");
    machine.until("git runs", || with_word("98764").first().copied());
    machine.ada_says("/people");
    let list = machine.message_with("Who may use this bot:");
    machine.ada_presses(&list);
    machine.message_with("Work in their private chat is stopped.");
    machine.until("git is gone", || {
        with_word("98764").is_empty().then_some(())
    });
    machine.until_quiet();
    let given_up = "SELECT count(*) FROM sessions WHERE state = 'failed'";
    assert_eq!(machine.rows(given_up), [1]);
}

#[test]
fn a_start_with_settings_that_name_nobody_ends_nothing() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("/queue on");
    machine.message_with("/queue off");
    machine.ada_says("[[sleep: 3000]] [[say: the first]]");
    machine.message_with("Working · ");
    machine.ada_says("the second");
    let queued = "SELECT count(*) FROM runs WHERE state = 'queued'";
    machine.until("it waits", || (machine.rows(queued) == [1]).then_some(()));
    bot.kill();
    let machine = machine.without("TELECODER_TG_ALLOWED_USERS");
    let bot = machine.start();
    machine.message_with("the first");
    machine.message_with("You said: the second");
    machine.until_quiet();
    bot.terminate();
    assert!(machine.rows("SELECT count(*) FROM closed_chats") == [0]);
}

#[test]
fn what_somebody_left_who_was_taken_out_of_the_settings_is_ended_at_the_next_start() {
    let machine = with_grace();
    let bot = machine.start();
    machine.api.say(GRACES, GRACE, "/queue on");
    machine.message_with("/queue off");
    mentions(&machine, ADA, "[[sleep: 60000]]");
    machine.message_with("Working · ");
    says_in_topic(&machine, GRACES, GRACE, 5, "[[sleep: 60000]]");
    machine.nth_message_with("Working · ", 2);
    says_in_topic(&machine, GRACES, GRACE, 5, "and then this");
    machine.until_quiet_but_for_runs();
    let queued = "SELECT count(*) FROM runs WHERE state = 'queued'";
    machine.until("it waits", || (machine.rows(queued) == [1]).then_some(()));
    bot.kill();
    let before = said_to(&machine, GRACES).len() + said_to(&machine, TEAM).len();
    let machine = machine
        .with("TELECODER_TG_ALLOWED_USERS", "7")
        .without("TELECODER_TG_ALLOWED_CHATS");
    let bot = machine.start();
    let told = machine.message_with("may not use this bot any more");
    assert_eq!(told.chat, CHAT.0);
    for part in [
        "id 8",
        "-100500",
        "what was running is stopped",
        "1 waiting prompt is dropped",
    ] {
        assert!(told.text.contains(part), "{part}: {}", told.text);
    }
    machine.until_quiet();
    let after = said_to(&machine, GRACES).len() + said_to(&machine, TEAM).len();
    assert_eq!(after, before, "nothing is sent to them");
    assert!(!machine.times_run().contains_key("and then this"));
    bot.terminate();
    // It is said once; whoever is let in again is answered again.
    let machine = machine.with("TELECODER_TG_ALLOWED_USERS", "7,8");
    let _bot = machine.start();
    machine.api.say(GRACES, GRACE, "hello again");
    machine.message_with("You said: hello again");
    machine.until_quiet();
    let told = machine.bot_messages().into_iter();
    let told = told.filter(|message| message.text.contains("may not use this bot any more"));
    assert_eq!(told.count(), 1);
}

#[test]
fn who_is_both_invited_and_named_is_listed_as_both_and_the_owner_hears_when_only_the_invitation_is_left()
 {
    let machine = with_grace();
    let bot = machine.start();
    let_in(&machine, GRACE);
    machine.ada_says("/people");
    let list = machine.message_with("Who may use this bot:");
    assert!(
        list.text
            .contains("Grace, id 8, named in the settings and invited"),
        "{}",
        list.text
    );
    assert_eq!(list.buttons[0].0, "Remove Grace");
    bot.terminate();
    let bot = machine.start();
    bot.terminate();
    let machine = machine.with("TELECODER_TG_ALLOWED_USERS", "7");
    let bot = machine.start();
    let told = machine.message_with("may still use this bot");
    assert_eq!(told.chat, CHAT.0);
    assert!(told.text.contains("Grace (id 8)"), "{}", told.text);
    assert!(
        bot.log().contains("by an invitation alone"),
        "{}",
        bot.log()
    );
    machine.until_quiet();
    bot.terminate();
    let _bot = machine.start();
    machine.ada_says("/status");
    machine.message_with("No session yet");
    machine.until_quiet();
    let told = machine.bot_messages().into_iter();
    let told = told.filter(|message| message.text.contains("may still use this bot"));
    assert_eq!(told.count(), 1);
}

#[test]
fn a_restored_backup_has_no_open_links_and_the_owner_hears_who_is_in_by_it() {
    let machine = Machine::new();
    let bot = machine.start();
    let_in(&machine, GRACE);
    machine.ada_says("/invite");
    let link = machine.message_with("?start=");
    let code = link.text.split("?start=").nth(1).expect("a code").trim();
    machine.until_quiet();
    let file = machine.folder.path().join("copy.db");
    let (code_of_end, said) = machine.run_to_its_end(&["backup", &file.display().to_string()]);
    assert_eq!(code_of_end, Some(0), "{said}");
    bot.terminate();
    for name in ["telecoder.db", "telecoder.db-wal", "telecoder.db-shm"] {
        let _ = std::fs::remove_file(machine.data().join(name));
    }
    std::fs::copy(&file, machine.data().join("telecoder.db")).expect("restored");
    let bot = machine.start();
    let told = machine.message_with("a backup");
    assert_eq!(told.chat, CHAT.0);
    assert!(told.text.contains("Grace (id 8)"), "{}", told.text);
    let stranger = UserId(9);
    machine
        .api
        .say(ChatId(9), stranger, &format!("/start {code}"));
    machine.until_quiet();
    assert!(said_to(&machine, ChatId(9)).is_empty());
    bot.terminate();
    let _bot = machine.start();
    machine.until_quiet();
    let told = machine.bot_messages().into_iter();
    assert_eq!(
        told.filter(|message| message.text.contains("a backup"))
            .count(),
        1,
        "once"
    );
}

/// Bot API: a member who "remains anonymous" writes as the group.
fn anonymously(machine: &Machine, text: &str) {
    machine.api.deliver_message(
        TEAM,
        UserId(1_087_968_824),
        json!({
            "text": text,
            "from": {"id": 1_087_968_824_u64, "is_bot": true, "first_name": "Group",
                     "username": "GroupAnonymousBot"},
            "sender_chat": {"id": TEAM.0, "type": "supergroup", "title": "Team"},
        }),
    );
}

#[test]
fn whoever_writes_as_the_group_is_refused_and_the_log_says_once_what_to_do() {
    let machine = Machine::new();
    let bot = machine.start();
    anonymously(&machine, "/status");
    anonymously(&machine, "@test_coder_bot hello");
    machine.until_quiet();
    assert!(said_to(&machine, TEAM).is_empty());
    machine.until_log(&bot, "Remain anonymous");
    machine.ada_says("/whoami");
    machine.message_with("You own this bot");
    assert_eq!(bot.log().matches("Remain anonymous").count(), 1);
}

#[test]
fn a_press_on_a_message_that_telegram_has_no_more_finds_its_place_by_itself() {
    let machine = Machine::new();
    let _bot = machine.start();
    says_in_topic(&machine, CHAT, ADA, 5, "/queue on");
    machine.message_with("/queue off");
    says_in_topic(&machine, CHAT, ADA, 5, "[[sleep: 60000]]");
    machine.message_with("Working · ");
    says_in_topic(&machine, CHAT, ADA, 5, "and then this");
    says_in_topic(&machine, CHAT, ADA, 5, "/queue");
    let list = machine.message_with_button("and then this", "Cancel 1");
    machine.api.deliver(json!({"callback_query": {
        "id": "query-old",
        "from": {"id": ADA.0, "is_bot": false, "first_name": "Ada"},
        "chat_instance": "1",
        "data": list.buttons[0].1,
        "message": {"chat": {"id": CHAT.0, "type": "private", "first_name": "Ada"},
                    "message_id": list.id, "date": 0},
    }}));
    machine.until_toast("The prompt will not run.");
}

const PAGE: &str = "docs/security.md";

/// Somebody who may or may not do things, and what they are to Telegram.
struct Actor {
    who: &'static str,
    user: UserId,
    /// What differs from a person's message.
    fields: Value,
}

fn actors() -> Vec<Actor> {
    let person = |who, id| Actor {
        who,
        user: UserId(id),
        fields: json!({}),
    };
    let anonymous = json!({
        "from": {"id": 1_087_968_824, "is_bot": true, "first_name": "Group"},
        "sender_chat": {"id": TEAM.0, "type": "supergroup", "title": "Team"},
    });
    vec![
        person("the owner", 7),
        person("named in the settings", 8),
        person("invited", 9),
        person("removed", 10),
        person("a stranger", 11),
        Actor {
            who: "an anonymous admin",
            user: UserId(1_087_968_824),
            fields: anonymous,
        },
        Actor {
            who: "another bot",
            user: UserId(12),
            fields: json!({"from": {"id": 12, "is_bot": true, "first_name": "Other"}}),
        },
    ]
}

/// Doors to an effect, each with what shows that it has had one.
const DOORS: [&str; 9] = [
    "command",
    "prompt",
    "reply",
    "edit",
    "press",
    "press that lets claude ask nobody",
    "forged press",
    "`/invite`",
    "open link",
];

struct Tried<'a> {
    machine: &'a Machine,
    actor: &'a Actor,
    chat: ChatId,
}

impl Tried<'_> {
    fn writes(&self, fields: Value) -> i32 {
        let mut all = self.actor.fields.clone();
        for (name, field) in fields.as_object().into_iter().flatten() {
            all[name] = field.clone();
        }
        let id = self
            .machine
            .api
            .deliver_message(self.chat, self.actor.user, all);
        self.machine.until_quiet();
        id
    }

    fn presses(&self, data: &str) {
        let kind = match self.chat.0 {
            0.. => json!({"id": self.chat.0, "type": "private", "first_name": "P"}),
            group => json!({"id": group, "type": "supergroup", "title": "Team"}),
        };
        self.machine.api.deliver(json!({"callback_query": {
            "id": format!("query-{}-{}-{data}", self.chat.0, self.actor.user.0),
            "from": {"id": self.actor.user.0, "is_bot": false, "first_name": "Person"},
            "chat_instance": "1",
            "data": data,
            "message": {"message_id": 1, "date": 1, "chat": kind, "text": "x"},
        }}));
        self.machine.until_quiet();
    }

    fn set_mode(&self, mode: &str) {
        self.machine
            .database()
            .execute(
                "INSERT INTO chat_settings (chat_id, permission_mode, model) VALUES (?1, ?2, 'opus')
                 ON CONFLICT (chat_id) DO UPDATE SET permission_mode = ?2, model = 'opus'",
                (self.chat.0, mode),
            )
            .expect("a mode");
    }

    /// What the chat has chosen.
    fn chosen(&self) -> (Option<String>, Option<String>) {
        self.machine
            .database()
            .query_row(
                "SELECT permission_mode, model FROM chat_settings WHERE chat_id = ?1",
                [self.chat.0],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .expect("choices")
    }

    fn count(&self, sql: &str) -> i64 {
        self.machine.rows(sql)[0]
    }

    fn addressed(&self, words: &str) -> Value {
        match self.chat.0 {
            0.. => json!({"text": words}),
            _ => json!({"text": format!("@{BOT} {words}"),
                        "entities": [{"type": "mention", "offset": 0, "length": BOT.len() + 1}]}),
        }
    }

    /// Whether each door has an effect for them.
    fn all_doors(&self) -> Vec<bool> {
        let said = || said_to(self.machine, self.chat).len();
        let prompts = || self.count("SELECT count(*) FROM prompts");
        let has_said = |doing: &dyn Fn()| {
            let before = said();
            doing();
            said() > before
        };
        let command = has_said(&|| {
            self.writes(json!({"text": "/whoami",
                "entities": [{"type": "bot_command", "offset": 0, "length": 7}]}));
        });
        let before = prompts();
        let message = self.writes(self.addressed("hello"));
        let prompt = prompts() > before;
        let before = prompts();
        let mut reply = self.addressed("and then");
        reply["reply_to_message"] = json!({"message_id": 1, "date": 1,
            "chat": {"id": self.chat.0, "type": "supergroup", "title": "Team"},
            "from": {"id": 1, "is_bot": true, "first_name": "telecoder", "username": BOT},
            "text": "an answer"});
        self.writes(reply);
        let reply = prompts() > before;
        let edit = has_said(&|| {
            let words = self.addressed("hello, edited");
            let text = words["text"].as_str().expect("words");
            self.machine
                .api
                .edit(self.chat, self.actor.user, message, text);
            self.machine.until_quiet();
        });
        self.set_mode("acceptEdits");
        self.presses("mode:plan");
        let press = self.chosen().0.as_deref() == Some("plan");
        self.set_mode("plan");
        self.presses("mode:off");
        let asks_nobody = self.chosen().0.is_none();
        self.set_mode("plan");
        self.presses("model:--dangerously-skip-permissions");
        self.presses("mode:everything");
        let forged = self.chosen() != (Some("plan".to_owned()), Some("opus".to_owned()));
        let links = "SELECT count(*) FROM invites";
        let before = self.count(links);
        self.writes(json!({"text": "/invite",
            "entities": [{"type": "bot_command", "offset": 0, "length": 7}]}));
        let invite = self.count(links) > before;
        let people = "SELECT count(*) FROM people";
        let before = self.count(people);
        let code = format!("{:016x}{:016x}", self.chat.0, self.actor.user.0);
        self.machine
            .database()
            .execute(
                "INSERT INTO invites (code, invited_by, expires_at) VALUES (?1, 7, 9999999999999)",
                [&code],
            )
            .expect("a link");
        self.writes(json!({"text": format!("/start {code}"),
            "entities": [{"type": "bot_command", "offset": 0, "length": 6}]}));
        let link = self.count(people) > before;
        vec![
            command,
            prompt,
            reply,
            edit,
            press,
            asks_nobody,
            forged,
            invite,
            link,
        ]
    }
}

#[test]
fn what_everybody_may_do_is_on_the_page_about_security() {
    let machine = with_grace();
    let _bot = machine.start();
    for id in [9, 10] {
        let_in(&machine, UserId(id));
    }
    machine.ada_says("/people");
    let list = machine.message_with("Who may use this bot:");
    machine.api.press(ADA, &list, "remove-person:10");
    machine.message_with("may not use this bot any more");
    let mut page = String::new();
    // First the group: a link lets strangers in.
    let mut tables = Vec::new();
    for is_group in [true, false] {
        let mut table = format!(
            "| | {} |\n|---|{}\n",
            DOORS.join(" | "),
            "---|".repeat(DOORS.len())
        );
        for actor in actors() {
            let is_of_groups = matches!(actor.user.0, 1_087_968_824 | 12);
            if is_of_groups && !is_group {
                continue;
            }
            let chat = match is_group {
                true => TEAM,
                false => ChatId(i64::try_from(actor.user.0).expect("an id")),
            };
            let tried = Tried {
                machine: &machine,
                actor: &actor,
                chat,
            };
            let cells: Vec<&str> = tried
                .all_doors()
                .into_iter()
                .map(|has_effect| if has_effect { "yes" } else { "–" })
                .collect();
            writeln!(table, "| {} | {} |", actor.who, cells.join(" | "))
                .expect("a string takes everything");
        }
        tables.insert(0, table);
    }
    for (title, table) in ["In the private chat with the bot:", "In a listed group:"]
        .iter()
        .zip(&tables)
    {
        write!(page, "{title}\n\n{table}\n").expect("a string takes everything");
    }
    is_up_to_date("rights", page.trim_end());
}

/// What stands between `<!-- NAME -->` and its end in docs/security.md is what was seen.
pub fn is_up_to_date(name: &str, printed: &str) {
    let (begin, end) = (
        format!("<!-- {name} -->\n"),
        format!("<!-- end of {name} -->"),
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let there = std::fs::read_to_string(&path).expect("the page");
    let (before, rest) = there.split_once(&begin).expect("the mark");
    let (_, after) = rest.split_once(&end).expect("the mark");
    let wanted = format!("{before}{begin}{printed}\n{end}{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &wanted).expect("it can be written");
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == wanted,
        "{PAGE} is not what was seen; UPDATE_DOCS=1 cargo test --test it rights writes it anew\n{printed}"
    );
}
