//! What runs in the worker, one file per verb.

pub mod months;
pub mod saga;
pub mod sweep;
pub mod work;
