//! Bodies of `/api/v1/stock`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `GET /api/v1/stock/{product_id}`. The exact numbers are for merchants and admins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stock {
    pub product_id: Uuid,
    pub available: bool,
    pub level: StockLevel,
    /// Not sold, reserved ones included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_hand: Option<i64>,
    /// Held for orders that are not paid yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<i64>,
}

/// How many can be ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StockLevel {
    None,
    /// 1 to 9.
    Low,
    /// 10 to 99.
    Medium,
    /// 100 or more.
    High,
}

/// `POST /api/v1/stock/{product_id}/restocks`: units that came in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Restock {
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000_000))]
    pub quantity: i32,
}

/// `POST /api/v1/stock/{product_id}/adjustments`: what a count found to be more, or less, and why.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AdjustStock {
    /// Not 0; what orders hold cannot be taken away.
    #[cfg_attr(feature = "openapi", schema(minimum = -1_000_000, maximum = 1_000_000))]
    pub quantity: i32,
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 500))]
    pub reason: String,
}

/// A restock or an adjustment, and what it led to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StockChange {
    pub id: Uuid,
    pub product_id: Uuid,
    pub quantity: i32,
    pub on_hand: i64,
    pub reserved: i64,
}

/// A line of a product's ledger; their sum is what is on hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StockMovement {
    pub kind: MovementKind,
    pub quantity: i32,
    /// Of `claimed` and `returned`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<Uuid>,
    /// RFC 3339.
    pub at: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    Seeded,
    Restocked,
    Adjusted,
    /// Sold to an order.
    Claimed,
    /// Back from an order that was cancelled.
    Returned,
}

impl MovementKind {
    pub const ALL: [Self; 5] = [
        Self::Seeded,
        Self::Restocked,
        Self::Adjusted,
        Self::Claimed,
        Self::Returned,
    ];

    pub fn text(self) -> &'static str {
        match self {
            Self::Seeded => "seeded",
            Self::Restocked => "restocked",
            Self::Adjusted => "adjusted",
            Self::Claimed => "claimed",
            Self::Returned => "returned",
        }
    }

    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.text() == text)
    }
}
