//! Operator and demo shop on whatever cluster there is: install, apply, watch, prove.

pub mod account;
pub mod demo;
pub mod fault;
pub mod http;
pub mod inside;
pub mod install;
pub mod progress;
pub mod proof;
pub mod schemathesis;
pub mod stock;
