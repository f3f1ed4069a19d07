//! Questions to the cluster's registry over its HTTP interface. Must not push: buildah does.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::address::REGISTRY;
use crate::command;
use crate::failure::Failure;
use crate::wait::{self, Look};

pub fn wait_until_serving(log: &std::path::Path) -> Result<()> {
    let look = || {
        let answers =
            command::succeeds(Command::new("curl").args(["-fsS", "-m", "2", &format!("http://{REGISTRY}/v2/")]));
        Ok(if answers {
            Look::Ready(())
        } else {
            Look::NotYet(format!("{REGISTRY} does not answer"))
        })
    };
    wait::until("registry", Duration::from_secs(30), Duration::from_millis(100), look)
        .map_err(|error| Failure::new(error.to_string()).log(log).into())
}

/// Whether `REGISTRY/name:tag` is there.
pub fn has(name: &str, tag: &str) -> bool {
    let accept = "Accept: application/vnd.oci.image.manifest.v1+json";
    let url = format!("http://{REGISTRY}/v2/{name}/manifests/{tag}");
    command::succeeds(Command::new("curl").args(["-fsS", "-m", "5", "-I", "-H", accept, &url]))
}
