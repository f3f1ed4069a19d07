//! The pod of one member: Patroni, which starts and stops Postgres as its child.

use super::Shard;
use super::config::{self, DATA, FILE, SOCKETS, START, START_FILE};
use crate::component::fragment::port::ports;
use crate::component::fragment::probe::{Ask, live, ready, startup};
use crate::component::fragment::volume::{self, Mounted};
use crate::component::fragment::{env, security};
use crate::component::standing::secret;
use crate::component::workload::{CLAIM, Pod};
use crate::names::{self, key};
use crate::topology::shards::Ports;
use crate::topology::{placement, shards};
use k8s_openapi::api::core::v1::{Container, EnvVar, PodSpec};

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
        containers: vec![container(shard, &volumes)],
        volumes: Some(volumes.volumes),
        // A pair never shares a node where there are two; a one-node cluster still runs.
        ..placement::standing(&selector, shard.database.replicas > 0)
    };
    let mut pod = Pod::new(spec).restarted_by(&(config::fixed(shard), START));
    pod.labels.insert(names::SCOPE_LABEL.into(), shard.scope());
    pod
}

fn container(shard: &Shard<'_>, volumes: &Mounted) -> Container {
    let Ports { postgres, patroni } = shards::ports(&shard.id);
    Container {
        name: "postgres".into(),
        image: Some(shard.database.image.clone()),
        command: Some(volume::alone_on(DATA)),
        args: Some(vec![
            "/usr/bin/python3".into(),
            format!("{CONFIG}/{START_FILE}"),
            shard.scope(),
            PROGRAM.into(),
            format!("{CONFIG}/{FILE}"),
        ]),
        env: Some(environment(shard)),
        ports: ports(&[("postgres", postgres), ("patroni", patroni)]),
        readiness_probe: Some(ready(&Ask::Http("/readiness", patroni))),
        liveness_probe: Some(live(&Ask::Http("/liveness", patroni))),
        // A clone of a large database keeps Patroni's loop busy; it answers all the while.
        startup_probe: Some(startup(&Ask::Http("/liveness", patroni), 10)),
        resources: Some(shard.database.resources.clone()),
        security_context: Some(security::container()),
        volume_mounts: Some(volumes.mounts.clone()),
        ..Container::default()
    }
}

fn environment(shard: &Shard<'_>) -> Vec<EnvVar> {
    let password = |name: &str, key: &str| env::secret(name, &secret(shard.shop, key));
    let ports = shards::ports(&shard.id);
    vec![
        env::field("POD_IP", "status.podIP"),
        env::field("PATRONI_NAME", "metadata.name"),
        env::field("PATRONI_KUBERNETES_POD_IP", "status.podIP"),
        env::plain(
            "PATRONI_POSTGRESQL_CONNECT_ADDRESS",
            format!("$(POD_IP):{}", ports.postgres),
        ),
        env::plain(
            "PATRONI_RESTAPI_CONNECT_ADDRESS",
            format!("$(POD_IP):{}", ports.patroni),
        ),
        env::plain("PATRONI_SUPERUSER_USERNAME", config::SUPERUSER),
        password("PATRONI_SUPERUSER_PASSWORD", key::POSTGRES_SUPERUSER),
        env::plain("PATRONI_REPLICATION_USERNAME", config::REPLICATION),
        password("PATRONI_REPLICATION_PASSWORD", key::POSTGRES_REPLICATION),
        env::plain("PATRONI_REWIND_USERNAME", config::REWIND),
        password("PATRONI_REWIND_PASSWORD", key::POSTGRES_REWIND),
        env::plain("LANG", "C.UTF-8"),
        // For psql in the pod.
        env::plain("PGPORT", ports.postgres.to_string()),
    ]
}
