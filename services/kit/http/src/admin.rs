//! Health and metrics on their own port, which the gateway never reaches. Ready says only that this process takes
//! traffic: asking datastores here would let one lost tier remove every service.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use shop_contract::probe::{LIVE, METRICS, READY};
use shop_kit_telemetry::Metrics;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether this process takes traffic. Cloning shares it.
#[derive(Clone, Default)]
pub struct Health(Arc<AtomicBool>);

impl Health {
    pub fn set_ready(&self, ready: bool) {
        self.0.store(ready, Ordering::Relaxed);
    }

    pub fn ready(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

pub fn admin_router(health: Health, metrics: Metrics) -> Router {
    Router::new()
        .route(LIVE, get(|| async { "live\n" }))
        .route(READY, get(ready).with_state(health))
        .route(METRICS, get(print).with_state(metrics))
}

async fn ready(State(health): State<Health>) -> impl IntoResponse {
    if health.ready() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}

async fn print(State(metrics): State<Metrics>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], metrics.text())
}
