//! valkey.conf: `directive value` lines. The password is not here: an included file, written at start, holds it.

use crate::shop::Redis;

pub const FILE: &str = "valkey.conf";
/// Folder of the included file.
pub const SECRETS: &str = "/run/valkey";
pub const SECRET_FILE: &str = "/run/valkey/users.conf";
pub const DATA: &str = "/data";

pub fn file(redis: &Redis) -> String {
    let mut lines: Vec<(&str, String)> = ALWAYS
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    lines.push(("maxmemory", redis.max_memory.0.to_string()));
    if redis.cluster() {
        lines.extend(CLUSTER.iter().map(|(name, value)| (*name, (*value).to_owned())));
    }
    lines.iter().map(|(name, value)| format!("{name} {value}\n")).collect()
}

const ALWAYS: &[(&str, &str)] = &[
    ("include", SECRET_FILE),
    ("bind", "* -::*"),
    ("protected-mode", "no"),
    ("port", "6379"),
    ("dir", DATA),
    ("daemonize", "no"),
    // A cache: what is lost is read again from Postgres.
    ("save", "\"\""),
    ("appendonly", "no"),
    ("maxmemory-policy", "allkeys-lru"),
    ("tcp-keepalive", "30"),
    ("repl-diskless-sync-delay", "0"),
];

const CLUSTER: &[(&str, &str)] = &[
    ("cluster-enabled", "yes"),
    // Ids and slots survive a restart; addresses do not, and are mended by the driver.
    ("cluster-config-file", "/data/nodes.conf"),
    ("cluster-node-timeout", "2000"),
    // Without data on disk a replica is never too old to take over.
    ("cluster-replica-validity-factor", "0"),
    // Pairs are chosen by node and must stay as chosen.
    ("cluster-allow-replica-migration", "no"),
    ("cluster-require-full-coverage", "no"),
];
