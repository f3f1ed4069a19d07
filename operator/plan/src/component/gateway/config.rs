//! Envoy's bootstrap: one listener, one cluster per service. JSON, built as values; nothing is read from outside.

use super::{cluster, host, reply};
use crate::shop::ValidatedShop;
use serde_json::{Value, json};
use shop_contract::port::{GATEWAY, GATEWAY_ADMIN};

pub const FILE: &str = "envoy.json";
/// A shop's requests are small; larger bodies are refused with 413.
const MAX_BODY: u32 = 1 << 20;

pub fn file(shop: &ValidatedShop) -> String {
    serde_json::to_string_pretty(&bootstrap(shop)).expect("a JSON value is JSON")
}

fn bootstrap(shop: &ValidatedShop) -> Value {
    let clusters: Vec<Value> = shop
        .services
        .iter()
        .map(|service| cluster::cluster(shop, service))
        .collect();
    json!({
        "node": {"id": format!("{}-gateway", shop.name), "cluster": shop.name},
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": GATEWAY_ADMIN}}},
        "static_resources": {"listeners": [listener(shop)], "clusters": clusters},
        "overload_manager": {"resource_monitors": [{
            "name": "envoy.resource_monitors.global_downstream_max_connections",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                "max_active_downstream_connections": 10_000,
            },
        }]},
    })
}

fn listener(shop: &ValidatedShop) -> Value {
    json!({
        "name": "public",
        "address": {"socket_address": {"address": "0.0.0.0", "port_value": GATEWAY}},
        "per_connection_buffer_limit_bytes": MAX_BODY,
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": connection_manager(shop),
        }]}],
    })
}

fn connection_manager(shop: &ValidatedShop) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "public",
        "use_remote_address": true,
        "always_set_request_id_in_response": true,
        "normalize_path": true,
        "merge_slashes": true,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "request_headers_timeout": "10s",
        "stream_idle_timeout": "30s",
        "common_http_protocol_options": {
            "idle_timeout": "60s",
            // Long-lived connections move to new pods now and then.
            "max_connection_duration": "300s",
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        "access_log": [access_log()],
        "local_reply_config": reply::local_replies(),
        "http_filters": [
            filter("buffer", &json!({"max_request_bytes": MAX_BODY})),
            filter("router", &json!({})),
        ],
        "route_config": host::route_config(shop),
    })
}

fn filter(kind: &str, settings: &Value) -> Value {
    let message = if kind == "buffer" { "Buffer" } else { "Router" };
    let mut config = settings.clone();
    config["@type"] = json!(format!(
        "type.googleapis.com/envoy.extensions.filters.http.{kind}.v3.{message}"
    ));
    json!({"name": format!("envoy.filters.http.{kind}"), "typed_config": config})
}

/// Failed requests only, one JSON line each.
fn access_log() -> Value {
    let value = json!({"default_value": 500, "runtime_key": "shop.log.from"});
    json!({
        "name": "envoy.access_loggers.stdout",
        "filter": {"status_code_filter": {"comparison": {"op": "GE", "value": value}}},
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
            "log_format": {"json_format": {
                "time": "%START_TIME%",
                "method": "%REQ(:METHOD)%",
                "path": "%REQ(:PATH)%",
                "status": "%RESPONSE_CODE%",
                "detail": "%RESPONSE_CODE_DETAILS%",
                "flags": "%RESPONSE_FLAGS%",
                "milliseconds": "%DURATION%",
                "tier": "%UPSTREAM_CLUSTER%",
                "request_id": "%REQ(X-REQUEST-ID)%",
            }},
        },
    })
}
