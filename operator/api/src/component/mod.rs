//! The sections of the spec, one file per component.

pub mod email;
pub mod gateway;
pub mod postgres;
pub mod rabbitmq;
pub mod redis;
pub mod resources;
pub mod service;
