//! The fast way: `inventory_reserve` for every order of a group, in one statement, which is one transaction. An error
//! means that nothing of the group was written, unless the connection broke.

use crate::reservation::{Line, Reservation, State, Take};
use crate::settle::Answer;
use crate::store::reservation;
use shop_kit_postgres::{Pool, StoreError};
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::time::Duration;
use uuid::Uuid;

pub struct Order {
    pub id: Uuid,
    pub lines: Vec<Line>,
}

/// An answer to each, in order; `None` where others were in the way.
pub async fn reserve(pool: &Pool, orders: &[&Order], hold: Duration) -> Result<Vec<Option<Answer>>, StoreError> {
    let (mut ids, mut first, mut last) = (Vec::new(), Vec::new(), Vec::new());
    let (mut products, mut quantities) = (Vec::new(), Vec::new());
    for order in orders {
        ids.push(order.id);
        first.push(products.len() as i32 + 1);
        products.extend(order.lines.iter().map(|line| line.product));
        quantities.extend(order.lines.iter().map(|line| line.quantity));
        last.push(products.len() as i32);
    }
    let rows = sqlx::query(
        "select done.* from unnest($1::uuid[], $2::integer[], $3::integer[]) \
             with ordinality as asked (order_id, first, last, position) \
         cross join lateral inventory_reserve(asked.order_id, ($4::uuid[])[asked.first:asked.last], \
             ($5::integer[])[asked.first:asked.last], $6) as done \
         order by asked.position",
    )
    .bind(ids)
    .bind(first)
    .bind(last)
    .bind(products)
    .bind(quantities)
    .bind(hold.as_secs_f64())
    .fetch_all(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    let answers: Result<Vec<_>, sqlx::Error> = orders
        .iter()
        .zip(&rows)
        .map(|(order, row)| answer(order, row))
        .collect();
    answers.map_err(|error| pool.error(&error))
}

fn answer(order: &Order, row: &PgRow) -> Result<Option<Answer>, sqlx::Error> {
    let outcome: String = row.try_get("outcome")?;
    match outcome.as_str() {
        "held" => held(order, row).map(Some),
        "short" => {
            let short: Vec<i32> = row.try_get("short")?;
            let positions = short.into_iter().map(|position| position as usize - 1);
            Ok(Some(Answer::Short(positions.collect())))
        }
        "known" => Ok(Some(Answer::Unchanged(reservation::read(order.id, row)?))),
        "contended" => Ok(None),
        other => Err(sqlx::Error::Decode(
            format!("the outcome `{other}` is new: update this program").into(),
        )),
    }
}

fn held(order: &Order, row: &PgRow) -> Result<Answer, sqlx::Error> {
    let slots: Vec<i16> = row.try_get("slots")?;
    let takes = order.lines.iter().zip(slots).map(|(line, slot)| Take {
        product: line.product,
        slot,
        quantity: line.quantity,
    });
    Ok(Answer::Held(Reservation {
        order: order.id,
        state: State::Reserved,
        takes: takes.collect(),
        expires_at: row.try_get("expires_at")?,
    }))
}
