//! Brings changed products to the cache: reads them from the primary and writes them under their versions, which is why
//! the same event may come any number of times, in any order. It does not remove keys, because a load that began before
//! the change could fill a removed one with what was before.

use crate::cache::{Cache, Kind};
use crate::http::product::load_many;
use shop_contract::event::ProductChanged;
use shop_kit_events::{HandleError, Handler, Message};
use shop_kit_postgres::Pool;
use uuid::Uuid;

pub struct Refresh {
    pub pool: Pool,
    pub cache: Cache,
}

impl Handler for Refresh {
    async fn handle(&self, batch: &[Message]) -> Result<(), HandleError> {
        let mut ids: Vec<Uuid> = Vec::with_capacity(batch.len());
        for message in batch {
            ids.push(message.read::<ProductChanged>()?.product_id);
        }
        ids.sort_unstable();
        ids.dedup();
        for (id, entry) in load_many(&self.pool, &ids).await? {
            let written = self.cache.put(Kind::Product, &id.to_string(), &entry).await;
            // A Redis that comes back may still hold what was before.
            written.map_err(|_| HandleError::Unavailable("redis does not answer".to_owned()))?;
        }
        Ok(())
    }
}
