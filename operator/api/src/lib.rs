//! What a user writes and reads: the `ShopDeployment` resource, group `shop-operator.io`, version `v1alpha1`.
//! Types and their schema only; no client, no decision. Field docs are the manual `kubectl explain` prints.

pub mod component;
pub mod condition;
mod crd;
pub mod quantity;
pub mod rule;
pub mod spec;
pub mod status;

pub use crd::crd;
pub use spec::{ShopDeployment, ShopDeploymentSpec};
pub use status::ShopDeploymentStatus;
