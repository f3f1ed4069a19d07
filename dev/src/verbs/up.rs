//! `./shop up`: six steps from nothing to a proven shop. Each step looks first and does only what is missing.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::choice::Choice;
use crate::cluster::Cluster;
use crate::cluster::addon_images::AddonImages;
use crate::cluster::address::{MOST_NODES, Node, REGISTRY};
use crate::failure::{self, Failure};
use crate::kube::{self, Kube};
use crate::owner;
use crate::place::Place;
use crate::screen::{self, Screen};
use crate::shop::{demo, install, progress, proof};
use crate::tools::{self, list, list::Tool};
use crate::user;
use crate::verbs::images;
use crate::wait::{self, Look};

#[derive(clap::Args, Debug, Clone)]
pub struct Up {
    /// Nodes of the embedded cluster [default: as many as it had last, at first 3]
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=i64::from(MOST_NODES)))]
    pub nodes: Option<u8>,
    /// Size of the demo shop [default: what it was last on the embedded cluster, at first small]
    #[arg(long, value_enum)]
    pub size: Option<Size>,
    /// Use this context of your kubeconfig instead of the embedded cluster
    #[arg(long, requires = "registry")]
    pub context: Option<String>,
    /// Push the images there, e.g. registry.example.com/team; goes with --context
    #[arg(long, requires = "context")]
    pub registry: Option<String>,
    /// Stop another checkout's cluster first
    #[arg(long)]
    pub take_over: bool,
    /// Stop after the cluster, before operator and shop
    #[arg(long, hide = true)]
    pub cluster_only: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    Tiny,
    Small,
    Medium,
}

/// The program, for `shop-operator plan`.
const OPERATOR: &str = "shop-operator";
/// Longest wait for a shop on a busy machine.
const SHOP_LIMIT: Duration = Duration::from_secs(900);

pub fn run(place: &Place, flags: &Up) -> Result<()> {
    let screen = Screen::new(if flags.cluster_only { 3 } else { 6 });
    match &flags.context {
        Some(context) => foreign(place, flags, context, &screen)?,
        None => {
            let _lock = owner::lock(place, flags.take_over)?;
            owner::make_room(place, flags.take_over)?;
            embedded(place, flags, &screen)?;
        }
    }
    if !flags.cluster_only {
        screen_line!("\n{}", proof::closing(screen.elapsed()));
        for (what, why) in hints(flags.context.as_deref()) {
            screen_line!("{}", format!("  {what:<55}{why}").trim_end());
        }
    }
    Ok(())
}

/// What to try next, on the cluster the shop is on, with a word why where it is not plain.
fn hints(context: Option<&str>) -> Vec<(String, &'static str)> {
    let products = |gateway: &str| (format!("curl 'http://{gateway}/api/v1/products?limit=3'"), "");
    match context {
        Some(context) => {
            let kubectl = format!("kubectl --context {context}");
            vec![
                (format!("{kubectl} get shop -o wide"), ""),
                (
                    format!("{kubectl} port-forward service/{}-gateway 8080:80 &", demo::NAME),
                    "",
                ),
                products("127.0.0.1:8080"),
            ]
        }
        None => vec![
            (
                r#"eval "$(./shop env)""#.to_string(),
                "kubectl, helm and shop-operator on your PATH",
            ),
            ("kubectl get shop -o wide".to_string(), ""),
            products(&format!("{}:{}", Node(1).address(), demo::NODE_PORT)),
            ("./shop down".to_string(), ""),
        ],
    }
}

