//! Break any tier and the Ready condition names it; let it back and the shop is Ready again.

use serde_json::json;
use shop_api::condition::READY;
use shop_e2e::stage::with_tiny_shop;
use shop_e2e::{PATIENCE, SOON, eventually, fault};

const POSTGRES: &str = "app.kubernetes.io/component=postgres";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn a_broken_tier_is_named_and_forgotten_when_it_is_back() {
    with_tiny_shop("tiers", json!({}), |shop| async move {
        shop.create().await;
        shop.becomes_ready().await;
        for (pods, names) in [
            (
                "app.kubernetes.io/component=rabbitmq".to_owned(),
                ["rabbitmq", "RabbitMQ"],
            ),
            (
                format!("{POSTGRES},app.kubernetes.io/name=orders-0"),
                ["postgres/orders", "orders: "],
            ),
            (
                format!("{POSTGRES},app.kubernetes.io/name=catalog-0"),
                ["postgres/catalog", "catalog: "],
            ),
        ] {
            let away = fault::hold_away(&shop.cluster, shop.namespace(), &shop.pod_names(&pods).await).await;
            let ready = shop.says(READY, "False", &names).await;
            println!("{}: {}", names[0], ready.message);
            away.let_back().await;
            shop.becomes_ready().await;
        }
        // Redis only caches: the shop may stay Ready without it, but the status has to say that it is gone.
        let redis = shop.pod_names("app.kubernetes.io/component=redis").await;
        let away = fault::hold_away(&shop.cluster, shop.namespace(), &redis).await;
        eventually(PATIENCE, "the status speaks of redis", || async {
            let seen = shop.look().await?;
            let told = seen
                .status
                .iter()
                .flat_map(|status| &status.components)
                .any(|one| one.name == "redis" && one.ready == 0);
            anyhow::ensure!(told, "{}", shop_e2e::status::story(&seen));
            anyhow::Ok(())
        })
        .await;
        let storefront = shop.storefront().await;
        eventually(SOON, "the catalogue is served without its cache", || {
            storefront.products()
        })
        .await;
        away.let_back().await;
        shop.becomes_ready().await;
    })
    .await;
}
