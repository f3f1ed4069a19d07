//! Patroni's configuration, typed. Its file is JSON, which is YAML. Two parts with different lives: the file, read at
//! start (a change restarts pods), and the dynamic part, kept by Patroni in Endpoints and changed by a task.
//! Passwords come by environment.

use super::Shard;
use super::parameters::parameters;
use crate::names;
use crate::topology::shards;
use serde::Serialize;
use std::collections::BTreeMap;

pub const FILE: &str = "patroni.yml";
/// What becomes Patroni.
pub const START: &str = include_str!("start.py");
pub const START_FILE: &str = "start.py";
/// Its mark in a volume whose database is not made yet.
pub const UNFINISHED: &str = "/data/.unfinished";
pub const DATA: &str = "/data";
pub const SOCKETS: &str = "/run/postgresql";
/// Patroni sets it on its pod: `primary` or `replica`.
pub const ROLE_LABEL: &str = "role";
pub const SUPERUSER: &str = "postgres";
pub const REPLICATION: &str = "replicator";
pub const REWIND: &str = "rewind";

/// Cluster-wide settings, in the shape of Patroni's `/config`.
#[derive(Serialize)]
pub struct Dynamic {
    /// Seconds the lock lives without renewal: Patroni accepts no less than 20.
    ttl: u32,
    loop_wait: u32,
    retry_timeout: u32,
    maximum_lag_on_failover: u64,
    synchronous_mode: bool,
    /// With no standby left, commits go on alone: the shop keeps selling.
    synchronous_mode_strict: bool,
    synchronous_node_count: u32,
    /// An API server that cannot be reached costs no primary as long as all members see each other.
    failsafe_mode: bool,
    postgresql: DynamicPostgresql,
}

#[derive(Serialize)]
struct DynamicPostgresql {
    use_pg_rewind: bool,
    use_slots: bool,
    parameters: BTreeMap<String, String>,
}

pub fn dynamic(shard: &Shard<'_>) -> Dynamic {
    Dynamic {
        ttl: 20,
        loop_wait: 5,
        retry_timeout: 5,
        maximum_lag_on_failover: 1 << 20,
        synchronous_mode: shard.synchronous(),
        synchronous_mode_strict: false,
        synchronous_node_count: 1,
        failsafe_mode: true,
        postgresql: DynamicPostgresql {
            use_pg_rewind: true,
            use_slots: true,
            parameters: parameters(shard.database),
        },
    }
}

/// The file, without its first dynamic part.
#[derive(Serialize)]
pub struct Static {
    scope: String,
    kubernetes: Kubernetes,
    restapi: RestApi,
    postgresql: Postgresql,
    watchdog: Watchdog,
}

#[derive(Serialize)]
struct Kubernetes {
    namespace: String,
    labels: BTreeMap<String, String>,
    scope_label: &'static str,
    role_label: &'static str,
    use_endpoints: bool,
    bypass_api_service: bool,
    /// The name must be that of the read-write Service's port, else its Endpoints are not used.
    ports: Vec<Port>,
}

#[derive(Serialize)]
struct Port {
    name: &'static str,
    port: u16,
}

#[derive(Serialize)]
struct RestApi {
    listen: String,
}

#[derive(Serialize)]
struct Watchdog {
    mode: &'static str,
}

#[derive(Serialize)]
struct Postgresql {
    listen: String,
    data_dir: String,
    bin_dir: &'static str,
    pgpass: &'static str,
    parameters: BTreeMap<&'static str, &'static str>,
    pg_hba: Vec<&'static str>,
    authentication: BTreeMap<&'static str, User>,
    basebackup: BTreeMap<&'static str, &'static str>,
    /// A member that cannot be rewound is cloned from the primary instead of waiting for a person.
    remove_data_directory_on_rewind_failure: bool,
    remove_data_directory_on_diverged_timelines: bool,
}

#[derive(Serialize)]
struct User {
    username: &'static str,
}

#[derive(Serialize)]
struct Bootstrap {
    dcs: Dynamic,
    initdb: serde_json::Value,
    /// Runs when the database is made and has its roles; see `start.py`.
    post_init: String,
}

#[derive(Serialize)]
struct File {
    #[serde(flatten)]
    fixed: Static,
    bootstrap: Bootstrap,
}

pub fn fixed(shard: &Shard<'_>) -> Static {
    let ports = shards::ports(&shard.id);
    let users = [
        ("superuser", SUPERUSER),
        ("replication", REPLICATION),
        ("rewind", REWIND),
    ];
    Static {
        scope: shard.scope(),
        kubernetes: Kubernetes {
            namespace: shard.shop.namespace.clone(),
            labels: [
                (names::INSTANCE, shard.shop.name.as_str()),
                (names::COMPONENT, super::COMPONENT),
            ]
            .map(|(label, value)| (label.to_owned(), value.to_owned()))
            .into(),
            scope_label: names::SCOPE_LABEL,
            role_label: ROLE_LABEL,
            use_endpoints: true,
            bypass_api_service: false,
            ports: vec![Port {
                name: "postgres",
                port: ports.postgres,
            }],
        },
        restapi: RestApi {
            listen: format!("0.0.0.0:{}", ports.patroni),
        },
        postgresql: Postgresql {
            listen: format!("0.0.0.0:{}", ports.postgres),
            data_dir: format!("{DATA}/postgres"),
            bin_dir: "/usr/lib/postgresql/17/bin",
            pgpass: "/tmp/pgpass",
            parameters: [("unix_socket_directories", SOCKETS)].into(),
            pg_hba: vec![
                "local all all scram-sha-256",
                "host all all all scram-sha-256",
                "host replication replicator all scram-sha-256",
            ],
            authentication: users.map(|(role, username)| (role, User { username })).into(),
            basebackup: [("checkpoint", "fast")].into(),
            remove_data_directory_on_rewind_failure: true,
            remove_data_directory_on_diverged_timelines: true,
        },
        watchdog: Watchdog { mode: "off" },
    }
}

pub fn file(shard: &Shard<'_>) -> String {
    let initdb = serde_json::json!([{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "data-checksums"]);
    let file = File {
        fixed: fixed(shard),
        bootstrap: Bootstrap {
            dcs: dynamic(shard),
            initdb,
            post_init: format!("/bin/rm -f {UNFINISHED}"),
        },
    };
    serde_json::to_string_pretty(&file).expect("plain data are JSON")
}
