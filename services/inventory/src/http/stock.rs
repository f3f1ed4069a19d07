//! `GET /api/v1/stock/{product_id}`: for everybody whether there is any and about how many, for merchants exactly.
//! `GET /api/v1/stock/{product_id}/movements`: the ledger, for merchants.

use crate::router::AppState;
use crate::store::{movement, slot};
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use shop_contract::api::inventory::{Stock, StockLevel, StockMovement};
use shop_contract::api::{Page, Role};
use shop_kit_http::{ApiError, PageQuery, Path, Query, page};
use shop_kit_token::Caller;
use uuid::Uuid;

pub const MERCHANTS: &[Role] = &[Role::Merchant, Role::Admin];

/// Somebody, or nobody when no token was sent; a bad token is refused all the same.
pub struct MaybeCaller(Option<Caller>);

impl FromRequestParts<AppState> for MaybeCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        if !parts.headers.contains_key(AUTHORIZATION) {
            return Ok(Self(None));
        }
        Caller::from_request_parts(parts, state)
            .await
            .map(|caller| Self(Some(caller)))
    }
}

#[utoipa::path(
    get, path = "/api/v1/stock/{product_id}", operation_id = "getStock", tag = "stock",
    params(("product_id" = Uuid, Path)),
    security((), ("bearer" = [])),
    responses(
        (status = 200, description = "About how many there are; exactly, for merchants", body = Stock),
        (status = 401, description = "The token sent does not hold")
    )
)]
pub async fn show(
    State(state): State<AppState>,
    MaybeCaller(caller): MaybeCaller,
    Path(product): Path<Uuid>,
) -> Result<Json<Stock>, ApiError> {
    let exact = caller.is_some_and(|caller| caller.require(MERCHANTS).is_ok());
    let level = match exact {
        true => slot::level(&state.pool, product).await?,
        false => {
            let read = |pool| async move { slot::level(&pool, product).await };
            state.reads.run(read).await?
        }
    };
    let level = level.ok_or_else(|| unknown(product))?;
    let free = level.on_hand - level.reserved;
    Ok(Json(Stock {
        product_id: product,
        available: free > 0,
        level: about(free),
        on_hand: exact.then_some(level.on_hand),
        reserved: exact.then_some(level.reserved),
    }))
}

#[utoipa::path(
    get, path = "/api/v1/stock/{product_id}/movements", operation_id = "listStockMovements", tag = "stock",
    params(("product_id" = Uuid, Path), PageQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "Newest first", body = Page<StockMovement>))
)]
pub async fn movements(
    State(state): State<AppState>,
    caller: Caller,
    Path(product): Path<Uuid>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<StockMovement>>, ApiError> {
    caller.require(MERCHANTS)?;
    let (limit, before) = (query.limit()?, query.position::<i64>()?);
    let entries = movement::list(&state.pool, product, before, limit + 1).await?;
    if entries.is_empty() && before.is_none() && slot::level(&state.pool, product).await?.is_none() {
        return Err(unknown(product));
    }
    let Page { items, next_cursor } = page(entries, limit, |entry| entry.id)?;
    let items = items.into_iter().map(|entry| entry.movement).collect();
    Ok(Json(Page { items, next_cursor }))
}

pub fn unknown(product: Uuid) -> ApiError {
    ApiError::not_found(format!("there is no stock of a product {product}"))
}

fn about(free: i64) -> StockLevel {
    match free {
        ..=0 => StockLevel::None,
        1..=9 => StockLevel::Low,
        10..=99 => StockLevel::Medium,
        100.. => StockLevel::High,
    }
}
