//! Orders and their lines, in the customer's shard.

use shop_contract::api::{Order, OrderStatus, PricedLine};
use shop_kit_postgres::{Shard, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::collections::HashMap;
use uuid::Uuid;

/// RFC 3339 in UTC; text, because this program never calculates with it.
const COLUMNS: &str = "id, user_id, status, total_cents, currency, \
     to_char(created_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') as created_at";

/// The database's clock, in the words of [`Order::created_at`].
pub async fn now(transaction: &mut PgConnection) -> Result<String, sqlx::Error> {
    sqlx::query_scalar("select to_char(now() at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
        .fetch_one(transaction)
        .await
}

/// Writes an order and its lines; its time is the transaction's.
pub async fn insert(transaction: &mut PgConnection, order: &Order, synthetic: bool) -> Result<(), sqlx::Error> {
    sqlx::query("insert into orders (id, user_id, total_cents, currency, synthetic) values ($1, $2, $3, $4, $5)")
        .bind(order.id)
        .bind(order.user_id)
        .bind(order.total_cents)
        .bind(&order.currency)
        .bind(synthetic)
        .execute(&mut *transaction)
        .await?;
    let products: Vec<Uuid> = order.lines.iter().map(|line| line.product_id).collect();
    let quantities: Vec<i32> = order.lines.iter().map(|line| line.quantity as i32).collect();
    let prices: Vec<i64> = order.lines.iter().map(|line| line.price_cents).collect();
    sqlx::query(
        "insert into order_lines (order_id, position, product_id, quantity, price_cents) \
         select $1, line.position, line.product_id, line.quantity, line.price_cents \
         from unnest($2::uuid[], $3::integer[], $4::bigint[]) with ordinality \
         as line (product_id, quantity, price_cents, position)",
    )
    .bind(order.id)
    .bind(products)
    .bind(quantities)
    .bind(prices)
    .execute(transaction)
    .await?;
    Ok(())
}

/// A customer's own order.
pub async fn find(shard: &Shard, user: Uuid, id: Uuid) -> Result<Option<Order>, StoreError> {
    let text = format!("select {COLUMNS} from orders where user_id = $1 and id = $2");
    let rows = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(user)
        .bind(id)
        .fetch_all(shard.pool.executor())
        .await;
    let rows = rows.map_err(|error| shard.pool.error(&error))?;
    Ok(with_lines(shard, &rows).await?.pop())
}

/// A customer's orders, newest first, older than `before`.
pub async fn list(shard: &Shard, user: Uuid, before: Option<Uuid>, limit: i64) -> Result<Vec<Order>, StoreError> {
    let text = format!("select {COLUMNS} from orders where user_id = $1 and id < $2 order by id desc limit $3");
    let rows = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(user)
        .bind(before.unwrap_or(Uuid::max()))
        .bind(limit)
        .fetch_all(shard.pool.executor())
        .await;
    with_lines(shard, &rows.map_err(|error| shard.pool.error(&error))?).await
}

/// Marks an order as accepted; one that was accepted or swept before stays as it is.
pub async fn accept(transaction: &mut PgConnection, id: Uuid) -> Result<bool, sqlx::Error> {
    let accepted =
        sqlx::query("update orders set status = 'accepted', accepted_at = now() where id = $1 and status = 'placed'")
            .bind(id)
            .execute(transaction)
            .await?;
    Ok(accepted.rows_affected() == 1)
}

/// Removes the operator's test orders after ten minutes and kept answers after two days.
pub async fn sweep(shard: &Shard) -> Result<u64, StoreError> {
    let run = |statement: &'static str| async move {
        let swept = sqlx::query(statement).execute(shard.pool.executor()).await;
        swept
            .map(|swept| swept.rows_affected())
            .map_err(|error| shard.pool.error(&error))
    };
    let orders = run(
        "delete from orders where id in (select id from orders where synthetic and created_at < now() - interval '10 minutes' limit 1000)",
    )
    .await?;
    run("delete from idempotency where ctid in (select ctid from idempotency where created_at < now() - interval '2 days' limit 5000)")
        .await?;
    Ok(orders)
}

async fn with_lines(shard: &Shard, rows: &[PgRow]) -> Result<Vec<Order>, StoreError> {
    let read = |row: &PgRow| {
        Ok(Order {
            id: row.try_get("id")?,
            user_id: row.try_get("user_id")?,
            status: status(row.try_get("status")?)?,
            total_cents: row.try_get("total_cents")?,
            currency: row.try_get("currency")?,
            shard: shard.index,
            lines: Vec::new(),
            created_at: row.try_get("created_at")?,
        })
    };
    let orders: Result<Vec<Order>, sqlx::Error> = rows.iter().map(read).collect();
    let mut orders = orders.map_err(|error| shard.pool.error(&error))?;
    let ids: Vec<Uuid> = orders.iter().map(|order| order.id).collect();
    let mut lines = lines_of(shard, &ids).await.map_err(|error| shard.pool.error(&error))?;
    for order in &mut orders {
        order.lines = lines.remove(&order.id).unwrap_or_default();
    }
    Ok(orders)
}

async fn lines_of(shard: &Shard, orders: &[Uuid]) -> Result<HashMap<Uuid, Vec<PricedLine>>, sqlx::Error> {
    let rows = sqlx::query(
        "select order_id, product_id, quantity, price_cents from order_lines where order_id = any($1) \
         order by order_id, position",
    )
    .bind(orders)
    .fetch_all(shard.pool.executor())
    .await?;
    let mut lines: HashMap<Uuid, Vec<PricedLine>> = HashMap::new();
    for row in rows {
        let quantity: i32 = row.try_get("quantity")?;
        let line = PricedLine {
            product_id: row.try_get("product_id")?,
            quantity: quantity.unsigned_abs(),
            price_cents: row.try_get("price_cents")?,
        };
        lines.entry(row.try_get("order_id")?).or_default().push(line);
    }
    Ok(lines)
}

fn status(text: &str) -> Result<OrderStatus, sqlx::Error> {
    match text {
        "placed" => Ok(OrderStatus::Placed),
        "accepted" => Ok(OrderStatus::Accepted),
        other => Err(sqlx::Error::Decode(
            format!("orders.status is `{other}`: update this program").into(),
        )),
    }
}
