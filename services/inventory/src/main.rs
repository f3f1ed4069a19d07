//! The program `inventory`. All of it is in the library: what a program adds to its library is compiled once more.

use std::process::ExitCode;

fn main() -> ExitCode {
    shop_inventory::program::main()
}
