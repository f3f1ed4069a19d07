//! The workspace's programs, compiled once per content.
//! In: the checkout and the programs' keys. Out: a folder per key in the cache, holding the program. A fresh clone with
//! a warm cache compiles nothing. The C library of this machine must not be newer than the base image's: the build of
//! the image checks that.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::recipe::Program;
use super::source;
use crate::command;
use crate::user;
use crate::workspace::Workspace;

/// Programs by name with the file that holds each.
pub type Programs = BTreeMap<&'static str, PathBuf>;

/// Compiles those that the cache lacks. Nothing is returned when somebody saved a source file since the keys were made.
pub fn ensure(
    checkout: &Path,
    cache: &Path,
    programs: &[Program],
    keys: &BTreeMap<&'static str, String>,
    log: &Path,
) -> Result<Option<Programs>> {
    let mut files = Programs::new();
    for program in programs {
        let key = keys
            .get(program.binary)
            .with_context(|| format!("no key for {}", program.binary))?;
        files.insert(program.binary, kept(cache, key, program.binary));
    }
    if files.values().all(|file| file.is_file()) {
        return Ok(Some(files));
    }
    let workspace = Workspace::of(checkout, cache)?;
    if source::program_keys(workspace.folder(), programs)? != *keys {
        return Ok(None);
    }
    command::logged(&mut cargo_build(&workspace, programs), log).context("the programs cannot be compiled")?;
    for (binary, file) in &files {
        keep(&workspace.released(binary), file)?;
    }
    Ok(Some(files))
}

/// Where the program with this key is kept.
pub fn kept(cache: &Path, key: &str, binary: &str) -> PathBuf {
    cache.join("images/programs").join(key).join(binary)
}

/// All programs, always: a subset would resolve features differently and compile the dependencies again.
fn cargo_build(workspace: &Workspace, programs: &[Program]) -> Command {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--release", "--locked"]);
    for program in programs {
        cargo.args(["--package", program.package, "--bin", program.binary]);
    }
    cargo
}

/// Copies beside the goal and renames, so that a half-written program never has the final name.
fn keep(built: &Path, kept: &Path) -> Result<()> {
    let folder = kept.parent().context("a program lies in a folder")?;
    user::make_folder(folder)?;
    let partial = tempfile::Builder::new()
        .prefix("partial-")
        .tempfile_in(folder)?
        .into_temp_path();
    std::fs::copy(built, &partial).with_context(|| format!("cargo built no {}", built.display()))?;
    partial
        .persist(kept)
        .with_context(|| format!("cannot write {}", kept.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::recipe;

    #[test]
    fn programs_that_are_kept_are_not_compiled() {
        let cache = tempfile::tempdir().unwrap();
        let programs: Vec<Program> = recipe::programs().collect();
        let keys: BTreeMap<_, _> = programs
            .iter()
            .map(|program| (program.binary, format!("key-of-{}", program.binary)))
            .collect();
        for (binary, key) in &keys {
            let folder = cache.path().join("images/programs").join(key);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(binary), "x").unwrap();
        }
        // No checkout there: starting cargo would fail.
        let found = ensure(
            Path::new("/nowhere"),
            cache.path(),
            &programs,
            &keys,
            Path::new("/nowhere/log"),
        )
        .unwrap();
        assert_eq!(found.map(|found| found.len()), Some(programs.len()));
    }
}
