//! Stories of restarts in a tiny simulated world: one StatefulSet of Postgres, pods that come up at once unless their image
//! is broken. The world does what the controller and Kubernetes would do with a plan, and nothing more.

use crate::contract::{Component, ComponentPlan, Handover, PlanError, Rollout};
use crate::fixtures::{self, empty_world};
use crate::health::{Health, State};
use crate::names;
use crate::object::{Body, ComponentId, Object, Plan, Wave};
use crate::observed::{Observed, PatroniView, Seen, ShardId};
use crate::shop::ValidatedShop;
use crate::task::Task;
use crate::{check, plan_with, pod};
use k8s_openapi::api::core::v1::Pod;
use serde_json::json;

fn shard() -> ShardId {
    shard_of("orders")
}

fn shard_of(database: &str) -> ShardId {
    ShardId {
        database: database.into(),
        index: 0,
    }
}

struct Toy {
    database: &'static str,
    image: String,
    replicas: u32,
}

impl Component for Toy {
    fn id(&self) -> ComponentId {
        ComponentId(format!("postgres/{}", self.database))
    }
    fn needs(&self) -> Vec<ComponentId> {
        vec![]
    }
    fn plan(&self, shop: &ValidatedShop, _: &Observed) -> Result<ComponentPlan, PlanError> {
        let (name, labels) = (
            format!("demo-{}-0", self.database),
            names::labels(&shop.name, "postgres", self.database),
        );
        let body = json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": {"name": name, "labels": labels},
            "spec": {"replicas": self.replicas, "updateStrategy": {"type": "OnDelete"}, "template": {
                "metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": self.image}]},
            }},
        });
        let rehearse = vec!["/bin/postgres".into(), "--version".into()];
        let handover = Handover::Postgres(shard_of(self.database));
        Ok(ComponentPlan {
            objects: vec![Object {
                component: self.id(),
                wave: Wave::Data,
                body: Body::Applied(body),
            }],
            rollouts: vec![Rollout {
                stateful_set: name,
                handover,
                rehearse,
            }],
            ..ComponentPlan::default()
        })
    }
    fn health(&self, _: &ValidatedShop, _: &Observed) -> Health {
        Health::new(State::Progressing, "", 0, self.replicas)
    }
}

struct World {
    shop: ValidatedShop,
    toy: Toy,
    seen: Observed,
    leader: u16,
    /// What happened, in order.
    log: Vec<String>,
}

impl World {
    /// A settled set whose pods were made from image `old`.
    fn settled(replicas: u32) -> Self {
        let toy = Toy {
            database: "orders",
            image: "old".into(),
            replicas,
        };
        let mut world = Self {
            shop: fixtures::shop(),
            toy,
            seen: empty_world(),
            leader: 0,
            log: vec![],
        };
        let plan = world.plan();
        let pods = (0..replicas)
            .map(|ordinal| world.made(&plan, &names::pod("demo-orders-0", ordinal)))
            .collect();
        world.seen.pods = Seen::Known(pods);
        world.look();
        world
    }

    fn plan(&self) -> Plan {
        let toy: Box<dyn Component> = Box::new(Toy {
            database: "orders",
            image: self.toy.image.clone(),
            replicas: self.toy.replicas,
        });
        let plan = plan_with(&[toy], &self.shop, &self.seen).expect("the toy can be planned");
        check(&plan, &self.seen).expect("the plan passes its check");
        plan
    }

    /// A pod from the planned template.
    fn made(&self, plan: &Plan, name: &str) -> Pod {
        let set = plan
            .objects
            .iter()
            .find(|object| object.kind() == "StatefulSet")
            .and_then(Object::applied)
            .expect("a set");
        let mut pod = fixtures::pod("demo", "postgres", "orders-0", name);
        let digest = set["spec"]["template"]["metadata"]["annotations"][names::TEMPLATE_ANNOTATION]
            .as_str()
            .expect("stamped");
        pod.metadata.annotations = Some([(names::TEMPLATE_ANNOTATION.to_owned(), digest.to_owned())].into());
        if self.toy.image == "broken" {
            fixtures::without_image(pod)
        } else {
            pod
        }
    }

