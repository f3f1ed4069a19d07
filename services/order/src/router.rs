//! The routes of this service and what their handlers share.

use crate::config::ApiConfig;
use crate::http::{place, read};
use crate::prices::Prices;
use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;
use shop_contract::api::ORDERS;
use shop_kit_http::SyntheticKey;
use shop_kit_postgres::ShardedPool;
use shop_kit_token::Verifier;
use std::time::Duration;

#[derive(Clone, FromRef)]
pub struct AppState {
    pub shards: ShardedPool,
    pub prices: Prices,
    pub verifier: Verifier,
    pub synthetic_key: SyntheticKey,
}

impl AppState {
    /// `patience` is how long the product service may take.
    pub fn new(config: &ApiConfig, shards: ShardedPool, patience: Duration) -> anyhow::Result<Self> {
        Ok(Self {
            shards,
            prices: Prices::new(&config.product_url, patience)?,
            verifier: config.verifier.clone(),
            synthetic_key: SyntheticKey::new(config.synthetic_key.expose()),
        })
    }
}

pub fn router(state: AppState) -> Router {
    Router::new()
        .route(ORDERS, get(read::list).post(place::place))
        .route(&format!("{ORDERS}/{{id}}"), get(read::show))
        .with_state(state)
}
