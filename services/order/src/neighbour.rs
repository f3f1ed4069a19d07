//! Calls another service of the shop. In: a path and a body. Out: its answer, or an error that names its tier. One more
//! attempt when the connection broke, as it does when a pod is replaced; never after the deadline, which is for all.

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde::Serialize;
use shop_contract::problem::Problem;
use shop_kit_http::{ApiError, RequestId};
use std::time::Duration;

#[derive(Clone)]
pub struct Neighbour {
    client: Client,
    base: String,
    /// `service/product`.
    tier: &'static str,
    patience: Duration,
}

pub struct Answer {
    pub status: StatusCode,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn problem(&self) -> Option<Problem> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl Neighbour {
    /// `patience` is for one call, connecting and trying again included.
    pub fn new(client: Client, tier: &'static str, base: &str, patience: Duration) -> Self {
        Self {
            client,
            base: base.to_owned(),
            tier,
            patience,
        }
    }

    pub async fn get(&self, path: &str, request: &RequestId) -> Result<Answer, ApiError> {
        self.call(|| self.to(Method::GET, path, request)).await
    }

    pub async fn delete(&self, path: &str, request: &RequestId) -> Result<Answer, ApiError> {
        self.call(|| self.to(Method::DELETE, path, request)).await
    }

    pub async fn post(&self, path: &str, body: &impl Serialize, request: &RequestId) -> Result<Answer, ApiError> {
        self.call(|| self.to(Method::POST, path, request).json(body)).await
    }

    /// It answered, but not what was asked for: the tier it blames, or itself.
    pub fn refused(&self, answer: &Answer) -> ApiError {
        let blamed = answer.problem().and_then(|problem| problem.tier);
        let status = answer.status.as_u16();
        ApiError::unavailable(
            blamed.unwrap_or_else(|| self.tier.to_owned()),
            format!("{} answered {status}", self.tier),
        )
    }

    /// It answered something this program cannot read.
    pub fn nonsense(&self, error: &serde_json::Error) -> ApiError {
        tracing::warn!(tier = self.tier, "unreadable answer: {error}");
        ApiError::unavailable(self.tier, format!("{} cannot be understood", self.tier))
    }

    fn to(&self, method: Method, path: &str, request: &RequestId) -> RequestBuilder {
        let url = format!("{}{path}", self.base);
        self.client.request(method, url).header("x-request-id", &request.0)
    }

    async fn call(&self, build: impl Fn() -> RequestBuilder) -> Result<Answer, ApiError> {
        let attempts = async {
            match once(build()).await {
                Err(error) => {
                    tracing::debug!(tier = self.tier, "once more: {error}");
                    once(build()).await
                }
                answer => answer,
            }
        };
        let detail = match tokio::time::timeout(self.patience, attempts).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => {
                tracing::warn!(tier = self.tier, "{error}");
                "does not answer"
            }
            Err(_late) => "does not answer in time",
        };
        Err(ApiError::unavailable(self.tier, format!("{} {detail}", self.tier)))
    }
}

async fn once(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let status = response.status();
    let body = response.bytes().await?.to_vec();
    Ok(Answer { status, body })
}
