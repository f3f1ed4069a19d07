//! What merchants do to products. Each change is durable together with its event, then written through to the cache
//! under its new version, before it is answered, also when the client hangs up meanwhile. The event brings it to a cache
//! that was away.

use super::{Merchant, body, json, no_product};
use crate::cache::{Entry, Kind};
use crate::http::product::entry;
use crate::router::AppState;
use crate::store::product;
use crate::{IDEMPOTENCY, rules};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use shop_contract::api::PRODUCTS;
use shop_contract::api::product::{CatalogProduct, NewPrice, NewProduct, ProductChange};
use shop_kit_http::{ApiError, Json, Path, to_the_end};
use shop_kit_idempotency::{IdempotencyKey, Ticket, fingerprint, once};
use shop_kit_postgres::Transaction;
use std::sync::Arc;
use uuid::Uuid;

/// Adds a product.
#[utoipa::path(
    post,
    path = "/api/v1/products",
    operation_id = "createProduct",
    tag = "products",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body again give the same answer")),
    request_body = NewProduct,
    responses((status = 201, description = "Made", body = CatalogProduct, headers(("location" = String)))),
    security(("bearer" = []))
)]
pub async fn create(
    State(state): State<AppState>,
    Merchant(caller): Merchant,
    IdempotencyKey(key): IdempotencyKey,
    Json(new): Json<NewProduct>,
) -> Result<Response, ApiError> {
    refuse(rules::new_product(&new))?;
    let Some(key) = key else {
        return to_the_end(async move { insert(&state, &new, None).await }).await;
    };
    let (print, pool) = (fingerprint(PRODUCTS, &new)?, state.catalog.clone());
    let work = move |ticket: Arc<Ticket>| async move { insert(&state, &new, Some(&ticket)).await };
    once(&pool, IDEMPOTENCY, caller.user, key, print, work).await
}

async fn insert(state: &AppState, new: &NewProduct, ticket: Option<&Ticket>) -> Result<Response, ApiError> {
    let pool = &state.catalog;
    let mut transaction = pool.begin().await?;
    let made = product::insert(&mut transaction, Uuid::now_v7(), new)
        .await
        .map_err(|error| refused(state, &error))?;
    let (answer, location) = (body(&made)?, format!("{PRODUCTS}/{}", made.id));
    if let Some(ticket) = ticket {
        let text = String::from_utf8_lossy(&answer);
        ticket
            .finish(&mut transaction, StatusCode::CREATED, Some(&location), &text)
            .await?;
    }
    pool.commit(transaction).await?;
    write_through(state, made.id, &entry(&made)?).await;
    Ok(([(header::LOCATION, location)], json(StatusCode::CREATED, answer)).into_response())
}

/// Changes what is given, and nothing else.
#[utoipa::path(
    patch,
    path = "/api/v1/products/{id}",
    operation_id = "changeProduct",
    tag = "products",
    params(("id" = Uuid, Path)),
    request_body = ProductChange,
    responses((status = 200, description = "As it is now", body = CatalogProduct)),
    security(("bearer" = []))
)]
pub async fn change(
    State(state): State<AppState>,
    _: Merchant,
    Path(id): Path<Uuid>,
    Json(change): Json<ProductChange>,
) -> Result<Response, ApiError> {
    refuse(rules::product_change(&change))?;
    to_the_end(async move {
        let mut transaction = state.catalog.begin().await?;
        let changed = product::change(&mut transaction, id, &change).await;
        shown(&state, id, transaction, changed).await
    })
    .await
}

/// Sets the price: from this answer on, the product is sold at it.
///
/// It is shown a second later; when Redis lost it, within six minutes.
#[utoipa::path(
    put,
    path = "/api/v1/products/{id}/price",
    operation_id = "setPrice",
    tag = "products",
    params(("id" = Uuid, Path)),
    request_body = NewPrice,
    responses((status = 200, description = "As it is now", body = CatalogProduct)),
    security(("bearer" = []))
)]
pub async fn set_price(
    State(state): State<AppState>,
    _: Merchant,
    Path(id): Path<Uuid>,
    Json(price): Json<NewPrice>,
) -> Result<Response, ApiError> {
    refuse(rules::new_price(&price))?;
    to_the_end(async move {
        let mut transaction = state.catalog.begin().await?;
        let changed = product::set_price(&mut transaction, id, &price).await;
        shown(&state, id, transaction, changed).await
    })
    .await
}

/// Takes a product out of the catalogue. Orders that hold it keep what they say.
#[utoipa::path(
    delete,
    path = "/api/v1/products/{id}",
    operation_id = "removeProduct",
    tag = "products",
    params(("id" = Uuid, Path)),
    responses((status = 204, description = "Removed")),
    security(("bearer" = []))
)]
pub async fn remove(State(state): State<AppState>, _: Merchant, Path(id): Path<Uuid>) -> Result<StatusCode, ApiError> {
    to_the_end(async move {
        let mut transaction = state.catalog.begin().await?;
        let removed = product::remove(&mut transaction, id).await;
        let removed = committed(&state, id, transaction, removed).await?;
        write_through(&state, id, &Entry::absent(removed.version)).await;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// As it was written.
type Written = Result<Option<CatalogProduct>, sqlx::Error>;

async fn shown(state: &AppState, id: Uuid, transaction: Transaction, written: Written) -> Result<Response, ApiError> {
    let entry = entry(&committed(state, id, transaction, written).await?)?;
    write_through(state, id, &entry).await;
    Ok(json(StatusCode::OK, entry.body.unwrap_or_default()))
}

async fn committed(
    state: &AppState,
    id: Uuid,
    transaction: Transaction,
    written: Written,
) -> Result<CatalogProduct, ApiError> {
    let written = written.map_err(|error| refused(state, &error))?;
    let written = written.ok_or_else(|| no_product(id))?;
    state.catalog.commit(transaction).await?;
    Ok(written)
}

async fn write_through(state: &AppState, id: Uuid, entry: &Entry) {
    if state.cache.put(Kind::Product, &id.to_string(), entry).await.is_err() {
        tracing::info!(product = %id, "redis is away: the change's event will bring it there");
    }
}

pub(super) fn refuse(errors: Vec<shop_contract::problem::FieldError>) -> Result<(), ApiError> {
    match errors.is_empty() {
        true => Ok(()),
        false => Err(ApiError::invalid(errors)),
    }
}

/// The only other table a product points to is that of categories.
fn refused(state: &AppState, error: &sqlx::Error) -> ApiError {
    let unknown = error
        .as_database_error()
        .is_some_and(|error| error.is_foreign_key_violation());
    match unknown {
        true => ApiError::invalid_field("/category", "there is no such category"),
        false => state.catalog.error(error).into(),
    }
}
