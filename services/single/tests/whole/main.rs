//! The one process, with all services in it.

mod environment;
mod fits;
mod sells;
mod shop;
