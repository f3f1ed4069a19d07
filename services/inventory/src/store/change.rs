//! Stock changed by hand: the slots, the ledger and who did it, in the caller's transaction.

use crate::reservation::Line;
use crate::shelf::{SLOTS, Shelf, slots_for};
use crate::store::{movement, slot};
use shop_contract::api::inventory::MovementKind;
use sqlx::PgConnection;
use uuid::Uuid;

/// No product has more.
pub const MOST: i64 = 1_000_000_000;

pub struct Change {
    pub id: Uuid,
    pub product: Uuid,
    pub kind: MovementKind,
    pub quantity: i32,
    pub reason: Option<String>,
    pub actor: Uuid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Units on hand and free afterwards.
    Done { on_hand: i64, free: i64 },
    /// An adjustment would take what orders hold; so many are free.
    Held { free: i64 },
    /// More than anybody has.
    TooMany,
    /// An adjustment of what never was there.
    NoSuchProduct,
}

/// Only `Done` may be committed.
pub async fn apply(transaction: &mut PgConnection, change: &Change) -> Result<Outcome, sqlx::Error> {
    let product = change.product;
    let adds = change.kind != MovementKind::Adjusted;
    if adds {
        slot::grow(transaction, product, 1).await?;
    }
    let mut shelf = lock_all(transaction, product).await?;
    let outcome = outcome(&shelf, change);
    if !matches!(outcome, Outcome::Done { .. }) {
        return Ok(outcome);
    }
    if change.quantity > 0 {
        let slots = slots_for(shelf.total(product) + i64::from(change.quantity));
        slot::grow(transaction, product, slots).await?;
        shelf = lock_all(transaction, product).await?;
    }
    if change.quantity > 0 {
        shelf.add(product, change.quantity);
    } else if shelf.sell(&[taken(change)]).is_err() {
        return Ok(Outcome::Held {
            free: shelf.free(product),
        });
    }
    slot::write(transaction, &shelf).await?;
    movement::append_other(transaction, product, change.kind, change.quantity).await?;
    insert(transaction, change).await?;
    Ok(outcome)
}

/// Brings a product to exactly `quantity` on hand, whatever there was.
pub async fn set(transaction: &mut PgConnection, product: Uuid, quantity: i32) -> Result<Outcome, sqlx::Error> {
    slot::grow(transaction, product, 1).await?;
    let shelf = lock_all(transaction, product).await?;
    let missing = i64::from(quantity) - shelf.total(product);
    let change = Change {
        id: Uuid::now_v7(),
        product,
        kind: if missing > 0 {
            MovementKind::Seeded
        } else {
            MovementKind::Adjusted
        },
        quantity: i32::try_from(missing).unwrap_or(i32::MIN),
        reason: Some("set by the seed command".to_owned()),
        actor: Uuid::nil(),
    };
    if missing == 0 {
        return Ok(outcome(&shelf, &change));
    }
    apply(transaction, &change).await
}

/// First slot 0 alone: a statement that waits does not see the slots which the one it waited for has added.
async fn lock_all(transaction: &mut PgConnection, product: Uuid) -> Result<Shelf, sqlx::Error> {
    slot::lock(transaction, [(product, 0)]).await?;
    slot::lock(transaction, (0..SLOTS).map(|slot| (product, slot))).await
}

fn outcome(shelf: &Shelf, change: &Change) -> Outcome {
    let (quantity, free) = (i64::from(change.quantity), shelf.free(change.product));
    let on_hand = shelf.total(change.product) + quantity;
    if change.kind == MovementKind::Adjusted && shelf.is_empty() {
        Outcome::NoSuchProduct
    } else if free + quantity < 0 {
        Outcome::Held { free }
    } else if on_hand > MOST {
        Outcome::TooMany
    } else {
        let free = free + quantity;
        Outcome::Done { on_hand, free }
    }
}

fn taken(change: &Change) -> Line {
    Line {
        product: change.product,
        quantity: -change.quantity,
    }
}

async fn insert(transaction: &mut PgConnection, change: &Change) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into stock_changes (id, product_id, kind, quantity, reason, actor) values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(change.id)
    .bind(change.product)
    .bind(change.kind.text())
    .bind(change.quantity)
    .bind(&change.reason)
    .bind(change.actor)
    .execute(transaction)
    .await?;
    Ok(())
}
