//! An order as one row, its lines included, so that reading one is one round trip.

use crate::state::State;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};
use shop_contract::api::{CancelReason, Order, OrderStatus, PricedLine};
use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::types::Json;

/// Times are RFC 3339 in UTC and text, because this program never calculates with them. Orders accepted by the version
/// before are confirmed ones.
pub const COLUMNS: &str = "id, user_id, case status when 'accepted' then 'confirmed' else status end as status, \
     cancel_reason, total_cents, currency, synthetic, \
     to_char(created_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') as created_at, \
     (select coalesce(json_agg(json_build_object('product_id', product_id, 'quantity', quantity, \
     'price_cents', price_cents) order by position), '[]') from order_lines where order_id = orders.id) as lines";

/// What [`COLUMNS`] reads.
#[derive(Clone, Debug)]
pub struct Stored {
    pub order: Order,
    pub state: State,
    pub synthetic: bool,
}

pub fn read(row: &PgRow, shard: u16) -> Result<Stored, sqlx::Error> {
    let status: OrderStatus = word(row.try_get("status")?)?;
    let reason: Option<&str> = row.try_get("cancel_reason")?;
    let reason: Option<CancelReason> = reason.map(word).transpose()?;
    let state = State::of(status, reason).ok_or_else(|| unknown(&format!("{status:?} with {reason:?}")))?;
    let Json(lines): Json<Vec<PricedLine>> = row.try_get("lines")?;
    Ok(Stored {
        order: Order {
            id: row.try_get("id")?,
            user_id: row.try_get("user_id")?,
            status,
            total_cents: row.try_get("total_cents")?,
            currency: row.try_get("currency")?,
            shard,
            lines,
            cancel_reason: reason,
            created_at: row.try_get("created_at")?,
        },
        state,
        synthetic: row.try_get("synthetic")?,
    })
}

/// A column holds the word the API uses.
pub fn word<T: for<'a> Deserialize<'a>>(text: &str) -> Result<T, sqlx::Error> {
    let reader: StrDeserializer<'_, Error> = text.into_deserializer();
    T::deserialize(reader).map_err(|_| unknown(text))
}

/// The word of a column; only for enums whose variants are words.
pub fn text<T: serde::Serialize>(value: &T) -> Result<String, sqlx::Error> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => Ok(text),
        other => Err(sqlx::Error::Encode(format!("{other:?} is no word").into())),
    }
}

fn unknown(what: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("`{what}` in an order: update this program").into())
}
