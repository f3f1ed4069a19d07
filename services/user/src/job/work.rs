//! `user work`: the relay of every shard, the consumers for mail and notifications, who sends the mails and calls the
//! webhooks, and the sweep of all that, until told to stop.

use crate::TABLES;
use crate::config::WorkConfig;
use crate::job::deliver::Deliverer;
use crate::job::email::Email;
use crate::job::notify::Notify;
use crate::job::webhooks::{WebhookMetrics, Webhooks};
use crate::mail::{MailMetrics, MailSettings, Sender, Smtp};
use crate::store::{mail, notification};
use anyhow::anyhow;
use prometheus::Registry;
use shop_contract::env;
use shop_contract::event::{EMAIL_WORK, NOTIFICATION_WORK};
use shop_kit_events::{Consumer, EventMetrics, relay_all_shards};
use shop_kit_postgres::ShardedPool;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync;
use tokio_util::sync::CancellationToken;

const SWEEP: Duration = Duration::from_secs(600);

pub async fn work(
    shards: ShardedPool,
    config: WorkConfig,
    registry: &Registry,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let events = EventMetrics::new(registry)?;
    let mails = MailMetrics::new(registry)?;
    let smtp = server(&config.mail)?;
    let wake = Arc::new(sync::Notify::new());
    let email = Email {
        shards: shards.clone(),
        metrics: mails.clone(),
        to_be_sent: smtp.is_some(),
        wake: wake.clone(),
    };
    let webhooks = Webhooks {
        shards: shards.clone(),
        deliverer: Deliverer::new(config.webhooks)?,
        metrics: WebhookMetrics::new(registry)?,
        wake: Arc::default(),
    };
    let notify = Notify {
        shards: shards.clone(),
        wake: webhooks.wake.clone(),
    };
    let broker = config.broker;
    let email = Consumer::new(EMAIL_WORK, broker.clone(), email, stop.clone())
        .metrics(events.clone())
        .unhurried();
    let notify = Consumer::new(NOTIFICATION_WORK, broker.clone(), notify, stop.clone())
        .metrics(events.clone())
        .unhurried();
    let sender = async {
        if let Some(smtp) = smtp {
            let (shards, metrics) = (shards.clone(), mails);
            let sender = Sender {
                shards,
                smtp,
                metrics,
                wake,
            };
            sender.run(stop.clone()).await;
        }
    };
    let relay = relay_all_shards(shards.clone(), TABLES, broker, events, stop.clone());
    let webhooks = webhooks.run(stop.clone());
    tokio::join!(
        relay,
        email.run(),
        notify.run(),
        sender,
        webhooks,
        sweep(&shards, &stop)
    );
    Ok(())
}

fn server(settings: &MailSettings) -> anyhow::Result<Option<Smtp>> {
    let Some(server) = &settings.server else {
        tracing::warn!("{} is not set: mails are kept as `unsent`", env::SMTP_HOST);
        return Ok(None);
    };
    Smtp::new(&settings.shop, server)
        .map(Some)
        .map_err(|error| anyhow!(error))
}

async fn sweep(shards: &ShardedPool, stop: &CancellationToken) {
    let mut tick = tokio::time::interval(SWEEP);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        for shard in shards.all() {
            let swept = async {
                mail::sweep(&shard.pool).await?;
                notification::sweep(&shard.pool).await
            };
            if let Err(error) = swept.await {
                tracing::warn!("sweep: {error}");
            }
        }
    }
}
