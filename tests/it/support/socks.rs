//! A SOCKS5 proxy (RFC 1928, 1929) that leads everybody to the same port of this machine, whatever they ask for.

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const BY_PASSWORD: u8 = 2;
const BY_NAME: u8 = 3;

/// Ends with its runtime.
pub struct Socks {
    pub port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Socks {
    /// With a login, it lets in nobody else. `to` is the port that it leads to.
    pub fn start(runtime: &Runtime, login: Option<(&'static str, &'static str)>, to: u16) -> Socks {
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.expect("a free port");
        let port = listener.local_addr().expect("its number").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&asked);
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let record = Arc::clone(&record);
                tokio::spawn(async move { lead(client, login, to, &record).await });
            }
        });
        Socks { port, asked }
    }

    /// The places that were asked for: names as names, addresses as addresses.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("whole").clone()
    }
}

async fn lead(
    mut client: TcpStream,
    login: Option<(&str, &str)>,
    to: u16,
    record: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let _version = client.read_u8().await?;
    let mut methods = vec![0; client.read_u8().await?.into()];
    client.read_exact(&mut methods).await?;
    match login {
        None => client.write_all(&[VERSION, NO_LOGIN]).await?,
        Some((name, password)) => {
            client.write_all(&[VERSION, BY_PASSWORD]).await?;
            let _version = client.read_u8().await?;
            let given = (text(&mut client).await?, text(&mut client).await?);
            let is_right = given == (name.to_owned(), password.to_owned());
            client.write_all(&[1, u8::from(!is_right)]).await?;
            if !is_right {
                return Ok(());
            }
        }
    }
    let mut request = [0; 4];
    client.read_exact(&mut request).await?;
    let place = match request[3] {
        BY_NAME => text(&mut client).await?,
        _ => Ipv4Addr::from(client.read_u32().await?).to_string(),
    };
    let _port = client.read_u16().await?;
    record.lock().expect("whole").push(place);
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await?;
    client
        .write_all(&[VERSION, 0, 0, 1, 0, 0, 0, 0, 0, 0])
        .await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

/// A length and so many bytes.
async fn text(client: &mut TcpStream) -> io::Result<String> {
    let mut bytes = vec![0; client.read_u8().await?.into()];
    client.read_exact(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
