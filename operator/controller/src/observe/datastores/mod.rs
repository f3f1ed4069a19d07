//! Asks the datastores how they are, in the background: all in parallel, each with a deadline; who does not answer is
//! Unknown, never absent. Reads only. The pass takes whatever was answered last.

mod ask;
mod targets;

pub use targets::{Targets, targets};

use crate::cache::ShopKey;
use crate::context;
use crate::memory::{Shared, Views};
use futures::FutureExt;
use shop_plan::observed::Seen;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

/// How long an answer counts while all is well, and while it is not.
pub const CALM: Duration = Duration::from_secs(30);
pub const TENSE: Duration = Duration::from_secs(8);

/// Asks now, unless it is being done already or the last answers are fresh enough. Wakes the shop when something differs.
pub fn refresh(context: &context::Shared, key: &ShopKey, memory: &Shared, targets: Targets, calm: bool) {
    let interval = if calm { CALM } else { TENSE };
    {
        let mut memory = memory.lock();
        let due = memory.pods_changed || memory.views_read.is_none_or(|read| read.elapsed() >= interval);
        if memory.reading_views || !due {
            return;
        }
        memory.reading_views = true;
        memory.pods_changed = false;
    }
    let (context, key, memory) = (context.clone(), key.clone(), memory.clone());
    let tracker = context.tasks.clone();
    tracker.spawn(async move {
        let asking = AssertUnwindSafe(ask::read(&targets, &memory)).catch_unwind();
        // A mistake of ours counts as no answer.
        let views = asking.await.unwrap_or_default();
        record_lag(&context, &key, &views);
        let changed = {
            let mut memory = memory.lock();
            let changed = differs(&memory.views, &views);
            memory.views = views;
            memory.views_read = Some(Instant::now());
            memory.reading_views = false;
            changed
        };
        if changed {
            context.queue.wake_now(key);
        } else if !targets.is_empty() {
            context.queue.wake_in(key, interval);
        }
    });
}

/// Lag changes all the time and is a metric; only what a decision may rest on wakes a shop.
fn differs(before: &Views, now: &Views) -> bool {
    let calm = |views: &Views| {
        let mut postgres = views.postgres.clone();
        for view in postgres.values_mut() {
            if let Seen::Known(view) = view {
                for member in &mut view.members {
                    member.lag_bytes = member.lag_bytes.map(|lag| lag >> 24);
                }
            }
        }
        (postgres, views.redis.clone(), views.rabbitmq.clone())
    };
    calm(before) != calm(now)
}

fn record_lag(context: &context::Context, key: &ShopKey, views: &Views) {
    for member in views
        .postgres
        .values()
        .filter_map(Seen::known)
        .flat_map(|view| &view.members)
    {
        let lag = member.lag_bytes.unwrap_or_default() as f64;
        context
            .metrics
            .postgres_lag_bytes
            .with_label_values(&[&key.namespace, &key.name, &member.name])
            .set(lag);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shop_plan::observed::{PatroniMember, PatroniView, ShardId};
    use std::collections::BTreeMap;

    fn views(lag: u64, role: &str) -> Views {
        let member = PatroniMember {
            name: "demo-orders-0-0".into(),
            role: role.into(),
            state: "streaming".into(),
            lag_bytes: Some(lag),
            timeline: Some(1),
        };
        let shard = ShardId {
            database: "orders".into(),
            index: 0,
        };
        let view = PatroniView {
            members: vec![member],
            paused: false,
        };
        Views {
            postgres: BTreeMap::from([(shard, Seen::Known(view))]),
            ..Views::default()
        }
    }

    #[test]
    fn a_little_lag_wakes_nobody_but_a_new_role_does() {
        assert!(!differs(&views(0, "replica"), &views(4096, "replica")));
        assert!(differs(&views(0, "replica"), &views(64 << 20, "replica")));
        assert!(differs(&views(0, "replica"), &views(0, "leader")));
    }
}
