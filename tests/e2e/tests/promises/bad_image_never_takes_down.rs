//! An image that does not exist, or a pod that no node can take, never takes a running shop down: the old pods go on,
//! a condition says why the new ones do not start, and putting the spec right is enough.

use serde_json::{Value, json};
use shop_api::ShopDeployment;
use shop_e2e::stage::with_demo_shop;
use shop_e2e::status::story;
use shop_e2e::waiting::not_yet;
use shop_e2e::{Customer, PATIENCE, SOON, Shop, eventually, throughout};
use std::time::Duration;

const NOWHERE: &str = "registry.invalid/nobody/nothing:1";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn a_bad_service_image() {
    let bad = json!({"services": {"order": {"image": NOWHERE}}});
    let good = json!({"services": {"order": {"image": null}}});
    is_survived(bad, good, &["image", NOWHERE]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn a_bad_postgres_image() {
    is_survived(
        json!({"postgres": {"image": NOWHERE}}),
        json!({"postgres": {"image": null}}),
        &["image", NOWHERE],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn a_service_no_node_has_room_for() {
    let bad = json!({"services": {"product": {"resources": {"requests": {"cpu": "400"}}}}});
    let good = json!({"services": {"product": {"resources": {"requests": {"cpu": null}}}}});
    is_survived(bad, good, &["scheduled", "Insufficient cpu", "no node"]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn a_database_no_node_has_room_for() {
    let bad = json!({"postgres": {"orders": {"resources": {"requests": {"cpu": "400"}}}}});
    let good = json!({"postgres": {"orders": {"resources": {"requests": {"cpu": null}}}}});
    is_survived(bad, good, &["scheduled", "Insufficient cpu", "no node"]).await;
}

/// The bad edit is explained, orders go through all the while, and the good edit ends it.
async fn is_survived(bad: Value, good: Value, words: &[&str]) {
    with_demo_shop(|demo| async move {
        let storefront = demo.storefront().await;
        let customer = eventually(SOON, "a customer registers", || storefront.register()).await;
        demo.edit(bad).await;
        eventually(
            PATIENCE,
            format!("the status explains it with one of {words:?}"),
            || explains(&demo, words),
        )
        .await;
        keeps_taking_orders(&customer, Duration::from_secs(20)).await;
        demo.edit(good).await;
        demo.settles().await;
        eventually(SOON, "orders are taken as before", || customer.order()).await;
    })
    .await;
}

async fn explains(shop: &Shop, words: &[&str]) -> anyhow::Result<()> {
    let seen: ShopDeployment = shop.look().await?;
    let status = seen.status.clone().unwrap_or_default();
    let conditions = status
        .conditions
        .iter()
        .filter(|one| one.kind != "Valid")
        .map(|one| one.message.as_str());
    let said = conditions.chain(status.components.iter().map(|one| one.message.as_str()));
    let found = said
        .into_iter()
        .any(|message| words.iter().any(|word| message.contains(word)));
    found.then_some(()).ok_or_else(|| not_yet(story(&seen)))
}

/// A failed order may be tried once more: a planned switchover pauses writes for about a second, and a busy machine
/// drops a connection now and then. Two failures in a row are an outage.
async fn keeps_taking_orders(customer: &Customer, duration: Duration) {
    throughout(duration, "the shop takes orders", || async {
        let first = customer.order().await;
        if first.is_err() {
            tokio::time::sleep(Duration::from_secs(3)).await;
            customer.order().await?;
        }
        anyhow::Ok(())
    })
    .await;
}
