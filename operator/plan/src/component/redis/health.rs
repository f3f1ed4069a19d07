//! How Redis does. While every slot is served it is at worst Degraded, whatever else is wrong.

use super::servers::servers;
use super::{NAME, tasks::is_whole};
use crate::component::standing::{Standing, standing, stateless, suspended};
use crate::health::{Health, State};
use crate::names;
use crate::observed::{Observed, RedisView, Seen};
use crate::shop::ValidatedShop;

pub fn health(shop: &ValidatedShop, seen: &Observed) -> Health {
    if let Some(suspended) = suspended(shop) {
        return suspended;
    }
    let wanted = servers(shop, seen).count;
    if !shop.redis.cluster() {
        return stateless(seen, NAME, NAME, &names::redis(&shop.name), wanted);
    }
    let pods = match standing(seen, NAME, NAME) {
        Ok(pods) => pods,
        Err(why) => return Health::unknown(format!("redis: {why}")),
    };
    let (state, message) = match &seen.redis {
        Seen::Known(view) if view.serving => serving(view, &pods, wanted),
        Seen::Known(view) => not_serving(view, &pods, wanted),
        Seen::Unknown(why) if pods.ready > 0 => {
            (State::Unknown, format!("redis: the cluster cannot be looked at: {why}"))
        }
        Seen::Unknown(_) | Seen::Absent => starting(&pods, wanted),
    };
    Health::new(state, message, pods.ready, wanted)
}

fn serving(view: &RedisView, pods: &Standing<'_>, wanted: u32) -> (State, String) {
    if let Some(problem) = pods.problem.as_ref().or(view.problems.first()) {
        return (State::Degraded, format!("redis serves, but: {problem}"));
    }
    if pods.ready < wanted {
        return (
            State::Degraded,
            format!("redis serves with {} of {wanted} servers", pods.ready),
        );
    }
    if !is_whole(view, wanted) {
        let linked = view.members.iter().filter(|member| member.linked).count();
        return (
            State::Degraded,
            format!("redis serves, but {linked} of {wanted} servers are linked to the cluster"),
        );
    }
    (State::Ready, String::new())
}

fn not_serving(view: &RedisView, pods: &Standing<'_>, wanted: u32) -> (State, String) {
    if view.slots_assigned == 0 {
        return starting(pods, wanted);
    }
    let why = pods.problem.as_ref().or(view.problems.first()).cloned();
    let why = why.unwrap_or_else(|| format!("{} of 16384 slots are served", view.slots_assigned));
    (State::Unavailable, format!("redis: {why}"))
}

fn starting(pods: &Standing<'_>, wanted: u32) -> (State, String) {
    match &pods.problem {
        Some(problem) => (State::Unavailable, format!("redis: {problem}")),
        None if pods.ready < wanted => (
            State::Progressing,
            format!("redis: {} of {wanted} servers run", pods.ready),
        ),
        None => (State::Progressing, "redis: the cluster is being formed".into()),
    }
}
