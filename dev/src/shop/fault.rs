//! One fault in the running demo shop, chosen by a seed: a pod is killed without grace, or the cache is emptied.
//! In: a number. Out: what was done, in words. Which pods there are is looked up when the fault strikes.

use anyhow::Result;

use super::demo::{NAME, NAMESPACE};
use crate::kube::Kube;

/// What a fault hits: pods with these labels beside the shop's own.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub name: &'static str,
    labels: &'static str,
    act: Act,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Kill,
    /// Every server forgets everything.
    Flush,
}

const fn kill(name: &'static str, labels: &'static str) -> Fault {
    Fault {
        name,
        labels,
        act: Act::Kill,
    }
}

/// Every tier an order's way leads through. `order-work` holds the relay of the shards, the other workers their own.
pub const ALL: &[Fault] = &[
    kill("user", "app.kubernetes.io/name=user"),
    kill("product", "app.kubernetes.io/name=product"),
    kill("order", "app.kubernetes.io/name=order"),
    kill("inventory", "app.kubernetes.io/name=inventory"),
    kill("payment", "app.kubernetes.io/name=payment"),
    kill("worker of order", "app.kubernetes.io/name=order-work"),
    kill("worker of inventory", "app.kubernetes.io/name=inventory-work"),
    kill("worker of payment", "app.kubernetes.io/name=payment-work"),
    kill("worker of user", "app.kubernetes.io/name=user-work"),
    kill("gateway", "app.kubernetes.io/component=gateway"),
    kill("RabbitMQ node", "app.kubernetes.io/component=rabbitmq"),
    kill("Redis server", "app.kubernetes.io/component=redis"),
    kill(
        "primary of orders 0",
        "shop-operator.io/scope=demo-orders-0,role=primary",
    ),
    kill(
        "primary of orders 1",
        "shop-operator.io/scope=demo-orders-1,role=primary",
    ),
    kill(
        "primary of catalog",
        "shop-operator.io/scope=demo-catalog-0,role=primary",
    ),
    kill(
        "primary of payments",
        "shop-operator.io/scope=demo-payments-0,role=primary",
    ),
    Fault {
        name: "flush of Redis",
        labels: "app.kubernetes.io/component=redis",
        act: Act::Flush,
    },
];

/// Numbers that look random and are the same for the same seed (splitmix64).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }

    pub fn fault(&mut self) -> Fault {
        ALL[self.below(ALL.len() as u64) as usize]
    }
}

/// Strikes now; which pod of several is the next number's choice.
pub fn strike(kube: &Kube, fault: Fault, numbers: &mut Numbers) -> Result<String> {
    let labels = format!("app.kubernetes.io/instance={NAME},{}", fault.labels);
    let pods = kube.run(&["-n", NAMESPACE, "get", "pods", "-l", &labels, "-o", "name"])?;
    let pods: Vec<&str> = pods.lines().collect();
    match fault.act {
        Act::Kill => {
            // A small shop has no such part, or the last fault has just taken it.
            let Some(pod) = pods.get(numbers.below(pods.len() as u64) as usize) else {
                return Ok(format!("{} (nobody there)", fault.name));
            };
            kube.run(&[
                "-n",
                NAMESPACE,
                "delete",
                pod,
                "--ignore-not-found",
                "--grace-period=0",
                "--force",
                "--wait=false",
            ])?;
            Ok(format!("{} ({pod})", fault.name))
        }
        Act::Flush => {
            // A replica refuses, which is as well: its primary flushes it.
            let flush = ["/usr/bin/valkey-cli", "--user", "shop", "--no-auth-warning", "flushall"];
            let exec = |pod: &&str| kube.run(&[&["-n", NAMESPACE, "exec", pod, "--"], &flush[..]].concat());
            let flushed = pods.iter().map(exec).filter(Result::is_ok).count();
            Ok(format!("{} ({flushed} servers)", fault.name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_strikes_the_same() {
        let of = |seed| {
            let mut numbers = Numbers(seed);
            (0..8).map(|_| numbers.fault().name).collect::<Vec<_>>()
        };
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }

    #[test]
    fn every_fault_is_chosen_some_day() {
        let mut numbers = Numbers(1);
        let chosen: std::collections::BTreeSet<_> = (0..1000).map(|_| numbers.fault().name).collect();
        assert_eq!(chosen.len(), ALL.len());
    }
}
