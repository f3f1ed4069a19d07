//! The routes of this service and what their handlers share.

use crate::desk::Desk;
use crate::http::{change, reservation, stock};
use axum::Router;
use axum::extract::FromRef;
use axum::routing::{delete, post};
use shop_contract::api::{RESERVATIONS, STOCK};
use shop_kit_http::openapi::{Document, document};
use shop_kit_postgres::{Pool, Reads};
use shop_kit_token::Verifier;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

#[derive(Clone, FromRef)]
pub struct AppState {
    /// The primary: whatever decides something.
    pub pool: Pool,
    /// What customers look at may lag.
    pub reads: Reads,
    pub desk: Desk,
    pub verifier: Verifier,
}

pub fn router(state: AppState) -> Router {
    let (public, document) = public();
    public.merge(document.routes(STOCK)).merge(internal()).with_state(state)
}

/// What the gateway routes here, and its description.
pub fn public() -> (Router<AppState>, Document) {
    let (router, api) = OpenApiRouter::new()
        .routes(routes!(stock::show))
        .routes(routes!(stock::movements))
        .routes(routes!(change::restock))
        .routes(routes!(change::adjust))
        .split_for_parts();
    (router, document("inventory", api))
}

fn internal() -> Router<AppState> {
    Router::new()
        .route(RESERVATIONS, post(reservation::reserve))
        .route(&format!("{RESERVATIONS}/{{order_id}}"), delete(reservation::release))
}
