//! Measures the operator on the cluster of `KUBECONFIG`, beside a Ready demo shop, and prints text and then JSON.
//! Nothing else should run on the cluster meanwhile. Parts to run come as arguments: idle, edits, shard, crowd; none = all.
//! `SHOP_BENCH_SECONDS` (120) is how long each idle stretch is watched, `SHOP_BENCH_RUNS` (3) how often a shard is made.

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Service;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use kube::runtime::watcher;
use serde_json::{Value, json};
use shop_e2e::measure::Figure;
use shop_e2e::operator::Operator;
use shop_e2e::waiting::not_yet;
use shop_e2e::{Cluster, PATIENCE, Shop, audit, eventually, fault, seed};
use std::time::{Duration, Instant};

/// Even, so that the label of `write_alone` is gone at the end.
const EDITS: usize = 30;
const CROWD: usize = 50;
const SAMPLE_EVERY: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let runs = |part: &str| wanted.is_empty() || wanted.iter().any(|one| one == part);
    let cluster = Cluster::connect().await;
    let demo = Shop::demo(&cluster);
    demo.becomes_ready().await;
    let mut figures = Vec::new();
    for part in ["idle", "edits", "shard", "crowd"]
        .into_iter()
        .filter(|part| runs(part))
    {
        let measured = match part {
            "idle" => rest(&cluster, "one idle shop", IDLE).await?,
            "edits" => edits(&demo).await?,
            "shard" => vec![three_instances(&cluster).await?],
            _ => crowd(&cluster).await?,
        };
        for figure in &measured {
            println!("{}", figure.text());
        }
        figures.extend(measured);
    }
    println!(
        "{}",
        serde_json::to_string_pretty(&figures.iter().map(Figure::json).collect::<Vec<Value>>())?
    );
    Ok(())
}

struct Bounds {
    requests: f64,
    mebibytes: f64,
}

const IDLE: Bounds = Bounds {
    requests: 0.6,
    mebibytes: 32.0,
};
const CROWDED: Bounds = Bounds {
    requests: 1.0,
    mebibytes: 48.0,
};

/// Requests a second and resident memory while nothing is asked of the operator; one sample every ten seconds.
async fn rest(cluster: &Cluster, what: &'static str, bounds: Bounds) -> Result<Vec<Figure>> {
    let operator = Operator::of(cluster).await;
    let seconds = seed::number("SHOP_BENCH_SECONDS").unwrap_or(120);
    let (mut rates, mut memory) = (Vec::new(), Vec::new());
    let mut before = (Instant::now(), requests(&operator).await?);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(seconds) {
        tokio::time::sleep(SAMPLE_EVERY).await;
        let now = (Instant::now(), requests(&operator).await?);
        rates.push((now.1 - before.1) / now.0.duration_since(before.0).as_secs_f64());
        memory.push(resident(&operator).await? / f64::from(1 << 20));
        before = now;
    }
    let total = format!(
        "{what}, {seconds} s, one sample every 10 s; mean {:.3}/s; lease renewals included",
        mean(&rates)
    );
    let name = |figure: &str| -> &'static str { format!("{figure}, {what}").leak() };
    Ok(vec![
        Figure {
            name: name("API requests/s"),
            unit: "1/s",
            samples: rates,
            median_bound: Some(bounds.requests),
            p99_bound: None,
            note: total,
        },
        Figure {
            name: name("resident memory"),
            unit: "MiB",
            samples: memory,
            median_bound: Some(bounds.mebibytes),
            p99_bound: None,
            note: "as the process reports it; of the leading pod".into(),
        },
    ])
}

async fn requests(operator: &Operator) -> Result<f64> {
    let metrics = operator.metrics().await?;
    let matching = metrics
        .iter()
        .filter(|(name, _)| name.starts_with("shop_operator_api_requests_total"));
    Ok(matching.map(|(_, value)| value).sum())
}

