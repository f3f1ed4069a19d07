//! What should be there and what is → the writes that are missing. Pure.
//!
//! Dead-lettering, delays and delivery limits are policies, not arguments of the queue: a policy can be changed in
//! place. Bindings of our queues that an earlier version made and nobody wants any more are removed; queues never are.

use super::api::Request;
use super::layout::{WantedQueue, exchanges, queues};
use super::seen::{Binding, Exchange, Permission, Seen};
use super::{Admin, Wanted, password};
use reqwest::Method;
use serde_json::{Value, json};
use shop_contract::event::{DEAD_LETTER_EXCHANGE, EXCHANGE, QUEUES, VHOST};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    /// What it does, for the report, the view and errors.
    pub words: String,
    pub needs_all_nodes: bool,
    pub request: Request,
}

const QUORUM: &str = "quorum";

/// The writes in the order they depend on each other.
pub(super) fn steps(seen: &Seen, admin: &Admin, wanted: &Wanted) -> Vec<Step> {
    let mut steps = Vec::new();
    if !seen.vhost {
        steps.push(put(format!("virtual host {VHOST}"), &["vhosts", VHOST], json!({})));
    }
    steps.extend(user(seen, wanted));
    steps.extend(permissions(seen, &admin.user, [".*", ".*", ".*"].map(str::to_owned)));
    steps.extend(permissions(seen, &wanted.user, service_rights()));
    steps.extend(
        exchanges()
            .iter()
            .filter_map(|wanted| exchange(seen, wanted.name, wanted.kind)),
    );
    let queues = queues();
    // Before the queues, so that no message is ever in a queue without its dead letters.
    steps.extend(queues.iter().filter_map(|wanted| policy(seen, wanted)));
    for wanted_queue in &queues {
        steps.extend(queue(seen, wanted_queue.name, wanted.nodes));
        let missing = wanted_queue.bindings.iter();
        steps.extend(missing.filter_map(|(exchange, key)| binding(seen, exchange, wanted_queue.name, key)));
    }
    steps.extend(seen.bindings.iter().filter(|have| stale(have, &queues)).map(unbind));
    steps
}

/// Queues and exchanges that are of another kind than they should be; that cannot be changed in place.
pub(super) fn mismatches(seen: &Seen) -> Vec<String> {
    let names: Vec<&str> = queues().iter().map(|queue| queue.name).collect();
    let queues = seen
        .queues
        .iter()
        .filter(|queue| names.contains(&queue.name.as_str()) && queue.kind != QUORUM);
    let queues = queues.map(|queue| format!("queue {} is of type {}, not {QUORUM}", queue.name, queue.kind));
    let exchanges = exchanges().into_iter().filter_map(|wanted| {
        let (name, kind) = (wanted.name, wanted.kind);
        let Exchange { kind: is, durable, .. } = seen.exchanges.iter().find(|exchange| exchange.name == name)?;
        (is != kind || !durable)
            .then(|| format!("exchange {name} is {is}, durable {durable}, not {kind}, durable true"))
    });
    queues.chain(exchanges).collect()
}

pub(super) fn leaderless(seen: &Seen) -> Vec<String> {
    let led = |leader: &Value| {
        leader
            .as_str()
            .is_some_and(|name| seen.running_nodes.iter().any(|node| node == name))
    };
    let without = seen
        .queues
        .iter()
        .filter(|queue| queue.kind == QUORUM && !led(&queue.leader));
    without.map(|queue| queue.name.clone()).collect()
}

fn user(seen: &Seen, wanted: &Wanted) -> Option<Step> {
    let words = match &seen.user {
        None => format!("user {}", wanted.user),
        Some(have) if !password::matches(&wanted.password, &have.password_hash, &have.hashing_algorithm) => {
            format!("password of user {}", wanted.user)
        }
        Some(have) if !(have.tags == json!([]) || have.tags == json!("")) => {
            format!("user {} without administrative tags", wanted.user)
        }
        Some(_) => return None,
    };
    Some(put(
        words,
        &["users", &wanted.user],
        json!({"password": wanted.password, "tags": ""}),
    ))
}

/// Services make nothing; they write to the exchanges, read their own queues and, for the operators' verbs, the dead
/// letters.
fn service_rights() -> [String; 3] {
    let any = |names: Vec<&str>| format!("^({})$", names.into_iter().map(escaped).collect::<Vec<_>>().join("|"));
    let write = exchanges().iter().map(|exchange| exchange.name).collect();
    let read = QUEUES
        .iter()
        .flat_map(|queue| [queue.name, queue.dead_letters])
        .collect();
    ["^$".to_owned(), any(write), any(read)]
}

