//! Takes the cluster away, whichever checkout made it: processes, mounts, cgroups, namespaces, bridge, rules.
//! Works from what is found on the machine, so that it also cleans up after an interrupted start.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::cgroup;
use super::network;
use crate::command;
use crate::place::{FAR, RUNTIME};
use crate::process::Records;

/// `state` is the `.shop` folder of the checkout that started the cluster.
pub fn everything(records: &Records, state: &Path) -> Result<()> {
    let cgroups = cgroup::detect()?;
    // etcd may write its last words; everything else is stopped the hard way, as a power cut would.
    records.stop("etcd", Duration::from_secs(5))?;
    for group in cgroups.ours() {
        cgroups.kill(&group)?;
    }
    for name in records.names() {
        records.stop(&name, Duration::ZERO)?;
    }
    unmount_below(&folders(state))?;
    for group in cgroups.ours() {
        cgroups.remove(&group)?;
    }
    network::remove()?;
    remove_runtime()?;
    remove_litter(state);
    Ok(())
}

/// Where nodes of whichever checkout keep anything.
fn folders(state: &Path) -> [&Path; 3] {
    [state, Path::new(RUNTIME), Path::new(FAR)]
}

/// What is still there; empty after `everything`.
pub fn leftovers(records: &Records, state: &Path) -> Result<Vec<String>> {
    let cgroups = cgroup::detect()?;
    let mut found: Vec<String> = records
        .names()
        .iter()
        .filter(|name| records.alive(name).is_some())
        .map(|name| format!("process {name}"))
        .collect();
    found.extend(cgroups.ours().into_iter().map(|group| format!("cgroup {group}")));
    found.extend(
        network::namespaces()?
            .into_iter()
            .map(|name| format!("network namespace {name}")),
    );
    found.extend(network::left_of_bridge());
    found.extend(
        mounts_below(&folders(state))?
            .into_iter()
            .map(|path| format!("mount {}", path.display())),
    );
    Ok(found)
}

pub fn unmount_below(folders: &[&Path]) -> Result<()> {
    // Mounts can lie on top of each other, so look again until none is left.
    for _ in 0..20 {
        let mounts = mounts_below(folders)?;
        if mounts.is_empty() {
            return Ok(());
        }
        for mount in mounts.iter().rev() {
            if !command::succeeds(Command::new("umount").arg(mount)) {
                command::succeeds(Command::new("umount").arg("--lazy").arg(mount));
            }
        }
    }
    let left = mounts_below(folders)?;
    anyhow::ensure!(
        left.is_empty(),
        "{} mounts stay, first {}",
        left.len(),
        left[0].display()
    );
    Ok(())
}

fn mounts_below(folders: &[&Path]) -> Result<Vec<PathBuf>> {
    let table = std::fs::read_to_string("/proc/self/mountinfo").context("the mounts cannot be read")?;
    Ok(mounts_in(&table, folders))
}

fn mounts_in(table: &str, folders: &[&Path]) -> Vec<PathBuf> {
    let points = table
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(|point| PathBuf::from(unescape(point)));
    points
        .filter(|point| folders.iter().any(|folder| point.starts_with(folder)))
        .collect()
}

/// The kernel writes space, tab, newline and backslash as three octal digits.
fn unescape(text: &str) -> String {
    text.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\")
}

/// Everything of the last run but the lock, which whoever calls this holds.
fn remove_runtime() -> Result<()> {
    for entry in std::fs::read_dir(RUNTIME).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let path = entry.path();
            std::fs::remove_dir_all(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Small files outside our folders that the kubelet and the pod network write.
fn remove_litter(state: &Path) {
    let entries = |folder: &str| {
        std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
    };
    for link in entries("/var/log/containers") {
        let ours =
            std::fs::read_link(&link).is_ok_and(|to| to.starts_with(state) || to.starts_with(FAR) || !to.exists());
        if ours {
            let _ = std::fs::remove_file(link);
        }
    }
    for result in entries("/var/lib/cni/results") {
        if result
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("shop-"))
        {
            let _ = std::fs::remove_file(result);
        }
    }
    for socket in entries("/run/containerd/s") {
        if std::os::unix::net::UnixStream::connect(&socket).is_err() {
            let _ = std::fs::remove_file(socket);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_mounts_below_our_folders_are_ours() {
        let table = "1 0 8:1 / / rw - ext4 x rw\n2 1 0:9 / /a/.shop/nodes/my\\040vol rw - tmpfs t rw\n3 1 0:9 / /a/.shopping rw - tmpfs t rw\n";
        assert_eq!(
            mounts_in(table, &[Path::new("/a/.shop")]),
            [PathBuf::from("/a/.shop/nodes/my vol")]
        );
    }
}
