//! What runs in the worker, one file per verb.

pub mod accept;
pub mod sweep;
pub mod work;