fn permissions(seen: &Seen, user: &str, rights: [String; 3]) -> Option<Step> {
    let [configure, write, read] = rights;
    let same = |have: &Permission| {
        have.user == user && have.configure == configure && have.write == write && have.read == read
    };
    if seen.permissions.iter().any(same) {
        return None;
    }
    let body = json!({"configure": configure, "write": write, "read": read});
    Some(put(
        format!("permissions of user {user} on {VHOST}"),
        &["permissions", VHOST, user],
        body,
    ))
}

fn exchange(seen: &Seen, name: &str, kind: &str) -> Option<Step> {
    let there = seen.exchanges.iter().any(|exchange| exchange.name == name);
    let body = json!({"type": kind, "durable": true});
    (!there).then(|| put(format!("exchange {name}"), &["exchanges", VHOST, name], body))
}

fn policy(seen: &Seen, queue: &WantedQueue) -> Option<Step> {
    let (name, pattern) = (queue.name, format!("^{}$", escaped(queue.name)));
    if seen
        .policies
        .iter()
        .any(|p| p.name == name && p.pattern == pattern && p.definition == queue.policy)
    {
        return None;
    }
    let body = json!({"pattern": pattern, "definition": queue.policy, "apply-to": "queues", "priority": 10});
    Some(put(format!("policy {name}"), &["policies", VHOST, name], body))
}

fn queue(seen: &Seen, name: &str, nodes: u16) -> Option<Step> {
    if seen.queues.iter().any(|queue| queue.name == name) {
        return None;
    }
    let arguments = json!({"x-queue-type": QUORUM, "x-quorum-initial-group-size": nodes.max(1)});
    let body = json!({"durable": true, "arguments": arguments});
    Some(Step {
        needs_all_nodes: true,
        ..put(format!("queue {name}"), &["queues", VHOST, name], body)
    })
}

fn binding(seen: &Seen, exchange: &str, queue: &str, key: &str) -> Option<Step> {
    let there = seen
        .bindings
        .iter()
        .any(|b| b.source == exchange && b.destination == queue && b.routing_key == key);
    let path = binding_path(exchange, queue);
    (!there).then(|| Step {
        words: format!("binding of queue {queue} to exchange {exchange} by `{key}`"),
        needs_all_nodes: !seen.queues.iter().any(|have| have.name == queue),
        request: Request {
            method: Method::POST,
            path,
            body: json!({"routing_key": key}),
        },
    })
}

/// One of our queues at one of our exchanges under a key that is not wanted. What others bound, and to whom, is theirs.
fn stale(have: &Binding, queues: &[WantedQueue]) -> bool {
    let ours = [EXCHANGE, DEAD_LETTER_EXCHANGE].contains(&have.source.as_str()) && have.destination_type == "queue";
    let Some(queue) = queues.iter().find(|queue| ours && queue.name == have.destination) else {
        return false;
    };
    !queue
        .bindings
        .iter()
        .any(|(exchange, key)| *exchange == have.source && *key == have.routing_key)
}

fn unbind(have: &Binding) -> Step {
    let mut path = binding_path(&have.source, &have.destination);
    path.push(have.properties_key.clone());
    Step {
        words: format!(
            "removal of the binding of queue {} to exchange {} by `{}`",
            have.destination, have.source, have.routing_key
        ),
        needs_all_nodes: false,
        request: Request {
            method: Method::DELETE,
            path,
            body: json!({}),
        },
    }
}

fn binding_path(exchange: &str, queue: &str) -> Vec<String> {
    let path = ["bindings", VHOST, "e", exchange, "q", queue];
    path.map(str::to_owned).to_vec()
}

fn put(words: String, path: &[&str], body: Value) -> Step {
    let path = path.iter().map(|segment| (*segment).to_owned()).collect();
    Step {
        words,
        needs_all_nodes: false,
        request: Request {
            method: Method::PUT,
            path,
            body,
        },
    }
}

/// A name as the pattern that matches only it.
fn escaped(name: &str) -> String {
    let special = |letter: char| !(letter.is_ascii_alphanumeric() || letter == '-' || letter == '_');
    name.chars()
        .flat_map(|letter| special(letter).then_some('\\').into_iter().chain([letter]))
        .collect()
}
