//! How many servers a cluster has now. Kubernetes takes the highest ordinal away first, whoever leads: so fewer are wished
//! for only once all that lead are among those that stay. Until then the others hand over, one after the other, each to a
//! server that stays.

use super::tasks::member;
use super::{NAME, USER};
use crate::component::standing::{secret, standing, standing_replicas};
use crate::names::{self, key};
use crate::observed::{Observed, RedisMember, RedisView};
use crate::pod;
use crate::shop::ValidatedShop;
use crate::task::Task;

/// The servers to have now, and what has to happen before there can be fewer.
#[derive(Debug, Default, PartialEq)]
pub struct Servers {
    pub count: u32,
    pub handover: Option<Task>,
    pub waiting: Option<String>,
}

pub fn servers(shop: &ValidatedShop, seen: &Observed) -> Servers {
    let wanted = shop.redis.servers();
    let present = standing_replicas(seen, &names::redis(&shop.name)).unwrap_or(wanted);
    if !shop.redis.cluster() || present <= wanted {
        return Servers {
            count: wanted,
            ..Servers::default()
        };
    }
    shrink(shop, seen, present).unwrap_or_else(|why| Servers {
        count: present,
        waiting: Some(format!("redis: {present} servers stay for now: {why}")),
        handover: None,
    })
}

/// Replicas of each primary now. The driver is told of those there are: a silent server that is to go is no reason to
/// forget it.
pub fn replicas_now(shop: &ValidatedShop, seen: &Observed) -> u16 {
    replicas_of(shop, servers(shop, seen).count)
}

pub fn replicas_of(shop: &ValidatedShop, servers: u32) -> u16 {
    let each = servers.div_ceil(u32::from(shop.redis.shards));
    u16::try_from(each.saturating_sub(1)).unwrap_or(u16::MAX)
}

/// `Err` says why nobody may go.
fn shrink(shop: &ValidatedShop, seen: &Observed, present: u32) -> Result<Servers, String> {
    let wanted = shop.redis.servers();
    let view = seen.redis.known().ok_or("which of them lead is not known")?;
    if view.slots_assigned > 0 && !view.serving {
        return Err("not every slot is served".into());
    }
    let Some((leader, heir)) = next(view, wanted)? else {
        return Ok(Servers {
            count: wanted,
            ..Servers::default()
        });
    };
    if let Some(problem) = view.problems.first() {
        return Err(problem.clone());
    }
    let pods = standing(seen, NAME, NAME)?;
    let address = |name: &str| {
        let pod = pods
            .pods
            .iter()
            .find(|pod| pod::name(pod) == name && pod::is_ready(pod));
        pod.and_then(|pod| member(pod))
            .ok_or_else(|| format!("pod {name} is not ready"))
    };
    Ok(Servers {
        count: present,
        waiting: Some(format!("redis: {leader} hands over to {heir} before it goes")),
        handover: Some(Task::RedisFailover {
            primary: address(leader)?,
            replica: address(heir)?,
            user: USER.into(),
            password: secret(shop, key::REDIS_PASSWORD),
        }),
    })
}

/// A server that leads and is to go, and who takes over; `None` when all that lead stay. First those with a follower that
/// stays: where every follower is to go too, one that follows somebody else copies from the leader first.
fn next(view: &RedisView, wanted: u32) -> Result<Option<(&str, &str)>, String> {
    let leads = |member: &&RedisMember| member.slots > 0 && !stays(member, wanted);
    let leaders: Vec<&RedisMember> = view.members.iter().filter(leads).collect();
    let Some(first) = leaders.first() else { return Ok(None) };
    let heirs = || {
        view.members
            .iter()
            .filter(|member| !member.primary && member.linked && stays(member, wanted))
    };
    let own = leaders.iter().find_map(|leader| {
        let heir = heirs().find(|heir| heir.primary_id.as_ref() == Some(&leader.id))?;
        Some((*leader, heir))
    });
    let (leader, heir) = own
        .or_else(|| Some((*first, heirs().next()?)))
        .ok_or("none that stays can take over")?;
    let pair = leader.pod.as_deref().zip(heir.pod.as_deref());
    pair.map(Some)
        .ok_or_else(|| format!("{:.8} leads and is no pod that runs", leader.id))
}

fn stays(member: &RedisMember, wanted: u32) -> bool {
    let pod = member.pod.as_deref();
    let ordinal = pod.and_then(|pod| pod.rsplit_once('-')?.1.parse::<u32>().ok());
    ordinal.is_some_and(|ordinal| ordinal < wanted)
}
