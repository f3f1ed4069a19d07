//! The bare SQL of the order's transaction: order, two lines, outbox row, straight at the primary of one shard, with its
//! own durability. In tables of the same shape in a schema of their own, which is removed afterwards.

use super::Ground;
use anyhow::Context;
use sqlx::Connection as _;
use sqlx::Executor as _;
use sqlx::pool::PoolConnection;
use sqlx::{Postgres, Transaction};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

const SCHEMA: [&str; 5] = [
    "drop schema if exists shop_load_bench cascade",
    "create schema shop_load_bench",
    "create table shop_load_bench.orders (like orders including all)",
    "create table shop_load_bench.order_lines (like order_lines including all)",
    "create table shop_load_bench.outbox (like outbox including all)",
];
const DROP: &str = "drop schema if exists shop_load_bench cascade";

pub async fn orders_per_second(ground: &Ground<'_>) -> anyhow::Result<f64> {
    let shard = ground
        .opened
        .sources
        .shards
        .all()
        .into_iter()
        .next()
        .context("the map has no shard")?;
    let options = shard.pool.connect_options();
    let pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections(ground.bench.users.min(32))
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options)
        .await
        .with_context(|| format!("shard {}", shard.index))?;
    for statement in SCHEMA {
        pool.execute(statement).await.with_context(|| statement.to_owned())?;
    }
    let written = write(&pool, ground.bench.users.min(32), ground.bench.lasting).await;
    pool.execute(DROP).await.context("removing the bench's tables")?;
    pool.close().await;
    written
}

async fn write(pool: &sqlx::PgPool, connections: u32, lasting: Duration) -> anyhow::Result<f64> {
    let mut writers = JoinSet::new();
    let mut ready = Vec::new();
    for _ in 0..connections {
        ready.push(pool.acquire().await?);
    }
    let begun = Instant::now();
    for connection in ready {
        writers.spawn(keep_writing(connection, begun, lasting));
    }
    let mut orders = 0_u64;
    while let Some(done) = writers.join_next().await {
        orders += done??;
    }
    Ok(orders as f64 / begun.elapsed().as_secs_f64())
}

async fn keep_writing(
    mut connection: PoolConnection<Postgres>,
    begun: Instant,
    lasting: Duration,
) -> anyhow::Result<u64> {
    let mut orders = 0;
    while begun.elapsed() < lasting {
        let mut transaction = connection.begin().await?;
        one(&mut transaction).await?;
        transaction.commit().await?;
        orders += 1;
    }
    Ok(orders)
}

async fn one(transaction: &mut Transaction<'_, Postgres>) -> Result<(), sqlx::Error> {
    let (order, user) = (Uuid::now_v7(), Uuid::now_v7());
    sqlx::query(
        "insert into shop_load_bench.orders (id, user_id, total_cents, currency, payment_token) \
         values ($1, $2, 1000, 'EUR', 'tok_ok')",
    )
    .bind(order)
    .bind(user)
    .execute(&mut **transaction)
    .await?;
    sqlx::query(
        "insert into shop_load_bench.order_lines (order_id, position, product_id, quantity, price_cents) \
         values ($1, 1, $2, 1, 500), ($1, 2, $3, 1, 500)",
    )
    .bind(order)
    .bind(Uuid::from_u128(1))
    .bind(Uuid::from_u128(2))
    .execute(&mut **transaction)
    .await?;
    let payload = format!(r#"{{"event_id":"{order}","order_id":"{order}","user_id":"{user}","total_cents":1000}}"#);
    sqlx::query("insert into shop_load_bench.outbox (id, kind, payload) values ($1, 'order.placed', $2)")
        .bind(order)
        .bind(payload)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}
