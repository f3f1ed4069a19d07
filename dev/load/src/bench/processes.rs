//! CPU and memory of the shop's processes, read from /proc: those whose cgroup is a pod's. Named by program and, for a
//! service, by verb: `order` serves, `order work` works.

use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The kernel's unit of CPU time in /proc: 100 per second on every Linux there is (proc(5), sysconf(_SC_CLK_TCK)).
const TICK_MILLIS: f64 = 10.0;
const PAGE_KIB: f64 = 4.0;

#[derive(Clone, Debug, Serialize)]
pub struct Usage {
    pub process: String,
    pub mib: f64,
}

/// CPU milliseconds so far, by process.
pub fn cpu() -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::new();
    for process in in_pods() {
        *sums.entry(process.name).or_default() += process.cpu_millis;
    }
    sums
}

/// What was used between two looks, per `count`.
pub fn per(before: &BTreeMap<String, f64>, after: &BTreeMap<String, f64>, count: f64) -> BTreeMap<String, f64> {
    let used = |name: &String, millis: &f64| (millis - before.get(name).copied().unwrap_or(0.0)).max(0.0);
    after
        .iter()
        .map(|(name, millis)| (name.clone(), used(name, millis) / count.max(1.0)))
        .collect()
}

/// Resident memory of each process that is no database's.
pub fn memory() -> Vec<Usage> {
    let databases = [
        "postgres",
        "beam.smp",
        "valkey-server",
        "redis-server",
        "patroni",
        "python3",
    ];
    let shown = in_pods()
        .into_iter()
        .filter(|process| !databases.contains(&process.name.as_str()));
    let mut usages: Vec<Usage> = shown
        .map(|process| Usage {
            process: process.name,
            mib: process.mib,
        })
        .collect();
    usages.sort_by(|left, right| left.process.cmp(&right.process));
    usages
}

struct Process {
    name: String,
    cpu_millis: f64,
    mib: f64,
}

fn in_pods() -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbered = entries.filter(|entry| {
        entry
            .file_name()
            .to_string_lossy()
            .bytes()
            .all(|byte| byte.is_ascii_digit())
    });
    numbered.filter_map(|entry| read(&entry.path())).collect()
}

/// None for a process of nobody's pod, and for one that has just ended.
fn read(folder: &Path) -> Option<Process> {
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    if !text("cgroup")?.contains("pod") {
        return None;
    }
    let command = text("cmdline")?;
    let stat = text("stat")?;
    let name = named(&stat, &command)?;
    if name == "pause" {
        return None;
    }
    // After the name, which may hold anything: the 12th and 13th fields are user and system time.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    let pages: f64 = text("statm")?.split_whitespace().nth(1)?.parse().ok()?;
    Some(Process {
        name,
        cpu_millis: ticks * TICK_MILLIS,
        mib: pages * PAGE_KIB / 1024.0,
    })
}

fn named(stat: &str, command: &str) -> Option<String> {
    let program = stat.split_once('(')?.1.rsplit_once(')')?.0;
    let verb = command
        .split('\0')
        .nth(1)
        .filter(|verb| ["work", "serve"].contains(verb));
    Some(match verb {
        Some("work") => format!("{program} work"),
        _ => program.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_told_from_its_api() {
        let stat = "7 (order) S 1 1";
        assert_eq!(named(stat, "/usr/bin/order\0work\0").as_deref(), Some("order work"));
        assert_eq!(named(stat, "/usr/bin/order\0").as_deref(), Some("order"));
        assert_eq!(named("7 (a) (b) S", "x\0").as_deref(), Some("a) (b"));
    }

    #[test]
    fn differences_are_per_piece() {
        let (before, after) = (
            [("order".to_owned(), 100.0)].into(),
            [("order".to_owned(), 300.0), ("x".to_owned(), 50.0)].into(),
        );
        let per = per(&before, &after, 10.0);
        assert_eq!((per["order"], per["x"]), (20.0, 5.0));
    }
}
