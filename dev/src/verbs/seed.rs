//! `./shop seed`: products with stock for the demo shop.

use anyhow::Result;

use crate::cluster::Cluster;
use crate::owner;
use crate::place::Place;
use crate::screen::Screen;
use crate::shop::stock;

#[derive(clap::Args, Debug)]
pub struct Seed {
    /// How many products the catalogue holds afterwards; those that are there stay
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub products: u32,
    /// Pieces of each product that has no stock yet
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub quantity: u32,
}

pub fn run(place: &Place, flags: &Seed) -> Result<()> {
    owner::running(place)?;
    let kube = Cluster::kube(place)?;
    Screen::new(1).step("seed", |step| {
        step.say("products and stock");
        stock::seed(&kube, flags.products, flags.quantity)?;
        Ok(((), format!("{} products, {} of each", flags.products, flags.quantity)))
    })
}
