//! The examples a user starts from are valid, and as large as they say.

use shop_api::ShopDeployment;
use shop_plan::inputs::{Images, Inputs};
use shop_plan::validate::{Standing, validate};

fn inputs() -> Inputs {
    let image = || "registry.example/image:1".to_owned();
    let images = Images {
        postgres: image(),
        redis: image(),
        rabbitmq: image(),
        gateway: image(),
        user: image(),
        product: image(),
        order: image(),
        inventory: image(),
        payment: image(),
        recommendation: image(),
        books: image(),
        single: image(),
    };
    let now = jiff::Timestamp::UNIX_EPOCH;
    Inputs {
        images,
        image_pull_secrets: vec![],
        version: "0.1.0".into(),
        operator_namespace: "shop-system".into(),
        now,
    }
}

#[test]
fn examples_are_valid_and_as_large_as_they_say() {
    for (name, shards, standbys) in [("tiny", 1, 0), ("small", 2, 1), ("medium", 4, 2)] {
        let path = format!("{}/../../examples/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).expect(&path);
        let example: ShopDeployment = serde_saphyr::from_str(&text).expect(name);
        let shop = validate(&example, &inputs(), &Standing::default())
            .unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
        assert_eq!(
            (shop.orders().shards, shop.orders().replicas),
            (shards, standbys),
            "{name}"
        );
    }
}
