//! How Telegram is reached where the straight way is closed: proxies, certificates, gateways, webhooks.

use std::net::TcpListener;

use serde_json::Value;

use crate::support::gateway::Gateway;
use crate::support::socks::Socks;
use crate::support::{ADA, CHAT, Machine, tls};

const NAME: &str = "ada";
const PASSWORD: &str = "Hunter2-Of-The-Proxy";

/// The port of its Bot API.
fn port(machine: &Machine) -> u16 {
    let url = machine.api.url();
    let (_, port) = url.rsplit_once(':').expect("a port");
    port.parse().expect("a number")
}

/// A port where nobody listens.
fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its number").port()
}

fn dot_env(machine: &Machine, text: &str) {
    std::fs::write(machine.folder.path().join(".env"), text).expect("a settings file");
}

/// The doctor's finding about one check, with its remedy.
fn doctor_says(machine: &Machine, check: &str) -> String {
    let output = machine.telecoder(&["doctor", "--json"]).output();
    let output = output.expect("telecoder starts").stdout;
    let report = String::from_utf8_lossy(&output).into_owned();
    assert!(!report.contains(PASSWORD), "{report}");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let checks = report["checks"].as_array().expect("an array");
    let findings = checks.iter().filter(|finding| finding["check"] == check);
    findings.map(Value::to_string).collect()
}

#[test]
fn the_bot_and_the_doctor_take_a_socks_proxy_and_leave_the_names_to_it() {
    let machine = Machine::new().with("TELEGRAM_API_URL", "http://telegram.invalid");
    let proxy = Socks::start(&machine.runtime, None, port(&machine));
    let address = format!("socks5h://127.0.0.1:{}", proxy.port);
    let machine = machine.with("ALL_PROXY", &address);
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    assert_eq!(proxy.asked()[0], "telegram.invalid");
    let said = doctor_says(&machine, "telegram");
    assert!(
        said.contains(&format!("through the proxy {address} (of ALL_PROXY)")),
        "{said}"
    );
}

#[test]
fn a_socks_proxy_of_the_settings_file_counts_and_its_password_is_told_to_nobody_else() {
    let machine = Machine::new().with("TELEGRAM_API_URL", "http://localhost");
    let login = Some((NAME, PASSWORD));
    let proxy = Socks::start(&machine.runtime, login, port(&machine));
    let at = format!("127.0.0.1:{}", proxy.port);
    dot_env(
        &machine,
        &format!("http_proxy=socks5://{NAME}:{PASSWORD}@{at}\n"),
    );
    let bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    assert_eq!(proxy.asked()[0], "127.0.0.1", "looked up here");
    machine.until_quiet();
    drop(bot);

    dot_env(
        &machine,
        &format!("http_proxy=socks5h://{NAME}:{PASSWORD}-no@{at}\n"),
    );
    let bot = machine.start_without_waiting();
    let refused = format!("the proxy socks5h://{at} (of http_proxy) does not lead to localhost");
    machine.until_log(&bot, &refused);
    let said = doctor_says(&machine, "telegram");
    assert!(
        said.contains(&refused) && said.contains("credentials not accepted"),
        "{said}"
    );
    assert!(!bot.log().contains(PASSWORD), "{}", bot.log());
}

#[test]
fn an_http_proxy_works_and_no_proxy_goes_around_it() {
    let machine = Machine::new();
    // The stand-in understands what a client says to a proxy.
    let proxy = machine.api.url();
    let machine = machine
        .with("TELEGRAM_API_URL", "http://telegram.invalid")
        .with("HTTP_PROXY", proxy.strip_prefix("http://").expect("a host"));
    let bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    drop(bot);

    let closed = format!("http://127.0.0.1:{}", closed_port());
    let machine = machine
        .with("TELEGRAM_API_URL", proxy)
        .with("HTTP_PROXY", closed)
        .with("no_proxy", "example.org, 127.0.0.1");
    let _bot = machine.start();
    machine.ada_says("again");
    machine.message_with("You said: again");
}

#[test]
fn a_proxy_that_cannot_be_reached_is_named_without_its_password() {
    for (variable, scheme) in [
        ("ALL_PROXY", "socks5h"),
        ("HTTPS_PROXY", "http"),
        ("https_proxy", "socks5"),
    ] {
        let at = format!("127.0.0.1:{}", closed_port());
        let machine = Machine::new()
            .with("TELEGRAM_API_URL", "https://localhost")
            .with(variable, format!("{scheme}://{NAME}:{PASSWORD}@{at}"));
        let bot = machine.start_without_waiting();
        let told = format!("the proxy {scheme}://{at} (of {variable}) cannot be reached: ");
        machine.until_log(&bot, &told);
        let said = doctor_says(&machine, "telegram");
        assert!(
            said.contains(&told) && said.contains("NO_PROXY=localhost goes around it"),
            "{said}"
        );
        for said in [said, bot.log()] {
            assert!(!said.contains(PASSWORD), "{said}");
            assert!(!said.contains("Telegram cannot be reached"), "{said}");
        }
    }
}

#[test]
fn what_is_no_proxy_is_told_and_not_passed_over() {
    let machine = Machine::new().with("HTTP_PROXY", format!("ftp://{PASSWORD}@127.0.0.1:21"));
    let bot = machine.start();
    machine.until_log(&bot, "HTTP_PROXY is not the address of a proxy");
    assert!(!bot.log().contains(PASSWORD), "{}", bot.log());
    let said = doctor_says(&machine, "telegram");
    assert!(
        said.contains("HTTP_PROXY is not the address of a proxy"),
        "{said}"
    );
}

