//! `shop-load audit`: what the shop promised in a run against what its books say. Waits until everything under way has
//! come to its end and nothing is wrong, or until patience ends; then says what is.

mod collect;
mod flow;
#[cfg(test)]
mod tests;

use crate::access;
use crate::arguments::{Access, Audit, Output};
use crate::history::{Found, Promises, Violation, check};
use crate::order_log::{newest, read};
use anyhow::Context;
use serde_json::json;
use shop_contract::api::OrderStatus;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;

const PAUSE: Duration = Duration::from_secs(1);
/// A shop at rest looks the same twice.
const QUIET_LOOKS: u32 = 2;

pub async fn run(access: &Access, audit: &Audit) -> anyhow::Result<bool> {
    let log = match &audit.log {
        Some(log) => log.clone(),
        None => newest(&access.dir)?,
    };
    let promises = Promises::of_log(read(&log)?);
    let verdict = settle(access, &promises, audit.wait).await?;
    print(&log, &promises, &verdict, audit.output);
    Ok(verdict.violations.is_empty())
}

pub struct Verdict {
    pub found: Found,
    pub violations: Vec<Violation>,
    pub waited: Duration,
}

/// Looks until nothing is wrong twice in a row, or `wait` is over; the last look counts. One that fails is tried again:
/// a primary that is just being replaced answers later.
pub async fn settle(access: &Access, promises: &Promises, wait: Duration) -> anyhow::Result<Verdict> {
    let opened = access::open(access)?;
    let (begun, mut quiet) = (Instant::now(), 0);
    loop {
        let looked = look(access, &opened, promises).await;
        let clean = looked.as_ref().is_ok_and(|(_, violations)| violations.is_empty());
        quiet = if clean { quiet + 1 } else { 0 };
        let left = wait.saturating_sub(begun.elapsed());
        if quiet >= QUIET_LOOKS || left.is_zero() {
            let (found, violations) = looked.context("the books could not be read")?;
            return Ok(Verdict {
                found,
                violations,
                waited: begun.elapsed(),
            });
        }
        tokio::time::sleep(PAUSE.min(left)).await;
    }
}

async fn look(
    access: &Access,
    opened: &access::Opened,
    promises: &Promises,
) -> anyhow::Result<(Found, Vec<Violation>)> {
    // What is on its way is looked at first: what is found afterwards cannot have come from it unseen.
    let mut violations = flow::under_way(access, &opened.sources).await?;
    let found = collect::found(&opened.sources, promises).await?;
    violations.extend(check(promises, &found));
    Ok((found, violations))
}

fn print(log: &Path, promises: &Promises, verdict: &Verdict, output: Output) {
    let (acknowledged, orders) = (promises.acknowledged().count(), verdict.found.orders.len());
    let mut by_status: BTreeMap<String, u64> = BTreeMap::new();
    for order in &verdict.found.orders {
        *by_status.entry(word(order.status)).or_default() += 1;
    }
    let mails = verdict.found.mails.as_ref().map(Vec::len);
    if output == Output::Json {
        let body = json!({
            "holds": verdict.violations.is_empty(), "log": log, "checkouts": promises.checkouts.len(),
            "acknowledged": acknowledged, "orders": orders, "by_status": by_status, "mails": mails,
            "waited_seconds": verdict.waited.as_secs_f64(), "violations": verdict.violations,
        });
        println!("{body:#}");
        return;
    }
    println!("log {}", log.display());
    println!(
        "{} checkouts, {acknowledged} acknowledged, {orders} orders in the shards: {by_status:?}",
        promises.checkouts.len()
    );
    match mails {
        Some(mails) => println!("{mails} mails"),
        None => println!("mails were not compared: the shop keeps none"),
    }
    for violation in &verdict.violations {
        println!("{}: {}: {}", violation.what, violation.object, violation.detail);
    }
    let waited = verdict.waited.as_secs_f64();
    match verdict.violations.len() {
        0 => println!("the books are right (after {waited:.1} s)"),
        count => println!("the books are WRONG in {count} places (after {waited:.1} s)"),
    }
}

fn word(status: OrderStatus) -> String {
    serde_json::to_value(status)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}
