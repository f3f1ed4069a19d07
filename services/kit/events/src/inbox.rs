//! The inbox: which events a consumer has handled, noted in the transaction of the effect.

use crate::Tables;
use sqlx::{AssertSqlSafe, PgConnection};
use std::collections::HashSet;
use uuid::Uuid;

/// False when the consumer has handled the event before: do nothing then, and acknowledge.
pub async fn first_time(
    transaction: &mut PgConnection,
    tables: &Tables,
    consumer: &str,
    event: Uuid,
) -> Result<bool, sqlx::Error> {
    let first = first_times(transaction, tables, consumer, &[event]).await?;
    Ok(first.contains(&event))
}

/// The events of a batch the consumer has not handled before, noted in one statement. Each appears once, also when the
/// batch holds it twice.
pub async fn first_times(
    transaction: &mut PgConnection,
    tables: &Tables,
    consumer: &str,
    events: &[Uuid],
) -> Result<HashSet<Uuid>, sqlx::Error> {
    // In one order, so that two consumers with the same events wait for each other instead of deadlocking.
    let mut ids = events.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let statement = format!(
        "insert into {} (consumer, event_id) select $1, unnest($2::uuid[]) on conflict do nothing returning event_id",
        tables.inbox
    );
    let noted = sqlx::query_scalar(AssertSqlSafe(statement))
        .bind(consumer)
        .bind(ids)
        .fetch_all(transaction)
        .await?;
    Ok(noted.into_iter().collect())
}
