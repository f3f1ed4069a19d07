//! Routes: order, retries, and answers of the gateway's own.

use super::{Gateway, config, route};
use crate::contract::Component;
use crate::fixtures::{empty_world, shop, shop_of};
use crate::object::Body;
use serde_json::{Value, json};
use shop_contract::api::{INTERNAL, RESERVATIONS};
use shop_contract::service::ALL;

fn configuration(shop: &crate::shop::ValidatedShop) -> Value {
    serde_json::from_str(&config::file(shop)).unwrap()
}

#[test]
fn every_route_has_its_cluster_and_longer_prefixes_come_first() {
    let shop = shop_of("services: {all: {image: 'registry.example/all:1', port: 3000, route: /api/v1/a}}");
    let routes = route::routes(&shop);
    let prefixes: Vec<&str> = routes
        .iter()
        .filter_map(|route| route["match"]["path_separated_prefix"].as_str())
        .collect();
    for prefix in ALL.iter().flat_map(|service| service.routes) {
        assert_eq!(prefixes.iter().filter(|found| *found == prefix).count(), 2, "{prefix}");
    }
    assert_eq!(prefixes.last(), Some(&"/api/v1/a"));
    let all = configuration(&shop);
    let clusters = all["static_resources"]["clusters"].as_array().unwrap();
    for target in routes.iter().filter_map(|route| route["route"]["cluster"].as_str()) {
        assert!(clusters.iter().any(|cluster| cluster["name"] == target), "{target}");
    }
}

#[test]
fn only_the_shop_s_own_services_are_spoken_to_in_http_2() {
    let shop = shop_of("services: {mine: {image: 'registry.example/mine:1', port: 3000, route: /api/v1/mine}}");
    let all = configuration(&shop);
    let clusters = all["static_resources"]["clusters"].as_array().unwrap();
    let options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    for cluster in clusters {
        let protocol = &cluster["typed_extension_protocol_options"][options]["explicit_http_config"];
        let own = cluster["name"] == "service/mine";
        assert_eq!(protocol["http_protocol_options"].is_object(), own, "{cluster}");
        assert_eq!(protocol["http2_protocol_options"].is_object(), !own, "{cluster}");
    }
}

#[test]
fn nothing_internal_is_let_in() {
    assert!(RESERVATIONS.starts_with(&format!("{INTERNAL}/")));
    let routes = route::routes(&shop());
    let first = routes
        .iter()
        .find(|route| route["match"]["path_separated_prefix"] == INTERNAL)
        .unwrap();
    assert_eq!(first["direct_response"]["status"], 404);
    let with_cluster = |route: &&Value| route["route"].is_object();
    let internal = routes.iter().position(|route| route == first);
    assert!(internal < routes.iter().position(|route| with_cluster(&route)));
}

#[test]
fn only_a_get_is_tried_again_after_it_was_sent() {
    for route in route::routes(&shop()).iter().filter(|route| route["route"].is_object()) {
        let retries = route["route"]["retry_policy"]["retry_on"].as_str().unwrap();
        let get = route["match"]["headers"][0] == json!({"name": ":method", "string_match": {"exact": "GET"}});
        assert_eq!(retries.contains("reset"), get, "{route}");
    }
}

#[test]
fn a_down_tier_is_named() {
    let replies = super::reply::local_replies();
    let mappers = replies["mappers"].as_array().unwrap();
    let of = |status: u64| {
        let is =
            |mapper: &&Value| mapper["filter"]["status_code_filter"]["comparison"]["value"]["default_value"] == status;
        mappers.iter().find(is).unwrap()["body_format_override"].clone()
    };
    assert_eq!(of(503)["json_format"]["tier"], "%UPSTREAM_CLUSTER%");
    assert!(of(404)["json_format"]["tier"].is_null());
    assert_eq!(of(404)["content_type"], "application/problem+json");
}

fn virtual_hosts(shop: &crate::shop::ValidatedShop) -> (Value, Vec<Value>) {
    let listener = configuration(shop)["static_resources"]["listeners"][0].clone();
    let routes = listener["filter_chains"][0]["filters"][0]["typed_config"]["route_config"].clone();
    let hosts = routes["virtual_hosts"].as_array().unwrap().clone();
    (routes, hosts)
}

#[test]
fn without_a_hostname_every_name_is_answered() {
    let (routes, hosts) = virtual_hosts(&shop());
    assert_eq!((hosts.len(), &hosts[0]["domains"]), (1, &json!(["*"])));
    assert!(routes["ignore_port_in_host_matching"].is_null());
}

#[test]
fn other_names_than_the_hostname_find_nothing_but_the_health() {
    let (routes, hosts) = virtual_hosts(&shop_of("gateway: {hostname: shop.example.com}"));
    assert_eq!(routes["ignore_port_in_host_matching"], true);
    let [shop, others] = &hosts[..] else {
        panic!("{hosts:?}")
    };
    let inside = [
        "demo-gateway",
        "demo-gateway.default",
        "demo-gateway.default.svc",
        "demo-gateway.default.svc.*",
    ];
    for name in inside.iter().chain(&["shop.example.com"]) {
        assert!(shop["domains"].as_array().unwrap().contains(&json!(name)), "{name}");
    }
    assert!(shop["routes"].as_array().unwrap().len() > 2);
    assert_eq!(others["domains"], json!(["*"]));
    let routes = others["routes"].as_array().unwrap();
    assert_eq!(routes.len(), 1, "what has no route is answered with 404");
    assert_eq!(routes[0]["match"]["path"], route::HEALTH);
}

#[test]
fn a_hostname_that_is_the_gateways_own_name_is_named_once() {
    // Envoy refuses a name that is there twice.
    let (_, hosts) = virtual_hosts(&shop_of("gateway: {hostname: demo-gateway.default}"));
    let domains = hosts[0]["domains"].as_array().unwrap();
    let found = domains.iter().filter(|name| **name == "demo-gateway.default");
    assert_eq!(found.count(), 1, "{domains:?}");
}

#[test]
fn the_service_opens_the_port_asked_for() {
    let shop = shop_of("gateway: {serviceType: NodePort, nodePort: 30080}");
    let plan = Gateway.plan(&shop, &empty_world()).unwrap();
    let service = plan.objects.iter().find_map(|object| match &object.body {
        Body::Applied(body) if body["kind"] == "Service" => Some(body["spec"].clone()),
        Body::Applied(_) | Body::Generated { .. } => None,
    });
    let service = service.unwrap();
    assert_eq!(service["type"], "NodePort");
    assert_eq!(service["ports"][0]["nodePort"], 30080);
}
