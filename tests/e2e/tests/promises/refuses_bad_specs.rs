//! A spec that cannot be is refused with a message that names the field and the rule: by the API server where it can,
//! else by the operator, with all problems at once and without touching what runs.

use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};
use shop_api::condition::VALID;
use shop_e2e::spec::{document, merge, tiny_spec};
use shop_e2e::stage::{with_demo_shop, with_namespace};
use shop_e2e::waiting::not_yet;
use shop_e2e::writes::Objects;
use shop_e2e::{SOON, Shop, eventually};

/// What is wrong, the change that makes it so, and words the answer has to contain.
#[derive(serde::Deserialize)]
struct BadSpec {
    what: String,
    change: Value,
    answer: Vec<String>,
}

fn bad_specs() -> Vec<BadSpec> {
    serde_saphyr::from_str(include_str!("bad_specs.yaml")).expect("the table is YAML")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn the_answer_names_field_and_rule() {
    with_namespace("bad-specs", |cluster, namespace| async move {
        let mut wrong = Vec::new();
        for (index, BadSpec { what, change, answer }) in bad_specs().into_iter().enumerate() {
            let mut spec = tiny_spec();
            merge(&mut spec, change);
            let shop = Shop::named(&cluster, &namespace, &format!("bad-{index}"));
            match refusal(&shop, spec).await {
                Some(message) => {
                    let missing: Vec<_> = answer.iter().filter(|word| !message.contains(*word)).collect();
                    if !missing.is_empty() {
                        wrong.push(format!("{what}: the answer lacks {missing:?}: {message}"));
                    }
                }
                None => wrong.push(format!(
                    "{what}: accepted, and not called invalid by the operator either"
                )),
            }
        }
        assert!(
            wrong.is_empty(),
            "{} specs are not refused well:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    })
    .await;
}

/// The API server's answer, or else what the operator says in `Valid`; the shop is deleted again.
async fn refusal(shop: &Shop, spec: Value) -> Option<String> {
    let api = shop.cluster.raw_shops(shop.namespace());
    match api.create(&PostParams::default(), &document(&shop.name, spec)).await {
        Err(kube::Error::Api(status)) => return Some(status.message),
        Err(error) => panic!("the API server does not answer: {error}"),
        Ok(_) => {}
    }
    let verdict = eventually(SOON, format!("{} is judged", shop.name), || async {
        let seen = shop.look().await?;
        let found = shop_e2e::status::condition(&seen, VALID).cloned();
        found
            .filter(|found| found.status != "Unknown")
            .ok_or_else(|| not_yet("no verdict yet"))
    })
    .await;
    api.delete(&shop.name, &DeleteParams::default())
        .await
        .expect("an invalid shop can be deleted");
    (verdict.status == "False").then_some(verdict.message)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn a_valid_minimal_spec_is_admitted() {
    with_namespace("good-specs", |cluster, namespace| async move {
        let dry_run = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        for (name, spec) in [("empty", json!({})), ("tiny", tiny_spec())] {
            let answer = cluster
                .raw_shops(&namespace)
                .create(&dry_run, &document(name, spec))
                .await;
            assert!(answer.is_ok(), "{name}: {answer:?}");
        }
    })
    .await;
}

/// Two problems that only the whole spec shows, so admission lets them pass.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn an_invalid_edit_touches_nothing_and_all_problems_are_named() {
    with_demo_shop(|demo| async move {
        let before = Objects::of(&demo).await.expect("objects");
        let nonsense = json!({
            "redis": {"maxMemory": "100Gi"},
            "gateway": {"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}},
        });
        demo.edit(nonsense).await;
        let verdict = demo.says(VALID, "False", &["spec.redis.maxMemory"]).await;
        let second = "spec.gateway.resources.requests.memory";
        assert!(
            verdict.message.contains(second),
            "only one of two problems is told: {}",
            verdict.message
        );
        let mut changes = before.upheavals_until(&Objects::of(&demo).await.expect("objects"));
        changes.retain(|change| !change.starts_with("ShopDeployment/"));
        assert!(
            changes.is_empty(),
            "an invalid spec changed running things: {changes:#?}"
        );
        let storefront = demo.storefront().await;
        let customer = eventually(SOON, "the shop still serves", || storefront.register()).await;
        eventually(SOON, "and takes orders", || customer.order()).await;
    })
    .await;
}

#[test]
fn the_table_of_bad_specs_can_be_read() {
    let all = bad_specs();
    assert!(
        all.len() >= 25 && all.iter().all(|one| !one.answer.is_empty()),
        "{} specs",
        all.len()
    );
}
