//! The HTTP calls to Patroni. Asks all members at once and takes the first good answer, so that a dead one costs nothing.

use super::{Address, PostgresError};
use futures::future::{FutureExt, select_ok};
use serde_json::{Value, json};
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_secs(5);
/// Patroni answers a switchover when it is over.
const SWITCHOVER: Duration = Duration::from_secs(40);
/// Of an answer that is not a success, what is kept for the message.
const BODY: usize = 200;

pub(super) struct Answer {
    pub host: String,
    pub body: Value,
}

pub(super) async fn get(addresses: &[Address], path: &str, action: &'static str) -> Result<Answer, PostgresError> {
    let client = client(ANSWER, action)?;
    if addresses.is_empty() {
        return Err(none(addresses, action, "there are no members".to_owned()));
    }
    let asked = addresses.iter().map(|address| {
        let request = client.get(url(address, path));
        async move {
            let text = send(request, address, action).await?;
            let unreadable = |cause: serde_json::Error| PostgresError::Unreadable {
                host: address.host.clone(),
                action,
                cause: cause.to_string(),
            };
            Ok::<_, PostgresError>(Answer {
                host: address.host.clone(),
                body: serde_json::from_str(&text).map_err(unreadable)?,
            })
        }
        .boxed()
    });
    match select_ok(asked).await {
        Ok((answer, _)) => Ok(answer),
        Err(last) => Err(none(addresses, action, last.to_string())),
    }
}

/// One after the other until a member takes it: a patch is the same whoever writes it.
pub(super) async fn patch_config(addresses: &[Address], patch: &Value) -> Result<(), PostgresError> {
    let action = "changing the configuration";
    let client = client(ANSWER, action)?;
    let mut last = String::from("there are no members");
    for address in addresses {
        match send(client.patch(url(address, "/config")).json(patch), address, action).await {
            Ok(_) => return Ok(()),
            Err(refused @ PostgresError::Patroni { status: 400..=499, .. }) => return Err(refused),
            Err(error) => last = error.to_string(),
        }
    }
    Err(none(addresses, action, last))
}

/// Asked of the leader, or of the next that can be reached.
pub(super) async fn post_switchover(addresses: &[Address], from: &str, to: &str) -> Result<(), PostgresError> {
    let action = "handing the primary over";
    let client = client(SWITCHOVER, action)?;
    let (leader, others): (Vec<_>, Vec<_>) = addresses.iter().partition(|address| address.name == from);
    let mut last = String::from("there are no members");
    for address in leader.into_iter().chain(others) {
        let request = client
            .post(url(address, "/switchover"))
            .json(&json!({"leader": from, "candidate": to}));
        match send(request, address, action).await {
            Ok(_) => return Ok(()),
            Err(PostgresError::Unreachable { cause, .. }) => last = cause,
            Err(other) => return Err(other),
        }
    }
    Err(none(addresses, action, last))
}

async fn send(
    request: reqwest::RequestBuilder,
    address: &Address,
    action: &'static str,
) -> Result<String, PostgresError> {
    let host = address.host.clone();
    let failed = |error: reqwest::Error| {
        if error.is_timeout() && !error.is_connect() {
            PostgresError::Deadline {
                host: host.clone(),
                action,
                seconds: ANSWER.as_secs(),
            }
        } else {
            PostgresError::Unreachable {
                host: host.clone(),
                action,
                cause: cause(&error),
            }
        }
    };
    let response = request.send().await.map_err(failed)?;
    let status = response.status();
    let text = response.text().await.map_err(failed)?;
    if status.is_success() {
        return Ok(text);
    }
    let body = text.trim().chars().take(BODY).collect();
    Err(PostgresError::Patroni {
        host,
        action,
        status: status.as_u16(),
        body,
    })
}

fn client(answer: Duration, action: &'static str) -> Result<reqwest::Client, PostgresError> {
    reqwest::Client::builder()
        .no_proxy()
        .connect_timeout(CONNECT)
        .timeout(answer)
        .build()
        .map_err(|error| PostgresError::Unreachable {
            host: "the HTTP client".to_owned(),
            action,
            cause: error.to_string(),
        })
}

fn url(address: &Address, path: &str) -> String {
    let Address { name: _, host, port } = address;
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.clone()
    };
    format!("http://{host}:{port}{path}")
}

/// The innermost cause: the outer ones only repeat the address.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

fn none(addresses: &[Address], action: &'static str, cause: String) -> PostgresError {
    let hosts = addresses
        .iter()
        .map(|address| address.name.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    PostgresError::NoPatroni { hosts, action, cause }
}
