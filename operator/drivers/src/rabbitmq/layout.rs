//! The wanted exchanges and queues as plain values, from the contract: each queue with its policy and its bindings.
//! Pure; `topology` compares them with what is there.

use serde_json::{Map, Value, json};
use shop_contract::event::{DEAD_LETTER_EXCHANGE, DELAYS, Delay, EXCHANGE, QUEUES, Queue};

/// A dead letter is read by people, as often as they like: reading and putting back must not use it up.
const NO_LIMIT: u32 = 1_000_000_000;

pub(super) struct WantedExchange {
    pub name: &'static str,
    pub kind: &'static str,
}

pub(super) struct WantedQueue {
    pub name: &'static str,
    pub policy: Map<String, Value>,
    /// Exchange and routing key.
    pub bindings: Vec<(&'static str, &'static str)>,
}

/// Events go by pattern, dead letters by the queue they belong to, delays to the one queue that is bound.
pub(super) fn exchanges() -> Vec<WantedExchange> {
    let named = |name, kind| WantedExchange { name, kind };
    let fixed = [named(EXCHANGE, "topic"), named(DEAD_LETTER_EXCHANGE, "direct")];
    let delays = DELAYS.iter().map(|delay| named(delay.name, "fanout"));
    fixed.into_iter().chain(delays).collect()
}

/// The dead letters before the queue they come from, so that a message never has nowhere to go.
pub(super) fn queues() -> Vec<WantedQueue> {
    let pairs = QUEUES.iter().flat_map(|queue| [dead_letters(queue), work(queue)]);
    DELAYS.iter().map(delay).chain(pairs).collect()
}

fn work(queue: &Queue) -> WantedQueue {
    WantedQueue {
        name: queue.name,
        policy: reliable([
            ("dead-letter-exchange", json!(DEAD_LETTER_EXCHANGE)),
            ("dead-letter-routing-key", json!(queue.dead_letters)),
            ("delivery-limit", json!(queue.delivery_limit)),
        ]),
        bindings: queue.routing_keys.iter().map(|key| (EXCHANGE, *key)).collect(),
    }
}

fn dead_letters(queue: &Queue) -> WantedQueue {
    WantedQueue {
        name: queue.dead_letters,
        policy: Map::from_iter([("delivery-limit".to_owned(), json!(NO_LIMIT))]),
        bindings: vec![(DEAD_LETTER_EXCHANGE, queue.dead_letters)],
    }
}

/// When its time is over, a message goes to the default exchange under the key it came with: its work queue's name.
fn delay(delay: &Delay) -> WantedQueue {
    WantedQueue {
        name: delay.name,
        policy: reliable([
            ("dead-letter-exchange", json!("")),
            ("message-ttl", json!(u64::from(delay.seconds) * 1000)),
            ("delivery-limit", json!(NO_LIMIT)),
        ]),
        bindings: vec![(delay.name, "")],
    }
}

/// `at-least-once` needs `reject-publish`; together no message is lost between two queues (RabbitMQ, "Quorum Queues").
fn reliable(own: [(&str, Value); 3]) -> Map<String, Value> {
    let both = [
        ("dead-letter-strategy", json!("at-least-once")),
        ("overflow", json!("reject-publish")),
    ];
    own.into_iter()
        .chain(both)
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}
