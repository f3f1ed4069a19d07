//! The routes of this service, what their handlers share, and the description of both.

use crate::config::ApiConfig;
use crate::http::{cart, change, place, read, shipping};
use crate::neighbour::Neighbour;
use crate::prices::Prices;
use crate::stock::Stock;
use axum::Router;
use axum::extract::FromRef;
use prometheus::Registry;
use shop_contract::api::ORDERS;
use shop_kit_http::SyntheticKey;
use shop_kit_http::openapi::{Document, document};
use shop_kit_postgres::ShardedPool;
use shop_kit_token::Verifier;
use std::time::Duration;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Connections to a neighbour that nobody used for this long are closed.
const IDLE: Duration = Duration::from_secs(30);

#[derive(Clone, FromRef)]
pub struct AppState {
    pub shards: ShardedPool,
    pub prices: Prices,
    pub stock: Stock,
    pub verifier: Verifier,
    pub synthetic_key: SyntheticKey,
}

impl AppState {
    /// `patience` is how long the product service and inventory may take, each.
    pub fn new(
        config: &ApiConfig,
        shards: ShardedPool,
        registry: &Registry,
        patience: Duration,
    ) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().pool_idle_timeout(IDLE).build()?;
        let neighbour = |tier, url: &str| Neighbour::new(client.clone(), tier, url, patience);
        Ok(Self {
            shards,
            prices: Prices::new(neighbour("service/product", &config.product_url), registry)?,
            stock: Stock::new(neighbour("service/inventory", &config.inventory_url)),
            verifier: config.verifier.clone(),
            synthetic_key: SyntheticKey::new(config.synthetic_key.expose()),
        })
    }
}

pub fn router(state: AppState) -> Router {
    let (router, document) = described();
    router.merge(document.routes(ORDERS)).with_state(state)
}

/// What `openapi.json` says.
pub fn openapi() -> Document {
    described().1
}

fn described() -> (Router<AppState>, Document) {
    let routes = OpenApiRouter::new()
        .routes(routes!(read::list, place::place))
        .routes(routes!(shipping::list))
        .routes(routes!(shipping::show))
        .routes(routes!(read::show))
        .routes(routes!(read::history))
        .routes(routes!(change::cancel))
        .routes(routes!(change::ship))
        .routes(routes!(change::deliver))
        .routes(routes!(cart::show, cart::clear))
        .routes(routes!(cart::put, cart::remove));
    let (router, api) = routes.split_for_parts();
    (router, document("order", api))
}
