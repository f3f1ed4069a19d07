//! Connections that die in the middle of their work.

use crate::books::check;
use crate::shop::{Shop, authorized, order};
use shop_inventory::desk::{Desk, Rules};
use shop_inventory::reservation::Line;
use shop_inventory::settle::{Answer, Ask};
use shop_inventory::store::settlement::{finish, settle_in};
use shop_kit_testshards::PATIENCE;
use std::time::Instant;
use tokio::task::JoinSet;
use uuid::Uuid;

const KILL_ONE: &str = "select count(pg_terminate_backend(pid)) from (select pid from pg_stat_activity \
     where datname = current_database() and query like 'select done.%' \
     and pid <> pg_backend_pid() order by random() limit 1) as victim";

#[tokio::test]
async fn a_claim_that_dies_before_its_commit_did_nothing_and_is_done_again() {
    let shop = Shop::start().await;
    let (product, id) = (shop.product(5, 1).await, Uuid::now_v7());
    let lines = [(product, 2)];
    shop.reserve(id, &lines).await;
    let mut transaction = shop.pool.begin().await.unwrap();
    let asks = [Ask::Claim {
        order: id,
        lines: vec![Line { product, quantity: 2 }],
    }];
    let settled = settle_in(&mut transaction, &asks).await.unwrap();
    let answers = finish(&mut transaction, settled, Rules::default().hold).await;
    assert_eq!(answers.unwrap(), [Answer::Claimed]);
    let pid: i32 = sqlx::query_scalar("select pg_backend_pid()")
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
    sqlx::query("select pg_terminate_backend($1)")
        .bind(pid)
        .execute(shop.pool.executor())
        .await
        .unwrap();
    assert!(shop.pool.commit(transaction).await.unwrap_err().is_unavailable());
    assert_eq!(
        (shop.level(product).await, shop.state_of(id).await.as_deref()),
        ((5, 2), Some("reserved"))
    );
    shop.hear(&[authorized(id, &lines, false)]).await;
    assert_eq!(shop.level(product).await, (3, 0));
    check(&shop.pool).await;
}

/// Every order asks until it has an answer; a killer ends connections meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_sold_twice_when_connections_die() {
    let shop = Shop::start().await;
    let product = shop.product(60, 4).await;
    let desks = [shop.another_desk(), shop.another_desk()];
    let (mut asking, mut held, mut killed, begun) = (JoinSet::new(), 0, 0, Instant::now());
    // As many as it takes: who comes late finds nothing left, and asks the database all the same.
    for order in 0.. {
        if order >= 100 && killed >= 10 {
            break;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "only {killed} connections were there to be killed"
        );
        let desk = desks[order % 2].clone();
        asking.spawn(async move { until_answered(&desk, product).await });
        if asking.len() >= 20 {
            killed += shop.count(KILL_ONE).await;
            held += usize::from(asking.join_next().await.unwrap().unwrap());
        }
    }
    held += asking.join_all().await.into_iter().filter(|held| *held).count();
    assert_eq!((held, shop.level(product).await), (60, (60, 60)));
    check(&shop.pool).await;
}

async fn until_answered(desk: &Desk, product: Uuid) -> bool {
    let (id, begun) = (Uuid::now_v7(), Instant::now());
    loop {
        match desk.reserve(order(id, &[(product, 1)])).await {
            Ok(Answer::Held(_) | Answer::Unchanged(_)) => return true,
            Ok(Answer::Short(_)) => return false,
            Ok(other) => panic!("{other:?}"),
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
    }
}
