//! Does a repair: the audit row first, then the event. A repair whose event could not be written keeps its row, with
//! the error; one without a row cannot happen.

use super::Emission;
use super::event::Owner;
use crate::read::Sources;
use crate::store::audit;
use shop_kit_events::append;
use shop_kit_postgres::{Pool, StoreError};

/// The owners' outboxes.
#[derive(Clone, Copy, Debug)]
pub struct Tables;

impl Tables {
    pub const ORDER: shop_kit_events::Tables = shop_kit_events::Tables {
        outbox: "outbox",
        inbox: "inbox",
    };
    pub const PAYMENT: shop_kit_events::Tables = shop_kit_events::Tables {
        outbox: "payment_outbox",
        inbox: "payment_inbox",
    };
    pub const INVENTORY: shop_kit_events::Tables = shop_kit_events::Tables {
        outbox: "inventory_outbox",
        inbox: "inventory_inbox",
    };
}

pub async fn act(sources: &Sources, emission: &Emission, mut entry: audit::New) -> Result<(), StoreError> {
    let (pool, tables) = match emission.owner {
        Owner::Order(user) => (sources.shards.of_user(user)?.pool, Tables::ORDER),
        Owner::Payment => (sources.payments.clone(), Tables::PAYMENT),
        Owner::Inventory => (sources.catalog.clone(), Tables::INVENTORY),
    };
    let database = pool.tier().trim_start_matches("postgres/").to_owned();
    entry.action = format!(
        "emit {} {} into {database}/{}",
        emission.kind, emission.id, tables.outbox
    );
    let row = audit::begin(&sources.payments, &entry).await?;
    let emitted = emit(&pool, &tables, emission).await;
    if let Err(error) = &emitted {
        audit::failed(&sources.payments, row, &error.to_string()).await?;
    }
    emitted
}

async fn emit(pool: &Pool, tables: &shop_kit_events::Tables, emission: &Emission) -> Result<(), StoreError> {
    let mut transaction = pool.begin().await?;
    append(&mut transaction, tables, emission.id, emission.kind, &emission.payload)
        .await
        .map_err(|error| pool.error(&error))?;
    pool.commit(transaction).await
}
