//! What runs in the worker and behind `books check`, one file per verb.

pub mod check;
pub mod judge;
pub mod print;
pub mod walk;
pub mod work;
