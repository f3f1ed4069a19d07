//! `./shop test`: which checks run, in which order, and what a failing one leaves worth running.

use anyhow::Result;

use super::{cargo, charts, soak};
use crate::failure::Failure;
use crate::owner;
use crate::place::Place;
use crate::screen::{self, Screen, Told};
use crate::verbs::{down, fuzz, up};

#[derive(clap::Args, Debug)]
pub struct Test {
    /// Only what needs no cluster
    #[arg(long)]
    pub fast: bool,
    /// Stop another checkout's cluster first (does so by itself when CI=true)
    #[arg(long)]
    pub take_over: bool,
}

/// What became of one step.
type Verdict = (&'static str, bool);

/// `ci`: nobody is watching, so another checkout's cluster is stopped and ours is not kept.
pub fn run(place: &Place, flags: &Test, ci: bool) -> Result<()> {
    let screen = Screen::new(if flags.fast { 4 } else { 8 });
    let mut verdicts: Vec<Verdict> = vec![
        ("format", screen.step("format", |_| cargo::format(place)).is_ok()),
        ("clippy", screen.step("clippy", |_| cargo::clippy(place)).is_ok()),
        ("tests", screen.step("tests", |step| cargo::unit(place, step)).is_ok()),
        (
            "charts",
            screen.step("charts", |step| charts::check(place, step)).is_ok(),
        ),
    ];
    if !flags.fast {
        verdicts.extend(on_the_cluster(place, &screen, flags.take_over || ci, ci)?);
    }
    summary(&verdicts, &screen)
}

/// The promises need a cluster with a shop; without one they are not tried.
fn on_the_cluster(place: &Place, screen: &Screen<'_>, take_over: bool, ci: bool) -> Result<Vec<Verdict>> {
    let _lock = owner::lock(place, take_over)?;
    owner::make_room(place, take_over)?;
    let up = screen.step("cluster", |step| {
        let log = place.log("test-up");
        let _ = std::fs::remove_file(&log);
        let inner = Screen::within(6, step, log.clone());
        let flags = up::Up {
            nodes: None,
            // What the promises are written for.
            size: Some(up::Size::Small),
            context: None,
            registry: None,
            take_over,
            cluster_only: false,
        };
        up::embedded(place, &flags, &inner).map_err(|_| Failure::new("./shop up fails").log(&log))?;
        Ok(((), "a shop is Ready and took an order".into()))
    });
    let mut verdicts = vec![("cluster", up.is_ok())];
    if up.is_ok() {
        let kept = screen.step("promises", |step| cargo::end_to_end(place, step));
        verdicts.push(("promises", kept.is_ok()));
        let fuzzed = screen.step("fuzz", |step| fuzz::short(place, step));
        verdicts.push(("fuzz", fuzzed.is_ok()));
        let back = screen.step("power cut", |step| soak::power_cut(place, step));
        verdicts.push(("power cut", back.is_ok()));
    }
    if ci {
        down::stop(place)?;
    }
    Ok(verdicts)
}

fn summary(verdicts: &[Verdict], screen: &Screen<'_>) -> Result<()> {
    let failed: Vec<&str> = verdicts
        .iter()
        .filter(|(_, passed)| !passed)
        .map(|(name, _)| *name)
        .collect();
    let time = screen::human(screen.elapsed());
    if failed.is_empty() {
        screen_line!("\nall {} passed ({time})", verdicts.len());
        return Ok(());
    }
    screen_line!(
        "\n{} of {} failed: {} ({time})",
        failed.len(),
        verdicts.len(),
        failed.join(", ")
    );
    Err(anyhow::anyhow!("checks failed").context(Told))
}
