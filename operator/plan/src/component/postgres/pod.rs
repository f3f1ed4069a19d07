//! The pod of one member: Patroni, which starts and stops Postgres as its child.

use super::Shard;
use super::config::{self, DATA, FILE, SOCKETS};
use crate::component::fragment::port::ports;
use crate::component::fragment::probe::{Ask, live, ready, startup};
use crate::component::fragment::volume::{self, Mounted};
use crate::component::fragment::{env, security};
use crate::component::standing::secret;
use crate::component::workload::{CLAIM, Pod};
use crate::names::{self, key};
use crate::topology::placement;
use k8s_openapi::api::core::v1::{Container, EnvVar, PodSpec};
use shop_contract::port;

pub const PROGRAM: &str = "/usr/bin/patroni";
const CONFIG: &str = "/etc/patroni";

pub fn pod(shard: &Shard<'_>) -> Pod {
    let shop = shard.shop;
    let volumes = Mounted::default()
        .claim(CLAIM, DATA)
        .config("config", &names::patroni_config(&shop.name, &shard.id), CONFIG)
        .scratch("tmp", "/tmp")
        .scratch("sockets", SOCKETS)
        .memory(
            "shared-memory",
            "/dev/shm",
            &crate::shop::Bytes(shard.database.memory.0 / 4).to_string(),
        );
    let selector = shard.owner().selector();
    let spec = PodSpec {
        service_account_name: Some(names::postgres_account(&shop.name)),
        automount_service_account_token: Some(true),
        enable_service_links: Some(false),
        security_context: Some(security::pod(security::POSTGRES_USER)),
        // Patroni hands the lock over and stops Postgres cleanly; a fast shutdown writes one checkpoint.
        termination_grace_period_seconds: Some(60),
        // A pair never shares a node where there are two; a one-node cluster still runs.
        topology_spread_constraints: Some(placement::spread(&selector, shard.database.replicas > 0)),
        affinity: Some(placement::apart(&selector)),
        containers: vec![container(shard, &volumes)],
        volumes: Some(volumes.volumes),
        ..PodSpec::default()
    };
    let mut pod = Pod::new(spec).restarted_by(&config::fixed(shard));
    pod.labels.insert(names::SCOPE_LABEL.into(), shard.scope());
    pod
}

fn container(shard: &Shard<'_>, volumes: &Mounted) -> Container {
    Container {
        name: "postgres".into(),
        image: Some(shard.database.image.clone()),
        command: Some(volume::alone_on(DATA)),
        args: Some(vec![PROGRAM.into(), format!("{CONFIG}/{FILE}")]),
        env: Some(environment(shard)),
        ports: ports(&[("postgres", port::POSTGRES), ("patroni", port::PATRONI)]),
        readiness_probe: Some(ready(&Ask::Http("/readiness", port::PATRONI))),
        liveness_probe: Some(live(&Ask::Http("/liveness", port::PATRONI))),
        // A clone of a large database keeps Patroni's loop busy; it answers all the while.
        startup_probe: Some(startup(&Ask::Http("/liveness", port::PATRONI), 10)),
        resources: Some(shard.database.resources.clone()),
        security_context: Some(security::container()),
        volume_mounts: Some(volumes.mounts.clone()),
        ..Container::default()
    }
}

fn environment(shard: &Shard<'_>) -> Vec<EnvVar> {
    let password = |name: &str, key: &str| env::secret(name, &secret(shard.shop, key));
    vec![
        env::field("POD_IP", "status.podIP"),
        env::field("PATRONI_NAME", "metadata.name"),
        env::field("PATRONI_KUBERNETES_POD_IP", "status.podIP"),
        env::plain(
            "PATRONI_POSTGRESQL_CONNECT_ADDRESS",
            format!("$(POD_IP):{}", port::POSTGRES),
        ),
        env::plain(
            "PATRONI_RESTAPI_CONNECT_ADDRESS",
            format!("$(POD_IP):{}", port::PATRONI),
        ),
        env::plain("PATRONI_SUPERUSER_USERNAME", config::SUPERUSER),
        password("PATRONI_SUPERUSER_PASSWORD", key::POSTGRES_SUPERUSER),
        env::plain("PATRONI_REPLICATION_USERNAME", config::REPLICATION),
        password("PATRONI_REPLICATION_PASSWORD", key::POSTGRES_REPLICATION),
        env::plain("PATRONI_REWIND_USERNAME", config::REWIND),
        password("PATRONI_REWIND_PASSWORD", key::POSTGRES_REWIND),
        env::plain("LANG", "C.UTF-8"),
    ]
}
