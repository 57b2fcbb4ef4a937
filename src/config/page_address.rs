//! Where people find the page: `TELECODER_WEB_URL`, or else the address that the bot listens on.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Its name in the data folder.
const FILE: &str = "page-address";

/// Cheap to clone; all clones know the same.
#[derive(Clone, Debug, Default)]
pub struct PageAddress {
    /// `TELECODER_WEB_URL`, without a slash at its end.
    url: Option<String>,
    /// Known when the bot listens; with port 0 nobody knows it before.
    listens_on: Arc<OnceLock<SocketAddr>>,
}

impl PageAddress {
    pub fn new(url: Option<String>) -> PageAddress {
        PageAddress {
            url,
            listens_on: Arc::default(),
        }
    }

    /// The bot listens there. Only the first one counts.
    pub fn set(&self, address: SocketAddr) {
        let _ = self.listens_on.set(address);
    }

    /// The beginning of every address of the page; `None` while there is none.
    pub fn url(&self) -> Option<String> {
        self.url
            .clone()
            .or_else(|| Some(format!("http://{}", self.listens_on.get()?)))
    }

    /// Writes it down in the data folder, for commands in a shell.
    pub fn write_down(&self, data: &Path) -> io::Result<()> {
        let Some(url) = self.url() else {
            return Ok(());
        };
        // In its place at once: a command may read it now.
        let mut file = tempfile::NamedTempFile::new_in(data)?;
        writeln!(file, "{url}")?;
        file.persist(data.join(FILE))?;
        Ok(())
    }

    /// What a bot has written down; it may not be running any more.
    pub fn written_down(data: &Path) -> Option<String> {
        let url = std::fs::read_to_string(data.join(FILE)).ok()?;
        Some(url.trim().to_owned()).filter(|url| !url.is_empty())
    }

    /// Whether people come by TLS.
    pub fn is_https(&self) -> bool {
        self.url
            .as_ref()
            .is_some_and(|url| url.starts_with("https://"))
    }

    /// Whether this is the host (with its port, if it has one) of `TELECODER_WEB_URL`.
    pub fn is_at(&self, host: &str) -> bool {
        let url = self.url.as_deref().unwrap_or_default();
        let of_url = url.split_once("://").map(|(_, rest)| rest);
        let of_url = of_url.and_then(|rest| rest.split('/').next());
        of_url.is_some_and(|of_url| !host.is_empty() && of_url.eq_ignore_ascii_case(host))
    }
}
