//! The routes of this service and what their handlers share.

use crate::http::books;
use axum::Router;
use axum::extract::FromRef;
use shop_contract::api::BOOKS;
use shop_kit_http::openapi::{Document, document};
use shop_kit_postgres::Pool;
use shop_kit_token::Verifier;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

#[derive(Clone, FromRef)]
pub struct AppState {
    pub payments: Pool,
    pub verifier: Verifier,
}

pub fn router(state: AppState) -> Router {
    let (routes, description) = split();
    routes.merge(description.routes(BOOKS)).with_state(state)
}

/// What `/api/v1/books/openapi.json` says.
pub fn description() -> Document {
    split().1
}

fn split() -> (Router<AppState>, Document) {
    let (routes, api) = OpenApiRouter::new()
        .routes(routes!(books::show))
        .routes(routes!(books::list_audit))
        .split_for_parts();
    (routes, document("books", api))
}
