//! The outbox: an event is a row in the transaction of the fact it tells, so neither exists without the other.

use crate::{Tables, wake};
use serde::Serialize;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

/// An event to append. `id` is what consumers recognise a second delivery by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    pub id: Uuid,
    pub kind: &'static str,
    pub payload: String,
}

impl Outgoing {
    pub fn new(id: Uuid, kind: &'static str, event: &impl Serialize) -> Result<Self, sqlx::Error> {
        let payload = serde_json::to_string(event).map_err(|error| sqlx::Error::Encode(error.into()))?;
        Ok(Self { id, kind, payload })
    }
}

/// Adds an event to the transaction under way.
pub async fn append(
    transaction: &mut PgConnection,
    tables: &Tables,
    id: Uuid,
    kind: &str,
    event: &impl Serialize,
) -> Result<(), sqlx::Error> {
    let payload = serde_json::to_string(event).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let statement = format!("insert into {} (id, kind, payload) values ($1, $2, $3)", tables.outbox);
    sqlx::query(AssertSqlSafe(statement))
        .bind(id)
        .bind(kind)
        .bind(payload)
        .execute(transaction)
        .await?;
    wake::appended();
    Ok(())
}

/// Adds several in one statement.
pub async fn append_all(
    transaction: &mut PgConnection,
    tables: &Tables,
    events: &[Outgoing],
) -> Result<(), sqlx::Error> {
    if events.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = events.iter().map(|event| event.id).collect();
    let kinds: Vec<&str> = events.iter().map(|event| event.kind).collect();
    let payloads: Vec<&str> = events.iter().map(|event| event.payload.as_str()).collect();
    let statement = format!(
        "insert into {} (id, kind, payload) select * from unnest($1::uuid[], $2::text[], $3::text[])",
        tables.outbox
    );
    sqlx::query(AssertSqlSafe(statement))
        .bind(ids)
        .bind(kinds)
        .bind(payloads)
        .execute(transaction)
        .await?;
    wake::appended();
    Ok(())
}
