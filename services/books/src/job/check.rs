//! `books check`: one full pass over everything, keeping and repairing nothing. What is found is looked at again, in a
//! pass of its own, until it is gone or patience ends: only what every pass found is reported.

use super::judge::look_at_orders;
use super::walk::settled_before;
use crate::check::{Finding, Limits, Sums, check_money, check_outbox, check_stock};
use crate::read::Sources;
use serde::Serialize;
use shop_contract::api::books::MoneyTotal;
use shop_kit_postgres::StoreError;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

const PAUSE: Duration = Duration::from_secs(3);
const PRODUCTS: i64 = 500;

#[derive(Debug, Default)]
pub struct Report {
    pub orders: u64,
    pub products: u64,
    pub outboxes: u64,
    /// Orders that could not be judged, because a shard did not answer.
    pub unknown: u64,
    pub totals: Vec<MoneyTotal>,
    pub findings: Vec<Finding>,
}

/// How a report is printed as JSON.
#[derive(Serialize)]
pub struct Line<'a> {
    pub invariant: &'static str,
    pub object: &'a str,
    pub detail: &'a str,
}

impl Report {
    pub fn holds(&self) -> bool {
        self.findings.is_empty() && self.unknown == 0
    }

    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.findings.iter().map(|finding| Line {
            invariant: finding.invariant.name(),
            object: &finding.object,
            detail: &finding.detail,
        })
    }
}

pub async fn check(sources: &Sources, limits: &Limits, patience: Duration) -> Result<Report, StoreError> {
    let deadline = Instant::now() + patience;
    let mut report = pass(sources, limits).await?;
    while !report.holds() && Instant::now() + PAUSE < deadline {
        tokio::time::sleep(PAUSE).await;
        let mut again = pass(sources, limits).await?;
        again.findings.retain(|finding| {
            let same = |earlier: &Finding| earlier.invariant == finding.invariant && earlier.object == finding.object;
            report.findings.iter().any(same)
        });
        report = again;
    }
    Ok(report)
}

async fn pass(sources: &Sources, limits: &Limits) -> Result<Report, StoreError> {
    let mut report = Report::default();
    orders(sources, limits, &mut report).await?;
    products(sources, &mut report).await?;
    let outboxes = sources.outboxes().await;
    report.outboxes = outboxes.len() as u64;
    report
        .findings
        .extend(outboxes.iter().filter_map(|outbox| check_outbox(outbox, limits)));
    report
        .findings
        .sort_by(|left, right| (left.invariant, &left.object).cmp(&(right.invariant, &right.object)));
    Ok(report)
}

async fn orders(sources: &Sources, limits: &Limits, report: &mut Report) -> Result<(), StoreError> {
    let settled = settled_before(jiff::Timestamp::now().as_second(), limits);
    let (mut position, mut sums) = (Uuid::nil(), Sums::default());
    loop {
        let window = sources.window(position, settled).await?;
        let (judged, _) = look_at_orders(sources, &window.ids, limits).await?;
        report.orders += window.ids.len() as u64;
        report.unknown += judged.unknown as u64;
        report.findings.extend(judged.findings);
        sums.merge(judged.sums);
        position = window.reached;
        if window.complete {
            break;
        }
    }
    report.findings.extend(sums.0.values().filter_map(check_money));
    report.totals = sums.0.into_values().collect();
    Ok(())
}

async fn products(sources: &Sources, report: &mut Report) -> Result<(), StoreError> {
    let mut position = Uuid::nil();
    loop {
        let products = sources.products_after(position, PRODUCTS).await?;
        let Some(last) = products.last() else { return Ok(()) };
        position = *last;
        report.products += products.len() as u64;
        let facts = sources.stock(&products).await?;
        report.findings.extend(facts.iter().flat_map(check_stock));
    }
}
