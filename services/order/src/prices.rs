//! Asks the product service what things cost. In: product ids. Out: their prices, in the same order; an unknown product
//! is the client's mistake, everything else names the tier that failed.

use futures::{StreamExt, TryStreamExt};
use reqwest::StatusCode;
use shop_contract::api::{OrderLine, PRODUCTS, Product};
use shop_contract::problem::Problem;
use shop_kit_http::{ApiError, RequestId};
use std::time::Duration;
use uuid::Uuid;

/// Products asked for at a time.
const AT_A_TIME: usize = 8;
const TIER: &str = "service/product";

#[derive(Clone)]
pub struct Prices {
    client: reqwest::Client,
    base: String,
}

impl Prices {
    /// `patience` is for one product, connecting included.
    pub fn new(base: &str, patience: Duration) -> reqwest::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(patience)
            .connect_timeout(patience)
            .pool_idle_timeout(Duration::from_secs(30))
            .build()?;
        Ok(Self {
            client,
            base: base.to_owned(),
        })
    }

    /// The products of the lines.
    pub async fn of(&self, lines: &[OrderLine], request: &RequestId) -> Result<Vec<Product>, ApiError> {
        let asked: Vec<_> = lines.iter().map(|line| line.product_id).enumerate().collect();
        let asked = asked
            .into_iter()
            .map(|(index, id)| self.clone().one(index, id, request.clone()));
        futures::stream::iter(asked).buffered(AT_A_TIME).try_collect().await
    }

    async fn one(self, index: usize, id: Uuid, request: RequestId) -> Result<Product, ApiError> {
        let url = format!("{}{PRODUCTS}/{id}", self.base);
        let answer = self.ask(&url, &request).await.map_err(|error| lost(&error))?;
        match answer.status() {
            StatusCode::OK => answer.json().await.map_err(|error| lost(&error)),
            StatusCode::NOT_FOUND => {
                let pointer = format!("/lines/{index}/product_id");
                Err(ApiError::invalid_field(pointer, format!("there is no product {id}")))
            }
            status => {
                let problem: Option<Problem> = answer.json().await.ok();
                let tier = problem
                    .and_then(|problem| problem.tier)
                    .unwrap_or_else(|| TIER.to_owned());
                Err(ApiError::unavailable(
                    tier,
                    format!("{TIER} answered {}", status.as_u16()),
                ))
            }
        }
    }

    /// Asks again once when the connection broke, as it does when a pod behind it is replaced; never after a time-out.
    async fn ask(&self, url: &str, request: &RequestId) -> reqwest::Result<reqwest::Response> {
        let send = || self.client.get(url).header("x-request-id", &request.0).send();
        match send().await {
            Err(error) if !error.is_timeout() => send().await,
            answer => answer,
        }
    }
}

fn lost(error: &reqwest::Error) -> ApiError {
    tracing::warn!(tier = TIER, "{error}");
    let detail = if error.is_timeout() {
        "does not answer in time"
    } else {
        "does not answer"
    };
    ApiError::unavailable(TIER, format!("{TIER} {detail}"))
}
