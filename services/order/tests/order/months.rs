//! Orders by month: where they lie, how they are found, partitions made ahead and detached.

use crate::saga::payment;
use crate::shop::Shop;
use crate::stage::KETTLE;
use jiff::{Timestamp, ToSpan, Zoned};
use prometheus::{Encoder, Registry, TextEncoder};
use shop_contract::api::{Order, OrderStatus, PricedLine};
use shop_contract::event::PAYMENT_CAPTURED;
use shop_kit_events::Handler;
use shop_kit_postgres::Shard;
use shop_order::job::months::keep_months;
use shop_order::job::sweep::sweep;
use shop_order::metrics::OrderMetrics;
use shop_order::month::Month;
use shop_order::store::placing::{Placed, Placing, place};
use shop_order::{store, time};
use uuid::Uuid;

/// The first moment of the month so many months from now, in UTC.
fn month_start(months: i32) -> Timestamp {
    let now = Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC);
    let first = now.first_of_month().unwrap().start_of_day().unwrap();
    first.checked_add(months.months()).unwrap().timestamp()
}

/// A UUIDv7 of this moment.
fn id_at(time: Timestamp) -> Uuid {
    let milliseconds = u128::try_from(time.as_millisecond()).unwrap();
    let random = Uuid::new_v4().as_u128() & 0x0fff_3fff_ffff_ffff_ffff;
    Uuid::from_u128((milliseconds << 80) | 0x7000_8000_0000_0000_0000 | random)
}

impl Shop {
    fn shard(&self, index: u16) -> Shard {
        self.pools.get(index).unwrap()
    }

    async fn text(&self, sql: &'static str, id: Uuid) -> String {
        let pool = self.pool(0);
        sqlx::query_scalar(sql)
            .bind(id)
            .fetch_one(pool.executor())
            .await
            .unwrap()
    }

    async fn set(&self, order: Uuid, status: &str) {
        let pool = self.pool(0);
        sqlx::query("update orders set status = $2 where id = $1")
            .bind(order)
            .bind(status)
            .execute(pool.executor())
            .await
            .unwrap();
    }

    /// Writes an order as a checkout at that moment would.
    async fn order_at(&self, user: Uuid, time: Timestamp) -> Uuid {
        let id = id_at(time);
        let order = Order {
            id,
            user_id: user,
            status: OrderStatus::Placed,
            total_cents: 250,
            currency: "EUR".to_owned(),
            shard: 0,
            lines: vec![PricedLine {
                product_id: KETTLE,
                quantity: 1,
                price_cents: 250,
            }],
            cancel_reason: None,
            ship_to: None,
            created_at: time::of_id(id),
        };
        let placing = Placing {
            order: &order,
            synthetic: false,
            payment_token: "tok_ok",
            event: "{}".to_owned(),
            event_id: Uuid::now_v7(),
            answer: "{}",
            location: "",
            ticket: None,
            cart: None,
        };
        assert_eq!(place(&self.shard(0), &placing).await.unwrap(), Placed::Done);
        id
    }
}

#[tokio::test]
async fn an_order_lies_in_the_month_of_its_id_and_is_found_there() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    let next = month_start(1);
    for (moment, months) in [
        (next - 1.millisecond(), 0),
        (next, 1),
        (month_start(0), 0),
        (month_start(0) - 1.millisecond(), -1),
    ] {
        let id = shop.order_at(user, moment).await;
        let month = Month::of(month_start(months)).to_string().replace('-', "_");
        let month = month.strip_suffix("_01").unwrap();
        for (table, sql) in [
            ("orders", "select tableoid::regclass::text from orders where id = $1"),
            (
                "order_lines",
                "select tableoid::regclass::text from order_lines where order_id = $1",
            ),
        ] {
            assert_eq!(shop.text(sql, id).await, format!("{table}_{month}"), "{moment}");
        }
        let shown = shop.get(user, &format!("/api/v1/orders/{id}")).await;
        assert_eq!(shown.body["created_at"].as_str().unwrap(), time::of_id(id));
        let written = "select to_char(created_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') from orders where id = $1";
        assert_eq!(shop.text(written, id).await, time::of_id(id));
        shop.saga()
            .handle(&[payment(PAYMENT_CAPTURED, user, id)])
            .await
            .unwrap();
        let sql = "select tableoid::regclass::text from order_history where order_id = $1";
        assert_eq!(shop.text(sql, id).await, format!("order_history_{month}"));
    }
    let page = shop.get(user, "/api/v1/orders?limit=100").await;
    let times: Vec<&str> = page.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|order| order["created_at"].as_str().unwrap())
        .collect();
    assert!(
        times.len() == 4 && times.is_sorted_by(|one, other| one > other),
        "{times:?}"
    );
}

