//! Checkouts per second with everything that follows from them done, against the bare SQL of the order's transaction.

use super::report::Report;
use super::{Ground, processes, sql};
use crate::load::checkout::{End, Till, checkout};
use anyhow::{Context, bail};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use shop_contract::api::OrderLine;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// The design's order has two lines.
const LINES: usize = 2;
/// For the saga to drain.
const DRAIN: Duration = Duration::from_secs(180);

pub async fn measure(ground: &Ground<'_>, report: &mut Report) -> anyhow::Result<()> {
    let (before, begun) = (processes::cpu(), Instant::now());
    let placed = buy(ground, begun).await?;
    let front = begun.elapsed().as_secs_f64();
    if placed == 0 {
        bail!("no checkout succeeded: is there stock?");
    }
    drained(ground).await?;
    let all = begun.elapsed().as_secs_f64();
    report.add_cpu(
        "checkout, whole saga",
        processes::per(&before, &processes::cpu(), placed as f64),
    );
    report.add("checkouts acknowledged /s", placed as f64 / front);
    report.add("saga drained orders/s", placed as f64 / all);
    report.add("bare SQL orders/s", sql::orders_per_second(ground).await?);
    Ok(())
}

async fn buy(ground: &Ground<'_>, begun: Instant) -> anyhow::Result<usize> {
    let bought = ground
        .customers
        .iter()
        .enumerate()
        .map(|(number, customer)| async move {
            let (mut placed, mut random) = (0, StdRng::seed_from_u64(number as u64));
            let till = Till {
                client: &ground.client,
                log: &ground.log,
                latencies: &ground.latencies,
            };
            while begun.elapsed() < ground.bench.lasting {
                let token = customer.token(&ground.client).await?;
                // Evenly: what is measured is the saga, not the hot product.
                let first: usize = random.random_range(0..ground.products.len());
                let mut products: Vec<Uuid> = (0..LINES)
                    .map(|line| ground.products[(first + line) % ground.products.len()].id)
                    .collect();
                products.dedup();
                let lines = products
                    .into_iter()
                    .map(|product_id| OrderLine {
                        product_id,
                        quantity: 1,
                    })
                    .collect();
                let end = checkout(&till, customer.id, &token, Some(lines), "tok_ok", Instant::now()).await?;
                placed += usize::from(matches!(end, End::Placed(_)));
            }
            anyhow::Ok(placed)
        });
    let counts: anyhow::Result<Vec<usize>> = futures::future::join_all(bought).await.into_iter().collect();
    Ok(counts?.into_iter().sum())
}

/// Until no order of these customers waits any more.
async fn drained(ground: &Ground<'_>) -> anyhow::Result<()> {
    let customers: Vec<Uuid> = ground.customers.iter().map(|customer| customer.id).collect();
    let deadline = Instant::now() + DRAIN;
    loop {
        let mut waiting: i64 = 0;
        for shard in ground.opened.sources.shards.all() {
            let count: i64 =
                sqlx::query_scalar("select count(*) from orders where status = 'placed' and user_id = any($1)")
                    .bind(&customers)
                    .fetch_one(shard.pool.executor())
                    .await
                    .with_context(|| format!("shard {}", shard.index))?;
            waiting += count;
        }
        if waiting == 0 {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!(
                "{waiting} orders are still placed {} s after the last checkout",
                DRAIN.as_secs()
            );
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
