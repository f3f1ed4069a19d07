//! Events of orders → intents. In: a batch of events. Out: the questions they lead to, after the payments and the inbox
//! were written in one transaction; from then on a crash only delays, because whoever chases open questions finds them.

use crate::TABLES;
use crate::card::looks_like_a_card;
use crate::decide::{Call, Consequences};
use crate::machine::{Event, Phase, Standing};
use crate::store::batch;
use crate::store::payment::{self, Later, Locked, Payment};
use shop_contract::event::{ORDER_CANCELLED, ORDER_PLACED, OrderEvent, PAYMENT_WORK, STOCK_CLAIMED, StockEvent};
use shop_kit_events::{HandleError, Message, first_times};
use shop_kit_postgres::Pool;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

/// Batches that met another one's new order; each attempt sees what the one before met.
const ATTEMPTS: usize = 5;
const NO_LINES: &str = "[]";

/// What an order's event says to this service.
pub enum Told {
    Placed(OrderEvent),
    Cancelled(OrderEvent),
    Claimed(StockEvent),
}

impl Told {
    pub fn read(message: &Message) -> Result<Self, HandleError> {
        match message.kind.as_str() {
            ORDER_PLACED => message.read().map(Self::Placed),
            ORDER_CANCELLED => message.read().map(Self::Cancelled),
            STOCK_CLAIMED => message.read().map(Self::Claimed),
            other => Err(HandleError::Poison(format!("`{other}` says nothing to payments"))),
        }
    }

    fn event_id(&self) -> Uuid {
        match self {
            Self::Placed(event) | Self::Cancelled(event) => event.event_id,
            Self::Claimed(event) => event.event_id,
        }
    }

    fn order(&self) -> Uuid {
        match self {
            Self::Placed(event) | Self::Cancelled(event) => event.order_id,
            Self::Claimed(event) => event.order_id,
        }
    }

    fn event(&self) -> Event {
        match self {
            Self::Placed(_) => Event::Placed,
            Self::Cancelled(_) => Event::Cancelled,
            Self::Claimed(_) => Event::Claimed,
        }
    }
}

enum Decided {
    Calls(Vec<Call>),
    /// Another transaction was first with a new order: begin again, to see its row.
    Again,
    /// Only a later version can take one of the events.
    Later(Later),
}

pub async fn intend(pool: &Pool, told: &[Told], lease: Duration) -> Result<Vec<Call>, HandleError> {
    for _ in 0..ATTEMPTS {
        let mut transaction = pool.begin().await?;
        let decided = decide(&mut transaction, told, lease).await;
        match decided.map_err(|error| pool.error(&error))? {
            Decided::Calls(calls) => {
                pool.commit(transaction).await?;
                return Ok(calls);
            }
            Decided::Again => {}
            // Not the message's fault: it waits for a worker of that version.
            Decided::Later(later) => return Err(HandleError::Unavailable(later.to_string())),
        }
    }
    let detail = format!("{ATTEMPTS} times another transaction was first with the same new orders");
    Err(HandleError::Unavailable(detail))
}

async fn decide(transaction: &mut PgConnection, told: &[Told], lease: Duration) -> Result<Decided, sqlx::Error> {
    let ids: Vec<Uuid> = told.iter().map(Told::event_id).collect();
    let first = first_times(transaction, &TABLES, PAYMENT_WORK.name, &ids).await?;
    let told: Vec<&Told> = told.iter().filter(|told| first.contains(&told.event_id())).collect();
    if told.is_empty() {
        return Ok(Decided::Calls(Vec::new()));
    }
    let orders: Vec<Uuid> = told.iter().map(|told| told.order()).collect();
    let Locked { known, mut later } = payment::lock_by_order(transaction, &orders).await?;
    if let Some(later) = later.pop() {
        return Ok(Decided::Later(later));
    }
    let mut known: BTreeMap<Uuid, Payment> = known.into_iter().map(|known| (known.order_id, known)).collect();
    let mut new: BTreeMap<Uuid, Payment> = BTreeMap::new();
    let (mut consequences, mut overtaken) = (Consequences::default(), Vec::new());
    for told in told {
        let order = told.order();
        let payment = match known.get_mut(&order) {
            Some(payment) => payment,
            None => new.entry(order).or_insert_with(|| blank(told)),
        };
        if let (Phase::New, Told::Placed(event)) = (payment.standing.phase, told) {
            learn(payment, event)?;
            overtaken.push(order);
        }
        consequences.apply(payment, told.event(), lease)?;
    }
    let added: Vec<&Payment> = new.values().collect();
    if !added.is_empty() && batch::insert(transaction, &added).await? < added.len() as u64 {
        return Ok(Decided::Again);
    }
    for payment in overtaken.iter().filter_map(|order| known.get(order)) {
        batch::fill(transaction, payment).await?;
    }
    consequences
        .write(transaction, known.values())
        .await
        .map(Decided::Calls)
}

/// Of an order this service has not heard of.
fn blank(told: &Told) -> Payment {
    let (user_id, currency, amount_cents, synthetic) = match told {
        Told::Placed(event) | Told::Cancelled(event) => (
            event.user_id,
            event.currency.clone(),
            event.total_cents,
            event.synthetic,
        ),
        Told::Claimed(event) => (event.user_id, String::new(), 0, event.synthetic),
    };
    Payment {
        id: Uuid::now_v7(),
        order_id: told.order(),
        user_id,
        standing: Standing::UNKNOWN,
        amount_cents,
        currency,
        token: String::new(),
        lines: NO_LINES.to_owned(),
        refunded_cents: 0,
        reason: None,
        synthetic,
        attempts: 0,
        wait: Duration::ZERO,
    }
}

/// An order without a token is declined by the provider like one with a wrong token. A card number, which no order
/// should bring this far, is not kept either.
fn learn(payment: &mut Payment, event: &OrderEvent) -> Result<(), sqlx::Error> {
    payment.amount_cents = event.total_cents;
    payment.currency.clone_from(&event.currency);
    let token = event.payment_token.clone().filter(|token| !looks_like_a_card(token));
    payment.token = token.unwrap_or_default();
    payment.lines = serde_json::to_string(&event.lines).map_err(|error| sqlx::Error::Encode(error.into()))?;
    Ok(())
}
