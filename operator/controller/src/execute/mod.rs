//! Step 6: tasks → outcomes. Each task runs in the background, so that a slow datastore never holds up a pass; the shop is
//! woken when one ends. Which tasks there are is the plan's decision: here one is only not started while it runs, while it
//! is held back after a failure, or (the proof) while the last one is fresh.

mod customer;
mod drive;
mod proof;
mod prove;
mod standstill;

use crate::cache::ShopKey;
use crate::context;
use crate::memory::{self, Shared};
use crate::retry::Backoff;
use futures::FutureExt;
use shop_contract::shard_map::ShardMap;
use shop_plan::Seen;
use shop_plan::digest::digest_of;
use shop_plan::observed::TaskOutcome;
use shop_plan::policy::proof::INTERVAL;
use shop_plan::task::Task;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

/// The ACL user of services and operator alike.
pub const REDIS_USER: &str = "shop";
pub const RABBITMQ_ADMIN: &str = "operator";
pub const RABBITMQ_USER: &str = "shop";

/// No task may take longer; drivers give up earlier by themselves.
const DEADLINE: Duration = Duration::from_secs(120);
const FIRST_HOLD: Duration = Duration::from_secs(2);
const LONGEST_HOLD: Duration = Duration::from_secs(30);
/// The least time between two runs of a task that succeeds and is planned again at once.
const PAUSE: Duration = Duration::from_secs(3);

/// What a task leaves behind.
pub struct Ended {
    pub succeeded: bool,
    pub message: String,
}

/// Starts what should run now; returns when something held back becomes due.
pub fn execute(
    context: &context::Shared,
    key: &ShopKey,
    memory: &Shared,
    tasks: &[Task],
    map: &Seen<ShardMap>,
) -> Option<Duration> {
    let now = Instant::now();
    let mut next: Option<Duration> = None;
    let keys: Vec<String> = tasks.iter().map(Task::key).collect();
    memory.lock().held.retain(|held, _| keys.contains(held));
    for task in tasks {
        match start(&mut memory.lock(), task, now) {
            Start::Now => spawn(context, key, memory, task.clone(), map.known().cloned()),
            Start::Running => {}
            Start::In(delay) => next = Some(next.map_or(delay, |next| next.min(delay))),
        }
    }
    next
}

#[derive(Debug, PartialEq, Eq)]
enum Start {
    Now,
    Running,
    In(Duration),
}

/// Whether a task starts; when it does, it is marked as running.
fn start(memory: &mut memory::Shop, task: &Task, now: Instant) -> Start {
    let (key, digest) = (task.key(), digest_of(task));
    if memory.running.contains_key(&key) {
        return Start::Running;
    }
    if let Some((held, until, _)) = memory.held.get(&key)
        && *held == digest
        && *until > now
    {
        return Start::In(*until - now);
    }
    if let (Task::Prove { generation, .. }, Some(proof), Some(at)) = (task, &memory.proof, memory.proved)
        && proof.succeeded
        && proof.generation == *generation
        && now < at + INTERVAL
    {
        return Start::In(at + INTERVAL - now);
    }
    memory.running.insert(key, digest);
    Start::Now
}

fn spawn(context: &context::Shared, key: &ShopKey, memory: &Shared, task: Task, map: Option<ShardMap>) {
    let (context, key, memory) = (context.clone(), key.clone(), memory.clone());
    let tracker = context.tasks.clone();
    tracker.spawn(async move {
        let permit = context.background.clone().acquire_owned().await;
        let running = drive::run(&context, &key, &memory, &task, map.as_ref());
        let running = AssertUnwindSafe(running).catch_unwind();
        let ended = match tokio::time::timeout(DEADLINE, running).await {
            Ok(Ok(ended)) => ended,
            Ok(Err(_)) => Ended {
                succeeded: false,
                message: "broke off: please report this".to_owned(),
            },
            Err(_) => Ended {
                succeeded: false,
                message: format!("not done within {} s", DEADLINE.as_secs()),
            },
        };
        drop(permit);
        let outcome = if ended.succeeded { "succeeded" } else { "failed" };
        context
            .metrics
            .tasks
            .with_label_values(&[drive::word(&task), outcome])
            .inc();
        if ended.succeeded {
            tracing::debug!(shop = %key, task = task.key(), message = ended.message, "task done");
        } else {
            tracing::warn!(shop = %key, task = task.key(), message = ended.message, "task failed");
        }
        record(&mut memory.lock(), &task, ended, Instant::now(), rand::random());
        context.queue.wake_now(key);
    });
}

fn record(memory: &mut memory::Shop, task: &Task, ended: Ended, now: Instant, jitter: f64) {
    let (key, digest) = (task.key(), digest_of(task));
    memory.running.remove(&key);
    if ended.succeeded {
        memory.held.remove(&key);
        // Most tasks change what the datastores say.
        if !matches!(task, Task::Prove { .. }) {
            memory.pods_changed = true;
            memory.held.insert(
                key.clone(),
                (digest.clone(), now + PAUSE, Backoff::new(FIRST_HOLD, LONGEST_HOLD)),
            );
        }
    } else {
        let backoff = memory
            .held
            .remove(&key)
            .filter(|(held, _, _)| *held == digest)
            .map(|(_, _, backoff)| backoff);
        let mut backoff = backoff.unwrap_or(Backoff::new(FIRST_HOLD, LONGEST_HOLD));
        let delay = backoff.fail(jitter);
        memory.held.insert(key.clone(), (digest.clone(), now + delay, backoff));
    }
    memory.done.insert(
        key,
        TaskOutcome {
            succeeded: ended.succeeded,
            message: ended.message,
            digest,
        },
    );
}

#[cfg(test)]
mod tests;
