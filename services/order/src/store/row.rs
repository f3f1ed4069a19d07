//! An order as one row, its lines included, so that reading one is one round trip.

use crate::state::State;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};
use serde::{Deserialize, Serialize};
use shop_contract::api::address::PostalAddress;
use shop_contract::api::{CancelReason, OrderStatus, PricedLine};
use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use uuid::Uuid;

/// Times are RFC 3339 in UTC and text, because this program never calculates with them. Orders accepted by the version
/// before are confirmed ones.
pub const COLUMNS: &str = "id, user_id, case status when 'accepted' then 'confirmed' else status end as status, \
     cancel_reason, total_cents, currency, synthetic, ship_to, \
     to_char(created_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') as created_at, \
     (select coalesce(json_agg(json_build_object('product_id', product_id, 'quantity', quantity, \
     'price_cents', price_cents) order by position), '[]') from order_lines where order_id = orders.id) as lines";

/// What [`COLUMNS`] reads.
#[derive(Clone, Debug)]
pub struct Stored {
    pub order: Shown,
    /// `None` when a later version wrote words this one does not know.
    pub state: Option<State>,
    pub synthetic: bool,
}

/// The contract's `Order` with its words as they are stored. While pods are replaced both versions serve, and an order
/// that the later one moved is shown by this one too.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    pub id: Uuid,
    pub user_id: Uuid,
    pub status: String,
    pub total_cents: i64,
    pub currency: String,
    pub shard: u16,
    pub lines: Vec<PricedLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ship_to: Option<PostalAddress>,
    pub created_at: String,
}

impl Stored {
    /// Of an order nobody here may change.
    pub fn unknown(&self) -> String {
        let Shown { id, status, .. } = &self.order;
        format!("order {id} is `{status}`, which only a later version of this service knows; it is being rolled out")
    }
}

pub fn read(row: &PgRow, shard: u16) -> Result<Stored, sqlx::Error> {
    let (status, cancel_reason): (String, Option<String>) = (row.try_get("status")?, row.try_get("cancel_reason")?);
    let state = state(&status, cancel_reason.as_deref());
    let Json(lines): Json<Vec<PricedLine>> = row.try_get("lines")?;
    let ship_to: Option<Json<PostalAddress>> = row.try_get("ship_to")?;
    Ok(Stored {
        order: Shown {
            id: row.try_get("id")?,
            user_id: row.try_get("user_id")?,
            status,
            total_cents: row.try_get("total_cents")?,
            currency: row.try_get("currency")?,
            shard,
            lines,
            cancel_reason,
            ship_to: ship_to.map(|Json(address)| address),
            created_at: row.try_get("created_at")?,
        },
        state,
        synthetic: row.try_get("synthetic")?,
    })
}

fn state(status: &str, reason: Option<&str>) -> Option<State> {
    let status: OrderStatus = word(status)?;
    let reason: Option<CancelReason> = match reason {
        Some(reason) => Some(word(reason)?),
        None => None,
    };
    State::of(status, reason)
}

/// A column holds the word the API uses; `None` for one this version does not know.
fn word<T: for<'a> Deserialize<'a>>(text: &str) -> Option<T> {
    let reader: StrDeserializer<'_, Error> = text.into_deserializer();
    T::deserialize(reader).ok()
}

/// The word of a column; only for enums whose variants are words.
pub fn text<T: serde::Serialize>(value: &T) -> Result<String, sqlx::Error> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => Ok(text),
        other => Err(sqlx::Error::Encode(format!("{other:?} is no word").into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_later_version_are_no_state() {
        assert_eq!(state("shipped", None), Some(State::Shipped));
        assert_eq!(
            state("cancelled", Some("support")),
            Some(State::Cancelled(CancelReason::Support))
        );
        for (status, reason) in [
            ("packed", None),
            ("cancelled", Some("fraud")),
            ("placed", Some("support")),
        ] {
            assert_eq!(state(status, reason), None, "{status}");
        }
    }
}
