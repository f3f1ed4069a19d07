//! Admission rules (CEL, `x-kubernetes-validations`), each with the message a user reads after `kubectl apply`.
//! Every rule is cheap: lists, maps and strings it walks are bounded, so that the API server's cost budget admits it.

use kube::core::Rule;
use shop_contract::api::INTERNAL;
use shop_contract::service;

/// Parameters of postgresql.conf that the operator or Patroni sets; a user's value would be overwritten or would break
/// replication, so it is refused.
pub const RESERVED_PARAMETERS: [&str; 32] = [
    "archive_cleanup_command",
    "archive_command",
    "archive_mode",
    "cluster_name",
    "config_file",
    "data_checksums",
    "data_directory",
    "default_transaction_read_only",
    "hba_file",
    "hot_standby",
    "ident_file",
    "listen_addresses",
    "local_preload_libraries",
    "max_connections",
    "max_replication_slots",
    "max_wal_senders",
    "port",
    "primary_conninfo",
    "primary_slot_name",
    "recovery_target",
    "reserved_connections",
    "restore_command",
    "session_preload_libraries",
    "shared_preload_libraries",
    "ssl",
    "superuser_reserved_connections",
    "synchronous_commit",
    "synchronous_standby_names",
    "unix_socket_directories",
    "unix_socket_group",
    "wal_level",
    "wal_log_hints",
];

/// A number within bounds, both included.
pub fn between(min: u32, max: u32) -> Rule {
    rule(
        format!("self >= {min} && self <= {max}"),
        format!("must be between {min} and {max}"),
    )
}

/// One of a few numbers.
pub fn one_of(allowed: &[u32]) -> Rule {
    let list = allowed.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    rule(format!("self in [{list}]"), format!("must be one of {list}"))
}

/// A field that keeps its first value. The rule stands on the struct that holds it, because a rule on an absent field is
/// not evaluated. It may be taken out: the operator goes on with what stands, which is also the way back for whoever wrote
/// another value than the shop was made with, since only the operator can tell.
pub fn fixed(field: &str, way_out: &str) -> Rule {
    let rule = rule(
        format!("!has(oldSelf.{field}) || !has(self.{field}) || self.{field} == oldSelf.{field}"),
        format!("cannot be changed after creation: {way_out}"),
    );
    Rule {
        field_path: Some(format!(".{field}")),
        ..rule
    }
}

pub fn synchronous_needs_a_standby() -> Rule {
    let rule = rule(
        "!has(self.synchronous) || !self.synchronous || !has(self.replicas) || self.replicas >= 1",
        "true needs replicas of at least 1: a commit waits for a standby",
    );
    Rule {
        field_path: Some(".synchronous".into()),
        ..rule
    }
}

pub fn parameters_are_the_users() -> Rule {
    let list = RESERVED_PARAMETERS.map(|name| format!("'{name}'")).join(", ");
    rule(
        format!("self.all(name, !(name in [{list}]))"),
        "names a parameter that the operator sets itself (connections, replication, archiving, files)",
    )
}

/// Postgres takes any mix of cases for the same parameter; here it has one name, so that a reserved one is recognised.
pub fn parameters_have_one_spelling() -> Rule {
    rule(
        "self.all(name, name.matches('^[a-z_][a-z0-9_.]*$'))",
        "names of parameters are lower-case letters, digits, '_' and '.', starting with a letter or '_'",
    )
}

pub fn env_is_the_users() -> Rule {
    rule(
        "self.all(name, !name.startsWith('SHOP_'))",
        "names starting with SHOP_ are set by the operator",
    )
}

/// The built-in services' names, each between a pair of `quote`s.
fn built_in(quote: &str) -> String {
    let names = service::ALL.iter().map(|known| format!("{quote}{}{quote}", known.name));
    names.collect::<Vec<_>>().join(", ")
}

pub fn own_services_are_complete() -> Rule {
    let list = built_in("'");
    rule(
        format!("self.all(name, name in [{list}] || (has(self[name].image) && has(self[name].port)))"),
        format!(
            "a service of your own needs image and port (built in are {})",
            built_in("")
        ),
    )
}

pub fn built_in_services_keep_their_port() -> Rule {
    let list = built_in("'");
    rule(
        format!("self.all(name, !(name in [{list}]) || (!has(self[name].port) && !has(self[name].route)))"),
        format!(
            "a built-in service ({}) has a fixed port and route: leave both out",
            built_in("")
        ),
    )
}

pub fn routes_stay_public() -> Rule {
    rule(
        format!("self != '{INTERNAL}' && !self.startsWith('{INTERNAL}/')"),
        format!("must not lie below {INTERNAL}: the gateway lets no such path in"),
    )
}

pub fn a_password_is_not_sent_in_clear() -> Rule {
    let rule = rule(
        "!has(self.secretRef) || !has(self.tls) || self.tls != 'none'",
        "needs tls starttls or tls: a password is not sent in clear text",
    );
    Rule {
        field_path: Some(".secretRef".into()),
        ..rule
    }
}

pub fn replicas_or_autoscaling() -> Rule {
    rule(
        "!(has(self.replicas) && has(self.autoscaling))",
        "give either replicas or autoscaling, not both",
    )
}

pub fn max_not_below_min() -> Rule {
    let rule = rule(
        "self.maxReplicas >= self.minReplicas",
        "must not be less than minReplicas",
    );
    Rule {
        field_path: Some(".maxReplicas".into()),
        ..rule
    }
}

pub fn node_port_needs_its_type() -> Rule {
    let rule = rule(
        "!has(self.nodePort) || self.serviceType != 'ClusterIP'",
        "needs serviceType NodePort or LoadBalancer",
    );
    Rule {
        field_path: Some(".nodePort".into()),
        ..rule
    }
}

pub fn one_or_a_cluster() -> Rule {
    rule(
        "self == 1 || (self >= 3 && self <= 100)",
        "must be 1 (a single server) or between 3 and 100 (a cluster)",
    )
}

pub fn a_single_server_has_no_replica() -> Rule {
    let rule = rule(
        "!has(self.shards) || self.shards != 1 || !has(self.replicas) || self.replicas == 0",
        "must be 0 when shards is 1: a single server has no replica",
    );
    Rule {
        field_path: Some(".replicas".into()),
        ..rule
    }
}

/// At the root: the name is the first part of every object's name.
pub fn short_name() -> Rule {
    rule(
        "self.metadata.name.size() <= 30 && self.metadata.name.matches('^[a-z]([a-z0-9-]*[a-z0-9])?$')",
        "metadata.name must have at most 30 characters: lower-case letters, digits and '-', starting with a letter",
    )
}

fn rule(rule: impl Into<String>, message: impl Into<String>) -> Rule {
    Rule::new(rule).message(message.into().as_str())
}
