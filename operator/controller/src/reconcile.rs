//! One pass over one shop, in the eight steps of ARCHITECTURE.md: observe, validate, plan, check, apply, execute, report,
//! retry. Steps 2 to 4 and 8 are pure; this file only hands each one's answer to the next.

use crate::apply::{self, Applied, Class, Target};
use crate::cache::ShopKey;
use crate::context::Shared;
use crate::decide::{self, Refused};
use crate::memory;
use crate::observe::{self, datastores, secrets};
use crate::{execute, leftovers, report, retry};
use shop_api::ShopDeployment;
use shop_plan::report::Outcome;
use std::time::Duration;
use tracing::Instrument;

/// Works on a shop once; returns when to look again without an event.
pub async fn reconcile(context: &Shared, key: &ShopKey) -> Option<Duration> {
    let span = tracing::info_span!("reconcile", shop = %key);
    let Some(shop) = context.cache.shop(key) else {
        return gone(context, key).await;
    };
    if shop.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let memory = context.memory.of(key, shop.metadata.uid.as_deref().unwrap_or_default());
    pass(context, key, &shop, &memory).instrument(span).await
}

async fn pass(context: &Shared, key: &ShopKey, shop: &ShopDeployment, memory: &memory::Shared) -> Option<Duration> {
    let step = |name| context.metrics.timer(name);
    if let Err(error) = secrets::refresh_all(context, key, memory).await {
        tracing::warn!(%error, "Secrets not read");
    }
    let seen = step("observe").of(|| observe::observe(&context.cache, key, memory));
    let inputs = context.settings.inputs(jiff::Timestamp::now());
    let valid = match step("validate").of(|| decide::validated(shop, &inputs, &seen)) {
        Ok(valid) => valid,
        Err(Refused::Invalid(problems)) => {
            return report::write(context, shop, memory, Outcome::Invalid(&problems), &seen).await;
        }
        Err(Refused::Blocked(why)) => return report::write(context, shop, memory, Outcome::Blocked(&why), &seen).await,
    };
    let plan = match step("plan").of(|| decide::planned(&valid, &seen)) {
        Ok(plan) => plan,
        Err(why) => return report::write(context, shop, memory, Outcome::Blocked(&why), &seen).await,
    };
    let target = Target {
        context,
        key,
        shop,
        memory,
    };
    let applied = step("apply").during(apply::carry_out(&target, &plan)).await;
    let held = step("execute").of(|| execute::execute(context, key, memory, &plan.tasks, &seen.shard_map));
    let calm = plan
        .health
        .values()
        .all(|health| health.state == shop_plan::State::Ready);
    datastores::refresh(context, key, memory, datastores::targets(&valid, &seen), calm);
    let trouble = applied.trouble();
    let outcome = Outcome::Planned {
        shop: &valid,
        plan: &plan,
        trouble: trouble.as_deref(),
    };
    let written = step("report")
        .during(report::write(context, shop, memory, outcome, &seen))
        .await;
    retry::earliest([held, written, again(memory, &applied)])
}

/// Growing delays while something cannot be applied.
fn again(memory: &memory::Shared, applied: &Applied) -> Option<Duration> {
    let mut memory = memory.lock();
    if applied.failed.is_empty() {
        memory.backoff.succeed();
        return None;
    }
    let delay = memory.backoff.fail(rand::random());
    let only_invalid = applied.failed.iter().all(|error| error.class == Class::Invalid);
    Some(if only_invalid {
        delay.max(Duration::from_secs(10))
    } else {
        delay
    })
}

/// Kubernetes removes what belongs to a deleted shop. Left to us is what we remember, and what nobody owns.
async fn gone(context: &Shared, key: &ShopKey) -> Option<Duration> {
    if !context.cache.shops_known() {
        return None;
    }
    context.metrics.forget(&key.namespace, &key.name);
    leftovers::sweep(context, key).await
}
