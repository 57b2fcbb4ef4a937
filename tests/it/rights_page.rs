//! Who may see and do what on the page, tried with a browser of everybody's; docs/security.md has what was seen.

use std::fmt::Write;

use telecoder::domain::id::{ChatId, UserId};
use telecoder::store;
use telecoder::store::page_keys::{self, Holder};

use crate::page::{address, machine};
use crate::rights::{is_up_to_date, let_in, mentions};
use crate::support::browser::Browser;
use crate::support::{ADA, CHAT, Machine, TEAM};

/// What is tried, in the order of the columns.
const TRIED: [&str; 8] = [
    "log in",
    "see their own chat",
    "prompt and press in it",
    "see a listed group",
    "prompt and press in it",
    "press that lets claude ask nobody in it",
    "another's private chat",
    "people, settings, health",
];

/// A browser that comes with a link, which the bot gives only to those who may use it.
fn with_link(machine: &Machine, at: std::net::SocketAddr, user: UserId) -> (Browser, bool) {
    let holder = Holder {
        user,
        name: "Somebody".to_owned(),
    };
    let db = store::open_beside(&machine.data().join("telecoder.db")).expect("the store");
    let link = page_keys::make_link(&db, &holder).expect("a link");
    let browser = Browser::new(at);
    let entered = browser.post(&format!("/in/{}", link.as_str()), &[]);
    (browser, entered.status == 200)
}

/// Whether the session is seen; whether a prompt and a press have an effect; whether one that lets claude ask nobody has.
fn tries(machine: &Machine, browser: &Browser, key: &str, chat: ChatId) -> (bool, bool, bool) {
    let session: Option<String> = machine
        .database()
        .query_row(
            "SELECT id FROM sessions WHERE chat_id = ?1",
            [chat.0],
            |row| row.get(0),
        )
        .ok();
    let Some(session) = session else {
        return (false, false, false);
    };
    let sees = browser.get(&format!("/sessions/{session}")).status == 200;
    let count = || machine.rows("SELECT count(*) FROM prompts")[0];
    let mode = |mode: &str| {
        machine
            .database()
            .execute(
                "INSERT INTO chat_settings (chat_id, permission_mode) VALUES (?1, ?2)
                 ON CONFLICT (chat_id) DO UPDATE SET permission_mode = ?2",
                (chat.0, mode),
            )
            .expect("a mode");
    };
    let chosen = || {
        machine
            .database()
            .query_row(
                "SELECT permission_mode FROM chat_settings WHERE chat_id = ?1",
                [chat.0],
                |row| row.get::<_, Option<String>>(0),
            )
            .expect("a choice")
    };
    let presses = |data: &str| {
        browser.post(
            &format!("/sessions/{session}/press"),
            &[("key", key), ("press", data)],
        );
        machine.until_quiet();
    };
    let before = count();
    let once = uuid::Uuid::new_v4().to_string();
    browser.post(
        &format!("/sessions/{session}/prompt"),
        &[("key", key), ("once", &once), ("text", "hello")],
    );
    machine.until_quiet();
    let prompts = count() > before;
    mode("acceptEdits");
    presses("mode:plan");
    let is_pressed = chosen().as_deref() == Some("plan");
    assert_eq!(prompts, is_pressed, "{} in {}", key, chat.0);
    mode("plan");
    presses("mode:off");
    (sees, prompts, chosen().is_none())
}

#[test]
fn what_everybody_may_do_on_the_page_is_on_the_page_about_security() {
    let machine = machine().with("TELECODER_TG_ALLOWED_USERS", "7,8");
    let bot = machine.start();
    for id in [9, 10] {
        let_in(&machine, UserId(id));
    }
    for id in [7, 8, 9, 10] {
        machine
            .api
            .say(ChatId(id), UserId(id.unsigned_abs()), "in private");
    }
    mentions(&machine, ADA, "in the group");
    machine.until_quiet();
    machine.ada_says("/people");
    let list = machine.message_with("Who may use this bot:");
    machine.api.press(ADA, &list, "remove-person:10");
    machine.message_with("may not use this bot any more");
    let at = address(&machine, &bot);
    let mut table = format!(
        "On the page:\n\n| | {} |\n|---|{}\n",
        TRIED.join(" | "),
        "---|".repeat(TRIED.len())
    );
    for (who, id) in [
        ("the owner", 7),
        ("named in the settings", 8),
        ("invited", 9),
        ("removed", 10),
        ("a stranger", 11),
    ] {
        let (browser, enters) = with_link(&machine, at, UserId(id));
        let key = match enters {
            true => browser.get("/").field("key"),
            false => String::new(),
        };
        let own = ChatId(i64::try_from(id).expect("an id"));
        let (sees, acts, _) = tries(&machine, &browser, &key, own);
        let (sees_group, acts_in_group, asks_nobody) = tries(&machine, &browser, &key, TEAM);
        // The owner's is another one's to everybody else.
        let other = if own == CHAT { ChatId(8) } else { CHAT };
        let (sees_other, acts_in_other, _) = tries(&machine, &browser, &key, other);
        assert_eq!(sees_other, acts_in_other, "{who}");
        let knows = ["/people", "/settings", "/health"].map(|path| browser.get(path).status == 200);
        assert!(knows.iter().all(|one| *one == knows[0]), "{who}: {knows:?}");
        let cells = [
            enters,
            sees,
            acts,
            sees_group,
            acts_in_group,
            asks_nobody,
            sees_other,
            knows[0],
        ]
        .map(|is_so| if is_so { "yes" } else { "–" });
        writeln!(table, "| {who} | {} |", cells.join(" | ")).expect("a string takes everything");
    }
    is_up_to_date("rights on the page", table.trim_end());
}
