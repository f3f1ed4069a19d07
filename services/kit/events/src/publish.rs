//! Publishes claimed rows and waits for their confirms. Returned, refused or unconfirmed is not published.

use crate::backlog::Claimed;
use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Channel, Confirmation};
use shop_contract::event::EXCHANGE;
use std::time::Duration;
use uuid::Uuid;

/// What became of a batch: `broken` tells of a lost channel; rows in neither list stay as they were.
pub(crate) struct Sent {
    pub confirmed: Vec<Uuid>,
    pub refused: Vec<Uuid>,
    pub broken: Option<String>,
}

/// `patience` is for all confirms together.
pub(crate) async fn publish(channel: &Channel, rows: &[Claimed], patience: Duration) -> Sent {
    let mut sent = Sent {
        confirmed: Vec::new(),
        refused: Vec::new(),
        broken: None,
    };
    let deadline = tokio::time::Instant::now() + patience;
    let mut waiting = Vec::with_capacity(rows.len());
    for row in rows {
        match tokio::time::timeout_at(deadline, publish_one(channel, row)).await {
            Ok(Ok(confirm)) => waiting.push((row.id, confirm)),
            Ok(Err(error)) => sent.broken = Some(error.to_string()),
            Err(_) => sent.broken = Some("could not publish in time".to_owned()),
        }
        if sent.broken.is_some() {
            break;
        }
    }
    for (id, confirm) in waiting {
        match tokio::time::timeout_at(deadline, confirm).await {
            Ok(Ok(Confirmation::Ack(None))) => sent.confirmed.push(id),
            Ok(Ok(Confirmation::Ack(Some(_)))) => {
                tracing::error!(event = %id, "returned: no queue is bound for this event");
                sent.refused.push(id);
            }
            Ok(Ok(Confirmation::Nack(_) | Confirmation::NotRequested)) => sent.refused.push(id),
            Ok(Err(error)) => sent.broken = Some(error.to_string()),
            Err(_) => sent.broken = Some(format!("no confirm within {} s", patience.as_secs())),
        }
    }
    sent
}

async fn publish_one(channel: &Channel, row: &Claimed) -> lapin::Result<lapin::PublisherConfirm> {
    let properties = BasicProperties::default()
        .with_delivery_mode(2)
        .with_content_type("application/json".into())
        .with_message_id(row.id.to_string().into())
        .with_type(row.kind.as_str().into());
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    channel
        .basic_publish(
            EXCHANGE.into(),
            row.kind.as_str().into(),
            options,
            row.payload.as_bytes(),
            properties,
        )
        .await
}
