//! `kubectl describe` tells a shop's story: what it waits for, that it sells, what is wrong with an edit, which tier broke.
//! Each is one plain sentence on the shop itself; a warning is what a person should look at.

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::Event;
use kube::ResourceExt;
use kube::api::{Api, ListParams};
use serde_json::{Value, json};
use shop_api::condition::{READY, VALID};
use shop_e2e::stage::with_tiny_shop;
use shop_e2e::{SOON, Shop, eventually, fault};

/// Why a shop that sold does not any more.
const DOWN: [&str; 4] = ["ComponentUnavailable", "Progressing", "PodCannotStart", "CheckoutFails"];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn events_tell_the_story_in_plain_words() {
    with_tiny_shop("events", json!({"services": null}), |shop| async move {
        shop.create().await;
        shop.becomes_ready().await;
        told(&shop, &["Normal"], &["Progressing", "CheckoutPending"], "").await;
        told(&shop, &["Normal"], &["CheckoutSucceeds"], "order").await;

        shop.edit(json!({"redis": {"maxMemory": "100Gi"}})).await;
        shop.says(VALID, "False", &["spec.redis.maxMemory"]).await;
        told(&shop, &["Warning"], &["SpecInvalid"], "spec.redis.maxMemory").await;
        shop.edit(json!({"redis": {"maxMemory": null}})).await;
        shop.becomes_ready().await;

        let broker = shop.pod_names("app.kubernetes.io/component=rabbitmq").await;
        let away = fault::hold_away(&shop.cluster, shop.namespace(), &broker).await;
        shop.says(READY, "False", &["rabbitmq", "RabbitMQ"]).await;
        // The warning comes with the first thing that was noticed, which may be a service that lost its broker.
        told(&shop, &["Warning"], &DOWN, "").await;
        told(&shop, &["Normal", "Warning"], &DOWN, "abbit").await;
        away.let_back().await;
        shop.becomes_ready().await;

        for event in about(&shop).await.expect("events can be listed") {
            let message = event.message.clone().unwrap_or_default();
            let plain = message.contains(' ') && serde_json::from_str::<Value>(&message).is_err();
            assert!(plain, "event {} is no sentence: {message:?}", event.name_any());
        }
    })
    .await;
}

/// Waits for an event of one of these kinds and reasons whose message contains `words`.
async fn told(shop: &Shop, kinds: &[&str], reasons: &[&str], words: &str) {
    let what = format!("an event of {kinds:?} and {reasons:?} with the words {words:?}");
    eventually(SOON, what, || async {
        let all = about(shop).await?;
        let is_it = |event: &&Event| {
            let text = |part: &Option<String>| part.clone().unwrap_or_default();
            kinds.contains(&text(&event.type_).as_str())
                && reasons.contains(&text(&event.reason).as_str())
                && text(&event.message).contains(words)
        };
        ensure!(
            all.iter().any(|event| is_it(&event)),
            "{:#?}",
            all.iter().map(line).collect::<Vec<_>>()
        );
        anyhow::Ok(())
    })
    .await;
}

/// What the operator told about this very shop.
async fn about(shop: &Shop) -> Result<Vec<Event>> {
    let events: Api<Event> = shop.cluster.api(shop.namespace());
    let uid = shop.look().await?.metadata.uid;
    let mut all = events.list(&ListParams::default()).await?.items;
    all.retain(|event| {
        event.involved_object.uid == uid && event.reporting_component.as_deref() == Some("shop-operator")
    });
    Ok(all)
}

fn line(event: &Event) -> String {
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    format!(
        "{} {}: {}",
        part(&event.type_),
        part(&event.reason),
        part(&event.message)
    )
}
