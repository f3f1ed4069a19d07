//! The command line. Every setting that `./shop` knows comes as a variable of the same name; passwords should come only
//! so. What is out of bounds is refused with the bounds.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Load, audit and benches against a running shop on this machine.
///
/// Ends with 0 when all is well, 1 when the shop broke a promise, 2 when the tool itself could not work.
#[derive(Parser)]
#[command(name = "shop-load", version)]
pub struct Arguments {
    #[command(flatten)]
    pub access: Access,
    #[command(subcommand)]
    pub verb: Verb,
}

/// Where the shop is.
#[derive(Args, Clone)]
pub struct Access {
    /// Base URL of the shop's gateway; loopback or 198.18.0.0/15.
    #[arg(long, global = true, env = "SHOP_LOAD_GATEWAY", default_value = "")]
    pub gateway: String,
    /// The published shard map.
    #[arg(long, global = true, env = "SHOP_LOAD_SHARD_MAP")]
    pub shard_map: Option<PathBuf>,
    /// JSON file with the primaries' addresses: {"orders":[{"shard":0,"host":…,"port":…},…],"catalog":{…},"payments":{…}}.
    #[arg(long, global = true, env = "SHOP_LOAD_DATABASES")]
    pub databases: Option<PathBuf>,
    #[arg(long, global = true, env = "SHOP_LOAD_ORDERS_PASSWORD", hide_env_values = true)]
    pub orders_password: Option<String>,
    #[arg(long, global = true, env = "SHOP_LOAD_CATALOG_PASSWORD", hide_env_values = true)]
    pub catalog_password: Option<String>,
    #[arg(long, global = true, env = "SHOP_LOAD_PAYMENTS_PASSWORD", hide_env_values = true)]
    pub payments_password: Option<String>,
    /// RabbitMQ's management API, with its user: tells whether queues are empty and whether letters died.
    #[arg(long, global = true, env = "SHOP_LOAD_RABBITMQ")]
    pub rabbitmq: Option<String>,
    #[arg(long, global = true, env = "SHOP_LOAD_RABBITMQ_USER", default_value = "operator")]
    pub rabbitmq_user: String,
    #[arg(long, global = true, env = "SHOP_LOAD_RABBITMQ_PASSWORD", hide_env_values = true)]
    pub rabbitmq_password: Option<String>,
    /// Signs the customers' and the merchant's tokens, so that logging in is not the load.
    #[arg(long, global = true, env = "SHOP_LOAD_TOKEN_SEED", hide_env_values = true)]
    pub token_seed: Option<String>,
    /// Where the logs of acknowledged orders are.
    #[arg(long, global = true, env = "SHOP_LOAD_DIR", default_value = ".shop/load")]
    pub dir: PathBuf,
}

#[derive(Subcommand)]
pub enum Verb {
    /// Customers browse, search, fill carts and buy, at times fixed beforehand.
    Load(Load),
    /// Compare the log of acknowledged orders with shards, stock, payments and mails.
    Audit(Audit),
    /// Ratios and rates of this machine, each the median of several rounds.
    Bench(Bench),
}

#[derive(Args)]
pub struct Load {
    #[arg(long, value_enum, default_value_t = Scenario::Mixed)]
    pub scenario: Scenario,
    /// How long new customers keep arriving: 20s, 5m, 1h.
    #[arg(long = "for", value_parser = duration, default_value = "20s")]
    pub lasting: Duration,
    /// Journeys begun per second, on average (mixed).
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub rate: u32,
    /// Customers, who are registered first; in `hot` also how many buy at the same time.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=2_000))]
    pub users: u32,
    /// The same seed asks for the same journeys at the same times; printed when chosen here.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Percent of checkouts paid by other tokens than `tok_ok`.
    #[arg(long, default_value = "declined=5,slow=1,timeout=3,flaky=3,twice=3")]
    pub payment: String,
    /// Percent of orders their customers cancel at once.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub cancel: u32,
    /// Checkouts (hot).
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub checkouts: u32,
    /// Units on sale (hot).
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub units: u32,
    /// The product everybody wants (hot); the first of the catalogue without it.
    #[arg(long)]
    pub product: Option<uuid::Uuid>,
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

#[derive(Args)]
pub struct Audit {
    /// How long what is under way may take to finish.
    #[arg(long, value_parser = duration, default_value = "60s")]
    pub wait: Duration,
    /// The log to audit; the newest in the folder without it.
    #[arg(long)]
    pub log: Option<PathBuf>,
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

#[derive(Args)]
pub struct Bench {
    /// Rounds, of which the median counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub rounds: u32,
    /// How long each measurement lasts.
    #[arg(long = "for", value_parser = duration, default_value = "10s")]
    pub lasting: Duration,
    /// Parts to run, comma-separated; all without it.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub only: Vec<Part>,
    /// Customers and connections.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub users: u32,
    /// Reads per second through the gateway for the open-loop part.
    #[arg(long, default_value_t = 7_000, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub reads: u32,
    /// Milliseconds one mail takes where a checkout does everything in line.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(0..=10_000))]
    pub mail_ms: u64,
    /// Folder with the program `product`, for reads with and without cache.
    #[arg(long, env = "SHOP_LOAD_BIN")]
    pub bin: Option<PathBuf>,
    /// Redis for the program `product`: ip:port, comma-separated.
    #[arg(long, env = "SHOP_LOAD_REDIS_ADDRESSES")]
    pub redis_addresses: Option<String>,
    #[arg(long, env = "SHOP_LOAD_REDIS_MODE", default_value = "cluster")]
    pub redis_mode: String,
    #[arg(long, env = "SHOP_LOAD_REDIS_USER", default_value = "shop")]
    pub redis_user: String,
    #[arg(long, env = "SHOP_LOAD_REDIS_PASSWORD", hide_env_values = true, default_value = "")]
    pub redis_password: String,
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Browse, search, cart, checkout, orders.
    Mixed,
    /// Everybody wants the same product.
    Hot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Checkout asynchronous against everything in line.
    Inline,
    /// Product reads with and without cache, and queries saved.
    Cache,
    /// Checkouts with the whole saga drained against bare SQL.
    Saga,
    /// Product reads through the gateway.
    Reads,
    /// Memory of each service's process.
    Memory,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    Text,
    Json,
}

/// `500ms`, `20s`, `5m`, `1h`; at most six hours.
fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(format!("`{text}`: say 500ms, 20s, 5m or 1h")),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| format!("`{text}` has no number: say 20s or 5m"))?;
    let lasting = Duration::from_millis(number.saturating_mul(millis));
    let most = Duration::from_secs(6 * 3600);
    match lasting.is_zero() || lasting > most {
        true => Err(format!("`{text}` must be more than nothing and at most 6h")),
        false => Ok(lasting),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn durations_are_read_and_bounded() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        for bad in ["", "s", "5", "5d", "0s", "7h", "-1s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
