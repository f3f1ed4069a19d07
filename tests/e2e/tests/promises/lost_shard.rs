//! A shard that is away costs its own customers only, also when pods start meanwhile: theirs are told which tier it is, the
//! others go on buying.

use serde_json::json;
use shop_contract::bucket::bucket_of;
use shop_e2e::stage::with_tiny_shop;
use shop_e2e::{Customer, PATIENCE, SOON, Shop, eventually, fault, inside};

const ORDER: &str = "app.kubernetes.io/component=service,app.kubernetes.io/name=order";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn a_lost_shard_costs_its_own_customers_only() {
    with_tiny_shop(
        "lost-shard",
        json!({"postgres": {"orders": {"shards": 2}}}),
        |shop| async move {
            shop.create().await;
            shop.becomes_ready().await;
            let (here, there) = (customer_of(&shop, 0).await, customer_of(&shop, 1).await);
            let lost = "app.kubernetes.io/component=postgres,app.kubernetes.io/name=orders-1";
            let away = fault::hold_away(&shop.cluster, shop.namespace(), &shop.pod_names(lost).await).await;

            let old = shop.pod_names(ORDER).await;
            fault::kill(&shop.cluster, shop.namespace(), &old).await;
            eventually(PATIENCE, "a new pod of order is ready without the shard", || async {
                let ready = shop.ready_pods(ORDER).await?;
                let new = ready.iter().filter_map(|pod| pod.metadata.name.as_ref());
                anyhow::ensure!(new.into_iter().any(|name| !old.contains(name)), "not yet");
                anyhow::Ok(())
            })
            .await;
            eventually(SOON, "a customer of the other shard buys", || here.order()).await;
            let refused = there.order().await.expect_err("its shard is away");
            assert!(refused.to_string().contains("postgres/orders/1"), "{refused:#}");

            away.let_back().await;
            eventually(PATIENCE, "its customers buy again", || there.order()).await;
        },
    )
    .await;
}

async fn customer_of(shop: &Shop, shard: u16) -> Customer {
    let map = inside::shard_map(shop).await.expect("the shard map is published");
    let storefront = shop.storefront().await;
    eventually(SOON, format!("a customer of shard {shard}"), || async {
        let customer = storefront.register().await?;
        let found = map.shard_of(bucket_of(customer.id)).map(|shard| shard.index);
        anyhow::ensure!(found == Some(shard), "{} lies in {found:?}", customer.id);
        anyhow::Ok(customer)
    })
    .await
}
