//! One HTTP client of the shop. In: a request and whose it is. Out: what came back, and whether asking again could help.

use anyhow::Context;
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Cloning shares the connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
}

#[derive(Debug)]
pub struct Answer {
    /// None when nothing came back.
    pub status: Option<u16>,
    pub body: Value,
}

impl Client {
    pub fn new(base: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(TIMEOUT)
            .no_proxy()
            .build()
            .context("cannot make an HTTP client")?;
        Ok(Self {
            http,
            base: base.to_owned(),
        })
    }

    pub async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.send(Method::GET, path, token, None, None::<&()>).await
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        key: Option<Uuid>,
        body: Option<&impl Serialize>,
    ) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key.to_string());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let Ok(answer) = request.send().await else {
            return Answer::nothing();
        };
        let status = answer.status().as_u16();
        // An answer that broke off in its body is no answer.
        match answer.bytes().await {
            Ok(bytes) => Answer {
                status: Some(status),
                body: serde_json::from_slice(&bytes).unwrap_or_default(),
            },
            Err(_) => Answer::nothing(),
        }
    }
}

impl Answer {
    fn nothing() -> Self {
        Self {
            status: None,
            body: Value::Null,
        }
    }

    /// For histograms: the status, or `lost`.
    pub fn word(&self) -> String {
        self.status
            .map_or_else(|| "lost".to_owned(), |status| status.to_string())
    }

    pub fn ok(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// The last part of the problem's type.
    pub fn problem(&self) -> &str {
        self.body["type"]
            .as_str()
            .unwrap_or_default()
            .rsplit(':')
            .next()
            .unwrap_or_default()
    }

    /// Nothing is certain: the request may have had its effect, or none.
    pub fn open(&self) -> bool {
        match self.status {
            None => true,
            Some(status) if status >= 500 => true,
            Some(status) => {
                let too_many = StatusCode::TOO_MANY_REQUESTS.as_u16();
                status == too_many || (status == 409 && self.problem() == "idempotency-key-in-use")
            }
        }
    }

    /// The body, or what came instead, as an error.
    pub fn expect(self, what: &str) -> anyhow::Result<Value> {
        anyhow::ensure!(self.ok(), "{what}: the shop answered {} {}", self.word(), self.body);
        Ok(self.body)
    }
}
