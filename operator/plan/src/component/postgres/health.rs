//! How a database does: it serves when each shard has a running primary behind a pooler; it is Ready when every standby
//! streams and, where commits wait for one, one is in sync.

use super::pooler::Servers;
use super::{COMPONENT, Shard, tasks};
use crate::component::standing::{self, Standing, failure_of, standing};
use crate::health::{Health, ShardStatus, State};
use crate::names;
use crate::observed::{Observed, PatroniMember, PatroniView, Seen};

/// Below this a standby counts as caught up: the proof order of an idle shop must not change its status.
const CAUGHT_UP: u64 = 1 << 20;
const LAG_STEP: u64 = 16 << 20;

pub fn health(shards: &[Shard<'_>], seen: &Observed) -> Health {
    if let Some(suspended) = shards.first().and_then(|shard| standing::suspended(shard.shop)) {
        return suspended;
    }
    let each: Vec<Health> = shards.iter().map(|shard| of_shard(shard, seen)).collect();
    let worst = each.iter().max_by_key(|health| severity(health.state)).cloned();
    let mut health = worst.unwrap_or_else(|| Health::new(State::Ready, "", 0, 0));
    health.ready = each.iter().map(|health| health.ready).sum();
    health.wanted = each.iter().map(|health| health.wanted).sum();
    health.shards = each.into_iter().flat_map(|health| health.shards).collect();
    health
}

/// The shard that speaks for all: an unreachable one before an unknown one before one on its way.
fn severity(state: State) -> u8 {
    match state {
        State::Ready => 0,
        State::Suspended => 1,
        State::Degraded => 2,
        State::Progressing => 3,
        State::Unknown => 4,
        State::Unavailable => 5,
    }
}

pub fn primary(view: &PatroniView) -> Option<&PatroniMember> {
    view.members
        .iter()
        .find(|member| matches!(member.role.as_str(), "leader" | "primary") && member.state == "running")
}

fn of_shard(shard: &Shard<'_>, seen: &Observed) -> Health {
    let words = shard.words();
    let wanted = 1 + u32::from(shard.database.replicas);
    let pods = match standing(seen, COMPONENT, &names::shard_name(&shard.id)) {
        Ok(pods) => pods,
        Err(why) => return Health::unknown(format!("{words}: {why}")),
    };
    let with = |state, message: String, view: Option<&PatroniView>| {
        let mut health = Health::new(state, message, pods.ready, wanted);
        health.shards = vec![status(shard, view)];
        health
    };
    let view = match seen.postgres.get(&shard.id) {
        Some(Seen::Known(view)) => view,
        Some(Seen::Unknown(why)) if pods.ready > 0 => {
            return with(State::Unknown, format!("{words}: Patroni cannot be asked: {why}"), None);
        }
        Some(Seen::Unknown(_) | Seen::Absent) | None => {
            let (state, message) = without_primary(&words, &pods, None);
            return with(state, message, None);
        }
    };
    if primary(view).is_none() {
        let (state, message) = without_primary(&words, &pods, Some(view));
        return with(state, message, Some(view));
    }
    let (state, message) = with_primary(shard, seen, view, &pods, wanted);
    with(state, message, Some(view))
}

fn without_primary(words: &str, pods: &Standing<'_>, view: Option<&PatroniView>) -> (State, String) {
    let has_data =
        |member: &PatroniMember| matches!(member.state.as_str(), "running" | "streaming" | "in archive recovery");
    if let Some(problem) = &pods.problem {
        return (State::Unavailable, format!("{words}: no primary: {problem}"));
    }
    let members = view.map_or(0, |view| view.members.iter().filter(|member| has_data(member)).count());
    if members > 0 {
        let message = format!("{words}: no primary among {members} running members");
        return (State::Unavailable, message);
    }
    (State::Progressing, format!("{words}: no primary yet"))
}

/// The first thing that keeps a serving shard from being Ready.
fn with_primary(
    shard: &Shard<'_>,
    seen: &Observed,
    view: &PatroniView,
    pods: &Standing<'_>,
    wanted: u32,
) -> (State, String) {
    let words = shard.words();
    if let Some((state, message)) = unfinished(shard, seen) {
        return (state, format!("{words}: {message}"));
    }
    if view.paused {
        return (
            State::Degraded,
            format!("{words}: Patroni is paused: no failover would happen"),
        );
    }
    if let Some(problem) = &pods.problem {
        return (State::Degraded, format!("{words}: {problem}"));
    }
    if shard.synchronous() && in_sync(view) == 0 {
        return (State::Degraded, format!("{words} has no synchronous replica"));
    }
    let streaming = view.members.iter().filter(|member| member.state == "streaming").count();
    if pods.ready < wanted || streaming < usize::from(shard.database.replicas) {
        let replicas = shard.database.replicas;
        return (
            State::Degraded,
            format!(
                "{words}: {streaming} of {replicas} standbys stream, {} of {wanted} pods are ready",
                pods.ready
            ),
        );
    }
    // Without its readers' pooler the primary serves their reads as well.
    let readers = Servers::of(shard)
        .iter()
        .filter(|servers| **servers != Servers::Primary);
    let mut readers = readers.map(|servers| pooler(shard, seen, *servers));
    if let Some(lost) = readers.find(|health| health.state != State::Ready) {
        return (State::Degraded, format!("{words}: {}", lost.message));
    }
    (State::Ready, String::new())
}

fn pooler(shard: &Shard<'_>, seen: &Observed, servers: Servers) -> Health {
    let wanted = u32::from(shard.database.pooler.replicas);
    standing::stateless(seen, COMPONENT, &servers.label(shard), &servers.pooler(shard), wanted)
}

/// A primary alone is not a database yet: its role must exist and the pooler must answer.
fn unfinished(shard: &Shard<'_>, seen: &Observed) -> Option<(State, String)> {
    let pooler = pooler(shard, seen, Servers::Primary);
    let task = tasks::database(shard);
    match pooler.state {
        State::Ready | State::Suspended => {}
        State::Degraded | State::Progressing | State::Unavailable | State::Unknown => {
            return Some((pooler.state, pooler.message));
        }
    }
    if let Some(failure) = failure_of(seen, &task) {
        return Some((State::Degraded, format!("its database could not be made: {failure}")));
    }
    // The outcome is kept in memory only: after a restart of the operator, services that exist show that it was made.
    let first = !seen.done.contains_key(&task.key()) && !services_exist(seen);
    first.then(|| (State::Progressing, "its database is being made".into()))
}

/// Which they do once every database has served.
pub fn services_exist(seen: &Observed) -> bool {
    let label = |deployment: &k8s_openapi::api::apps::v1::Deployment| {
        deployment
            .metadata
            .labels
            .as_ref()
            .and_then(|labels| labels.get(names::COMPONENT))
            .is_some_and(|is| is == "service")
    };
    seen.deployments
        .known()
        .is_none_or(|deployments| deployments.iter().any(label))
}

pub fn is_synchronous(member: &PatroniMember) -> bool {
    matches!(member.role.as_str(), "sync_standby" | "quorum_standby")
}

/// It follows the primary closely.
pub fn is_caught_up(member: &PatroniMember) -> bool {
    member.state == "streaming" && member.lag_bytes.is_some_and(|lag| lag < CAUGHT_UP)
}

fn in_sync(view: &PatroniView) -> u32 {
    let members = view.members.iter();
    u32::try_from(members.filter(|member| is_synchronous(member)).count()).unwrap_or(u32::MAX)
}

fn status(shard: &Shard<'_>, view: Option<&PatroniView>) -> ShardStatus {
    let Some(view) = view else {
        return ShardStatus {
            index: shard.id.index,
            ..ShardStatus::default()
        };
    };
    let primary = primary(view).map(|member| member.name.clone());
    let others: Vec<_> = view
        .members
        .iter()
        .filter(|member| Some(&member.name) != primary.as_ref())
        .collect();
    let lag = others.iter().filter_map(|member| member.lag_bytes).max();
    ShardStatus {
        index: shard.id.index,
        primary,
        in_sync: in_sync(view),
        replicas: u32::try_from(others.len()).unwrap_or(u32::MAX),
        lag: lag.map(|bytes| match bytes {
            bytes if bytes < CAUGHT_UP => "none".into(),
            bytes if bytes < LAG_STEP => "< 16 MiB".into(),
            _ => "≥ 16 MiB".into(),
        }),
    }
}