/// All steps on the cluster of this checkout; the caller holds the lock.
pub fn embedded(place: &Place, flags: &Up, screen: &Screen<'_>) -> Result<()> {
    let choice = Choice::make(place, flags.nodes, flags.size)?;
    let early = if flags.cluster_only {
        None
    } else {
        build_images_early(place)?
    };
    tools_step(place, screen, list::ALL)?;
    let cluster = Cluster::new(place, choice.nodes)?;
    owner::claim(place, choice.nodes)?;
    choice.keep(place)?;
    let references = if flags.cluster_only {
        cluster.start_registry()?;
        AddonImages::ensure(place, &place.log("addon-images"))?;
        BTreeMap::new()
    } else {
        images_step(place, screen, REGISTRY, || {
            cluster.start_registry()?;
            AddonImages::ensure(place, &place.log("addon-images"))?;
            // Whatever went wrong early goes wrong again now, and is told then.
            let _ = early.map(JoinHandle::join);
            Ok(())
        })?
    };
    cluster_step(screen, &cluster)?;
    if flags.cluster_only {
        return Ok(());
    }
    let kube = Cluster::kube(place)?;
    operator_step(place, screen, &kube, &references)?;
    shop_step(place, screen, &kube, &references, choice.size, true)?;
    let gateway = format!("http://{}:{}", Node(1).address(), demo::NODE_PORT);
    screen.step("proof", |step| {
        step.say("placing an order");
        Ok(((), proof::run(&kube, &gateway)?))
    })
}

/// All steps but the cluster's own, on somebody else's cluster.
fn foreign(place: &Place, flags: &Up, context: &str, screen: &Screen<'_>) -> Result<()> {
    let registry = flags.registry.as_deref().context("--context needs --registry")?;
    tools_step(place, screen, list::CLIENTS)?;
    let kube = Kube {
        kubectl: tools::path(place, &list::KUBECTL)?,
        helm: tools::path(place, &list::HELM)?,
        kubeconfig: None,
        context: Some(context.to_string()),
    };
    screen.step("cluster", |_| {
        if !kube.ready() {
            return Err(Failure::new(format!("the context {context} does not answer"))
                .way_out("kubectl config get-contexts lists yours")
                .into());
        }
        let nodes = kube.items(&["get", "nodes"])?.len();
        Ok(((), format!("context {context}, {nodes} nodes")))
    })?;
    // After the cluster's answer: a mistyped context should not cost a build.
    let references = images_step(place, screen, registry, || Ok(()))?;
    operator_step(place, screen, &kube, &references)?;
    let size = flags.size.unwrap_or(Size::Small);
    shop_step(place, screen, &kube, &references, size, false)?;
    screen.step("proof", |step| {
        step.say("placing an order");
        let forward = Forward::start(&kube)?;
        Ok(((), proof::run(&kube, &forward.url)?))
    })
}

/// With empty caches images are built while Go compiles the tools: much of that is waiting for downloads.
fn build_images_early(place: &Place) -> Result<Option<JoinHandle<Result<()>>>> {
    if tools::missing(place, list::ALL)?.is_empty() {
        return Ok(None);
    }
    let place = place.clone();
    Ok(Some(std::thread::spawn(move || {
        images::build(&place, None, &|_| {}).map(drop)
    })))
}

/// Builds what is missing and links kubectl and helm into `.shop/bin`.
pub fn tools_step(place: &Place, screen: &Screen<'_>, wanted: &[&Tool]) -> Result<()> {
    screen.step("tools", |step| {
        let missing = tools::missing(place, wanted)?;
        let log = place.log("tools");
        for (done, tool) in missing.iter().enumerate() {
            let bar = screen::bar(done as u64, missing.len() as u64);
            step.say(&format!("{bar} {} {}/{}", tool.name, done + 1, missing.len()));
            tools::build(place, tool, &log)?;
        }
        for tool in list::CLIENTS {
            link(&tools::path(place, tool)?, &place.bin().join(tool.name))?;
        }
        let version = tools::version(place, &list::KUBECTL)?;
        let how = if missing.is_empty() {
            ""
        } else {
            ", built (cached next time)"
        };
        let others = if wanted.len() == list::ALL.len() {
            "etcd, containerd, coredns, helm"
        } else {
            "helm"
        };
        Ok((
            (),
            format!("kubernetes {}, {others}{how}", version.trim_start_matches('v')),
        ))
    })
}

