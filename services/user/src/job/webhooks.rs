//! Calls the webhooks for which deliveries wait: many customers at the same time, each of them once at a time and in the
//! order of the events. A webhook that fails is left alone for a while, so that one that is slow or gone costs the others
//! next to nothing; after the last attempt the delivery is given up, because a customer's broken address is nothing an
//! operator can repair. A caller that dies is replaced when its lease ends: then a delivery may come twice, under one id.

use crate::job::deliver::Deliverer;
use crate::store::webhook::{Delivery, Outcome, claim, settle};
use prometheus::{IntCounterVec, Opts, Registry};
use shop_kit_postgres::{Pool, ShardedPool};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Calls under way at a time.
const AT_ONCE: usize = 64;
/// Longer than a call and its note may take.
const LEASE: Duration = Duration::from_secs(60);
/// Pauses after the failed attempts but the last one.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(600),
];
/// Looks by itself that often, for what is due again and for what others left.
const LOOK: Duration = Duration::from_secs(5);
/// After a look; what comes meanwhile is found by the next one.
const GATHER: Duration = Duration::from_millis(100);

#[derive(Clone)]
pub struct Webhooks {
    pub shards: ShardedPool,
    pub deliverer: Deliverer,
    pub metrics: WebhookMetrics,
    /// Told when this process has kept a delivery.
    pub wake: Arc<Notify>,
}

#[derive(Clone)]
pub struct WebhookMetrics(IntCounterVec);

impl WebhookMetrics {
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let help = "Calls of customers' webhooks by what became of them: delivered, failed, or given up";
        let calls = IntCounterVec::new(Opts::new("shop_webhooks_total", help), &["outcome"])?;
        registry.register(Box::new(calls.clone()))?;
        Ok(Self(calls))
    }

    fn count(&self, outcome: &Outcome) {
        let name = match outcome {
            Outcome::Delivered => "delivered",
            Outcome::Later(_) => "failed",
            Outcome::GivenUp => "given_up",
        };
        self.0.with_label_values(&[name]).inc();
    }
}

impl Webhooks {
    /// Until told to stop; what is under way is finished.
    pub async fn run(self, stop: CancellationToken) {
        let mut calls = JoinSet::new();
        while !stop.is_cancelled() {
            self.call_due(&mut calls).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.notified() => {}
                // Its customer may have more.
                Some(_) = calls.join_next() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
            tokio::time::sleep(GATHER).await;
        }
        while calls.join_next().await.is_some() {}
    }

    /// Begins as many calls as are due and have room.
    pub async fn call_due(&self, calls: &mut JoinSet<()>) {
        while calls.try_join_next().is_some() {}
        for shard in self.shards.all() {
            let room = AT_ONCE.saturating_sub(calls.len());
            if room == 0 {
                return;
            }
            match claim(&shard.pool, room as i64, LEASE).await {
                Ok(due) => due.into_iter().for_each(|delivery| {
                    calls.spawn(self.clone().call(shard.pool.clone(), delivery));
                }),
                Err(error) => tracing::warn!("webhooks wait: {error}"),
            }
        }
    }

    async fn call(self, pool: Pool, delivery: Delivery) {
        let called = self.deliverer.deliver(&delivery).await;
        let outcome = outcome(called, delivery.attempts);
        self.metrics.count(&outcome);
        if let Err(error) = settle(&pool, &delivery, &outcome).await {
            tracing::warn!("a webhook may be called again: {error}");
        }
    }
}

fn outcome(called: Result<(), String>, attempts: i32) -> Outcome {
    let Err(why) = called else {
        return Outcome::Delivered;
    };
    let made = usize::try_from(attempts).unwrap_or_default();
    match PAUSES.get(made.saturating_sub(1)) {
        Some(pause) => Outcome::Later(*pause),
        None => {
            tracing::info!("webhook given up: {why}");
            Outcome::GivenUp
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_tried_five_times_after_ever_longer_pauses() {
        let failed = |attempts| outcome(Err("answered 500".to_owned()), attempts);
        let pauses: Vec<Outcome> = (1..=4).map(failed).collect();
        assert_eq!(pauses, PAUSES.map(Outcome::Later));
        assert!(PAUSES.is_sorted());
        // Also when a caller died during the last one.
        assert_eq!((failed(5), failed(6)), (Outcome::GivenUp, Outcome::GivenUp));
        assert_eq!(outcome(Ok(()), 6), Outcome::Delivered);
    }
}
