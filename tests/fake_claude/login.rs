//! `auth login` and `auth status`: whether somebody is logged in, and a login at a terminal.
//!
//! As claude 2.1.197 was seen to do it: a link, a question for the code, "Invalid code." where it is not whole, and
//! "Login failed: …" with the exit code 1. The code is good when it begins with `good`.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

/// Long, as the real one; a terminal of 80 columns would break it.
pub const LINK: &str = "https://claude.example/cai/oauth/authorize?code=true&client_id=9d1c250a-e61b-44d9-88ed-5944d1962f5e&response_type=code&redirect_uri=https%3A%2F%2Fplatform.claude.example%2Foauth%2Fcode%2Fcallback&scope=org%3Acreate_api_key+user%3Aprofile+user%3Ainference&code_challenge=dqisBSDaSR1PY5i5S4vSlwT9ohgaqi775ZaxzT7Iyb8&code_challenge_method=S256&state=0wTvWdpGh05iprK4NbUiTWagRWqJyNRZDUwRam6KiuU";

/// There once somebody has logged in.
fn credentials() -> PathBuf {
    let home = std::env::var_os("FAKE_CLAUDE_HOME").expect("FAKE_CLAUDE_HOME is set");
    PathBuf::from(home).join("credentials")
}

pub fn is_logged_out() -> bool {
    std::env::var_os("FAKE_CLAUDE_LOGGED_OUT").is_some() && !credentials().exists()
}

pub fn auth(arguments: &[String]) -> ExitCode {
    if arguments.get(1).map(String::as_str) == Some("login") {
        return login();
    }
    let logged_in = !is_logged_out();
    println!(
        "{}",
        json!({"loggedIn": logged_in, "authMethod": "api_key"})
    );
    ExitCode::SUCCESS
}

fn login() -> ExitCode {
    assert!(
        std::io::stdin().is_terminal() && std::io::stdout().is_terminal(),
        "a person is at a terminal"
    );
    println!("\x1b[1mOpening browser to sign in…\x1b[0m");
    println!("If the browser didn't open, visit: {LINK}");
    print!("Paste code here if prompted > ");
    std::io::stdout().flush().expect("a screen");
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line");
        let Some((code, _)) = line.split_once('#') else {
            println!("Invalid code. Please make sure the full code was copied.");
            continue;
        };
        if !code.starts_with("good") {
            println!("Login failed: Request failed with status code 400");
            return ExitCode::FAILURE;
        }
        let credentials = credentials();
        std::fs::create_dir_all(credentials.parent().expect("a folder")).expect("a home");
        std::fs::write(credentials, "{}").expect("credentials");
        println!("Login successful.");
        return ExitCode::SUCCESS;
    }
    ExitCode::FAILURE
}
