//! Runs of cargo, each with its own log. Tests get a second chance, and the text says so when it was needed.

use std::num::NonZero;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::outcome::{self, Outcome};
use crate::command;
use crate::failure::Failure;
use crate::place::Place;
use crate::screen::Step;
use crate::workspace::Workspace;

/// A log that starts anew.
fn fresh_log(place: &Place, name: &str) -> PathBuf {
    let log = place.log(name);
    let _ = std::fs::remove_file(&log);
    log
}

pub fn format(place: &Place) -> Result<((), String)> {
    let log = fresh_log(place, "test-format");
    let workspace = Workspace::of(&place.checkout, &place.cache)?;
    command::logged(workspace.cargo().args(["fmt", "--all", "--check"]), &log).map_err(|_| {
        Failure::new("the code is not formatted")
            .way_out("cargo fmt --all")
            .log(&log)
    })?;
    Ok(((), "cargo fmt has nothing to change".into()))
}

pub fn clippy(place: &Place) -> Result<((), String)> {
    let log = fresh_log(place, "test-clippy");
    let args = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ];
    let workspace = Workspace::of(&place.checkout, &place.cache)?;
    command::logged(workspace.cargo().args(args), &log)
        .map_err(|_| Failure::new("clippy has something to say").log(&log))?;
    Ok(((), "no warning".into()))
}

/// Unit, snapshot, property, story and datastore tests of every crate but the end-to-end one.
pub fn unit(place: &Place, step: &Step<'_>) -> Result<((), String)> {
    let args = [
        "test",
        "--workspace",
        "--exclude",
        "shop-e2e",
        // All but documentation, which holds no test.
        "--all-targets",
        "--locked",
        "--no-fail-fast",
    ];
    step.say("compiling and running");
    let log = fresh_log(place, "test-unit");
    // Twice what cargo would take: they mostly wait for their servers.
    let threads = 2 * std::thread::available_parallelism().map_or(1, NonZero::get);
    let first = run(place, &args, &[("RUST_TEST_THREADS", threads.to_string().into())], &log)?;
    if first.failed.is_empty() && !first.broken {
        return Ok(((), format!("{} passed", first.passed)));
    }
    if first.broken || first.targets.is_empty() {
        return Err(Failure::new("the tests do not run to their end").log(&log).into());
    }
    step.say(&format!(
        "a second try, alone, as these failed: {}",
        outcome::names(&first.failed)
    ));
    let log = fresh_log(place, "test-unit-again");
    let mut second = Outcome {
        passed: first.passed,
        ..Outcome::default()
    };
    for target in &first.targets {
        let target = target.iter().map(String::as_str);
        let args: Vec<&str> = ["test", "--locked"]
            .into_iter()
            .chain(target)
            .chain(["--", "--exact"])
            .collect();
        second.add(run(place, &with_names(&args, &first), &[], &log)?);
    }
    verdict(&first, &second, &log)
}

/// Only the tests that failed.
fn with_names<'a>(args: &[&'a str], first: &'a Outcome) -> Vec<&'a str> {
    let names = first.failed.iter().map(String::as_str);
    args.iter().copied().chain(names).collect()
}

/// More threads than promises: each waits for its stage, not for a thread.
pub const ALL_AT_ONCE: &str = "--test-threads=64";

/// The promises; those that fail are tried alone once more.
pub fn end_to_end(place: &Place, step: &Step<'_>) -> Result<((), String)> {
    let envs = [
        ("KUBECONFIG", place.kubeconfig()),
        ("SHOP_CHECKOUT", place.checkout.clone()),
    ];
    let log = fresh_log(place, "test-e2e");
    step.say("compiling and running");
    let common = [
        "test",
        "--locked",
        "-p",
        "shop-e2e",
        "--no-fail-fast",
        "--",
        "--include-ignored",
        ALL_AT_ONCE,
    ];
    let first = run(place, &common, &envs, &log)?;
    if first.failed.is_empty() && !first.broken {
        return Ok(((), format!("{} promises kept", first.passed)));
    }
    if first.broken {
        return Err(Failure::new("the promises do not run to their end").log(&log).into());
    }
    step.say(&format!("a second try, alone: {}", outcome::names(&first.failed)));
    let again = fresh_log(place, "test-e2e-again");
    let exact: Vec<&str> = common.iter().copied().chain(["--exact"]).collect();
    let mut second = Outcome {
        passed: first.passed,
        ..Outcome::default()
    };
    second.add(run(place, &with_names(&exact, &first), &envs, &again)?);
    verdict(&first, &second, &again)
}

fn verdict(first: &Outcome, second: &Outcome, log: &Path) -> Result<((), String)> {
    if second.failed.is_empty() && !second.broken {
        return Ok((
            (),
            format!(
                "{} passed, these at the second try: {}",
                second.passed,
                outcome::names(&first.failed)
            ),
        ));
    }
    let what = if second.failed.is_empty() {
        "the second try does not run to its end".to_owned()
    } else {
        format!("failed twice: {}", outcome::names(&second.failed))
    };
    let mut failure = Failure::new(what).log(log);
    for line in &second.words {
        failure = failure.detail(line);
    }
    let once: Vec<_> = first.failed.difference(&second.failed).map(String::as_str).collect();
    if !once.is_empty() {
        failure = failure.detail(format!("passed at the second try: {}", once.join(", ")));
    }
    Err(failure.into())
}

/// One run of `cargo test`; a failing test is an outcome, not an error.
pub fn run(place: &Place, args: &[&str], envs: &[(&str, PathBuf)], log: &Path) -> Result<Outcome> {
    let workspace = Workspace::of(&place.checkout, &place.cache)?;
    let mut command = workspace.cargo();
    // A backtrace of a failed assertion says nothing that its message does not.
    command.args(args).env("RUST_BACKTRACE", "0");
    command.envs(envs.iter().map(|(name, value)| (name, value)));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(place.bin()).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(paths)?);
    let success = command::logged(&mut command, log).is_ok();
    let text = String::from_utf8_lossy(&std::fs::read(log)?).into_owned();
    Ok(outcome::read(&text, success))
}
