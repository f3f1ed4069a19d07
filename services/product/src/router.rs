//! The routes of this service and what their handlers share.

use crate::cache::{Cache, RedisCache};
use crate::http::product;
use axum::Router;
use axum::routing::get;
use prometheus::Registry;
use shop_contract::api::{PRODUCTS, Product};
use shop_kit_postgres::Pool;
use std::sync::Arc;

#[derive(Clone)]
pub struct AppState {
    pub pool: Pool,
    /// Single products by id.
    pub one: Arc<Cache<Product>>,
}

impl AppState {
    pub fn new(pool: Pool, redis: RedisCache, registry: &Registry) -> prometheus::Result<Self> {
        Ok(Self {
            pool,
            one: Arc::new(Cache::new(redis, registry)?),
        })
    }
}

pub fn router(state: AppState) -> Router {
    Router::new()
        .route(PRODUCTS, get(product::list))
        .route(&format!("{PRODUCTS}/{{id}}"), get(product::show))
        .with_state(state)
}
