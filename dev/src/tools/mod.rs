//! Programs of the embedded cluster, built from one pinned Go module and kept in the cache. One, so that all of them use
//! the same version of what they share and it is compiled once.
//! In: dev/tools/go.mod and go.sum. Out: paths of binaries; a binary's folder carries a digest of the pins, so that a
//! changed pin builds anew and two checkouts share what is equal.
//! Must not fetch anything but through the Go tool.

pub mod list;
pub mod python;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::command;
use crate::failure::Failure;
use crate::place::Place;
use crate::user;
use list::Tool;

/// Where a tool's binary is or will be.
pub fn path(place: &Place, tool: &Tool) -> Result<PathBuf> {
    let digest = digest(&module(place), tool)?;
    Ok(place.tools().join(format!("{}-{digest}", tool.name)).join(tool.name))
}

fn module(place: &Place) -> PathBuf {
    place.checkout.join("dev/tools")
}

/// The tools that are not built yet.
pub fn missing<'a>(place: &Place, tools: &[&'a Tool]) -> Result<Vec<&'a Tool>> {
    let mut missing = Vec::new();
    for tool in tools {
        if !path(place, tool)?.is_file() {
            missing.push(*tool);
        }
    }
    Ok(missing)
}

/// Builds one tool; an interrupted build leaves nothing that looks finished.
pub fn build(place: &Place, tool: &Tool, log: &Path) -> Result<()> {
    let target = path(place, tool)?;
    let folder = target.parent().context("a tool lies in a folder")?;
    user::make_folder(folder)?;
    let partial = folder.join(format!(".{}.partial", tool.name));
    let module = module(place);
    let mut go = user::command("go");
    go.current_dir(&module).env("CGO_ENABLED", "0");
    go.args([
        "build",
        "-mod=readonly",
        "-buildvcs=false",
        "-trimpath",
        "-tags",
        tool.tags,
        "-ldflags",
        &link_flags(tool, &version(place, tool)?),
    ]);
    go.arg("-o").arg(&partial).arg(tool.package);
    command::logged(&mut go, log).map_err(|error| match error.downcast::<Failure>() {
        Ok(failure) => failure
            .detail(format!("{} of dev/tools does not build", tool.package))
            .way_out("the Go proxy must be reachable (GOPROXY); then run the same command again")
            .into(),
        Err(other) => other,
    })?;
    std::fs::rename(&partial, &target).with_context(|| format!("cannot place {}", target.display()))
}

/// The version that is pinned of the module a tool comes from; empty for our own.
pub fn version(place: &Place, tool: &Tool) -> Result<String> {
    let file = module(place).join("go.mod");
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(version_in(&text, tool.package).unwrap_or_default())
}

/// The longest required module path that the package lies in.
fn version_in(go_mod: &str, package: &str) -> Option<String> {
    go_mod
        .lines()
        .map(|line| line.trim().trim_start_matches("require "))
        .filter(|line| !line.contains("=>"))
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (path, version) = (words.next()?, words.next()?);
            let inside = package == path || package.starts_with(&format!("{path}/"));
            (inside && version.starts_with('v')).then_some((path.len(), version.to_string()))
        })
        .max()
        .map(|(_, version)| version)
}

fn link_flags(tool: &Tool, version: &str) -> String {
    let mut flags = String::from("-s -w");
    let parts: Vec<&str> = version.trim_start_matches('v').split('.').collect();
    for variable in tool.version_variables {
        let value = match *variable {
            name if name.ends_with(".gitMajor") => parts.first().copied().unwrap_or_default(),
            name if name.ends_with(".gitMinor") => parts.get(1).copied().unwrap_or_default(),
            name if name.ends_with(".gitTreeState") => "clean",
            _ => version,
        };
        flags.push_str(&format!(" -X {variable}={value}"));
    }
    flags
}

fn digest(module: &Path, tool: &Tool) -> Result<String> {
    let mut hash = Sha256::new();
    for name in ["go.mod", "go.sum"] {
        hash.update(std::fs::read(module.join(name)).unwrap_or_default());
    }
    if tool.package.starts_with("./") {
        let source = module.join(tool.package).join("main.go");
        hash.update(std::fs::read(&source).with_context(|| format!("cannot read {}", source.display()))?);
    }
    hash.update(format!("{tool:?}"));
    Ok(hash
        .finalize()
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GO_MOD: &str = "module x\n\nrequire k8s.io/kubernetes v1.37.2\n\nrequire (\n\tgo.etcd.io/etcd/server/v3 v3.6.16 // indirect\n)\nreplace k8s.io/api => k8s.io/api v0.37.2\n";

    #[test]
    fn the_version_is_read_from_the_pins() {
        assert_eq!(
            version_in(GO_MOD, "k8s.io/kubernetes/cmd/kubelet").as_deref(),
            Some("v1.37.2")
        );
        assert_eq!(
            version_in(GO_MOD, "go.etcd.io/etcd/server/v3").as_deref(),
            Some("v3.6.16")
        );
        assert_eq!(version_in(GO_MOD, "./pause"), None);
    }

    #[test]
    fn kubernetes_programs_carry_their_version() {
        let flags = link_flags(&list::KUBELET, "v1.37.2");
        assert!(flags.contains("-X k8s.io/component-base/version.gitVersion=v1.37.2"));
        assert!(flags.contains("gitMinor=37"));
    }
}
