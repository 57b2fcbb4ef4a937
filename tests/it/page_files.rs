//! The files of a run on its page: what came with the prompt, and what claude gave.

use serde_json::json;

use crate::page::{logged_in, machine, run_of};
use crate::support::browser::Browser;
use crate::support::{ADA, CHAT, GRACE};

#[test]
fn what_came_and_what_claude_gave_can_be_had_from_the_run_s_page() {
    let machine = machine();
    let bot = machine.start();
    let browser = logged_in(&machine, &bot, ADA);
    let report = machine.api.put_file("documents/file_0.pdf", "%PDF <b>");
    let gone = json!({"file_id": "nowhere", "file_unique_id": "v", "file_name": "gone.pdf",
        "mime_type": "application/pdf"});
    let there = json!({"file_id": report, "file_unique_id": "u", "file_name": "<i>Bericht</i>.pdf",
        "mime_type": "application/pdf", "file_size": 8});
    let words = "[[bash: cd $TELECODER_OUTBOX; mkdir plots; printf 12 > 'plots/größe 1&2.txt'; \
                 printf K=1 > .env; ln -s /etc/passwd users]] [[say: plotted]]";
    for (document, caption) in [(there, words), (gone, "")] {
        let fields = json!({"media_group_id": "a", "caption": caption, "document": document});
        machine.api.deliver_message(CHAT, ADA, fields);
    }
    machine.message_with("plotted");
    machine.message_with("secret");
    machine.until_quiet();

    let run = run_of(&machine);
    let page = browser.get(&format!("/runs/{run}"));
    page.assert_says("Files that came");
    page.assert_says("Bericht");
    assert!(!page.body.contains("<i>Bericht"), "{}", page.body);
    page.assert_says("gone.pdf <span class=\"quiet\">could not be had");
    page.assert_says("Files from claude");
    page.assert_says("plots/größe 1&amp;2.txt");
    assert!(!page.body.contains("users</a>") && !page.body.contains(".env</a>"));

    let links = links(&page.body);
    assert_eq!(links.len(), 2, "{links:?}");
    let came = browser.get(&links[0]);
    assert_eq!((came.status, came.body.as_str()), (200, "%PDF <b>"));
    assert_eq!(
        came.header("content-type"),
        Some("application/octet-stream")
    );
    assert_eq!(came.header("x-content-type-options"), Some("nosniff"));
    let disposition = came.header("content-disposition").expect("a name");
    assert!(disposition.starts_with("attachment; filename*=UTF-8''"));
    let given = browser.get(&links[1]);
    assert_eq!((given.status, given.body.as_str()), (200, "12"));

    for path in [
        ".env",
        "users",
        "../../../../telecoder.db",
        "/etc/passwd",
        "plots",
        "nothing",
    ] {
        let asked = browser.get(&format!("/runs/{run}/out?path={path}"));
        assert_eq!(asked.status, 404, "{path}");
    }
    assert_eq!(browser.get(&format!("/runs/{run}/in/9999")).status, 404);
    assert_eq!(Browser::new(browser.address).get(&links[0]).status, 401);
}

#[test]
fn the_files_of_somebody_else_s_run_are_nobody_else_s() {
    let machine = machine().with("TELECODER_TG_ALLOWED_USERS", "7,8");
    let bot = machine.start();
    let grace = logged_in(&machine, &bot, GRACE);
    let ada = logged_in(&machine, &bot, ADA);
    machine.ada_says("[[bash: echo 1 > $TELECODER_OUTBOX/mine.txt]] [[say: there]]");
    machine.message_with("there");
    machine.until_quiet();
    let path = format!("/runs/{}/out?path=mine.txt", run_of(&machine));
    assert_eq!(ada.get(&path).status, 200);
    assert_eq!(grace.get(&path).status, 404);
}

/// The addresses behind `download`, as they stand in the page.
fn links(page: &str) -> Vec<String> {
    let pieces = page.split("<a href=\"").skip(1);
    let links = pieces.filter_map(|piece| piece.split_once("\" download>"));
    links
        .map(|(address, _)| address.replace("&amp;", "&"))
        .filter(|address| !address.contains('"'))
        .collect()
}
