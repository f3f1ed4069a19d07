//! What is still on its way: events in outboxes, messages in queues, dead letters. While there are any, nothing is over.

use crate::arguments::Access;
use crate::history::Violation;
use crate::target;
use anyhow::Context;
use serde_json::Value;
use shop_books::read::Sources;
use shop_contract::event::{DELAYS, QUEUES, VHOST};

pub async fn under_way(access: &Access, sources: &Sources) -> anyhow::Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for outbox in sources.outboxes().await {
        if outbox.waiting > 0 {
            let detail = format!(
                "{} events wait, the oldest for {} s",
                outbox.waiting, outbox.oldest_seconds
            );
            violations.push(violation("unfinished", &outbox.object, detail));
        }
    }
    if let Some(rabbitmq) = &access.rabbitmq {
        violations.extend(queues(access, rabbitmq).await?);
    }
    Ok(violations)
}

fn violation(what: &'static str, object: &str, detail: String) -> Violation {
    Violation {
        what,
        object: object.to_owned(),
        detail,
    }
}

async fn queues(access: &Access, rabbitmq: &str) -> anyhow::Result<Vec<Violation>> {
    let url = format!("{}/api/queues/{VHOST}", target::url(rabbitmq)?);
    let client = reqwest::Client::builder().no_proxy().build()?;
    let password = access.rabbitmq_password.as_deref();
    let answer = client.get(url).basic_auth(&access.rabbitmq_user, password).send().await;
    let answer = answer
        .and_then(reqwest::Response::error_for_status)
        .context("RabbitMQ's queues")?;
    let queues: Vec<Value> = answer.json().await.context("RabbitMQ's queues")?;
    let messages = |name: &str| {
        let queue = queues.iter().find(|queue| queue["name"] == name);
        queue.and_then(|queue| queue["messages"].as_i64()).unwrap_or(0)
    };
    let mut violations = Vec::new();
    let delays = DELAYS.iter().map(|delay| delay.name);
    for name in QUEUES.iter().map(|queue| queue.name).chain(delays) {
        if messages(name) > 0 {
            violations.push(violation(
                "unfinished",
                name,
                format!("{} messages wait", messages(name)),
            ));
        }
    }
    for queue in QUEUES {
        if messages(queue.dead_letters) > 0 {
            let detail = format!("{} dead letters", messages(queue.dead_letters));
            violations.push(violation("unfinished", queue.dead_letters, detail));
        }
    }
    Ok(violations)
}
