//! PgBouncer in front of a shard's primary, and one in front of the catalogue's standbys: many clients on few connections,
//! one transaction at a time.
//! It knows the one role of its database; the password reaches it through an init step, never through the config map.

use super::Shard;
use crate::component::applied::{Backends, port};
use crate::component::fragment::port::ports;
use crate::component::fragment::probe::{Ask, live, ready};
use crate::component::fragment::volume::Mounted;
use crate::component::fragment::{env, security};
use crate::component::standing::secret;
use crate::component::workload::{Pod, deployment};
use crate::names::{self, key};
use crate::object::Object;
use crate::topology::placement;
use k8s_openapi::api::core::v1::{Container, ExecAction, Lifecycle, LifecycleHandler, PodSpec};
use shop_contract::database::CATALOG;
use shop_contract::port::{PGBOUNCER, POSTGRES};

const FILE: &str = "pgbouncer.ini";
const CONFIG: &str = "/etc/pgbouncer";
const USERS: &str = "/run/pgbouncer";

/// What a pooler stands in front of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Servers {
    Primary,
    /// For reads that may lag.
    Standbys,
}

impl Servers {
    /// Those a shard has a pooler for.
    pub fn of(shard: &Shard<'_>) -> &'static [Servers] {
        if shard.id.database == CATALOG && shard.database.replicas > 0 {
            &[Servers::Primary, Servers::Standbys]
        } else {
            &[Servers::Primary]
        }
    }

    /// Name of the pooler's Service and Deployment.
    pub fn pooler(self, shard: &Shard<'_>) -> String {
        match self {
            Servers::Primary => names::pooler(&shard.shop.name, &shard.id),
            Servers::Standbys => names::readers_pooler(&shard.shop.name, &shard.id),
        }
    }

    /// The `name` label of the pooler's pods.
    pub fn label(self, shard: &Shard<'_>) -> String {
        let shard = names::shard_name(&shard.id);
        match self {
            Servers::Primary => format!("{shard}-pooler"),
            Servers::Standbys => format!("{shard}-readers-pooler"),
        }
    }

    /// The Service it connects to.
    fn service(self, shard: &Shard<'_>) -> String {
        match self {
            Servers::Primary => shard.scope(),
            Servers::Standbys => names::postgres_replicas(&shard.shop.name, &shard.id),
        }
    }
}

pub fn objects(shard: &Shard<'_>, servers: Servers) -> Vec<Object> {
    let (owner, name) = (shard.pooler_owner(servers), servers.pooler(shard));
    let pooler = &shard.database.pooler;
    let mut objects = vec![
        owner.account(&name),
        owner.config_map(&name, &[(FILE, config(shard, servers))]),
        owner.service(&name, Backends::Pods([].into()), vec![port("pgbouncer", PGBOUNCER)]),
    ];
    if pooler.replicas > 1 {
        objects.push(owner.budget(&name));
    }
    objects.push(deployment(&owner, &name, Some(pooler.replicas), pod(shard, servers)));
    objects
}

/// pgbouncer.ini: sections of `key = value` lines.
fn config(shard: &Shard<'_>, servers: Servers) -> String {
    let role = &shard.id.database;
    let host = names::host(&shard.shop.namespace, &servers.service(shard));
    let databases = [(role.as_str(), format!("host={host} port={POSTGRES} dbname={role}"))];
    let pooler = &shard.database.pooler;
    let settings = [
        ("listen_addr", "0.0.0.0".to_owned()),
        ("listen_port", PGBOUNCER.to_string()),
        ("unix_socket_dir", "/tmp".into()),
        ("auth_type", "scram-sha-256".into()),
        ("auth_file", format!("{USERS}/users.txt")),
        ("pool_mode", "transaction".into()),
        ("default_pool_size", pooler.pool_size.to_string()),
        ("max_db_connections", pooler.pool_size.to_string()),
        ("max_client_conn", pooler.max_clients.to_string()),
        ("max_prepared_statements", "200".into()),
        ("ignore_startup_parameters", "extra_float_digits,options".into()),
        // After a failover: notice the lost primary soon, and try the new one at once.
        ("server_connect_timeout", "3".into()),
        ("server_login_retry", "1".into()),
        ("query_wait_timeout", "10".into()),
        ("dns_max_ttl", "5".into()),
        ("dns_nxdomain_ttl", "1".into()),
        ("tcp_keepalive", "1".into()),
        ("tcp_keepidle", "5".into()),
        ("tcp_keepintvl", "2".into()),
        ("tcp_keepcnt", "3".into()),
        ("tcp_user_timeout", "6000".into()),
        ("log_connections", "0".into()),
        ("log_disconnections", "0".into()),
        ("log_stats", "0".into()),
    ];
    format!(
        "{}\n{}",
        section("databases", &databases),
        section("pgbouncer", &settings)
    )
}

fn section(name: &str, settings: &[(&str, String)]) -> String {
    let lines: String = settings
        .iter()
        .map(|(key, value)| format!("{key} = {value}\n"))
        .collect();
    format!("[{name}]\n{lines}")
}

fn pod(shard: &Shard<'_>, servers: Servers) -> Pod {
    let name = servers.pooler(shard);
    let volumes = Mounted::default()
        .config("config", &name, CONFIG)
        .scratch("users", USERS)
        .scratch("tmp", "/tmp");
    let spec = PodSpec {
        service_account_name: Some(name),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        security_context: Some(security::pod(security::POSTGRES_USER)),
        termination_grace_period_seconds: Some(30),
        init_containers: Some(vec![write_users(shard, &volumes)]),
        containers: vec![container(shard, &volumes)],
        volumes: Some(volumes.volumes),
        ..placement::movable(&shard.pooler_owner(servers).selector())
    };
    Pod::new(spec).restarted_by(&config(shard, servers))
}

/// `"role" "password"`, readable by PgBouncer alone. The generated password has letters and digits only.
fn write_users(shard: &Shard<'_>, volumes: &Mounted) -> Container {
    let script = r#"umask 077 && printf '"%s" "%s"\n' "$ROLE" "$PASSWORD" > "$FILE""#;
    let password = secret(shard.shop, key::database_password(&shard.id.database));
    Container {
        name: "users".into(),
        image: Some(shard.database.image.clone()),
        command: Some(["/bin/sh", "-c", script].map(str::to_owned).into()),
        env: Some(vec![
            env::plain("ROLE", shard.id.database.as_str()),
            env::secret("PASSWORD", &password),
            env::plain("FILE", format!("{USERS}/users.txt")),
        ]),
        resources: Some(shard.database.pooler.resources.clone()),
        security_context: Some(security::container()),
        volume_mounts: Some(volumes.mounts.clone()),
        ..Container::default()
    }
}

fn container(shard: &Shard<'_>, volumes: &Mounted) -> Container {
    // SIGTERM would wait for clients that never leave; SIGINT ends every connection between two transactions. First,
    // Services need a moment to stop sending new clients here.
    let stop = "sleep 2; kill -INT 1; sleep 5";
    let stop = ExecAction {
        command: Some(["/bin/sh", "-c", stop].map(str::to_owned).into()),
    };
    Container {
        name: "pgbouncer".into(),
        image: Some(shard.database.image.clone()),
        command: Some(vec!["/usr/sbin/pgbouncer".into()]),
        args: Some(vec![format!("{CONFIG}/{FILE}")]),
        ports: ports(&[("pgbouncer", PGBOUNCER)]),
        readiness_probe: Some(ready(&Ask::Tcp(PGBOUNCER))),
        liveness_probe: Some(live(&Ask::Tcp(PGBOUNCER))),
        lifecycle: Some(Lifecycle {
            pre_stop: Some(LifecycleHandler {
                exec: Some(stop),
                ..LifecycleHandler::default()
            }),
            ..Lifecycle::default()
        }),
        resources: Some(shard.database.pooler.resources.clone()),
        security_context: Some(security::container()),
        volume_mounts: Some(volumes.mounts.clone()),
        ..Container::default()
    }
}
