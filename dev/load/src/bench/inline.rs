//! A checkout that answers once it is durable, against one that does everything before it answers. Both pay by
//! `tok_slow`. In line, the customer waits for two answers of the provider (authorise, capture) and for the mail; the
//! SQL of payment and claim is left out, which is in favour of in line.

use super::Ground;
use super::report::Report;
use crate::latency::{histogram, micros};
use crate::load::checkout::{End, Till, checkout};
use anyhow::ensure;
use hdrhistogram::Histogram;
use shop_contract::api::OrderLine;
use std::time::Duration;
use tokio::time::Instant;

const TOKEN: &str = "tok_slow";
/// What the test provider takes for each call with that token.
const PROVIDER: Duration = Duration::from_secs(2);
const PROVIDER_CALLS: u32 = 2;
/// Customers at a time: a latency, not a rate, is wanted.
const AT_A_TIME: usize = 4;

pub async fn measure(ground: &Ground<'_>, report: &mut Report) -> anyhow::Result<()> {
    let mail = Duration::from_millis(ground.bench.mail_ms);
    let asynchronous = buy(ground, Duration::ZERO).await?;
    let inline = buy(ground, PROVIDER * PROVIDER_CALLS + mail).await?;
    for (name, times) in [("asynchronous", asynchronous), ("in line", inline)] {
        ensure!(!times.is_empty(), "no checkout {name} succeeded: is there stock?");
        report.add(
            &format!("checkout {name} p50 ms"),
            times.value_at_quantile(0.5) as f64 / 1_000.0,
        );
        report.add(
            &format!("checkout {name} p99 ms"),
            times.value_at_quantile(0.99) as f64 / 1_000.0,
        );
    }
    report.note(format!(
        "in line waits for {PROVIDER_CALLS} answers of the provider of {} ms each and a mail of {} ms",
        PROVIDER.as_millis(),
        mail.as_millis()
    ));
    Ok(())
}

async fn buy(ground: &Ground<'_>, in_line: Duration) -> anyhow::Result<Histogram<u64>> {
    let begun = Instant::now();
    let lasting = ground.bench.lasting;
    let customers = ground.customers.iter().take(AT_A_TIME);
    let bought = futures::future::join_all(customers.enumerate().map(|(number, customer)| async move {
        let (mut times, mut next) = (histogram(), number);
        let till = Till {
            client: &ground.client,
            log: &ground.log,
            latencies: &ground.latencies,
        };
        while begun.elapsed() < lasting {
            let product_id = ground.products[next % ground.products.len()].id;
            next += AT_A_TIME;
            let (token, since) = (customer.token(&ground.client).await?, Instant::now());
            let lines = vec![OrderLine {
                product_id,
                quantity: 1,
            }];
            let end = checkout(&till, customer.id, &token, Some(lines), TOKEN, since).await?;
            if matches!(end, End::Placed(_)) {
                tokio::time::sleep(in_line).await;
                times.saturating_record(micros(since.elapsed()));
            }
        }
        anyhow::Ok(times)
    }));
    let mut times = histogram();
    for some in bought.await {
        times.add(some?)?;
    }
    Ok(times)
}
