//! Something to sell in the demo shop: believable products, and stock of each. Runs the services' own `seed` in their pods.
//! Twice is no different from once: a product's number is its identity, and stock that is there stays as it is.

use anyhow::Result;

use super::demo;
use crate::kube::Kube;

pub fn seed(kube: &Kube, products: u32, quantity: u32) -> Result<()> {
    let (products, quantity) = (products.to_string(), quantity.to_string());
    let (products, quantity) = (["--products", &products], ["--quantity", &quantity]);
    // The smallest size has one process for all.
    if demo::is_one_process(kube)? {
        return exec(kube, "single", "shop-single", &[products, quantity].concat());
    }
    exec(kube, "product", "product", &products)?;
    exec(kube, "inventory", "inventory", &quantity)
}

fn exec(kube: &Kube, service: &str, program: &str, args: &[&str]) -> Result<()> {
    let pod = format!("deployment/{}-{service}", demo::NAME);
    let program = format!("/usr/bin/{program}");
    let first = ["-n", demo::NAMESPACE, "exec", &pod, "--", &program, "seed"];
    kube.run(&[&first[..], args].concat()).map(drop)
}
