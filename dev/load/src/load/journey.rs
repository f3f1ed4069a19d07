//! What a customer does after arriving. The first step counts from the scheduled arrival, each further one from its own
//! beginning, which the answer before it decided.

use super::Run;
use super::checkout::{End, Till, checkout};
use crate::client::Answer;
use crate::customer::Customer;
use crate::order_log::Line;
use crate::schedule::{Arrival, Journey};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::Method;
use shop_contract::api::{CART, ORDERS, OrderLine, PRODUCTS};
use std::collections::BTreeMap;
use tokio::time::Instant;
use uuid::Uuid;

const LINES: u32 = 3;
const QUANTITY: u32 = 2;

pub async fn travel(run: &Run, arrival: Arrival, since: Instant) -> anyhow::Result<()> {
    let mut random = StdRng::seed_from_u64(arrival.seed);
    let customer = &run.customers[arrival.customer];
    match arrival.journey {
        Journey::Browse => browse(run, &mut random, since).await,
        Journey::Search => search(run, &mut random, since).await,
        Journey::Cart => return cart(run, customer, &mut random, since).await,
        Journey::Checkout => return buy(run, customer, &mut random, since).await,
        Journey::Orders => return orders(run, customer, since).await,
    }
    Ok(())
}

async fn read(run: &Run, step: &'static str, path: &str, token: Option<&str>, since: Instant) -> Answer {
    let answer = run.client.get(path, token).await;
    run.latencies.note(step, since.elapsed(), &answer.word());
    answer
}

fn wanted(run: &Run, random: &mut StdRng) -> Uuid {
    run.products[run.zipf.rank(random.random())].id
}

async fn browse(run: &Run, random: &mut StdRng, since: Instant) {
    read(run, "list products", &format!("{PRODUCTS}?limit=20"), None, since).await;
    for _ in 0..2 {
        let path = format!("{PRODUCTS}/{}", wanted(run, random));
        read(run, "read product", &path, None, Instant::now()).await;
    }
}

async fn search(run: &Run, random: &mut StdRng, since: Instant) {
    let name = &run.products[run.zipf.rank(random.random())].name;
    let letters = |word: &&str| word.chars().all(char::is_alphanumeric) && !word.is_empty();
    let words: Vec<&str> = name.split_whitespace().filter(letters).collect();
    let word = words
        .get(random.random_range(0..words.len().max(1)))
        .copied()
        .unwrap_or("lamp");
    let ascii: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
    read(run, "search", &format!("{PRODUCTS}?q={ascii}&limit=20"), None, since).await;
}

async fn cart(run: &Run, customer: &Customer, random: &mut StdRng, since: Instant) -> anyhow::Result<()> {
    let token = customer.token(&run.client).await?;
    let path = format!("{CART}/lines/{}", wanted(run, random));
    let body = serde_json::json!({"quantity": random.random_range(1..=QUANTITY)});
    let answer = run
        .client
        .send(Method::PUT, &path, Some(&token), None, Some(&body))
        .await;
    run.latencies.note("fill cart", since.elapsed(), &answer.word());
    read(run, "read cart", CART, Some(&token), Instant::now()).await;
    // A third of the carts are bought; what they hold the shop knows.
    if answer.ok() && random.random_range(0..3) == 0 {
        place(run, customer, &token, None, random, Instant::now()).await?;
    }
    Ok(())
}

async fn buy(run: &Run, customer: &Customer, random: &mut StdRng, since: Instant) -> anyhow::Result<()> {
    let token = customer.token(&run.client).await?;
    let mut lines: BTreeMap<Uuid, u32> = BTreeMap::new();
    for _ in 0..random.random_range(1..=LINES) {
        lines.insert(wanted(run, random), random.random_range(1..=QUANTITY));
    }
    let lines = lines
        .into_iter()
        .map(|(product_id, quantity)| OrderLine { product_id, quantity });
    place(run, customer, &token, Some(lines.collect()), random, since).await
}

async fn place(
    run: &Run,
    customer: &Customer,
    token: &str,
    lines: Option<Vec<OrderLine>>,
    random: &mut StdRng,
    since: Instant,
) -> anyhow::Result<()> {
    let till = Till {
        client: &run.client,
        log: &run.log,
        latencies: &run.latencies,
    };
    let payment = run.tokens.choose(random.random_range(0..100)).to_owned();
    let end = checkout(&till, customer.id, token, lines, &payment, since).await?;
    let End::Placed(order) = end else { return Ok(()) };
    if random.random_range(0..100) < run.cancel_percent {
        let path = format!("{ORDERS}/{}/cancel", order.id);
        let begun = Instant::now();
        let answer = run
            .client
            .send(Method::POST, &path, Some(token), Some(Uuid::now_v7()), None::<&()>)
            .await;
        run.latencies.note("cancel", begun.elapsed(), &answer.word());
        if answer.ok() {
            run.log
                .write(Line::Cancelled {
                    user: customer.id,
                    order: order.id,
                })
                .await?;
        }
    }
    Ok(())
}

async fn orders(run: &Run, customer: &Customer, since: Instant) -> anyhow::Result<()> {
    let token = customer.token(&run.client).await?;
    let listed = read(run, "list orders", &format!("{ORDERS}?limit=20"), Some(&token), since).await;
    if let Some(id) = listed.body["items"][0]["id"].as_str() {
        read(
            run,
            "read order",
            &format!("{ORDERS}/{id}"),
            Some(&token),
            Instant::now(),
        )
        .await;
    }
    Ok(())
}
