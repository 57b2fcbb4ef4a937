//! Who is not let in to the page: forged, old, used and foreign ways in.

use jiff::Timestamp;
use ring::hmac;
use telecoder::domain::id::UserId;

use crate::page::{address, link_of, logged_in, run_of, session_of};
use crate::support::browser::{Browser, form};
use crate::support::{ADA, GRACE, Machine, TOKEN};

/// What it is, its path, its headers and its body.
type Forged<'a> = (&'a str, &'a str, Vec<(&'a str, &'a str)>, String);

const HTTPS: &str = "https://telecoder.example.com";
const HOST: (&str, &str) = ("Host", "telecoder.example.com");

fn machine() -> Machine {
    Machine::new()
        .with("TELECODER_WEB_ADDR", "127.0.0.1:0")
        .with("TELECODER_WEB_URL", HTTPS)
}

/// What Telegram hands to a Mini App. Bot API, "Validating data received via the Mini App".
fn init_data(token: &str, user: UserId, at: i64, extra: &[(&str, &str)]) -> String {
    let user = format!(r#"{{"id":{},"first_name":"Ada","last_name":"L."}}"#, user.0);
    let at = at.to_string();
    let mut fields = vec![
        ("auth_date", at.as_str()),
        ("query_id", "AAH"),
        ("user", user.as_str()),
    ];
    fields.extend(extra);
    fields.sort_unstable();
    let lines: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let secret = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, b"WebAppData"),
        token.as_bytes(),
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_ref());
    let hash = hmac::sign(&key, lines.join("\n").as_bytes());
    let hash: String = hash
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    fields.push(("hash", &hash));
    form(&fields)
}

fn now() -> i64 {
    Timestamp::now().as_second()
}

/// The status of a try, and whether a cookie came.
fn enters(browser: &Browser, data: &str) -> (u16, bool) {
    let body = form(&[("data", data)]);
    let answer = browser.send("POST", "/app", &[HOST], Some(&body));
    (answer.status, answer.header("set-cookie").is_some())
}

#[test]
fn telegram_s_proof_lets_in_once_and_nothing_that_was_forged_does() {
    let machine = machine();
    let bot = machine.start();
    let browser = Browser::new(address(&machine, &bot));
    let good = init_data(TOKEN, ADA, now(), &[]);
    let stranger = init_data(TOKEN, UserId(999), now(), &[]);
    let changed = good.replace("%22id%22%3A7", "%22id%22%3A8");
    assert_ne!(good, changed);
    let without = |name: &str| -> String {
        let pairs: Vec<&str> = good
            .split('&')
            .filter(|pair| !pair.starts_with(name))
            .collect();
        pairs.join("&")
    };
    let refused = [
        ("of another bot", init_data("1:other", ADA, now(), &[])),
        (
            "older than five minutes",
            init_data(TOKEN, ADA, now() - 302, &[]),
        ),
        ("from the future", init_data(TOKEN, ADA, now() + 3_600, &[])),
        ("without a user", without("user")),
        ("without a date", without("auth")),
        ("without a hash", without("hash")),
        ("another user", changed),
        ("a field more", format!("{good}&start_param=x")),
        ("a field twice", format!("{good}&user=%7B%22id%22%3A7%7D")),
        ("a short hash", good[..good.len() - 2].to_owned()),
        ("nothing", String::new()),
        ("no fields", "hello".to_owned()),
        ("a stranger", stranger),
    ];
    for (what, data) in refused {
        assert_eq!(enters(&browser, &data), (401, false), "{what}");
    }
    let entered = browser.send("POST", "/app", &[HOST], Some(&form(&[("data", &good)])));
    let cookie = entered.header("set-cookie").expect("a cookie").to_owned();
    assert_eq!(entered.status, 303);
    for attribute in [
        "__Host-telecoder=",
        "HttpOnly",
        "Secure",
        "SameSite=None",
        "Partitioned",
        "Path=/",
    ] {
        assert!(cookie.contains(attribute), "{attribute} in {cookie}");
    }
    assert_eq!(browser.send("GET", "/", &[HOST], None).status, 200);
    // Once.
    assert_eq!(enters(&Browser::new(browser.address), &good), (401, false));
    let log = bot.log();
    for reason in [
        "was used before",
        "older than five minutes",
        "signature",
        "could not be read",
        "may not use the bot",
    ] {
        assert!(log.contains(reason), "{reason}");
    }
}

#[test]
fn fields_that_telegram_adds_are_signed_like_the_others() {
    let machine = machine();
    let bot = machine.start();
    let browser = Browser::new(address(&machine, &bot));
    let data = init_data(
        TOKEN,
        ADA,
        now(),
        &[
            ("signature", "AbC-_"),
            ("chat_instance", "-5"),
            ("start_param", "a b+c"),
        ],
    );
    assert_eq!(enters(&browser, &data), (303, true));
}

