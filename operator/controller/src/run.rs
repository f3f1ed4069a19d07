//! `shop-operator run`: connects, watches, leads, works, stops. The order matters: health is served first, shops are
//! worked on only while the lease is held and after the first lists are complete.

use crate::cache::{Cache, ShopKey};
use crate::context::{Context, Settings, Shared};
use crate::leader::Leadership;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::{http, reconcile, watch};
use anyhow::Context as _;
use futures::FutureExt;
use kube::client::ClientBuilder;
use kube::runtime::events::{Recorder, Reporter};
use kube::{Client, Config};
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::util::MapRequestLayer;

/// Shops worked on at once.
const WORKERS: usize = 4;
/// Tasks running at once, over all shops.
const BACKGROUND: usize = 16;
/// Work in flight may end within this time after SIGTERM; the pod's grace period is longer.
const GRACE: Duration = Duration::from_secs(15);
/// A pass that broke off is tried again after this.
const AFTER_PANIC: Duration = Duration::from_secs(60);
const FIRST_LISTS: Duration = Duration::from_secs(120);

pub async fn run(settings: Settings, listen: Option<SocketAddr>) -> anyhow::Result<()> {
    let metrics = Metrics::new()?;
    let client = client(&metrics).await?;
    let reporter = Reporter {
        controller: "shop-operator".to_owned(),
        instance: Some(settings.identity.clone()),
    };
    let context: Shared = Arc::new(Context {
        recorder: Recorder::new(client.clone(), reporter),
        client,
        cache: Cache::default(),
        queue: Queue::default(),
        memory: Memory::default(),
        metrics,
        http: reqwest::Client::builder()
            .pool_max_idle_per_host(1)
            .no_proxy()
            .build()?,
        background: Arc::new(Semaphore::new(BACKGROUND)),
        tasks: TaskTracker::new(),
        stop: CancellationToken::new(),
        settings,
    });
    stop_on_signal(&context)?;
    let health = tokio::spawn(http::serve(context.clone(), listen));
    watch::start(&context);
    let leadership = lead(&context).await?;
    context.stop.cancel();
    context.tasks.close();
    if tokio::time::timeout(GRACE, context.tasks.wait()).await.is_err() {
        tracing::warn!(
            seconds = GRACE.as_secs(),
            "some work did not end in time, the lease will run out"
        );
        return Ok(());
    }
    // Given back only when nothing we started can write any more.
    if let Some(mut leadership) = leadership {
        leadership.release().await;
    }
    health.await.context("health and metrics")?
}

/// A client that counts its requests.
async fn client(metrics: &Metrics) -> anyhow::Result<Client> {
    let config = Config::infer()
        .await
        .context("no cluster: neither in a pod nor a readable KUBECONFIG")?;
    let requests = metrics.api_requests.clone();
    let count = MapRequestLayer::new(move |request: axum::http::Request<kube::client::Body>| {
        requests.with_label_values(&[request.method().as_str()]).inc();
        request
    });
    Ok(ClientBuilder::try_from(config)?.with_layer(&count).build())
}

fn stop_on_signal(context: &Shared) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = context.stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        stop.cancel();
    });
    Ok(())
}

/// Waits for the lease and works while it is held; what is returned is still to be given back. A lost lease is an error
/// that ends the process at once.
async fn lead(context: &Shared) -> anyhow::Result<Option<Leadership>> {
    let Settings {
        namespace,
        lease,
        identity,
        ..
    } = &context.settings;
    let mut leadership = Leadership::new(context.client.clone(), namespace, lease, identity);
    if !leadership.acquire(&context.stop).await {
        return Ok(None);
    }
    tracing::info!(identity, "leading");
    context.metrics.leader.set(1);
    for _ in 0..WORKERS {
        context.tasks.spawn(work(context.clone()));
    }
    let kept = leadership.keep(&context.stop).await;
    context.metrics.leader.set(0);
    kept.map(|()| Some(leadership))
}

async fn work(context: Shared) {
    tokio::select! {
        () = first_lists(&context) => {}
        () = context.stop.cancelled() => return,
    }
    loop {
        let key = tokio::select! {
            key = context.queue.next() => key,
            () = context.stop.cancelled() => return,
        };
        let again = one(&context, &key).await;
        context.queue.done(&key, again);
    }
}

/// A mistake of ours in one shop must not end the work on all others.
async fn one(context: &Shared, key: &ShopKey) -> Option<Duration> {
    let started = Instant::now();
    let again = AssertUnwindSafe(reconcile::reconcile(context, key))
        .catch_unwind()
        .await
        .unwrap_or_else(|_| {
            tracing::error!(shop = %key, "a pass broke off: please report the message above");
            Some(AFTER_PANIC)
        });
    context
        .metrics
        .step_seconds
        .with_label_values(&["all"])
        .observe(started.elapsed().as_secs_f64());
    again
}

/// Until all kinds are listed; a kind that cannot be (missing rights, say) holds it up for a while and is named.
async fn first_lists(context: &Shared) {
    let deadline = Instant::now() + FIRST_LISTS;
    while !context.cache.complete() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    if !context.cache.complete() {
        tracing::error!(
            missing = context.cache.missing().join(", "),
            "some kinds cannot be listed: check the ClusterRole"
        );
    }
}
