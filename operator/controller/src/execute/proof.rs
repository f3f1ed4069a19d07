//! The proof that the shop serves: in every shard of `orders` a synthetic customer logs in through the gateway, places an
//! order, pays with a test token and sees it confirmed, which takes payment, inventory and order workers. Goes the way a
//! customer's request goes and asks no datastore itself. A failure names the tier.

use super::customer::{Customer, customer_of};
use super::standstill::standstill;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use shop_contract::api::payment::{Payment, PaymentStatus};
use shop_contract::api::{
    LogIn, ORDERS, Order, OrderLine, OrderStatus, PAYMENTS, Page, PlaceOrder, RegisterUser, SESSIONS, Session, USERS,
};
use shop_contract::probe::{SYNTHETIC_HEADER, SYNTHETIC_PRODUCT};
use shop_contract::problem::Problem;
use shop_contract::shard_map::ShardMap;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// One request.
const REQUEST: Duration = Duration::from_secs(5);
/// From placing an order to its being paid and confirmed.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(20);
/// What the test provider always authorises and captures at once.
const TEST_TOKEN: &str = "tok_ok";
const LOOK_EVERY: Duration = Duration::from_millis(100);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub tier: String,
    pub message: String,
}

/// Who proves what through which gateway.
pub struct Proof<'a> {
    pub http: &'a Client,
    pub gateway: &'a str,
    pub key: &'a str,
}

