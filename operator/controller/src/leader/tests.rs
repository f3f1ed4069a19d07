use super::*;

fn lease(holder: &str) -> Lease {
    let spec = LeaseSpec {
        holder_identity: Some(holder.to_owned()),
        lease_duration_seconds: Some(30),
        renew_time: Some(MicroTime(Timestamp::UNIX_EPOCH)),
        ..LeaseSpec::default()
    };
    Lease {
        metadata: ObjectMeta::default(),
        spec: Some(spec),
    }
}

fn seen(at: Instant) -> Sighting {
    Sighting {
        renewed: Some(MicroTime(Timestamp::UNIX_EPOCH)),
        at,
    }
}

#[test]
fn a_free_or_own_lease_is_taken() {
    let now = Instant::now();
    assert_eq!(decide(None, "me", None, now), Decision::Create);
    assert_eq!(decide(Some(&lease("")), "me", None, now), Decision::Take);
    assert_eq!(decide(Some(&lease("me")), "me", None, now), Decision::Take);
}

#[test]
fn anothers_lease_is_taken_only_after_we_watched_it_run_out() {
    let now = Instant::now();
    assert_eq!(decide(Some(&lease("other")), "me", None, now), Decision::Wait);
    let sighting = seen(now);
    assert_eq!(
        decide(
            Some(&lease("other")),
            "me",
            Some(&sighting),
            now + Duration::from_secs(29)
        ),
        Decision::Wait
    );
    assert_eq!(
        decide(
            Some(&lease("other")),
            "me",
            Some(&sighting),
            now + Duration::from_secs(30)
        ),
        Decision::Take
    );
}

#[test]
fn a_holder_that_renewed_is_left_alone() {
    let now = Instant::now();
    let mut renewed = lease("other");
    renewed.spec.as_mut().expect("has one").renew_time = Some(MicroTime(Timestamp::now()));
    assert_eq!(
        decide(Some(&renewed), "me", Some(&seen(now)), now + Duration::from_secs(60)),
        Decision::Wait
    );
}

#[test]
fn a_change_of_holder_is_counted_and_a_renewal_is_not() {
    let taken = claimed(lease("other"), "me").spec.expect("has one");
    assert_eq!(taken.lease_transitions, Some(1));
    let renewed = claimed(
        Lease {
            metadata: ObjectMeta::default(),
            spec: Some(taken.clone()),
        },
        "me",
    )
    .spec
    .expect("has one");
    assert_eq!(renewed.lease_transitions, Some(1));
    assert_eq!(renewed.acquire_time, taken.acquire_time);
}
