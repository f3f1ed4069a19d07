//! `./shop up`: six steps from nothing to a proven shop. Each step looks first and does only what is missing.

use std::path::Path;

use anyhow::{Context, Result};

use crate::cluster::addon_images::AddonImages;
use crate::cluster::address::MOST_NODES;
use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::owner;
use crate::place::Place;
use crate::screen::{self, Screen, Step};
use crate::tools::{self, list, list::Tool};

#[derive(clap::Args, Debug, Clone)]
pub struct Up {
    /// Nodes of the embedded cluster [default: 3, or what runs already]
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=i64::from(MOST_NODES)))]
    pub nodes: Option<u8>,
    /// Size of the demo shop
    #[arg(long, value_enum, default_value_t = Size::Small)]
    pub size: Size,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Size {
    Small,
    Medium,
}

pub fn run(place: &Place, flags: &Up) -> Result<()> {
    let _lock = owner::lock(place, flags.take_over)?;
    owner::make_room(place, flags.take_over)?;
    let screen = Screen::new(6);
    tools_step(place, &screen, list::ALL)?;
    let cluster = Cluster::new(place, wanted_nodes(place, flags)?)?;
    owner::claim(place, cluster.count)?;
    cluster.start_registry()?;
    AddonImages::ensure(place, &place.log("addon-images"))?;
    cluster_step(&screen, &cluster)?;
    Ok(())
}

/// Builds what is missing and links kubectl and helm into `.shop/bin`.
fn tools_step(place: &Place, screen: &Screen, wanted: &[&Tool]) -> Result<()> {
    screen.step("tools", |step| {
        let missing = tools::missing(place, wanted)?;
        let log = place.log("tools");
        for (done, tool) in missing.iter().enumerate() {
            step.say(&format!("{} {} {}/{}", screen::bar(done as u64, missing.len() as u64), tool.name, done + 1, missing.len()));
            tools::build(place, tool, &log)?;
        }
        for tool in list::CLIENTS {
            link(&tools::path(place, tool)?, &place.bin().join(tool.name))?;
        }
        let version = tools::pinned(&place.checkout.join("dev/tools/kubernetes"), &list::KUBECTL)?;
        let how = if missing.is_empty() { "cached".to_string() } else { format!("{} built, cached next time", missing.len()) };
        Ok(((), format!("kubernetes {}, etcd, containerd, coredns, helm ({how})", version.trim_start_matches('v'))))
    })
}

fn cluster_step(screen: &Screen, cluster: &Cluster<'_>) -> Result<()> {
    screen.step("cluster", |step: &Step| {
        cluster.start_nodes_and_control_plane(&|text| step.say(text))?;
        let ready = screen::human(step.elapsed());
        cluster.start_services(&|text| step.say(text))?;
        Ok(((), format!("{} nodes Ready after {ready}", cluster.count)))
    })
}

fn wanted_nodes(place: &Place, flags: &Up) -> Result<u8> {
    let running = owner::current().filter(|owner| owner.checkout == place.checkout).map(|owner| owner.nodes);
    match (flags.nodes, running) {
        (Some(wanted), Some(running)) if wanted < running => {
            Err(Failure::new(format!("the cluster has {running} nodes, {wanted} were asked for"))
                .way_out("./shop down, then ./shop up --nodes with fewer")
                .into())
        }
        (Some(wanted), _) => Ok(wanted),
        (None, running) => Ok(running.unwrap_or(3)),
    }
}

/// A link that always points at the present version.
fn link(target: &Path, name: &Path) -> Result<()> {
    if std::fs::read_link(name).is_ok_and(|now| now == target) {
        return Ok(());
    }
    let folder = name.parent().context("a link lies in a folder")?;
    std::fs::create_dir_all(folder)?;
    let _ = std::fs::remove_file(name);
    std::os::unix::fs::symlink(target, name).with_context(|| format!("cannot link {}", name.display()))
}
