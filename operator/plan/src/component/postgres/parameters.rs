//! postgresql.conf, computed from memory, disk and connections; the user's own settings win.
//! Formulas: the Postgres documentation's starting points (a quarter of memory for shared_buffers), kept conservative
//! because memory is a hard limit in a container.

use crate::shop::Database;
use std::collections::BTreeMap;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

pub fn parameters(database: &Database) -> BTreeMap<String, String> {
    let fixed = FIXED
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let sized = sized(database)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    let user = database.parameters.clone();
    fixed.chain(sized).chain(user).collect()
}

/// What does not depend on size.
const FIXED: &[(&str, &str)] = &[
    ("checkpoint_completion_target", "0.9"),
    ("checkpoint_timeout", "15min"),
    // A transaction nobody ends holds back vacuum and a place in the pooler.
    ("idle_in_transaction_session_timeout", "60s"),
    ("jit", "off"),
    ("log_checkpoints", "off"),
    ("log_lock_waits", "on"),
    ("max_replication_slots", "10"),
    ("max_wal_senders", "10"),
    ("password_encryption", "scram-sha-256"),
    ("random_page_cost", "1.1"),
    ("tcp_keepalives_count", "3"),
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("wal_sender_timeout", "10s"),
    ("wal_receiver_timeout", "10s"),
];

fn sized(database: &Database) -> Vec<(&'static str, String)> {
    let (memory, disk) = (database.memory.0, database.storage.size.0);
    let work = memory / 4 / u64::from(database.max_connections.max(1));
    vec![
        ("max_connections", database.max_connections.to_string()),
        ("shared_buffers", megabytes((memory / 4).clamp(16 * MIB, 32 * GIB))),
        ("effective_cache_size", megabytes((memory / 2).max(32 * MIB))),
        ("maintenance_work_mem", megabytes((memory / 16).clamp(16 * MIB, GIB))),
        ("work_mem", megabytes(work.clamp(MIB, 64 * MIB))),
        ("min_wal_size", megabytes((disk / 32).clamp(32 * MIB, GIB))),
        ("max_wal_size", megabytes((disk / 8).clamp(64 * MIB, 8 * GIB))),
        ("wal_keep_size", megabytes((disk / 32).clamp(16 * MIB, GIB))),
        // A standby that stays away must not fill the primary's disk; it is cloned anew when it returns.
        ("max_slot_wal_keep_size", megabytes((disk / 4).max(128 * MIB))),
    ]
}

fn megabytes(bytes: u64) -> String {
    format!("{}MB", bytes / MIB)
}
