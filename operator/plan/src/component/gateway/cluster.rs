//! One upstream cluster of Envoy per service. Its name is the tier's name, so that an answer Envoy gives itself can say
//! which tier was at fault.

use crate::names;
use crate::shop::{Service, ValidatedShop};
use serde_json::{Value, json};

/// Requests at once on one connection. Few, so that connections grow with the load: the Service's address spreads
/// connections over the pods, not requests.
const STREAMS: u32 = 16;

pub fn name(service: &Service) -> String {
    format!("service/{}", service.name)
}

pub fn cluster(shop: &ValidatedShop, service: &Service) -> Value {
    let host = names::host(&shop.namespace, &names::service(&shop.name, &service.name));
    let address = json!({"socket_address": {"address": host, "port_value": service.port}});
    json!({
        "name": name(service),
        "type": "STRICT_DNS",
        "dns_lookup_family": "V4_PREFERRED",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name(service),
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
        "circuit_breakers": {"thresholds": [{
            "max_connections": 512,
            "max_pending_requests": 256,
            "max_requests": 1024,
            "max_retries": 16,
        }]},
        "outlier_detection": {
            "consecutive_5xx": 10,
            "consecutive_gateway_failure": 5,
            "enforcing_consecutive_gateway_failure": 100,
            "interval": "5s",
            "base_ejection_time": "10s",
            "max_ejection_percent": 50,
        },
        "upstream_connection_options": {
            "tcp_keepalive": {"keepalive_probes": 3, "keepalive_time": 10, "keepalive_interval": 5},
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                // A connection stays with the pod it was opened to, so it ends now and then: new pods get their share.
                "common_http_protocol_options": {"idle_timeout": "30s", "max_connection_duration": "60s"},
                "explicit_http_config": protocol(service),
            },
        },
    })
}

/// Built-in services speak HTTP/2: many requests travel in one packet, which halves what a small read costs. A user's
/// own service may not.
fn protocol(service: &Service) -> Value {
    match service.built_in {
        Some(_) => json!({"http2_protocol_options": {
            "max_concurrent_streams": STREAMS,
            // A pod that vanished without a word is noticed before the clients' patience ends.
            "connection_keepalive": {"interval": "5s", "timeout": "2s"},
        }}),
        None => json!({"http_protocol_options": {}}),
    }
}