    fn pods(&mut self) -> &mut Vec<Pod> {
        match &mut self.seen.pods {
            Seen::Known(pods) => pods,
            _ => panic!("the world knows its pods"),
        }
    }

    /// Asks Patroni: only ready pods stream.
    fn look(&mut self) {
        let ready = |pods: &[Pod], name: &str| pods.iter().any(|pod| pod::name(pod) == name && pod::is_ready(pod));
        let view = fixtures::patroni("demo-orders-0", u16::try_from(self.toy.replicas).unwrap(), self.leader);
        let pods = self.pods().clone();
        let members = view
            .members
            .into_iter()
            .filter(|member| ready(&pods, &member.name))
            .collect();
        self.seen
            .postgres
            .insert(shard(), Seen::Known(PatroniView { members, paused: false }));
    }

    /// One reconcile and its consequences.
    fn step(&mut self) -> Plan {
        let plan = self.plan();
        for task in &plan.tasks {
            match task {
                Task::RestartPod { pod: name, .. } => {
                    let made = self.made(&plan, name);
                    let name = name.clone();
                    self.pods()
                        .iter_mut()
                        .filter(|pod| pod::name(pod) == name)
                        .for_each(|pod| *pod = made.clone());
                    self.log.push(format!("restart {name}"));
                }
                Task::Switchover { to, .. } => {
                    self.leader = to
                        .rsplit('-')
                        .next()
                        .and_then(|ordinal| ordinal.parse().ok())
                        .expect("a pod's name");
                    self.log.push(format!("switchover to {to}"));
                }
                other => panic!("unexpected {other:?}"),
            }
        }
        let tries = plan
            .objects
            .iter()
            .filter(|object| object.kind() == "Pod")
            .map(|object| object.name().to_owned());
        for name in tries.collect::<Vec<_>>() {
            if !self.pods().iter().any(|pod| pod::name(pod) == name) {
                let mut rehearsal = fixtures::pod("demo", "rehearsal", "demo-orders-0", &name);
                rehearsal.status.as_mut().expect("a status").phase = Some("Succeeded".into());
                let rehearsal = if self.toy.image == "broken" {
                    fixtures::without_image(rehearsal)
                } else {
                    rehearsal
                };
                self.pods().push(rehearsal);
                self.log.push("rehearse".into());
            }
        }
        self.look();
        plan
    }

    fn run(&mut self) -> Plan {
        (0..20).for_each(|_| drop(self.step()));
        self.step()
    }
}

#[test]
fn an_idle_shop_restarts_nothing() {
    let mut world = World::settled(3);
    world.run();
    assert!(world.log.is_empty(), "{:?}", world.log);
}

#[test]
fn replicas_first_then_the_one_that_led() {
    let mut world = World::settled(3);
    world.toy.image = "new".into();
    world.run();
    let wanted = [
        "restart demo-orders-0-2",
        "restart demo-orders-0-1",
        "switchover to demo-orders-0-1",
        "restart demo-orders-0-0",
    ];
    assert_eq!(world.log, wanted);
}

#[test]
fn a_broken_image_costs_one_replica_and_its_repair_goes_through() {
    let mut world = World::settled(3);
    world.toy.image = "broken".into();
    let plan = world.run();
    assert_eq!(world.log, ["restart demo-orders-0-2"]);
    let reason = &plan.waiting[0].reason;
    assert!(
        reason.contains("demo-orders-0-2: image registry.example/none:1 cannot be pulled"),
        "{reason}"
    );
    world.toy.image = "new".into();
    world.run();
    assert_eq!(world.log[1], "restart demo-orders-0-2");
    assert_eq!(world.log.last().map(String::as_str), Some("restart demo-orders-0-0"));
}

#[test]
fn the_only_pod_is_restarted_after_a_rehearsal() {
    let mut world = World::settled(1);
    world.toy.image = "new".into();
    let plan = world.run();
    assert_eq!(world.log, ["rehearse", "restart demo-orders-0-0"]);
    assert!(
        plan.objects.iter().all(|object| object.kind() != "Pod"),
        "the rehearsal is taken away"
    );
}

