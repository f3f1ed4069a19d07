//! An order that went through the gateway lies in the shard its customer belongs to, in no other, and its event was
//! handled.

use shop_contract::bucket::bucket_of;
use shop_contract::shard_map::{FILE, ShardMap};
use shop_e2e::stage::with_demo_shop;
use shop_e2e::{Customer, SOON, Shop, eventually, inside};
use std::collections::BTreeMap;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn an_order_lies_in_its_customers_shard_only() {
    with_demo_shop(|demo| async move {
        let map = published_map(&demo).await;
        assert!(
            map.shards.len() > 1,
            "the demo shop has one shard of orders: nothing to route"
        );
        for (shard, customer) in one_customer_per_shard(&demo, &map).await {
            let order = eventually(SOON, "an order is placed", || customer.order()).await;
            assert_eq!(
                order.shard, shard,
                "the answer names another shard than the map does for {}",
                customer.id
            );
            eventually(SOON, "the event is handled", || customer.was_accepted(order.id)).await;
            for candidate in &map.shards {
                let rows = inside::rows_of_order(&demo, candidate.index, order.id)
                    .await
                    .expect("SQL in the shard");
                assert_eq!(
                    rows,
                    i64::from(candidate.index == shard),
                    "order {} in shard {}",
                    order.id,
                    candidate.index
                );
            }
        }
    })
    .await;
}

async fn published_map(shop: &Shop) -> ShardMap {
    let maps: kube::Api<k8s_openapi::api::core::v1::ConfigMap> = shop.cluster.api(shop.namespace());
    let published = maps
        .get(&format!("{}-shard-map", shop.name))
        .await
        .expect("the shard map is published");
    let text = published.data.unwrap_or_default().remove(FILE).expect("its key");
    ShardMap::parse(&text).expect("a whole map")
}

/// Registers customers until every shard has one.
async fn one_customer_per_shard(shop: &Shop, map: &ShardMap) -> BTreeMap<u16, Customer> {
    let storefront = shop.storefront().await;
    let mut found = BTreeMap::new();
    // Ids are random: 64 customers all in one of two shards would be a broken generator.
    for _ in 0..64 {
        let customer = eventually(SOON, "a customer registers", || storefront.register()).await;
        let shard = map
            .shard_of(bucket_of(customer.id))
            .expect("a checked map holds every bucket")
            .index;
        found.entry(shard).or_insert(customer);
        if found.len() == map.shards.len() {
            return found;
        }
    }
    panic!("64 customers lie in {:?} of {} shards", found.keys(), map.shards.len());
}
