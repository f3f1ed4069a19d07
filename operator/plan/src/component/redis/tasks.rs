//! When the driver is asked to form or heal the cluster: never on a guess, and not while it is as it should be.

use super::servers::replicas_of;
use super::{NAME, USER};
use crate::component::standing::{id, secret, standing};
use crate::contract::ComponentPlan;
use crate::names::key;
use crate::object::Waiting;
use crate::observed::{Observed, RedisView};
use crate::pod;
use crate::shop::ValidatedShop;
use crate::task::{RedisPod, Task};
use k8s_openapi::api::core::v1::Pod;

/// `servers` is how many there are to be now.
pub fn add(shop: &ValidatedShop, seen: &Observed, servers: u32, plan: &mut ComponentPlan) {
    if shop.suspend {
        return;
    }
    match members(seen, servers) {
        Ok(Some(members)) => plan.tasks.push(Task::EnsureRedis {
            members,
            shards: shop.redis.shards,
            replicas: replicas_of(shop, servers),
            user: USER.into(),
            password: secret(shop, key::REDIS_PASSWORD),
        }),
        Ok(None) => {}
        Err(reason) => plan.waiting.push(Waiting {
            component: id(NAME),
            reason,
        }),
    }
}

/// The servers to work on; `None` when there is nothing to do.
fn members(seen: &Observed, wanted: u32) -> Result<Option<Vec<RedisPod>>, String> {
    let view = match &seen.redis {
        crate::Seen::Known(view) => view,
        crate::Seen::Absent => return Err("redis: no server answers yet".into()),
        crate::Seen::Unknown(why) => return Err(format!("redis: the cluster cannot be looked at: {why}")),
    };
    if is_whole(view, wanted) {
        return Ok(None);
    }
    let pods = standing(seen, NAME, NAME).map_err(|why| format!("redis: {why}"))?;
    // A new cluster is formed once, with all its servers, so that pairs can be chosen; an old one is healed with what
    // there is.
    if view.slots_assigned == 0 && pods.ready < wanted {
        return Err(format!(
            "redis: {} of {wanted} servers run; the cluster is formed when all do",
            pods.ready
        ));
    }
    Ok(Some(
        pods.pods
            .into_iter()
            .filter(|pod| pod::is_ready(pod))
            .filter_map(member)
            .collect(),
    ))
}

pub fn is_whole(view: &RedisView, wanted: u32) -> bool {
    let linked = view
        .members
        .iter()
        .filter(|member| member.linked && member.pod.is_some())
        .count();
    view.serving && view.problems.is_empty() && linked == wanted as usize && view.members.len() == wanted as usize
}

pub fn member(pod: &Pod) -> Option<RedisPod> {
    let (ip, node) = (pod::ip(pod)?, pod::node(pod)?);
    Some(RedisPod {
        pod: pod::name(pod).to_owned(),
        ip: ip.to_owned(),
        node: node.to_owned(),
    })
}
