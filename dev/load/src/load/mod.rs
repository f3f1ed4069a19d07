//! `shop-load load`: customers arrive at times fixed beforehand, or two hundred of them want the same product at once.
//! Ends by itself. In `mixed` requests may fail, because faults are injected meanwhile; what the shop acknowledged is in
//! the log and judged by the audit.

pub mod checkout;
mod hot;
mod journey;
mod mixed;
mod report;
#[cfg(test)]
mod tests;

use crate::arguments::{Access, Load, Scenario};
use crate::client::{Answer, Client};
use crate::customer::{ATTEMPTS, Customer, PAUSE, register, signer};
use crate::latency::Latencies;
use crate::order_log::{Hot, Line, OrderLog};
use crate::popularity::Zipf;
use crate::target;
use anyhow::ensure;
use rand::RngExt;
use shop_contract::api::{PRODUCTS, Page, Product};
use std::sync::Arc;
use uuid::Uuid;

/// Most products one run knows.
const PRODUCTS_KNOWN: usize = 1_000;

/// What all journeys of a run share.
pub struct Run {
    pub client: Client,
    pub log: OrderLog,
    pub latencies: Latencies,
    pub customers: Vec<Customer>,
    /// Most wanted first.
    pub products: Vec<Product>,
    pub zipf: Zipf,
    pub tokens: checkout::Tokens,
    pub cancel_percent: u32,
}

pub async fn run(access: &Access, load: &Load) -> anyhow::Result<bool> {
    let client = Client::new(&target::url(&access.gateway)?)?;
    let (seed, signer) = (
        load.seed.unwrap_or_else(|| rand::rng().random()),
        signer(access.token_seed.as_deref())?,
    );
    eprintln!("seed {seed}");
    let products = products(&client).await?;
    let hot = match load.scenario {
        Scenario::Mixed => None,
        Scenario::Hot => {
            let product = load.product.unwrap_or(products[0].id);
            hot::put_on_sale(&client, signer.as_deref(), product, load.units).await?;
            Some(Hot {
                product,
                units: load.units,
            })
        }
    };
    let customers = register(&client, signer, load.users).await?;
    eprintln!("{} customers, {} products", customers.len(), products.len());
    let run = Arc::new(Run {
        log: begin(&access.dir, seed, hot, &customers).await?,
        client,
        latencies: Latencies::default(),
        customers,
        zipf: Zipf::new(products.len()),
        products,
        tokens: checkout::Tokens::parse(&load.payment)?,
        cancel_percent: load.cancel,
    });
    let outcome = match hot {
        None => mixed::run(&run, seed, load).await?,
        Some(hot) => hot::run(&run, hot, load).await?,
    };
    report::print(&run, &outcome, seed, load.output);
    Ok(outcome.holds)
}

async fn begin(dir: &std::path::Path, seed: u64, hot: Option<Hot>, customers: &[Customer]) -> anyhow::Result<OrderLog> {
    let run = Uuid::now_v7();
    let log = OrderLog::create(dir, run)?;
    let at = jiff::Timestamp::now().to_string();
    log.write(Line::Run { run, at, seed, hot }).await?;
    for customer in customers {
        log.write(Line::Customer { user: customer.id }).await?;
    }
    Ok(log)
}

/// The first products of the catalogue; their order is their popularity.
pub async fn products(client: &Client) -> anyhow::Result<Vec<Product>> {
    let (mut products, mut path): (Vec<Product>, _) = (Vec::new(), format!("{PRODUCTS}?limit=100"));
    loop {
        let body = patiently(client, &path).await.expect("listing products")?;
        let page: Page<Product> = serde_json::from_value(body)?;
        products.extend(page.items);
        let Some(cursor) = page.next_cursor.filter(|_| products.len() < PRODUCTS_KNOWN) else {
            break;
        };
        path = format!("{PRODUCTS}?limit=100&cursor={cursor}");
    }
    ensure!(
        !products.is_empty(),
        "the catalogue is empty: seed it first (product seed, inventory seed)"
    );
    Ok(products)
}

async fn patiently(client: &Client, path: &str) -> Answer {
    let mut answer = client.get(path, None).await;
    for _ in 0..ATTEMPTS {
        if !answer.open() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        answer = client.get(path, None).await;
    }
    answer
}
