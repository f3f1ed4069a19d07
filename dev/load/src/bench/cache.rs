//! Product reads with and without cache. Two copies of the program `product` on loopback, over the shop's own catalogue
//! and alike but for Redis, with few connections each, so that the database is what is waited for.

use super::Ground;
use super::reads::{Wanted, as_fast_as_answered};
use super::report::Report;
use anyhow::{Context, bail};
use shop_contract::env;
use shop_contract::probe::{METRICS, READY};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::Instant;

const CONNECTIONS: u32 = 4;
const START: Duration = Duration::from_secs(20);
/// Any valid key: nobody who is asked here shows a token.
const PUBLIC_KEY: &str = "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=";

pub async fn measure(ground: &Ground<'_>, report: &mut Report) -> anyhow::Result<()> {
    let (Some(bin), Some(redis)) = (&ground.bench.bin, &ground.bench.redis_addresses) else {
        report.note("reads with and without cache were left out: --bin and --redis-addresses are needed".to_owned());
        return Ok(());
    };
    let wanted = Wanted::of(ground);
    let (users, lasting) = (ground.bench.users, ground.bench.lasting);
    for (name, redis) in [("without", None), ("with", Some(redis.as_str()))] {
        let program = Program::start(ground, bin, redis).await?;
        // The first reads find an empty cache; what is measured is the shop after its first minutes.
        as_fast_as_answered(&program.api, &wanted, users, lasting / 2).await?;
        let before = program.counters().await?;
        let read = as_fast_as_answered(&program.api, &wanted, users, lasting).await?;
        let after = program.counters().await?;
        report.add(&format!("read {name} cache p50 ms"), read.ms(0.5));
        report.add(&format!("read {name} cache /s"), read.per_second());
        if redis.is_some() {
            let (hits, asked) = (after.hits - before.hits, after.asked - before.asked);
            report.add("hit rate %", hits / asked.max(1.0) * 100.0);
            let queries = after.queries - before.queries;
            report.add(
                "queries saved %",
                (1.0 - queries / (read.times.len() as f64).max(1.0)) * 100.0,
            );
        }
    }
    Ok(())
}

struct Program {
    api: String,
    admin: String,
    /// Ends with the value.
    child: Child,
}

struct Counters {
    asked: f64,
    hits: f64,
    queries: f64,
}

impl Program {
    async fn start(ground: &Ground<'_>, bin: &Path, redis: Option<&str>) -> anyhow::Result<Self> {
        let (api, admin) = (free_port().await?, free_port().await?);
        let (catalog, credentials) = (&ground.opened.databases.catalog, &ground.opened.catalog);
        let (bench, port, loopback) = (ground.bench, catalog.port.to_string(), |port| {
            format!("127.0.0.1:{port}")
        });
        let program = bin.join("product");
        let mut command = Command::new(&program);
        command
            .arg("serve")
            .env_clear()
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true);
        command.envs([
            (env::LISTEN, loopback(api).as_str()),
            (env::LISTEN_ADMIN, &loopback(admin)),
            (env::CATALOG_HOST, &catalog.host),
            (env::CATALOG_PORT, &port),
            (env::CATALOG_PRIMARY_HOST, &catalog.host),
            (env::CATALOG_PRIMARY_PORT, &port),
            (env::CATALOG_USER, &credentials.user),
            (env::CATALOG_PASSWORD, credentials.password.expose()),
            (env::TOKEN_PUBLIC_KEY, PUBLIC_KEY),
            (env::POOL_SIZE, &CONNECTIONS.to_string()),
            (env::LOG, "warn"),
        ]);
        if let Some(addresses) = redis {
            command.envs([
                (env::REDIS_ADDRESSES, addresses),
                (env::REDIS_MODE, &bench.redis_mode),
                (env::REDIS_USER, &bench.redis_user),
                (env::REDIS_PASSWORD, &bench.redis_password),
            ]);
        }
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let (api, admin) = (
            format!("http://{}", loopback(api)),
            format!("http://{}", loopback(admin)),
        );
        let mut this = Self { api, admin, child };
        this.until_ready().await?;
        Ok(this)
    }

    async fn until_ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START;
        loop {
            if let Some(ended) = self.child.try_wait()? {
                bail!("the program product ended at once: {ended}");
            }
            let answer = reqwest::get(format!("{}{READY}", self.admin)).await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("the program product was not ready after {} s", START.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn counters(&self) -> anyhow::Result<Counters> {
        let text = reqwest::get(format!("{}{METRICS}", self.admin)).await?.text().await?;
        let reads = "shop_cache_reads_total{";
        let hits = ["near", "hit", "negative"].map(|outcome| format!("outcome=\"{outcome}\""));
        let hit = |line: &str| hits.iter().any(|outcome| line.contains(outcome));
        Ok(Counters {
            asked: sum(&text, reads, |_| true),
            hits: sum(&text, reads, hit),
            queries: sum(&text, "shop_database_reads_total{", |_| true),
        })
    }
}

/// Adds up a counter's lines that concern products one by one.
fn sum(text: &str, name: &str, wanted: impl Fn(&str) -> bool) -> f64 {
    let lines = text
        .lines()
        .filter(|line| line.starts_with(name) && line.contains("cache=\"product\"") && wanted(line));
    lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

async fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_added_up() {
        let text = "shop_cache_reads_total{cache=\"product\",outcome=\"hit\",service=\"product\"} 90\n\
            shop_cache_reads_total{cache=\"product\",outcome=\"miss\",service=\"product\"} 10\n\
            shop_cache_reads_total{cache=\"page\",outcome=\"hit\",service=\"product\"} 7\n";
        assert_eq!(sum(text, "shop_cache_reads_total{", |_| true), 100.0);
        assert_eq!(
            sum(text, "shop_cache_reads_total{", |line| line.contains("\"hit\"")),
            90.0
        );
    }
}
