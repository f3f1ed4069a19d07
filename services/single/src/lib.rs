//! All services of the shop in one process, from the same code: what each of them starts, joined. `program.rs` reads the
//! environment; no rule of any service lives here.

pub mod all;
pub mod part;
pub mod program;
