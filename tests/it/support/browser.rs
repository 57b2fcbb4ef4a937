//! A browser that looks at the page: it keeps cookies, fills in forms, and follows where it is sent.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::PATIENCE;

/// What a server answered.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    /// Names in lower case; of several with one name, all.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Page {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name)?;
        Some(&found.1)
    }

    /// The value of the first hidden field of this name.
    pub fn field(&self, name: &str) -> String {
        let (_, behind) = self
            .body
            .split_once(&format!("name=\"{name}\" value=\""))
            .unwrap_or_else(|| panic!("no field {name} in {}", self.body));
        behind.split('"').next().expect("a value").to_owned()
    }

    /// The data of the button with this label.
    pub fn press(&self, label: &str) -> String {
        let (before, _) = self
            .body
            .split_once(&format!(">{label}</button>"))
            .unwrap_or_else(|| panic!("no button {label} in {}", self.body));
        let (_, value) = before
            .rsplit_once("name=\"press\" value=\"")
            .expect("a button of the chat's");
        value.split('"').next().expect("a value").to_owned()
    }

    pub fn assert_says(&self, text: &str) {
        assert!(self.body.contains(text), "not “{text}” in {}", self.body);
    }
}

pub struct Browser {
    pub address: SocketAddr,
    pub cookies: RefCell<BTreeMap<String, String>>,
}

impl Browser {
    pub fn new(address: SocketAddr) -> Browser {
        Browser {
            address,
            cookies: RefCell::default(),
        }
    }

    pub fn get(&self, path: &str) -> Page {
        self.follow(self.send("GET", path, &[], None))
    }

    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.follow(self.send("POST", path, &[], Some(&form(fields))))
    }

    /// A request as it is, without following where it leads.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Page {
        let mut stream = self.connect();
        stream
            .write_all(self.request(method, path, headers, body).as_bytes())
            .expect("it is heard");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers");
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer of HTTP");
        let page = Page {
            status: head[9..12].parse().expect("a status"),
            headers: head
                .lines()
                .skip(1)
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect(),
            body: match head.to_lowercase().contains("transfer-encoding: chunked") {
                true => without_chunks(body),
                false => body.to_owned(),
            },
        };
        self.keep_cookies(&page);
        page
    }

    /// A stream of server-sent events, each with its id, its kind and its data.
    pub fn events(&self, path: &str, last: Option<&str>) -> Events {
        let last: Vec<(&str, &str)> = last.map(|id| ("Last-Event-ID", id)).into_iter().collect();
        self.events_with(path, &last)
    }

    pub fn events_with(&self, path: &str, headers: &[(&str, &str)]) -> Events {
        let mut stream = self.connect();
        stream
            .write_all(self.request("GET", path, headers, None).as_bytes())
            .expect("it is heard");
        let mut lines = BufReader::new(stream);
        let mut head = String::new();
        loop {
            let mut line = String::new();
            lines.read_line(&mut line).expect("a head");
            if line.trim().is_empty() {
                break;
            }
            head.push_str(&line);
        }
        assert!(head.contains(" 200 "), "{head}");
        Events { lines }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("somebody listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        stream
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> String {
        let mut lines = vec![format!("{method} {path} HTTP/1.1")];
        let is_given = |name: &str| {
            headers
                .iter()
                .any(|(other, _)| other.eq_ignore_ascii_case(name))
        };
        if !is_given("host") {
            lines.push(format!("Host: {}", self.address));
        }
        let cookies = self.cookies.borrow();
        if !cookies.is_empty() {
            let pairs: Vec<String> = cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            lines.push(format!("Cookie: {}", pairs.join("; ")));
        }
        lines.extend(
            headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}")),
        );
        if let Some(body) = body {
            if !is_given("content-type") {
                lines.push("Content-Type: application/x-www-form-urlencoded".to_owned());
            }
            lines.push(format!("Content-Length: {}", body.len()));
        }
        format!("{}\r\n\r\n{}", lines.join("\r\n"), body.unwrap_or_default())
    }

    fn keep_cookies(&self, page: &Page) {
        let set = page.headers.iter().filter(|(name, _)| name == "set-cookie");
        for (_, cookie) in set {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').expect("a cookie");
            let mut cookies = self.cookies.borrow_mut();
            match attributes.contains("Max-Age=0") {
                true => cookies.remove(name),
                false => cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
    }

    fn follow(&self, page: Page) -> Page {
        match (page.status, page.header("location")) {
            (303, Some(to)) => self.get(to),
            _ => page,
        }
    }
}

/// `application/x-www-form-urlencoded`
pub fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
                byte => format!("%{byte:02X}"),
            })
            .collect::<String>()
    };
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.join("&")
}

/// RFC 9112, chunked transfer coding.
fn without_chunks(body: &str) -> String {
    let (mut whole, mut rest) = (Vec::new(), body.as_bytes());
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).expect("a size");
        let size = usize::from_str_radix(size.trim(), 16).expect("a size");
        if size == 0 {
            break;
        }
        whole.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 4 + size..];
    }
    String::from_utf8(whole).expect("text")
}

/// One event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    pub id: String,
    pub kind: String,
    pub data: String,
}

pub struct Events {
    lines: BufReader<TcpStream>,
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let mut event = Event::default();
        let mut data: Vec<String> = Vec::new();
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim_end_matches(['\r', '\n']);
            if let Some((name, value)) = line.split_once(": ").or(line.split_once(':')) {
                match name {
                    "id" => event.id = value.to_owned(),
                    "event" => event.kind = value.to_owned(),
                    "data" => data.push(value.to_owned()),
                    _ => {}
                }
            } else if line.is_empty() && !event.kind.is_empty() {
                event.data = data.join("\n");
                return Some(event);
            }
        }
    }
}
