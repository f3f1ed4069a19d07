//! A shop that gets fewer database and Redis servers keeps what they held: whoever leads on a server that goes hands over
//! to one that stays first.

use anyhow::ensure;
use serde_json::json;
use shop_api::ShopDeployment;
use shop_api::status::ComponentStatus;
use shop_e2e::stage::with_tiny_shop;
use shop_e2e::{PATIENCE, SOON, eventually, fault};

const ORDERS: &str = "app.kubernetes.io/component=postgres,app.kubernetes.io/name=orders-0";
const REDIS: &str = "app.kubernetes.io/component=redis";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn leaders_hand_over_before_their_servers_go() {
    let change =
        json!({"services": null, "postgres": {"orders": {"replicas": 1}}, "redis": {"shards": 3, "replicas": 1}});
    with_tiny_shop("fewer-servers", change, |shop| async move {
        shop.create().await;
        shop.becomes_ready().await;
        let customer = eventually(SOON, "a customer registers", async || {
            shop.storefront().await.register().await
        })
        .await;
        let order = eventually(SOON, "an order is placed", || customer.order()).await;

        // The first of each lead at first and are to stay: away for a while, they lose their part to one that is to go.
        let first = [format!("{}-orders-0-0", shop.name), format!("{}-redis-0", shop.name)];
        let away = fault::hold_away(&shop.cluster, shop.namespace(), &first).await;
        eventually(PATIENCE, "the second server of orders leads", || async {
            let primary = primary(&shop.look().await?);
            ensure!(
                primary.as_deref() == Some(&format!("{}-orders-0-1", shop.name)),
                "{primary:?} leads"
            );
            anyhow::Ok(())
        })
        .await;
        away.let_back().await;
        shop.settles().await;

        shop.edit(json!({"postgres": {"orders": {"replicas": 0}}, "redis": {"replicas": 0}}))
            .await;
        eventually(PATIENCE, "one server of orders and three of redis are left", || async {
            let (orders, redis) = (shop.pod_names(ORDERS).await, shop.pods(REDIS).await?.len());
            // By name: one that is restarted before the other goes is away for a moment too.
            ensure!(orders == first[..1] && redis == 3, "{orders:?} and {redis} of redis");
            anyhow::Ok(())
        })
        .await;
        let seen = shop.becomes_ready().await;
        assert_eq!(primary(&seen), Some(format!("{}-orders-0-0", shop.name)));
        eventually(SOON, "the order is there", || customer.look_at(order.id)).await;
        let next = eventually(SOON, "another order is placed", || customer.order()).await;
        eventually(SOON, "it is confirmed", || customer.was_confirmed(next.id)).await;
    })
    .await;
}

fn primary(shop: &ShopDeployment) -> Option<String> {
    let components = &shop.status.as_ref()?.components;
    let orders: &ComponentStatus = components.iter().find(|one| one.name == "postgres/orders")?;
    orders.shards.first()?.primary.clone()
}
