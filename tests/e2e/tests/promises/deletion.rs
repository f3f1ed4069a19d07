//! A protected shop is not deleted by mistake; an unprotected one goes without leaving anything but its data (the claims
//! and the passwords to open them), even with a datastore down. Made again under its name, it has its customers back.

use anyhow::ensure;
use kube::ResourceExt;
use serde_json::json;
use shop_e2e::stage::with_tiny_shop;
use shop_e2e::{Cluster, PATIENCE, SOON, Shop, eventually, fault};

/// Data outlive the shop: claims, and the Secret without which nobody could open them.
const KEPT: [&str; 2] = ["PersistentVolumeClaim", "Secret"];

/// The youngest key of the Secret.
const NEW_KEY: &str = "webhook-secret";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn a_protected_shop_refuses_and_an_unprotected_one_goes_even_with_a_datastore_down() {
    with_tiny_shop(
        "deletion",
        json!({"services": null, "deletionProtection": true}),
        |shop| async move {
            shop.create().await;
            shop.becomes_ready().await;

            let storefront = shop.storefront().await;
            let customer = eventually(SOON, "a customer registers", || storefront.register()).await;
            let order = eventually(SOON, "an order is placed", || customer.order()).await;

            let refusal = shop
                .delete()
                .await
                .expect_err("a protected shop must not be deleted")
                .to_string();
            assert!(
                refusal.contains("deletionProtection"),
                "the refusal does not name the way out: {refusal}"
            );
            assert!(shop.is_ready().await.is_ok(), "the refused deletion left a trace");

            let database = shop
                .pod_names("app.kubernetes.io/component=postgres,app.kubernetes.io/name=orders-0")
                .await;
            let down = fault::hold_away(&shop.cluster, shop.namespace(), &database).await;
            shop.edit(json!({"deletionProtection": false})).await;
            shop.delete().await.expect("an unprotected shop can be deleted");
            eventually(PATIENCE, "the shop is gone although a database is down", || {
                shop.is_gone()
            })
            .await;
            down.let_back().await;
            only_data_are_left(&shop).await;

            // As an operator finds it that is newer than the shop: a key it wants is missing, all others must stay.
            let password = shop.secret("orders-password").await.expect("kept");
            shop.forget_secret(NEW_KEY).await;
            shop.create().await;
            shop.becomes_ready().await;
            shop.secret(NEW_KEY).await.expect("the missing key was added");
            assert!(
                shop.secret("orders-password").await.expect("kept") == password,
                "another key was changed"
            );
            shop.forget_secret("orders-password").await;
            eventually(SOON, "a lost key comes back as it was", || async {
                ensure!(shop.secret("orders-password").await? == password, "another password");
                anyhow::Ok(())
            })
            .await;
            let storefront = shop.storefront().await;
            let customer = customer.at(&storefront);
            eventually(SOON, "the old order is there and confirmed", || {
                customer.was_confirmed(order.id)
            })
            .await;
        },
    )
    .await;
}

async fn only_data_are_left(shop: &Shop) {
    let selector = format!("app.kubernetes.io/instance={}", shop.name);
    eventually(
        PATIENCE,
        "nothing of the shop is left but its claims and its Secret",
        || async {
            let mut left = Vec::new();
            for kind in Cluster::made_kinds()
                .iter()
                .chain(&Cluster::side_kinds())
                .filter(|kind| !KEPT.contains(&kind.kind.as_str()))
            {
                let found = shop.cluster.list(kind, shop.namespace(), &selector).await?;
                left.extend(
                    found
                        .iter()
                        .map(|object| format!("{}/{}", kind.kind, object.name_any())),
                );
            }
            ensure!(left.is_empty(), "{}", left.join(", "));
            anyhow::Ok(())
        },
    )
    .await;
    let claims = Cluster::side_kinds().remove(0);
    let kept = shop
        .cluster
        .list(&claims, shop.namespace(), &selector)
        .await
        .expect("claims can be listed");
    assert!(
        kept.len() >= 3,
        "the data of the three databases is kept, but there are {} claims",
        kept.len()
    );
}
