//! Webhooks through a proxy that the environment names.

use crate::server::{Reply, Server};
use crate::{SECRET, child_with, tls};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A proxy that connects every client, or refuses them all. Returns its address and the heads of the requests.
fn tunnels(refuse: bool) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let recorded = Arc::clone(&heads);
    std::thread::spawn(move || {
        for mut asking in listener.incoming().flatten() {
            let mut reader = BufReader::new(asking.try_clone().unwrap());
            let mut asked = String::new();
            while !asked.ends_with("\r\n\r\n") && reader.read_line(&mut asked).is_ok_and(|length| length > 0) {}
            let target = asked.split(' ').nth(1).unwrap_or_default().to_owned();
            recorded.lock().unwrap().push(asked);
            if refuse {
                let _ = asking.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
                continue;
            }
            let mut server = TcpStream::connect(target).unwrap();
            asking.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
            let (mut back, mut forth) = (server.try_clone().unwrap(), asking.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut reader, &mut server));
            std::thread::spawn(move || std::io::copy(&mut back, &mut forth));
        }
    });
    (address, heads)
}

#[test]
fn https_goes_through_a_tunnel() {
    let ((server, requests), (proxy, heads)) = (tls::serve(), tunnels(false));
    let url = format!("https://127.0.0.1:{}{SECRET}", server.port());
    let environment = [("SSL_CERT_FILE", tls::AUTHORITY), ("HTTPS_PROXY", &format!("http://ann:pass@{proxy}"))];
    let text = child_with("simulated_success", Some(&url), &environment);
    assert!(text.contains("tries: 1, told: Some(0ns)"), "{text}");
    assert_eq!(requests.lock().unwrap().len(), 1);
    let asked = heads.lock().unwrap()[0].clone();
    assert!(asked.starts_with(&format!("CONNECT {server} HTTP/1.1\r\n")), "{asked}");
    assert!(asked.contains("proxy-authorization: Basic YW5uOnBhc3M="), "{asked}");
    assert!(!asked.contains("SECRET"), "the proxy saw the URL: {asked}");
}

#[test]
fn a_proxy_that_refuses_is_named() {
    let ((server, requests), (proxy, _)) = (tls::serve(), tunnels(true));
    let url = format!("https://127.0.0.1:{}{SECRET}", server.port());
    let text = child_with("simulated_success", Some(&url), &[("HTTPS_PROXY", &format!("http://{proxy}"))]);
    assert!(text.contains("the proxy refused to connect to 127.0.0.1: 407 Proxy Authentication Required"), "{text}");
    assert!(requests.lock().unwrap().is_empty());
}

#[test]
fn http_goes_to_the_proxy_whole() {
    let proxy = Server::start([Reply::Ok]);
    let url = format!("http://hooks.example{SECRET}");
    child_with("simulated_success", Some(&url), &[("HTTP_PROXY", &format!("http://{}", proxy.address))]);
    let asked = proxy.requests()[0].head.clone();
    assert!(asked.starts_with(&format!("POST http://hooks.example{SECRET} HTTP/1.1\r\n")), "{asked}");
    assert!(asked.to_ascii_lowercase().contains("host: hooks.example\r\n"), "{asked}");
}

#[test]
fn what_is_excepted_goes_straight() {
    let (server, proxy) = (Server::start([Reply::Ok]), Server::start([]));
    let url = format!("http://{}{SECRET}", server.address);
    let environment = [("HTTP_PROXY", &*format!("http://{}", proxy.address)), ("NO_PROXY", "127.0.0.1")];
    child_with("simulated_success", Some(&url), &environment);
    assert_eq!((server.requests().len(), proxy.requests().len()), (1, 0));
}
