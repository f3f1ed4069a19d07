//! The task `Prove`: makes the proof and remembers what came of it. The plan decides from that; nothing is decided here.

use super::proof::Proof;
use crate::cache::ShopKey;
use crate::context::Context;
use crate::memory::Shared;
use shop_contract::shard_map::ShardMap;
use shop_plan::observed::ProofView;
use std::time::{Duration, Instant};

/// A first failure after successes is checked once more before anybody is told.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// What a proof needs besides the context.
pub struct Wanted<'a> {
    pub gateway: &'a str,
    pub key: String,
    pub shards: &'a [u16],
    pub generation: i64,
}

pub async fn prove(
    context: &Context,
    key: &ShopKey,
    memory: &Shared,
    wanted: Wanted<'_>,
    map: Option<&ShardMap>,
) -> Result<String, String> {
    let map = map.ok_or("the shard map is not published yet")?;
    let Wanted {
        gateway,
        key: synthetic_key,
        shards,
        generation,
    } = wanted;
    let gateway = if gateway.contains("://") {
        gateway.to_owned()
    } else {
        format!("http://{gateway}")
    };
    let proof = Proof {
        http: &context.http,
        gateway: &gateway,
        key: &synthetic_key,
    };
    let started = Instant::now();
    let mut result = proof.prove(map, shards).await;
    let was_well = memory.lock().proof.as_ref().is_none_or(|before| before.succeeded);
    if result.is_err() && was_well {
        tokio::time::sleep(SECOND_LOOK).await;
        result = proof.prove(map, shards).await;
    }
    let outcome = if result.is_ok() { "succeeded" } else { "failed" };
    let labels = [key.namespace.as_str(), key.name.as_str()];
    context
        .metrics
        .proof_seconds
        .with_label_values(&labels)
        .set(started.elapsed().as_secs_f64());
    context
        .metrics
        .proofs
        .with_label_values(&[labels[0], labels[1], outcome])
        .inc();
    let view = ProofView {
        at: jiff::Timestamp::now().to_string(),
        generation,
        succeeded: result.is_ok(),
        tier: result.as_ref().err().map(|failure| failure.tier.clone()),
        message: result
            .as_ref()
            .map_or_else(|failure| failure.message.clone(), Clone::clone),
    };
    let mut memory = memory.lock();
    memory.proof = Some(view);
    memory.proved = Some(Instant::now());
    result.map_err(|failure| format!("{}: {}", failure.tier, failure.message))
}
