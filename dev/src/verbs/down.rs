//! `./shop down`: stops this checkout's cluster and proves that nothing is left. In: flags. Out: one line per step.

use std::path::Path;

use anyhow::Result;

use crate::cluster::{self, teardown};
use crate::command;
use crate::failure::Failure;
use crate::owner;
use crate::place::{FAR, Place};
use crate::screen::Screen;

#[derive(clap::Args, Debug)]
pub struct Down {
    /// Also delete this checkout's state and the cache of tools, images and build products
    #[arg(long)]
    pub purge: bool,
    /// Stop the cluster even if another checkout started it
    #[arg(long)]
    pub take_over: bool,
}

pub fn run(place: &Place, flags: &Down) -> Result<()> {
    let _lock = owner::lock(place, flags.take_over)?;
    owner::make_room(place, flags.take_over)?;
    let screen = Screen::new(if flags.purge { 2 } else { 1 });
    screen.step("cluster", |step| {
        step.say("stopping");
        let text = if stop(place)? {
            "stopped; ./shop up continues where it was"
        } else {
            "nothing was running"
        };
        Ok(((), text.to_string()))
    })?;
    if flags.purge {
        screen.step("purge", |step| {
            step.say("deleting");
            // A build store may hold mounts; they go first, or the deletion would reach through them.
            for folder in [place.state(), place.cache.clone(), place.far()] {
                delete(&folder)?;
            }
            // Unless another checkout has its nodes there.
            let _ = std::fs::remove_dir(FAR);
            Ok((
                (),
                format!("{} and {} deleted", place.state().display(), place.cache.display()),
            ))
        })?;
    }
    Ok(())
}

/// True when something was there to stop.
pub fn stop(place: &Place) -> Result<bool> {
    let records = cluster::records();
    let before = teardown::leftovers(&records, &place.state())?;
    teardown::everything(&records, &place.state())?;
    owner::release();
    let left = teardown::leftovers(&records, &place.state())?;
    if left.is_empty() {
        return Ok(!before.is_empty());
    }
    let mut failure =
        Failure::new("something is left").way_out("run ./shop down again; if it stays, restart the machine");
    failure.details = left;
    Err(failure.into())
}

fn delete(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    teardown::unmount_below(&[folder])?;
    let mut remove = std::process::Command::new("rm");
    command::output(remove.args(["-rf", "--one-file-system"]).arg(folder)).map(drop)
}
