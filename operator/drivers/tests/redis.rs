//! The Redis driver against real servers: forms, heals after lost volumes and new addresses, hands over.
//!
//! They mostly wait for elections. Not all at once: those depend on how promptly each cluster's processes are scheduled.

// Test code may stop at the first surprise; clippy counts only the tests themselves as such, not what they call.
#![allow(clippy::unwrap_used)]

use shop_drivers::redis::{Auth, Member, RedisError, Shape, View, ensure, failover, read};
use shop_drivers::{Class, Report};
use shop_kit_testbed::{Redis, RedisCluster};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

const SHAPE: Shape = Shape { shards: 3, replicas: 1 };
const SINGLE: Shape = Shape { shards: 1, replicas: 0 };
static FEW_AT_A_TIME: Semaphore = Semaphore::const_new(3);

/// Six servers on three machines, as pods of a StatefulSet are spread.
fn members(cluster: &RedisCluster) -> Vec<Member> {
    let ips = cluster.ips().into_iter().enumerate();
    ips.map(|(i, ip)| Member {
        pod: format!("redis-{i}"),
        ip,
        port: cluster.port(),
        node: format!("node{}", i % 3),
    })
    .collect()
}

fn auth(cluster: &RedisCluster) -> Auth {
    Auth {
        user: cluster.user().to_owned(),
        password: cluster.password().to_owned(),
    }
}

/// Reconciles as the operator does, until nothing is missing.
async fn settle(members: &[Member], auth: &Auth) -> View {
    let end = Instant::now() + Duration::from_secs(180);
    loop {
        let report = ensure(members, SHAPE, auth).await;
        let view = read(members, SHAPE, auth).await;
        match (&report, view) {
            (Ok(Report { waiting: None, .. }), Ok(view)) if view.serving && view.problems.is_empty() => return view,
            (report, view) => assert!(Instant::now() < end, "not healthy after 180 s: {report:?}, {view:?}"),
        }
    }
}

fn assert_pairs_apart(view: &View, members: &[Member]) {
    let machine = |id: &str| {
        let node = view.nodes.iter().find(|node| node.id == id).unwrap();
        members
            .iter()
            .find(|member| Some(&member.pod) == node.pod.as_ref())
            .unwrap()
            .node
            .clone()
    };
    let replicas: Vec<_> = view.nodes.iter().filter(|node| !node.primary).collect();
    assert_eq!((view.nodes.len(), replicas.len()), (6, 3), "{view:?}");
    let primaries: BTreeSet<_> = replicas.iter().filter_map(|node| node.primary_id.as_ref()).collect();
    assert_eq!(primaries.len(), 3, "each primary has its replica: {view:?}");
    for replica in replicas {
        let primary = replica.primary_id.as_ref().unwrap();
        assert_ne!(
            machine(&replica.id),
            machine(primary),
            "a pair on one machine: {view:?}"
        );
    }
}

#[tokio::test]
async fn forms_a_cluster_with_pairs_apart_and_then_does_nothing() {
    let _turn = FEW_AT_A_TIME.acquire().await.unwrap();
    let cluster = RedisCluster::start(6).await.unwrap();
    let (members, auth) = (members(&cluster), auth(&cluster));
    let before = read(&members, SHAPE, &auth).await.unwrap();
    assert!(
        !before.serving && before.slots_assigned == 0 && !before.problems.is_empty(),
        "{before:?}"
    );
    let view = settle(&members, &auth).await;
    assert_eq!(view.slots_assigned, 16_384);
    assert_pairs_apart(&view, &members);
    assert_eq!(ensure(&members, SHAPE, &auth).await.unwrap(), Report::default());
}

#[tokio::test]
async fn forms_nothing_while_a_server_is_missing() {
    let _turn = FEW_AT_A_TIME.acquire().await.unwrap();
    let mut cluster = RedisCluster::start(6).await.unwrap();
    cluster.remove(4);
    let (all, auth) = (members(&cluster), auth(&cluster));
    let report = ensure(&all, SHAPE, &auth).await.unwrap();
    assert!(!report.changed && report.waiting.is_some(), "{report:?}");
    let report = ensure(&all[..4], SHAPE, &auth).await.unwrap();
    assert!(!report.changed && report.waiting.is_some(), "{report:?}");
    cluster.replace(4).await.unwrap();
    settle(&members(&cluster), &auth).await;
}

#[tokio::test]
async fn heals_after_a_restart_that_changes_every_address() {
    let _turn = FEW_AT_A_TIME.acquire().await.unwrap();
    let mut cluster = RedisCluster::start(6).await.unwrap();
    let auth = auth(&cluster);
    let before = settle(&members(&cluster), &auth).await;
    cluster.restart_elsewhere().await.unwrap();
    let after = settle(&members(&cluster), &auth).await;
    let ids = |view: &View| view.nodes.iter().map(|node| node.id.clone()).collect::<BTreeSet<_>>();
    assert_eq!(ids(&before), ids(&after));
    assert_pairs_apart(&after, &members(&cluster));
}

