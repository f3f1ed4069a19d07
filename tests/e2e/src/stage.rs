//! Where a promise is played: on a tiny shop of its own or on the demo shop. Whatever happens in the play, the
//! namespace is removed or the demo shop is put back as it was; then the panic goes on.
//!
//! There is one demo shop and room for two tiny ones, so three promises are played at once. What must not be seen beside
//! another, because it is about the operator itself or about the whole cluster, is played `alone`.

use std::any::Any;
use std::future::Future;
use std::io::Write;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::{Duration, Instant};

use futures::FutureExt;
use serde_json::Value;
use tokio::sync::{RwLock, RwLockReadGuard, Semaphore, SemaphorePermit};

use crate::{Cluster, Shop};

static DEMO: Semaphore = Semaphore::const_new(1);
static OWN: Semaphore = Semaphore::const_new(2);
/// All promises begin together; within this time each one that is alone stands in the queue.
const ALONE_FIRST: Duration = Duration::from_millis(500);
/// Held by everybody for reading, by one that is alone for writing.
static HOUSE: RwLock<()> = RwLock::const_new(());

async fn turn(stage: &'static Semaphore) -> (SemaphorePermit<'static>, RwLockReadGuard<'static, ()>) {
    // Those who are alone go first, all in a row: among the others each would have everybody wait for the slowest.
    tokio::time::sleep(ALONE_FIRST).await;
    // The stage before the house: whoever waits for it must not keep one out who is alone.
    let place = stage.acquire().await.expect("a stage is never closed");
    (place, HOUSE.read().await)
}

/// A tiny shop (one pod per tier) in the new namespace `e2e-<promise>`, not yet created; `change` is merged into its spec.
pub async fn with_tiny_shop<F: Future<Output = ()>>(promise: &str, change: Value, play: impl FnOnce(Shop) -> F) {
    let _turn = turn(&OWN).await;
    on_a_tiny_shop(promise, change, play).await;
}

/// The demo shop of `./shop up`, settled before and after; its spec is put back.
pub async fn with_demo_shop<F: Future<Output = ()>>(play: impl FnOnce(Shop) -> F) {
    let _turn = turn(&DEMO).await;
    on_the_demo_shop(play).await;
}

/// The same while no other promise is played.
pub mod alone {
    use super::{Future, HOUSE, Shop, Value, on_a_tiny_shop, on_the_demo_shop};

    pub async fn with_tiny_shop<F: Future<Output = ()>>(promise: &str, change: Value, play: impl FnOnce(Shop) -> F) {
        let _alone = HOUSE.write().await;
        on_a_tiny_shop(promise, change, play).await;
    }

    pub async fn with_demo_shop<F: Future<Output = ()>>(play: impl FnOnce(Shop) -> F) {
        let _alone = HOUSE.write().await;
        on_the_demo_shop(play).await;
    }
}

async fn on_a_tiny_shop<F: Future<Output = ()>>(promise: &str, change: Value, play: impl FnOnce(Shop) -> F) {
    let (begun, cluster) = (Instant::now(), Cluster::connect().await);
    let namespace = format!("e2e-{promise}");
    cluster.create_namespace(&namespace).await;
    let shop = Shop::tiny(&cluster, &namespace, change);
    let played = caught(play(shop.clone())).await;
    if played.is_err() {
        shop.print_state().await;
    }
    let cleaned = caught(cluster.leave_namespace(&namespace)).await;
    raise(begun, played, cleaned);
}

async fn on_the_demo_shop<F: Future<Output = ()>>(play: impl FnOnce(Shop) -> F) {
    let (begun, cluster) = (Instant::now(), Cluster::connect().await);
    let shop = Shop::demo(&cluster);
    shop.settles().await;
    let spec = shop.raw_spec().await;
    let played = caught(play(shop.clone())).await;
    if played.is_err() {
        shop.print_state().await;
    }
    let restored = caught(async {
        crate::fault::let_all_back(&cluster, shop.namespace()).await;
        shop.put_back(spec).await;
        shop.settles().await;
    });
    raise(begun, played, restored.await);
}

/// Only a cluster, for promises without a shop that runs.
pub async fn with_namespace<F: Future<Output = ()>>(promise: &str, play: impl FnOnce(Cluster, String) -> F) {
    let _turn = turn(&OWN).await;
    let (begun, cluster) = (Instant::now(), Cluster::connect().await);
    let namespace = format!("e2e-{promise}");
    cluster.create_namespace(&namespace).await;
    let played = caught(play(cluster.clone(), namespace.clone())).await;
    let cleaned = caught(cluster.leave_namespace(&namespace)).await;
    raise(begun, played, cleaned);
}

type Outcome = Result<(), Box<dyn Any + Send>>;

async fn caught(play: impl Future<Output = ()>) -> Outcome {
    AssertUnwindSafe(play).catch_unwind().await
}

fn raise(begun: Instant, played: Outcome, cleaned: Outcome) {
    // Past the test's own output, which is shown of failures only: the log tells what took long.
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    let _ = writeln!(std::io::stderr(), "{:>5} s {name}", begun.elapsed().as_secs());
    if let Err(panic) = played.and(cleaned) {
        resume_unwind(panic);
    }
}
