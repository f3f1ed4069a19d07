//! The embedded cluster: a control plane on the host and nodes in network namespaces.
//! In: built tools and images in the registry. Out: a cluster whose nodes are Ready and whose services are available.
//! Every function may be called again at any time; what is there and right is left alone.

pub mod addon_images;
pub mod addons;
pub mod address;
pub mod cgroup;
pub mod control_plane;
pub mod network;
pub mod node;
pub mod node_config;
pub mod pki;
pub mod registry;
pub mod teardown;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::command;
use crate::failure::Failure;
use crate::kube::{self, Kube};
use crate::place::{Place, RUNTIME};
use crate::process::{self, Daemon, Record, Records};
use crate::tools::{self, list, list::Tool};
use crate::wait::{self, Look};
use addon_images::AddonImages;
use address::{API_PORT, CONTROLLER_MANAGER_PORT, ETCD_CLIENT, ETCD_PORT, Node, REGISTRY_PORT, SCHEDULER_PORT};
use cgroup::Cgroups;
use node::Nodes;
use node_config::Machine;

pub fn records() -> Records {
    Records {
        folder: Path::new(RUNTIME).join("processes"),
    }
}

pub struct Cluster<'a> {
    pub place: &'a Place,
    pub count: u8,
    records: Records,
    cgroups: Cgroups,
}

impl<'a> Cluster<'a> {
    pub fn new(place: &'a Place, count: u8) -> Result<Cluster<'a>> {
        Ok(Cluster {
            place,
            count,
            records: records(),
            cgroups: cgroup::detect()?,
        })
    }

    pub fn kube(place: &Place) -> Result<Kube> {
        Ok(Kube {
            kubectl: tools::path(place, &list::KUBECTL)?,
            helm: tools::path(place, &list::HELM)?,
            kubeconfig: Some(place.kubeconfig()),
            context: None,
        })
    }

    /// The registry, which the images step needs before there is a cluster.
    pub fn start_registry(&self) -> Result<()> {
        network::ensure_bridge()?;
        let join = self.cgroups.ensure(control_plane::GROUP)?;
        self.start(&control_plane::registry(self.place, &join)?)?;
        self.wait_for(&list::REGISTRY, REGISTRY_PORT, &registry::answers)
    }

    fn start(&self, daemon: &Daemon) -> Result<()> {
        self.records.ensure(daemon, &self.place.log(&daemon.name)).map(drop)
    }

    /// Everything up to Ready nodes.
    pub fn start_nodes_and_control_plane(&self, progress: &dyn Fn(&str)) -> Result<()> {
        progress("certificates");
        pki::ensure(&self.place.pki(), &self.place.log("pki"))?;
        pki::write_admin_kubeconfig(&self.place.kubeconfig(), &self.place.pki())?;
        let join = self.cgroups.ensure(control_plane::GROUP)?;
        progress("etcd");
        self.start(&control_plane::etcd(self.place, &join)?)?;
        self.wait_for(&list::ETCD, ETCD_PORT, &|| {
            command::succeeds(Command::new("curl").args(["-fsS", "-m", "2", &format!("{ETCD_CLIENT}/health")]))
        })?;
        progress("API server");
        std::fs::write(control_plane::audit_policy(self.place), control_plane::AUDIT_POLICY)?;
        // Made by the API server it would be root's alone.
        command::open_log(&self.place.log("audit"))?;
        self.start(&control_plane::api_server(self.place, &join)?)?;
        let nodes = self.nodes()?;
        for node in Node::all(self.count) {
            nodes.start_runtime(node)?;
        }
        let kube = Self::kube(self.place)?;
        self.wait_for(&list::API_SERVER, API_PORT, &|| kube.ready())?;
        self.start(&control_plane::controller_manager(self.place, &join)?)?;
        self.start(&control_plane::scheduler(self.place, &join)?)?;
        // A node that was Ready when the cluster stopped still says so; only a report after the start counts.
        let since = now();
        let mut restarted = false;
        for node in Node::all(self.count) {
            restarted |= nodes.start_kubelet(node)?;
        }
        self.wait_for(&list::CONTROLLER_MANAGER, CONTROLLER_MANAGER_PORT, &|| true)?;
        self.wait_for(&list::SCHEDULER, SCHEDULER_PORT, &|| true)?;
        let all: Vec<Node> = Node::all(self.count).collect();
        self.wait_until_ready(&all, &kube, &nodes, restarted.then_some(since.as_str()), progress)
    }

    /// One node that was dead, up to Ready.
    pub fn start_node(&self, node: Node) -> Result<()> {
        let nodes = self.nodes()?;
        nodes.start_runtime(node)?;
        let since = now();
        let restarted = nodes.start_kubelet(node)?;
        let kube = Self::kube(self.place)?;
        self.wait_until_ready(&[node], &kube, &nodes, restarted.then_some(since.as_str()), &|_| ())
    }

    /// DNS, metrics, volumes.
    pub fn start_services(&self, progress: &dyn Fn(&str)) -> Result<()> {
        progress("cluster services");
        let kube = Self::kube(self.place)?;
        addons::ensure(self.place, &kube, &AddonImages::references(self.place)?)?;
        addons::wait_until_available(self.place, &kube)
    }

    pub fn nodes(&self) -> Result<Nodes<'_>> {
        Ok(Nodes {
            place: self.place,
            records: &self.records,
            cgroups: &self.cgroups,
            count: self.count,
            pause_image: AddonImages::references(self.place)?.pause,
            machine: machine()?,
        })
    }

