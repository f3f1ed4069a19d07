//! An idle shop costs the API nothing, and neither a restart nor an upgrade of the operator touches a running shop.

use anyhow::ensure;
use shop_e2e::operator::Operator;
use shop_e2e::stage::alone::with_demo_shop;
use shop_e2e::writes::{Objects, growth, served};
use shop_e2e::{PATIENCE, SOON, Shop, eventually, seed, throughout};
use std::collections::BTreeMap;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn an_idle_shop_writes_nothing() {
    with_demo_shop(|demo| async move {
        // 300 s is the whole promise; the short form still sees the proof order of every minute.
        let seconds = seed::number("SHOP_E2E_IDLE_SECONDS").unwrap_or(70);
        calms_down(&demo).await;
        let (objects, requests) = (
            Objects::of(&demo).await.expect("objects"),
            served(&demo.cluster).await.expect("counters"),
        );
        stays_unwritten(&demo, &objects, Duration::from_secs(seconds)).await;
        let more = growth(&requests, &served(&demo.cluster).await.expect("counters"));
        assert!(
            more.is_empty(),
            "write requests in {seconds} idle seconds, even if they changed nothing: {more:#?}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn a_restart_and_an_upgrade_of_the_operator_touch_nothing() {
    with_demo_shop(|demo| async move {
        calms_down(&demo).await;
        let (objects, pods) = (Objects::of(&demo).await.expect("objects"), starts(&demo).await);
        Operator::of(&demo.cluster).await.roll().await;
        stays_unwritten(&demo, &objects, Duration::from_secs(20)).await;
        assert_eq!(pods, starts(&demo).await, "pods were restarted by a restart");
        Operator::of(&demo.cluster).await.upgrade().await;
        stays_unwritten(&demo, &objects, Duration::from_secs(30)).await;
        assert_eq!(pods, starts(&demo).await, "pods were restarted by an upgrade");
    })
    .await;
}

/// Waits until ten seconds passed without a write: what a test before this one caused is over.
async fn calms_down(shop: &Shop) {
    eventually(PATIENCE, "namespaces of earlier promises are gone", || {
        shop.cluster.is_tidy()
    })
    .await;
    let last = std::sync::Mutex::new((Objects::of(shop).await.expect("objects"), std::time::Instant::now()));
    eventually(SOON, "ten seconds without a write", || async {
        let now = Objects::of(shop).await?;
        let mut last = last.lock().expect("no panic while held");
        let changes = last.0.changes_until(&now);
        if !changes.is_empty() {
            *last = (now, std::time::Instant::now());
        }
        ensure!(
            last.1.elapsed() > Duration::from_secs(10),
            "last change {} s ago: {changes:?}",
            last.1.elapsed().as_secs()
        );
        anyhow::Ok(())
    })
    .await;
}

async fn stays_unwritten(shop: &Shop, before: &Objects, duration: Duration) {
    throughout(duration, "no object of the shop is written", || async {
        let changes = before.changes_until(&Objects::of(shop).await?);
        ensure!(changes.is_empty(), "{}", changes.join("\n  "));
        anyhow::Ok(())
    })
    .await;
}

/// Pod → its identity and how often its containers started.
async fn starts(shop: &Shop) -> BTreeMap<String, String> {
    let pods = shop.pods("").await.expect("pods");
    let line = |pod: &k8s_openapi::api::core::v1::Pod| {
        let containers = pod
            .status
            .as_ref()
            .and_then(|status| status.container_statuses.clone())
            .unwrap_or_default();
        let restarts: i32 = containers.iter().map(|container| container.restart_count).sum();
        let name = pod.metadata.name.clone().unwrap_or_default();
        (
            name,
            format!(
                "{} restarted {restarts} times",
                pod.metadata.uid.clone().unwrap_or_default()
            ),
        )
    };
    pods.iter().map(line).collect()
}
