//! Handlers: reservations for other services, stock for customers and merchants, changes by merchants.

pub mod change;
pub mod reservation;
pub mod stock;
