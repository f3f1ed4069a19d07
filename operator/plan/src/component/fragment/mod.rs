//! Named pieces a pod template is assembled from. Plain arguments in, typed Kubernetes values out; none of them knows a
//! component, so that every pod gets the same security and the same kinds of volumes.

pub mod env;
pub mod port;
pub mod probe;
pub mod security;
pub mod volume;
