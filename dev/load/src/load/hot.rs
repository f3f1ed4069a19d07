//! Everybody wants the same product: so many units, many more checkouts, all users at once. Exactly the units are sold,
//! and everybody else is told that there are none left.

use super::Run;
use super::checkout::{End, Till, checkout};
use super::report::Outcome;
use crate::arguments::Load;
use crate::client::Client;
use crate::customer::sign;
use crate::order_log::Hot;
use anyhow::Context;
use reqwest::Method;
use serde_json::json;
use shop_contract::api::{OrderLine, Role, STOCK};
use shop_kit_token::Signer;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

/// Makes exactly `units` of the product free for sale, as a merchant does.
pub async fn put_on_sale(client: &Client, signer: Option<&Signer>, product: Uuid, units: u32) -> anyhow::Result<()> {
    let signer = signer.context("SHOP_LOAD_TOKEN_SEED is not set: only a merchant may set the stock")?;
    let token = sign(signer, Uuid::now_v7(), Role::Merchant);
    let path = format!("{STOCK}/{product}");
    let stock = client.get(&path, Some(&token)).await;
    let of = |part: &str| stock.body[part].as_i64().unwrap_or(0);
    let free = if stock.status == Some(404) {
        0
    } else {
        of("on_hand") - of("reserved")
    };
    let (missing, key) = (i64::from(units) - free, Some(Uuid::now_v7()));
    let (path, body) = match missing {
        0 => return Ok(()),
        1.. => (format!("{path}/restocks"), json!({"quantity": missing})),
        _ => (
            format!("{path}/adjustments"),
            json!({"quantity": missing, "reason": "load: hot product"}),
        ),
    };
    client
        .send(Method::POST, &path, Some(&token), key, Some(&body))
        .await
        .expect("setting the stock")?;
    Ok(())
}

pub async fn run(run: &Arc<Run>, hot: Hot, load: &Load) -> anyhow::Result<Outcome> {
    let (begun, left) = (Instant::now(), Arc::new(AtomicU32::new(load.checkouts)));
    let mut users = JoinSet::new();
    for customer in 0..run.customers.len() {
        let (run, left) = (run.clone(), left.clone());
        users.spawn(async move { keep_buying(&run, customer, hot.product, &left).await });
    }
    let mut ends: BTreeMap<String, u32> = BTreeMap::new();
    while let Some(done) = users.join_next().await {
        for (end, count) in done?? {
            *ends.entry(end).or_default() += count;
        }
    }
    let count = |end: &str| ends.get(end).copied().unwrap_or(0);
    let (placed, sold_out) = (count("placed"), count("409 out-of-stock"));
    let exact = placed == hot.units.min(load.checkouts) && placed + sold_out == load.checkouts;
    let notes = ends.iter().map(|(end, count)| format!("{end}: {count}")).collect();
    Ok(Outcome {
        holds: exact,
        journeys: load.checkouts as usize,
        seconds: begun.elapsed().as_secs_f64(),
        notes,
        hot: Some((placed, hot.units)),
    })
}

async fn keep_buying(
    run: &Run,
    customer: usize,
    product: Uuid,
    left: &AtomicU32,
) -> anyhow::Result<BTreeMap<String, u32>> {
    let (customer, mut ends) = (&run.customers[customer], BTreeMap::new());
    let till = Till {
        client: &run.client,
        log: &run.log,
        latencies: &run.latencies,
    };
    let take = |count: u32| count.checked_sub(1);
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
        let token = customer.token(&run.client).await?;
        let lines = vec![OrderLine {
            product_id: product,
            quantity: 1,
        }];
        let end = checkout(&till, customer.id, &token, Some(lines), "tok_ok", Instant::now()).await?;
        let end = match end {
            End::Placed(_) => "placed".to_owned(),
            End::Refused(status, kind) => format!("{status} {kind}"),
            End::Unknown => "unknown".to_owned(),
        };
        *ends.entry(end).or_default() += 1;
    }
    Ok(ends)
}
