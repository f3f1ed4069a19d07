//! A shop's four databases as its services migrate them, and orders written by hand as their services would have.
#![allow(dead_code)] // Each test file uses its own part.

use serde_json::json;
use shop_books::read::Sources;
use shop_contract::api::PricedLine;
use shop_kit_postgres::{Pool, ShardedPool};
use shop_kit_testshards::{OneDatabase, TwoShards};
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Executor};
use uuid::{NoContext, Timestamp, Uuid};

/// What every order here buys: two pieces for 10 euros.
pub const LAMP: Uuid = Uuid::from_u128(7);
pub const TOTAL: i64 = 1_000;
const QUANTITY: i32 = 2;

fn orders() -> Migrator {
    sqlx::migrate!("../order/migrations")
}

fn users() -> Migrator {
    sqlx::migrate!("../user/migrations")
}

fn products() -> Migrator {
    sqlx::migrate!("../product/migrations")
}

fn inventory() -> Migrator {
    sqlx::migrate!("../inventory/migrations")
}

fn payment() -> Migrator {
    sqlx::migrate!("../payment/migrations")
}

pub struct Shop {
    pub two: TwoShards,
    pub catalog: Pool,
    pub payments: Pool,
    pub sources: Sources,
}

/// An order and where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Placed {
    pub id: Uuid,
    pub user: Uuid,
    pub shard: u16,
}

impl Shop {
    pub async fn start() -> Self {
        let two = TwoShards::start(&[(orders, "order_migrations"), (users, "user_migrations")])
            .await
            .unwrap();
        let catalog = OneDatabase::start(&[(products, "product_migrations"), (inventory, "inventory_migrations")]);
        let payments = OneDatabase::start(&[
            (payment, "payment_migrations"),
            (shop_books::migrator, shop_books::MIGRATIONS_TABLE),
        ]);
        let (catalog, payments) = (catalog.await.unwrap(), payments.await.unwrap());
        let (catalog, payments) = (catalog.pool("postgres/catalog"), payments.pool("postgres/payments"));
        let sources = Sources {
            shards: two.open(),
            catalog: catalog.clone(),
            payments: payments.clone(),
        };
        let shop = Self {
            two,
            catalog,
            payments,
            sources,
        };
        shop.stock(LAMP, 100).await;
        shop
    }

    /// The same databases as seen when a shard does not answer.
    pub async fn without(&self, shard: u16) -> Sources {
        Sources {
            shards: self.two.open_without(shard).await.unwrap(),
            ..self.sources.clone()
        }
    }

    pub async fn stock(&self, product: Uuid, on_hand: i32) {
        self.catalog(format!(
            "insert into stock_slots (product_id, slot, on_hand) values ('{product}', 0, {on_hand})"
        ))
        .await;
        let moved = format!(
            "insert into stock_movements (product_id, kind, quantity) values ('{product}', 'seeded', {on_hand})"
        );
        self.catalog(moved).await;
    }

    /// An order of ten minutes ago, in this status, without payment and stock.
    pub async fn order(&self, shard: u16, status: &str) -> Placed {
        let ago = jiff::Timestamp::now().as_second().unsigned_abs() - 600;
        // The random part keeps ids of one second apart.
        let id = Uuid::new_v7(Timestamp::from_unix(NoContext, ago, 0));
        let order = Placed {
            id,
            user: self.two.user_in(shard),
            shard,
        };
        let reason = if status == "cancelled" { "'customer'" } else { "null" };
        self.shard(
            shard,
            format!(
                "insert into orders (id, user_id, status, total_cents, currency, created_at, cancel_reason, payment_token) \
                 values ('{id}', '{}', '{status}', {TOTAL}, 'EUR', now() - interval '10 minutes', {reason}, 'tok_ok')",
                order.user
            ),
        )
        .await;
        self.shard(
            shard,
            format!(
                "insert into order_lines (order_id, position, product_id, quantity, price_cents) \
                 values ('{id}', 1, '{LAMP}', {QUANTITY}, 500)"
            ),
        )
        .await;
        order
    }

    /// Its payment in this state, with what the provider noted of it.
    pub async fn pay(&self, order: Placed, state: &str, noted: &[(&str, i64)]) {
        let line = PricedLine {
            product_id: LAMP,
            quantity: QUANTITY as u32,
            price_cents: 500,
        };
        let refunded: i64 = noted
            .iter()
            .filter(|(operation, _)| *operation == "refund")
            .map(|(_, cents)| cents)
            .sum();
        let (lines, payment) = (json!([line]), Uuid::now_v7());
        self.payments(format!(
            "insert into payments (id, order_id, user_id, state, amount_cents, currency, token, lines, refunded_cents, synthetic) \
             values ('{payment}', '{}', '{}', '{state}', {TOTAL}, 'EUR', 'tok_ok', '{lines}', {refunded}, false)",
            order.id, order.user
        ))
        .await;
        for (operation, cents) in noted {
            self.note(order.id, operation, *cents).await;
        }
    }

