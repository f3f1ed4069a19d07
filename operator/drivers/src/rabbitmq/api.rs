//! The HTTP calls to the management interface. Names go into the address as encoded segments, never as text.

use super::{Admin, RabbitError};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(3);
const ANSWER: Duration = Duration::from_secs(8);
/// Of an answer that is not a success, what is kept for the message.
const BODY: usize = 200;

/// A write as data.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Request {
    pub method: Method,
    pub path: Vec<String>,
    pub body: Value,
}

pub(super) struct Api<'a> {
    admin: &'a Admin,
    client: Client,
    base: Url,
}

impl<'a> Api<'a> {
    pub fn new(admin: &'a Admin) -> Result<Self, RabbitError> {
        let Admin { host, port, .. } = admin;
        let unusable = |cause: String| RabbitError::Unreachable {
            host: host.clone(),
            action: "preparing the calls".to_owned(),
            cause,
        };
        let name = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.clone()
        };
        let base = Url::parse(&format!("http://{name}:{port}/api")).map_err(|error| unusable(error.to_string()))?;
        let client = Client::builder()
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .build();
        Ok(Self {
            admin,
            client: client.map_err(|error| unusable(error.to_string()))?,
            base,
        })
    }

    /// None when there is no such thing.
    pub async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Option<T>, RabbitError> {
        let action = format!("reading {}", path.join("/"));
        let response = self.call(self.request(Method::GET, path), &action).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let response = self.success(response, &action).await?;
        let text = response.text().await.map_err(|error| self.failed(&action, &error))?;
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| RabbitError::Unreadable {
                host: self.admin.host.clone(),
                action,
                cause: error.to_string(),
            })
    }

    pub async fn send(&self, Request { method, path, body }: &Request, action: &str) -> Result<(), RabbitError> {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let response = self
            .call(self.request(method.clone(), &path).json(body), action)
            .await?;
        self.success(response, action).await.map(|_| ())
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path);
        }
        self.client
            .request(method, url)
            .basic_auth(&self.admin.user, Some(&self.admin.password))
    }

    async fn call(&self, request: RequestBuilder, action: &str) -> Result<Response, RabbitError> {
        let response = request.send().await.map_err(|error| self.failed(action, &error))?;
        match response.status() {
            StatusCode::UNAUTHORIZED => Err(RabbitError::LoginRefused {
                host: self.admin.host.clone(),
                user: self.admin.user.clone(),
            }),
            _ => Ok(response),
        }
    }

    async fn success(&self, response: Response, action: &str) -> Result<Response, RabbitError> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response
            .text()
            .await
            .unwrap_or_default()
            .trim()
            .chars()
            .take(BODY)
            .collect();
        let (host, action) = (self.admin.host.clone(), action.to_owned());
        Err(RabbitError::Refused {
            host,
            action,
            status: status.as_u16(),
            body,
        })
    }

    fn failed(&self, action: &str, error: &reqwest::Error) -> RabbitError {
        let (host, action) = (self.admin.host.clone(), action.to_owned());
        if error.is_timeout() && !error.is_connect() {
            return RabbitError::Deadline {
                host,
                action,
                seconds: ANSWER.as_secs(),
            };
        }
        // The innermost cause: the outer ones only repeat the address.
        let mut innermost: &dyn std::error::Error = error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        RabbitError::Unreachable {
            host,
            action,
            cause: innermost.to_string(),
        }
    }
}
