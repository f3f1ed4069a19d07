//! `./shop load | audit | bench`: runs `shop-load` of this workspace (compiled like the services) against the demo shop.
//! In: its arguments, passed through. Out: its own words and its exit. What it needs to know it gets as environment.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::cluster::Cluster;
use crate::cluster::address::Node;
use crate::images;
use crate::kube::Kube;
use crate::owner;
use crate::place::Place;
use crate::shop::{demo, inside};
use crate::user;

#[derive(clap::Args, Debug)]
pub struct Passed {
    /// Passed on; after -- also --help
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<String>,
}

pub fn run(place: &Place, verb: &str, passed: &Passed) -> Result<()> {
    let mut command = if passed.args.iter().any(|arg| arg == "--help" || arg == "-h") {
        user::command(program(place)?)
    } else {
        owner::running(place)?;
        command(place, &Cluster::kube(place)?)?
    };
    let ended = command
        .arg(verb)
        .args(&passed.args)
        .status()
        .context("cannot start shop-load")?;
    if !ended.success() {
        // It has said why.
        std::process::exit(ended.code().unwrap_or(1));
    }
    Ok(())
}

/// The program with its environment; verb and arguments are still to come.
pub fn command(place: &Place, kube: &Kube) -> Result<Command> {
    let folder = place.state().join("load");
    user::make_folder(&folder)?;
    let (map_file, databases_file) = (folder.join("shard-map.json"), folder.join("databases.json"));
    let map = inside::shard_map(kube)?;
    inside::write(&map_file, &map)?;
    inside::write(&databases_file, &inside::databases(kube, &map)?)?;
    let mut command = user::command(program(place)?);
    command
        .env(
            "SHOP_LOAD_GATEWAY",
            format!("http://{}:{}", Node(1).address(), demo::NODE_PORT),
        )
        .env("SHOP_LOAD_SHARD_MAP", map_file)
        .env("SHOP_LOAD_DATABASES", databases_file)
        .env("SHOP_LOAD_DIR", &folder)
        .env("SHOP_LOAD_BIN", folder_of(&binary(place, "product")?)?)
        .envs(passwords(kube)?)
        .envs(brokers(kube)?);
    Ok(command)
}

fn program(place: &Place) -> Result<std::path::PathBuf> {
    binary(place, "shop-load")
}

fn binary(place: &Place, name: &str) -> Result<std::path::PathBuf> {
    images::program(place, name, &place.log("programs"))
}

fn folder_of(program: &Path) -> Result<&Path> {
    program.parent().context("a program lies in a folder")
}

/// Variables and the keys of the Secret they hold.
const PASSWORDS: &[(&str, &str)] = &[
    ("SHOP_LOAD_ORDERS_PASSWORD", "orders-password"),
    ("SHOP_LOAD_CATALOG_PASSWORD", "catalog-password"),
    ("SHOP_LOAD_PAYMENTS_PASSWORD", "payments-password"),
    ("SHOP_LOAD_RABBITMQ_PASSWORD", "rabbitmq-admin"),
    ("SHOP_LOAD_REDIS_PASSWORD", "redis-password"),
    ("SHOP_LOAD_TOKEN_SEED", "token-seed"),
];

fn passwords(kube: &Kube) -> Result<Vec<(&'static str, String)>> {
    let secrets = inside::secrets(kube)?;
    let value = |(variable, key): &(&'static str, &str)| {
        let value = secrets
            .get(*key)
            .with_context(|| format!("the shop's Secret has no key {key}"))?;
        Ok((*variable, value.clone()))
    };
    PASSWORDS.iter().map(value).collect()
}

fn brokers(kube: &Kube) -> Result<Vec<(&'static str, String)>> {
    let rabbit = inside::addresses(kube, "rabbitmq")?;
    let redis = inside::addresses(kube, "redis")?;
    let mut variables = vec![
        ("SHOP_LOAD_RABBITMQ_USER", "operator".to_string()),
        ("SHOP_LOAD_REDIS_USER", "shop".to_string()),
        (
            "SHOP_LOAD_REDIS_MODE",
            if redis.len() > 1 { "cluster" } else { "single" }.to_string(),
        ),
    ];
    // One that is away just now is left out: what needs it says so.
    if let Some(address) = rabbit.first() {
        variables.push(("SHOP_LOAD_RABBITMQ", format!("http://{address}:15672")));
    }
    if !redis.is_empty() {
        let all: Vec<String> = redis.iter().map(|address| format!("{address}:6379")).collect();
        variables.push(("SHOP_LOAD_REDIS_ADDRESSES", all.join(",")));
    }
    Ok(variables)
}
