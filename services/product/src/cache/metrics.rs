//! How the cache does, by what is cached. Every read was known to the process, is a hit, a negative hit (known not to
//! exist), a miss, or came while Redis was away; every one that needed nothing of the database but perhaps its word that
//! there is nothing newer counts as saved.

use super::{Entry, Kind};
use prometheus::{IntCounterVec, Opts, Registry};

#[derive(Clone)]
pub struct CacheMetrics {
    reads: IntCounterVec,
    loads: IntCounterVec,
    saved: IntCounterVec,
}

impl CacheMetrics {
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        Ok(Self {
            reads: counter(
                "shop_cache_reads_total",
                "Reads by outcome: near (this process knew), hit, negative, miss, down",
                &["cache", "outcome"],
            )?,
            loads: counter("shop_database_reads_total", "Reads that asked the database", &["cache"])?,
            saved: counter(
                "shop_database_reads_saved_total",
                "Reads answered by the cache or by another's load",
                &["cache"],
            )?,
        })
    }

    pub(super) fn read(&self, kind: Kind, down: bool, known: Option<&Entry>) {
        let outcome = match known {
            Some(entry) if entry.body.is_some() => "hit",
            Some(_) => "negative",
            None if down => "down",
            None => "miss",
        };
        self.reads.with_label_values(&[kind.name(), outcome]).inc();
        if known.is_some() {
            self.saved(kind);
        }
    }

    pub(super) fn near(&self, kind: Kind) {
        self.reads.with_label_values(&[kind.name(), "near"]).inc();
        self.saved(kind);
    }

    pub(super) fn saved(&self, kind: Kind) {
        self.saved.with_label_values(&[kind.name()]).inc();
    }

    pub(super) fn loaded(&self, kind: Kind) {
        self.loads.with_label_values(&[kind.name()]).inc();
    }
}
