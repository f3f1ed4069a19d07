//! One checkout, from intent to a certain end: tried again under the same key until the shop says what became of it.

use crate::client::{Answer, Client};
use crate::latency::Latencies;
use crate::order_log::{Line, OrderLog};
use anyhow::{Context, bail};
use reqwest::Method;
use shop_contract::api::{ORDERS, Order, OrderLine, PlaceOrder};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

const ATTEMPTS: u32 = 20;
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(3));

/// Which token pays, by percent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens(Vec<(String, u32)>);

#[derive(Debug)]
pub enum End {
    Placed(Box<Order>),
    Refused(u16, String),
    Unknown,
}

/// Where a checkout is sent and noted.
pub struct Till<'a> {
    pub client: &'a Client,
    pub log: &'a OrderLog,
    pub latencies: &'a Latencies,
}

impl Tokens {
    const KNOWN: [&'static str; 5] = ["declined", "slow", "timeout", "flaky", "twice"];

    /// From `declined=5,timeout=30`; what is left is `tok_ok`.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let mut tokens = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, percent) = part
                .split_once('=')
                .with_context(|| format!("`{part}`: say declined=5"))?;
            if !Self::KNOWN.contains(&name) {
                bail!("`{name}` is no outcome: known are {}", Self::KNOWN.join(", "));
            }
            let percent: u32 = percent
                .parse()
                .with_context(|| format!("`{part}`: percent must be a number"))?;
            tokens.push((format!("tok_{name}"), percent));
        }
        let sum: u32 = tokens.iter().map(|(_, percent)| *percent).sum();
        anyhow::ensure!(sum <= 100, "--payment adds up to {sum} percent");
        Ok(Self(tokens))
    }

    pub fn choose(&self, percent: u32) -> &str {
        let mut left = percent % 100;
        for (token, share) in &self.0 {
            if left < *share {
                return token;
            }
            left -= share;
        }
        "tok_ok"
    }
}

/// `since` is when the customer wanted it; `lines` of none are the customer's cart.
pub async fn checkout(
    till: &Till<'_>,
    user: Uuid,
    bearer: &str,
    lines: Option<Vec<OrderLine>>,
    token: &str,
    since: Instant,
) -> anyhow::Result<End> {
    let (key, mut since) = (Uuid::now_v7(), since);
    till.log
        .write(Line::Intent {
            key,
            user,
            token: token.to_owned(),
        })
        .await?;
    let body = PlaceOrder {
        lines,
        payment_token: token.to_owned(),
        ship_to: None,
    };
    let mut pause = PAUSE.0;
    for attempt in 0..ATTEMPTS {
        let answer = till
            .client
            .send(Method::POST, ORDERS, Some(bearer), Some(key), Some(&body))
            .await;
        let step = if attempt == 0 { "checkout" } else { "checkout again" };
        till.latencies.note(step, since.elapsed(), &word(&answer));
        if let Some(end) = end(till.log, key, user, answer).await? {
            return Ok(end);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE.1);
        since = Instant::now();
    }
    till.log.write(Line::Unknown { key, user }).await?;
    Ok(End::Unknown)
}

fn word(answer: &Answer) -> String {
    match answer.problem() {
        "" => answer.word(),
        problem => format!("{} {problem}", answer.word()),
    }
}

/// None while it is open.
async fn end(log: &OrderLog, key: Uuid, user: Uuid, answer: Answer) -> anyhow::Result<Option<End>> {
    if answer.open() {
        return Ok(None);
    }
    if answer.ok() {
        let order: Box<Order> = serde_json::from_value(answer.body).context("an order")?;
        log.write(Line::Acknowledged {
            key,
            user,
            order: order.clone(),
        })
        .await?;
        return Ok(Some(End::Placed(order)));
    }
    let (status, kind) = (answer.status.unwrap_or_default(), answer.problem().to_owned());
    log.write(Line::Refused {
        key,
        user,
        status,
        kind: kind.clone(),
    })
    .await?;
    Ok(Some(End::Refused(status, kind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_their_shares() {
        let tokens = Tokens::parse("declined=5, timeout=30").unwrap();
        let count = |name: &str| (0..100).filter(|percent| tokens.choose(*percent) == name).count();
        assert_eq!(
            (count("tok_declined"), count("tok_timeout"), count("tok_ok")),
            (5, 30, 65)
        );
        for bad in ["stolen=5", "declined", "declined=x", "declined=60,slow=50"] {
            assert!(Tokens::parse(bad).is_err(), "{bad}");
        }
    }
}
