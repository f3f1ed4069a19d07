//! The section `spec.postgres`.

use crate::component::resources::{Resources, Storage};
use crate::rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Postgres {
    /// Image with Postgres 17, Patroni, PgBouncer and flock of util-linux; default: the one the operator was installed with.
    /// A change restarts every instance: replicas first, then a switchover per shard (writes pause about 2 s each).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,
    /// Products and stock: read much, written little.
    pub catalog: Database,
    /// Customers and their orders, spread over shards by the customer's id.
    pub orders: ShardedDatabase,
    /// Payments.
    pub payments: Database,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [rule::synchronous_needs_a_standby()]))]
pub struct Database {
    /// Standbys beside the primary, 0 to 8; sized by the audience. A change starts or stops standbys, restarts nothing; a
    /// primary that would be stopped hands over first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [rule::between(0, 8)]))]
    pub replicas: Option<u16>,
    /// The volume of each instance.
    pub storage: Storage,
    /// Of each instance. `shared_buffers` is a quarter of the memory.
    pub resources: Resources,
    /// Settings of postgresql.conf, such as `work_mem: 16MB`. Those the operator needs itself are refused; one that is
    /// taken out goes back to its default. Most take effect at once; one that needs a restart waits for the next restart.
    #[schemars(extend("maxProperties" = 64, "x-kubernetes-validations" = [rule::parameters_are_the_users(), rule::parameters_have_one_spelling()]))]
    pub parameters: BTreeMap<String, String>,
    /// A commit waits until a standby has it, so that a failover loses nothing; default: true when there is a standby.
    /// A change restarts nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synchronous: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [
    rule::synchronous_needs_a_standby(),
    rule::fixed("shards", "moving customers between shards is not offered yet; create a new shop")
]))]
pub struct ShardedDatabase {
    /// Primaries, 1 to 256; sized by the audience. Cannot be changed after creation; a shop made again over the volumes of an
    /// earlier one has its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [rule::between(1, 256)]))]
    pub shards: Option<u16>,
    #[serde(flatten)]
    pub database: Database,
}
