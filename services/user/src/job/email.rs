//! Events → kept mails: the note in the inbox and the mails of a batch are one transaction per shard; sending follows
//! afterwards and is somebody else's job.

use crate::TABLES;
use crate::mail::{Facts, MailMetrics};
use crate::store::mail::{NewMail, add};
use shop_contract::event::{EMAIL_WORK, OrderEvent, PAYMENT_REFUNDED, PaymentEvent, USER_REGISTERED, UserRegistered};
use shop_kit_events::{HandleError, Handler, Message, first_times};
use shop_kit_postgres::ShardedPool;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Notify;
use uuid::Uuid;

pub struct Email {
    pub shards: ShardedPool,
    pub metrics: MailMetrics,
    /// Whether there is a mail server.
    pub to_be_sent: bool,
    /// Wakes the sender.
    pub wake: Arc<Notify>,
}

impl Handler for Email {
    async fn handle(&self, batch: &[Message]) -> Result<(), HandleError> {
        let mut by_shard: BTreeMap<u16, Vec<(Uuid, NewMail)>> = BTreeMap::new();
        for message in batch {
            if let Some(mail) = mail_of(message)? {
                let shard = self.shards.of_user(mail.user_id)?.index;
                by_shard.entry(shard).or_default().push((message.id, mail));
            }
        }
        for (shard, mails) in by_shard {
            self.keep(shard, mails).await?;
        }
        Ok(())
    }
}

impl Email {
    async fn keep(&self, shard: u16, mails: Vec<(Uuid, NewMail)>) -> Result<(), HandleError> {
        let Some(shard) = self.shards.get(shard) else {
            return Err(HandleError::Unavailable(format!("shard {shard} left the map")));
        };
        let store = |error: sqlx::Error| shard.pool.error(&error);
        let ids: Vec<Uuid> = mails.iter().map(|(id, _)| *id).collect();
        let mut transaction = shard.pool.begin().await?;
        let first = first_times(&mut transaction, &TABLES, EMAIL_WORK.name, &ids)
            .await
            .map_err(store)?;
        let mails = mails.into_iter().filter(|(id, _)| first.contains(id));
        let mails: Vec<NewMail> = mails.map(|(_, mail)| mail).collect();
        let kept = add(&mut transaction, &mails, self.to_be_sent).await.map_err(store)?;
        shard.pool.commit(transaction).await?;
        match self.to_be_sent {
            true if kept > 0 => self.wake.notify_one(),
            true => {}
            false => self.metrics.unsent(kept),
        }
        Ok(())
    }
}

/// `None` for test orders and test customers.
fn mail_of(message: &Message) -> Result<Option<NewMail>, HandleError> {
    let (object_id, user_id, facts, synthetic) = match message.kind.as_str() {
        USER_REGISTERED => {
            let event: UserRegistered = message.read()?;
            (event.user_id, event.user_id, Facts::default(), event.synthetic)
        }
        PAYMENT_REFUNDED => {
            let event: PaymentEvent = message.read()?;
            let facts = Facts {
                order_id: Some(event.order_id),
                amount_cents: event.amount_cents,
                currency: event.currency,
                ..Facts::default()
            };
            // An order may be given back in parts, and each is told once: the event stands for its part.
            (event.event_id, event.user_id, facts, event.synthetic)
        }
        kind if EMAIL_WORK.routing_keys.contains(&kind) => {
            let event: OrderEvent = message.read()?;
            let facts = Facts {
                order_id: Some(event.order_id),
                amount_cents: event.total_cents,
                currency: event.currency,
                lines: event.lines,
                cancel_reason: event.cancel_reason,
            };
            (event.order_id, event.user_id, facts, event.synthetic)
        }
        kind => return Err(HandleError::Poison(format!("nobody is mailed about {kind}"))),
    };
    Ok((!synthetic).then(|| NewMail {
        object_id,
        kind: message.kind.clone(),
        user_id,
        facts,
    }))
}
