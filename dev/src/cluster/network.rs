//! One bridge, one network namespace and one cable per node, routes between the pod ranges.
//! Every step looks first and adds only what is missing. Cutting a node is its cable's host end set down.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::address::{BRIDGE, HOST, Node, RANGE};
use crate::command;

const TABLE: &str = "shop_operator";

fn ip(args: &[&str]) -> Result<String> {
    command::output(Command::new("ip").args(args))
}

fn link_exists(name: &str) -> bool {
    std::path::Path::new("/sys/class/net").join(name).exists()
}

/// The bridge with the host's address, forwarding, and a way out for image pulls of the nodes.
pub fn ensure_bridge() -> Result<()> {
    if !link_exists(BRIDGE) {
        ip(&["link", "add", BRIDGE, "type", "bridge"])?;
    }
    ip(&["addr", "replace", &format!("{HOST}/24"), "dev", BRIDGE])?;
    ip(&["link", "set", BRIDGE, "up"])?;
    set("net/ipv4/ip_forward", "1")?;
    // One machine holds the watches of several kubelets.
    at_least("fs/inotify/max_user_instances", 8192);
    at_least("fs/inotify/max_user_watches", 524_288);
    let _ = command::succeeds(Command::new("modprobe").arg("br_netfilter"));
    let rules = format!(
        "add table ip {TABLE}\nflush table ip {TABLE}\nadd chain ip {TABLE} way_out {{ type nat hook postrouting priority 100; }}\n\
         add rule ip {TABLE} way_out ip saddr {RANGE} ip daddr != {RANGE} masquerade\n"
    );
    command::output_with_input(Command::new("nft").args(["-f", "-"]), rules.as_bytes())?;
    allow(true);
    Ok(())
}

/// Chains of the machine's own rules that our packets pass, and on which side of them the bridge is: from node to node,
/// to the world and back, and to the API server and the registry.
const PASSAGES: &[(&str, &str)] = &[("FORWARD", "-i"), ("FORWARD", "-o"), ("INPUT", "-i")];

fn chain(name: &str) -> String {
    command::output(Command::new("nft").args(["list", "chain", "ip", "filter", name])).unwrap_or_default()
}

/// A container engine or a firewall beside us may drop what passes; only then is its chain touched, as asking iptables
/// makes a table where there was none.
fn allow(wanted: bool) {
    for (name, side) in PASSAGES {
        let rules = chain(name);
        if !rules.contains("policy drop") && !rules.contains(BRIDGE) {
            continue;
        }
        let rule = [name, side, BRIDGE, "-j", "ACCEPT"];
        let iptables = |verb: &str| command::succeeds(Command::new("iptables").args(["-w", verb]).args(rule));
        match (wanted, iptables("-C")) {
            (true, false) => {
                iptables("-I");
            }
            (false, true) => {
                iptables("-D");
            }
            (true, true) | (false, false) => {}
        }
    }
}

/// Namespace, cable and routes of a node; a cut cable is joined again.
pub fn ensure_node(node: Node, count: u8) -> Result<()> {
    let handle = node.handle();
    if !std::path::Path::new("/run/netns").join(&handle).exists() {
        ip(&["netns", "add", &handle])?;
    }
    if !link_exists(&handle) {
        ip(&[
            "link", "add", &handle, "type", "veth", "peer", "name", "eth0", "netns", &handle,
        ])?;
    }
    ip(&["link", "set", &handle, "master", BRIDGE, "up"])?;
    let inside = |args: &[&str]| ip(&[&["-n", handle.as_str()], args].concat());
    inside(&["addr", "replace", &format!("{}/24", node.address()), "dev", "eth0"])?;
    inside(&["link", "set", "lo", "up"])?;
    inside(&["link", "set", "eth0", "up"])?;
    inside(&["route", "replace", "default", "via", HOST])?;
    for other in Node::all(count).filter(|other| *other != node) {
        inside(&["route", "replace", &other.pods(), "via", &other.address()])?;
    }
    ip(&["route", "replace", &node.pods(), "via", &node.address()])?;
    let enter = format!("--net=/run/netns/{handle}");
    let setting = |name: &str| {
        command::succeeds(Command::new("nsenter").args([enter.as_str(), "sysctl", "-qw", &format!("{name}=1")]))
    };
    anyhow::ensure!(setting("net.ipv4.ip_forward"), "cannot turn on forwarding in {handle}");
    // Answers from a pod to its neighbour on the same node must pass the rules that rewrote the question.
    setting("net.bridge.bridge-nf-call-iptables");
    Ok(())
}

