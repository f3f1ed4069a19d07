//! Images of the cluster's own parts: nothing but one static program each, on an empty base.
//! In: built tools. Out: references in the cluster's registry, tagged with the digest of the program's pins.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::address::REGISTRY;
use super::registry;
use crate::command;
use crate::place::Place;
use crate::tools::{self, list, list::Tool};

/// References by tool name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddonImages {
    pub pause: String,
    pub volume: String,
    pub coredns: String,
    pub metrics_server: String,
    pub local_path: String,
}

impl AddonImages {
    pub fn references(place: &Place) -> Result<AddonImages> {
        let reference =
            |tool: &Tool| Ok::<_, anyhow::Error>(format!("{REGISTRY}/{}:{}", name(tool), tag(place, tool)?));
        Ok(AddonImages {
            pause: reference(&list::PAUSE)?,
            volume: reference(&list::VOLUME)?,
            coredns: reference(&list::COREDNS)?,
            metrics_server: reference(&list::METRICS_SERVER)?,
            local_path: reference(&list::LOCAL_PATH)?,
        })
    }

    /// Builds and pushes what the registry does not have.
    pub fn ensure(place: &Place, log: &Path) -> Result<AddonImages> {
        let tools = [
            &list::PAUSE,
            &list::VOLUME,
            &list::COREDNS,
            &list::METRICS_SERVER,
            &list::LOCAL_PATH,
        ];
        for tool in tools {
            if !registry::has(&name(tool), &tag(place, tool)?) {
                push(place, tool, log).with_context(|| format!("the image of {} cannot be made", tool.name))?;
            }
        }
        Self::references(place)
    }
}

fn name(tool: &Tool) -> String {
    format!("cluster/{}", tool.name)
}

/// The last part of the tool's folder name is its digest.
fn tag(place: &Place, tool: &Tool) -> Result<String> {
    let path = tools::path(place, tool)?;
    let folder = path
        .parent()
        .and_then(Path::file_name)
        .context("a tool lies in a folder")?
        .to_string_lossy();
    Ok(folder.rsplit('-').next().unwrap_or_default().to_string())
}

fn push(place: &Place, tool: &Tool, log: &Path) -> Result<()> {
    let program = tools::path(place, tool)?;
    let folder = tempfile::tempdir()?;
    let inside = format!("/usr/bin/{}", tool.name);
    std::fs::copy(&program, folder.path().join(tool.name))?;
    let recipe = format!(
        "FROM scratch\nCOPY {} {inside}\nUSER 65532:65532\nENTRYPOINT [\"{inside}\"]\n",
        tool.name
    );
    std::fs::write(folder.path().join("Containerfile"), recipe)?;
    let reference = format!("{REGISTRY}/{}:{}", name(tool), tag(place, tool)?);
    let store = place.cache.join("addon-images");
    let buildah = |verb: &str| {
        let mut command = Command::new("buildah");
        command
            .args(["--storage-driver", "vfs", "--root"])
            .arg(store.join("root"));
        command.arg("--runroot").arg(store.join("run")).arg(verb);
        command
    };
    let mut build = buildah("build");
    build
        .args([
            "--isolation",
            "chroot",
            "--format",
            "oci",
            "--timestamp",
            "0",
            "--tag",
            &reference,
        ])
        .arg(folder.path());
    command::logged(&mut build, log)?;
    command::logged(buildah("push").args(["--tls-verify=false", &reference]), log)?;
    // The registry keeps it; the local copy is only in the way.
    command::logged(buildah("rmi").args(["--force", &reference]), log)
}
