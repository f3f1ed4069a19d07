//! Judges a set of orders, products or outboxes: reads their facts, keeps what was found, closes what is gone, and, for
//! orders, repairs what lasts. An object one of whose sources did not answer stays as it was.

use crate::check::{Finding, Limits, Sums, check_order, check_outbox, check_stock, order_object, product_object};
use crate::facts::OrderFacts;
use crate::invariant::Invariant;
use crate::read::Sources;
use crate::repair::{Emission, act, repair_for};
use crate::store::{audit, finding};
use shop_kit_postgres::{Pool, StoreError};
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

/// What judging a set of orders came to.
#[derive(Debug, Default)]
pub struct Judged {
    pub sums: Sums,
    pub findings: Vec<Finding>,
    /// Orders of a shard that did not answer.
    pub unknown: usize,
    /// Events said again.
    pub repaired: usize,
}

/// Looks without keeping anything.
pub async fn look_at_orders(
    sources: &Sources,
    ids: &[Uuid],
    limits: &Limits,
) -> Result<(Judged, BTreeMap<String, OrderFacts>), StoreError> {
    let (mut judged, mut known) = (Judged::default(), BTreeMap::new());
    for facts in sources.facts(ids).await? {
        let Some(found) = check_order(&facts, limits) else {
            judged.unknown += 1;
            continue;
        };
        judged.sums.add(&facts, limits);
        judged.findings.extend(found);
        known.insert(order_object(facts.id), facts);
    }
    Ok((judged, known))
}

/// Looks, keeps and repairs.
pub async fn judge_orders(sources: &Sources, ids: &[Uuid], limits: &Limits) -> Result<Judged, StoreError> {
    let (mut judged, known) = look_at_orders(sources, ids, limits).await?;
    let objects: Vec<String> = known.keys().cloned().collect();
    let closed = keep(&sources.payments, &objects, &judged.findings).await?;
    for object in closed.iter().collect::<HashSet<_>>() {
        let open = judged.findings.iter().any(|finding| finding.object == *object);
        if let Some(facts) = known.get(object).filter(|_| !open) {
            audit::complete(&sources.payments, object, &json(facts)).await?;
        }
    }
    // One event per order and look, however many findings it has.
    let mut mended = HashSet::new();
    for finding in &judged.findings {
        let facts = known.get(&finding.object).filter(|_| !mended.contains(&finding.object));
        if let Some(facts) = facts
            && repair(sources, finding, facts).await?
        {
            mended.insert(&finding.object);
        }
    }
    judged.repaired = mended.len();
    Ok(judged)
}

pub async fn judge_products(sources: &Sources, products: &[Uuid]) -> Result<Vec<Finding>, StoreError> {
    let facts = sources.stock(products).await?;
    let found: Vec<Finding> = facts.iter().flat_map(check_stock).collect();
    let objects: Vec<String> = products.iter().map(|product| product_object(*product)).collect();
    keep(&sources.payments, &objects, &found).await?;
    let looked = [Invariant::StockLevel, Invariant::StockMovements];
    finding::checked(&sources.payments, &looked).await?;
    Ok(found)
}

pub async fn judge_outboxes(sources: &Sources, limits: &Limits) -> Result<Vec<Finding>, StoreError> {
    let outboxes = sources.outboxes().await;
    let found: Vec<Finding> = outboxes
        .iter()
        .filter_map(|outbox| check_outbox(outbox, limits))
        .collect();
    let objects: Vec<String> = outboxes.into_iter().map(|outbox| outbox.object).collect();
    keep(&sources.payments, &objects, &found).await?;
    finding::checked(&sources.payments, &[Invariant::OutboxFresh]).await?;
    Ok(found)
}

/// Tells of each finding once, and of its end. Returns the objects some finding of which is gone.
pub async fn keep(pool: &Pool, objects: &[String], found: &[Finding]) -> Result<Vec<String>, StoreError> {
    let finding::Recorded { opened, closed } = finding::record(pool, objects, found).await?;
    for finding in found {
        let (invariant, object) = (finding.invariant.name(), &finding.object);
        let detail = &finding.detail;
        if opened.iter().any(|(name, of)| name == invariant && of == object) {
            tracing::warn!(invariant, object, "does not hold: {detail}");
        }
    }
    closed.iter().for_each(|object| tracing::info!(object, "holds again"));
    Ok(closed)
}

async fn repair(sources: &Sources, finding: &Finding, facts: &OrderFacts) -> Result<bool, StoreError> {
    let Some(repair) = repair_for(finding.invariant, facts) else {
        return Ok(false);
    };
    let now = jiff::Timestamp::now().to_string();
    let Some(emission) = Emission::of(repair, facts, Uuid::now_v7(), &now) else {
        return Ok(false);
    };
    if !finding::take_repair(&sources.payments, finding).await? {
        return Ok(false);
    }
    let entry = audit::New {
        invariant: finding.invariant,
        object: finding.object.clone(),
        action: String::new(),
        why: format!("{}: {}", repair.why, finding.detail),
        before: json(facts),
    };
    tracing::warn!(
        invariant = finding.invariant.name(),
        object = finding.object,
        kind = emission.kind,
        "repairing"
    );
    act(sources, &emission, entry).await?;
    Ok(true)
}

fn json(facts: &OrderFacts) -> serde_json::Value {
    serde_json::to_value(facts).unwrap_or_default()
}
