//! How many reservations of one hot product a second: with its stock in one slot and in many, each order in a
//! transaction of its own and gathered in groups. Two desks with connections of their own stand for two pods. Prints
//! the ratios of one run; the rounds of the variants alternate. Without PGHOST (and PGPORT, PGUSER, PGPASSWORD,
//! PGDATABASE) it starts a Postgres of its own, which does not wait for the disk.

use anyhow::{Context, bail};
use prometheus::Registry;
use shop_contract::shard_map::Address;
use shop_inventory::desk::{Desk, DeskMetrics, Rules};
use shop_inventory::reservation::Line;
use shop_inventory::settle::Answer;
use shop_inventory::store::reserve::Order;
use shop_inventory::store::slot;
use shop_inventory::{MIGRATIONS_TABLE, TIER, migrator};
use shop_kit_config::Secret;
use shop_kit_postgres::{Credentials, Pool, Timeouts, migrate};
use shop_kit_testshards::OneDatabase;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

const ROUNDS: usize = 3;
const CLIENTS: usize = 128;
const ORDERS_PER_CLIENT: usize = 25;
const UNITS: i32 = 100_000;
const CONNECTIONS: u32 = 8;

struct Variant {
    name: &'static str,
    slots: i16,
    rules: Rules,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (address, credentials) = database().await?;
    let timeouts = Timeouts {
        connections: CONNECTIONS,
        acquire: Duration::from_secs(60),
        ..Timeouts::default()
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    migrate(
        TIER,
        &address,
        &credentials,
        timeouts,
        migrator(),
        MIGRATIONS_TABLE,
        deadline,
    )
    .await?;
    let pools = [(); 2].map(|()| Pool::lazy(TIER, &address, &credentials, timeouts));
    let alone = Rules {
        clerks: CONNECTIONS as usize,
        at_once: 1,
        ..Rules::default()
    };
    let variant = |name, slots, rules| Variant { name, slots, rules };
    let variants = [
        variant("1 slot, each order alone", 1, alone),
        variant("16 slots, each order alone", 16, alone),
        variant("1 slot, in groups", 1, Rules::default()),
        variant("16 slots, in groups", 16, Rules::default()),
    ];
    let mut rates = [const { Vec::new() }; 4];
    for _ in 0..ROUNDS {
        for (variant, rates) in variants.iter().zip(&mut rates) {
            rates.push(round(&pools, variant).await?);
        }
    }
    let medians = rates.map(median);
    for (variant, rate) in variants.iter().zip(medians) {
        println!(
            "{:<28} {rate:>8.0} reservations/s  {:>6.2}x",
            variant.name,
            rate / medians[0]
        );
    }
    Ok(())
}

async fn database() -> anyhow::Result<(Address, Credentials)> {
    let variable = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set"));
    if let Ok(host) = std::env::var("PGHOST") {
        let credentials = Credentials {
            database: variable("PGDATABASE")?,
            user: variable("PGUSER")?,
            password: Secret::new(variable("PGPASSWORD")?),
        };
        let port = variable("PGPORT")?.parse()?;
        return Ok((Address { host, port }, credentials));
    }
    let database = OneDatabase::start(&[]).await?;
    Ok((database.address, database.credentials))
}

/// Reservations a second.
async fn round(pools: &[Pool; 2], variant: &Variant) -> anyhow::Result<f64> {
    let product = Uuid::now_v7();
    slot::seed(&pools[0], &[product], UNITS, variant.slots).await?;
    let desk = |pool: &Pool| {
        anyhow::Ok(Desk::open(
            pool.clone(),
            variant.rules,
            DeskMetrics::new(&Registry::new())?,
        ))
    };
    let desks = [desk(&pools[0])?, desk(&pools[1])?];
    let mut clients = JoinSet::new();
    let begun = Instant::now();
    for client in 0..CLIENTS {
        clients.spawn(buy(desks[client % 2].clone(), product));
    }
    while let Some(done) = clients.join_next().await {
        done??;
    }
    Ok((CLIENTS * ORDERS_PER_CLIENT) as f64 / begun.elapsed().as_secs_f64())
}

async fn buy(desk: Desk, product: Uuid) -> anyhow::Result<()> {
    for _ in 0..ORDERS_PER_CLIENT {
        let lines = vec![Line { product, quantity: 1 }];
        let answer = desk
            .reserve(Order {
                id: Uuid::now_v7(),
                lines,
            })
            .await?;
        if !matches!(answer, Answer::Held(_)) {
            bail!("not held: {answer:?}");
        }
    }
    Ok(())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
