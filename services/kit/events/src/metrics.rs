//! What relays and consumers of one process did. Labels: the queue's name, or the outbox's table and its tier.

use crate::backlog::Backlog;
use prometheus::core::Collector;
use prometheus::{GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry};
use std::time::Duration;

/// Seconds a batch takes: from one short transaction to a provider that is waited for.
const BUCKETS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
const OUTBOX: &[&str] = &["outbox", "tier"];
const QUEUE: &[&str] = &["queue"];

/// Made once per process; cloning shares it.
#[derive(Clone)]
pub struct EventMetrics {
    published: IntCounterVec,
    refused: IntCounterVec,
    waiting: GaugeVec,
    oldest: GaugeVec,
    deliveries: IntCounterVec,
    retries: IntCounterVec,
    dead_letters: IntCounterVec,
    handling: HistogramVec,
}

/// Of one outbox.
#[derive(Clone)]
pub(crate) struct OutboxMetrics {
    pub published: IntCounter,
    pub refused: IntCounter,
    waiting: prometheus::Gauge,
    oldest: prometheus::Gauge,
}

/// Of one queue.
#[derive(Clone)]
pub(crate) struct QueueMetrics {
    pub deliveries: IntCounter,
    pub retries: IntCounter,
    pub dead_letters: IntCounter,
    handling: Histogram,
}

impl EventMetrics {
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let this = Self::unregistered()?;
        let collectors: [Box<dyn Collector>; 8] = [
            Box::new(this.published.clone()),
            Box::new(this.refused.clone()),
            Box::new(this.waiting.clone()),
            Box::new(this.oldest.clone()),
            Box::new(this.deliveries.clone()),
            Box::new(this.retries.clone()),
            Box::new(this.dead_letters.clone()),
            Box::new(this.handling.clone()),
        ];
        for collector in collectors {
            registry.register(collector)?;
        }
        Ok(this)
    }

    fn unregistered() -> prometheus::Result<Self> {
        let counter = |name, help, labels| IntCounterVec::new(Opts::new(name, help), labels);
        let gauge = |name, help, labels| GaugeVec::new(Opts::new(name, help), labels);
        let handling = HistogramOpts::new("shop_queue_handling_seconds", "Time to handle a batch of messages");
        Ok(Self {
            published: counter("shop_outbox_published_total", "Events RabbitMQ confirmed", OUTBOX)?,
            refused: counter(
                "shop_outbox_refused_total",
                "Events returned or refused, to be published again",
                OUTBOX,
            )?,
            waiting: gauge("shop_outbox_waiting", "Events not published yet", OUTBOX)?,
            oldest: gauge(
                "shop_outbox_oldest_seconds",
                "Age of the oldest event not published yet",
                OUTBOX,
            )?,
            deliveries: counter("shop_queue_deliveries_total", "Messages taken from a queue", QUEUE)?,
            retries: counter("shop_queue_retries_total", "Messages put off to be tried again", QUEUE)?,
            dead_letters: counter("shop_queue_dead_letters_total", "Messages given up", QUEUE)?,
            handling: HistogramVec::new(handling.buckets(BUCKETS.to_vec()), QUEUE)?,
        })
    }

    pub(crate) fn outbox(&self, outbox: &str, tier: &str) -> OutboxMetrics {
        let labels = &[outbox, tier];
        OutboxMetrics {
            published: self.published.with_label_values(labels),
            refused: self.refused.with_label_values(labels),
            waiting: self.waiting.with_label_values(labels),
            oldest: self.oldest.with_label_values(labels),
        }
    }

    pub(crate) fn queue(&self, queue: &str) -> QueueMetrics {
        QueueMetrics {
            deliveries: self.deliveries.with_label_values(&[queue]),
            retries: self.retries.with_label_values(&[queue]),
            dead_letters: self.dead_letters.with_label_values(&[queue]),
            handling: self.handling.with_label_values(&[queue]),
        }
    }
}

impl OutboxMetrics {
    pub fn show(&self, backlog: Backlog) {
        self.waiting.set(backlog.rows as f64);
        self.oldest.set(backlog.oldest_seconds);
    }
}

impl QueueMetrics {
    pub fn handled(&self, took: Duration) {
        self.handling.observe(took.as_secs_f64());
    }
}
