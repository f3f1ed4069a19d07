//! Moving orders from state to state: locked, written with their history and their event, any number in a few
//! statements.

use crate::state::State;
use crate::store::TABLES;
use crate::store::row::{COLUMNS, Stored, read, text};
use shop_contract::api::OrderStatus;
use shop_contract::api::order::OrderActor;
use shop_contract::event::{ORDER_CANCELLED, ORDER_CONFIRMED, ORDER_SHIPPED, OrderEvent};
use shop_kit_events::{Outgoing, append_all};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

/// One move of one order.
pub struct Change {
    /// As it is afterwards.
    pub stored: Stored,
    /// What it moved to.
    pub to: State,
    pub by: OrderActor,
    /// Whose account it was, when it was one.
    pub actor: Option<Uuid>,
    /// RFC 3339.
    pub at: String,
}

impl Stored {
    /// The same order in another state.
    pub fn moved(&self, state: State) -> Result<Self, sqlx::Error> {
        let mut moved = self.clone();
        moved.state = Some(state);
        moved.order.status = text(&state.status())?;
        moved.order.cancel_reason = state.reason().as_ref().map(text).transpose()?;
        Ok(moved)
    }
}

/// Locks orders, in the order of their ids, so that two who want the same ones wait for each other.
pub async fn lock(transaction: &mut PgConnection, shard: u16, ids: &[Uuid]) -> Result<Vec<Stored>, sqlx::Error> {
    let statement = format!("select {COLUMNS} from orders where id = any($1) order by orders.id for update");
    let rows = sqlx::query(AssertSqlSafe(statement))
        .bind(ids)
        .fetch_all(transaction)
        .await?;
    rows.iter().map(|row| read(row, shard)).collect()
}

/// Writes moves of locked orders, in the order they happened.
pub async fn write(transaction: &mut PgConnection, changes: &[Change]) -> Result<(), sqlx::Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::default();
    for change in changes {
        rows.push(change)?;
    }
    // An order that moved twice gets its last state; the bare ids let the planner pick the months.
    sqlx::query(
        "with change as (select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::text[]) \
         with ordinality as change (id, status, reason, actor, actor_id, at, place)), \
         moved as (update orders set status = last.status, cancel_reason = last.reason \
         from (select distinct on (id) id, status, reason from change order by id, place desc) as last \
         where orders.id = last.id and orders.id = any($1)) \
         insert into order_history (order_id, status, cancel_reason, actor, actor_id, at) \
         select id, status, reason, actor, actor_id, at::timestamptz from change",
    )
    .bind(rows.ids)
    .bind(rows.statuses)
    .bind(rows.reasons)
    .bind(rows.actors)
    .bind(rows.actor_ids)
    .bind(rows.times)
    .execute(&mut *transaction)
    .await?;
    append_all(transaction, &TABLES, &rows.events).await
}

#[derive(Default)]
struct Rows {
    ids: Vec<Uuid>,
    statuses: Vec<String>,
    reasons: Vec<Option<String>>,
    actors: Vec<String>,
    actor_ids: Vec<Option<Uuid>>,
    times: Vec<String>,
    events: Vec<Outgoing>,
}

impl Rows {
    fn push(&mut self, change: &Change) -> Result<(), sqlx::Error> {
        let order = &change.stored.order;
        self.ids.push(order.id);
        self.statuses.push(order.status.clone());
        self.reasons.push(order.cancel_reason.clone());
        self.actors.push(text(&change.by)?);
        self.actor_ids.push(change.actor);
        self.times.push(change.at.clone());
        if let Some(kind) = kind(change.to.status()) {
            let event = event(change);
            self.events.push(Outgoing::new(event.event_id, kind, &event)?);
        }
        Ok(())
    }
}

/// What is told when an order enters a status; nobody waits for `delivered`.
fn kind(status: OrderStatus) -> Option<&'static str> {
    match status {
        OrderStatus::Confirmed => Some(ORDER_CONFIRMED),
        OrderStatus::Shipped => Some(ORDER_SHIPPED),
        OrderStatus::Cancelled => Some(ORDER_CANCELLED),
        OrderStatus::Placed | OrderStatus::Delivered => None,
    }
}

fn event(change: &Change) -> OrderEvent {
    let order = &change.stored.order;
    OrderEvent {
        event_id: Uuid::now_v7(),
        order_id: order.id,
        user_id: order.user_id,
        total_cents: order.total_cents,
        currency: order.currency.clone(),
        lines: order.lines.clone(),
        payment_token: None,
        cancel_reason: change.to.reason(),
        synthetic: change.stored.synthetic,
        placed_at: order.created_at.clone(),
        at: change.at.clone(),
    }
}
