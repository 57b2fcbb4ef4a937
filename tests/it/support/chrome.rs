//! A real browser: headless Chromium through its driver.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use bytes::Bytes;
use thirtyfour::error::{WebDriverError, WebDriverErrorInner};
use thirtyfour::prelude::*;
use thirtyfour::session::http::{Body, HttpClient};
use tokio::runtime::Runtime;

use super::PATIENCE;

/// A window, which is gone with this value.
pub struct Chrome {
    runtime: Runtime,
    driver: Option<WebDriver>,
    process: Child,
}

/// How a window is made.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub width: u32,
    pub height: u32,
    pub is_dark: bool,
    pub runs_scripts: bool,
}

impl Window {
    pub const PHONE: Window = Window {
        width: 360,
        height: 740,
        is_dark: false,
        runs_scripts: true,
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
                let (_, port) = line.split_once("on port ")?;
                port.trim_end_matches('.').parse::<u16>().ok()
            })
            .expect("chromedriver listens");
        let runtime = Runtime::new().expect("a runtime");
        let mut wishes = DesiredCapabilities::chrome();
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
        for argument in arguments {
            wishes.add_arg(&argument).expect("an argument");
        }
        // A window of Chromium's is never so narrow as a phone.
        let device = json!({"deviceMetrics": {"width": width, "height": height, "pixelRatio": 1.0}});
        if width < 500 {
            wishes
                .add_experimental_option("mobileEmulation", device)
                .expect("an option");
        }
        if !window.runs_scripts {
            let off = json!({"profile.managed_default_content_settings.javascript": 2});
            wishes.add_experimental_option("prefs", off).expect("an option");
        }
        let driver = runtime.block_on(async {
            WebDriver::builder(format!("http://127.0.0.1:{port}"), wishes)
                .client(Client(reqwest::Client::new()))
                .await
                .expect("a window")
        });
        Chrome {
            runtime,
            driver: Some(driver),
            process,
        }
    }

    fn driver(&self) -> &WebDriver {
        self.driver.as_ref().expect("it is open")
    }

    pub fn go(&self, address: &str) {
        self.runtime
            .block_on(self.driver().goto(address))
            .expect("a page");
    }

    pub fn address(&self) -> String {
        let address = self.runtime.block_on(self.driver().current_url());
        address.expect("an address").to_string()
    }

    /// What a script returns.
    pub fn run(&self, script: &str) -> Value {
        let returned = self
            .runtime
            .block_on(self.driver().execute(script, Vec::new()))
            .unwrap_or_else(|error| panic!("{script}: {error}"));
        returned.json().clone()
    }

    /// As [`Chrome::run`], for one that calls its last argument with what it returns.
    pub fn run_and_wait(&self, script: &str) -> Value {
        let returned = self
            .runtime
            .block_on(self.driver().execute_async(script, Vec::new()))
            .unwrap_or_else(|error| panic!("{error}"));
        returned.json().clone()
    }

    /// The words that somebody sees.
    pub fn text(&self) -> String {
        let body = async {
            let body = self.driver().find(By::Css("body")).await?;
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
                let found = self.driver().find(By::Css(selector)).await?;
                found.scroll_into_view().await?;
                found.click().await
            };
            self.runtime.block_on(touch).is_ok()
        });
    }

    /// Touches the button or link with these words.
    pub fn touch_words(&self, words: &str) {
        let path = format!("//*[self::button or self::a or self::summary][normalize-space()='{words}']");
        self.until(words, || {
            let touch = async {
                let found = self.driver().find(By::XPath(&path)).await?;
                found.scroll_into_view().await?;
                found.click().await
            };
            self.runtime.block_on(touch).is_ok()
        });
    }

    pub fn write(&self, selector: &str, words: &str) {
        self.until(selector, || {
            let write = async {
                let found = self.driver().find(By::Css(selector)).await?;
                found.send_keys(words).await
            };
            self.runtime.block_on(write).is_ok()
        });
    }

    pub fn picture(&self, file: &std::path::Path) {
        let taken = self.runtime.block_on(self.driver().screenshot(file));
        taken.expect("a picture");
    }
}

impl Drop for Chrome {
    fn drop(&mut self) {
        if let Some(driver) = self.driver.take() {
            let _ = self.runtime.block_on(driver.quit());
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The HTTP client that telecoder has anyway.
struct Client(reqwest::Client);

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send(
        &self,
        request: axum::http::Request<Body<'_>>,
    ) -> WebDriverResult<axum::http::Response<Bytes>> {
        let failed = |error: reqwest::Error| {
            WebDriverError::from_inner(WebDriverErrorInner::RequestFailed(error.to_string()))
        };
        let (parts, body) = request.into_parts();
        let mut sent = self.0.request(parts.method, parts.uri.to_string());
        for (name, value) in &parts.headers {
            sent = sent.header(name, value);
        }
        if let Body::Json(body) = body {
            sent = sent.json(body);
        }
        let answer = sent.send().await.map_err(failed)?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(failed)?;
        let response = axum::http::Response::builder().status(status);
        Ok(response.body(bytes).expect("an answer"))
    }

    async fn new(&self) -> Arc<dyn HttpClient> {
        Arc::new(Client(reqwest::Client::new()))
    }
}
