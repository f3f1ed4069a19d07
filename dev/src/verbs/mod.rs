//! One file per verb of ./shop. Each takes what the command line said and returns when it is done.

pub mod down;
pub mod env;
pub mod fuzz;
pub mod images;
pub mod load;
pub mod node;
pub mod seed;
pub mod status;
pub mod up;
