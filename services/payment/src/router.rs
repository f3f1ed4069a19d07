//! The routes of this service and what their handlers share.

use crate::http::{read, refund, webhook};
use axum::Router;
use axum::extract::FromRef;
use shop_contract::api::PAYMENTS;
use shop_kit_config::Secret;
use shop_kit_http::openapi::{Document, document};
use shop_kit_postgres::Pool;
use shop_kit_token::Verifier;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

#[derive(Clone, FromRef)]
pub struct AppState {
    /// The primary: money is never read from a replica.
    pub payments: Pool,
    pub verifier: Verifier,
    pub webhook_secret: Secret,
}

pub fn router(state: AppState) -> Router {
    let (routes, document) = described();
    routes.merge(document.routes(PAYMENTS)).with_state(state)
}

/// What `/api/v1/payments/openapi.json` says.
pub fn description() -> Document {
    described().1
}

fn described() -> (Router<AppState>, Document) {
    let (routes, api) = OpenApiRouter::new()
        .routes(routes!(read::list))
        .routes(routes!(read::show))
        .routes(routes!(refund::create))
        .routes(routes!(webhook::receive))
        .split_for_parts();
    (routes, document("payment", api))
}
