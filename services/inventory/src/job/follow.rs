//! Follows the saga: a paid order claims what it holds, a cancelled one gives it back. A batch of events is one
//! transaction: what was handled before is left out by the inbox, the rest is settled, and what others must hear goes
//! into the outbox. Test orders claim at once and touch nothing.

use crate::TABLES;
use crate::desk::Rules;
use crate::reservation::Line;
use crate::settle::{Answer, Ask};
use crate::store::settlement::{Undone, finish, overtaken, settle_in};
use shop_contract::event::{
    INVENTORY_WORK, ORDER_CANCELLED, OrderEvent, PAYMENT_AUTHORIZED, PaymentEvent, STOCK_CLAIMED, STOCK_REJECTED,
    StockEvent,
};
use shop_kit_events::{HandleError, Handler, Message, Outgoing, append_all, first_times};
use shop_kit_postgres::{Pool, StoreError};
use std::collections::HashSet;
use uuid::Uuid;

pub struct Follow {
    pub pool: Pool,
}

/// An event, as far as the stock is concerned.
struct Heard {
    event: Uuid,
    order: Uuid,
    user: Uuid,
    synthetic: bool,
    ask: Ask,
}

impl Handler for Follow {
    async fn handle(&self, batch: &[Message]) -> Result<(), HandleError> {
        let heard: Result<Vec<Heard>, HandleError> = batch.iter().map(hear).collect();
        self.follow(heard?).await
    }
}

impl Follow {
    async fn follow(&self, mut heard: Vec<Heard>) -> Result<(), HandleError> {
        let store = |error: sqlx::Error| HandleError::from(self.pool.error(&error));
        // One order of ids for every worker, and each id once: nobody waits in a circle.
        let mut ids: Vec<Uuid> = heard.iter().map(|heard| heard.event).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut transaction = self.pool.begin().await?;
        let mut fresh: HashSet<Uuid> = first_times(&mut transaction, &TABLES, INVENTORY_WORK.name, &ids)
            .await
            .map_err(store)?;
        heard.retain(|heard| fresh.remove(&heard.event));
        let (tests, real): (Vec<Heard>, Vec<Heard>) = heard.into_iter().partition(|heard| heard.synthetic);
        let asks: Vec<Ask> = real.iter().map(|heard| heard.ask.clone()).collect();
        let settled = settle_in(&mut transaction, &asks).await.map_err(store)?;
        let answered = real.iter().zip(&settled.answers);
        let told: Vec<(&Heard, &Answer)> = answered.chain(tests.iter().map(test_answer)).collect();
        let events: Result<Vec<Outgoing>, sqlx::Error> = told.into_iter().filter_map(event).collect();
        append_all(&mut transaction, &TABLES, &events.map_err(store)?)
            .await
            .map_err(store)?;
        let finished = finish(&mut transaction, settled, Rules::default().hold).await;
        finished.map_err(|undone| self.undone(undone))?;
        Ok(self.pool.commit(transaction).await?)
    }

    fn undone(&self, undone: Undone) -> StoreError {
        match undone {
            Undone::Overtaken => overtaken(&self.pool),
            Undone::Sql(error) => self.pool.error(&error),
        }
    }
}

fn hear(message: &Message) -> Result<Heard, HandleError> {
    match message.kind.as_str() {
        PAYMENT_AUTHORIZED => {
            let event: PaymentEvent = message.read()?;
            let line = |line: &shop_contract::api::PricedLine| Line {
                product: line.product_id,
                quantity: i32::try_from(line.quantity).unwrap_or(i32::MAX),
            };
            let (order, lines) = (event.order_id, event.lines.iter().map(line).collect());
            Ok(Heard {
                event: message.id,
                order,
                user: event.user_id,
                synthetic: event.synthetic,
                ask: Ask::Claim { order, lines },
            })
        }
        ORDER_CANCELLED => {
            let event: OrderEvent = message.read()?;
            Ok(Heard {
                event: message.id,
                order: event.order_id,
                user: event.user_id,
                synthetic: event.synthetic,
                ask: Ask::Cancel { order: event.order_id },
            })
        }
        other => Err(HandleError::Poison(format!("{other} is no event of this queue"))),
    }
}

fn test_answer(heard: &Heard) -> (&Heard, &Answer) {
    match heard.ask {
        Ask::Claim { .. } => (heard, &Answer::Claimed),
        Ask::Reserve { .. } | Ask::Cancel { .. } | Ask::Release { .. } | Ask::Expire { .. } => (heard, &Answer::Ended),
    }
}

fn event((heard, answer): (&Heard, &Answer)) -> Option<Result<Outgoing, sqlx::Error>> {
    let kind = match answer {
        Answer::Claimed => STOCK_CLAIMED,
        Answer::Rejected => STOCK_REJECTED,
        Answer::Held(_) | Answer::Short(_) | Answer::Ended | Answer::Unchanged(_) | Answer::Unknown => return None,
    };
    let event = StockEvent {
        event_id: Uuid::now_v7(),
        order_id: heard.order,
        user_id: heard.user,
        synthetic: heard.synthetic,
        at: jiff::Timestamp::now().to_string(),
    };
    Some(Outgoing::new(event.event_id, kind, &event))
}
