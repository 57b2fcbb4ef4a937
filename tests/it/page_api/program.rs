//! A program with a token. Whatever it is answered is held against the description.

use std::net::SocketAddr;

use serde_json::Value;
use telecoder::domain::id::UserId;
use telecoder::store::page_keys::{self, Holder};

use super::described::Description;
use crate::support::Machine;
use crate::support::browser::{Browser, Event, Page};
use crate::support::shell::shell;

pub const PLACE: &str = "/api/v1";

pub struct Program {
    pub browser: Browser,
    pub token: String,
    pub description: Description,
}

impl Program {
    /// Called `deploy-script`, let in by the owner in a shell.
    pub fn of_owner(machine: &Machine, address: SocketAddr) -> Program {
        let (code, said) = shell(machine, &["web", "token", "deploy-script"]);
        assert_eq!(code, Some(0), "{said}");
        Program::with(address, said.trim().to_owned())
    }

    /// Of somebody else's.
    pub fn of(machine: &Machine, address: SocketAddr, user: UserId) -> Program {
        let holder = Holder {
            user,
            name: "another".to_owned(),
        };
        let token = page_keys::make_program(&machine.database(), &holder).expect("a token");
        Program::with(address, token.as_str().to_owned())
    }

    pub fn with(address: SocketAddr, token: String) -> Program {
        Program {
            browser: Browser::new(address),
            token,
            description: Description::read(),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.browser.address
    }

    pub fn get(&self, path: &str) -> Page {
        self.send("GET", path, &[("Accept", "application/json")], None)
    }

    pub fn get_json(&self, path: &str) -> Value {
        let page = self.get(path);
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        self.json(&page)
    }

    /// With a body, unless it is null.
    pub fn post(&self, path: &str, body: &Value) -> Page {
        let json = [("Content-Type", "application/json")];
        match body {
            Value::Null => self.send("POST", path, &[], None),
            body => self.send("POST", path, &json, Some(&body.to_string())),
        }
    }

    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Page {
        let bearer = format!("Bearer {}", self.token);
        let headers = [&[("Authorization", bearer.as_str())], headers].concat();
        let page = self
            .browser
            .send(method, &format!("{PLACE}{path}"), &headers, body);
        self.description.hold(method, path, &page);
        page
    }

    pub fn json(&self, page: &Page) -> Value {
        serde_json::from_str(&page.body).expect("JSON")
    }

    /// A run's events from the beginning, or from behind a step, until the stream ends.
    pub fn events(&self, run: &str, last: Option<&str>) -> Vec<Event> {
        let bearer = format!("Bearer {}", self.token);
        let mut headers = vec![("Authorization", bearer.as_str())];
        headers.extend(last.map(|id| ("Last-Event-ID", id)));
        let path = format!("{PLACE}/runs/{run}/events");
        let events: Vec<Event> = self.browser.events_with(&path, &headers).collect();
        for event in &events {
            let data = serde_json::from_str(&event.data).expect("JSON");
            match event.kind.as_str() {
                "step" => {
                    self.description.assert_fits("Step", &data);
                    assert_eq!(data["id"], event.id.as_str());
                }
                "run" | "over" => self.description.assert_fits("Stands", &data),
                other => panic!("an event of another kind: {other}"),
            }
        }
        events
    }
}
