//! The developer's tool behind `./shop`: reads the command line, calls one verb, explains its error.

/// As `print!`, but a reader that went away (`| head`) is no reason to panic.
macro_rules! screen_text {
    ($($part:tt)*) => {{
        use std::io::Write;
        let _ = write!(std::io::stdout(), $($part)*);
    }};
}

/// As `println!`, with the same mercy.
macro_rules! screen_line {
    ($($part:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stdout(), $($part)*);
    }};
}

mod checks;
mod choice;
mod cluster;
mod command;
mod failure;
mod front;
mod images;
mod kube;
mod owner;
mod place;
mod process;
mod screen;
mod shop;
mod tools;
mod user;
mod verbs;
mod wait;
mod workspace;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use checks::{soak, suite};
use place::Place;
use verbs::{down, fuzz, images as images_verb, load, node, seed, status, up};

#[derive(Parser)]
#[command(
    name = "shop",
    bin_name = "./shop",
    version,
    about = "A whole shop on a real Kubernetes cluster, on this machine",
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Start everything: tools, images, cluster, operator, a demo shop, and an order as proof
    Up(up::Up),
    /// Stop it; nothing is left running
    Down(down::Down),
    /// Say what runs
    Status,
    /// Print exports for KUBECONFIG and PATH: eval "$(./shop env)"
    Env,
    /// Build all images and push them to the embedded registry
    Images(images_verb::Images),
    /// Run every check: format, lints, tests, charts, cluster, end to end
    Test(suite::Test),
    /// Load with random faults and an audit, and the random promises, again and again with printed seeds
    Soak(soak::Soak),
    /// Fill the demo shop: products with stock to sell
    Seed(seed::Seed),
    /// Let customers loose on the running shop; ./shop load -- --help lists the settings
    Load(load::Passed),
    /// Compare what the shop acknowledged under load with its orders, stock, payments and mails
    Audit(load::Passed),
    /// Measure the running shop; ./shop bench -- --help lists the parts
    Bench(load::Passed),
    /// Send generated requests to every operation of the running shop and check the answers against its OpenAPI documents
    Fuzz(fuzz::Fuzz),
    /// Inject a fault into one node: cut, heal, freeze, thaw, kill, start
    Node(node::NodeArgs),
    /// Print a completion script for a shell
    Completion { shell: clap_complete::Shell },
}

fn main() -> ExitCode {
    let result = if front::is_this() {
        front::run()
    } else {
        front::end_with_it();
        run(&Cli::parse()).map(|()| ExitCode::SUCCESS)
    };
    result.unwrap_or_else(|error| {
        if !error.is::<screen::Told>() {
            eprintln!("shop: {error}");
            for line in failure::explain(&error, 60) {
                eprintln!("      {line}");
            }
        }
        // What was begun early may still be at work.
        process::end_children();
        ExitCode::FAILURE
    })
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let place = Place::find()?;
    match &cli.verb {
        Verb::Up(flags) => up::run(&place, flags),
        Verb::Down(flags) => down::run(&place, flags),
        Verb::Status => status::run(&place),
        Verb::Env => verbs::env::run(&place),
        Verb::Images(flags) => images_verb::run(&place, flags),
        Verb::Test(flags) => suite::run(&place, flags, std::env::var("CI").is_ok_and(|ci| ci == "true")),
        Verb::Soak(flags) => soak::run(&place, flags),
        Verb::Seed(flags) => seed::run(&place, flags),
        Verb::Load(passed) => load::run(&place, "load", passed),
        Verb::Audit(passed) => load::run(&place, "audit", passed),
        Verb::Bench(passed) => load::run(&place, "bench", passed),
        Verb::Fuzz(flags) => fuzz::run(&place, flags),
        Verb::Node(args) => node::run(&place, &args.fault),
        Verb::Completion { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "shop", &mut std::io::stdout());
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