/// The example of the documentation of a library that many use, with its token.
#[test]
fn a_proof_that_others_have_published_is_read_as_they_do() {
    let token = "5768337691:AAH5YkoiEuPk8-FZa32hStHTqXiLPtAEhx8";
    let user = concat!(
        r#"{"id":279058397,"first_name":"Vladislav","last_name":"Kibenko","username":"vdkfrost","#,
        r#""language_code":"ru","is_premium":true}"#
    );
    let data = form(&[
        ("query_id", "AAHdF6IQAAAAAN0XohDhrOrc"),
        ("user", user),
        ("auth_date", "1662771648"),
        (
            "hash",
            "c501b71e775f74ce10e377dea85a7ea24ecd640b223ea86dfe453e0eaed2e2b2",
        ),
    ]);
    let proven =
        telecoder::web::init_data::check(&data, token, 1_662_771_700).expect("it is right");
    assert_eq!(
        (proven.user, proven.name.as_str()),
        (UserId(279_058_397), "Vladislav Kibenko")
    );
}

#[test]
fn a_cookie_opens_nothing_that_its_person_may_not_see_and_ends_with_them() {
    let machine = Machine::new()
        .with("TELECODER_WEB_ADDR", "127.0.0.1:0")
        .with("TELECODER_TG_ALLOWED_USERS", "7");
    let bot = machine.start();
    machine
        .database()
        .execute(
            "INSERT OR IGNORE INTO people (user_id, name, invited_by, joined_at) VALUES (8, 'Grace', 7, 1)",
            [],
        )
        .expect("somebody is let in");
    let grace = logged_in(&machine, &bot, GRACE);
    assert_eq!(grace.get("/").status, 200);
    let unused = link_of(&machine, GRACE);
    machine.ada_says("/people");
    let people = machine.until("a list of people", || {
        let mut messages = machine.bot_messages().into_iter();
        messages.find(|message| {
            message
                .buttons
                .iter()
                .any(|(label, _)| label.starts_with("Remove"))
        })
    });
    machine.ada_presses(&people);
    machine.until("she is out", || {
        (grace.get("/").status == 401).then_some(())
    });
    assert_eq!(Browser::new(grace.address).post(&unused, &[]).status, 401);
}