#[test]
fn the_only_pod_survives_a_broken_image() {
    let mut world = World::settled(1);
    world.toy.image = "broken".into();
    let plan = world.run();
    assert_eq!(world.log, ["rehearse"]);
    assert!(
        plan.waiting[0]
            .reason
            .ends_with("pod demo-orders-0-0 keeps running as it is"),
        "{}",
        plan.waiting[0].reason
    );
}

/// What would be restarted of two databases with two pods each, given what image each pod has; `broken` is not ready.
fn restarted(orders: [&str; 2], payments: [&str; 2]) -> Vec<String> {
    let toys = |image: &str| -> Vec<Box<dyn Component>> {
        let toy = |database| Toy {
            database,
            image: image.into(),
            replicas: 2,
        };
        vec![Box::new(toy("orders")), Box::new(toy("payments"))]
    };
    let (shop, mut seen, mut pods) = (fixtures::shop(), empty_world(), Vec::new());
    for (database, images) in [("orders", orders), ("payments", payments)] {
        for (ordinal, image) in (0..).zip(images) {
            let plan = plan_with(&toys(if image == "old" { "old" } else { "new" }), &shop, &seen).expect("a plan");
            let set = plan
                .objects
                .iter()
                .find(|object| object.name() == format!("demo-{database}-0"));
            let set = set.and_then(Object::applied).expect("the set");
            let name = names::pod(&format!("demo-{database}-0"), ordinal);
            let mut pod = fixtures::pod("demo", "postgres", database, &name);
            let digest = set["spec"]["template"]["metadata"]["annotations"][names::TEMPLATE_ANNOTATION].clone();
            let annotations = json!({ names::TEMPLATE_ANNOTATION: digest });
            pod.metadata.annotations = serde_json::from_value(annotations).expect("annotations");
            pods.push(if image == "broken" {
                fixtures::without_image(pod)
            } else {
                pod
            });
        }
        let view = fixtures::patroni(&format!("demo-{database}-0"), 2, 0);
        seen.postgres.insert(shard_of(database), Seen::Known(view));
    }
    seen.pods = Seen::Known(pods);
    let plan = plan_with(&toys("new"), &shop, &seen).expect("a plan");
    let pod = |task| match task {
        Task::RestartPod { pod, .. } => pod,
        Task::Switchover { to, .. } => format!("switchover to {to}"),
        other => panic!("unexpected {other:?}"),
    };
    plan.tasks.into_iter().map(pod).collect()
}

#[test]
fn one_database_is_restarted_after_the_other() {
    assert_eq!(restarted(["old", "old"], ["old", "old"]), ["demo-orders-0-1"]);
    assert_eq!(
        restarted(["old", "new"], ["old", "old"]),
        ["switchover to demo-orders-0-1"]
    );
    // The first is through, and its last pod does not come up: nobody else's turn.
    let nobody: [&str; 0] = [];
    assert_eq!(restarted(["new", "broken"], ["old", "old"]), nobody);
    assert_eq!(restarted(["new", "new"], ["old", "old"]), ["demo-payments-0-1"]);
}

#[test]
fn nothing_is_restarted_while_something_is_unknown() {
    let mut world = World::settled(3);
    world.toy.image = "new".into();
    world.seen.postgres.insert(shard(), Seen::Unknown("no answer".into()));
    assert!(world.plan().tasks.is_empty());
    assert!(world.plan().waiting[0].reason.contains("no answer"));
    world.look();
    world.seen.pods = Seen::Unknown("the watch broke".into());
    assert!(world.plan().tasks.is_empty());
}

#[test]
fn nothing_is_restarted_while_another_pod_is_away() {
    let mut world = World::settled(3);
    world.toy.image = "new".into();
    world.pods().retain(|pod| pod::name(pod) != "demo-orders-0-1");
    world.look();
    assert!(world.plan().tasks.is_empty());
}

#[test]
fn suspension_scales_to_zero_and_keeps_the_object() {
    let mut world = World::settled(3);
    world.shop.suspend = true;
    let plan = world.plan();
    let set = plan.objects[0].applied().expect("the set");
    assert_eq!(set["spec"]["replicas"], 0);
    assert_eq!(set["metadata"]["annotations"][names::REPLICAS_ANNOTATION], "3");
    assert!(plan.tasks.is_empty());
}
