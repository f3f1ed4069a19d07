//! Paths and bodies of the public API that more than one program reads or writes.

pub mod address;
pub mod books;
pub mod inventory;
pub mod notification;
pub mod order;
pub mod payment;
pub mod product;
pub mod recommendation;
pub mod user;

use address::PostalAddress;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub const USERS: &str = "/api/v1/users";
pub const SESSIONS: &str = "/api/v1/sessions";
pub const PRODUCTS: &str = "/api/v1/products";
pub const ORDERS: &str = "/api/v1/orders";
pub const CART: &str = "/api/v1/cart";
pub const CATEGORIES: &str = "/api/v1/categories";
pub const NOTIFICATIONS: &str = "/api/v1/notifications";
pub const STOCK: &str = "/api/v1/stock";
pub const PAYMENTS: &str = "/api/v1/payments";
pub const RECOMMENDATIONS: &str = "/api/v1/recommendations";
pub const ANALYTICS: &str = "/api/v1/analytics";
pub const BOOKS: &str = "/api/v1/books";
pub const JWKS: &str = "/.well-known/jwks.json";
/// Paths below it are for calls between services; the gateway lets none of them in.
pub const INTERNAL: &str = "/internal";
/// Below [`INTERNAL`].
pub const RESERVATIONS: &str = "/internal/v1/reservations";

/// What an account may do; each route names the roles it serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    #[default]
    Customer,
    /// Products, prices, stock.
    Merchant,
    /// Orders and payments of all customers.
    Support,
    /// Everything, roles included.
    Admin,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Customer, Self::Merchant, Self::Support, Self::Admin];
}

/// `POST /internal/v1/reservations`: holds stock for an order that is about to be placed. The same `order_id` again is
/// the same reservation. 201 held, 409 `out-of-stock` with a pointer per line that is short.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReserveStock {
    pub order_id: Uuid,
    pub lines: Vec<OrderLine>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reservation {
    pub order_id: Uuid,
    /// RFC 3339; after it the stock goes back on sale unless it was claimed.
    pub expires_at: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RegisterUser {
    pub email: String,
    pub password: String,
    pub name: String,
    /// Only with the synthetic key: the operator chooses ids so that one customer lies in each shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    pub id: Uuid,
    pub email: String,
    pub name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    pub email: String,
    pub password: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    pub access_token: String,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds.
    pub expires_in: u64,
    pub user_id: Uuid,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Product {
    pub id: Uuid,
    pub name: String,
    pub description: String,
    pub price_cents: i64,
    pub currency: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Pass as `?cursor=`; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A checkout. Without `lines` it takes the customer's cart and empties it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PlaceOrder {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<OrderLine>>,
    /// What the payment provider gave the client for the card; never a card number.
    pub payment_token: String,
    /// Where it is sent. Kept with the order as it is now; an address the account keeps may change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_to: Option<PostalAddress>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OrderLine {
    pub product_id: Uuid,
    pub quantity: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Order {
    pub id: Uuid,
    pub user_id: Uuid,
    pub status: OrderStatus,
    pub total_cents: i64,
    pub currency: String,
    /// The shard it lies in.
    pub shard: u16,
    pub lines: Vec<PricedLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<CancelReason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_to: Option<PostalAddress>,
    /// RFC 3339.
    pub created_at: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    Customer,
    Support,
    PaymentDeclined,
    OutOfStock,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PricedLine {
    pub product_id: Uuid,
    pub quantity: u32,
    pub price_cents: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Durable in its shard, its stock reserved; payment is under way.
    Placed,
    /// Paid, and its stock claimed.
    Confirmed,
    Shipped,
    Delivered,
    /// By the customer, by support, or because payment or stock failed; `cancel_reason` says which.
    Cancelled,
}
