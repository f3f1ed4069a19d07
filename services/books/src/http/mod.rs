//! Handlers. Everything here only reads, and only for support and admin.

pub mod books;
