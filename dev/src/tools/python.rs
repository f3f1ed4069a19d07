//! A Python tool in an environment of its own in the cache. In: a folder with requirements.txt, every package pinned by
//! version and digest. Out: the folder with its programs; its name carries a digest of the pins, so that a changed pin
//! builds anew. Must not touch the system's packages, nor take a half-built environment for a finished one.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::command;
use crate::failure::Failure;
use crate::place::Place;
use crate::user;

/// Debian's own: a newer one on the PATH may have no packages built for it yet.
const PYTHON: &str = "/usr/bin/python3";
const FINISHED: &str = "finished";

/// The programs of `name`, installed when they are not there yet.
pub fn ensure(place: &Place, name: &str, folder: &Path, log: &Path) -> Result<PathBuf> {
    let pins = folder.join("requirements.txt");
    let text = std::fs::read(&pins).with_context(|| format!("cannot read {}", pins.display()))?;
    let home = place.tools().join(format!("{name}-{}", digest(&text)));
    if home.join(FINISHED).is_file() {
        return Ok(home.join("bin"));
    }
    // Its programs know their absolute path, so it cannot be built elsewhere and moved.
    if home.exists() {
        std::fs::remove_dir_all(&home).with_context(|| format!("cannot remove {}", home.display()))?;
    }
    user::make_folder(&place.tools())?;
    command::logged(user::command(PYTHON).args(["-m", "venv"]).arg(&home), log).map_err(|error| {
        way_out(
            error,
            "Debian's package python3-venv is needed, with Python 3.11 or newer",
        )
    })?;
    let mut install = user::command(home.join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    // Nothing is compiled here, and nothing runs that is not the pinned file.
    install
        .args(["--require-hashes", "--only-binary", ":all:", "--requirement"])
        .arg(&pins);
    command::logged(&mut install, log).map_err(|error| {
        way_out(
            error,
            "a Python package index must be reachable; then run the same command again",
        )
    })?;
    std::fs::write(home.join(FINISHED), "").with_context(|| format!("cannot write to {}", home.display()))?;
    Ok(home.join("bin"))
}

fn way_out(error: anyhow::Error, way: &str) -> anyhow::Error {
    match error.downcast::<Failure>() {
        Ok(failure) => failure.way_out(way).into(),
        Err(other) => other,
    }
}

fn digest(pins: &[u8]) -> String {
    Sha256::digest(pins)
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_finished_is_taken_as_it_is_and_other_pins_lie_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place {
            checkout: folder.path().to_path_buf(),
            cache: folder.path().join("cache"),
        };
        std::fs::write(folder.path().join("requirements.txt"), "a==1\n").unwrap();
        let home = place.tools().join(format!("t-{}", digest(b"a==1\n")));
        std::fs::create_dir_all(&home).unwrap();
        std::fs::write(home.join(FINISHED), "").unwrap();
        let found = ensure(&place, "t", folder.path(), &folder.path().join("log")).unwrap();
        assert_eq!(found, home.join("bin"));
        assert_ne!(digest(b"a==1\n"), digest(b"a==2\n"));
    }
}
