//! A real browser: headless Chromium through its driver.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::time::Instant;

use axum::http::Method;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::Url;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::PATIENCE;

/// A window, which is gone with this value.
pub struct Chrome {
    runtime: Runtime,
    driver: Client,
    process: Child,
}

/// How a window is made.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub width: u32,
    pub height: u32,
    pub is_dark: bool,
}

impl Window {
    pub const PHONE: Window = Window {
        width: 360,
        height: 740,
        is_dark: false,
    };
    pub const WIDE: Window = Window {
        width: 1280,
        height: 900,
        ..Window::PHONE
    };
}

impl Chrome {
    pub fn open(window: Window) -> Chrome {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed");
        let said = BufReader::new(process.stdout.take().expect("it says its port"));
        let port = said
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, port) = line.split_once("successfully on port ")?;
                port.trim_end_matches('.').parse::<u16>().ok()
            })
            .expect("chromedriver listens");
        let runtime = Runtime::new().expect("a runtime");
        let (width, height) = (window.width, window.height);
        let mut arguments = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--hide-scrollbars".to_owned(),
            format!("--window-size={width},{height}"),
        ];
        if window.is_dark {
            arguments.push("--blink-settings=preferredColorScheme=0".to_owned());
        }
        let mut options = json!({"args": arguments});
        // A window of Chromium's is never so narrow as a phone.
        if width < 500 {
            let device = json!({"width": width, "height": height, "pixelRatio": 1.0});
            options["mobileEmulation"] = json!({"deviceMetrics": device});
        }
        let mut wishes = serde_json::Map::new();
        wishes.insert("goog:chromeOptions".to_owned(), options);
        let address = format!("http://127.0.0.1:{port}");
        let driver = runtime.block_on(
            ClientBuilder::new(HttpConnector::new())
                .capabilities(wishes)
                .connect(&address),
        );
        Chrome {
            runtime,
            driver: driver.expect("a window"),
            process,
        }
    }

    pub fn go(&self, address: &str) {
        self.runtime
            .block_on(self.driver.goto(address))
            .expect("a page");
    }

    pub fn address(&self) -> String {
        let address = self.runtime.block_on(self.driver.current_url());
        address.expect("an address").to_string()
    }

    /// What a script returns.
    pub fn run(&self, script: &str) -> Value {
        self.runtime
            .block_on(self.driver.execute(script, Vec::new()))
            .unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// As [`Chrome::run`], for one that calls its last argument with what it returns.
    pub fn run_and_wait(&self, script: &str) -> Value {
        self.runtime
            .block_on(self.driver.execute_async(script, Vec::new()))
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// The words that somebody sees.
    pub fn text(&self) -> String {
        let body = async {
            let body = self.driver.find(Locator::Css("body")).await?;
            body.text().await
        };
        self.runtime.block_on(body).unwrap_or_default()
    }

    pub fn until_says(&self, words: &str) {
        self.until(words, || self.text().contains(words));
    }

    pub fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(
                begun.elapsed() < PATIENCE,
                "not “{what}” at {}:\n{}",
                self.address(),
                self.text()
            );
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }

    /// Touches what this selector finds first, once it is there.
    pub fn touch(&self, selector: &str) {
        self.until(selector, || {
            let touch = async {
                self.driver
                    .find(Locator::Css(selector))
                    .await?
                    .click()
                    .await
            };
            self.runtime.block_on(touch).is_ok()
        });
    }

    /// Touches the button or link with these words.
    pub fn touch_words(&self, words: &str) {
        let path =
            format!("//*[self::button or self::a or self::summary][normalize-space()='{words}']");
        self.until(words, || {
            let touch = async { self.driver.find(Locator::XPath(&path)).await?.click().await };
            self.runtime.block_on(touch).is_ok()
        });
    }

    pub fn write(&self, selector: &str, words: &str) {
        self.until(selector, || {
            let write = async {
                let found = self.driver.find(Locator::Css(selector)).await?;
                found.send_keys(words).await
            };
            self.runtime.block_on(write).is_ok()
        });
    }

    /// From now on no page runs a script. Chromium's driver finds and touches nothing then; [`Chrome::read`] reads.
    pub fn without_scripts(&self) {
        self.devtools(
            "Emulation.setScriptExecutionDisabled",
            json!({"value": true}),
        );
    }

    /// Goes to an address and reads the page as it was made of what came, once it has these words.
    pub fn read(&self, address: &str, words: &str) -> String {
        let mut html = String::new();
        self.devtools("Page.navigate", json!({"url": address}));
        let begun = Instant::now();
        while !html.contains(words) {
            assert!(
                begun.elapsed() < PATIENCE,
                "not “{words}” at {address}:\n{html}"
            );
            std::thread::sleep(std::time::Duration::from_millis(50));
            let document = self.devtools("DOM.getDocument", json!({"depth": 0}));
            let node = &document["root"]["nodeId"];
            let outer = self.devtools("DOM.getOuterHTML", json!({"nodeId": node}));
            html = outer["outerHTML"].as_str().unwrap_or_default().to_owned();
        }
        html
    }

    /// Chrome DevTools Protocol, by way of chromedriver.
    fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({"cmd": command, "params": parameters}).to_string();
        self.runtime
            .block_on(self.driver.issue_cmd(Devtools { body }))
            .unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    pub fn picture(&self, file: &std::path::Path) {
        let taken = self.runtime.block_on(self.driver.screenshot());
        std::fs::write(file, taken.expect("a picture")).expect("a file");
    }
}

#[derive(Debug)]
struct Devtools {
    body: String,
}

impl WebDriverCompatibleCommand for Devtools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, <Url as FromStr>::Err> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/goog/cdp/execute"))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.clone()))
    }
}

impl Drop for Chrome {
    fn drop(&mut self) {
        let _ = self.runtime.block_on(self.driver.clone().close());
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
