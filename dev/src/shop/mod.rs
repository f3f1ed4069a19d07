//! Operator and demo shop on whatever cluster there is: install, apply, watch, prove.

pub mod demo;
pub mod http;
pub mod install;
pub mod progress;
pub mod proof;
