//! The pod of one node.

use super::config::{self, FILE, PLUGINS_FILE};
use super::{ADMIN, NAME};
use crate::component::applied::Owner;
use crate::component::fragment::port::ports;
use crate::component::fragment::probe::{Ask, live, ready, startup};
use crate::component::fragment::volume::{self, Mounted};
use crate::component::fragment::{env, security};
use crate::component::standing::secret;
use crate::component::workload::{CLAIM, Pod};
use crate::names::{self, key};
use crate::topology::placement;
use k8s_openapi::api::core::v1::{Container, EnvVar, PodSpec};
use shop_contract::port::{AMQP, RABBITMQ_CLUSTER, RABBITMQ_EPMD, RABBITMQ_MANAGEMENT, RABBITMQ_METRICS};

const PROGRAM: &str = "/usr/sbin/rabbitmq-server";
/// Where RabbitMQ keeps everything it writes: its home.
const DATA: &str = "/var/lib/rabbitmq";
const CONFIG: &str = "/etc/shop/rabbitmq";
const COOKIE: &str = "/etc/shop/cookie";

pub fn pod(owner: &Owner<'_>) -> Pod {
    let (shop, rabbitmq) = (owner.shop, &owner.shop.rabbitmq);
    let name = names::rabbitmq(&shop.name);
    let volumes = Mounted::default()
        .claim(CLAIM, DATA)
        .config("config", &name, CONFIG)
        .secret_key("cookie", &names::secret(&shop.name), key::ERLANG_COOKIE, COOKIE)
        .scratch("tmp", "/tmp")
        .scratch("logs", "/var/log/rabbitmq");
    let spec = PodSpec {
        service_account_name: Some(name),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        security_context: Some(security::pod(security::USER)),
        termination_grace_period_seconds: Some(60),
        containers: vec![container(owner, &volumes)],
        volumes: Some(volumes.volumes),
        // A majority must survive the loss of any one machine.
        ..placement::standing(&owner.selector(), rabbitmq.nodes > 1)
    };
    Pod::new(spec).restarted_by(&(config::file(shop), config::plugins()))
}

/// Puts the cookie where only its owner reads it. Before the very first start it waits, at most a minute, until the
/// names of all nodes resolve: a node that cannot see the others would found a cluster of its own.
const START: &str = r#"install -m 0400 "$COOKIE_FILE" "$HOME/.erlang.cookie"
own=${RABBITMQ_NODENAME#*@}
if [ -e "$HOME/mnesia/$RABBITMQ_NODENAME/schema.DAT" ]; then wait_for=$own; else wait_for="$own $PEERS"; fi
tries=60
for name in $wait_for; do
  until getent hosts "$name" > /dev/null; do
    tries=$((tries - 1))
    if [ "$tries" -le 0 ]; then echo "the name $name does not resolve; starting without it" >&2; break; fi
    sleep 1
  done
done
exec "$@"
"#;

fn container(owner: &Owner<'_>, volumes: &Mounted) -> Container {
    Container {
        name: NAME.into(),
        image: Some(owner.shop.rabbitmq.image.clone()),
        command: Some(["/bin/sh", "-ec", START, "start"].map(str::to_owned).into()),
        args: Some(volume::alone_on(DATA).into_iter().chain([PROGRAM.into()]).collect()),
        env: Some(environment(owner)),
        ports: ports(&[
            ("amqp", AMQP),
            ("management", RABBITMQ_MANAGEMENT),
            ("metrics", RABBITMQ_METRICS),
            ("epmd", RABBITMQ_EPMD),
            ("cluster", RABBITMQ_CLUSTER),
        ]),
        // Without the command line tools: each call of those starts an Erlang machine.
        readiness_probe: Some(ready(&Ask::Tcp(AMQP))),
        // The port between nodes is open while a node still waits for the others, so it is not killed for waiting.
        startup_probe: Some(startup(&Ask::Tcp(RABBITMQ_CLUSTER), 5)),
        liveness_probe: Some(live(&Ask::Tcp(RABBITMQ_CLUSTER))),
        resources: Some(owner.shop.rabbitmq.resources.clone()),
        security_context: Some(security::container()),
        volume_mounts: Some(volumes.mounts.clone()),
        ..Container::default()
    }
}

fn environment(owner: &Owner<'_>) -> Vec<EnvVar> {
    let shop = owner.shop;
    let set = names::rabbitmq(&shop.name);
    let peers: Vec<String> = (0..u32::from(shop.rabbitmq.nodes))
        .map(|ordinal| config::host(shop, &names::pod(&set, ordinal)))
        .collect();
    vec![
        env::field("POD_NAME", "metadata.name"),
        env::plain("HOME", DATA),
        env::plain("PEERS", peers.join(" ")),
        env::plain("COOKIE_FILE", format!("{COOKIE}/{}", key::ERLANG_COOKIE)),
        env::plain(
            "RABBITMQ_NODENAME",
            format!("rabbit@{}", config::host(shop, "$(POD_NAME)")),
        ),
        env::plain("RABBITMQ_USE_LONGNAME", "true"),
        env::plain("RABBITMQ_CONFIG_FILE", format!("{CONFIG}/{FILE}")),
        env::plain("RABBITMQ_ENABLED_PLUGINS_FILE", format!("{CONFIG}/{PLUGINS_FILE}")),
        env::plain("RABBITMQ_MNESIA_BASE", format!("{DATA}/mnesia")),
        env::plain("RABBITMQ_LOGS", "-"),
        env::plain("RABBITMQ_DEFAULT_USER", ADMIN),
        env::secret("RABBITMQ_DEFAULT_PASS", &secret(shop, key::RABBITMQ_ADMIN)),
        env::plain("LANG", "C.UTF-8"),
    ]
}
