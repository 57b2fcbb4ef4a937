//! What is said of the API is true: every route is described, every description has a route, the examples work.

use std::process::Command;

use serde_json::{Value, json};
use uuid::Uuid;

use super::described::Description;
use super::program::Program;
use super::{begun, machine};
use crate::page::address;
use crate::support::without_program;

#[test]
fn the_examples_of_the_page_work() {
    if Command::new("curl").arg("--version").output().is_err() {
        return without_program("curl", "the examples for programs");
    }
    let machine = machine();
    let bot = machine.start();
    let session = begun(&machine);
    let address = address(&machine, &bot);
    let program = Program::of_owner(&machine, address);
    let page = include_str!("../../../docs/web.md");
    let examples: Vec<&str> = page
        .split("```shell\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert_eq!(examples.len(), 2, "{examples:?}");
    let run_example = |example: &str, run: &str| {
        let output = Command::new("bash")
            .args([
                "-euc",
                &example.replace("127.0.0.1:9464", &address.to_string()),
            ])
            .env("TOKEN", &program.token)
            .env("SESSION", &session)
            .env("RUN", run)
            .output()
            .expect("bash starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}");
        said
    };
    let saved: Value = serde_json::from_str(&run_example(examples[0], "")).expect("JSON");
    let followed = run_example(examples[1], saved["run"].as_str().expect("a run"));
    assert!(followed.contains("event: step\n"), "{followed}");
    assert!(followed.contains("event: over\n"), "{followed}");
}

#[test]
fn every_route_is_described_and_every_description_has_a_route() {
    let description = Description::read();
    let mut routes: Vec<(String, String)> = telecoder::web::api::routes()
        .into_iter()
        .map(|(method, path)| (method.to_owned(), path.to_owned()))
        .collect();
    routes.push((
        "get".to_owned(),
        telecoder::web::api::DESCRIPTION.to_owned(),
    ));
    routes.sort();
    assert_eq!(description.operations(), routes);

    let machine = machine();
    let bot = machine.start();
    let program = Program::of_owner(&machine, address(&machine, &bot));
    for (method, path) in &routes {
        let path = path
            .replace("{session}", "none")
            .replace("{run}", &Uuid::nil().to_string())
            .replace("{question}", &"0".repeat(32));
        let path = match path.ends_with("/files") {
            true => format!("{path}?path=x"),
            false => path,
        };
        let answer = match (
            method.as_str(),
            path.contains("/prompts"),
            path.contains("/answer"),
        ) {
            ("get", ..) => program.get(&path),
            (_, true, _) => program.post(&path, &json!({"text": "x"})),
            (_, _, true) => program.post(&path, &json!({"words": "x"})),
            _ => program.post(&path, &Value::Null),
        };
        let expected = match path.contains("none") || path.contains("0000") {
            true => 404,
            false => 200,
        };
        assert_eq!(answer.status, expected, "{method} {path}: {}", answer.body);
    }
    let served = program.browser.get("/api/v1/openapi.json");
    assert_eq!(
        serde_json::from_str::<Value>(&served.body).expect("JSON"),
        description.whole
    );
}
