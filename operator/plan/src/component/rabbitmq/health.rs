//! How RabbitMQ does: it serves while a majority of its nodes runs and its topology is there.

use super::NAME;
use super::tasks::{majority, task};
use crate::component::standing::{Standing, failure_of, standing, suspended};
use crate::health::{Health, State};
use crate::observed::{Observed, RabbitView, Seen};
use crate::shop::ValidatedShop;

pub fn health(shop: &ValidatedShop, seen: &Observed) -> Health {
    if let Some(suspended) = suspended(shop) {
        return suspended;
    }
    let wanted = u32::from(shop.rabbitmq.nodes);
    let pods = match standing(seen, NAME, NAME) {
        Ok(pods) => pods,
        Err(why) => return Health::unknown(format!("rabbitmq: {why}")),
    };
    let (state, message) = match &seen.rabbitmq {
        _ if pods.ready < majority(shop) => without_majority(&pods, &seen.rabbitmq, wanted),
        Seen::Known(view) => with_majority(shop, seen, view, &pods),
        Seen::Unknown(why) => (
            State::Unknown,
            format!("rabbitmq: its management API cannot be asked: {why}"),
        ),
        Seen::Absent => (
            State::Progressing,
            "rabbitmq: its management API does not answer yet".into(),
        ),
    };
    Health::new(state, message, pods.ready, wanted)
}

fn without_majority(pods: &Standing<'_>, view: &Seen<RabbitView>, wanted: u32) -> (State, String) {
    let counted = format!("rabbitmq: {} of {wanted} nodes run", pods.ready);
    match &pods.problem {
        Some(problem) => (State::Unavailable, format!("{counted}: {problem}")),
        // A node that answers has been in a cluster, so this is no first start.
        None if view
            .known()
            .is_some_and(|view| view.running_nodes.len() > pods.ready as usize) =>
        {
            (State::Unavailable, counted)
        }
        None => (State::Progressing, counted),
    }
}

fn with_majority(shop: &ValidatedShop, seen: &Observed, view: &RabbitView, pods: &Standing<'_>) -> (State, String) {
    let wanted = u32::from(shop.rabbitmq.nodes);
    if let Some(missing) = view.missing.first() {
        return match failure_of(seen, &task(shop)) {
            Some(failure) => (
                State::Unavailable,
                format!("rabbitmq: {missing} is missing and could not be made: {failure}"),
            ),
            None => (
                State::Progressing,
                format!("rabbitmq: {missing} is missing and being made"),
            ),
        };
    }
    if let Some(queue) = view.leaderless.first() {
        return (State::Unavailable, format!("rabbitmq: queue {queue} has no leader"));
    }
    if let Some(problem) = &pods.problem {
        return (State::Degraded, format!("rabbitmq: {problem}"));
    }
    let running = view.running_nodes.len();
    if pods.ready < wanted || running < wanted as usize {
        return (
            State::Degraded,
            format!(
                "rabbitmq: {running} of {wanted} nodes are in the cluster, {} pods are ready",
                pods.ready
            ),
        );
    }
    (State::Ready, String::new())
}
