//! `./shop soak`: the random promises again and again, each round with a seed that is printed first, so that a failure
//! can be repeated. Needs a running shop.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::{cargo, outcome};
use crate::failure::Failure;
use crate::owner;
use crate::place::Place;
use crate::screen;

#[derive(clap::Args, Debug)]
pub struct Soak {
    /// How long: 90s, 10m, 2h
    #[arg(long = "for", default_value = "10m", value_parser = duration)]
    pub time: Duration,
    /// Seed of the first round; each further round adds one
    #[arg(long)]
    pub seed: Option<u64>,
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

pub fn run(place: &Place, flags: &Soak) -> Result<()> {
    owner::running(place)?;
    let begun = Instant::now();
    let first = flags.seed.unwrap_or_else(|| u64::from(std::process::id()));
    let mut seed = first;
    while seed == first || begun.elapsed() < flags.time {
        screen_text!(" seed {seed:<10} ");
        let _ = std::io::Write::flush(&mut std::io::stdout());
        let round = Instant::now();
        let log = place.log(&format!("soak-{seed}"));
        let _ = std::fs::remove_file(&log);
        let envs = [
            ("KUBECONFIG", place.kubeconfig()),
            ("SHOP_E2E_SEED", seed.to_string().into()),
            ("SHOP_E2E_KILLS", "10".into()),
            ("SHOP_E2E_KILLS", KILLS.into()),
        ];
        let common = [
            "test",
            "--locked",
            "-p",
            "shop-e2e",
            "--",
            "--include-ignored",
            "--test-threads=1",
        ];
        let args: Vec<&str> = common.iter().chain(RANDOM).copied().collect();
        let outcome = cargo::run(place, &args, &envs, &log)?;
        let time = screen::human(round.elapsed());
        if outcome.broken || !outcome.failed.is_empty() {
            screen_line!("failed: {} {time}", outcome::names(&outcome.failed));
            let failure = Failure::new("a random promise was broken")
                .way_out(format!("./shop soak --seed {seed} repeats this round"))
                .log(log);
            return Err(failure.into());
        }
        screen_line!("{} promises kept {time}", outcome.passed);
        seed += 1;
    }
    screen_line!("{} rounds in {}", seed - first, screen::human(begun.elapsed()));
    Ok(())
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
