//! Bodies of `/api/v1/cart` and of what may be done with an order after it was placed.

use super::address::PostalAddress;
use super::{CancelReason, OrderLine, OrderStatus};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `GET /api/v1/cart`: in the order the products were put in. Prices are the catalogue's, until checkout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cart {
    pub lines: Vec<OrderLine>,
}

/// `PUT /api/v1/cart/lines/{product_id}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PutCartLine {
    /// 1 to 99.
    pub quantity: u32,
}

/// `GET /api/v1/orders/shipping`: an order as those who pack and send it see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderToShip {
    pub id: Uuid,
    pub status: OrderStatus,
    pub lines: Vec<OrderLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_to: Option<PostalAddress>,
    /// RFC 3339.
    pub created_at: String,
}

/// `GET /api/v1/orders/{id}/history`: oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderHistory {
    pub items: Vec<HistoryEntry>,
}

/// An order entered a status; it enters each at most once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryEntry {
    pub status: OrderStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<CancelReason>,
    pub by: OrderActor,
    /// RFC 3339.
    pub at: String,
}

/// Who moved an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderActor {
    Customer,
    Support,
    Merchant,
    Payment,
    Inventory,
}
