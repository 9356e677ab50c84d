//! Webhooks over TLS: the system's certificates decide.

use crate::server::{Request, read};
use crate::{SECRET, child, child_with};
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, Stream};

pub(crate) const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/alerts/tls/ca.pem");

/// With a certificate for `127.0.0.1` and `localhost`.
pub(crate) fn config() -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/server.key")).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    Arc::new(builder.with_single_cert(vec![certificate], key).unwrap())
}

/// Answers every request with 200.
pub(crate) fn serve() -> (SocketAddr, Arc<Mutex<Vec<Request>>>) {
    let config = config();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
    let recorded = Arc::clone(&requests);
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = Stream::new(&mut connection, &mut socket);
            let Some(request) = read(BufReader::new(&mut stream)) else { continue };
            recorded.lock().unwrap().push(request);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        }
    });
    (address, requests)
}

#[test]
fn a_server_that_is_trusted_is_told() {
    let (address, requests) = serve();
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("https://{host}:{}{SECRET}", address.port());
        let text = child_with("simulated_success", Some(&url), &[("SSL_CERT_FILE", AUTHORITY)]);
        assert!(text.contains("tries: 1, told: Some(0ns)"), "{text}");
    }
    let requests = requests.lock().unwrap();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].body["node"], "one");
}

#[test]
fn a_server_that_is_not_trusted_is_told_nothing() {
    let (address, requests) = serve();
    let url = format!("https://127.0.0.1:{}{SECRET}", address.port());
    // With the system's own authorities, if this machine has any.
    let text = child("simulated_success", Some(&url));
    assert!(text.contains("told: None"), "{text}");
    assert!(text.contains("no secure connection to 127.0.0.1: ") || text.contains("no certificate authority"), "{text}");
    assert!(requests.lock().unwrap().is_empty());
}
