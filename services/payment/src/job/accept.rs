//! The consumer of `payment.work`: a batch of events becomes intents in one transaction, and is acknowledged then. The
//! questions go on beside, so that a provider that takes long holds up no queue until all places are taken.

use crate::job::ask::Ask;
use crate::job::intend::{Told, intend};
use crate::provider::Provider;
use shop_kit_events::{HandleError, Handler, Message};
use shop_kit_postgres::Pool;

pub struct Accept<P> {
    pub pool: Pool,
    pub ask: Ask<P>,
}

impl<P: Provider> Handler for Accept<P> {
    async fn handle(&self, batch: &[Message]) -> Result<(), HandleError> {
        let told: Result<Vec<Told>, HandleError> = batch.iter().map(Told::read).collect();
        let calls = intend(&self.pool, &told?, self.ask.settings.waits.lease).await?;
        self.ask.all(calls).await;
        Ok(())
    }
}