impl Proof<'_> {
    /// All shards, one after the other; the first failure ends it.
    pub async fn prove(&self, map: &ShardMap, shards: &[u16]) -> Result<String, Failure> {
        let mut last = String::new();
        for shard in shards {
            let no_bucket = || Failure {
                tier: format!("postgres/orders/{shard}"),
                message: "the shard map gives it no bucket".to_owned(),
            };
            let customer = customer_of(map, *shard, self.key).ok_or_else(no_bucket)?;
            last = self.prove_shard(*shard, &customer).await?;
        }
        Ok(last)
    }

    async fn prove_shard(&self, shard: u16, customer: &Customer) -> Result<String, Failure> {
        let token = match self.log_in(customer).await? {
            Some(token) => token,
            None => {
                self.register(customer).await?;
                self.log_in(customer).await?.ok_or_else(|| Failure {
                    tier: "service/user".to_owned(),
                    message: format!("{} cannot log in after registering", customer.email),
                })?
            }
        };
        let started = Instant::now();
        let order = self.place(&token).await?;
        if order.shard != shard {
            let message = format!("order {} lies in shard {}, expected {shard}", order.id, order.shard);
            return Err(Failure {
                tier: format!("postgres/orders/{shard}"),
                message,
            });
        }
        let placed = started.elapsed();
        self.confirmed(&token, order.id).await?;
        let (placed, confirmed) = (placed.as_millis(), started.elapsed().as_millis());
        Ok(format!(
            "order {} in shard {shard}: placed in {placed} ms, confirmed after {confirmed} ms",
            order.id
        ))
    }

    /// `None` when the customer is not known.
    async fn log_in(&self, customer: &Customer) -> Result<Option<String>, Failure> {
        let body = LogIn {
            email: customer.email.clone(),
            password: customer.password.clone(),
        };
        let answer = self
            .send("service/user", self.http.post(self.url(SESSIONS)).json(&body))
            .await?;
        match answer.status() {
            StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND => Ok(None),
            _ => Ok(Some(read::<Session>("service/user", answer).await?.access_token)),
        }
    }

    async fn register(&self, customer: &Customer) -> Result<(), Failure> {
        let body = RegisterUser {
            email: customer.email.clone(),
            password: customer.password.clone(),
            name: "Synthetic customer".to_owned(),
            id: Some(customer.id),
        };
        let answer = self
            .send("service/user", self.http.post(self.url(USERS)).json(&body))
            .await?;
        if answer.status().is_success() || answer.status() == StatusCode::CONFLICT {
            return Ok(());
        }
        Err(failure("service/user", answer).await)
    }

    async fn place(&self, token: &str) -> Result<Order, Failure> {
        let body = PlaceOrder {
            lines: Some(vec![OrderLine {
                product_id: SYNTHETIC_PRODUCT,
                quantity: 1,
            }]),
            payment_token: TEST_TOKEN.to_owned(),
            ship_to: None,
        };
        let request = self.http.post(self.url(ORDERS)).bearer_auth(token).json(&body);
        let request = request.header("idempotency-key", Uuid::new_v4().to_string());
        read("service/order", self.send("service/order", request).await?).await
    }

    async fn confirmed(&self, token: &str, id: Uuid) -> Result<(), Failure> {
        let deadline = Instant::now() + CONFIRMED_WITHIN;
        loop {
            let request = self.http.get(self.url(&format!("{ORDERS}/{id}"))).bearer_auth(token);
            let order: Order = read("service/order", self.send("service/order", request).await?).await?;
            match order.status {
                OrderStatus::Placed => {}
                OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered => return Ok(()),
                // Waiting does not help any more.
                OrderStatus::Cancelled => return Err(standstill(&order, None, CONFIRMED_WITHIN)),
            }
            if Instant::now() >= deadline {
                let payment = self.payment_of(token, id).await?;
                return Err(standstill(&order, payment, CONFIRMED_WITHIN));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The state of an order's payment; `None` when there is none yet.
    async fn payment_of(&self, token: &str, order: Uuid) -> Result<Option<PaymentStatus>, Failure> {
        let request = self.http.get(self.url(PAYMENTS)).query(&[("order_id", order)]);
        let answer = self.send("service/payment", request.bearer_auth(token)).await?;
        let page: Page<Payment> = read("service/payment", answer).await?;
        Ok(page.items.into_iter().next().map(|payment| payment.status))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.gateway)
    }

    /// No answer at all is the gateway's fault; a 5xx names its tier itself.
    async fn send(&self, tier: &str, request: RequestBuilder) -> Result<reqwest::Response, Failure> {
        let answer = request.header(SYNTHETIC_HEADER, self.key).timeout(REQUEST).send().await;
        let answer = answer.map_err(|error| Failure {
            tier: "gateway".to_owned(),
            message: format!("no answer from {}: {}", self.gateway, root_of(&error)),
        })?;
        if answer.status().is_server_error() {
            return Err(failure(tier, answer).await);
        }
        Ok(answer)
    }
}

async fn read<T: DeserializeOwned>(tier: &str, answer: reqwest::Response) -> Result<T, Failure> {
    if !answer.status().is_success() {
        return Err(failure(tier, answer).await);
    }
    let unreadable = |error: reqwest::Error| Failure {
        tier: tier.to_owned(),
        message: format!("an answer that cannot be read: {}", root_of(&error)),
    };
    answer.json().await.map_err(unreadable)
}

async fn failure(tier: &str, answer: reqwest::Response) -> Failure {
    let status = answer.status();
    let body = answer.text().await.unwrap_or_default();
    blame(tier, status, &body)
}

/// Whose fault an error answer is. Pure.
fn blame(tier: &str, status: StatusCode, body: &str) -> Failure {
    let problem: Option<Problem> = serde_json::from_str(body).ok();
    let Some(problem) = problem else {
        // Envoy answers in plain text when it has no healthy backend.
        let text: String = body.chars().take(120).collect();
        return Failure {
            tier: tier.to_owned(),
            message: format!("{status}: {text}"),
        };
    };
    let detail = problem.detail.unwrap_or(problem.title);
    Failure {
        tier: problem.tier.unwrap_or_else(|| tier.to_owned()),
        message: format!("{status}: {detail}"),
    }
}

/// The last cause says most: "connection refused", "operation timed out".
fn root_of(error: &dyn std::error::Error) -> String {
    let mut root = error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    root.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_its_tier() {
        let body = r#"{"type":"about:blank","title":"Unavailable","status":503,"tier":"postgres/orders/1","detail":"no primary"}"#;
        let failure = blame("service/order", StatusCode::SERVICE_UNAVAILABLE, body);
        assert_eq!(failure.tier, "postgres/orders/1");
        assert_eq!(failure.message, "503 Service Unavailable: no primary");
    }

    #[test]
    fn plain_text_of_the_gateway_blames_the_service_asked() {
        let failure = blame("service/user", StatusCode::SERVICE_UNAVAILABLE, "no healthy upstream");
        assert_eq!(failure.tier, "service/user");
        assert!(failure.message.contains("no healthy upstream"), "{failure:?}");
    }
}
