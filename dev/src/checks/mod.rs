//! `./shop test` and `./shop soak`: the project's checks as steps of one screen.
//! Goes on after a failing step where the next one can still tell something; ends with a summary and one exit code.

pub mod cargo;
pub mod charts;
pub mod outcome;
pub mod soak;
pub mod suite;
