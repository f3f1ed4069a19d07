//! Publishes claimed rows, those of one kind together, and waits for the confirms. Returned, refused or unconfirmed is
//! not published.

use crate::backlog::Claimed;
use crate::bundle::{Bundle, bundles};
use lapin::options::BasicPublishOptions;
use lapin::{Channel, Confirmation};
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
    let mut waiting = Vec::new();
    for bundle in bundles(rows) {
        match tokio::time::timeout_at(deadline, publish_one(channel, &bundle)).await {
            Ok(Ok(confirm)) => waiting.push((bundle, confirm)),
            Ok(Err(error)) => sent.broken = Some(error.to_string()),
            Err(_) => sent.broken = Some("could not publish in time".to_owned()),
        }
        if sent.broken.is_some() {
            break;
        }
    }
    for (bundle, confirm) in waiting {
        match tokio::time::timeout_at(deadline, confirm).await {
            Ok(Ok(Confirmation::Ack(None))) => sent.confirmed.extend(bundle.ids()),
            Ok(Ok(Confirmation::Ack(Some(_)))) => {
                tracing::error!(kind = bundle.kind(), "returned: no queue is bound for this event");
                sent.refused.extend(bundle.ids());
            }
            Ok(Ok(Confirmation::Nack(_) | Confirmation::NotRequested)) => sent.refused.extend(bundle.ids()),
            Ok(Err(error)) => sent.broken = Some(error.to_string()),
            Err(_) => sent.broken = Some(format!("no confirm within {} s", patience.as_secs())),
        }
    }
    sent
}

async fn publish_one(channel: &Channel, bundle: &Bundle<'_>) -> lapin::Result<lapin::PublisherConfirm> {
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let (properties, payload) = bundle.message();
    channel
        .basic_publish(EXCHANGE.into(), bundle.kind().into(), options, &payload, properties)
        .await
}
