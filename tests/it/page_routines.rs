//! Routines on the page: who sees them, and what their buttons do.

use crate::page::{logged_in, machine};
use crate::support::browser::Browser;
use crate::support::{ADA, GRACE};

#[test]
fn routines_are_seen_run_and_paused_on_the_page_and_the_chat_shows_it() {
    let machine = machine().with("TELECODER_TG_ALLOWED_USERS", "7,8");
    let bot = machine.start();
    let ada = logged_in(&machine, &bot, ADA);
    let grace = logged_in(&machine, &bot, GRACE);
    ada.get("/routines")
        .assert_says("Nothing begins by itself here");
    machine.ada_says("/every Europe/Berlin weekday 9:00 look <b>around</b>");
    let card = machine.message_with("Nothing begins unless you keep it");
    machine.ada_presses(&card);
    machine.message_with("Kept: ");
    let page = ada.get("/routines");
    page.assert_says("every weekday at 9:00");
    page.assert_says("look &lt;b&gt;around&lt;/b&gt;");
    page.assert_says("your chat");
    grace
        .get("/routines")
        .assert_says("Nothing begins by itself here");

    let id = page
        .press("Run now")
        .split(':')
        .nth(1)
        .expect("its name")
        .to_owned();
    let path = format!("/routines/{id}/press");
    let press = |browser: &Browser, label: &str| {
        let (key, press) = (page.field("key"), page.press(label));
        browser.post(&path, &[("key", &key), ("press", &press)])
    };
    press(&ada, "Run now").assert_says("Running.");
    machine.message_with("You said: look");
    machine.until_quiet();
    ada.get("/routines").assert_says(": done");
    press(&ada, "Pause").assert_says("Paused.");
    machine.message_with("On the page: Pause the routine");

    // Grace has a key of her own, and no right to it.
    let key = grace.get("/routines").body;
    let key = key.split("name=\"key\" value=\"").nth(1).expect("a form");
    let key = key.split('"').next().expect("a key");
    let refused = grace.post(
        &path,
        &[("key", key), ("press", &format!("delete-routine:{id}"))],
    );
    assert_eq!(refused.status, 404);
    let foreign = ada.post(
        &path,
        &[("key", "0"), ("press", &format!("delete-routine:{id}"))],
    );
    assert_eq!(foreign.status, 403);
    ada.get("/routines").assert_says("Paused.");
}
