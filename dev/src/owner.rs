//! Whose cluster runs on this machine, and who works on it right now.
//! The lock is held while a verb changes something; the owner's record stays as long as the cluster does.
//! In: this checkout. Out: permission, or an error that names the other checkout and the way out.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::cluster::{self, teardown};
use crate::failure::Failure;
use crate::place::{Place, RUNTIME};
use crate::process;
use crate::wait::{self, Look};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub checkout: PathBuf,
    pub nodes: u8,
}

#[derive(Debug, Serialize, Deserialize)]
struct Worker {
    checkout: PathBuf,
    /// Of its front, which is the one to signal.
    pid: i32,
    started: u64,
}

/// Held until dropped.
pub struct Lock {
    _file: File,
}

fn owner_file() -> PathBuf {
    Path::new(RUNTIME).join("owner.json")
}

/// The checkout whose cluster runs, if any.
pub fn current() -> Option<Owner> {
    let text = std::fs::read(owner_file()).ok()?;
    serde_json::from_slice(&text).ok()
}

pub fn claim(place: &Place, nodes: u8) -> Result<()> {
    let owner = Owner {
        checkout: place.checkout.clone(),
        nodes,
    };
    std::fs::write(owner_file(), serde_json::to_vec(&owner)?).context("the owner's record cannot be written")
}

pub fn release() {
    let _ = std::fs::remove_file(owner_file());
}

/// Waits for nobody: either we are the only one at work, or the error says who is.
pub fn lock(place: &Place, take_over: bool) -> Result<Lock> {
    std::fs::create_dir_all(RUNTIME).with_context(|| format!("{RUNTIME} cannot be made: are you root?"))?;
    let path = Path::new(RUNTIME).join("lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .with_context(|| format!("{} cannot be written: are you root?", path.display()))?;
    if let Some(worker) = try_lock(&mut file)? {
        if !take_over {
            return Err(
                Failure::new(format!("another ./shop is at work (process {})", worker.pid))
                    .detail(format!("it belongs to {}", worker.checkout.display()))
                    .way_out("wait for it, or stop it with --take-over")
                    .into(),
            );
        }
        if process::start_time(worker.pid) == Some(worker.started) {
            process::signal(worker.pid, "TERM");
        }
        wait::until(
            "the other ./shop to end",
            Duration::from_secs(30),
            Duration::from_millis(100),
            || {
                Ok(match try_lock(&mut file)? {
                    None => Look::Ready(()),
                    Some(worker) => Look::NotYet(format!("process {} still holds the lock", worker.pid)),
                })
            },
        )?;
    }
    let pid = i32::try_from(std::os::unix::process::parent_id()).context("pid out of range")?;
    let started = process::start_time(pid).context("own front not found in /proc")?;
    let me = Worker {
        checkout: place.checkout.clone(),
        pid,
        started,
    };
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&serde_json::to_vec(&me)?)?;
    Ok(Lock { _file: file })
}

/// None when the lock is ours now, else who has it.
fn try_lock(file: &mut File) -> Result<Option<Worker>> {
    match file.try_lock() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            file.rewind()?;
            file.read_to_string(&mut text)?;
            let unknown = Worker {
                checkout: PathBuf::from("a checkout that did not leave its name"),
                pid: 0,
                started: 0,
            };
            Ok(Some(serde_json::from_str(&text).unwrap_or(unknown)))
        }
        Err(TryLockError::Error(error)) => Err(error).context("the lock cannot be taken"),
    }
}

/// Makes sure that no other checkout's cluster is in the way.
pub fn make_room(place: &Place, take_over: bool) -> Result<()> {
    match current() {
        Some(owner) if owner.checkout != place.checkout => {
            if !take_over {
                return Err(Failure::new("a cluster of another checkout runs on this machine")
                    .detail(format!("it belongs to {}", owner.checkout.display()))
                    .way_out(format!(
                        "{}/shop down, or --take-over to stop it from here",
                        owner.checkout.display()
                    ))
                    .into());
            }
            teardown::everything(&cluster::records(), &owner.checkout.join(".shop"))?;
            release();
            Ok(())
        }
        _ => Ok(()),
    }
}

/// For verbs that look at or disturb a running cluster.
pub fn running(place: &Place) -> Result<Owner> {
    match current() {
        Some(owner) if owner.checkout == place.checkout => Ok(owner),
        Some(owner) => bail!("the running cluster belongs to {}", owner.checkout.display()),
        None => Err(Failure::new("no cluster runs here").way_out("./shop up").into()),
    }
}
