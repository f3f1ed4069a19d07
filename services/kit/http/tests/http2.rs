//! The gateway speaks HTTP/2 without TLS and without asking first (RFC 9113, 3.3).
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

use axum::Router;
use shop_kit_http::{Drain, Health, serve};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Length 0, type SETTINGS, no flags, stream 0.
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

#[tokio::test]
async fn a_client_that_begins_with_the_preface_is_answered_in_http_2() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (health, stop) = (Health::default(), CancellationToken::new());
    tokio::spawn(serve(listener, Router::new(), health, stop, Drain::default()));

    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&[PREFACE, &SETTINGS].concat()).await.unwrap();
    let mut first = [0; 9];
    let read = tokio::time::timeout(Duration::from_secs(60), stream.read_exact(&mut first));
    read.await.unwrap().unwrap();
    assert_eq!((first[3], &first[5..]), (SETTINGS[3], &SETTINGS[5..]), "{first:?}");
}
