//! What runs in the worker, and the seeding, one file per verb.

pub mod follow;
pub mod seed;
pub mod sweep;
pub mod work;
