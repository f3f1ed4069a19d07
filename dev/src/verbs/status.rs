//! `./shop status`: what runs, in a few lines. Reads only.

use anyhow::Result;

use crate::cluster::Cluster;
use crate::cluster::address::Node;
use crate::cluster::network;
use crate::kube;
use crate::owner;
use crate::place::Place;

pub fn run(place: &Place) -> Result<()> {
    let owner = owner::running(place)?;
    let cluster = Cluster::new(place, owner.nodes)?;
    let kube = Cluster::kube(place)?;
    let listed = kube.items(&["get", "nodes", "--request-timeout=5s"]);
    for node in Node::all(owner.nodes) {
        let name = node.name();
        let runs = if cluster.nodes()?.runs(node) {
            "running"
        } else {
            "stopped"
        };
        let cable = if network::is_joined(node) { "" } else { ", cut" };
        let frozen = if cluster.cgroups().frozen(&node.handle()) {
            ", frozen"
        } else {
            ""
        };
        let ready = match &listed {
            Ok(nodes) => nodes
                .iter()
                .any(|found| found["metadata"]["name"] == name.as_str() && kube::is_true(found, "Ready")),
            Err(_) => false,
        };
        screen_line!(
            "{name:<8} {:<10} {runs}{cable}{frozen}",
            if ready { "Ready" } else { "NotReady" }
        );
    }
    let shops = listed.and_then(|_| kube.run(&["get", "shop", "--all-namespaces", "--ignore-not-found"]));
    match shops {
        Ok(text) if text.trim().is_empty() => screen_line!("no shop"),
        Ok(text) => screen_text!("{text}"),
        Err(error) => screen_line!("{error}"),
    }
    Ok(())
}
