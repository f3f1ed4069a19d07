//! The test provider's own webhooks. They are signed and go through the same door as those that come over HTTP; what
//! was not taken is delivered again, and one that was taken is delivered as often as its token asks for.

use crate::provider::ledger::{self, Untold};
use crate::{signature, webhook};
use shop_contract::api::payment::{PaymentWebhook, WebhookOutcome};
use shop_kit_config::Secret;
use shop_kit_postgres::{Pool, StoreError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_millis(500);
const BATCH: i64 = 64;

pub async fn deliver(pool: Pool, secret: Secret, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = deliver_due(&pool, &secret).await {
            tracing::warn!("webhooks not delivered: {error}");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn deliver_due(pool: &Pool, secret: &Secret) -> Result<(), StoreError> {
    for untold in ledger::untold(pool, BATCH).await? {
        let event_id = untold.event_id;
        let Ok(body) = serde_json::to_vec(&webhook_of(untold)) else {
            continue;
        };
        let now = webhook::now();
        let signed = signature::sign(secret.expose(), now, &body);
        match webhook::receive(pool, secret, Some(&signed), now, &body).await {
            Ok(()) => ledger::told(pool, event_id).await?,
            Err(error) => tracing::warn!(%event_id, "webhook refused: {}", error.detail),
        }
    }
    Ok(())
}

fn webhook_of(untold: Untold) -> PaymentWebhook {
    PaymentWebhook {
        event_id: untold.event_id,
        key: untold.key,
        outcome: if untold.outcome == "declined" {
            WebhookOutcome::Declined
        } else {
            WebhookOutcome::Done
        },
        reason: untold.reason,
    }
}
