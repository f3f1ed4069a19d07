//! What runs in the worker, one file per verb.

pub mod accept;
pub mod ask;
pub mod chase;
pub mod intend;
pub mod settle;
pub mod sweep;
pub mod work;
