//! `GET /api/v1/payments` and `/{id}`: the caller's own; those of all customers for support and admins.

use super::no_payment;
use crate::router::AppState;
use crate::store::shown::{self, Filter};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use shop_contract::api::payment::Payment;
use shop_contract::api::{Page, Role};
use shop_kit_http::{ApiError, PageQuery, Path, Query, page};
use shop_kit_token::Caller;
use uuid::Uuid;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Listing {
    /// Only the payment of this order.
    order_id: Option<Uuid>,
    /// `next_cursor` of the page before.
    #[param(max_length = 512)]
    cursor: Option<String>,
    /// Payments on a page; 20 without it.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
}

/// Payments, newest first. An order has one at most.
#[utoipa::path(
    get,
    path = "/api/v1/payments",
    operation_id = "listPayments",
    tag = "payments",
    params(Listing),
    responses((status = 200, description = "A page", body = Page<Payment>)),
    security(("bearer" = []))
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(listing): Query<Listing>,
) -> Result<Json<Page<shown::Payment>>, ApiError> {
    let query = PageQuery {
        cursor: listing.cursor,
        limit: listing.limit,
    };
    let (limit, before) = (query.limit()?, query.position::<Uuid>()?);
    let filter = Filter {
        user: visible_to(caller),
        order: listing.order_id,
        id: None,
    };
    let found = shown::list(&state.payments, filter, before, limit + 1).await?;
    page(found, limit, |last| last.id).map(Json)
}

/// A payment with its refunds.
#[utoipa::path(
    get,
    path = "/api/v1/payments/{id}",
    operation_id = "getPayment",
    tag = "payments",
    params(("id" = Uuid, Path)),
    responses((status = 200, description = "The payment", body = Payment)),
    security(("bearer" = []))
)]
pub async fn show(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<shown::Payment>, ApiError> {
    let filter = Filter {
        user: visible_to(caller),
        order: None,
        id: Some(id),
    };
    let found = shown::list(&state.payments, filter, None, 1).await?.pop();
    found.map(Json).ok_or_else(|| no_payment(id))
}

/// Whose payments: `None` is everybody's.
fn visible_to(caller: Caller) -> Option<Uuid> {
    match caller.role {
        Role::Support | Role::Admin => None,
        Role::Customer | Role::Merchant => Some(caller.user),
    }
}
