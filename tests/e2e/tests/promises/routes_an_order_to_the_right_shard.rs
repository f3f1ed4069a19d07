//! An order that went through the gateway lies in the shard its customer belongs to, in no other, and is confirmed there.

use shop_contract::bucket::bucket_of;
use shop_contract::shard_map::ShardMap;
use shop_e2e::stage::with_demo_shop;
use shop_e2e::{Customer, SOON, Shop, eventually, inside};
use std::collections::BTreeMap;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn an_order_lies_in_its_customers_shard_only() {
    with_demo_shop(|demo| async move {
        let map = inside::shard_map(&demo).await.expect("the shard map is published");
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
            eventually(SOON, "the order is confirmed", || customer.was_confirmed(order.id)).await;
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