#[test]
fn forged_old_foreign_and_cross_site_requests_do_nothing() {
    let machine = Machine::new().with("TELECODER_WEB_ADDR", "127.0.0.1:0");
    let bot = machine.start();
    machine.ada_says("[[bash: echo x > file]] [[say: first]]");
    machine.message_with("+1 −0 file");
    machine.until_quiet();
    let browser = logged_in(&machine, &bot, ADA);
    let (session, run) = (session_of(&machine), run_of(&machine));
    let key = browser.get("/").field("key");
    let prompt = format!("/sessions/{session}/prompt");
    let press = format!("/sessions/{session}/press");
    let once = uuid::Uuid::new_v4().to_string();
    let with = |fields: &[(&str, &str)]| form(fields);
    let asked = with(&[("key", &key), ("once", &once), ("text", "forged")]);
    let undo = format!("undo:{run}");
    let undoes = with(&[("key", &key), ("press", &undo)]);
    let own = format!("http://{}", browser.address);
    let (answer, deed) = (
        format!("/runs/{run}/answer"),
        format!("/sessions/{session}/do"),
    );
    let cases: Vec<Forged<'_>> = vec![
        (
            "another site's form",
            &prompt,
            vec![("Origin", "https://evil.example")],
            asked.clone(),
        ),
        (
            "a sandboxed frame",
            &prompt,
            vec![("Origin", "null")],
            asked.clone(),
        ),
        (
            "another port",
            &prompt,
            vec![("Origin", "http://127.0.0.1:1")],
            asked.clone(),
        ),
        (
            "cross-site",
            &prompt,
            vec![("Sec-Fetch-Site", "cross-site")],
            asked.clone(),
        ),
        (
            "a sister site",
            &prompt,
            vec![("Sec-Fetch-Site", "same-site")],
            asked.clone(),
        ),
        (
            "right origin, cross-site",
            &prompt,
            vec![("Origin", &own), ("Sec-Fetch-Site", "cross-site")],
            asked.clone(),
        ),
        (
            "a rebound name",
            &prompt,
            vec![("Host", "rebound.example")],
            asked.clone(),
        ),
        (
            "a rebound name with a port",
            &prompt,
            vec![("Host", "rebound.example:80")],
            asked.clone(),
        ),
        ("no name", &prompt, vec![("Host", "")], asked.clone()),
        (
            "a name that begins like this machine's",
            &prompt,
            vec![("Host", "localhost.evil.example")],
            asked.clone(),
        ),
        (
            "no key",
            &prompt,
            vec![],
            with(&[("once", &once), ("text", "forged")]),
        ),
        (
            "an empty key",
            &prompt,
            vec![],
            with(&[("key", ""), ("once", &once), ("text", "forged")]),
        ),
        (
            "a wrong key",
            &prompt,
            vec![],
            with(&[
                ("key", &"0".repeat(64)),
                ("once", &once),
                ("text", "forged"),
            ]),
        ),
        (
            "a short key",
            &prompt,
            vec![],
            with(&[("key", &key[..63]), ("once", &once), ("text", "forged")]),
        ),
        (
            "no id",
            &prompt,
            vec![],
            with(&[("key", &key), ("text", "forged")]),
        ),
        (
            "an id that is none",
            &prompt,
            vec![],
            with(&[("key", &key), ("once", "1"), ("text", "forged")]),
        ),
        (
            "no words",
            &prompt,
            vec![],
            with(&[("key", &key), ("once", &once), ("text", " \r\n")]),
        ),
        (
            "no form",
            &prompt,
            vec![("Content-Type", "application/json")],
            "{}".to_owned(),
        ),
        (
            "plain text",
            &prompt,
            vec![("Content-Type", "text/plain")],
            asked.clone(),
        ),
        (
            "a session that is none",
            "/sessions/nothing/prompt",
            vec![],
            asked.clone(),
        ),
        (
            "a path that leaves",
            "/sessions/..%2f..%2fetc/prompt",
            vec![],
            asked.clone(),
        ),
        (
            "an unknown press",
            &press,
            vec![],
            with(&[("key", &key), ("press", "format:disk")]),
        ),
        (
            "an empty press",
            &press,
            vec![],
            with(&[("key", &key), ("press", "")]),
        ),
        (
            "a press without a key",
            &press,
            vec![],
            with(&[("press", &undo)]),
        ),
        (
            "a press from elsewhere",
            &press,
            vec![("Origin", "https://evil.example")],
            undoes.clone(),
        ),
        (
            "a question that is none",
            &answer,
            vec![],
            with(&[("key", &key), ("question", "x"), ("words", "yes")]),
        ),
        (
            "an unknown question",
            &answer,
            vec![],
            with(&[("key", &key), ("question", &"0".repeat(32)), ("words", "")]),
        ),
        (
            "an unknown deed",
            &deed,
            vec![],
            with(&[("key", &key), ("what", "format")]),
        ),
        (
            "a used link",
            "/in/00000000000000000000000000000000",
            vec![],
            String::new(),
        ),
        ("a link that is none", "/in/zz", vec![], String::new()),
        ("no link", "/in/", vec![], String::new()),
        (
            "logging out somebody",
            "/out",
            vec![],
            with(&[("key", "x")]),
        ),
        (
            "a Mini App without a proof",
            "/app",
            vec![],
            with(&[("data", "")]),
        ),
        (
            "a huge body",
            &prompt,
            vec![],
            with(&[
                ("key", &key),
                ("once", &once),
                ("text", &"x".repeat(3_000_000)),
            ]),
        ),
    ];
    assert!(cases.len() >= 30);
    for (what, path, headers, body) in &cases {
        let answer = browser.send("POST", path, headers, Some(body));
        let refused = [400, 401, 403, 404, 413, 415, 422].contains(&answer.status);
        assert!(refused, "{what}: {}", answer.status);
        assert!(!answer.body.contains("file"), "{what} learns something");
    }
    let get_only = ["/", "/now", "/people", "/settings", "/health"];
    for path in get_only {
        assert_eq!(
            browser.send("POST", path, &[], Some("")).status,
            405,
            "{path}"
        );
    }
    for path in [&prompt, &press] {
        assert_eq!(browser.get(path).status, 405, "{path}");
    }
    let stranger = Browser::new(browser.address);
    for cookie in ["", "0", &"0".repeat(32), &key] {
        stranger
            .cookies
            .borrow_mut()
            .insert("telecoder".to_owned(), cookie.to_owned());
        for path in [
            "/".to_owned(),
            format!("/runs/{run}"),
            format!("/runs/{run}/live"),
        ] {
            assert_eq!(stranger.get(&path).status, 401, "{path} with “{cookie}”");
        }
    }
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [1]);
    assert_eq!(machine.rows("SELECT undone FROM runs"), [0]);
}

#[test]
fn what_claude_or_a_repository_wrote_is_text_on_the_page() {
    let machine = Machine::new().with("TELECODER_WEB_ADDR", "127.0.0.1:0");
    let bot = machine.start();
    let hostile = "<script>alert(1)</script><img src=x onerror=alert(2)>";
    machine.ada_says(&format!(
        "[[bash: echo '{hostile}'; echo x > '<b>bold<b>']] [[say: {hostile} [go](javascript:alert(3))]] {hostile}"
    ));
    machine.message_with("+1 −0");
    machine.until_quiet();
    let browser = logged_in(&machine, &bot, ADA);
    for path in [
        "/".to_owned(),
        format!("/sessions/{}", session_of(&machine)),
        format!("/runs/{}", run_of(&machine)),
    ] {
        let page = browser.get(&path);
        page.assert_says("&lt;");
        for bad in ["<script>alert", "<img", "<b>", "href=\"javascript"] {
            assert!(!page.body.contains(bad), "{bad} in {path}");
        }
    }
}
