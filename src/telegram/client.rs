//! The way to a Bot API server: the HTTP client, and what stands between.
//!
//! The bot, `doctor` and `init` have the same one: the same proxy, certificates, limits and care for dead connections.
//! [`api`](super::api) makes the calls; [`Way::told`] says why one did not get through.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{Certificate, Url};
use secrecy::{ExposeSecret, SecretString};

use super::api::{ApiError, TIMEOUT};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection that is silent for so long is tried: the other side may be gone, or the network another one.
const TRY_AFTER: Duration = Duration::from_secs(15);
const TRY_EVERY: Duration = Duration::from_secs(5);
const TRIES: u32 = 3;
/// A connection is given up after so long without a sign of the other side, whatever waits on it.
const DEAD_AFTER: Duration = Duration::from_secs(30);

/// The variables that name a proxy for `https` and for `http`; the first that is set wins, as in curl.
const FOR_HTTPS: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const FOR_HTTP: [&str; 4] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
const EXCEPT: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// How a certificate is made to count; for a remedy.
pub const TRUST: &str = "If a proxy or a firewall opens the connection, add its certificate to the machine's (see \
                         update-ca-certificates) or name its file in SSL_CERT_FILE";

/// The way to one server.
#[derive(Clone, Debug)]
pub struct Way {
    pub server: Url,
    pub proxy: Option<Proxy>,
    /// A variable that should name a proxy and does not.
    unusable: Option<&'static str>,
    certificates: Certificates,
}

/// The proxy that leads to the server.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// The variable that names it.
    variable: &'static str,
    /// Its scheme, host and port.
    shown: String,
    /// May have a password in it.
    address: SecretString,
}

/// Certificates that only a settings file or a service's unit names. Those of the process and of the machine are found
/// by the client.
#[derive(Clone, Debug, Default)]
struct Certificates {
    file: Option<PathBuf>,
    folder: Option<PathBuf>,
}

impl Way {
    /// `environment` is that of the bot, settings files included.
    pub fn new(server: Url, environment: &BTreeMap<OsString, OsString>) -> Way {
        let variables = match server.scheme() {
            "http" => FOR_HTTP,
            _ => FOR_HTTPS,
        };
        let except = EXCEPT.iter().find_map(|name| value(environment, name));
        let except = except.unwrap_or_default();
        let named = variables
            .iter()
            .find_map(|name| Some((*name, value(environment, name)?)));
        let (mut proxy, mut unusable) = (None, None);
        if let Some((variable, address)) = named {
            match leads(&address, "", &server) {
                None => unusable = Some(variable),
                Some(shown) if leads(&address, &except, &server).is_some() => {
                    proxy = Some(Proxy {
                        variable,
                        shown,
                        address: with_scheme(address).into(),
                    });
                }
                Some(_) => {}
            }
        }
        Way {
            server,
            proxy,
            unusable,
            certificates: Certificates::only_in(environment),
        }
    }

    /// The client, for all calls of this process: its connections are kept and shared.
    pub fn client(&self) -> reqwest::Result<reqwest::Client> {
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            // For teloxide's calls; each of ours has a limit of its own.
            .timeout(TIMEOUT)
            .tcp_nodelay(true)
            .tcp_keepalive(TRY_AFTER)
            .tcp_keepalive_interval(TRY_EVERY)
            .tcp_keepalive_retries(TRIES)
            .tcp_user_timeout(DEAD_AFTER)
            // What the environment of the process says is in `self.proxy`.
            .no_proxy();
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(reqwest::Proxy::all(proxy.address.expose_secret())?);
        }
        for certificate in self.certificates.read()? {
            builder = builder.add_root_certificate(certificate);
        }
        builder.build()
    }

    /// A remark for a person: a proxy that was meant and is not used.
    pub fn remark(&self) -> Option<String> {
        let variable = self.unusable?;
        Some(format!(
            "{variable} is not the address of a proxy, so Telegram is called without one. It is \
             http://HOST:PORT or socks5h://HOST:PORT; characters of a password that are not letters or digits are \
             written as %XX"
        ))
    }

    /// An error as a person is told it: which part of the way is closed.
    pub fn told(&self, error: &ApiError) -> String {
        match (error, &self.proxy) {
            (ApiError::NotSent(why), _) if is_about_a_certificate(why) => format!(
                "the certificate of {} is not trusted here ({})",
                self.host(),
                cause(why)
            ),
            (ApiError::NotSent(why), Some(proxy)) => proxy.failed(why, &self.host()),
            (ApiError::NotSent(why), None) => format!("Telegram cannot be reached: {}", cause(why)),
            (ApiError::Unanswered(why), Some(proxy)) => {
                format!("no answer came through the proxy {proxy}: {}", cause(why))
            }
            (error, _) => error.to_string(),
        }
    }

    /// Whether the server's certificate is what is wrong.
    pub fn is_distrusted(error: &ApiError) -> bool {
        matches!(error, ApiError::NotSent(why) if is_about_a_certificate(why))
    }

    /// The server's name.
    pub fn host(&self) -> String {
        self.server.host_str().unwrap_or_default().to_owned()
    }
}

