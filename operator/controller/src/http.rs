//! `/livez`, `/readyz` and `/metrics` of the operator. Asks nobody.

use crate::context::Shared;
use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use shop_contract::{port, probe};
use std::net::{Ipv6Addr, SocketAddr};

/// Serves until the process is told to stop.
pub async fn serve(context: Shared, listen: Option<SocketAddr>) -> anyhow::Result<()> {
    let address = listen.unwrap_or((Ipv6Addr::UNSPECIFIED, port::OPERATOR_ADMIN).into());
    let listener = match tokio::net::TcpListener::bind(address).await {
        // A machine without IPv6.
        Err(_) if listen.is_none() => tokio::net::TcpListener::bind(("0.0.0.0", port::OPERATOR_ADMIN)).await,
        bound => bound,
    };
    let listener = listener.with_context(|| format!("cannot listen on {address}"))?;
    let stop = context.stop.clone();
    let router = Router::new()
        .route(probe::LIVE, get(|| async { "ok\n" }))
        .route(probe::READY, get(ready))
        .route(probe::METRICS, get(metrics))
        .with_state(context);
    axum::serve(listener, router)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
        .context("health and metrics")
}

/// Ready when the watches have listed everything, whether leading or standing by.
async fn ready(State(context): State<Shared>) -> (StatusCode, String) {
    if context.cache.complete() {
        return (StatusCode::OK, "ok\n".to_owned());
    }
    let missing = context.cache.missing().join(", ");
    (
        StatusCode::SERVICE_UNAVAILABLE,
        format!("waiting for the first list of: {missing}\n"),
    )
}

async fn metrics(State(context): State<Shared>) -> String {
    context
        .metrics
        .queue_depth
        .set(i64::try_from(context.queue.depth()).unwrap_or(i64::MAX));
    context
        .metrics
        .queue_busy
        .set(i64::try_from(context.queue.busy()).unwrap_or(i64::MAX));
    context.metrics.resident.set(resident().unwrap_or_default());
    context.metrics.text()
}

/// Resident memory in bytes; Linux reports it in kibibytes.
fn resident() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<i64>().ok()? * 1024)
}
