//! Addresses, in the shard of their account. The account's row is locked while one is added, so that their number stays
//! within its bound however many are added at once.

use shop_contract::api::address::{Address, PostalAddress};
use shop_kit_postgres::{ShardedPool, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// Named one by one: a migration that adds a column must not change what a prepared statement returns.
macro_rules! columns {
    () => {
        "id, recipient, line1, line2, city, region, postal_code, country"
    };
}

/// Addresses one account may have.
pub const MOST: i64 = 20;

/// Why an address was not added.
pub enum Refused {
    NoAccount,
    TooMany,
}

pub async fn add(
    transaction: &mut PgConnection,
    user: Uuid,
    id: Uuid,
    new: &PostalAddress,
) -> Result<Result<Address, Refused>, sqlx::Error> {
    let account = sqlx::query("select id from users where id = $1 and deleted_at is null for update")
        .bind(user)
        .fetch_optional(&mut *transaction)
        .await?;
    if account.is_none() {
        return Ok(Err(Refused::NoAccount));
    }
    let count: i64 = sqlx::query_scalar("select count(*) from user_addresses where user_id = $1")
        .bind(user)
        .fetch_one(&mut *transaction)
        .await?;
    if count >= MOST {
        return Ok(Err(Refused::TooMany));
    }
    let row = sqlx::query(concat!(
        "insert into user_addresses (id, user_id, recipient, line1, line2, city, region, postal_code, country) ",
        "values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning ",
        columns!()
    ));
    let row = with(row.bind(id).bind(user), new).fetch_one(transaction).await?;
    read(&row).map(Ok)
}

/// `None` when the account has no such address.
pub async fn replace(
    shards: &ShardedPool,
    user: Uuid,
    id: Uuid,
    new: &PostalAddress,
) -> Result<Option<Address>, StoreError> {
    let pool = shards.of_user(user)?.pool;
    let query = sqlx::query(concat!(
        "update user_addresses set recipient = $3, line1 = $4, line2 = $5, city = $6, region = $7, postal_code = $8, ",
        "country = $9 where id = $1 and user_id = $2 returning ",
        columns!()
    ));
    let row = with(query.bind(id).bind(user), new)
        .fetch_optional(pool.executor())
        .await;
    one(row).map_err(|error| pool.error(&error))
}

pub async fn find(shards: &ShardedPool, user: Uuid, id: Uuid) -> Result<Option<Address>, StoreError> {
    let pool = shards.of_user(user)?.pool;
    let row = sqlx::query(concat!(
        "select ",
        columns!(),
        " from user_addresses where id = $1 and user_id = $2"
    ))
    .bind(id)
    .bind(user)
    .fetch_optional(pool.executor())
    .await;
    one(row).map_err(|error| pool.error(&error))
}

/// Oldest first, newer than `after`.
pub async fn list(
    shards: &ShardedPool,
    user: Uuid,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Address>, StoreError> {
    let pool = shards.of_user(user)?.pool;
    let rows = sqlx::query(concat!(
        "select ",
        columns!(),
        " from user_addresses where user_id = $1 and id > $2 order by id limit $3"
    ))
    .bind(user)
    .bind(after.unwrap_or(Uuid::nil()))
    .bind(limit)
    .fetch_all(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    let read: Result<Vec<Address>, sqlx::Error> = rows.iter().map(read).collect();
    read.map_err(|error| pool.error(&error))
}

/// False when the account has no such address.
pub async fn remove(shards: &ShardedPool, user: Uuid, id: Uuid) -> Result<bool, StoreError> {
    let pool = shards.of_user(user)?.pool;
    let removed = sqlx::query("delete from user_addresses where id = $1 and user_id = $2")
        .bind(id)
        .bind(user)
        .execute(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    Ok(removed.rows_affected() == 1)
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

fn with<'q>(query: Query<'q>, new: &'q PostalAddress) -> Query<'q> {
    query
        .bind(&new.recipient)
        .bind(&new.line1)
        .bind(&new.line2)
        .bind(&new.city)
        .bind(&new.region)
        .bind(&new.postal_code)
        .bind(&new.country)
}

fn one(row: Result<Option<PgRow>, sqlx::Error>) -> Result<Option<Address>, sqlx::Error> {
    row?.map(|row| read(&row)).transpose()
}

fn read(row: &PgRow) -> Result<Address, sqlx::Error> {
    Ok(Address {
        id: row.try_get("id")?,
        recipient: row.try_get("recipient")?,
        line1: row.try_get("line1")?,
        line2: row.try_get("line2")?,
        city: row.try_get("city")?,
        region: row.try_get("region")?,
        postal_code: row.try_get("postal_code")?,
        country: row.try_get("country")?,
    })
}
