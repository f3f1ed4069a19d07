//! The program `shop-load`: puts load on a running shop, audits afterwards what became of it, and measures. Only
//! against loopback and the embedded cluster. `./shop load|audit|bench` calls it.

mod access;
mod arguments;
mod audit;
mod bench;
mod client;
mod customer;
mod history;
mod latency;
mod load;
mod order_log;
mod popularity;
mod schedule;
mod target;

use arguments::{Arguments, Verb};
use clap::Parser;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.verb {
        Verb::Load(load) => load::run(&arguments.access, &load).await,
        Verb::Audit(audit) => audit::run(&arguments.access, &audit).await,
        Verb::Bench(bench) => bench::run(&arguments.access, &bench).await,
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}
