//! One round: a bounded piece of every walk. The recent walk follows the orders as they settle; the full walk goes over
//! all orders again and again and adds up the money; the stock walk goes over all products. What is late or was found
//! before is looked at in every round.

use super::judge::{Judged, judge_orders, judge_outboxes, judge_products, keep};
use crate::check::{Finding, Limits, Sums, check_money, order_of, product_of};
use crate::invariant::Invariant;
use crate::read::Sources;
use crate::store::{cursor, finding, total};
use shop_kit_postgres::StoreError;
use uuid::Uuid;

/// Windows of the recent walk in one round.
const RECENT_WINDOWS: usize = 20;
/// Products in one round.
const PRODUCTS: i64 = 500;
/// Open findings looked at again in one round.
const OPEN: i64 = 500;
/// Between the beginnings of two full walks.
const FULL_EVERY_SECONDS: i64 = 600;

const BY_ORDER: [Invariant; 7] = [
    Invariant::CapturedOnce,
    Invariant::PaidOnce,
    Invariant::PaidClaimed,
    Invariant::OrderSettled,
    Invariant::CancelledReleased,
    Invariant::ReservationExpired,
    Invariant::PaymentHasOrder,
];

/// Each part is tried whatever became of the others; the first failure is returned.
pub async fn round(sources: &Sources, limits: &Limits, now_seconds: i64) -> Result<(), StoreError> {
    let settled = settled_before(now_seconds, limits);
    let done = [
        judge_outboxes(sources, limits).await.map(drop),
        suspects(sources, limits).await,
        recent(sources, limits, settled).await,
        full(sources, limits, settled).await,
        stock(sources).await,
        finding::purge(&sources.payments).await,
    ];
    done.into_iter().collect()
}

/// The smallest id an order made after the settled ones can have: a UUID of version 7 begins with its milliseconds.
pub fn settled_before(now_seconds: i64, limits: &Limits) -> Uuid {
    let millis = u128::try_from((now_seconds - limits.order_seconds) * 1000).unwrap_or_default();
    Uuid::from_u128(millis << 80)
}

/// What looks late, and what was found before.
async fn suspects(sources: &Sources, limits: &Limits) -> Result<(), StoreError> {
    let mut orders = sources
        .late_orders(limits.order_seconds, limits.reservation_seconds)
        .await;
    let open = finding::open_objects(&sources.payments, "order/", OPEN).await?;
    orders.extend(open.iter().filter_map(|object| order_of(object)));
    orders.sort_unstable();
    orders.dedup();
    judge_orders(sources, &orders, limits).await?;
    let open = finding::open_objects(&sources.payments, "product/", OPEN).await?;
    let products: Vec<Uuid> = open.iter().filter_map(|object| product_of(object)).collect();
    if !products.is_empty() {
        judge_products(sources, &products).await?;
    }
    Ok(())
}

async fn recent(sources: &Sources, limits: &Limits, settled: Uuid) -> Result<(), StoreError> {
    let mut position = cursor::read(&sources.payments, cursor::RECENT).await?.position;
    for _ in 0..RECENT_WINDOWS {
        let window = sources.window(position, settled).await?;
        let judged = judge_orders(sources, &window.ids, limits).await?;
        if judged.unknown > 0 {
            return Ok(());
        }
        position = window.reached.max(position);
        cursor::write(&sources.payments, cursor::RECENT, position, &Sums::default()).await?;
        if window.complete {
            finding::checked(&sources.payments, &BY_ORDER).await?;
            break;
        }
    }
    Ok(())
}

async fn full(sources: &Sources, limits: &Limits, settled: Uuid) -> Result<(), StoreError> {
    let cursor = cursor::read(&sources.payments, cursor::FULL).await?;
    let between = cursor.position == Uuid::max();
    if between && cursor.age_seconds < FULL_EVERY_SECONDS {
        return Ok(());
    }
    if between {
        return cursor::write(&sources.payments, cursor::FULL, Uuid::nil(), &Sums::default()).await;
    }
    let window = sources.window(cursor.position, settled).await?;
    let Judged { sums, unknown, .. } = judge_orders(sources, &window.ids, limits).await?;
    if unknown > 0 {
        return Ok(());
    }
    let mut all = cursor.sums;
    all.merge(sums);
    if !window.complete {
        return cursor::write(&sources.payments, cursor::FULL, window.reached, &all).await;
    }
    money(sources, &all).await?;
    cursor::write(&sources.payments, cursor::FULL, Uuid::max(), &Sums::default()).await
}

/// The end of a full walk.
async fn money(sources: &Sources, sums: &Sums) -> Result<(), StoreError> {
    let found: Vec<Finding> = sums.0.values().filter_map(check_money).collect();
    let objects: Vec<String> = sums.0.keys().map(|currency| format!("currency/{currency}")).collect();
    keep(&sources.payments, &objects, &found).await?;
    total::replace(&sources.payments, sums).await?;
    finding::checked(&sources.payments, &[Invariant::Money]).await
}

async fn stock(sources: &Sources) -> Result<(), StoreError> {
    let position = cursor::read(&sources.payments, cursor::STOCK).await?.position;
    let products = sources.products_after(position, PRODUCTS).await?;
    judge_products(sources, &products).await?;
    let short = i64::try_from(products.len()).unwrap_or_default() < PRODUCTS;
    let next = products.last().copied().filter(|_| !short).unwrap_or_default();
    cursor::write(&sources.payments, cursor::STOCK, next, &Sums::default()).await
}
