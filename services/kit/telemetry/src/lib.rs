//! Logs as JSON on standard output and metrics for Prometheus. In: the service's name and a log filter. Out: one
//! registry per process that the admin server prints. Labels come from fixed sets only, never from what a client sent.

use anyhow::Context;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Seconds; the lowest is below a cached read, the highest is the longest a request may take.
const BUCKETS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// The metrics of one process. Cloning shares them.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
}

/// Starts logging; a second call in one process does nothing.
pub fn start_logs(filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).with_context(|| format!("log filter `{filter}`"))?;
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(filter)
        .try_init();
    Ok(())
}

impl Metrics {
    /// A registry whose every metric carries `service`.
    pub fn new(service: &str) -> anyhow::Result<Self> {
        let labels = [("service".to_owned(), service.to_owned())].into();
        let registry = Registry::new_custom(None, Some(labels))?;
        let requests = IntCounterVec::new(
            Opts::new(
                "shop_http_requests_total",
                "Requests answered, by route template and status",
            ),
            &["method", "route", "status"],
        )?;
        let durations = HistogramVec::new(
            HistogramOpts::new("shop_http_request_seconds", "Time to answer, by route template")
                .buckets(BUCKETS.to_vec()),
            &["method", "route"],
        )?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(durations.clone()))?;
        Ok(Self {
            registry,
            requests,
            durations,
        })
    }

    /// Where a kit or a service registers metrics of its own.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Notes one answered request.
    pub fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        self.requests
            .with_label_values(&[method, route, &status.to_string()])
            .inc();
        self.durations
            .with_label_values(&[method, route])
            .observe(took.as_secs_f64());
    }

    /// Prometheus text.
    pub fn text(&self) -> String {
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_appears_with_its_route_template() {
        let metrics = Metrics::new("product").unwrap();
        metrics.request("GET", "/api/v1/products/{id}", 200, Duration::from_millis(3));
        let text = metrics.text();
        let line =
            r#"shop_http_requests_total{method="GET",route="/api/v1/products/{id}",status="200",service="product"} 1"#;
        assert!(text.contains(line), "{text}");
    }

    #[test]
    fn a_bad_log_filter_is_named() {
        let error = start_logs("shop=loudest").unwrap_err();
        assert!(format!("{error:#}").contains("shop=loudest"), "{error:#}");
    }
}
