//! Who leads in a datastore, whether the datastore is settled, and how a leader hands over. Reads the datastores' own
//! words; pods' labels may be old.

use super::rollout::Set;
use crate::contract::Handover;
use crate::observed::{Observed, PatroniMember, PatroniView, RedisMember, Seen, ShardId};
use crate::pod;
use crate::task::{RedisPod, Task};
use k8s_openapi::api::core::v1::Pod;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lead {
    Leads,
    Follows,
    Unknown,
}

pub fn lead(handover: &Handover, pod: &Pod, seen: &Observed) -> Lead {
    match handover {
        Handover::Postgres(shard) => match seen.postgres.get(shard) {
            Some(Seen::Known(view)) => if_leads(leads(view, pod::name(pod))),
            Some(Seen::Absent | Seen::Unknown(_)) | None => Lead::Unknown,
        },
        Handover::Redis { .. } => match &seen.redis {
            Seen::Known(view) => if_leads(view.members.iter().any(|member| is_primary(member, pod::name(pod)))),
            Seen::Absent | Seen::Unknown(_) => Lead::Unknown,
        },
        // Every node has queues it leads; RabbitMQ moves them by itself when a node stops.
        Handover::RabbitMq { nodes } => if_leads(*nodes < 2),
    }
}

fn if_leads(leads: bool) -> Lead {
    if leads { Lead::Leads } else { Lead::Follows }
}

fn leads(view: &PatroniView, pod: &str) -> bool {
    view.members
        .iter()
        .any(|member| member.name == pod && is_leader(member))
}

fn is_leader(member: &PatroniMember) -> bool {
    matches!(member.role.as_str(), "leader" | "master" | "primary" | "standby_leader")
}

fn is_primary(member: &RedisMember, pod: &str) -> bool {
    member.primary && member.pod.as_deref() == Some(pod)
}

/// Why the datastore is not in a state in which one pod may be missed.
pub fn unsettled(handover: &Handover, set: &str, replicas: u32, seen: &Observed) -> Option<String> {
    match handover {
        Handover::Postgres(shard) => postgres_unsettled(shard, set, replicas, seen),
        Handover::Redis { .. } => match &seen.redis {
            Seen::Known(view) if view.serving => view.problems.first().cloned(),
            Seen::Known(view) => Some(
                view.problems
                    .first()
                    .cloned()
                    .unwrap_or_else(|| format!("{set} does not serve all slots")),
            ),
            Seen::Absent => Some(format!("{set} has not answered yet")),
            Seen::Unknown(why) => Some(format!("how {set} does is not known: {why}")),
        },
        Handover::RabbitMq { nodes } => match &seen.rabbitmq {
            Seen::Known(view) if view.running_nodes.len() >= usize::from(*nodes) => view
                .leaderless
                .first()
                .map(|queue| format!("queue {queue} has no leader")),
            Seen::Known(view) => Some(format!("{set}: {} of {nodes} nodes run", view.running_nodes.len())),
            Seen::Absent => Some(format!("{set} has not answered yet")),
            Seen::Unknown(why) => Some(format!("how {set} does is not known: {why}")),
        },
    }
}

fn postgres_unsettled(shard: &ShardId, set: &str, replicas: u32, seen: &Observed) -> Option<String> {
    let view = match seen.postgres.get(shard) {
        Some(Seen::Known(view)) => view,
        Some(Seen::Absent) | None => return Some(format!("{set} has not answered yet")),
        Some(Seen::Unknown(why)) => return Some(format!("how {set} does is not known: {why}")),
    };
    if view.paused {
        return Some(format!("{set}: Patroni is paused"));
    }
    if !view
        .members
        .iter()
        .any(|member| is_leader(member) && member.state == "running")
    {
        return Some(format!("{set} has no primary"));
    }
    let well = |member: &&PatroniMember| matches!(member.state.as_str(), "running" | "streaming");
    let count = u32::try_from(view.members.iter().filter(well).count()).unwrap_or(u32::MAX);
    (count < replicas).then(|| format!("{set}: {count} of {replicas} instances run or stream"))
}

/// The task that makes `leader` a follower; `None` when nobody can take over.
pub(super) fn hand_over(set: &Set, leader: &Pod, seen: &Observed) -> Option<Task> {
    match &set.rollout.handover {
        Handover::Postgres(shard) => {
            let view = seen.postgres.get(shard)?.known()?;
            let to = candidate(view)?;
            let pods = set.pods.iter().filter_map(|pod| pod::patroni(pod)).collect();
            let from = pod::name(leader).to_owned();
            leads(view, &from).then(|| Task::Switchover {
                shard: shard.clone(),
                pods,
                from,
                to,
            })
        }
        Handover::Redis { user, password } => {
            let view = seen.redis.known()?;
            let primary = view
                .members
                .iter()
                .find(|member| is_primary(member, pod::name(leader)))?;
            let follows = |member: &&RedisMember| member.primary_id.as_ref() == Some(&primary.id) && member.linked;
            let replica = view
                .members
                .iter()
                .filter(follows)
                .find_map(|member| member.pod.as_deref())?;
            let address = |name: &str| {
                set.pods
                    .iter()
                    .find(|pod| pod::name(pod) == name)
                    .and_then(|pod| redis_pod(pod))
            };
            Some(Task::RedisFailover {
                primary: redis_pod(leader)?,
                replica: address(replica)?,
                user: user.clone(),
                password: password.clone(),
            })
        }
        Handover::RabbitMq { .. } => None,
    }
}

/// A synchronous standby loses nothing; without one, the standby with the least lag.
fn candidate(view: &PatroniView) -> Option<String> {
    let streams =
        |member: &&PatroniMember| matches!(member.state.as_str(), "running" | "streaming") && !is_leader(member);
    let rank = |member: &&PatroniMember| {
        let synchronous = matches!(member.role.as_str(), "sync_standby" | "quorum_standby");
        (!synchronous, member.lag_bytes.unwrap_or(u64::MAX), member.name.clone())
    };
    view.members
        .iter()
        .filter(streams)
        .min_by_key(rank)
        .map(|member| member.name.clone())
}

fn redis_pod(pod: &Pod) -> Option<RedisPod> {
    Some(RedisPod {
        pod: pod::name(pod).into(),
        ip: pod::ip(pod)?.into(),
        node: pod::node(pod).unwrap_or_default().into(),
    })
}
