//! Orders of all customers that are to be sent or are on their way, over all shards, oldest first. Test orders are
//! nobody's to send.

use crate::store::row::{COLUMNS, Stored, read};
use shop_kit_postgres::{Shard, ShardedPool, StoreError};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

/// What is still to be done with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Todo {
    Ship,
    Deliver,
}

impl Todo {
    /// Written out, so that the planner sees that the partial index of this name fits.
    fn condition(self) -> &'static str {
        match self {
            Self::Ship => "status in ('accepted', 'confirmed')",
            Self::Deliver => "status = 'shipped'",
        }
    }
}

/// Younger than `after`. An id carries its time, so the pages of all shards are one list; every shard has to answer,
/// because whoever reads on from a page without one of them would never see its orders.
pub async fn list(
    shards: &ShardedPool,
    todo: Todo,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Stored>, StoreError> {
    let all = shards.all();
    let asked = all.iter().map(|shard| list_one(shard, todo, after, limit));
    let found = futures::future::try_join_all(asked).await?;
    let mut found: Vec<Stored> = found.into_iter().flatten().collect();
    found.sort_unstable_by_key(|stored| stored.order.id);
    found.truncate(usize::try_from(limit).unwrap_or_default());
    Ok(found)
}

async fn list_one(shard: &Shard, todo: Todo, after: Option<Uuid>, limit: i64) -> Result<Vec<Stored>, StoreError> {
    let condition = todo.condition();
    let statement = format!(
        "select {COLUMNS} from orders where {condition} and id > $1 and not synthetic order by orders.id limit $2"
    );
    let rows = sqlx::query(AssertSqlSafe(statement))
        .bind(after.unwrap_or(Uuid::nil()))
        .bind(limit)
        .fetch_all(shard.pool.executor())
        .await;
    let read = rows.and_then(|rows| rows.iter().map(|row| read(row, shard.index)).collect());
    read.map_err(|error| shard.pool.error(&error))
}
