//! The page of a run whose claude has subagents: their steps are folded below the calls that began them.

use serde_json::{Value, json};

use crate::page::{logged_in, machine, run_of};
use crate::support::browser::Page;
use crate::support::{ADA, Machine};

/// A directive that says this line of a record.
pub fn says(line: &Value) -> String {
    // No end of a directive within it.
    format!("[[raw: {}]]", line.to_string().replace("]]", "] ]"))
}

pub fn call(id: &str, parent: Option<&str>, command: &str) -> String {
    says(
        &json!({"type": "assistant", "parent_tool_use_id": parent, "message": {"content": [
        {"type": "tool_use", "id": id, "name": "Bash", "input": {"command": command}}], "role": "assistant"}}),
    )
}

pub fn said(parent: &str, text: &str) -> String {
    says(
        &json!({"type": "assistant", "parent_tool_use_id": parent, "message": {"content": [
        {"type": "text", "text": text}], "role": "assistant"}}),
    )
}

fn page_of(machine: &Machine, prompt: &[String]) -> Page {
    let bot = machine.start();
    machine.ada_says(&format!("{} [[say: all is done]]", prompt.join(" ")));
    machine.message_with("all is done");
    machine.until_quiet();
    let browser = logged_in(machine, &bot, ADA);
    browser.get(&format!("/runs/{}", run_of(machine)))
}

/// The steps behind the prompt, which has all their words as well.
fn steps_of(page: &Page) -> &str {
    let (_, behind) = page.body.split_once("id=\"steps\"").expect("steps");
    let (steps, _) = behind.split_once("</main>").expect("an end");
    match steps.split_once("step asked") {
        Some((_, prompt)) => prompt.split_once("</li>").expect("an end").1,
        None => steps,
    }
}

/// Where each of these stands; all are there, once.
fn places<const COUNT: usize>(text: &str, words: [&str; COUNT]) -> [usize; COUNT] {
    words.map(|words| {
        assert_eq!(text.matches(words).count(), 1, "{words} in {text}");
        text.find(words).expect("it is there")
    })
}

#[test]
fn the_steps_of_a_subagent_are_folded_below_its_call() {
    let machine = machine();
    let page = page_of(
        &machine,
        &[
            call("one", None, "echo begins-the-first"),
            call("two", None, "echo begins-the-second"),
            call("in-two", Some("two"), "echo work-of-the-second"),
            call("in-one", Some("one"), "echo begins-an-inner-one"),
            said("one", "words of the first"),
            said("in-one", "words of the inner one"),
            call("three", None, "echo own-work"),
        ],
    );
    let steps = steps_of(&page);
    assert_eq!(steps.matches("Subagent · ").count(), 3, "{steps}");
    let folds = places(
        steps,
        [
            "code>echo begins-the-first<",
            "data-of=\"one\"",
            "code>echo begins-an-inner-one<",
            "data-of=\"in-one\"",
            "words of the inner one",
            "words of the first",
            "code>echo begins-the-second<",
            "data-of=\"two\"",
            "code>echo work-of-the-second<",
            "code>echo own-work<",
        ],
    );
    assert!(folds.is_sorted(), "{folds:?} in {steps}");
    let counts: Vec<&str> = steps
        .split("<span class=\"count\">")
        .skip(1)
        .filter_map(|behind| behind.split('<').next())
        .collect();
    assert_eq!(counts, ["2 steps", "1 step", "1 step"]);
    assert!(!steps.contains("<details open"), "{steps}");
}

#[test]
fn what_a_subagent_is_asked_reads_as_text() {
    let machine = machine();
    let input = json!({"description": "Find the callers", "subagent_type": "Explore", "run_in_background": true,
        "prompt": "Who calls it?\nSay \"nobody\" if nobody does."});
    let task = says(
        &json!({"type": "assistant", "parent_tool_use_id": null, "message": {"content": [
        {"type": "tool_use", "id": "one", "name": "Task", "input": input}], "role": "assistant"}}),
    );
    let page = page_of(&machine, &[task]);
    let fields = places(
        steps_of(&page),
        [
            "<dt>description</dt><dd>Find the callers</dd>",
            "<dt>run_in_background</dt><dd>true</dd>",
            "<dt>subagent_type</dt><dd>Explore</dd>",
            ">Who calls it?\nSay &quot;nobody&quot; if nobody does.</pre>",
        ],
    );
    assert!(fields.is_sorted(), "{fields:?}");
}

#[test]
fn a_page_that_begins_in_the_middle_of_a_subagent_folds_its_steps_all_the_same() {
    let machine = machine();
    let page = page_of(
        &machine,
        &[
            call("one", None, "echo begins-it"),
            said("one", "its first words"),
            "[[tools: 40]]".to_owned(),
            said("one", "its second words"),
            "[[tools: 2]]".to_owned(),
            said("one", "its third words"),
        ],
    );
    let steps = steps_of(&page);
    assert!(!steps.contains("its first words"), "{steps}");
    assert_eq!(steps.matches("Subagent · ").count(), 1, "{steps}");
    assert!(steps.contains("2 steps"), "{steps}");
    let [of, second, third] = places(
        steps,
        ["data-of=\"one\"", "its second words", "its third words"],
    );
    let end = of + steps[of..].find("</ol>").expect("an end");
    assert!(of < second && second < third && third < end, "{steps}");
}

#[test]
fn calls_that_name_each_other_as_their_parents_are_shown_as_well() {
    let machine = machine();
    let page = page_of(
        &machine,
        &[
            call("one", Some("two"), "echo first-of-the-circle"),
            call("two", Some("one"), "echo second-of-the-circle"),
            call("own", Some("own"), "echo a-circle-of-one"),
        ],
    );
    places(
        steps_of(&page),
        [
            "code>echo first-of-the-circle<",
            "code>echo second-of-the-circle<",
            "code>echo a-circle-of-one<",
        ],
    );
}