#[tokio::test]
async fn takes_in_a_replaced_replica_and_a_replaced_primary() {
    let _turn = FEW_AT_A_TIME.acquire().await.unwrap();
    let mut cluster = RedisCluster::start(6).await.unwrap();
    let auth = auth(&cluster);
    let mut view = settle(&members(&cluster), &auth).await;
    for primary in [false, true] {
        let lost = view.nodes.iter().find(|node| node.primary == primary).unwrap().clone();
        let index = members(&cluster)
            .iter()
            .position(|member| Some(&member.pod) == lost.pod.as_ref())
            .unwrap();
        cluster.replace(index).await.unwrap();
        view = settle(&members(&cluster), &auth).await;
        assert!(
            view.nodes.iter().all(|node| node.id != lost.id),
            "the lost one is forgotten: {view:?}"
        );
        assert_pairs_apart(&view, &members(&cluster));
    }
}

#[tokio::test]
async fn survives_the_loss_of_most_primaries() {
    let _turn = FEW_AT_A_TIME.acquire().await.unwrap();
    let mut cluster = RedisCluster::start(6).await.unwrap();
    let auth = auth(&cluster);
    let view = settle(&members(&cluster), &auth).await;
    let names: Vec<_> = view
        .nodes
        .iter()
        .filter(|node| node.primary)
        .filter_map(|node| node.pod.clone())
        .collect();
    for name in &names[..2] {
        let index = members(&cluster).iter().position(|member| member.pod == *name).unwrap();
        cluster.replace(index).await.unwrap();
    }
    let view = settle(&members(&cluster), &auth).await;
    assert_eq!(view.slots_assigned, 16_384);
    assert_eq!(view.nodes.len(), 6, "{view:?}");
}

#[tokio::test]
async fn hands_a_primary_over_to_its_replica() {
    let _turn = FEW_AT_A_TIME.acquire().await.unwrap();
    let cluster = RedisCluster::start(6).await.unwrap();
    let (members, auth) = (members(&cluster), auth(&cluster));
    let view = settle(&members, &auth).await;
    let replica = view.nodes.iter().find(|node| !node.primary).unwrap();
    let member = |id: &str| {
        let node = view.nodes.iter().find(|node| node.id == id).unwrap();
        members
            .iter()
            .find(|member| Some(&member.pod) == node.pod.as_ref())
            .unwrap()
    };
    let (old, new) = (member(replica.primary_id.as_ref().unwrap()), member(&replica.id));
    failover(old, new, &auth).await.unwrap();
    failover(old, new, &auth).await.unwrap();
    let after = settle(&members, &auth).await;
    assert!(
        after
            .nodes
            .iter()
            .any(|node| node.id == replica.id && node.primary && node.slots > 0),
        "{after:?}"
    );
    let other = after
        .nodes
        .iter()
        .find(|node| !node.primary && node.id != member_id(&after, old));
    let other = members
        .iter()
        .find(|member| Some(&member.pod) == other.unwrap().pod.as_ref());
    assert!(failover(old, other.unwrap(), &auth).await.is_err(), "it leads nothing");
}

fn member_id(view: &View, member: &Member) -> String {
    let is_it = |node: &&shop_drivers::redis::Node| node.pod.as_ref() == Some(&member.pod);
    view.nodes.iter().find(is_it).unwrap().id.clone()
}

#[tokio::test]
async fn hands_a_primary_over_to_a_replica_of_another() {
    let _turn = FEW_AT_A_TIME.acquire().await.unwrap();
    let cluster = RedisCluster::start(6).await.unwrap();
    let (members, auth) = (members(&cluster), auth(&cluster));
    let view = settle(&members, &auth).await;
    let primary = view.nodes.iter().find(|node| node.primary).unwrap();
    let stray = |node: &&shop_drivers::redis::Node| !node.primary && node.primary_id.as_ref() != Some(&primary.id);
    let stray = view.nodes.iter().find(stray).unwrap();
    let member = |pod: &Option<String>| members.iter().find(|member| Some(&member.pod) == pod.as_ref()).unwrap();
    failover(member(&primary.pod), member(&stray.pod), &auth).await.unwrap();
    let after = settle(&members, &auth).await;
    let heir = after.nodes.iter().find(|node| node.id == stray.id).unwrap();
    assert_eq!((heir.primary, heir.slots), (true, primary.slots), "{after:?}");
    assert_eq!(after.slots_assigned, 16_384);
}

#[tokio::test]
async fn a_single_server_answers_or_is_named() {
    let server = Redis::shared().await.unwrap();
    let member = Member {
        pod: "redis-0".into(),
        ip: server.host(),
        port: server.port(),
        node: "node0".into(),
    };
    let auth = Auth {
        user: server.user().into(),
        password: server.password().into(),
    };
    assert!(
        read(std::slice::from_ref(&member), SINGLE, &auth)
            .await
            .unwrap()
            .serving
    );
    assert_eq!(
        ensure(std::slice::from_ref(&member), SINGLE, &auth).await.unwrap(),
        Report::default()
    );
    let wrong = Auth {
        password: "wrong".into(),
        ..auth.clone()
    };
    let error = ensure(std::slice::from_ref(&member), SINGLE, &wrong).await.unwrap_err();
    assert!(
        matches!(error, RedisError::LoginRefused { .. }) && error.class() == Class::Fatal,
        "{error}"
    );
    let nobody = Member {
        port: 1,
        ..member.clone()
    };
    let error = ensure(&[nobody], SINGLE, &auth).await.unwrap_err();
    assert!(
        error.class() == Class::Transient && error.to_string().contains("redis-0"),
        "{error}"
    );
    let error = ensure(&[member], Shape { shards: 2, replicas: 1 }, &auth)
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Invalid, "{error}");
}
