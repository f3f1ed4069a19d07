//! Rows of reservations. Several at a time: their takes travel as three long arrays, of which each row has a part.

use crate::reservation::{Reservation, State, Take};
use shop_kit_postgres::{Pool, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

/// Rows removed by one statement, as the statements say.
const PURGED: u64 = 5000;
/// What ended so long ago that no event of it is under way any more. What was sold stays longer: it may come back.
const PURGE: [&str; 2] = [
    "delete from inventory_reservations where order_id in (select order_id from inventory_reservations \
     where state <> 'reserved' and state <> 'claimed' and settled_at < now() - interval '7 days' limit 5000)",
    "delete from inventory_reservations where order_id in (select order_id from inventory_reservations \
     where state = 'claimed' and settled_at < now() - interval '180 days' limit 5000)",
];

/// Rows of several reservations as arrays: row i has the takes `first[i]..=last[i]`, counted from 1.
#[derive(Default)]
struct Columns {
    orders: Vec<Uuid>,
    states: Vec<&'static str>,
    first: Vec<i32>,
    last: Vec<i32>,
    products: Vec<Uuid>,
    slots: Vec<i16>,
    quantities: Vec<i32>,
}

impl Columns {
    fn of<'a>(rows: impl Iterator<Item = &'a Reservation>) -> Self {
        let mut columns = Self::default();
        let mut next = 1;
        for row in rows {
            columns.orders.push(row.order);
            columns.states.push(row.state.text());
            columns.first.push(next);
            for take in &row.takes {
                columns.products.push(take.product);
                columns.slots.push(take.slot);
                columns.quantities.push(take.quantity);
                next += 1;
            }
            columns.last.push(next - 1);
        }
        columns
    }
}

/// Locks the rows that are there, in the order of their ids.
pub async fn lock(transaction: &mut PgConnection, orders: &[Uuid]) -> Result<BTreeMap<Uuid, Reservation>, sqlx::Error> {
    let rows = sqlx::query(
        "select order_id, state, products, slots, quantities, inventory_time(expires_at) as expires_at \
         from inventory_reservations where order_id = any($1) order by order_id for update",
    )
    .bind(orders)
    .fetch_all(transaction)
    .await?;
    rows.iter()
        .map(|row| {
            let order = row.try_get("order_id")?;
            Ok((order, read(order, row)?))
        })
        .collect()
}

/// A row of this table, or of what `inventory_reserve` returns.
pub(crate) fn read(order: Uuid, row: &PgRow) -> Result<Reservation, sqlx::Error> {
    let state: String = row.try_get("state")?;
    let state = State::read(&state)
        .ok_or_else(|| sqlx::Error::Decode(format!("the state `{state}` is new: update this program").into()))?;
    let (products, slots): (Vec<Uuid>, Vec<i16>) = (row.try_get("products")?, row.try_get("slots")?);
    let quantities: Vec<i32> = row.try_get("quantities")?;
    let takes = products.into_iter().zip(slots).zip(quantities);
    let takes = takes.map(|((product, slot), quantity)| Take {
        product,
        slot,
        quantity,
    });
    Ok(Reservation {
        order,
        state,
        takes: takes.collect(),
        expires_at: row.try_get("expires_at")?,
    })
}

/// Adds rows in the order of their ids, and returns when each expires. A row that somebody else added meanwhile is
/// missing in the answer: what was decided without knowing it must be rolled back.
pub async fn insert(
    transaction: &mut PgConnection,
    rows: &[&Reservation],
    hold: Duration,
) -> Result<BTreeMap<Uuid, String>, sqlx::Error> {
    if rows.is_empty() {
        return Ok(BTreeMap::new());
    }
    let columns = Columns::of(rows.iter().copied());
    let added = sqlx::query(
        "insert into inventory_reservations as r (order_id, state, products, slots, quantities, expires_at, settled_at) \
         select n.order_id, n.state, ($5::uuid[])[n.first:n.last], ($6::smallint[])[n.first:n.last], \
             ($7::integer[])[n.first:n.last], now() + make_interval(secs => $8), \
             case when n.state <> 'reserved' then now() end \
         from unnest($1::uuid[], $2::text[], $3::integer[], $4::integer[]) as n (order_id, state, first, last) \
         order by n.order_id on conflict do nothing returning r.order_id, inventory_time(r.expires_at) as expires_at",
    )
    .bind(columns.orders)
    .bind(columns.states)
    .bind(columns.first)
    .bind(columns.last)
    .bind(columns.products)
    .bind(columns.slots)
    .bind(columns.quantities)
    .bind(hold.as_secs_f64())
    .fetch_all(transaction)
    .await?;
    added
        .iter()
        .map(|row| Ok((row.try_get("order_id")?, row.try_get("expires_at")?)))
        .collect()
}

/// Changes rows that are locked.
pub async fn update(transaction: &mut PgConnection, rows: &[&Reservation]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(rows.iter().copied());
    sqlx::query(
        "update inventory_reservations r set state = n.state, settled_at = now(), \
             products = ($5::uuid[])[n.first:n.last], slots = ($6::smallint[])[n.first:n.last], \
             quantities = ($7::integer[])[n.first:n.last] \
         from unnest($1::uuid[], $2::text[], $3::integer[], $4::integer[]) as n (order_id, state, first, last) \
         where r.order_id = n.order_id",
    )
    .bind(columns.orders)
    .bind(columns.states)
    .bind(columns.first)
    .bind(columns.last)
    .bind(columns.products)
    .bind(columns.slots)
    .bind(columns.quantities)
    .execute(transaction)
    .await?;
    Ok(())
}

/// Locks some that are over and that nobody else has locked.
pub async fn due(transaction: &mut PgConnection, limit: i64) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar(
        "select order_id from inventory_reservations where state = 'reserved' and expires_at <= now() \
         order by expires_at limit $1 for update skip locked",
    )
    .bind(limit)
    .fetch_all(transaction)
    .await
}

/// How many are over and still held: grows when no worker runs.
pub async fn overdue(pool: &Pool) -> Result<i64, StoreError> {
    let count = "select count(*) from inventory_reservations where state = 'reserved' and expires_at <= now()";
    sqlx::query_scalar(count)
        .fetch_one(pool.executor())
        .await
        .map_err(|error| pool.error(&error))
}

pub async fn purge(pool: &Pool) -> Result<(), StoreError> {
    for statement in PURGE {
        let mut removed = PURGED;
        while removed == PURGED {
            let done = sqlx::query(statement).execute(pool.executor()).await;
            removed = done.map_err(|error| pool.error(&error))?.rows_affected();
        }
    }
    Ok(())
}
