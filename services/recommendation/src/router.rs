//! The routes of this service and what their handlers share.

use crate::best::BestSellers;
use crate::http::{analytics, recommendation};
use axum::Router;
use axum::extract::FromRef;
use shop_contract::api::RECOMMENDATIONS;
use shop_kit_http::openapi::{Document, document};
use shop_kit_postgres::Pool;
use shop_kit_token::Verifier;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

#[derive(Clone, FromRef)]
pub struct AppState {
    pub pool: Pool,
    pub best: BestSellers,
    pub verifier: Verifier,
}

pub fn router(state: AppState) -> Router {
    let (routes, document) = described();
    routes.merge(document.routes(RECOMMENDATIONS)).with_state(state)
}

/// What `/api/v1/recommendations/openapi.json` says.
pub fn description() -> Document {
    described().1
}

fn described() -> (Router<AppState>, Document) {
    let (routes, api) = OpenApiRouter::new()
        .routes(routes!(recommendation::bought_together))
        .routes(routes!(recommendation::for_you))
        .routes(routes!(recommendation::best_sellers))
        .routes(routes!(analytics::sales))
        .routes(routes!(analytics::funnel))
        .split_for_parts();
    (routes, document("recommendation", api))
}
