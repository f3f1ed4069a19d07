//! What runs besides the API, one file per verb.

pub mod refresh;
pub mod seed;
pub mod sweep;
pub mod work;