async fn resident(operator: &Operator) -> Result<f64> {
    let metrics = operator.metrics().await?;
    metrics
        .get("process_resident_memory_bytes")
        .copied()
        .context("no metric process_resident_memory_bytes")
}

/// From an edit of the spec to the first write it causes: a change of the gateway's Service, which restarts nothing.
async fn edits(demo: &Shop) -> Result<Vec<Figure>> {
    let spec = demo.raw_spec().await;
    let (mut since_sent, mut since_answered, mut writes_alone) = (Vec::new(), Vec::new(), Vec::new());
    let (log, mut arrived) = (audit::log(), Vec::new());
    for round in 0..EDITS {
        let port = if round % 2 == 0 { 30180 } else { 30181 };
        let (sent, answered) = match one_edit(demo, port).await {
            Ok(times) => times,
            Err(error) => {
                demo.put_back(spec).await;
                return Err(error.context(format!("edit {round}")));
            }
        };
        since_sent.push(sent);
        since_answered.push(answered);
        demo.settles().await;
        let arrival = log.as_deref().map(|log| audit::edit_to_first_write(log, &demo.name));
        match arrival.transpose() {
            Ok(arrival) => arrived.extend(arrival),
            Err(error) => {
                demo.put_back(spec).await;
                return Err(error.context(format!("edit {round}")));
            }
        }
        writes_alone.push(write_alone(demo, round).await?);
    }
    demo.put_back(spec).await;
    demo.settles().await;
    let note = "edit of gateway.nodePort until a watch shows Service <shop>-gateway changed; client and cluster share the machine";
    let mut figures = vec![
        Figure {
            name: "spec edit answered → first write seen",
            unit: "ms",
            samples: since_answered,
            median_bound: None,
            p99_bound: None,
            note: note.into(),
        },
        Figure {
            name: "spec edit sent → first write seen",
            unit: "ms",
            samples: since_sent,
            median_bound: None,
            p99_bound: None,
            note: "the same edits, with the edit's own request".into(),
        },
        Figure {
            name: "one write alone, sent → seen",
            unit: "ms",
            samples: writes_alone,
            median_bound: None,
            p99_bound: None,
            note: "a label of a Service, between the edits: what the API server and etcd take of the above".into(),
        },
    ];
    if !arrived.is_empty() {
        figures.push(Figure {
            name: "spec edit answered → first write arrives",
            unit: "ms",
            samples: arrived,
            median_bound: Some(10.0),
            p99_bound: Some(50.0),
            note: "the same edits by the API server's audit log: what the operator takes".into(),
        });
    }
    Ok(figures)
}

/// Milliseconds from a patch of a label to the watch's event.
async fn write_alone(demo: &Shop, round: usize) -> Result<f64> {
    let services: Api<Service> = demo.cluster.api(demo.namespace());
    let name = format!("{}-gateway", demo.name);
    let only = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let mut watch = watcher::watcher(services.clone(), only).boxed();
    while !matches!(watch.try_next().await?, Some(watcher::Event::InitDone)) {}
    let value = if round.is_multiple_of(2) {
        json!("here")
    } else {
        Value::Null
    };
    let label = json!({"metadata": {"labels": {"bench": value}}});
    let sent = Instant::now();
    services
        .patch(&name, &PatchParams::default(), &Patch::Merge(label))
        .await?;
    while !matches!(watch.try_next().await?, Some(watcher::Event::Apply(_))) {}
    Ok(sent.elapsed().as_secs_f64() * 1000.0)
}