    pub async fn note(&self, order: Uuid, operation: &str, cents: i64) {
        let key = Uuid::now_v7();
        self.payments(format!(
            "insert into provider_ledger (key, operation, payment_id, order_id, amount_cents, currency, outcome, synthetic) \
             select '{key}', '{operation}', coalesce((select id from payments where order_id = '{order}'), '{key}'), \
             '{order}', {cents}, 'EUR', 'done', false"
        ))
        .await;
    }

    /// Its stock in this state: `reserved` or `claimed` as inventory writes it.
    pub async fn reserve(&self, order: Uuid, state: &str) {
        let (taken, column) = match state {
            "reserved" => (QUANTITY, "reserved = reserved + 2"),
            "claimed" => (QUANTITY, "on_hand = on_hand - 2"),
            _ => (QUANTITY, "reserved = reserved"),
        };
        self.catalog(format!("update stock_slots set {column} where product_id = '{LAMP}'"))
            .await;
        self.catalog(format!(
            "insert into inventory_reservations (order_id, state, products, slots, quantities, expires_at) \
             values ('{order}', '{state}', array['{LAMP}'::uuid], array[0::smallint], array[{taken}], now() + interval '5 minutes')"
        ))
        .await;
        if state == "claimed" {
            self.moved(order, "claimed", -QUANTITY).await;
        }
    }

    pub async fn moved(&self, order: Uuid, kind: &str, quantity: i32) {
        self.catalog(format!(
            "insert into stock_movements (product_id, order_id, kind, quantity) values ('{LAMP}', '{order}', '{kind}', {quantity})"
        ))
        .await;
    }

    /// Notes in its history that it was cancelled so many seconds ago.
    pub async fn cancelled_ago(&self, order: Placed, seconds: i64) {
        let entry = format!(
            "insert into order_history (order_id, status, actor, at) \
             values ('{}', 'cancelled', 'customer', now() - interval '{seconds} seconds')",
            order.id
        );
        self.shard(order.shard, entry).await;
    }

    /// A refund the provider has not been heard about yet.
    pub async fn owe(&self, order: Placed, cents: i64) {
        self.payments(format!(
            "insert into payment_refunds (id, payment_id, amount_cents) \
             select gen_random_uuid(), id, {cents} from payments where order_id = '{}'",
            order.id
        ))
        .await;
    }

    /// Takes the months of the orders here out of a shard.
    pub async fn detach(&self, shard: u16) {
        for ago in ["0 months", "1 month"] {
            self.shard(
                shard,
                format!("select order_month_detach((date_trunc('month', now() at time zone 'utc') - interval '{ago}')::date)"),
            )
            .await;
        }
    }

    /// An order that went well from end to end.
    pub async fn confirmed(&self, shard: u16) -> Placed {
        let order = self.order(shard, "confirmed").await;
        self.pay(order, "captured", &[("authorise", TOTAL), ("capture", TOTAL)])
            .await;
        self.reserve(order.id, "claimed").await;
        order
    }

    pub async fn shard(&self, shard: u16, statement: String) {
        run(&self.shards().get(shard).unwrap().pool, statement).await;
    }

    pub async fn catalog(&self, statement: String) {
        run(&self.catalog, statement).await;
    }

    pub async fn payments(&self, statement: String) {
        run(&self.payments, statement).await;
    }

    /// Events waiting in an outbox, as kind and payload.
    pub async fn outbox(&self, pool: &Pool, table: &str) -> Vec<(String, serde_json::Value)> {
        let text = format!("select kind, payload from {table} where published_at is null order by id");
        let rows: Vec<(String, String)> = sqlx::query_as(AssertSqlSafe(text))
            .fetch_all(pool.executor())
            .await
            .unwrap();
        rows.into_iter()
            .map(|(kind, payload)| (kind, serde_json::from_str(&payload).unwrap()))
            .collect()
    }

    pub fn shards(&self) -> &ShardedPool {
        &self.sources.shards
    }
}

async fn run(pool: &Pool, statement: String) {
    let done = pool.executor().execute(AssertSqlSafe(statement.clone())).await;
    if let Err(error) = done {
        panic!("{statement}: {error}");
    }
}
