//! Questions to the cluster's registry over its HTTP interface. Must not push: buildah does.

use std::process::Command;

use super::address::REGISTRY;
use crate::command;

pub fn answers() -> bool {
    command::succeeds(curl("2").arg(format!("http://{REGISTRY}/v2/")))
}

/// Whether `REGISTRY/name:tag` is there.
pub fn has(name: &str, tag: &str) -> bool {
    let accept = "Accept: application/vnd.oci.image.manifest.v1+json";
    let url = format!("http://{REGISTRY}/v2/{name}/manifests/{tag}");
    command::succeeds(curl("5").args(["-I", "-H", accept, &url]))
}

/// Older ones than 7.86 know no address ranges in NO_PROXY.
fn curl(seconds: &str) -> Command {
    let mut curl = Command::new("curl");
    curl.args(["-fsS", "--noproxy", "*", "-m", seconds]);
    curl
}
