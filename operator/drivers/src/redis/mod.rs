//! Redis (or Valkey): forms, heals and reads a cluster, or looks at a single server.
//!
//! `link` asks, `seen` reads the answers, `decide` and `pair` say what to do next without any input or output, `act`
//! does it; this file holds the verbs. Never deletes a key and never resets a server.

mod act;
mod decide;
mod error;
mod link;
mod pair;
mod seen;
mod view;

pub use error::RedisError;
pub use view::{Node, View};

use crate::Report;
use decide::Decision;
use link::Link;
use seen::Sighting;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const SETTLE: Duration = Duration::from_secs(60);
/// What the cluster gets to fail over and to spread news by itself before it is helped.
const PATIENCE: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(250);
/// A step may be refused because something changed meanwhile; so often in a row it is no coincidence.
const REFUSALS: u32 = 8;

/// A server that should be part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub pod: String,
    /// The address the others reach it by, an IP. Its cluster bus is at `port` + 10000.
    pub ip: String,
    pub port: u16,
    /// The machine it runs on; a primary and its replica share one only when there is no other way.
    pub node: String,
}

/// `shards: 1, replicas: 0` with one member is a single server without cluster mode; a cluster has three shards or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub shards: u16,
    pub replicas: u16,
}

#[derive(Clone)]
pub struct Auth {
    pub user: String,
    pub password: String,
}

/// What the members say of themselves and each other, within 10 s. An error only when none can be asked.
pub async fn read(members: &[Member], shape: Shape, auth: &Auth) -> Result<View, RedisError> {
    check(members, shape)?;
    if let Some(member) = single(members, shape) {
        return Ok(view::single(
            &member.pod,
            ping(member, auth).await.map_err(|error| error.to_string()),
        ));
    }
    let seen = look(members, auth).await?;
    let decision = decide::decide(&seen, shape, false);
    Ok(view::cluster(&seen, decision))
}

/// Takes the steps that bring the members nearer to `shape`, until none is left, only others can go on, or 60 s have
/// passed. What is still missing then is in the report's `waiting`; a server that was forgotten less than 60 s ago
/// and comes back counts as waited for, since the others turn it away that long.
pub async fn ensure(members: &[Member], shape: Shape, auth: &Auth) -> Result<Report, RedisError> {
    check(members, shape)?;
    if let Some(member) = single(members, shape) {
        return ping(member, auth).await.map(|()| Report::default());
    }
    let start = Instant::now();
    let mut report = Report::default();
    let mut refusals = 0;
    loop {
        let seen = look(members, auth).await?;
        let Decision {
            steps,
            waiting,
            blocked,
            warnings: _,
        } = decide::decide(&seen, shape, start.elapsed() > PATIENCE);
        if steps.is_empty() && waiting.is_none() {
            report.waiting = (!blocked.is_empty()).then(|| blocked.join("; "));
            return Ok(report);
        }
        if start.elapsed() > SETTLE {
            let next = steps.iter().map(ToString::to_string).chain(waiting).collect::<Vec<_>>();
            report.waiting = Some(next.join("; "));
            return Ok(report);
        }
        for step in &steps {
            let Some(member) = members.iter().find(|member| member.pod == step.at()) else {
                continue;
            };
            match act::take(step, member, auth).await {
                Ok(()) => report.wrote_once(step.to_string()),
                Err(error) if refusals >= REFUSALS => return Err(error),
                Err(error) => {
                    refusals += 1;
                    tracing::debug!(%step, %error, "redis refused a step; it is decided anew");
                }
            }
        }
        sleep(PAUSE).await;
    }
}

/// Hands a primary's slots to a replica, its own or another's, without losing a write, and waits until both say so; an error
/// after 60 s. Nothing to do when the replica is primary already.
pub async fn failover(primary: &Member, replica: &Member, auth: &Auth) -> Result<(), RedisError> {
    act::hand_over(primary, replica, auth).await
}

async fn look(members: &[Member], auth: &Auth) -> Result<Vec<Sighting>, RedisError> {
    let seen = link::look(members, auth).await?;
    match seen.iter().all(|sighting| sighting.told.is_err()) {
        true => Err(RedisError::NoneAnswered {
            members: seen.len(),
            cause: seen
                .first()
                .and_then(|s| s.told.as_ref().err().cloned())
                .unwrap_or_default(),
        }),
        false => Ok(seen),
    }
}

async fn ping(member: &Member, auth: &Auth) -> Result<(), RedisError> {
    Link::open(member, auth).await?.ask(&["PING"]).await
}

fn single(members: &[Member], shape: Shape) -> Option<&Member> {
    (shape.shards == 1).then(|| members.first()).flatten()
}

fn check(members: &[Member], shape: Shape) -> Result<(), RedisError> {
    let Shape { shards, replicas } = shape;
    let invalid = |rule: &str| {
        let value = format!("{} servers for {shards} shards with {replicas} replicas", members.len());
        Err(RedisError::Invalid {
            what: "as a Redis",
            value,
            rule: rule.to_owned(),
        })
    };
    match (shards, replicas) {
        (0 | 2, _) => {
            invalid("a cluster needs three shards or more to agree on a failover, a single server is one shard")
        }
        (1, 1..) => invalid("a single server has no replicas"),
        (1, 0) if members.len() > 1 => invalid("a single shard is one server"),
        _ if members.is_empty() => Err(RedisError::NoneAnswered {
            members: 0,
            cause: "there is none".to_owned(),
        }),
        _ => Ok(()),
    }
}
