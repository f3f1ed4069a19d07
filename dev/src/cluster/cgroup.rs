//! Cgroups of the cluster, under version 1 and version 2 alike: one for the control plane, one per node.
//! A node's daemons and pods all lie below its group, which makes "stop everything of node2" exact.
//! Under version 1 daemons join the freezer hierarchy only; pods lie in all of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process;
use crate::wait::{self, Look};

const ROOT: &str = "/sys/fs/cgroup";

/// Every group of ours begins so.
pub const PREFIX: &str = "shop-";

#[derive(Debug, PartialEq, Eq)]
pub enum Cgroups {
    V1 { hierarchies: Vec<PathBuf> },
    V2 { root: PathBuf },
}

pub fn detect() -> Result<Cgroups> {
    detect_at(Path::new(ROOT))
}

fn detect_at(root: &Path) -> Result<Cgroups> {
    if root.join("cgroup.controllers").is_file() {
        return Ok(Cgroups::V2 {
            root: root.to_path_buf(),
        });
    }
    let mut hierarchies: Vec<PathBuf> = std::fs::read_dir(root)
        .with_context(|| format!("{} cannot be read: no cgroups are mounted", root.display()))?
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()) && entry.file_name() != "unified")
        .map(|entry| entry.path())
        .filter(|path| path.join("cgroup.procs").is_file())
        .collect();
    hierarchies.sort();
    anyhow::ensure!(
        root.join("freezer").is_dir(),
        "the freezer cgroup is not mounted under {}",
        root.display()
    );
    Ok(Cgroups::V1 { hierarchies })
}

impl Cgroups {
    /// Everywhere a group can be: beside version 1 hierarchies, runc makes groups in an empty version 2 one too.
    fn roots(&self) -> Vec<PathBuf> {
        match self {
            Cgroups::V1 { hierarchies } => hierarchies
                .iter()
                .cloned()
                .chain([Path::new(ROOT).join("unified")])
                .collect(),
            Cgroups::V2 { root } => vec![root.clone()],
        }
    }

    /// The hierarchy in which every process of a group is found.
    fn tracking(&self, group: &str) -> PathBuf {
        match self {
            Cgroups::V1 { .. } => Path::new(ROOT).join("freezer").join(group),
            Cgroups::V2 { root } => root.join(group),
        }
    }

    /// Makes the group in every hierarchy; its file for daemons to join is returned.
    pub fn ensure(&self, group: &str) -> Result<PathBuf> {
        match self {
            Cgroups::V1 { hierarchies } => {
                for hierarchy in hierarchies {
                    make(&hierarchy.join(group))?;
                    // A cpuset without CPUs and memory nodes accepts no process.
                    for file in ["cpuset.cpus", "cpuset.mems"] {
                        if let Ok(value) = std::fs::read(hierarchy.join(file)) {
                            std::fs::write(hierarchy.join(group).join(file), value)?;
                        }
                    }
                }
            }
            Cgroups::V2 { root } => {
                make(&root.join(group))?;
                delegate(root)?;
                delegate(&root.join(group))?;
            }
        }
        let host = self.tracking(group).join("host");
        make(&host)?;
        Ok(host.join("cgroup.procs"))
    }

    pub fn freeze(&self, group: &str, frozen: bool) -> Result<()> {
        let folder = self.tracking(group);
        let (file, value) = match (self, frozen) {
            (Cgroups::V1 { .. }, true) => ("freezer.state", "FROZEN"),
            (Cgroups::V1 { .. }, false) => ("freezer.state", "THAWED"),
            (Cgroups::V2 { .. }, true) => ("cgroup.freeze", "1"),
            (Cgroups::V2 { .. }, false) => ("cgroup.freeze", "0"),
        };
        std::fs::write(folder.join(file), value).with_context(|| format!("cannot set {file} of {group}"))
    }

