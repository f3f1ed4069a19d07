//! Sends what waits, shard by shard. Woken when a mail was kept by this process, and looks by itself every few seconds
//! for what others kept (also those who have no mail server), what has to be tried again and what a crashed sender has
//! left.

use super::metrics::MailMetrics;
use super::smtp::{Answer, PATIENCE, Smtp};
use crate::store::mail::{Mail, Outcome, claim, settle};
use crate::store::unsent::{Revived, revive};
use futures::{StreamExt, stream};
use shop_kit_postgres::{Pool, ShardedPool, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Mails claimed at a time.
const BATCH: i64 = 32;
/// Mails under way at a time.
const AT_ONCE: usize = 4;
/// Longer than a batch may take: no mail is begun when less than `PATIENCE` of it is left.
const LEASE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_secs(5);
/// After a mail was put off by its own fault: doubled each time, up to an hour.
const RETRY: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(3600));
/// Attempts at a mail the server puts off, about two days; while the server is away none is counted.
const ATTEMPTS: i32 = 50;
/// After the server could not be reached.
const NO_SERVER: Duration = Duration::from_secs(10);

pub struct Sender {
    pub shards: ShardedPool,
    pub smtp: Smtp,
    pub metrics: MailMetrics,
    pub wake: Arc<Notify>,
}

impl Sender {
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let shards = self.shards.all();
            let rounds = shards.iter().map(|shard| self.drain(&shard.pool, &stop));
            for error in futures::future::join_all(rounds)
                .await
                .into_iter()
                .filter_map(Result::err)
            {
                tracing::warn!("mails wait: {error}");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Until nothing is due, or the server does not answer.
    async fn drain(&self, pool: &Pool, stop: &CancellationToken) -> Result<(), StoreError> {
        let Revived { waiting, expired } = revive(pool).await?;
        if waiting + expired > 0 {
            self.metrics.expired(expired);
            let tier = &**pool.tier();
            tracing::info!(tier, waiting, expired, "mails kept without a mail server are sent now");
        }
        while !stop.is_cancelled() && send_due(pool, &self.smtp, &self.metrics).await? {}
        Ok(())
    }
}

/// Sends one batch of a shard. True when there may be more to send at once.
pub async fn send_due(pool: &Pool, smtp: &Smtp, metrics: &MailMetrics) -> Result<bool, StoreError> {
    let batch = Batch {
        pool,
        smtp,
        metrics,
        claimed: Instant::now(),
        no_server: AtomicBool::new(false),
    };
    let mails = claim(pool, BATCH, LEASE).await?;
    let sends: Vec<_> = mails.iter().map(|mail| batch.send(mail)).collect();
    let sent: Vec<Result<(), StoreError>> = stream::iter(sends).buffer_unordered(AT_ONCE).collect().await;
    // What could not be noted is sent again under the same Message-ID when its lease has ended.
    sent.into_iter().collect::<Result<(), StoreError>>()?;
    Ok(mails.len() as i64 == BATCH && !batch.no_server.into_inner())
}

struct Batch<'a> {
    pool: &'a Pool,
    smtp: &'a Smtp,
    metrics: &'a MailMetrics,
    claimed: Instant,
    /// Once the server did not answer, the rest of the batch does not ask it.
    no_server: AtomicBool,
}

impl Batch<'_> {
    async fn send(&self, mail: &Mail) -> Result<(), StoreError> {
        let late = self.claimed.elapsed() + PATIENCE >= LEASE;
        let outcome = if late || self.no_server.load(Ordering::Relaxed) {
            // Not logged: the mail that was tried says why.
            self.metrics.put_off();
            without_server("the server takes none at the moment".to_owned())
        } else {
            let answer = self.smtp.send(mail).await;
            if matches!(answer, Answer::NoServer(_)) {
                self.no_server.store(true, Ordering::Relaxed);
            }
            outcome(answer, mail, self.metrics)
        };
        settle(self.pool, mail, &outcome).await
    }
}

fn without_server(detail: String) -> Outcome {
    Outcome::Later {
        detail,
        after: NO_SERVER,
        counted: false,
    }
}

fn outcome(answer: Answer, mail: &Mail, metrics: &MailMetrics) -> Outcome {
    let (kind, object) = (&mail.kind, mail.object_id);
    match answer {
        Answer::Taken => {
            metrics.sent();
            Outcome::Sent
        }
        Answer::NotNow(detail) if mail.attempts < ATTEMPTS => {
            metrics.put_off();
            tracing::info!(kind, %object, attempts = mail.attempts, "mail put off: {detail}");
            let doubled = RETRY.0.saturating_mul(1 << mail.attempts.clamp(0, 10));
            Outcome::Later {
                detail,
                after: doubled.min(RETRY.1),
                counted: true,
            }
        }
        Answer::NoServer(detail) => {
            metrics.put_off();
            tracing::warn!(kind, %object, "mails wait, the server takes none: {detail}");
            without_server(detail)
        }
        Answer::NotNow(detail) | Answer::Refused(detail) => {
            metrics.failed();
            tracing::warn!(kind, %object, "mail refused for good: {detail}");
            Outcome::Failed { detail }
        }
    }
}