/// Milliseconds until the Service has changed, since the edit was sent and since it was answered.
async fn one_edit(demo: &Shop, port: u16) -> Result<(f64, f64)> {
    let services: Api<Service> = demo.cluster.api(demo.namespace());
    let only = watcher::Config::default().fields(&format!("metadata.name={}-gateway", demo.name));
    let mut watch = watcher::watcher(services, only).boxed();
    while !matches!(watch.try_next().await?, Some(watcher::Event::InitDone)) {}
    let changed = tokio::spawn(async move {
        while let Some(event) = watch.try_next().await? {
            if matches!(event, watcher::Event::Apply(_)) {
                return anyhow::Ok(Instant::now());
            }
        }
        anyhow::bail!("the watch ended before the change")
    });
    let sent = Instant::now();
    demo.edit(json!({"gateway": {"serviceType": "NodePort", "nodePort": port}}))
        .await;
    let answered = Instant::now();
    let written = tokio::time::timeout(PATIENCE, changed)
        .await
        .context("the Service did not change")???;
    let milliseconds = |since: Instant| written.saturating_duration_since(since).as_secs_f64() * 1000.0;
    Ok((milliseconds(sent), milliseconds(answered)))
}

/// A shard of three: apply until all three instances are ready. The rest of the shop is as small as it can be.
async fn three_instances(cluster: &Cluster) -> Result<Figure> {
    let mut samples = Vec::new();
    for _ in 0..seed::number("SHOP_BENCH_RUNS").unwrap_or(3) {
        let namespace = "bench-shard";
        cluster.create_namespace(namespace).await;
        let shop = Shop::tiny(cluster, namespace, json!({"postgres": {"orders": {"replicas": 2}}}));
        let start = Instant::now();
        shop.create().await;
        let sets: Api<StatefulSet> = cluster.api(namespace);
        eventually(PATIENCE, "three instances of orders are ready", || async {
            let ready = sets
                .get("tiny-orders-0")
                .await?
                .status
                .and_then(|status| status.ready_replicas)
                .unwrap_or(0);
            (ready == 3)
                .then_some(())
                .ok_or_else(|| not_yet(format!("{ready} of 3")))
        })
        .await;
        samples.push(start.elapsed().as_secs_f64());
        cluster.drop_namespace(namespace).await;
    }
    let note = "until the StatefulSet has 3 ready pods; images on the nodes; two more databases, Redis and RabbitMQ start at the same time";
    Ok(Figure {
        name: "three-instance shard, apply → ready",
        unit: "s",
        samples,
        median_bound: Some(20.0),
        p99_bound: None,
        note: note.into(),
    })
}

/// Shops whose pods no node takes (every node is cordoned meanwhile), left alone once all of them were looked at.
async fn crowd(cluster: &Cluster) -> Result<Vec<Figure>> {
    let namespace = "bench-crowd";
    cluster.create_namespace(namespace).await;
    let figures = fault::while_cordoned(cluster, || crowd_at_rest(cluster, namespace)).await;
    let shops: Api<shop_api::ShopDeployment> = cluster.api(namespace);
    shops
        .delete_collection(&DeleteParams::default(), &ListParams::default())
        .await?;
    // Its thousand objects take minutes to go; the figures are there already.
    cluster.leave_namespace(namespace).await;
    figures
}

async fn crowd_at_rest(cluster: &Cluster, namespace: &str) -> Result<Vec<Figure>> {
    for index in 0..CROWD {
        Shop::named(cluster, namespace, &format!("crowd-{index:02}"))
            .create()
            .await;
    }
    let shops: Api<shop_api::ShopDeployment> = cluster.api(namespace);
    eventually(PATIENCE, "every shop of the crowd has a status", || async {
        let all = shops.list(&ListParams::default()).await?.items;
        let told = all.iter().filter(|shop| shop.status.is_some()).count();
        (told == CROWD)
            .then_some(())
            .ok_or_else(|| not_yet(format!("{told} of {CROWD}")))
    })
    .await;
    // A fixed stretch on purpose: "settled" for pods that never start is only that nothing new happens.
    tokio::time::sleep(SAMPLE_EVERY * 3).await;
    rest(cluster, "with 50 shops that cannot be scheduled", CROWDED).await
}

fn mean(samples: &[f64]) -> f64 {
    samples.iter().sum::<f64>() / samples.len().max(1) as f64
}
