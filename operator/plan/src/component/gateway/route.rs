//! Which path goes to which service, and what may be tried again. A request that may have been acted upon is repeated
//! only when it is a GET; one that never reached a service always may be.

use super::cluster;
use crate::shop::{Service, ValidatedShop};
use serde_json::{Value, json};
use shop_contract::api::INTERNAL;

/// Where the gateway itself says that it lives.
pub const HEALTH: &str = "/healthz";
const TIMEOUT: &str = "15s";

pub fn routes(shop: &ValidatedShop) -> Vec<Value> {
    // Before every prefix, so that none can let it in.
    let internal = json!({
        "match": {"path_separated_prefix": INTERNAL},
        "direct_response": {"status": 404},
    });
    let mut prefixes: Vec<(&str, &Service)> = Vec::new();
    for service in &shop.services {
        prefixes.extend(service.routes.iter().map(|route| (route.as_str(), service)));
    }
    // Envoy takes the first match: the longest prefix has to come first.
    prefixes.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then(a.cmp(b)));
    let both = |(prefix, service)| [get(prefix, service), other(prefix, service)];
    [health(), internal]
        .into_iter()
        .chain(prefixes.into_iter().flat_map(both))
        .collect()
}

pub fn health() -> Value {
    json!({
        "match": {"path": HEALTH},
        "direct_response": {"status": 200, "body": {"inline_string": "ok"}},
    })
}

fn get(prefix: &str, service: &Service) -> Value {
    let mut when = matches(prefix);
    // One word, no pattern: every request is held against this for every prefix.
    when["headers"] = json!([{"name": ":method", "string_match": {"exact": "GET"}}]);
    route(
        when,
        service,
        "connect-failure,refused-stream,reset,retriable-status-codes",
        2,
    )
}

fn other(prefix: &str, service: &Service) -> Value {
    route(matches(prefix), service, "connect-failure,refused-stream", 1)
}

/// The prefix itself and what lies below it: `/api/v1/users`, not `/api/v1/users-of-old`.
fn matches(prefix: &str) -> Value {
    match prefix.trim_end_matches('/') {
        "" => json!({"prefix": "/"}),
        prefix => json!({"path_separated_prefix": prefix}),
    }
}

fn route(when: Value, service: &Service, retry_on: &str, retries: u32) -> Value {
    json!({
        "match": when,
        "route": {
            "cluster": cluster::name(service),
            "timeout": TIMEOUT,
            "retry_policy": {
                "retry_on": retry_on,
                "num_retries": retries,
                "retriable_status_codes": [503],
                "retry_back_off": {"base_interval": "0.05s", "max_interval": "0.5s"},
            },
        },
    })
}
