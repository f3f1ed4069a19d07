//! The operator's own figures. Labels come from fixed words, names of shops and methods, never from free text.

use prometheus::{CounterVec, Encoder, GaugeVec, HistogramOpts, HistogramVec, IntGauge, Opts, Registry, TextEncoder};
use std::time::Instant;
use tracing::Instrument;

pub struct Metrics {
    registry: Registry,
    pub step_seconds: HistogramVec,
    pub queue_depth: IntGauge,
    pub queue_busy: IntGauge,
    pub leader: IntGauge,
    pub resident: IntGauge,
    pub shop_ready: GaugeVec,
    pub api_requests: CounterVec,
    pub writes: CounterVec,
    pub tasks: CounterVec,
    pub proofs: CounterVec,
    pub proof_seconds: GaugeVec,
    pub postgres_lag_bytes: GaugeVec,
}

const STEP_BUCKETS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.25, 1.0, 5.0];

impl Metrics {
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let step_seconds = HistogramVec::new(
            HistogramOpts::new("shop_operator_step_seconds", "Time a step of a reconciliation took.")
                .buckets(STEP_BUCKETS.to_vec()),
            &["step"],
        )?;
        registry.register(Box::new(step_seconds.clone()))?;
        let counter = |name: &str, help: &str, labels: &[&str]| -> prometheus::Result<CounterVec> {
            let made = CounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(made.clone()))?;
            Ok(made)
        };
        let gauges = |name: &str, help: &str, labels: &[&str]| -> prometheus::Result<GaugeVec> {
            let made = GaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(made.clone()))?;
            Ok(made)
        };
        let gauge = |name: &str, help: &str| -> prometheus::Result<IntGauge> {
            let made = IntGauge::new(name, help)?;
            registry.register(Box::new(made.clone()))?;
            Ok(made)
        };
        Ok(Self {
            step_seconds,
            queue_depth: gauge("shop_operator_queue_depth", "Shops that wait for a worker.")?,
            queue_busy: gauge("shop_operator_queue_busy", "Shops being worked on.")?,
            leader: gauge("shop_operator_leader", "1 when this process holds the lease.")?,
            resident: gauge("process_resident_memory_bytes", "Memory of this process.")?,
            shop_ready: gauges(
                "shop_ready",
                "1 when the shop's Ready condition is True.",
                &["namespace", "shop"],
            )?,
            api_requests: counter(
                "shop_operator_api_requests_total",
                "Requests to the API server.",
                &["method"],
            )?,
            writes: counter(
                "shop_operator_writes_total",
                "Writes to the API server, by kind.",
                &["kind"],
            )?,
            tasks: counter(
                "shop_operator_tasks_total",
                "Tasks that ended, by outcome.",
                &["task", "outcome"],
            )?,
            proofs: counter(
                "shop_proofs_total",
                "Proof orders, by outcome.",
                &["namespace", "shop", "outcome"],
            )?,
            proof_seconds: gauges(
                "shop_proof_seconds",
                "How long the last proof took.",
                &["namespace", "shop"],
            )?,
            postgres_lag_bytes: gauges(
                "shop_postgres_lag_bytes",
                "How far a standby is behind its primary.",
                &["namespace", "shop", "member"],
            )?,
            registry,
        })
    }

    /// Measures one step and opens its span.
    pub fn timer(&self, step: &'static str) -> Timer<'_> {
        Timer { metrics: self, step }
    }

    pub fn text(&self) -> String {
        let mut out = Vec::new();
        // Writing into memory cannot fail; an empty page tells if it ever does.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    /// Figures of a shop that is gone are gone too.
    pub fn forget(&self, namespace: &str, shop: &str) {
        let _ = self.shop_ready.remove_label_values(&[namespace, shop]);
        let _ = self.proof_seconds.remove_label_values(&[namespace, shop]);
    }
}

/// One step of a pass, about to begin.
pub struct Timer<'a> {
    metrics: &'a Metrics,
    step: &'static str,
}

impl Timer<'_> {
    /// A pure step.
    pub fn of<T>(self, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = tracing::info_span!("step", step = self.step).in_scope(work);
        self.record(started);
        result
    }

    /// A step that waits.
    pub async fn during<T>(self, work: impl Future<Output = T>) -> T {
        let started = Instant::now();
        let result = work.instrument(tracing::info_span!("step", step = self.step)).await;
        self.record(started);
        result
    }

    fn record(&self, started: Instant) {
        self.metrics
            .step_seconds
            .with_label_values(&[self.step])
            .observe(started.elapsed().as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_counted_under_its_name() {
        let metrics = Metrics::new().expect("names differ");
        metrics.timer("plan").of(|| ());
        assert!(
            metrics
                .text()
                .contains("shop_operator_step_seconds_count{step=\"plan\"} 1")
        );
    }
}
