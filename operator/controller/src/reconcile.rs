//! One pass over one shop, in the eight steps of ARCHITECTURE.md: observe, validate, plan, check, apply, execute, report,
//! retry. Steps 2 to 4 and 8 are pure; this file only hands each one's answer to the next.

use crate::apply::{self, Applied, Class, Target};
use crate::cache::ShopKey;
use crate::context::{Context, Shared};
use crate::memory;
use crate::observe::{self, datastores, secrets};
use crate::{execute, report, retry};
use shop_api::ShopDeployment;
use shop_plan::report::Outcome;
use shop_plan::validate::{Problem, Standing};
use shop_plan::{Inputs, Observed, Plan, ValidatedShop};
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
    let inputs = inputs(context);
    let valid = match step("validate").of(|| validated(shop, &inputs, &seen)) {
        Ok(valid) => valid,
        Err(Refused::Invalid(problems)) => {
            return report::write(context, shop, memory, Outcome::Invalid(&problems), &seen).await;
        }
        Err(Refused::Blocked(why)) => return report::write(context, shop, memory, Outcome::Blocked(&why), &seen).await,
    };
    let plan = match step("plan").of(|| planned(&valid, &seen)) {
        Ok(plan) => plan,
        Err(why) => return report::write(context, shop, memory, Outcome::Blocked(&why), &seen).await,
    };
    let target = Target {
        context,
        key,
        shop,
        memory,
    };
    let applied = step("apply").during(applied(&target, &plan)).await;
    let held = step("execute").of(|| execute::execute(context, key, memory, &plan.tasks, &seen.shard_map));
    let calm = plan
        .health
        .values()
        .all(|health| health.state == shop_plan::State::Ready);
    datastores::refresh(context, key, memory, datastores::targets(&valid, &seen), calm);
    let trouble = trouble(&applied);
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

enum Refused {
    Invalid(Vec<Problem>),
    Blocked(String),
}

fn validated(shop: &ShopDeployment, inputs: &Inputs, seen: &Observed) -> Result<ValidatedShop, Refused> {
    let name = shop.metadata.name.as_deref().unwrap_or_default();
    let standing = Standing::of(name, seen).map_err(Refused::Blocked)?;
    shop_plan::validate(shop, inputs, &standing).map_err(Refused::Invalid)
}

/// A plan that passed its check; anything found is a mistake of ours and stops everything.
fn planned(shop: &ValidatedShop, seen: &Observed) -> Result<Plan, String> {
    let plan = shop_plan::plan(shop, seen).map_err(|error| error.to_string())?;
    let words = |findings: Vec<shop_plan::check::Finding>| {
        findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    shop_plan::check(&plan, seen).map_err(words)?;
    Ok(plan)
}

async fn applied(target: &Target<'_>, plan: &Plan) -> Applied {
    let mut applied = apply::apply(target, &plan.objects).await;
    if applied.failed.is_empty() {
        let (deleted, failed) = apply::prune::prune(target, plan).await;
        applied.written.extend(deleted);
        applied.failed.extend(failed);
        applied
            .written
            .extend(apply::adopt::adopt(target.context, target.key, target.shop).await);
    }
    if !applied.written.is_empty() {
        tracing::info!(written = applied.written.join(", "), "applied");
    }
    for error in &applied.failed {
        tracing::warn!(%error, "not applied");
    }
    applied
}

fn trouble(applied: &Applied) -> Option<String> {
    let words: Vec<String> = applied.failed.iter().map(ToString::to_string).collect();
    (!words.is_empty()).then(|| words.join("; "))
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

fn inputs(context: &Context) -> Inputs {
    Inputs {
        images: context.settings.images.clone(),
        version: crate::VERSION.to_owned(),
        operator_namespace: context.settings.namespace.clone(),
        now: jiff::Timestamp::now(),
    }
}

/// Kubernetes removes what belongs to a deleted shop; what Patroni made besides is swept.
async fn gone(context: &Shared, key: &ShopKey) -> Option<Duration> {
    if !context.cache.shops_known() {
        return None;
    }
    context.memory.forget(key);
    context.metrics.forget(&key.namespace, &key.name);
    apply::adopt::sweep(context, key)
        .await
        .then_some(Duration::from_secs(2))
}
