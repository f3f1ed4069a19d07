//! A shop of the version before: its orders survive, and its pods go on working while and after the tables change.

use crate::shop::{Shop, face};
use crate::stage::{KETTLE, Stage};
use shop_kit_testshards::{PATIENCE, TwoShards};
use shop_order::{MIGRATIONS_TABLE, migrator, start};
use sqlx::migrate::Migrator;
use tokio::time::Instant;
use uuid::Uuid;

/// The tables as the version before made them.
fn before() -> Migrator {
    let all = migrator();
    let migrations = all.iter().filter(|migration| migration.version <= 2).cloned();
    Migrator::with_migrations(migrations.collect())
}

/// A shop whose tables are those of the version before.
async fn old_shop() -> Shop {
    let two = TwoShards::start(&[(before, MIGRATIONS_TABLE)]).await.unwrap();
    let (pools, stage) = (two.open(), Stage::open().await);
    let mut shop = Shop {
        app: axum::Router::new(),
        pools,
        two,
        stage,
    };
    shop.app = face(shop.state(shop.pools.clone(), &shop.stage.url, &shop.stage.url));
    shop
}

impl Shop {
    /// The statements of the version before, word for word.
    async fn old_pod_places(&self, user: Uuid, synthetic: bool) -> Uuid {
        let order = Uuid::now_v7();
        let mut transaction = self.pool(0).begin().await.unwrap();
        sqlx::query("insert into orders (id, user_id, total_cents, currency, synthetic) values ($1, $2, $3, $4, $5)")
            .bind(order)
            .bind(user)
            .bind(250_i64)
            .bind("EUR")
            .bind(synthetic)
            .execute(&mut *transaction)
            .await
            .unwrap();
        sqlx::query(
            "insert into order_lines (order_id, position, product_id, quantity, price_cents) \
             select $1, line.position, line.product_id, line.quantity, line.price_cents \
             from unnest($2::uuid[], $3::integer[], $4::bigint[]) with ordinality \
             as line (product_id, quantity, price_cents, position)",
        )
        .bind(order)
        .bind(vec![KETTLE])
        .bind(vec![1])
        .bind(vec![250_i64])
        .execute(&mut *transaction)
        .await
        .unwrap();
        transaction.commit().await.unwrap();
        order
    }

    async fn old_pod_accepts(&self, order: Uuid) {
        let accepted = "update orders set status = 'accepted', accepted_at = now() where id = $1 and status = 'placed'";
        let done = sqlx::query(accepted)
            .bind(order)
            .execute(self.pool(0).executor())
            .await
            .unwrap();
        assert_eq!(done.rows_affected(), 1);
    }
}

#[tokio::test]
async fn orders_and_pods_of_the_version_before_live_on() {
    let shop = old_shop().await;
    let user = shop.two.user_in(0);
    let (accepted, placed) = (
        shop.old_pod_places(user, false).await,
        shop.old_pod_places(user, false).await,
    );
    shop.old_pod_accepts(accepted).await;
    // On the same connections, whose statements were prepared before.
    start::migrate(shop.two.settings.clone(), Instant::now() + PATIENCE)
        .await
        .unwrap();
    let late = shop.old_pod_places(user, false).await;
    let test = shop.old_pod_places(user, true).await;
    shop.old_pod_accepts(late).await;

    for (order, status) in [
        (accepted, "confirmed"),
        (placed, "placed"),
        (late, "confirmed"),
        (test, "placed"),
    ] {
        let shown = shop.get(user, &format!("/api/v1/orders/{order}")).await;
        assert_eq!(
            (shown.status, &shown.body["status"]),
            (200, &status.into()),
            "{shown:?}"
        );
        assert_eq!(shown.body["lines"].as_array().unwrap().len(), 1);
    }
    let page = shop.get(user, "/api/v1/orders?status=confirmed").await;
    assert_eq!(page.body["items"].as_array().unwrap().len(), 2);
    let cancelled = shop.cancel(user, late).await;
    assert_eq!(cancelled.body["status"], "cancelled", "{cancelled:?}");
    let swept = "delete from orders where id in (select id from orders where synthetic limit 1000)";
    assert_eq!(shop.run(0, swept).await, 1);
    assert_eq!(
        shop.count(0, "select count(*) from order_lines").await,
        3,
        "lines go with their order, as before"
    );
    assert_eq!(shop.order(user).await.get_version_num(), 7);
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let shop = old_shop().await;
    shop.old_pod_places(shop.two.user_in(0), false).await;
    for _ in 0..2 {
        start::migrate(shop.two.settings.clone(), Instant::now() + PATIENCE)
            .await
            .unwrap();
    }
    let parts = "select count(*) from pg_inherits where inhparent = 'orders'::regclass";
    assert_eq!((shop.count(0, parts).await, shop.count(1, parts).await), (3, 5));
    let unlike =
        "select count(*) from pg_constraint where conname like 'orders_until%' or conname = 'order_lines_until'";
    assert_eq!((shop.count(0, unlike).await, shop.count(1, unlike).await), (0, 0));
}
