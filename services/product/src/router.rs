//! The routes of this service and what their handlers share.

use crate::cache::Cache;
use crate::http::{category, image, list, merchant, product};
use crate::images::Images;
use crate::search::Search;
use axum::Router;
use axum::extract::FromRef;
use shop_contract::api::PRODUCTS;
use shop_kit_http::openapi::{Document, document};
use shop_kit_postgres::{Pool, Reads};
use shop_kit_token::Verifier;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

#[derive(Clone, FromRef)]
pub struct AppState {
    /// The primary: for writes, and for reads that must not lag.
    pub catalog: Pool,
    /// For what may lag. Reads by id never go there: their prices are charged.
    pub reads: Reads,
    pub cache: Cache,
    pub search: Arc<dyn Search>,
    pub images: Arc<dyn Images>,
    pub verifier: Verifier,
}

pub fn router(state: AppState) -> Router {
    let (routes, document) = described();
    routes.merge(document.routes(PRODUCTS)).with_state(state)
}

/// What `/api/v1/products/openapi.json` says.
pub fn description() -> Document {
    described().1
}

fn described() -> (Router<AppState>, Document) {
    let (routes, api) = OpenApiRouter::new()
        .routes(routes!(list::list, merchant::create))
        .routes(routes!(product::show, merchant::change, merchant::remove))
        .routes(routes!(merchant::set_price))
        .routes(routes!(image::upload))
        .routes(routes!(category::list))
        .routes(routes!(category::put))
        .split_for_parts();
    (routes, document("product", api))
}
