//! One upstream cluster of Envoy per service. Its name is the tier's name, so that an answer Envoy gives itself can say
//! which tier was at fault.

use crate::names;
use crate::shop::{Service, ValidatedShop};
use serde_json::{Value, json};

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
                // Below the idle time after which a service closes a connection itself.
                "common_http_protocol_options": {"idle_timeout": "30s"},
                "explicit_http_config": {"http_protocol_options": {}},
            },
        },
    })
}
