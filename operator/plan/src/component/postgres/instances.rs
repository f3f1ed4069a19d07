//! How many instances a shard has now. Kubernetes takes the highest ordinal away first, whoever leads: so fewer are wished
//! for only once the primary is among those that stay and they have caught up. Until then the primary hands over, each
//! time to somebody below, and whoever is above it goes.

use super::{Shard, config, health};
use crate::component::standing::{Standing, standing, standing_replicas};
use crate::names;
use crate::observed::{Observed, PatroniMember, PatroniView, Seen};
use crate::pod;
use crate::task::Task;
use k8s_openapi::api::core::v1::Pod;

/// The instances to have now, and what has to happen before there can be fewer.
#[derive(Debug, Default, PartialEq)]
pub struct Instances {
    pub count: u32,
    pub handover: Option<Task>,
    pub waiting: Option<String>,
}

pub fn instances(shard: &Shard<'_>, seen: &Observed) -> Instances {
    let wanted = 1 + u32::from(shard.database.replicas);
    match standing_replicas(seen, &shard.scope()) {
        Some(present) if present > wanted => shrink(shard, seen, present, wanted).unwrap_or_else(|why| Instances {
            count: present,
            waiting: Some(format!("{}: {present} instances stay for now: {why}", shard.words())),
            handover: None,
        }),
        Some(_) | None => Instances {
            count: wanted,
            ..Instances::default()
        },
    }
}

/// `Err` says why nobody may go.
fn shrink(shard: &Shard<'_>, seen: &Observed, present: u32, wanted: u32) -> Result<Instances, String> {
    let view = seen.postgres.get(&shard.id).and_then(Seen::known);
    let view = view.ok_or("which of them leads is not known")?;
    let leader = health::primary(view).ok_or("no primary yet")?;
    let ordinal = ordinal(&leader.name).ok_or("which of them leads is not known")?;
    let pods = standing(seen, super::COMPONENT, &names::shard_name(&shard.id))?;
    let count = wanted.max(ordinal + 1);
    if count < present {
        for stays in (0..count).filter(|stays| *stays != ordinal) {
            caught_up(view, &names::pod(&shard.scope(), stays))?;
        }
        leads_no_pod_from(count, &pods)?;
        return Ok(Instances {
            count,
            ..Instances::default()
        });
    }
    let to = successor(view, ordinal)?;
    Ok(Instances {
        count: present,
        waiting: Some(format!(
            "{}: {} hands over to {to} before it goes",
            shard.words(),
            leader.name
        )),
        handover: Some(Task::Switchover {
            shard: shard.id.clone(),
            pods: pods.patronis(),
            from: leader.name.clone(),
            to,
        }),
    })
}

fn ordinal(pod: &str) -> Option<u32> {
    pod.rsplit_once('-')?.1.parse().ok()
}

fn caught_up(view: &PatroniView, pod: &str) -> Result<(), String> {
    let member = view.members.iter().find(|member| member.name == pod);
    match member {
        Some(member) if health::is_caught_up(member) => Ok(()),
        Some(member) => Err(format!("{pod} has not caught up ({})", member.state)),
        None => Err(format!("{pod} does not run")),
    }
}

/// Patroni marks its pod at once; what was asked of it last may be older than a failover.
fn leads_no_pod_from(count: u32, pods: &Standing<'_>) -> Result<(), String> {
    let leads = |pod: &&&Pod| {
        let labels = pod.metadata.labels.as_ref();
        let role = labels.and_then(|labels| labels.get(config::ROLE_LABEL));
        role.is_some_and(|role| role == "primary") && ordinal(pod::name(pod)).is_none_or(|ordinal| ordinal >= count)
    };
    match pods.pods.iter().find(leads) {
        Some(leader) => Err(format!("{} has just taken over", pod::name(leader))),
        None => Ok(()),
    }
}

/// Who takes over from the last instance: a synchronous standby first, because Patroni takes no other where there is one.
fn successor(view: &PatroniView, leader: u32) -> Result<String, String> {
    let below = |member: &&PatroniMember| ordinal(&member.name).is_some_and(|ordinal| ordinal < leader);
    let rank = |member: &&PatroniMember| (!health::is_synchronous(member), member.lag_bytes, member.name.clone());
    let able = |member: &&PatroniMember| below(member) && health::is_caught_up(member);
    let best = view.members.iter().filter(able).min_by_key(rank);
    best.map(|member| member.name.clone())
        .ok_or_else(|| "the primary is the last of them and no other has caught up to take over".to_owned())
}
