//! Where a promise is played: on a tiny shop of its own or on the demo shop. Whatever happens in the play, the
//! namespace is removed or the demo shop is put back as it was; then the panic goes on.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Instant;

use futures::FutureExt;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::{Cluster, Shop};

/// One promise at a time, even when someone forgets `--test-threads=1`.
static STAGE: Mutex<()> = Mutex::const_new(());

/// A tiny shop (one pod per tier) in the new namespace `e2e-<promise>`, not yet created; `change` is merged into its spec.
pub async fn with_tiny_shop<F: Future<Output = ()>>(promise: &str, change: Value, play: impl FnOnce(Shop) -> F) {
    let _alone = STAGE.lock().await;
    let cluster = Cluster::connect().await;
    let namespace = format!("e2e-{promise}");
    cluster.create_namespace(&namespace).await;
    let shop = Shop::tiny(&cluster, &namespace, change);
    let played = caught(play(shop.clone())).await;
    if played.is_err() {
        shop.print_state().await;
    }
    let cleaned = caught(cluster.leave_namespace(&namespace)).await;
    raise(played, cleaned);
}

/// The demo shop of `./shop up`, settled before and after; its spec is put back.
pub async fn with_demo_shop<F: Future<Output = ()>>(play: impl FnOnce(Shop) -> F) {
    let _alone = STAGE.lock().await;
    let cluster = Cluster::connect().await;
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
    raise(played, restored.await);
}

/// Only a cluster, for promises without a shop that runs.
pub async fn with_namespace<F: Future<Output = ()>>(promise: &str, play: impl FnOnce(Cluster, String) -> F) {
    let _alone = STAGE.lock().await;
    let cluster = Cluster::connect().await;
    let namespace = format!("e2e-{promise}");
    cluster.create_namespace(&namespace).await;
    let played = caught(play(cluster.clone(), namespace.clone())).await;
    let cleaned = caught(cluster.leave_namespace(&namespace)).await;
    raise(played, cleaned);
}

type Outcome = Result<(), Box<dyn Any + Send>>;

async fn caught(play: impl Future<Output = ()>) -> Outcome {
    let start = Instant::now();
    let outcome = AssertUnwindSafe(play).catch_unwind().await;
    print!("({} s) ", start.elapsed().as_secs());
    outcome
}

fn raise(played: Outcome, cleaned: Outcome) {
    if let Err(panic) = played.and(cleaned) {
        resume_unwind(panic);
    }
}