pub fn set_cable(node: Node, up: bool) -> Result<()> {
    ip(&["link", "set", &node.handle(), if up { "up" } else { "down" }]).map(drop)
}

/// Pulls the cables of a dead node's pods. The kernel takes its time to clear a namespace away, and until then it answers
/// under an address that a new pod may have by now.
pub fn unplug_pods(node: Node) -> Result<()> {
    let handle = node.handle();
    let inside = |args: &[&str]| ip(&[&["-n", handle.as_str()], args].concat());
    let text = inside(&["-json", "link", "show", "type", "bridge_slave"])?;
    let links: Value = serde_json::from_str(&text).unwrap_or_default();
    for cable in links
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|link| link["ifname"].as_str())
    {
        // One may be gone meanwhile.
        let _ = inside(&["link", "delete", cable]);
    }
    Ok(())
}

/// Whether the node's cable is there and up.
pub fn is_joined(node: Node) -> bool {
    let text = ip(&["-json", "link", "show", &node.handle()]).unwrap_or_default();
    let links: Value = serde_json::from_str(&text).unwrap_or_default();
    links[0]["flags"]
        .as_array()
        .is_some_and(|flags| flags.iter().any(|flag| flag == "UP"))
}

/// Removes everything of the kind, whichever checkout made it.
pub fn remove() -> Result<()> {
    for handle in namespaces()? {
        let _ = command::succeeds(Command::new("ip").args(["link", "delete", &handle]));
        ip(&["netns", "delete", &handle]).with_context(|| format!("the namespace {handle} stays"))?;
    }
    allow(false);
    if link_exists(BRIDGE) {
        ip(&["link", "delete", BRIDGE])?;
    }
    let _ = command::succeeds(Command::new("nft").args(["delete", "table", "ip", TABLE]));
    Ok(())
}

pub fn namespaces() -> Result<Vec<String>> {
    let listed = ip(&["netns", "list"])?;
    let names = listed.lines().filter_map(|line| line.split_whitespace().next());
    Ok(names
        .filter(|name| name.starts_with("shop-node"))
        .map(ToString::to_string)
        .collect())
}

/// What is still there of the bridge, in words.
pub fn left_of_bridge() -> Vec<String> {
    let rules = PASSAGES.iter().any(|(name, _)| chain(name).contains(BRIDGE));
    let found = [(link_exists(BRIDGE), "bridge"), (rules, "firewall rule for")];
    found
        .into_iter()
        .filter(|(there, _)| *there)
        .map(|(_, what)| format!("{what} {BRIDGE}"))
        .collect()
}

fn set(name: &str, value: &str) -> Result<()> {
    let file = format!("/proc/sys/{name}");
    if std::fs::read_to_string(&file).is_ok_and(|now| now.trim() == value) {
        return Ok(());
    }
    std::fs::write(&file, value).with_context(|| format!("cannot set {name} to {value}"))
}

/// Raises a limit of the machine; one that cannot be raised shows in the kubelet's log.
fn at_least(name: &str, value: u64) {
    let file = format!("/proc/sys/{name}");
    let now = std::fs::read_to_string(&file)
        .ok()
        .and_then(|text| text.trim().parse::<u64>().ok());
    if now.is_some_and(|now| now < value) {
        let _ = std::fs::write(&file, value.to_string());
    }
}
