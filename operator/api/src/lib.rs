//! What a user writes and reads: the `ShopDeployment` resource, group `shop-operator.io`, version `v1alpha1`.
//! Types and their schema only; no client, no decision. Field docs are the manual `kubectl explain` prints.

pub mod condition;
pub mod spec;
pub mod status;

pub use spec::{ShopDeployment, ShopDeploymentSpec};
pub use status::ShopDeploymentStatus;
