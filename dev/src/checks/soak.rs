//! `./shop soak`: customers under load while something fails at random, then an audit; and the random promises. Again and
//! again, each round with a seed that is printed first, so that a failure can be repeated. Needs a running shop.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::{cargo, outcome};
use crate::cluster::Cluster;
use crate::cluster::address::Node;
use crate::command;
use crate::failure::Failure;
use crate::kube::Kube;
use crate::owner;
use crate::place::Place;
use crate::screen::{self, Step};
use crate::shop::fault::{self, Numbers};
use crate::shop::{demo, proof};
use crate::verbs::{load, node};
use crate::wait::{self, Look};

#[derive(clap::Args, Debug)]
pub struct Soak {
    /// How long: 90s, 10m, 2h
    #[arg(long = "for", default_value = "10m", value_parser = duration)]
    pub time: Duration,
    /// Seed of the first round; each further round adds one
    #[arg(long)]
    pub seed: Option<u64>,
    /// What a round consists of
    #[arg(long, value_enum, default_value_t = What::All)]
    pub what: What,
    /// Rounds at most [default: as many as the time allows]
    #[arg(long)]
    pub rounds: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum What {
    /// Load, faults, audit, and the random promises
    All,
    /// Load, faults, audit
    Faults,
    /// Load, a power cut of all nodes, audit
    Power,
    /// The random promises of the end-to-end tests
    Promises,
}

/// Promises that choose moments or victims at random.
const RANDOM: &[&str] = &[
    "survives_operator_kill",
    "repairs_children",
    "redis_heals",
    "names_the_tier",
];

/// Kills of the operator during one bring-up.
const KILLS: &str = "10";
/// How long customers order in one round, and when faults strike.
const LOAD: Duration = Duration::from_secs(30);
const STRIKES_WITHIN: Duration = Duration::from_secs(20);
/// The payment provider fails as well: of 30 % of the orders its first answers never arrive, and more.
const PAYMENT: &str = "declined=5,slow=1,timeout=30,flaky=3,twice=3";
/// Until nothing is under way any more, on a busy machine.
const SETTLED_WITHIN: &str = "180s";

/// One part of a round, given its seed and log; says what it did.
type Part = fn(&Place, u64, &Path) -> Result<String>;

pub fn run(place: &Place, flags: &Soak) -> Result<()> {
    owner::running(place)?;
    let begun = Instant::now();
    let first = flags.seed.unwrap_or_else(|| u64::from(std::process::id()));
    let mut seed = first;
    let more = |seed: u64| begun.elapsed() < flags.time && flags.rounds.is_none_or(|rounds| seed - first < rounds);
    while seed == first || more(seed) {
        screen_text!(" seed {seed:<10} ");
        let _ = std::io::Write::flush(&mut std::io::stdout());
        let round = Instant::now();
        let log = place.log(&format!("soak-{seed}"));
        let _ = std::fs::remove_file(&log);
        let mut kept = Vec::new();
        let parts: &[Part] = match flags.what {
            What::All => &[faults, promises],
            What::Faults => &[faults],
            What::Power => &[power],
            What::Promises => &[promises],
        };
        for part in parts {
            kept.push(part(place, seed, &log).map_err(|error| broken(seed, flags.what, &error, &log))?);
        }
        screen_line!("{} {}", kept.join("; "), screen::human(round.elapsed()));
        seed += 1;
    }
    screen_line!("{} rounds in {}", seed - first, screen::human(begun.elapsed()));
    Ok(())
}

fn broken(seed: u64, what: What, error: &anyhow::Error, log: &Path) -> anyhow::Error {
    let what = match what {
        What::All => "",
        What::Faults => " --what faults",
        What::Power => " --what power",
        What::Promises => " --what promises",
    };
    screen_line!("failed");
    Failure::of(error)
        .way_out(format!("./shop soak --seed {seed}{what} repeats this round"))
        .log(log)
        .into()
}

/// Customers order, one or two things fail meanwhile, and afterwards the books must be right.
fn faults(place: &Place, seed: u64, log: &Path) -> Result<String> {
    let (kube, mut numbers) = (Cluster::kube(place)?, Numbers(seed));
    under_load(place, &kube, seed, log, |begun| strikes(&kube, &mut numbers, begun))
}

/// Customers order while all nodes lose their power at once; they come back, the shop sells again by itself, and the books
/// must be right. Pods have other addresses then, often those of others before.
fn power(place: &Place, seed: u64, log: &Path) -> Result<String> {
    let (kube, mut numbers) = (Cluster::kube(place)?, Numbers(seed));
    let cluster = Cluster::new(place, owner::running(place)?.nodes)?;
    let gateway = format!("http://{}:{}", Node(1).address(), demo::NODE_PORT);
    under_load(place, &kube, seed, log, |begun| {
        let moment = Duration::from_millis(numbers.below(STRIKES_WITHIN.as_millis() as u64));
        std::thread::sleep(moment.saturating_sub(begun.elapsed()));
        for node in Node::all(cluster.count) {
            node::kill(place, &cluster, node)?;
        }
        let back = Instant::now();
        cluster.start_nodes_and_control_plane(&|_| ())?;
        proof::run(&kube, &gateway)?;
        let after = screen::human(back.elapsed());
        Ok(vec![format!("a power cut (sells again {after} after power is back)")])
    })
}

/// The same once, as a check of `./shop test`.
pub fn power_cut(place: &Place, step: &Step<'_>) -> Result<((), String)> {
    const SEED: u64 = 1;
    step.say("customers order, and all nodes lose their power");
    let log = place.log("test-power");
    let _ = std::fs::remove_file(&log);
    let told = power(place, SEED, &log).map_err(|error| {
        Failure::of(&error)
            .way_out(format!("./shop soak --rounds 1 --seed {SEED} --what power repeats it"))
            .log(&log)
    })?;
    Ok(((), told))
}

/// Load, what `strike` does and tells meanwhile, and the audit.
fn under_load(
    place: &Place,
    kube: &Kube,
    seed: u64,
    log: &Path,
    strike: impl FnOnce(Instant) -> Result<Vec<String>>,
) -> Result<String> {
    let file = command::open_log(log)?;
    let mut load = ready(place, kube)?;
    load.args([
        "load",
        "--for",
        &format!("{}s", LOAD.as_secs()),
        "--seed",
        &seed.to_string(),
        "--payment",
        PAYMENT,
    ]);
    load.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let begun = Instant::now();
    let mut running = load.spawn().context("cannot start shop-load")?;
    let struck = strike(begun);
    let ended = running.wait()?;
    let struck = struck?;
    anyhow::ensure!(ended.success(), "the load did not run to its end ({ended})");
    let mut audit = ready(place, kube)?;
    command::logged(audit.args(["audit", "--wait", SETTLED_WITHIN]), log)
        .map_err(|_| anyhow::anyhow!("the books are wrong after: {}", struck.join(", ")))?;
    Ok(format!("books right after {}", struck.join(", ")))
}

/// At moments the seed chooses; the load goes on whatever comes of it.
fn strikes(kube: &Kube, numbers: &mut Numbers, begun: Instant) -> Result<Vec<String>> {
    let count = 1 + numbers.below(2);
    let span = STRIKES_WITHIN.as_millis() as u64;
    let mut moments: Vec<u64> = (0..count).map(|_| numbers.below(span)).collect();
    moments.sort_unstable();
    let mut struck = Vec::new();
    for moment in moments {
        std::thread::sleep(Duration::from_millis(moment).saturating_sub(begun.elapsed()));
        let fault = numbers.fault();
        struck.push(fault::strike(kube, fault, numbers)?);
    }
    Ok(struck)
}

/// The command, once every database has a primary whose address it can be told.
fn ready(place: &Place, kube: &Kube) -> Result<std::process::Command> {
    wait::until(
        "every primary",
        Duration::from_secs(120),
        Duration::from_secs(1),
        || {
            Ok(match load::command(place, kube) {
                Ok(command) => Look::Ready(command),
                Err(error) => Look::NotYet(format!("{error:#}")),
            })
        },
    )
}

fn promises(place: &Place, seed: u64, log: &Path) -> Result<String> {
    let envs = [
        ("KUBECONFIG", place.kubeconfig()),
        ("SHOP_E2E_SEED", seed.to_string().into()),
        ("SHOP_E2E_KILLS", KILLS.into()),
    ];
    let common = [
        "test",
        "--locked",
        "-p",
        "shop-e2e",
        "--",
        "--include-ignored",
        cargo::ALL_AT_ONCE,
    ];
    let args: Vec<&str> = common.iter().chain(RANDOM).copied().collect();
    let outcome = cargo::run(place, &args, &envs, log)?;
    anyhow::ensure!(
        !outcome.broken && outcome.failed.is_empty(),
        "promises broken: {}",
        outcome::names(&outcome.failed)
    );
    Ok(format!("{} promises kept", outcome.passed))
}

/// A number with s, m or h.
fn duration(text: &str) -> Result<Duration> {
    let (number, unit) = text.split_at(text.trim_end_matches(char::is_alphabetic).len());
    let number: u64 = number
        .parse()
        .map_err(|_| anyhow::anyhow!("{text} is not a time such as 90s, 10m or 2h"))?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => bail!("{text} is not a time such as 90s, 10m or 2h"),
    };
    Ok(Duration::from_secs(number * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_unit() {
        assert_eq!(duration("10m").unwrap(), Duration::from_secs(600));
        assert!(duration("10").is_err() && duration("m").is_err() && duration("1d").is_err());
    }
}
