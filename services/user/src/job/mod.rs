//! What runs in the worker, one file per verb.

pub mod deliver;
pub mod email;
pub mod notify;
pub mod webhooks;
pub mod work;
