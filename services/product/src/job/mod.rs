//! What runs besides the API, one file per verb.

pub mod seed;
