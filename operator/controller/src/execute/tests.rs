use super::*;
use shop_plan::observed::ProofView;
use shop_plan::task::SecretRef;

fn prove(generation: i64) -> Task {
    let synthetic_key = SecretRef {
        secret: "demo-secrets".into(),
        key: "synthetic-key".into(),
    };
    Task::Prove {
        gateway: "demo-gateway".into(),
        synthetic_key,
        shards: vec![0],
        generation,
    }
}

fn restart(uid: &str) -> Task {
    Task::RestartPod {
        pod: "demo-redis-0".into(),
        uid: uid.into(),
        reason: "its template changed".into(),
    }
}

fn proof(generation: i64) -> ProofView {
    ProofView {
        at: String::new(),
        generation,
        succeeded: true,
        tier: None,
        message: String::new(),
    }
}

#[test]
fn a_task_that_runs_is_not_started_again() {
    let (mut memory, now) = (memory::Shop::default(), Instant::now());
    assert_eq!(start(&mut memory, &restart("a"), now), Start::Now);
    assert_eq!(start(&mut memory, &restart("a"), now), Start::Running);
}

#[test]
fn a_failed_task_is_held_back_unless_it_changed() {
    let (mut memory, now) = (memory::Shop::default(), Instant::now());
    assert_eq!(start(&mut memory, &restart("a"), now), Start::Now);
    record(
        &mut memory,
        &restart("a"),
        Ended {
            succeeded: false,
            message: "no answer".into(),
        },
        now,
        0.0,
    );
    assert_eq!(start(&mut memory, &restart("a"), now), Start::In(FIRST_HOLD));
    assert_eq!(start(&mut memory, &restart("b"), now), Start::Now);
}

#[test]
fn delays_grow_with_every_failure_of_the_same_task() {
    let (mut memory, mut now) = (memory::Shop::default(), Instant::now());
    let mut delays = Vec::new();
    for _ in 0..4 {
        assert_eq!(start(&mut memory, &restart("a"), now), Start::Now);
        record(
            &mut memory,
            &restart("a"),
            Ended {
                succeeded: false,
                message: String::new(),
            },
            now,
            0.0,
        );
        let Start::In(delay) = start(&mut memory, &restart("a"), now) else {
            panic!("held back after a failure")
        };
        delays.push(delay.as_secs());
        now += delay;
    }
    assert_eq!(delays, [2, 4, 8, 16]);
}

#[test]
fn a_proof_is_made_every_minute_and_at_once_after_a_change() {
    let (mut memory, now) = (memory::Shop::default(), Instant::now());
    memory.proof = Some(proof(1));
    memory.proved = Some(now);
    assert_eq!(start(&mut memory, &prove(1), now), Start::In(INTERVAL));
    assert_eq!(start(&mut memory, &prove(2), now), Start::Now);
    record(
        &mut memory,
        &prove(2),
        Ended {
            succeeded: true,
            message: String::new(),
        },
        now,
        0.0,
    );
    assert_eq!(start(&mut memory, &prove(1), now + INTERVAL), Start::Now);
}
