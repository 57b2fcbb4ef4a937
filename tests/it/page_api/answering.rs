//! Questions of claude's, answered by a program.

use serde_json::json;

use super::program::Program;
use super::{begun, machine};
use crate::page::address;

#[test]
fn a_question_is_answered_by_a_pick_and_then_it_is_over() {
    let machine = machine();
    let bot = machine.start();
    let session = begun(&machine);
    let program = Program::of_owner(&machine, address(&machine, &bot));
    let prompt = json!({"text": r#"[[ask: Bash {"command":"touch x"}]] [[say: went on]]"#});
    let asked = program.post(&format!("/sessions/{session}/prompts"), &prompt);
    let run = program.json(&asked)["run"]
        .as_str()
        .expect("a run")
        .to_owned();
    let open = format!("/runs/{run}/questions");
    let question = machine.until("a question", || {
        program.get_json(&open)["questions"].get(0).cloned()
    });
    assert_eq!(
        (&question["kind"], &question["command"]),
        (&json!("permission"), &json!("touch x"))
    );
    let picks = question["picks"].as_array().expect("picks");
    assert!(
        picks.iter().any(|pick| pick["pick"] == "allow"),
        "{picks:?}"
    );
    let path = format!(
        "/questions/{}/answer",
        question["question"].as_str().expect("an id")
    );
    for odd in [
        json!({}),
        json!({"pick": "allow", "words": "yes"}),
        json!({"words": "  "}),
        json!({"pick": "nonsense"}),
        json!({"pick": "deny-why"}),
        json!({"pick": "done"}),
        json!({"pick": 1}),
    ] {
        assert_eq!(program.post(&path, &odd).status, 400, "{odd}");
    }
    let answered = program.post(&path, &json!({"pick": "allow"}));
    assert_eq!(answered.status, 200, "{}", answered.body);
    assert_eq!(program.json(&answered)["state"], "answered");
    machine.message_with("deploy-script, on the page: Answer");
    machine.message_with("went on");
    assert_eq!(program.post(&path, &json!({"pick": "allow"})).status, 409);
    assert_eq!(program.get_json(&open)["questions"], json!([]));
}

#[test]
fn of_several_options_some_are_chosen_and_words_answer_too() {
    let machine = machine();
    let bot = machine.start();
    let session = begun(&machine);
    let program = Program::of_owner(&machine, address(&machine, &bot));
    let several = r#"[[question: {"questions":[{"question":"Which?","header":"Which","multiSelect":true,"options":[{"label":"A","description":"a"},{"label":"B","description":"b"},{"label":"C","description":"c"}]}]}]] [[say: went on]]"#;
    let next = |asked: &str| {
        let asked = program.post(
            &format!("/sessions/{session}/prompts"),
            &json!({"text": asked}),
        );
        let run = program.json(&asked)["run"]
            .as_str()
            .expect("a run")
            .to_owned();
        let question = machine.until("a question", || {
            program.get_json(&format!("/runs/{run}/questions"))["questions"]
                .get(0)
                .cloned()
        });
        let id = question["question"].as_str().expect("an id").to_owned();
        (run, format!("/questions/{id}/answer"))
    };
    let (run, path) = next(several);
    assert_eq!(program.post(&path, &json!({"pick": "done"})).status, 409);
    for pick in ["0", "2"] {
        let answered = program.post(&path, &json!({"pick": pick}));
        assert_eq!(program.json(&answered)["state"], "open");
    }
    let question = &program.get_json(&format!("/runs/{run}/questions"))["questions"][0];
    assert_eq!(question["chosen"], json!(["A", "C"]));
    let answered = program.post(&path, &json!({"pick": "done"}));
    assert_eq!(program.json(&answered)["state"], "answered");
    program.events(&run, None);

    let (run, path) = next(several);
    let answered = program.post(&path, &json!({"words": "none of these"}));
    assert_eq!(program.json(&answered)["state"], "answered");
    program.events(&run, None);
}
