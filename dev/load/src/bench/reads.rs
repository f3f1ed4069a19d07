//! Product reads: as many as connections can ask for one after another, and at a fixed rate whatever the answers take.

use super::raw::Connection;
use super::report::Report;
use super::{Ground, processes};
use crate::latency::{histogram, micros};
use crate::popularity::Zipf;
use hdrhistogram::Histogram;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use shop_contract::api::PRODUCTS;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

/// Most wanted first.
pub struct Wanted {
    pub products: Vec<Uuid>,
    pub zipf: Zipf,
}

impl Wanted {
    pub fn of(ground: &Ground<'_>) -> Arc<Self> {
        let products: Vec<Uuid> = ground.products.iter().map(|product| product.id).collect();
        Arc::new(Self {
            zipf: Zipf::new(products.len()),
            products,
        })
    }

    fn path(&self, random: &mut StdRng) -> String {
        format!("{PRODUCTS}/{}", self.products[self.zipf.rank(random.random())])
    }
}

pub struct Read {
    pub times: Histogram<u64>,
    pub failed: u64,
    pub seconds: f64,
}

impl Read {
    pub fn per_second(&self) -> f64 {
        self.times.len() as f64 / self.seconds
    }

    pub fn ms(&self, quantile: f64) -> f64 {
        self.times.value_at_quantile(quantile) as f64 / 1_000.0
    }
}

pub async fn measure(ground: &Ground<'_>, report: &mut Report) -> anyhow::Result<()> {
    let (wanted, bench) = (Wanted::of(ground), ground.bench);
    // Fills the cache; not counted.
    as_fast_as_answered(&ground.gateway, &wanted, bench.users, bench.lasting / 4).await?;
    let before = processes::cpu();
    let read = as_fast_as_answered(&ground.gateway, &wanted, bench.users, bench.lasting).await?;
    report.add_cpu(
        "cached read",
        processes::per(&before, &processes::cpu(), read.times.len() as f64),
    );
    report.add("cached reads through the gateway /s", read.per_second());
    report.add("cached reads through the gateway p99 ms", read.ms(0.99));
    failed(report, read.failed);
    let read = scheduled(&ground.gateway, &wanted, bench.users, bench.reads, bench.lasting).await?;
    report.add("cached reads, scheduled, answered /s", read.per_second());
    report.add("cached reads, scheduled, p50 ms", read.ms(0.5));
    report.add("cached reads, scheduled, p99 ms", read.ms(0.99));
    failed(report, read.failed);
    Ok(())
}

fn failed(report: &mut Report, count: u64) {
    if count > 0 {
        report.note(format!("{count} reads in one measurement were not answered with 200"));
    }
}

/// Each connection asks again once it has its answer.
pub async fn as_fast_as_answered(
    base: &str,
    wanted: &Arc<Wanted>,
    connections: u32,
    lasting: Duration,
) -> anyhow::Result<Read> {
    let (begun, mut readers) = (Instant::now(), JoinSet::new());
    for number in 0..connections {
        let (base, wanted) = (base.to_owned(), wanted.clone());
        readers.spawn(async move {
            let (mut random, mut times, mut failed) = (StdRng::seed_from_u64(number.into()), histogram(), 0);
            let mut connection = Connection::open(&base).await?;
            while begun.elapsed() < lasting {
                let (path, since) = (wanted.path(&mut random), Instant::now());
                failed += u64::from(connection.get(&path).await? != 200);
                times.saturating_record(micros(since.elapsed()));
            }
            Ok((times, failed))
        });
    }
    gather(readers, begun).await
}

/// Requests are due at fixed times and taken by whichever connection is free; each counts from when it was due.
async fn scheduled(
    base: &str,
    wanted: &Arc<Wanted>,
    connections: u32,
    rate: u32,
    lasting: Duration,
) -> anyhow::Result<Read> {
    let total = (lasting.as_secs_f64() * f64::from(rate)) as u64;
    let (begun, next, mut readers) = (Instant::now(), Arc::new(AtomicU64::new(0)), JoinSet::new());
    for number in 0..connections {
        let (base, wanted, next) = (base.to_owned(), wanted.clone(), next.clone());
        readers.spawn(async move {
            let (mut random, mut times, mut failed) = (StdRng::seed_from_u64(number.into()), histogram(), 0);
            let mut connection = Connection::open(&base).await?;
            loop {
                let turn = next.fetch_add(1, Ordering::Relaxed);
                // What cannot be asked for in twice the time is not asked for.
                if turn >= total || begun.elapsed() > lasting * 2 {
                    return Ok((times, failed));
                }
                let due = begun + Duration::from_secs_f64(turn as f64 / f64::from(rate));
                // The timer's grain is a millisecond: requests due within it go together.
                if due > Instant::now() {
                    tokio::time::sleep_until(due).await;
                }
                failed += u64::from(connection.get(&wanted.path(&mut random)).await? != 200);
                times.saturating_record(micros(due.elapsed()));
            }
        });
    }
    gather(readers, begun).await
}

async fn gather(mut readers: JoinSet<anyhow::Result<(Histogram<u64>, u64)>>, begun: Instant) -> anyhow::Result<Read> {
    let (mut times, mut failed) = (histogram(), 0);
    while let Some(done) = readers.join_next().await {
        let (some, wrong) = done??;
        times.add(some)?;
        failed += wrong;
    }
    Ok(Read {
        times,
        failed,
        seconds: begun.elapsed().as_secs_f64(),
    })
}
