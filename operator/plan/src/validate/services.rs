//! The built-in services and the user's own.

use super::problem::Problems;
use super::{Ask, compute, is_label, single};
use crate::shop::{Replicas, Service};
use crate::topology::sizing::Compute;
use shop_api::spec;
use shop_contract::api::INTERNAL;
use shop_contract::service::{self, BuiltIn};
use shop_contract::{database, port};

/// `<shop>-<service>-<worker>` and the suffixes of its pods fit into 63 characters.
const MAX_NAME: usize = 20;
/// Names of other parts of a shop: a service called so would share object names with them.
const TAKEN: [&str; 8] = [
    "single",
    "postgres",
    "redis",
    "rabbitmq",
    "gateway",
    "secrets",
    "shard-map",
    "shop",
];

pub fn services(ask: &Ask, problems: &mut Problems) -> Vec<Service> {
    let mut all = if single::wanted(ask) {
        vec![single::service(ask, problems)]
    } else {
        each(ask, problems)
    };
    let is_own = |name: &String| service::ALL.iter().all(|known| known.name != name.as_str());
    for (name, spec) in ask.spec.services.iter().filter(|(name, _)| is_own(name)) {
        all.push(own(ask, name, spec, problems));
    }
    check_routes(&all, problems);
    all
}

fn each(ask: &Ask, problems: &mut Problems) -> Vec<Service> {
    let unwritten = spec::Service::default();
    let spec_of = |known: &BuiltIn| ask.spec.services.get(known.name).unwrap_or(&unwritten);
    let all = service::ALL.iter();
    all.map(|known| built_in(ask, known, spec_of(known), problems))
        .collect()
}

fn built_in(ask: &Ask, known: &'static BuiltIn, spec: &spec::Service, problems: &mut Problems) -> Service {
    if spec.port.is_some() || spec.route.is_some() {
        let rule = "a built-in service has a fixed port and route: leave both out";
        problems.add(format!("spec.services.{}", known.name), known.name, rule);
    }
    let routes = known.routes.iter().map(|route| (*route).to_owned()).collect();
    let default = || ask.inputs.images.of_service(known.name).cloned();
    Service {
        built_in: Some(known),
        image: spec.image.clone().or_else(default).unwrap_or_default(),
        port: port::SERVICE,
        routes,
        ..common(ask, known.name, spec, ask.sizes.service, problems)
    }
}

fn own(ask: &Ask, name: &str, spec: &spec::Service, problems: &mut Problems) -> Service {
    let field = format!("spec.services.{name}");
    if !is_label(name) || name.len() > MAX_NAME {
        let rule = format!(
            "a service's name has at most {MAX_NAME} lower-case letters, digits and '-', starting with a letter"
        );
        problems.add(&field, name, rule);
    }
    if collides(name) {
        problems.add(&field, name, "is the name of another part of the shop: choose another");
    }
    if spec.image.is_none() || spec.port.is_none() {
        problems.add(
            &field,
            name,
            format!(
                "a service of your own needs image and port (built in are {})",
                built_in_names()
            ),
        );
    }
    if let Some(port) = spec.port.filter(|port| *port < 1024 || *port == port::SERVICE_ADMIN) {
        problems.add(
            format!("{field}.port"),
            port,
            format!("must be between 1024 and 65535 and not {}", port::SERVICE_ADMIN),
        );
    }
    Service {
        image: spec.image.clone().unwrap_or_default(),
        port: spec.port.unwrap_or(port::SERVICE),
        routes: spec.route.clone().into_iter().collect(),
        ..common(ask, name, spec, ask.sizes.service, problems)
    }
}

fn built_in_names() -> String {
    let names: Vec<&str> = service::ALL.iter().map(|known| known.name).collect();
    names.join(", ")
}

fn collides(name: &str) -> bool {
    let is_or_extends =
        |taken: &str| name == taken || name.strip_prefix(taken).is_some_and(|rest| rest.starts_with('-'));
    let workers = service::ALL
        .iter()
        .flat_map(|known| known.workers.iter().map(|worker| format!("{}-{worker}", known.name)));
    TAKEN.into_iter().chain(database::ALL).any(is_or_extends) || workers.into_iter().any(|worker| worker == name)
}

/// What every service has; image, port and routes are the caller's to fill in.
pub fn common(ask: &Ask, name: &str, spec: &spec::Service, sized: Compute, problems: &mut Problems) -> Service {
    let field = format!("spec.services.{name}");
    let (resources, _) = compute::resources(&format!("{field}.resources"), &spec.resources, sized, problems);
    for key in spec.env.keys().filter(|key| key.starts_with("SHOP_")) {
        problems.add(
            format!("{field}.env"),
            key,
            "names starting with SHOP_ are set by the operator",
        );
    }
    let pods = ask.sizes.pods_of(name);
    Service {
        name: name.into(),
        built_in: None,
        image: String::new(),
        port: 0,
        routes: Vec::new(),
        replicas: replicas(&field, spec, pods.api, problems),
        worker_replicas: pods.worker,
        resources,
        env: spec.env.clone(),
        pool_size: ask.sizes.pool_size,
    }
}

fn replicas(field: &str, spec: &spec::Service, default: u16, problems: &mut Problems) -> Replicas {
    let Some(auto) = &spec.autoscaling else {
        return Replicas::Fixed(problems.between(&format!("{field}.replicas"), spec.replicas, default, (1, 1000)));
    };
    if let Some(replicas) = spec.replicas {
        problems.add(
            format!("{field}.replicas"),
            replicas,
            "give either replicas or autoscaling, not both",
        );
    }
    let at = |part: &str| format!("{field}.autoscaling.{part}");
    let spec::Autoscaling {
        min_replicas: min,
        max_replicas: max,
        target_cpu_utilization: target,
    } = *auto;
    problems.between(&at("minReplicas"), Some(min), min, (1, 1000));
    problems.between(&at("maxReplicas"), Some(max), max, (1, 1000));
    problems.between(&at("targetCpuUtilization"), Some(target), target, (1, 100));
    if max < min {
        problems.add(
            at("maxReplicas"),
            max,
            format!("must not be less than minReplicas {min}"),
        );
    }
    Replicas::Auto {
        min,
        max,
        target_cpu_percent: target,
    }
}

/// The longest prefix wins at the gateway, so a route of one's own may lie above a built-in one, but never on or below it,
/// and no two services of one's own have the same.
fn check_routes(all: &[Service], problems: &mut Problems) {
    let under = |path: &str, prefix: &str| {
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    for service in all.iter().filter(|service| service.built_in.is_none()) {
        for route in service.routes.iter().filter(|route| under(route, INTERNAL)) {
            let rule = format!("must not lie below {INTERNAL}: the gateway lets no such path in");
            problems.add(format!("spec.services.{}.route", service.name), route, rule);
        }
    }
    for (at, service) in all.iter().enumerate().filter(|(_, service)| service.built_in.is_none()) {
        for (route, other) in service
            .routes
            .iter()
            .flat_map(|route| all[..at].iter().map(move |other| (route, other)))
        {
            let takes = |theirs: &String| route == theirs || (other.built_in.is_some() && under(route, theirs));
            if other.routes.iter().any(takes) {
                let rule = format!("is already the route of service {}", other.name);
                problems.add(format!("spec.services.{}.route", service.name), route, rule);
            }
        }
    }
}
