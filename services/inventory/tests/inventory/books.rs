//! The checker every test ends with: does what orders hold, what was sold and what is on hand agree? And the proof that
//! it sees a lost update.

use crate::shop::Shop;
use shop_kit_postgres::Pool;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// Name of a rule, and what it finds broken: a text per row.
const RULES: [(&str, &str); 4] = [
    (
        "a slot has reserved what orders hold of it",
        "select concat_ws(' ', product_id, slot, 'reserved', s.reserved, 'held', h.quantity) from stock_slots s \
         full join (select t.product_id, t.slot, sum(t.quantity) as quantity from inventory_reservations r, \
             unnest(r.products, r.slots, r.quantities) as t (product_id, slot, quantity) \
             where r.state = 'reserved' group by 1, 2) h using (product_id, slot) \
         where coalesce(s.reserved, 0) <> coalesce(h.quantity, 0)",
    ),
    (
        "a product has on hand what its ledger sums up to",
        "select concat_ws(' ', product_id, 'on hand', s.on_hand, 'ledger', m.quantity) \
         from (select product_id, sum(on_hand) as on_hand from stock_slots group by 1) s \
         full join (select product_id, sum(quantity) as quantity from stock_movements group by 1) m \
         using (product_id) where coalesce(s.on_hand, 0) <> coalesce(m.quantity, 0)",
    ),
    (
        "what the ledger sold to an order is what the order claimed",
        "select concat_ws(' ', order_id, product_id, 'claimed', c.quantity, 'ledger', m.quantity) \
         from (select r.order_id, t.product_id, sum(t.quantity) as quantity from inventory_reservations r, \
             unnest(r.products, r.quantities) as t (product_id, quantity) where r.state = 'claimed' group by 1, 2) c \
         full join (select order_id, product_id, -sum(quantity) as quantity from stock_movements \
             where order_id is not null group by 1, 2) m using (order_id, product_id) \
         where coalesce(c.quantity, 0) <> coalesce(m.quantity, 0)",
    ),
    (
        "nothing is below zero or oversold",
        "select concat_ws(' ', product_id, slot, on_hand, reserved) from stock_slots \
         where on_hand < 0 or reserved < 0 or reserved > on_hand",
    ),
];

/// Everything that does not agree, seen at one moment.
pub async fn problems(pool: &Pool) -> Vec<String> {
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query("set transaction isolation level repeatable read")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let mut found = Vec::new();
    for (rule, sql) in RULES {
        let rows = sqlx::query(sql).fetch_all(&mut *transaction).await.unwrap();
        found.extend(rows.iter().map(|row| format!("{rule}: {}", row.get::<String, _>(0))));
    }
    found
}

pub async fn check(pool: &Pool) {
    let problems = problems(pool).await;
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// How one must not reserve: look, think, write what was thought.
struct Careless {
    product: Uuid,
    seen: i32,
}

impl Careless {
    async fn look(connection: &mut PgConnection, product: Uuid) -> Self {
        let seen = sqlx::query_scalar("select reserved from stock_slots where product_id = $1 and slot = 0")
            .bind(product)
            .fetch_one(connection)
            .await
            .unwrap();
        Self { product, seen }
    }

    async fn write(self, connection: &mut PgConnection, order: Uuid) {
        sqlx::query("update stock_slots set reserved = $2 where product_id = $1 and slot = 0")
            .bind(self.product)
            .bind(self.seen + 1)
            .execute(&mut *connection)
            .await
            .unwrap();
        sqlx::query(
            "insert into inventory_reservations (order_id, state, products, slots, quantities, expires_at) \
             values ($1, 'reserved', array[$2::uuid], array[0::smallint], array[1], now() + interval '15 minutes')",
        )
        .bind(order)
        .bind(self.product)
        .execute(connection)
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn the_checker_sees_a_lost_update() {
    let shop = Shop::start().await;
    let product = shop.product(10, 1).await;
    let mut first = shop.pool.begin().await.unwrap();
    let mut second = shop.pool.begin().await.unwrap();
    let looked = Careless::look(&mut first, product).await;
    let too_early = Careless::look(&mut second, product).await;
    looked.write(&mut first, Uuid::now_v7()).await;
    shop.pool.commit(first).await.unwrap();
    check(&shop.pool).await;
    too_early.write(&mut second, Uuid::now_v7()).await;
    shop.pool.commit(second).await.unwrap();
    let found = problems(&shop.pool).await;
    assert!(found.len() == 1 && found[0].contains("reserved 1 held 2"), "{found:?}");
}

#[tokio::test]
async fn the_checker_sees_units_without_an_entry_and_a_sale_without_an_order() {
    let shop = Shop::start().await;
    let product = shop.product(10, 1).await;
    let run = |text: &'static str| sqlx::query(text).bind(product).execute(shop.pool.executor());
    run("update stock_slots set on_hand = on_hand - 1 where product_id = $1")
        .await
        .unwrap();
    assert!(problems(&shop.pool).await[0].contains("on hand 9 ledger 10"));
    run("insert into stock_movements (product_id, order_id, kind, quantity) values ($1, $1, 'claimed', -1)")
        .await
        .unwrap();
    let found = problems(&shop.pool).await;
    assert!(
        found.len() == 1 && found[0].starts_with("what the ledger sold"),
        "{found:?}"
    );
}

#[tokio::test]
async fn the_database_itself_refuses_to_oversell_and_to_forget() {
    let shop = Shop::start().await;
    let product = shop.product(10, 1).await;
    for text in [
        "update stock_slots set reserved = 11 where product_id = $1",
        "update stock_slots set reserved = -1 where product_id = $1",
        "update stock_slots set on_hand = -1 where product_id = $1",
        "update stock_movements set quantity = 11 where product_id = $1",
        "delete from stock_movements where product_id = $1",
        "insert into stock_movements (product_id, order_id, kind, quantity) values ($1, $1, 'claimed', 1)",
        "insert into stock_movements (product_id, kind, quantity) values ($1, 'claimed', -1)",
    ] {
        let refused = sqlx::query(text).bind(product).execute(shop.pool.executor()).await;
        assert!(refused.is_err(), "{text}");
    }
    check(&shop.pool).await;
}
