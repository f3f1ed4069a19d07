//! `/api/v1/orders/shipping`: orders as those who pack and send goods see them. What is in the parcel and where it goes, not
//! what was paid.

use crate::SERVICE;
use crate::http::change::SENDERS;
use crate::router::AppState;
use crate::state;
use crate::store::order;
use crate::store::row::Stored;
use crate::store::shipping::{self, Todo};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use shop_contract::api::order::OrderToShip;
use shop_contract::api::{OrderLine, Page};
use shop_kit_http::{ApiError, PageQuery, Path, Query, page};
use shop_kit_token::Caller;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShippingStatus {
    /// To be shipped.
    #[default]
    Confirmed,
    /// On their way.
    Shipped,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Listing {
    /// Orders to be shipped (`confirmed`, also without it) or on their way (`shipped`).
    status: Option<ShippingStatus>,
    /// `next_cursor` of the page before.
    #[param(max_length = 512)]
    cursor: Option<String>,
    /// Entries on a page; 20 without it.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
}

/// List orders of all customers that are to be shipped or are on their way, oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/orders/shipping",
    operation_id = "listOrdersToShip",
    tag = "orders",
    security(("bearer" = [])),
    params(Listing),
    responses((status = 200, body = Page<OrderToShip>)),
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(listing): Query<Listing>,
) -> Result<Json<Page<OrderToShip>>, ApiError> {
    caller.require(SENDERS)?;
    let paging = PageQuery {
        cursor: listing.cursor,
        limit: listing.limit,
    };
    let (limit, after) = (paging.limit()?, paging.position::<Uuid>()?);
    let todo = match listing.status.unwrap_or_default() {
        ShippingStatus::Confirmed => Todo::Ship,
        ShippingStatus::Shipped => Todo::Deliver,
    };
    let found = shipping::list(&state.shards, todo, after, limit + 1).await?;
    let orders: Result<Vec<OrderToShip>, ApiError> = found.into_iter().map(shown).collect();
    page(orders?, limit, |last: &OrderToShip| last.id).map(Json)
}

/// Show an order that is to be shipped, is on its way or has arrived.
#[utoipa::path(
    get,
    path = "/api/v1/orders/shipping/{id}",
    operation_id = "showOrderToShip",
    tag = "orders",
    security(("bearer" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = OrderToShip)),
)]
pub async fn show(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<OrderToShip>, ApiError> {
    caller.require(SENDERS)?;
    let found = order::find_anywhere(&state.shards, id).await?;
    let found = found.filter(|(_, stored)| !stored.synthetic);
    let (_, stored) = found.ok_or_else(|| no_order(id))?;
    shown(stored).map(Json)
}

fn shown(stored: Stored) -> Result<OrderToShip, ApiError> {
    let unknown = || ApiError::unavailable(SERVICE, stored.unknown());
    let state = stored.state.ok_or_else(unknown)?;
    match state {
        state::State::Confirmed | state::State::Shipped | state::State::Delivered => {}
        state::State::Placed | state::State::Cancelled(_) => return Err(no_order(stored.order.id)),
    }
    let lines = stored.order.lines.into_iter().map(|line| OrderLine {
        product_id: line.product_id,
        quantity: line.quantity,
    });
    Ok(OrderToShip {
        id: stored.order.id,
        status: state.status(),
        lines: lines.collect(),
        ship_to: stored.order.ship_to,
        created_at: stored.order.created_at,
    })
}

fn no_order(id: Uuid) -> ApiError {
    ApiError::not_found(format!("there is no order {id} to be sent"))
}
