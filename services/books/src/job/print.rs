//! A report in words, or as JSON for programs.

use super::check::Report;
use crate::invariant::Invariant;
use serde_json::json;
use std::fmt::Write;

pub fn as_json(report: &Report) -> String {
    let findings: Vec<_> = report.lines().collect();
    let body = json!({
        "holds": report.holds(),
        "orders": report.orders,
        "products": report.products,
        "outboxes": report.outboxes,
        "unknown_orders": report.unknown,
        "totals": report.totals,
        "findings": findings,
    });
    format!("{body:#}\n")
}

pub fn as_text(report: &Report) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{line}");
    };
    line(format!(
        "{} orders, {} products, {} outboxes",
        report.orders, report.products, report.outboxes
    ));
    for total in &report.totals {
        let net = total.captured_cents - total.refunded_cents;
        line(format!(
            "{}: {} orders, confirmed {} cents, captured {} − refunded {} = {net}",
            total.currency, total.orders, total.confirmed_cents, total.captured_cents, total.refunded_cents
        ));
    }
    for invariant in Invariant::ALL {
        let count = report
            .findings
            .iter()
            .filter(|finding| finding.invariant == invariant)
            .count();
        let verdict = if count == 0 {
            "holds".to_owned()
        } else {
            format!("VIOLATED {count} times")
        };
        line(format!("{:<20} {verdict}", invariant.name()));
    }
    for finding in report.lines() {
        line(format!("{} {}: {}", finding.invariant, finding.object, finding.detail));
    }
    if report.unknown > 0 {
        line(format!(
            "{} orders could not be judged: a shard does not answer",
            report.unknown
        ));
    }
    text
}