#[test]
fn an_authority_of_the_machine_counts_for_the_bot_and_the_doctor() {
    let machine = Machine::new();
    let port = tls::start(&machine.runtime, port(&machine));
    let machine = machine.with("TELEGRAM_API_URL", format!("https://localhost:{port}"));
    let bot = machine.start_without_waiting();
    machine.until_log(&bot, "the certificate of localhost is not trusted here");
    let said = doctor_says(&machine, "telegram");
    assert!(
        said.contains("the certificate of localhost is not trusted here"),
        "{said}"
    );
    assert!(said.contains("name its file in SSL_CERT_FILE"), "{said}");
    drop(bot);

    let machine = machine.with("SSL_CERT_FILE", tls::authority());
    let bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    let said = doctor_says(&machine, "telegram");
    assert!(said.contains("answers in"), "{said}");
    drop(bot);

    let machine = machine.without("SSL_CERT_FILE");
    dot_env(&machine, &format!("SSL_CERT_FILE={}\n", tls::authority()));
    let _bot = machine.start();
    machine.ada_says("again");
    machine.message_with("You said: again");
}

#[test]
fn a_folder_of_certificates_counts_behind_a_proxy_too() {
    let machine = Machine::new();
    let tls = tls::start(&machine.runtime, port(&machine));
    let proxy = Socks::start(&machine.runtime, None, tls);
    let folder = machine.folder.path().join("authorities");
    std::fs::create_dir(&folder).expect("a folder");
    // openssl-rehash(1): named by the subject's hash, as every such folder is.
    std::fs::copy(tls::authority(), folder.join("0a1b2c3d.0")).expect("a copy");
    let machine = machine
        .with("TELEGRAM_API_URL", "https://telegram.test")
        .with("SSL_CERT_DIR", folder.display().to_string())
        .with("HTTPS_PROXY", format!("socks5h://127.0.0.1:{}", proxy.port));
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    assert_eq!(proxy.asked()[0], "telegram.test");
}

#[test]
fn a_webhook_is_named_with_its_host_and_what_removes_it() {
    let machine = Machine::new();
    machine.api.set_webhook("https://hooks.example/secret/path");
    let bot = machine.start_without_waiting();
    machine.until_log(
        &bot,
        "Telegram sends the messages to a webhook at hooks.example, so telecoder gets none; telecoder init \
         --delete-webhook removes it",
    );
    assert!(!bot.log().contains("another program"), "{}", bot.log());
    assert!(!bot.log().contains("secret/path"), "{}", bot.log());
    machine.ada_says("hello");
    let (code, said) = machine.run_to_its_end(&["init", "--delete-webhook", "--no-service"]);
    assert_eq!(code, Some(0), "{said}");
    machine.message_with("You said: hello");
    machine.until_log(&bot, "no webhook is set any more");
}

#[test]
fn a_file_that_a_gateway_refuses_goes_up_once_and_the_next_one_not_at_all() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[bash: cd $TELECODER_OUTBOX; truncate -s 51M a; truncate -s 52M b]]");
    for name in ["a", "b"] {
        machine.message_with(&format!(
            "{name} could not be sent: it is larger than Telegram takes"
        ));
    }
    machine.ada_says("[[bash: cd $TELECODER_OUTBOX; truncate -s 53M c; echo small > small]]");
    machine.message_with("c: it is 53 MB, and Telegram takes at most 50 MB.");
    machine.until("the small one comes", || {
        let messages = machine.bot_messages();
        let names = messages.into_iter().filter_map(|message| message.file);
        names
            .into_iter()
            .any(|(name, _)| name == "small")
            .then_some(())
    });
    assert_eq!(machine.api.requests("sendDocument").len(), 2, "a and small");
}

#[test]
fn a_gateway_that_refuses_by_the_length_alone_is_understood_too() {
    let machine = Machine::new();
    let gateway = Gateway::start(&machine.runtime, machine.api.url());
    let url = format!("http://127.0.0.1:{}", gateway.port);
    let machine = machine.with("TELEGRAM_API_URL", url);
    let _bot = machine.start();
    machine.ada_says("[[bash: cd $TELECODER_OUTBOX; truncate -s 60M a; truncate -s 61M b]]");
    for name in ["a", "b"] {
        let told = format!("{name} could not be sent: it is larger than Telegram takes");
        machine.message_with(&told);
    }
    machine.until_quiet();
    assert_eq!(gateway.refused(), 1);
}

#[test]
fn a_file_that_a_gateway_does_not_give_is_told_with_the_right_limit() {
    let machine = Machine::new();
    let _bot = machine.start();
    let file = machine.api.put_file("documents/big.iso", vec![0; 21 << 20]);
    machine.api.deliver_message(
        CHAT,
        ADA,
        serde_json::json!({"caption": "look", "document": {"file_id": file, "file_unique_id": "u",
            "file_name": "big.iso", "file_size": 21 << 20}}),
    );
    machine.message_with("big.iso was not fetched: Telegram gives bots only files of up to 20 MB.");
}

/// proc(5): `/proc/net/tcp` has a timer for each connection; 2 is keepalive.
#[test]
fn the_connection_that_waits_for_messages_is_tried_while_it_is_silent() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.until_quiet();
    let to = format!(":{:04X}", port(&machine));
    let table = format!("/proc/{}/net/tcp", bot.process.id());
    machine.until("the timer of a silent connection runs", || {
        let table = std::fs::read_to_string(&table).expect("the connections");
        let mut lines = table
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        lines
            .any(|fields| {
                fields.len() > 5 && fields[2].ends_with(&to) && fields[5].starts_with("02:")
            })
            .then_some(())
    });
}