fn images_step(
    place: &Place,
    screen: &Screen<'_>,
    registry: &str,
    prepare: impl FnOnce() -> Result<()>,
) -> Result<BTreeMap<String, String>> {
    screen.step("images", |step| {
        step.say("registry");
        prepare()?;
        let built = images::build(place, Some(registry), &|text| step.say(text))?;
        let operator = crate::images::program(place, OPERATOR, &place.log("programs"))?;
        link(&operator, &place.bin().join(OPERATOR))?;
        let text = format!("{} images, {}", built.references.len(), screen::size(built.bytes));
        Ok((built.references, text))
    })
}

fn cluster_step(screen: &Screen<'_>, cluster: &Cluster<'_>) -> Result<()> {
    screen.step("cluster", |step| {
        cluster.start_nodes_and_control_plane(&|text| step.say(text))?;
        cluster.start_services(&|text| step.say(text))?;
        Ok(((), format!("{} nodes Ready", cluster.count)))
    })
}

fn operator_step(place: &Place, screen: &Screen<'_>, kube: &Kube, images: &BTreeMap<String, String>) -> Result<()> {
    screen.step("operator", |step| {
        step.say("helm");
        Ok(((), install::ensure(place, kube, images)?))
    })
}

fn shop_step(
    place: &Place,
    screen: &Screen<'_>,
    kube: &Kube,
    images: &BTreeMap<String, String>,
    size: Size,
    node_port: bool,
) -> Result<()> {
    screen.step("shop", |step| {
        demo::apply(place, kube, size, node_port)?;
        let look = || {
            let shop = demo::get(kube)?.context("the ShopDeployment is gone")?;
            let line = progress::line(&shop);
            step.say(&line);
            if !progress::is_ready(&shop) {
                return Ok(Look::NotYet(line));
            }
            // A shop goes on serving while its pods are replaced after a change of images.
            let old = progress::with_old_images(&demo::pods(kube)?, images);
            if old > 0 {
                let line = format!("{old} pods still have the images of before");
                step.say(&line);
                return Ok(Look::NotYet(line));
            }
            Ok(Look::Ready(line))
        };
        let line = wait::until("the shop", SHOP_LIMIT, Duration::from_secs(1), look).map_err(|error| {
            let mut told = Failure::new(format!(
                "shop {} is not Ready after {} minutes",
                demo::NAME,
                SHOP_LIMIT.as_secs() / 60
            ));
            told.details = demo::get(kube)
                .ok()
                .flatten()
                .map(|shop| progress::problems(&shop))
                .unwrap_or_default();
            told.details
                .extend(kube::pod_problems(kube, demo::NAMESPACE).unwrap_or_default());
            told.details.extend(failure::explain(&error, 0));
            told.way_out("kubectl describe shop demo says more; ./shop up goes on waiting")
        })?;
        Ok(((), line))
    })
}

/// `kubectl port-forward` for as long as it lives.
struct Forward {
    child: Child,
    url: String,
}

impl Forward {
    fn start(kube: &Kube) -> Result<Forward> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let service = format!("service/{}-gateway", demo::NAME);
        let mut command: Command =
            kube.kubectl(&["-n", demo::NAMESPACE, "port-forward", &service, &format!("{port}:80")]);
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Forward {
            child,
            url: format!("http://127.0.0.1:{port}"),
        })
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A link that always points at the present version.
fn link(target: &Path, name: &Path) -> Result<()> {
    if std::fs::read_link(name).is_ok_and(|now| now == target) {
        return Ok(());
    }
    let folder = name.parent().context("a link lies in a folder")?;
    user::make_folder(folder)?;
    let _ = std::fs::remove_file(name);
    std::os::unix::fs::symlink(target, name).with_context(|| format!("cannot link {}", name.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_for_somebody_elses_cluster_name_it() {
        let hints = hints(Some("prod"));
        assert!(
            hints
                .iter()
                .all(|(what, _)| what.contains("--context prod") || what.contains("127.0.0.1"))
        );
    }
}