impl Proxy {
    /// `why` is reqwest's words: every connection that it makes begins with one to the proxy.
    fn failed(&self, why: &str, server: &str) -> String {
        const NOT_REACHED: [&str; 3] = [
            "failed to create underlying connection",
            "tcp connect error",
            "dns error",
        ];
        // The server's name is looked up on this machine, with `socks5://` alone.
        let is_the_servers_name = why.contains("error resolving for socks proxy");
        if is_the_servers_name {
            return format!(
                "the name {server} cannot be looked up on this machine: {}; with socks5h:// in {} the proxy looks it up",
                cause(why),
                self.variable
            );
        }
        if NOT_REACHED.iter().any(|part| why.contains(part)) {
            return format!("the proxy {self} cannot be reached: {}", cause(why));
        }
        format!("the proxy {self} does not lead to {server}: {}", cause(why))
    }

    /// The variable that names it.
    pub fn variable(&self) -> &'static str {
        self.variable
    }
}

/// Its address without a password, and where it is set.
impl std::fmt::Display for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (of {})", self.shown, self.variable)
    }
}

impl Certificates {
    fn only_in(environment: &BTreeMap<OsString, OsString>) -> Certificates {
        let named = |name: &str| {
            let path = environment.get(OsStr::new(name))?;
            (std::env::var_os(name).is_none() && !path.is_empty()).then(|| PathBuf::from(path))
        };
        Certificates {
            file: named("SSL_CERT_FILE"),
            folder: named("SSL_CERT_DIR"),
        }
    }

    /// What cannot be read is left out, as it is of the machine's own.
    fn read(&self) -> reqwest::Result<Vec<Certificate>> {
        let (file, folder) = (self.file.as_deref(), self.folder.as_deref());
        let read = rustls_native_certs::load_certs_from_paths(file, folder);
        let certificates = read.certs.iter();
        certificates.map(|der| Certificate::from_der(der)).collect()
    }
}

/// A variable that is set to something.
fn value(environment: &BTreeMap<OsString, OsString>, name: &str) -> Option<String> {
    let value = environment.get(OsStr::new(name))?.to_string_lossy();
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// The scheme, host and port of a proxy that is to be used for a server; reqwest's rules.
fn leads(address: &str, except: &str, server: &Url) -> Option<String> {
    let rules = Matcher::builder()
        .all(address.to_owned())
        .no(except.to_owned());
    let proxy = rules.build().intercept(&server.as_str().parse().ok()?)?;
    let uri = proxy.uri();
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?))
}

fn with_scheme(address: String) -> String {
    match address.contains("://") {
        true => address,
        false => format!("http://{address}"),
    }
}

fn is_about_a_certificate(why: &str) -> bool {
    why.contains("invalid peer certificate")
}

/// An error's causes, without those that every failed connection has.
fn cause(why: &str) -> String {
    const ALWAYS: [&str; 6] = [
        "error sending request: ",
        "client error (Connect): ",
        "error connecting to socks proxy: ",
        "error resolving for socks proxy: ",
        "SOCKS error: ",
        "failed to create underlying connection: ",
    ];
    let why = why.replace("tunnel error: failed to create", "failed to create");
    ALWAYS.iter().fold(why, |why, part| why.replace(part, ""))
}
