//! The pod of one server.

use super::config::{DATA, FILE, SECRET_FILE, SECRETS};
use super::{USER, config};
use crate::component::applied::Owner;
use crate::component::fragment::port::ports;
use crate::component::fragment::probe::{Ask, live, ready};
use crate::component::fragment::volume::Mounted;
use crate::component::fragment::{env, security};
use crate::component::standing::secret;
use crate::component::workload::{CLAIM, Pod};
use crate::names::{self, key};
use crate::topology::placement;
use k8s_openapi::api::core::v1::{Container, PodSpec};
use shop_contract::port::{REDIS, REDIS_BUS};

pub const PROGRAM: &str = "/usr/bin/valkey-server";
const CONFIG: &str = "/etc/valkey";

pub fn pod(owner: &Owner<'_>) -> Pod {
    let name = names::redis(&owner.shop.name);
    let redis = &owner.shop.redis;
    let volumes = Mounted::default()
        .claim(CLAIM, DATA)
        .config("config", &name, CONFIG)
        .scratch("users", SECRETS)
        .scratch("tmp", "/tmp");
    let spec = PodSpec {
        service_account_name: Some(name),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        security_context: Some(security::pod(security::USER)),
        termination_grace_period_seconds: Some(15),
        containers: vec![container(owner, &volumes)],
        volumes: Some(volumes.volumes),
        // The driver can only pair over nodes when the servers are spread over them.
        ..placement::standing(&owner.selector(), redis.cluster())
    };
    Pod::new(spec).restarted_by(&config::file(redis))
}

/// Writes the users' file, then becomes the server: `default` is off, `shop` may do everything, replicas log in as `shop`.
const START: &str = r#"umask 077
printf 'user default off\nuser %s on >%s ~* &* +@all\nmasteruser %s\nmasterauth %s\n' \
  "$SHOP_USER" "$REDISCLI_AUTH" "$SHOP_USER" "$REDISCLI_AUTH" > "$USERS_FILE"
exec "$@"
"#;

fn container(owner: &Owner<'_>, volumes: &Mounted) -> Container {
    let redis = &owner.shop.redis;
    let config = format!("{CONFIG}/{FILE}");
    let ping = Ask::Exec(&[
        "/usr/bin/valkey-cli",
        "--user",
        USER,
        "--no-auth-warning",
        "-t",
        "3",
        "ping",
    ]);
    Container {
        name: "redis".into(),
        image: Some(redis.image.clone()),
        command: Some(["/bin/sh", "-ec", START, "start"].map(str::to_owned).into()),
        args: Some(vec![PROGRAM.into(), config]),
        env: Some(vec![
            env::plain("SHOP_USER", USER),
            env::secret("REDISCLI_AUTH", &secret(owner.shop, key::REDIS_PASSWORD)),
            env::plain("USERS_FILE", SECRET_FILE),
        ]),
        ports: ports(&[("redis", REDIS), ("bus", REDIS_BUS)]),
        readiness_probe: Some(ready(&Ask::Tcp(REDIS))),
        // Starts a process each time, so only now and then.
        liveness_probe: Some(live(&ping)),
        resources: Some(redis.resources.clone()),
        security_context: Some(security::container()),
        volume_mounts: Some(volumes.mounts.clone()),
        ..Container::default()
    }
}
