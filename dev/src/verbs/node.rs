//! `./shop node …`: the faults that drills need, on one node of the embedded cluster.
//! In: a verb and a node's name. Out: the fault, or its end. Must not touch any other node.

use anyhow::{Context, Result};

use crate::cluster::address::Node;
use crate::cluster::{Cluster, network, teardown};
use crate::owner;
use crate::place::Place;

#[derive(clap::Args, Debug)]
pub struct NodeArgs {
    #[command(subcommand)]
    pub fault: Fault,
}

#[derive(clap::Subcommand, Debug)]
pub enum Fault {
    /// Pull the network cable
    Cut { node: String },
    /// Plug the network cable in again
    Heal { node: String },
    /// Stop every process of the node and its pods where it stands
    Freeze { node: String },
    /// Let them go on
    Thaw { node: String },
    /// Kill every process of the node and its pods at once, as a power cut would
    Kill { node: String },
    /// Start a killed node
    Start { node: String },
}

pub fn run(place: &Place, fault: &Fault) -> Result<()> {
    let owner = owner::running(place)?;
    let cluster = Cluster::new(place, owner.nodes)?;
    let find = |name: &str| {
        Node::named(name, owner.nodes)
            .with_context(|| format!("there is no node {name}: they are node1 to node{}", owner.nodes))
    };
    let text = match fault {
        Fault::Cut { node } => {
            network::set_cable(find(node)?, false)?;
            format!("{node} is cut off")
        }
        Fault::Heal { node } => {
            network::set_cable(find(node)?, true)?;
            format!("{node} is joined again")
        }
        Fault::Freeze { node } => {
            cluster.cgroups().freeze(&find(node)?.handle(), true)?;
            format!("{node} is frozen")
        }
        Fault::Thaw { node } => {
            cluster.cgroups().freeze(&find(node)?.handle(), false)?;
            format!("{node} goes on")
        }
        Fault::Kill { node } => {
            kill(place, &cluster, find(node)?)?;
            format!("{node} is dead")
        }
        Fault::Start { node } => {
            cluster.start_node(find(node)?)?;
            format!("{node} is Ready")
        }
    };
    screen_line!("{text}");
    Ok(())
}

/// With what lay in memory: what runs, and which pod has which address.
pub fn kill(place: &Place, cluster: &Cluster<'_>, node: Node) -> Result<()> {
    cluster.cgroups().kill(&node.handle())?;
    network::unplug_pods(node)?;
    let memory = place.node_runtime(&node.name());
    teardown::unmount_below(&[&memory])?;
    std::fs::remove_dir_all(&memory).with_context(|| format!("cannot remove {}", memory.display()))
}
