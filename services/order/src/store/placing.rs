//! An order is placed by one statement, which is its own transaction: the key's answer, the cart, the order, its lines
//! and its event, all of them or none. One round trip instead of five; each part looks at the one before it, because
//! what a statement writes it cannot take back.

use shop_contract::api::{Order, OrderLine};
use shop_contract::event::ORDER_PLACED;
use shop_kit_idempotency::Ticket;
use shop_kit_postgres::{Shard, StoreError};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::types::Json;
use sqlx::{Postgres, Row};
use uuid::Uuid;

/// Everything that is written.
pub struct Placing<'a> {
    pub order: &'a Order,
    pub synthetic: bool,
    pub payment_token: &'a str,
    /// `order.placed`, as JSON.
    pub event: String,
    pub event_id: Uuid,
    /// The order as JSON: what is kept for the key.
    pub answer: &'a str,
    pub location: &'a str,
    pub ticket: Option<&'a Ticket>,
    /// The cart as it was priced; it must still be so.
    pub cart: Option<&'a [OrderLine]>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Placed {
    Done,
    /// Another request runs under the key.
    TakenOver,
    CartChanged,
}

#[derive(Debug)]
pub enum PlacingError {
    /// Certainly nothing was written.
    Nothing(StoreError),
    /// The connection was lost after the statement was sent: it may have been written or not.
    Unknown(StoreError),
}

const PLACE: &str = "\
with ticket as (
    select from order_idempotency where owner = $2 and key = $8 and token = $9 and status is null for update
), cart as (
    delete from carts where user_id = $2 and products = $12 and quantities = $13
    and ($8::text is null or exists (select from ticket)) returning 1
), answered as (
    update order_idempotency set status = 201, location = $10, body = $11
    where owner = $2 and key = $8 and token = $9 and exists (select from ticket)
    and ($12::uuid[] is null or exists (select from cart)) returning 1
), placed as (
    insert into orders (id, user_id, total_cents, currency, synthetic, created_at, payment_token, ship_to)
    select $1, $2, $3, $4, $5, $6::timestamptz, $7, $20
    where ($8::text is null or exists (select from answered)) and ($12::uuid[] is null or exists (select from cart))
    returning id
), lines as (
    insert into order_lines (order_id, position, product_id, quantity, price_cents)
    select placed.id, line.position, line.product_id, line.quantity, line.price_cents
    from placed, unnest($14::uuid[], $15::integer[], $16::bigint[]) with ordinality
    as line (product_id, quantity, price_cents, position)
), event as (
    insert into outbox (id, kind, payload) select $17, $18, $19 from placed
)
select exists (select from placed) as placed, $8::text is null or exists (select from ticket) as held";

pub async fn place(shard: &Shard, placing: &Placing<'_>) -> Result<Placed, PlacingError> {
    let nothing = |error: sqlx::Error| PlacingError::Nothing(shard.pool.error(&error));
    let mut lease = shard.pool.lease().await.map_err(nothing)?;
    let row = bound(placing).fetch_one(&mut *lease).await;
    let row = row.map_err(|error| {
        let shown = shard.pool.error(&error);
        if refused(&error) {
            PlacingError::Nothing(shown)
        } else {
            PlacingError::Unknown(shown)
        }
    })?;
    lease.keep();
    let read = || Ok((row.try_get("placed")?, row.try_get("held")?));
    match read().map_err(nothing)? {
        (true, _) => {
            shop_kit_events::appended();
            Ok(Placed::Done)
        }
        (false, true) => Ok(Placed::CartChanged),
        (false, false) => Ok(Placed::TakenOver),
    }
}

/// The statement with its values, in the order of their numbers.
fn bound<'a>(placing: &'a Placing<'_>) -> Query<'a, Postgres, PgArguments> {
    let Placing {
        order, ticket, cart, ..
    } = placing;
    let (cart_products, cart_quantities) = cart.map(columns).unzip();
    let products: Vec<Uuid> = order.lines.iter().map(|line| line.product_id).collect();
    let quantities: Vec<i32> = order.lines.iter().map(|line| line.quantity as i32).collect();
    let prices: Vec<i64> = order.lines.iter().map(|line| line.price_cents).collect();
    sqlx::query(PLACE)
        .bind(order.id)
        .bind(order.user_id)
        .bind(order.total_cents)
        .bind(&order.currency)
        .bind(placing.synthetic)
        .bind(&order.created_at)
        .bind(placing.payment_token)
        .bind(ticket.map(|ticket| ticket.key()))
        .bind(ticket.map(|ticket| ticket.token()))
        .bind(placing.location)
        .bind(placing.answer)
        .bind(cart_products)
        .bind(cart_quantities)
        .bind(products)
        .bind(quantities)
        .bind(prices)
        .bind(placing.event_id)
        .bind(ORDER_PLACED)
        .bind(&placing.event)
        .bind(order.ship_to.as_ref().map(Json))
}

/// As the table of carts has them.
pub fn columns(lines: &[OrderLine]) -> (Vec<Uuid>, Vec<i32>) {
    lines.iter().map(|line| (line.product_id, line.quantity as i32)).unzip()
}

/// Whether the server itself said that it rolled back. A server that is being ended may have committed before it could
/// say so (class 57), and PgBouncer speaks for a server it lost in class 08 and 58.
fn refused(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| !["08", "57", "58"].iter().any(|class| code.starts_with(class)) || code == "57014")
}
