//! Reading orders: the caller's own, and for support everybody's. Somebody else's order is as unknown as one that never
//! was.

use crate::router::AppState;
use crate::store::order::{self, Entry};
use crate::store::row::{Shown, Stored, text};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shop_contract::api::order::{OrderActor, OrderHistory};
use shop_contract::api::{ORDERS, Order, OrderStatus, Page, Role};
use shop_kit_http::{ApiError, PageQuery, Path, Query, page};
use shop_kit_postgres::Shard;
use shop_kit_token::Caller;
use utoipa::IntoParams;
use uuid::Uuid;

/// Who sees the orders of all customers.
pub const SUPPORT: &[Role] = &[Role::Support, Role::Admin];

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Listing {
    /// Only orders of this status.
    status: Option<OrderStatus>,
    /// Whose; for support only. Your own without it.
    user_id: Option<Uuid>,
    /// `next_cursor` of the page before.
    #[param(max_length = 512)]
    cursor: Option<String>,
    /// Entries on a page; 20 without it.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
}

/// The contract's `OrderHistory`.
#[derive(Serialize)]
pub struct History {
    items: Vec<Entry>,
}

/// List orders, newest first.
#[utoipa::path(
    get,
    path = ORDERS,
    operation_id = "listOrders",
    tag = "orders",
    security(("bearer" = [])),
    params(Listing),
    responses((status = 200, body = Page<Order>)),
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(listing): Query<Listing>,
) -> Result<Json<Page<Shown>>, ApiError> {
    let user = listing.user_id.unwrap_or(caller.user);
    if user != caller.user {
        caller.require(SUPPORT)?;
    }
    let paging = PageQuery {
        cursor: listing.cursor,
        limit: listing.limit,
    };
    let (limit, before) = (paging.limit()?, paging.position::<Uuid>()?);
    let shard = state.shards.of_user(user)?;
    let found = order::list(&shard, user, listing.status, before, limit + 1).await?;
    let orders = found.into_iter().map(|stored| stored.order).collect();
    page(orders, limit, |last: &Shown| last.id).map(Json)
}

/// Show an order.
#[utoipa::path(
    get,
    path = "/api/v1/orders/{id}",
    operation_id = "showOrder",
    tag = "orders",
    security(("bearer" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Order)),
)]
pub async fn show(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<Shown>, ApiError> {
    let (_, stored) = visible(&state, &caller, id).await?;
    Ok(Json(stored.order))
}

/// What happened to an order.
#[utoipa::path(
    get,
    path = "/api/v1/orders/{id}/history",
    operation_id = "showOrderHistory",
    tag = "orders",
    security(("bearer" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = OrderHistory)),
)]
pub async fn history(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<History>, ApiError> {
    let (shard, stored) = visible(&state, &caller, id).await?;
    let word = |error| ApiError::from(shard.pool.error(&error));
    let placed = Entry {
        status: text(&OrderStatus::Placed).map_err(word)?,
        cancel_reason: None,
        by: text(&OrderActor::Customer).map_err(word)?,
        at: stored.order.created_at,
    };
    let mut items = vec![placed];
    items.extend(order::history(&shard, id).await?);
    Ok(Json(History { items }))
}

/// An order this caller may see, and where it lies.
async fn visible(state: &AppState, caller: &Caller, id: Uuid) -> Result<(Shard, Stored), ApiError> {
    let found = if caller.require(SUPPORT).is_ok() {
        order::find_anywhere(&state.shards, id).await?
    } else {
        let shard = state.shards.of_user(caller.user)?;
        let stored = order::find(&shard, Some(caller.user), id).await?;
        stored.map(|stored| (shard, stored))
    };
    found.ok_or_else(|| no_order(id))
}

pub fn no_order(id: Uuid) -> ApiError {
    ApiError::not_found(format!("you have no order {id}"))
}
