//! `shop-operator`: the operator's process and its offline tools. Reads arguments and environment here and nowhere else,
//! and hands them on as values.

mod apply;
mod body;
mod cache;
mod context;
mod decide;
mod events;
mod execute;
mod http;
mod kinds;
mod leader;
mod leftovers;
mod memory;
mod metrics;
mod observe;
mod offline;
mod queue;
mod reconcile;
mod report;
mod retry;
mod run;
mod telemetry;
mod watch;

use clap::{CommandFactory, Parser, Subcommand};
use context::Settings;
use shop_plan::inputs::Images;
use std::net::SocketAddr;
use std::process::ExitCode;

pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs whole e-commerce shops on Kubernetes.
#[derive(Parser)]
#[command(name = "shop-operator", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the operator: watch ShopDeployments and make them so.
    Run(RunArguments),
    /// Print the CustomResourceDefinition as YAML.
    Crd,
    /// Say what a spec would create or change, without touching anything.
    Plan(offline::PlanArguments),
    /// Print a completion script, for example `shop-operator completion bash`.
    Completion { shell: clap_complete::Shell },
}

#[derive(clap::Args)]
struct RunArguments {
    /// The operator's own namespace, where its Lease lies.
    #[arg(long, env = "SHOP_OPERATOR_NAMESPACE", default_value = "shop-system")]
    namespace: String,
    /// Default images as JSON: {"postgres": "…", "redis": "…", "rabbitmq": "…", "gateway": "…", "single": "…", "user": "…"} and
    /// so on for every built-in service.
    #[arg(long, env = "SHOP_OPERATOR_IMAGES", value_parser = images)]
    images: Images,
    /// Name of that Lease: one for each installation of a namespace.
    #[arg(long, env = "SHOP_OPERATOR_LEASE", default_value = "shop-operator")]
    lease: String,
    /// Secrets with which a shop's pods pull their images, separated by commas; each must exist in the shop's namespace.
    #[arg(long, env = "SHOP_OPERATOR_IMAGE_PULL_SECRETS", value_delimiter = ',')]
    image_pull_secrets: Vec<String>,
    /// Watch one namespace only; empty for all.
    #[arg(long, env = "SHOP_OPERATOR_WATCH_NAMESPACE", default_value = "")]
    watch_namespace: String,
    /// What to log, such as `info` or `info,shop_operator=debug`.
    #[arg(long, env = "SHOP_OPERATOR_LOG", default_value = "info")]
    log: String,
    /// Who holds the Lease: the pod's name.
    #[arg(long, env = "POD_NAME", default_value = "shop-operator")]
    identity: String,
    /// Address of /livez, /readyz and /metrics; default: port 8080 on every address.
    #[arg(long, env = "SHOP_OPERATOR_LISTEN")]
    listen: Option<SocketAddr>,
}

fn images(text: &str) -> Result<Images, String> {
    serde_json::from_str(text).map_err(|error| format!("not the JSON of all images: {error}"))
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run(arguments) => run(arguments),
        Command::Crd => offline::print_crd(),
        Command::Plan(arguments) => offline::plan(&arguments),
        Command::Completion { shell } => offline::print_completion(shell, &mut Arguments::command()),
    }
}

fn run(arguments: RunArguments) -> ExitCode {
    let RunArguments {
        namespace,
        lease,
        images,
        image_pull_secrets,
        watch_namespace,
        log,
        identity,
        listen,
    } = arguments;
    telemetry::start(&log);
    let settings = Settings {
        images,
        image_pull_secrets,
        namespace,
        lease,
        watch_namespace,
        identity,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let result = runtime.map_err(anyhow::Error::from).and_then(|runtime| {
        let result = runtime.block_on(run::run(settings, listen));
        // Whatever still runs ends here: after a lost lease nothing may go on.
        runtime.shutdown_background();
        result
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "ended");
            ExitCode::FAILURE
        }
    }
}
