//! The pod of one program: for a built-in service with a schema, migrations first, then the program itself.

use super::{Program, environment};
use crate::component::applied::Owner;
use crate::component::fragment::port::ports;
use crate::component::fragment::probe::{Ask, live, ready};
use crate::component::fragment::security;
use crate::component::fragment::volume::Mounted;
use crate::component::workload::Pod;
use crate::names;
use crate::topology::placement;
use k8s_openapi::api::core::v1::{Container, PodSpec};
use shop_contract::port::SERVICE_ADMIN;
use shop_contract::service::Uses;
use shop_contract::{probe, shard_map};

/// The argument that brings a service's schema up to date and ends.
const MIGRATE: &str = "migrate";

pub fn pod(program: &Program<'_>, owner: &Owner<'_>) -> Pod {
    let volumes = volumes(program);
    let spec = PodSpec {
        service_account_name: Some(program.object()),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        security_context: Some(security::pod(security::USER)),
        termination_grace_period_seconds: Some(30),
        init_containers: has_schema(program).then(|| vec![migrate(program, &volumes)]),
        containers: vec![main(program, &volumes)],
        volumes: Some(volumes.volumes),
        ..placement::movable(&owner.selector())
    };
    Pod::new(spec)
}

fn uses(program: &Program<'_>, what: Uses) -> bool {
    program
        .service
        .built_in
        .is_some_and(|built_in| built_in.uses.contains(&what))
}

fn has_schema(program: &Program<'_>) -> bool {
    [Uses::Orders, Uses::Catalog, Uses::Payments]
        .into_iter()
        .any(|database| uses(program, database))
}

/// The shard map is a folder, not a file: the kubelet replaces it under a running pod, and the service reloads it.
fn volumes(program: &Program<'_>) -> Mounted {
    let scratch = Mounted::default().scratch("tmp", "/tmp");
    if uses(program, Uses::Orders) {
        scratch.config(
            "shard-map",
            &names::shard_map(&program.shop.name),
            shard_map::MOUNT_PATH,
        )
    } else {
        scratch
    }
}

fn migrate(program: &Program<'_>, volumes: &Mounted) -> Container {
    Container {
        name: MIGRATE.into(),
        args: Some(vec![MIGRATE.into()]),
        ..container(program, volumes)
    }
}

fn main(program: &Program<'_>, volumes: &Mounted) -> Container {
    let port = program.service.port;
    let (named, is_ready, is_live) = match program.service.built_in {
        Some(_) => (
            vec![("http", port), ("admin", SERVICE_ADMIN)],
            Ask::Http(probe::READY, SERVICE_ADMIN),
            Ask::Http(probe::LIVE, SERVICE_ADMIN),
        ),
        None => (vec![("http", port)], Ask::Tcp(port), Ask::Tcp(port)),
    };
    Container {
        name: program.label(),
        args: program.worker.map(|worker| vec![worker.to_owned()]),
        ports: ports(if program.worker.is_some() { &named[1..] } else { &named }),
        readiness_probe: Some(ready(&is_ready)),
        liveness_probe: Some(live(&is_live)),
        ..container(program, volumes)
    }
}

/// What both have in common.
fn container(program: &Program<'_>, volumes: &Mounted) -> Container {
    Container {
        image: Some(program.service.image.clone()),
        env: Some(environment::environment(program)),
        resources: Some(program.service.resources.clone()),
        security_context: Some(security::container()),
        volume_mounts: Some(volumes.mounts.clone()),
        ..Container::default()
    }
}
