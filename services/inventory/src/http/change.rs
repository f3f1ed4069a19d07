//! `POST /api/v1/stock/{product_id}/restocks` and `…/adjustments`, for merchants. Both need an Idempotency-Key: a
//! repeated restock would invent units.

use crate::IDEMPOTENCY;
use crate::http::stock::{MERCHANTS, unknown};
use crate::router::AppState;
use crate::store::change::{Change, MOST, Outcome, apply};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use shop_contract::api::STOCK;
use shop_contract::api::inventory::{AdjustStock, MovementKind, Restock, StockChange};
use shop_kit_http::{ApiError, Json, Path};
use shop_kit_idempotency::{IdempotencyKey, Ticket, fingerprint, once};
use shop_kit_postgres::Pool;
use shop_kit_token::Caller;
use std::sync::Arc;
use uuid::Uuid;

/// Units in one change.
const UNITS: i32 = 1_000_000;
const REASON: (usize, usize) = (1, 500);

#[utoipa::path(
    post, path = "/api/v1/stock/{product_id}/restocks", operation_id = "restock", tag = "stock",
    params(("product_id" = Uuid, Path), ("idempotency-key" = String, Header)),
    security(("bearer" = [])),
    request_body = Restock,
    responses((status = 201, description = "Done; the same key again gives the same answer", body = StockChange))
)]
pub async fn restock(
    State(state): State<AppState>,
    caller: Caller,
    Path(product): Path<Uuid>,
    key: IdempotencyKey,
    Json(body): Json<Restock>,
) -> Result<Response, ApiError> {
    caller.require(MERCHANTS)?;
    if !(1..=UNITS).contains(&body.quantity) {
        let detail = format!("is {}: must be between 1 and {UNITS}", body.quantity);
        return Err(ApiError::invalid_field("/quantity", detail));
    }
    let change = change(caller, product, MovementKind::Restocked, body.quantity, None);
    apply_once(state, key, &body, change).await
}

#[utoipa::path(
    post, path = "/api/v1/stock/{product_id}/adjustments", operation_id = "adjustStock", tag = "stock",
    params(("product_id" = Uuid, Path), ("idempotency-key" = String, Header)),
    security(("bearer" = [])),
    request_body = AdjustStock,
    responses(
        (status = 201, description = "Done; the same key again gives the same answer", body = StockChange),
        (status = 409, description = "Orders hold what would be taken away")
    )
)]
pub async fn adjust(
    State(state): State<AppState>,
    caller: Caller,
    Path(product): Path<Uuid>,
    key: IdempotencyKey,
    Json(body): Json<AdjustStock>,
) -> Result<Response, ApiError> {
    caller.require(MERCHANTS)?;
    if body.quantity == 0 || !(-UNITS..=UNITS).contains(&body.quantity) {
        let detail = format!("is {}: must be between -{UNITS} and {UNITS}, and not 0", body.quantity);
        return Err(ApiError::invalid_field("/quantity", detail));
    }
    let length = body.reason.trim().chars().count();
    // Postgres keeps no NUL in a text.
    if !(REASON.0..=REASON.1).contains(&length) || body.reason.contains('\0') {
        let detail = format!("must have {} to {} characters", REASON.0, REASON.1);
        return Err(ApiError::invalid_field("/reason", detail));
    }
    let reason = Some(body.reason.trim().to_owned());
    let change = change(caller, product, MovementKind::Adjusted, body.quantity, reason);
    apply_once(state, key, &body, change).await
}

fn change(caller: Caller, product: Uuid, kind: MovementKind, quantity: i32, reason: Option<String>) -> Change {
    Change {
        id: Uuid::now_v7(),
        product,
        kind,
        quantity,
        reason,
        actor: caller.user,
    }
}

async fn apply_once(
    state: AppState,
    IdempotencyKey(key): IdempotencyKey,
    body: &impl Serialize,
    change: Change,
) -> Result<Response, ApiError> {
    let key = key.ok_or_else(|| {
        let detail = "send an `idempotency-key`: the same request again must not change the stock twice";
        ApiError::new(StatusCode::BAD_REQUEST, "header", detail)
    })?;
    let print = fingerprint(&format!("{} {}", change.kind.text(), change.product), body)?;
    let (pool, actor) = (state.pool.clone(), change.actor);
    let work = move |ticket: Arc<Ticket>| async move { write(&pool, &change, &ticket).await };
    once(&state.pool, IDEMPOTENCY, actor, key, print, work).await
}

async fn write(pool: &Pool, change: &Change, ticket: &Ticket) -> Result<Response, ApiError> {
    let mut transaction = pool.begin().await?;
    let outcome = apply(&mut transaction, change).await;
    let outcome = outcome.map_err(|error| pool.error(&error))?;
    let answer = answer(change, outcome)?;
    let text = serde_json::to_string(&answer).map_err(|error| ApiError::internal("service/inventory", error))?;
    let location = format!("{STOCK}/{}/movements", change.product);
    ticket
        .finish(&mut transaction, StatusCode::CREATED, Some(&location), &text)
        .await?;
    pool.commit(transaction).await?;
    let headers = [
        (header::LOCATION, location),
        (header::CONTENT_TYPE, "application/json".to_owned()),
    ];
    Ok((StatusCode::CREATED, headers, text).into_response())
}

fn answer(change: &Change, outcome: Outcome) -> Result<StockChange, ApiError> {
    match outcome {
        Outcome::Done { on_hand, free } => Ok(StockChange {
            id: change.id,
            product_id: change.product,
            quantity: change.quantity,
            on_hand,
            reserved: on_hand - free,
        }),
        Outcome::Held { free } => {
            let detail = format!("only {free} units are free: orders hold the others");
            Err(ApiError::new(StatusCode::CONFLICT, "stock-held", detail))
        }
        Outcome::TooMany => {
            let detail = format!("a product has at most {MOST} units");
            Err(ApiError::invalid_field("/quantity", detail))
        }
        Outcome::NoSuchProduct => Err(unknown(change.product)),
    }
}