    pub fn frozen(&self, group: &str) -> bool {
        let folder = self.tracking(group);
        let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap_or_default();
        match self {
            Cgroups::V1 { .. } => !read("freezer.state").starts_with("THAWED") && folder.exists(),
            Cgroups::V2 { .. } => read("cgroup.freeze").trim() == "1",
        }
    }

    /// All processes of a group and the groups below it.
    pub fn pids(&self, group: &str) -> Vec<i32> {
        let mut found = Vec::new();
        for folder in below(&self.tracking(group)) {
            let text = std::fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
            found.extend(text.lines().filter_map(|line| line.parse::<i32>().ok()));
        }
        found
    }

    /// Kills every process of the group. A frozen group is thawed, as its processes could not die otherwise.
    pub fn kill(&self, group: &str) -> Result<()> {
        if !self.tracking(group).exists() {
            return Ok(());
        }
        let what = format!("processes of {group}");
        wait::until(&what, Duration::from_secs(30), Duration::from_millis(100), || {
            let pids = self.pids(group);
            if pids.is_empty() {
                return Ok(Look::Ready(()));
            }
            for pid in &pids {
                process::signal(*pid, "KILL");
            }
            self.freeze(group, false)?;
            Ok(Look::NotYet(format!("{} left, first {}", pids.len(), pids[0])))
        })
    }

    /// Removes an empty group with all groups below it.
    pub fn remove(&self, group: &str) -> Result<()> {
        for root in self.roots() {
            let folder = root.join(group);
            let what = folder.display().to_string();
            wait::until(&what, Duration::from_secs(10), Duration::from_millis(100), || {
                for child in below(&folder).iter().rev() {
                    let _ = std::fs::remove_dir(child);
                }
                Ok(if folder.exists() {
                    Look::NotYet("busy".into())
                } else {
                    Look::Ready(())
                })
            })?;
        }
        Ok(())
    }

    /// Names of our groups that exist in any hierarchy.
    pub fn ours(&self) -> Vec<String> {
        let entries = self
            .roots()
            .into_iter()
            .filter_map(|root| std::fs::read_dir(root).ok())
            .flatten()
            .flatten();
        let mut names: Vec<String> = entries
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.starts_with(PREFIX))
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

fn make(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the cgroup {}", folder.display()))
}

/// Version 2: lets child groups use every controller there is.
fn delegate(group: &Path) -> Result<()> {
    for controller in std::fs::read_to_string(group.join("cgroup.controllers"))?.split_whitespace() {
        // Some controllers cannot be delegated on some machines; the kubelet names the one it misses.
        let _ = std::fs::write(group.join("cgroup.subtree_control"), format!("+{controller}"));
    }
    Ok(())
}

/// The folder and all folders below it, parents first.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        let children = std::fs::read_dir(&next).into_iter().flatten().flatten();
        open.extend(
            children
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                .map(|entry| entry.path()),
        );
        if next.exists() {
            found.push(next);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_told_apart() {
        let root = tempfile::tempdir().unwrap();
        for name in ["freezer", "cpu", "unified"] {
            std::fs::create_dir(root.path().join(name)).unwrap();
            std::fs::write(root.path().join(name).join("cgroup.procs"), "").unwrap();
        }
        let cgroups = detect_at(root.path()).unwrap();
        assert_eq!(
            cgroups,
            Cgroups::V1 {
                hierarchies: vec![root.path().join("cpu"), root.path().join("freezer")]
            }
        );
        std::fs::write(root.path().join("cgroup.controllers"), "cpu").unwrap();
        assert_eq!(
            detect_at(root.path()).unwrap(),
            Cgroups::V2 {
                root: root.path().to_path_buf()
            }
        );
    }

    #[test]
    fn folders_are_listed_parents_first() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("a/b")).unwrap();
        assert_eq!(
            below(root.path()),
            [
                root.path().to_path_buf(),
                root.path().join("a"),
                root.path().join("a/b")
            ]
        );
    }
}