    pub fn cgroups(&self) -> &Cgroups {
        &self.cgroups
    }

    /// Waits until a daemon of the host serves its port, it and nobody else; when it ends, that is said at once.
    fn wait_for(&self, tool: &Tool, port: u16, answers: &dyn Fn() -> bool) -> Result<()> {
        let name = tool.name;
        let log = self.place.log(name);
        wait::until(name, Duration::from_secs(60), Duration::from_millis(200), || {
            let record = self.alive(name).map_err(|failure| in_the_way(failure, port))?;
            Ok(if process::listens(record.pid, port) && answers() {
                Look::Ready(())
            } else {
                Look::NotYet(format!("it does not answer on port {port}"))
            })
        })
        .map_err(|error| match error.downcast::<Failure>() {
            Ok(failure) => failure.log(&log).into(),
            Err(other) => other,
        })
    }

    fn alive(&self, name: &str) -> Result<Record, Failure> {
        let ended = || Failure::new(format!("{name} ended")).log(self.place.log(name));
        self.records.alive(name).ok_or_else(ended)
    }

    fn wait_until_ready(
        &self,
        wanted: &[Node],
        kube: &Kube,
        nodes: &Nodes<'_>,
        since: Option<&str>,
        progress: &dyn Fn(&str),
    ) -> Result<()> {
        let limit = Duration::from_secs(120);
        let fresh = |node: &serde_json::Value| {
            let beat = kube::condition_of(node, "Ready").and_then(|ready| ready["lastHeartbeatTime"].as_str());
            since.is_none_or(|since| beat.is_some_and(|beat| beat >= since))
        };
        wait::until("nodes Ready", limit, Duration::from_millis(300), || {
            // As a machine's supervisor would: a kubelet gives up when its runtime is still reading what it had.
            for node in wanted.iter().filter(|node| !nodes.runs(**node)) {
                nodes.start_kubelet(*node)?;
            }
            let is_wanted = |found: &serde_json::Value| {
                let name = found["metadata"]["name"].as_str();
                wanted.iter().any(|node| Some(node.name().as_str()) == name)
            };
            let found: Vec<_> = kube.items(&["get", "nodes"])?.into_iter().filter(is_wanted).collect();
            let ready = found
                .iter()
                .filter(|node| kube::is_true(node, "Ready") && fresh(node))
                .count();
            progress(&format!("{ready}/{} nodes Ready", wanted.len()));
            if ready >= wanted.len() {
                return Ok(Look::Ready(()));
            }
            let waiting: Vec<String> = found
                .iter()
                .filter(|node| !kube::is_true(node, "Ready"))
                .map(|node| {
                    let why = kube::condition_of(node, "Ready").and_then(|ready| ready["message"].as_str());
                    format!(
                        "{}: {}",
                        node["metadata"]["name"].as_str().unwrap_or("?"),
                        why.unwrap_or("no report")
                    )
                })
                .collect();
            Ok(Look::NotYet(format!(
                "{ready} of {} Ready; {}",
                wanted.len(),
                waiting.join("; ")
            )))
        })
        .map_err(|error| match error.downcast::<Failure>() {
            Ok(failure) => {
                let log = failure.log.clone();
                failure
                    .way_out("./shop node start NODE, or ./shop down and ./shop up")
                    .log(log.unwrap_or_else(|| self.place.log("kubelet-node1")))
                    .into()
            }
            Err(other) => other,
        })
    }
}

/// As the API server writes times.
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Adds who else listens where a daemon should.
fn in_the_way(failure: Failure, port: u16) -> Failure {
    match process::listeners(port).first() {
        Some(other) => failure
            .detail(format!("{other} listens on its port {port}"))
            .way_out("stop that, then run the same command again"),
        None => failure,
    }
}

fn machine() -> Result<Machine> {
    let cpus = std::thread::available_parallelism()
        .context("the number of CPUs is unknown")?
        .get();
    let text = std::fs::read_to_string("/proc/meminfo").context("the size of the memory is unknown")?;
    let kib = text
        .lines()
        .find_map(|line| {
            line.strip_prefix("MemTotal:")?
                .trim()
                .strip_suffix(" kB")?
                .trim()
                .parse::<u64>()
                .ok()
        })
        .context("/proc/meminfo has no MemTotal")?;
    Ok(Machine {
        cpus: cpus as u64,
        memory_bytes: kib << 10,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sits_on_a_port_is_named() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let failure = in_the_way(Failure::new("registry ended"), port);
        assert!(failure.details[0].ends_with(&format!("listens on its port {port}")));
        assert!(failure.way_out.is_some());
    }
}