#[tokio::test]
async fn an_id_finds_its_one_partition() {
    let shop = Shop::start().await;
    let user = shop.two.user_in(0);
    let id = shop.order(user).await;
    for statement in [
        "explain (costs off) select id, (select count(*) from order_lines where order_id = orders.id) from orders where id = $1",
        "explain (costs off) select id from orders where id = any(array[$1::uuid]) for update",
        "explain (costs off) update orders set status = last.status from (select $1::uuid as id, 'x' as status) as last \
         where orders.id = last.id and orders.id = any(array[$1::uuid])",
    ] {
        let plan: Vec<String> = sqlx::query_scalar(statement)
            .bind(id)
            .fetch_all(shop.pool(0).executor())
            .await
            .unwrap();
        let touched = |plan: &String| plan.contains(" on orders_") || plan.contains("using orders_");
        let scans = plan
            .iter()
            .filter(|line| touched(line) && line.contains("Scan"))
            .count();
        assert_eq!(scans, 1, "{}", plan.join("\n"));
    }
}

#[tokio::test]
async fn months_are_made_ahead_by_migration_and_worker() {
    let shop = Shop::start().await;
    let (pool, this) = (shop.pool(1), Month::of(Timestamp::now()));
    let there = store::month::all(&pool).await.unwrap();
    assert!((-1..=3).all(|months| there.contains(&this.plus(months))), "{there:?}");
    let later = month_start(7);
    assert_eq!(keep_months(&pool, later, None).await.unwrap(), 3);
    let there = store::month::all(&pool).await.unwrap();
    assert!((7..=10).all(|months| there.contains(&this.plus(months))), "{there:?}");
    // Two workers at the same moment.
    let (one, other) = tokio::join!(
        keep_months(&pool, month_start(20), None),
        keep_months(&pool, month_start(20), None)
    );
    assert_eq!((one.unwrap(), other.unwrap()), (3, 3));
    let parts = "select count(*) from pg_inherits where inhparent in ('orders'::regclass, 'order_lines'::regclass, 'order_history'::regclass)";
    assert_eq!(shop.count(1, parts).await % 3, 0);
}

#[tokio::test]
async fn old_months_are_detached_by_policy_and_stay_as_tables() {
    let shop = Shop::start().await;
    let (user, pool) = (shop.two.user_in(0), shop.pool(0));
    let old = shop.order_at(user, month_start(0) - 1.millisecond()).await;
    let this = shop.order(user).await;
    let later = month_start(2);
    keep_months(&pool, later, Some(2)).await.unwrap();
    assert_eq!(
        shop.get(user, &format!("/api/v1/orders/{old}")).await.status,
        200,
        "it still waits for its payment"
    );
    shop.saga()
        .handle(&[payment(PAYMENT_CAPTURED, user, old)])
        .await
        .unwrap();
    keep_months(&pool, later, Some(3)).await.unwrap();
    assert_eq!(
        shop.get(user, &format!("/api/v1/orders/{old}")).await.status,
        200,
        "it is not old enough"
    );
    for status in ["confirmed", "shipped", "accepted"] {
        shop.set(old, status).await;
        keep_months(&pool, later, Some(2)).await.unwrap();
        let shown = shop.get(user, &format!("/api/v1/orders/{old}")).await.status;
        assert_eq!(shown, 200, "one that is {status} is not done with");
    }
    shop.set(old, "delivered").await;
    keep_months(&pool, later, Some(2)).await.unwrap();
    for path in ["", "/history"] {
        assert_eq!(shop.get(user, &format!("/api/v1/orders/{old}{path}")).await.status, 404);
    }
    assert_eq!(shop.get(user, &format!("/api/v1/orders/{this}")).await.status, 200);
    let month = Month::of(month_start(-1)).to_string().replace('-', "_");
    let month = month.strip_suffix("_01").unwrap();
    for noun in ["orders", "order_lines", "order_history"] {
        let table = format!("select count(*) from {noun}_{month}");
        let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(table))
            .fetch_one(pool.executor())
            .await
            .unwrap();
        assert_eq!(rows, 1, "{noun}");
    }
    let again = keep_months(&pool, later, Some(2)).await;
    assert_eq!(again.unwrap(), 3, "what is detached is not detached again");
}

#[tokio::test]
async fn orders_that_wait_are_counted_by_age() {
    let shop = Shop::start().await;
    let (user, registry) = (shop.two.user_in(0), Registry::new());
    let metrics = OrderMetrics::new(&registry).unwrap();
    for _ in 0..3 {
        shop.order(user).await;
    }
    shop.confirmed_order(user).await;
    let aged = "update orders set created_at = now() - interval '20 minutes' where id = (select min(id::text)::uuid from orders)";
    assert_eq!(shop.run(0, aged).await, 1);
    let failed = sweep(&shop.shard(0), Timestamp::now(), None, &metrics).await;
    assert!(failed.is_empty(), "{failed:?}");
    let mut text = Vec::new();
    TextEncoder::new().encode(&registry.gather(), &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    for line in [
        "shop_orders_placed{age=\"over_15m\",shard=\"0\"} 1",
        "shop_orders_placed{age=\"under_1m\",shard=\"0\"} 2",
        "shop_orders_months_ahead{shard=\"0\"} 3",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}
