//! Many at once: exactly everything is sold, and whatever else happens in between the books agree at every moment.

use crate::books::{check, problems};
use crate::shop::{Shop, authorized, cancelled, order};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use shop_inventory::desk::Desk;
use shop_inventory::job::sweep::expire;
use shop_inventory::settle::Answer;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::task::JoinSet;
use uuid::Uuid;

const TASKS: usize = 200;
const REQUESTS: usize = 10;
const UNITS: i32 = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_at_once_buy_exactly_the_five_hundred_there_are() {
    let shop = Shop::start().await;
    let product = shop.product(UNITS, 8).await;
    let desks = [shop.another_desk(), shop.another_desk()];
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let desk = desks[task % 2].clone();
        tasks.spawn(async move { buy(&desk, product).await });
    }
    let held: Vec<Uuid> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!((held.len(), shop.level(product).await), (UNITS as usize, (500, 500)));
    check(&shop.pool).await;
    for batch in held.chunks(64) {
        let paid: Vec<_> = batch.iter().map(|id| authorized(*id, &[(product, 1)], false)).collect();
        shop.hear(&paid).await;
    }
    assert_eq!(shop.level(product).await, (0, 0));
    assert_eq!(
        shop.count("select -sum(quantity) from stock_movements where kind = 'claimed'")
            .await,
        500
    );
    assert_eq!(
        shop.count("select count(*) from inventory_outbox where kind = 'stock.claimed'")
            .await,
        500
    );
    check(&shop.pool).await;
}

async fn buy(desk: &Desk, product: Uuid) -> Vec<Uuid> {
    let mut held = Vec::new();
    for _ in 0..REQUESTS {
        let id = Uuid::now_v7();
        match desk.reserve(order(id, &[(product, 1)])).await.unwrap() {
            Answer::Held(_) => held.push(id),
            Answer::Short(_) => {}
            other => panic!("{other:?}"),
        }
    }
    held
}

/// An order of the random crowd, known to everybody.
struct Wanted {
    id: Uuid,
    lines: Vec<(Uuid, i32)>,
    cancelled: AtomicBool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_books_agree_whatever_happens_at_the_same_time() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| rand::rng().random());
    println!("SEED={seed}");
    let shop = Arc::new(Shop::start().await);
    let mut random = StdRng::seed_from_u64(seed);
    let products = [
        shop.product(40, 8).await,
        shop.product(6, 1).await,
        shop.product(25, 3).await,
    ];
    let orders: Arc<Vec<Wanted>> = Arc::new((0..80).map(|_| wanted(&mut random, &products)).collect());
    let (desks, steps) = (
        [shop.another_desk(), shop.another_desk()],
        Arc::new(AtomicUsize::new(0)),
    );
    let mut tasks = JoinSet::new();
    for task in 0..12_u64 {
        let (shop, orders, desk) = (shop.clone(), orders.clone(), desks[task as usize % 2].clone());
        let (mut random, steps) = (StdRng::seed_from_u64(seed.wrapping_add(task)), steps.clone());
        tasks.spawn(async move {
            for _ in 0..40 {
                step(&shop, &desk, &orders[random.random_range(0..80)], &mut random).await;
                steps.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    while tasks.try_join_next().map(|done| done.unwrap()).is_some() || !tasks.is_empty() {
        check(&shop.pool).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(steps.load(Ordering::Relaxed), 480);
    finish(&shop, &orders).await;
}

fn wanted(random: &mut StdRng, products: &[Uuid; 3]) -> Wanted {
    let mut lines: Vec<(Uuid, i32)> = products
        .iter()
        .map(|product| (*product, random.random_range(0..4)))
        .collect();
    lines.retain(|(_, quantity)| *quantity > 0);
    if lines.is_empty() {
        lines.push((products[0], 1));
    }
    Wanted {
        id: Uuid::now_v7(),
        lines,
        cancelled: AtomicBool::new(false),
    }
}

async fn step(shop: &Shop, desk: &Desk, wanted: &Wanted, random: &mut StdRng) {
    match random.random_range(0..10) {
        0..5 => drop(desk.reserve(order(wanted.id, &wanted.lines)).await.unwrap()),
        5..7 => shop.hear(&[authorized(wanted.id, &wanted.lines, false)]).await,
        7 => {
            wanted.cancelled.store(true, Ordering::Relaxed);
            shop.hear(&[cancelled(wanted.id, &wanted.lines)]).await;
        }
        8 => shop.make_overdue(wanted.id).await,
        _ => drop(expire(&shop.pool).await.unwrap()),
    }
}

/// Then everything is cancelled: all of it is back.
async fn finish(shop: &Shop, orders: &[Wanted]) {
    assert_eq!(problems(&shop.pool).await, Vec::<String>::new());
    for wanted in orders.iter().filter(|wanted| wanted.cancelled.load(Ordering::Relaxed)) {
        let state = shop.state_of(wanted.id).await.unwrap();
        let ended = ["released", "tombstone", "rejected"].contains(&state.as_str());
        assert!(ended, "{} was cancelled and is {state}", wanted.id);
    }
    let all: Vec<_> = orders
        .iter()
        .map(|wanted| cancelled(wanted.id, &wanted.lines))
        .collect();
    shop.hear(&all).await;
    assert_eq!(shop.count("select sum(on_hand)::bigint from stock_slots").await, 71);
    assert_eq!(shop.count("select sum(reserved)::bigint from stock_slots").await, 0);
    check(&shop.pool).await;
}
