//! Logs: one JSON object a line, with the spans of the eight steps. Set up once, before anything is logged.

use tracing_subscriber::EnvFilter;

/// `filter` as `tracing` reads it; an unreadable one falls back to `info` and says so.
pub fn start(filter: &str) {
    let (filter, broken) = match EnvFilter::try_new(filter) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new("info"), Some(error)),
    };
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    if let Some(error) = broken {
        tracing::warn!(%error, "SHOP_OPERATOR_LOG cannot be read, logging at info");
    }
}
