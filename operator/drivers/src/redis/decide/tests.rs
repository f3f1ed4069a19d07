//! Decisions on pictures of clusters: formed only when all are there, nothing destroyed while somebody is silent.

use super::*;
use crate::redis::seen::Line;
use std::collections::BTreeMap;

const SHAPE: Shape = Shape { shards: 3, replicas: 1 };

fn member(index: usize) -> Member {
    let (pod, ip, node) = (
        format!("redis-{index}"),
        format!("10.0.0.{index}"),
        format!("node{}", index % 3),
    );
    Member {
        pod,
        ip,
        port: 6379,
        node,
    }
}

fn line(index: usize, primary_id: Option<&str>, slots: Vec<(u16, u16)>) -> Line {
    Line {
        ip: format!("10.0.0.{index}"),
        port: 6379,
        primary: primary_id.is_none(),
        primary_id: primary_id.map(str::to_owned),
        handshake: false,
        failing: false,
        linked: true,
        slots,
    }
}

/// What a server tells of itself and of all the `lines`.
fn told(id: &str, lines: &BTreeMap<String, Line>) -> Told {
    Told {
        id: id.to_owned(),
        ok: true,
        keys: 0,
        synced: true,
        copies_from: None,
        lines: lines.clone(),
    }
}

fn blank(index: usize) -> Sighting {
    let id = format!("id{index}");
    let lines = BTreeMap::from([(id.clone(), line(index, None, vec![]))]);
    Sighting {
        member: member(index),
        told: Ok(Told {
            ok: false,
            ..told(&id, &lines)
        }),
    }
}

/// 0, 1, 2 are primaries; 4, 5, 3 their replicas, one machine further.
fn healthy() -> Vec<Sighting> {
    let ranges = [(0, 5460), (5461, 10_922), (10_923, 16_383)];
    let primaries = (0..3).map(|i| (format!("id{i}"), line(i, None, vec![ranges[i]])));
    let replicas = [(4, "id0"), (5, "id1"), (3, "id2")].map(|(i, of)| (format!("id{i}"), line(i, Some(of), vec![])));
    let lines: BTreeMap<String, Line> = primaries.chain(replicas).collect();
    (0..6)
        .map(|i| Sighting {
            member: member(i),
            told: Ok(told(&format!("id{i}"), &lines)),
        })
        .collect()
}

fn silence(seen: &mut [Sighting], index: usize) {
    seen[index].told = Err("connection refused".to_owned());
}

#[test]
fn a_healthy_cluster_needs_nothing() {
    assert_eq!(decide(&healthy(), SHAPE, true), Decision::default());
}

#[test]
fn a_new_cluster_is_formed_only_when_all_answer() {
    let mut seen: Vec<_> = (0..6).map(blank).collect();
    let decision = decide(&seen, SHAPE, false);
    assert_eq!(decision.steps.len(), 5, "{decision:?}");
    assert!(
        decision
            .steps
            .iter()
            .all(|step| matches!(step, Step::Meet { at, .. } if at == "redis-0")),
        "{decision:?}"
    );
    silence(&mut seen, 5);
    let decision = decide(&seen, SHAPE, true);
    assert!(
        decision.steps.is_empty() && !decision.blocked.is_empty(),
        "{decision:?}"
    );
    let decision = decide(&seen[..5], SHAPE, true);
    assert!(
        decision.steps.is_empty() && !decision.blocked.is_empty(),
        "{decision:?}"
    );
}

#[test]
fn nothing_is_forgotten_or_given_out_while_somebody_is_silent() {
    for silent in 0..6 {
        for gone in (0..6).filter(|gone| *gone != silent) {
            let mut seen = healthy();
            for sighting in &mut seen {
                if let Ok(told) = &mut sighting.told {
                    told.lines.get_mut(&format!("id{gone}")).unwrap().failing = true;
                }
            }
            seen[gone] = blank(gone);
            seen[gone].member.ip = "10.0.0.99".to_owned();
            silence(&mut seen, silent);
            for patient in [false, true] {
                let steps = decide(&seen, SHAPE, patient).steps;
                assert!(
                    steps
                        .iter()
                        .all(|step| matches!(step, Step::Meet { .. } | Step::Replicate { .. })),
                    "silent {silent}, gone {gone}: {steps:?}"
                );
            }
        }
    }
}

#[test]
fn a_stranger_with_data_is_not_joined() {
    let mut seen = healthy();
    let lines = BTreeMap::from([("other".to_owned(), line(5, None, vec![(0, 100)]))]);
    seen[5].told = Ok(Told {
        keys: 9,
        ..told("other", &lines)
    });
    let decision = decide(&seen, SHAPE, true);
    let touches =
        |step: &Step| step.at() == "redis-5" || matches!(step, Step::Meet { other, .. } if other == "redis-5");
    assert!(!decision.steps.iter().any(touches), "{decision:?}");
    assert!(
        decision.blocked[0].contains("redis-5 holds data of another cluster"),
        "{decision:?}"
    );
}

#[test]
fn a_replica_that_copies_from_an_old_address_is_told_again() {
    let mut seen = healthy();
    let told = seen[4].told.as_mut().unwrap();
    (told.synced, told.copies_from) = (false, Some(("10.9.9.9".to_owned(), 6379)));
    let step = |primary: &str, primary_id: &str| Step::Replicate {
        at: "redis-4".to_owned(),
        primary: primary.to_owned(),
        primary_id: primary_id.to_owned(),
    };
    assert_eq!(decide(&seen, SHAPE, false).steps, [step("redis-0", "id0")]);
    assert_eq!(decide(&seen, SHAPE, true).steps, [step("redis-1", "id1")]);
}
