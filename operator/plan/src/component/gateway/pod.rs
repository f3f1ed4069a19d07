//! The pod of one Envoy.

use super::config::FILE;
use super::{NAME, route};
use crate::component::applied::Owner;
use crate::component::fragment::port::ports;
use crate::component::fragment::probe::{Ask, live, ready};
use crate::component::fragment::security;
use crate::component::fragment::volume::Mounted;
use crate::component::workload::Pod;
use crate::names;
use crate::topology::placement;
use k8s_openapi::api::core::v1::{Container, Lifecycle, LifecycleHandler, PodSpec, SleepAction};
use shop_contract::port::GATEWAY;

const CONFIG: &str = "/etc/envoy";

/// `config` is Envoy's.
pub fn pod(owner: &Owner<'_>, config: &str) -> Pod {
    let name = names::gateway(&owner.shop.name);
    let volumes = Mounted::default()
        .config("config", &name, CONFIG)
        .scratch("tmp", "/tmp");
    let spec = PodSpec {
        service_account_name: Some(name),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        security_context: Some(security::pod(security::USER)),
        termination_grace_period_seconds: Some(30),
        containers: vec![container(owner, &volumes)],
        volumes: Some(volumes.volumes),
        ..placement::movable(&owner.selector())
    };
    Pod::new(spec).restarted_by(&config)
}

fn container(owner: &Owner<'_>, volumes: &Mounted) -> Container {
    let gateway = &owner.shop.gateway;
    let health = Ask::Http(route::HEALTH, GATEWAY);
    let config = format!("{CONFIG}/{FILE}");
    let args = [
        "-c",
        &config,
        "--concurrency",
        "2",
        "--disable-hot-restart",
        "--log-level",
        "warning",
    ];
    // Envoy ends at once when told to; by then nobody may be sending new requests here.
    let drain = LifecycleHandler {
        sleep: Some(SleepAction { seconds: 5 }),
        ..LifecycleHandler::default()
    };
    Container {
        name: NAME.into(),
        image: Some(gateway.image.clone()),
        command: Some(vec!["/usr/bin/envoy".into()]),
        args: Some(args.map(str::to_owned).into()),
        ports: ports(&[("http", GATEWAY)]),
        readiness_probe: Some(ready(&health)),
        liveness_probe: Some(live(&health)),
        lifecycle: Some(Lifecycle {
            pre_stop: Some(drain),
            ..Lifecycle::default()
        }),
        resources: Some(gateway.resources.clone()),
        security_context: Some(security::container()),
        volume_mounts: Some(volumes.mounts.clone()),
        ..Container::default()
    }
}
