//! Counts sales and the funnel, a batch of events in one transaction. Each fact counts once: what is noted in the inbox is
//! the order or the customer, under the kind of event, because the fact may be told again by another event.

use super::time;
use crate::TABLES;
use crate::figures::{Figures, Step};
use crate::store::figures;
use jiff::Timestamp;
use shop_contract::event::{
    ANALYTICS_WORK, ORDER_CANCELLED, ORDER_CONFIRMED, ORDER_PLACED, OrderEvent, USER_REGISTERED, UserRegistered,
};
use shop_kit_events::{HandleError, Handler, Message, first_times};
use shop_kit_postgres::Pool;
use std::collections::BTreeMap;
use uuid::Uuid;

pub struct Analyse {
    pub pool: Pool,
}

/// Something that happened, by the id it happens to once.
enum Fact {
    Registered(Timestamp),
    Order(Step, Timestamp, Box<OrderEvent>),
}

impl Handler for Analyse {
    async fn handle(&self, batch: &[Message]) -> Result<(), HandleError> {
        let mut facts: BTreeMap<(&'static str, Uuid), Fact> = BTreeMap::new();
        for message in batch {
            if let Some((kind, id, fact)) = read(message)? {
                facts.entry((kind, id)).or_insert(fact);
            }
        }
        if facts.is_empty() {
            return Ok(());
        }
        let mut transaction = self.pool.begin().await?;
        let store = |error: sqlx::Error| HandleError::from(self.pool.error(&error));
        let mut figures = Figures::default();
        for kind in [USER_REGISTERED, ORDER_PLACED, ORDER_CONFIRMED, ORDER_CANCELLED] {
            let ids: Vec<Uuid> = facts.keys().filter(|(of, _)| *of == kind).map(|(_, id)| *id).collect();
            if ids.is_empty() {
                continue;
            }
            let consumer = format!("{}/{kind}", ANALYTICS_WORK.name);
            let first = first_times(&mut transaction, &TABLES, &consumer, &ids).await;
            for id in first.map_err(store)? {
                if let Some(fact) = facts.get(&(kind, id)) {
                    count(&mut figures, fact);
                }
            }
        }
        figures::add(&mut transaction, &figures).await.map_err(store)?;
        self.pool.commit(transaction).await?;
        Ok(())
    }
}

/// None for what counts in no figure.
fn read(message: &Message) -> Result<Option<(&'static str, Uuid, Fact)>, HandleError> {
    let (kind, step) = match message.kind.as_str() {
        USER_REGISTERED => return registered(message),
        ORDER_PLACED => (ORDER_PLACED, Step::Placed),
        ORDER_CONFIRMED => (ORDER_CONFIRMED, Step::Confirmed),
        ORDER_CANCELLED => (ORDER_CANCELLED, Step::Cancelled),
        other => return Err(HandleError::Poison(format!("`{other}` is no event this worker counts"))),
    };
    let order: OrderEvent = message.read()?;
    let at = time(&order.at)?;
    if order.synthetic {
        return Ok(None);
    }
    Ok(Some((kind, order.order_id, Fact::Order(step, at, Box::new(order)))))
}

fn registered(message: &Message) -> Result<Option<(&'static str, Uuid, Fact)>, HandleError> {
    let event: UserRegistered = message.read()?;
    if event.synthetic {
        return Ok(None);
    }
    // The event carries no time, but its id (UUID version 7) does.
    let made = event.event_id.get_timestamp().map(|time| time.to_unix().0);
    let made = made.and_then(|second| Timestamp::from_second(i64::try_from(second).ok()?).ok());
    let at = made.unwrap_or_else(Timestamp::now);
    Ok(Some((USER_REGISTERED, event.user_id, Fact::Registered(at))))
}

fn count(figures: &mut Figures, fact: &Fact) {
    match fact {
        Fact::Registered(at) => figures.step(*at, Step::Registered, None),
        Fact::Order(step, at, order) => {
            let reason = order.cancel_reason.filter(|_| *step == Step::Cancelled);
            figures.step(*at, *step, reason);
            if *step == Step::Confirmed {
                figures.sale(*at, order);
            }
        }
    }
}
