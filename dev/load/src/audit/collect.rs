//! Reads what the databases hold of a run: every order of its customers in every shard, and what payment, stock and
//! mails have of those and of every acknowledged order. Reads with its own statements, not with the services' code.

use crate::history::{Found, LedgerEntry, Level, Mail, Operation, OrderFound, Promises};
use anyhow::Context;
use shop_books::read::Sources;
use shop_contract::api::{OrderStatus, PricedLine};
use shop_kit_postgres::{Pool, Shard};
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// Ids in one statement.
const CHUNK: usize = 5_000;

pub async fn found(sources: &Sources, promises: &Promises) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let customers: Vec<Uuid> = promises.customers.iter().copied().collect();
    let shards = sources.shards.all();
    for shard in &shards {
        let read = orders(shard, &customers).await;
        found
            .orders
            .extend(read.with_context(|| format!("orders of shard {}", shard.index))?);
    }
    let mut ids: BTreeSet<Uuid> = found.orders.iter().map(|order| order.id).collect();
    ids.extend(promises.acknowledged().map(|(_, _, promised)| promised.order));
    let ids: Vec<Uuid> = ids.into_iter().collect();
    for chunk in ids.chunks(CHUNK) {
        found.ledger.extend(
            ledger(&sources.payments, chunk)
                .await
                .context("the provider's ledger")?,
        );
        found
            .claimed
            .extend(claimed(&sources.catalog, chunk).await.context("stock movements")?);
    }
    let products: BTreeSet<Uuid> = found
        .orders
        .iter()
        .flat_map(|order| &order.lines)
        .map(|line| line.product_id)
        .collect();
    found.stock = levels(sources, &products.into_iter().collect::<Vec<_>>())
        .await
        .context("stock")?;
    let mut mails = Vec::new();
    for shard in &shards {
        for chunk in ids.chunks(CHUNK) {
            mails.extend(self::mails(&shard.pool, chunk).await.context("mails")?);
        }
    }
    found.mails = Some(mails);
    Ok(found)
}

async fn orders(shard: &Shard, customers: &[Uuid]) -> anyhow::Result<Vec<OrderFound>> {
    let pool = shard.pool.executor();
    let rows = sqlx::query("select id, user_id, status, total_cents, currency from orders where user_id = any($1)")
        .bind(customers)
        .fetch_all(pool)
        .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.try_get("id")).collect::<Result<_, _>>()?;
    let mut lines: HashMap<Uuid, Vec<PricedLine>> = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let rows = sqlx::query(
            "select order_id, product_id, quantity, price_cents from order_lines where order_id = any($1) \
             order by order_id, position",
        )
        .bind(chunk)
        .fetch_all(pool)
        .await?;
        for row in rows {
            let quantity: i32 = row.try_get("quantity")?;
            let line = PricedLine {
                product_id: row.try_get("product_id")?,
                quantity: quantity.unsigned_abs(),
                price_cents: row.try_get("price_cents")?,
            };
            lines.entry(row.try_get("order_id")?).or_default().push(line);
        }
    }
    let order = |row: &PgRow| {
        let (id, status): (Uuid, String) = (row.try_get("id")?, row.try_get("status")?);
        let status: OrderStatus = serde_json::from_value(status.into()).context("orders.status")?;
        Ok(OrderFound {
            shard: shard.index,
            id,
            user: row.try_get("user_id")?,
            status,
            total_cents: row.try_get("total_cents")?,
            currency: row.try_get("currency")?,
            lines: lines.remove(&id).unwrap_or_default(),
        })
    };
    rows.iter().map(order).collect()
}

async fn ledger(pool: &Pool, ids: &[Uuid]) -> anyhow::Result<Vec<LedgerEntry>> {
    let rows = sqlx::query(
        "select order_id, operation, amount_cents, currency from provider_ledger \
         where order_id = any($1) and outcome = 'done' and took_effect",
    )
    .bind(ids)
    .fetch_all(pool.executor())
    .await?;
    let entry = |row: &PgRow| {
        let operation = match row.try_get::<String, _>("operation")?.as_str() {
            "authorise" => Operation::Authorise,
            "capture" => Operation::Capture,
            "void" => Operation::Void,
            "refund" => Operation::Refund,
            other => anyhow::bail!("provider_ledger.operation is `{other}`: update this program"),
        };
        Ok(LedgerEntry {
            order: row.try_get("order_id")?,
            operation,
            cents: row.try_get("amount_cents")?,
            currency: row.try_get("currency")?,
        })
    };
    rows.iter().map(entry).collect()
}

async fn claimed(pool: &Pool, ids: &[Uuid]) -> anyhow::Result<BTreeMap<(Uuid, Uuid), i64>> {
    let rows = sqlx::query(
        "select order_id, product_id, (-sum(quantity))::bigint as units from stock_movements \
         where order_id = any($1) group by order_id, product_id",
    )
    .bind(ids)
    .fetch_all(pool.executor())
    .await?;
    let claim = |row: &PgRow| {
        Ok((
            (row.try_get("order_id")?, row.try_get("product_id")?),
            row.try_get("units")?,
        ))
    };
    rows.iter().map(claim).collect()
}

async fn levels(sources: &Sources, products: &[Uuid]) -> anyhow::Result<Vec<Level>> {
    let mut levels = Vec::new();
    for chunk in products.chunks(CHUNK) {
        let facts = sources.stock(chunk).await?;
        levels.extend(facts.into_iter().map(|facts| Level {
            product: facts.product,
            on_hand: facts.on_hand,
            reserved: facts.reserved,
            movements: facts.movements,
            reservations: facts.reservations,
        }));
    }
    Ok(levels)
}

/// One row per mail, in the customer's shard; kept also where no mail server is configured. One that waits is not there
/// yet.
async fn mails(pool: &Pool, ids: &[Uuid]) -> anyhow::Result<Vec<Mail>> {
    let rows = sqlx::query("select object_id, kind from user_mails where object_id = any($1) and state <> 'waiting'")
        .bind(ids)
        .fetch_all(pool.executor())
        .await?;
    let mail = |row: &PgRow| {
        Ok(Mail {
            order: row.try_get("object_id")?,
            kind: row.try_get("kind")?,
        })
    };
    rows.iter().map(mail).collect()
}
