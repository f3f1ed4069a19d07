//! The audit's statements over databases as the services' own migrations make them.

use super::collect::found;
use crate::history::{Acknowledged, Checkout, End, Promises, check};
use shop_books::read::Sources;
use shop_contract::api::OrderLine;
use shop_kit_postgres::Pool;
use shop_kit_testshards::{OneDatabase, TwoShards};
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Executor};
use uuid::Uuid;

const LAMP: Uuid = Uuid::from_u128(7);

fn orders() -> Migrator {
    sqlx::migrate!("../../services/order/migrations")
}

fn users() -> Migrator {
    sqlx::migrate!("../../services/user/migrations")
}

fn inventory() -> Migrator {
    sqlx::migrate!("../../services/inventory/migrations")
}

fn payment() -> Migrator {
    sqlx::migrate!("../../services/payment/migrations")
}

async fn run(pool: &Pool, statements: &[String]) {
    for statement in statements {
        let done = pool.executor().execute(AssertSqlSafe(statement.clone())).await;
        assert!(done.is_ok(), "{statement}: {done:?}");
    }
}

/// One confirmed order of two lamps, as the services leave it.
async fn confirmed(sources: &Sources, shard: u16, order: Uuid, user: Uuid) {
    let pool = sources.shards.get(shard).unwrap().pool;
    run(
        &pool,
        &[
            format!(
                "insert into orders (id, user_id, status, total_cents, currency, payment_token) \
                 values ('{order}', '{user}', 'confirmed', 1000, 'EUR', 'tok_ok')"
            ),
            format!(
                "insert into order_lines (order_id, position, product_id, quantity, price_cents) \
                 values ('{order}', 1, '{LAMP}', 2, 500)"
            ),
            format!(
                "insert into user_mails (object_id, kind, user_id, recipient, name, facts, state) \
                 values ('{order}', 'order.confirmed', '{user}', 'a@example.com', 'A', '{{}}', 'sent')"
            ),
        ],
    )
    .await;
    let ledger = |operation: &str| {
        format!(
            "insert into provider_ledger (key, operation, payment_id, order_id, amount_cents, currency, outcome, synthetic) \
             values ('{operation}', '{operation}', '{order}', '{order}', 1000, 'EUR', 'done', false)"
        )
    };
    run(&sources.payments, &[ledger("authorise"), ledger("capture")]).await;
    let moved = |kind: &str, order: &str, units: i32| {
        format!(
            "insert into stock_movements (product_id, order_id, kind, quantity) values ('{LAMP}', {order}, '{kind}', {units})"
        )
    };
    run(
        &sources.catalog,
        &[
            format!("insert into stock_slots (product_id, slot, on_hand) values ('{LAMP}', 0, 8)"),
            moved("seeded", "null", 10),
            moved("claimed", &format!("'{order}'"), -2),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_good_order_is_found_whole_and_a_spoilt_one_is_told() {
    let two = TwoShards::start(&[(orders, "order_migrations"), (users, "user_migrations")])
        .await
        .unwrap();
    let catalog = OneDatabase::start(&[(inventory, "inventory_migrations")])
        .await
        .unwrap();
    let payments = OneDatabase::start(&[(payment, "payment_migrations")]).await.unwrap();
    let sources = Sources {
        shards: two.open(),
        catalog: catalog.pool("postgres/catalog"),
        payments: payments.pool("postgres/payments"),
    };
    let (order, user) = (Uuid::now_v7(), two.user_in(1));
    confirmed(&sources, 1, order, user).await;
    let mut promises = Promises::default();
    promises.customers.insert(user);
    let acknowledged = Acknowledged {
        order,
        total_cents: 1000,
        currency: "EUR".to_owned(),
        lines: vec![OrderLine {
            product_id: LAMP,
            quantity: 2,
        }],
    };
    let end = End::Acknowledged(acknowledged);
    promises.checkouts.insert(Uuid::now_v7(), Checkout { user, end });
    let judge = async || check(&promises, &found(&sources, &promises).await.unwrap());
    assert_eq!(judge().await, []);

    run(
        &sources.catalog,
        &["update stock_slots set on_hand = on_hand + 1".to_owned()],
    )
    .await;
    run(
        &sources.payments,
        &["update provider_ledger set amount_cents = 999 where operation = 'capture'".to_owned()],
    )
    .await;
    let shard = sources.shards.get(1).unwrap().pool;
    run(&shard, &["update user_mails set state = 'waiting'".to_owned()]).await;
    let kinds: Vec<&str> = judge().await.iter().map(|violation| violation.what).collect();
    assert_eq!(kinds, ["mail", "money", "money", "stock"]);
}
