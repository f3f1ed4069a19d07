//! The inbox: which events a consumer has handled, noted in the transaction of the effect.

use sqlx::PgConnection;
use uuid::Uuid;

/// False when the consumer has handled the event before: commit nothing then, and acknowledge.
pub async fn first_time(transaction: &mut PgConnection, consumer: &str, event: Uuid) -> Result<bool, sqlx::Error> {
    let noted = sqlx::query("insert into inbox (consumer, event_id) values ($1, $2) on conflict do nothing")
        .bind(consumer)
        .bind(event)
        .execute(transaction)
        .await?;
    Ok(noted.rows_affected() == 1)
}
