//! TLS in front of a port of this machine, with a certificate of an authority that nobody knows.
//!
//! The certificate is for `localhost` and `telegram.test`. It and its authority's are in `fixtures/tls`; the
//! authority's key was thrown away.

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Leads to the port `to`; returns its own. Ends with its runtime.
pub fn start(runtime: &Runtime, to: u16) -> u16 {
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let listener = listener.expect("a free port");
    let port = listener.local_addr().expect("its number").port();
    let acceptor = acceptor();
    runtime.spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(lead(acceptor.clone(), client, to));
        }
    });
    port
}

/// The file with the authority's certificate, for `SSL_CERT_FILE`.
pub fn authority() -> String {
    fixture("authority.pem").display().to_string()
}

async fn lead(acceptor: TlsAcceptor, client: TcpStream, to: u16) -> io::Result<()> {
    let mut client = acceptor.accept(client).await?;
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(fixture("server.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(fixture("server.key")).expect("a key");
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key);
    TlsAcceptor::from(Arc::new(config.expect("they fit")))
}

fn fixture(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures/tls");
    PathBuf::from(folder).join(name)
}
