//! By which names the shop is called. With `spec.gateway.hostname` any other name finds nothing here but the health, by
//! which the kubelet and load balancers ask at an address.

use super::route;
use crate::names;
use crate::shop::ValidatedShop;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub fn route_config(shop: &ValidatedShop) -> Value {
    let host =
        |name: &str, domains: Value, routes: Vec<Value>| json!({"name": name, "domains": domains, "routes": routes});
    match &shop.gateway.hostname {
        None => json!({"name": "shop", "virtual_hosts": [host("shop", json!(["*"]), route::routes(shop))]}),
        Some(hostname) => json!({
            "name": "shop",
            // `shop.example.com:30080` is the same name.
            "ignore_port_in_host_matching": true,
            "virtual_hosts": [
                host("shop", json!(domains(shop, hostname)), route::routes(shop)),
                // What has no route is answered with 404.
                host("others", json!(["*"]), vec![route::health()]),
            ],
        }),
    }
}

/// The hostname, and the Service's own names, by which the test order and other pods come. A set, because Envoy refuses
/// a name that is there twice.
fn domains(shop: &ValidatedShop, hostname: &str) -> BTreeSet<String> {
    let service = names::gateway(&shop.name);
    let host = names::host(&shop.namespace, &service);
    let in_namespace = format!("{service}.{}", shop.namespace);
    // The cluster's domain is not known here.
    let in_domain = format!("{host}.*");
    [hostname.to_owned(), service, in_namespace, host, in_domain].into()
}
