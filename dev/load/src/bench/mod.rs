//! `shop-load bench`: each part measures its sides in turn, round after round, and reports the median and the ratio.
//! Machine, shop and load generator share the cores; how noisy the machine was is said with the figures.

mod cache;
mod inline;
mod noise;
mod processes;
mod raw;
mod reads;
mod report;
mod saga;
mod sql;

use crate::access;
use crate::arguments::{Access, Bench, Part};
use crate::client::Client;
use crate::customer::{Customer, register, signer};
use crate::latency::Latencies;
use crate::load::products;
use crate::order_log::OrderLog;
use crate::target;
use report::Report;
use shop_contract::api::Product;

/// What every part uses.
pub struct Ground<'a> {
    pub bench: &'a Bench,
    pub gateway: String,
    pub client: Client,
    pub customers: Vec<Customer>,
    pub products: Vec<Product>,
    pub log: OrderLog,
    pub latencies: Latencies,
    pub opened: access::Opened,
}

pub async fn run(access: &Access, bench: &Bench) -> anyhow::Result<bool> {
    let gateway = target::url(&access.gateway)?;
    let client = Client::new(&gateway)?;
    let mut report = Report::default();
    // Before anything else: what the shop needs while nobody asks for anything.
    if wanted(bench, Part::Memory) {
        report.memory = processes::memory();
    }
    let customers = register(&client, signer(access.token_seed.as_deref())?, bench.users).await?;
    let ground = Ground {
        bench,
        gateway,
        products: products(&client).await?,
        client,
        customers,
        log: OrderLog::nowhere(),
        latencies: Latencies::default(),
        opened: access::open(access)?,
    };
    for round in 1..=bench.rounds {
        eprintln!("round {round} of {}", bench.rounds);
        report.noise.push(noise::spin());
        one_round(&ground, &mut report).await?;
    }
    report.noise.push(noise::spin());
    report.print(bench.output);
    Ok(true)
}

async fn one_round(ground: &Ground<'_>, report: &mut Report) -> anyhow::Result<()> {
    let parts: [Part; 4] = [Part::Inline, Part::Saga, Part::Reads, Part::Cache];
    for part in parts.into_iter().filter(|part| wanted(ground.bench, *part)) {
        eprintln!("  {part:?}");
        match part {
            Part::Inline => inline::measure(ground, report).await?,
            Part::Saga => saga::measure(ground, report).await?,
            Part::Reads => reads::measure(ground, report).await?,
            Part::Cache => cache::measure(ground, report).await?,
            Part::Memory => {}
        }
    }
    Ok(())
}

fn wanted(bench: &Bench, part: Part) -> bool {
    bench.only.is_empty() || bench.only.contains(&part)
}
