//! Somebody's own HTTP server that is told of events; the test decides what it answers.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;

#[derive(Clone, Debug)]
pub struct Call {
    pub id: String,
    pub timestamp: String,
    pub signature: String,
    pub body: Vec<u8>,
}

#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    pub calls: Arc<Mutex<Vec<Call>>>,
    /// Calls answered with 500 before it gets well.
    failures: Arc<Mutex<usize>>,
    at_once: Arc<Mutex<AtOnce>>,
}

/// Calls that are under way, and the most there ever were.
#[derive(Clone, Copy, Debug, Default)]
struct AtOnce {
    now: usize,
    most: usize,
}

impl Receiver {
    pub async fn start(failures: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let this = Self {
            url: format!("http://{}/hook", listener.local_addr().unwrap()),
            calls: Arc::default(),
            failures: Arc::new(Mutex::new(failures)),
            at_once: Arc::default(),
        };
        let routes = Router::new().route("/hook", post(take)).route("/tarpit", post(stuck));
        let router = routes.with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        this
    }

    /// Where calls are taken and never answered.
    pub fn tarpit(&self) -> String {
        self.url.replace("/hook", "/tarpit")
    }

    /// The most calls there ever were at a time.
    pub fn most_at_once(&self) -> usize {
        self.at_once.lock().unwrap().most
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

impl Call {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Calculated here from the specification, not by the code under test.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{}.{}.", self.id, self.timestamp).as_bytes());
        mac.update(&self.body);
        self.signature == format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// Counted until the caller hangs up.
struct UnderWay(Receiver);

impl UnderWay {
    fn of(receiver: Receiver) -> Self {
        let mut at_once = receiver.at_once.lock().unwrap();
        at_once.now += 1;
        at_once.most = at_once.most.max(at_once.now);
        drop(at_once);
        Self(receiver)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.at_once.lock().unwrap().now -= 1;
    }
}

async fn stuck(State(receiver): State<Receiver>) {
    let _under_way = UnderWay::of(receiver);
    std::future::pending().await
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let _under_way = UnderWay::of(receiver.clone());
    tokio::time::sleep(Duration::from_millis(2)).await;
    let header = |name| headers.get(name).unwrap().to_str().unwrap().to_owned();
    receiver.calls.lock().unwrap().push(Call {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        body: body.to_vec(),
    });
    let mut failures = receiver.failures.lock().unwrap();
    if *failures > 0 {
        *failures -= 1;
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    StatusCode::NO_CONTENT
}
