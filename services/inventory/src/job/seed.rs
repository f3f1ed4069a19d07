//! `inventory seed`: stock for seeded products, for named ones, or for all of the catalogue that never had any.

use crate::shelf::slots_for;
use crate::store::change::{Outcome, set};
use crate::store::slot;
use anyhow::bail;
use shop_contract::seed::product_id;
use shop_kit_postgres::{Pool, StoreError};
use uuid::Uuid;

const BATCH: u32 = 5_000;

/// `quantity` for each of the first `count` seeded products that has none. Returns how many had none.
pub async fn seed_numbers(pool: &Pool, count: u32, quantity: i32) -> Result<u64, StoreError> {
    let mut added = 0;
    for first in (0..count).step_by(BATCH as usize) {
        let products: Vec<Uuid> = (first..count.min(first.saturating_add(BATCH)))
            .map(product_id)
            .collect();
        added += slot::seed(pool, &products, quantity, slots_for(i64::from(quantity))).await?;
    }
    Ok(added)
}

/// `quantity` for each listed product of the catalogue that has none.
pub async fn seed_catalogue(pool: &Pool, quantity: i32) -> Result<u64, StoreError> {
    let mut added = 0;
    let mut after = Uuid::nil();
    loop {
        let products = slot::catalogue(pool, after, i64::from(BATCH)).await?;
        let Some(last) = products.last() else { return Ok(added) };
        after = *last;
        added += slot::seed(pool, &products, quantity, slots_for(i64::from(quantity))).await?;
    }
}

/// Exactly `quantity` on hand of each of these, whatever there was.
pub async fn set_products(pool: &Pool, products: &[Uuid], quantity: i32) -> anyhow::Result<()> {
    for product in products {
        let mut transaction = pool.begin().await?;
        let outcome = set(&mut transaction, *product, quantity).await;
        match outcome.map_err(|error| pool.error(&error))? {
            Outcome::Done { .. } => pool.commit(transaction).await?,
            Outcome::Held { free } => bail!("product {product} cannot be set to {quantity}: only {free} are free"),
            Outcome::TooMany | Outcome::NoSuchProduct => bail!("product {product} cannot be set to {quantity}"),
        }
    }
    Ok(())
}
