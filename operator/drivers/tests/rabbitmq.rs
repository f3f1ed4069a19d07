//! The RabbitMQ driver against a real node: makes the topology, repairs just what is missing, and messages flow.
//!
//! The virtual host's name is fixed by shop-contract, so the tests take turns on one node.

// Test code may stop at the first surprise; clippy counts only the tests themselves as such, not what they call.
#![allow(clippy::unwrap_used)]

use lapin::options::{
    BasicGetOptions, BasicNackOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use shop_contract::event::{DEAD_LETTER_EXCHANGE, DELAYS, EXCHANGE, ORDER_WORK, QUEUES, VHOST};
use shop_drivers::rabbitmq::{Admin, RabbitError, Wanted, ensure_topology, read};
use shop_drivers::{Class, Report};
use shop_kit_testbed::RabbitMq;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
const DEADLINE: Duration = Duration::from_secs(60);

async fn node() -> (&'static RabbitMq, Admin, Wanted) {
    let node = RabbitMq::shared().await.unwrap();
    let admin = Admin {
        host: node.host(),
        port: node.management_port(),
        user: node.admin().to_owned(),
        password: node.password().to_owned(),
    };
    (
        node,
        admin,
        Wanted {
            user: "shop".to_owned(),
            password: "secret-1".to_owned(),
            nodes: 1,
        },
    )
}

/// A call of the management interface that is none of the driver's.
async fn call(admin: &Admin, method: &str, path: &str, body: &str) {
    let url = format!("http://{}:{}/api/{path}", admin.host, admin.port);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client
        .request(method.parse().unwrap(), &url)
        .basic_auth(&admin.user, Some(&admin.password));
    let answer = request
        .header("content-type", "application/json")
        .body(body.to_owned())
        .send()
        .await
        .unwrap();
    assert!(answer.status().is_success(), "{method} {path}: {}", answer.status());
}

async fn channel(node: &RabbitMq, user: &str, password: &str) -> (Connection, Channel) {
    let url = node.amqp_url(user, password, VHOST);
    let connection = Connection::connect(&url, ConnectionProperties::default())
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}

#[tokio::test]
async fn makes_the_topology_and_then_writes_nothing() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let (_, admin, wanted) = node().await;
    ensure_topology(&admin, &wanted).await.unwrap();
    assert_eq!(ensure_topology(&admin, &wanted).await.unwrap(), Report::default());
    let view = read(&admin, &wanted).await.unwrap();
    assert_eq!((view.missing.as_slice(), view.running_nodes.len()), ([].as_slice(), 1));
}

#[tokio::test]
async fn repairs_just_what_somebody_removed_or_changed() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let (_, admin, wanted) = node().await;
    ensure_topology(&admin, &wanted).await.unwrap();
    let policy = r#"{"pattern":"^order\\.work$","definition":{"delivery-limit":3},"apply-to":"queues","priority":10}"#;
    let open = r#"{"configure":".*","write":".*","read":".*"}"#;
    let own_keys = ORDER_WORK.routing_keys.len();
    let all_keys: usize = QUEUES.iter().map(|queue| queue.routing_keys.len()).sum();
    // The virtual host, two permissions, the exchanges; a policy and itself per queue; the bindings.
    let everything = 5 + DELAYS.len() + 2 * (2 * QUEUES.len() + DELAYS.len()) + all_keys + QUEUES.len() + DELAYS.len();
    for (method, path, body, repairs) in [
        ("DELETE", "queues/shop/order.work".to_owned(), "", 1 + own_keys),
        ("DELETE", "exchanges/shop/shop.events".to_owned(), "", 1 + all_keys),
        (
            "DELETE",
            "bindings/shop/e/shop.events/q/order.work/payment.captured".to_owned(),
            "",
            1,
        ),
        (
            "POST",
            "bindings/shop/e/shop.events/q/order.work".to_owned(),
            r#"{"routing_key":"order.placed"}"#,
            1,
        ),
        ("DELETE", "queues/shop/shop.delay.10s".to_owned(), "", 2),
        ("DELETE", "exchanges/shop/shop.delay.1m".to_owned(), "", 2),
        ("DELETE", "policies/shop/shop.delay.1s".to_owned(), "", 1),
        ("PUT", "policies/shop/order.work".to_owned(), policy, 1),
        ("DELETE", "policies/shop/order.work".to_owned(), "", 1),
        ("PUT", "permissions/shop/shop".to_owned(), open, 1),
        ("DELETE", "permissions/shop/shop".to_owned(), "", 1),
        ("PUT", "users/shop".to_owned(), r#"{"password":"other","tags":""}"#, 1),
        (
            "PUT",
            "users/shop".to_owned(),
            r#"{"password":"secret-1","tags":"administrator"}"#,
            1,
        ),
        ("DELETE", "users/shop".to_owned(), "", 2),
        ("DELETE", "vhosts/shop".to_owned(), "", everything),
    ] {
        call(&admin, method, &path, body).await;
        let view = read(&admin, &wanted).await.unwrap();
        assert_eq!(view.missing.len(), repairs, "after {method} {path}: {view:?}");
        let report = ensure_topology(&admin, &wanted).await.unwrap();
        assert_eq!(report.steps, view.missing, "after {method} {path}");
        assert_eq!(
            ensure_topology(&admin, &wanted).await.unwrap(),
            Report::default(),
            "after {method} {path}"
        );
    }
}

#[tokio::test]
async fn a_refused_message_reaches_its_dead_letters() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let (node, admin, wanted) = node().await;
    ensure_topology(&admin, &wanted).await.unwrap();
    let (_connection, service) = channel(node, &wanted.user, &wanted.password).await;
    service.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let key = ORDER_WORK.routing_keys[0].into();
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let sent = service
        .basic_publish(EXCHANGE.into(), key, options, b"x", BasicProperties::default())
        .await
        .unwrap();
    let confirmed = sent.await.unwrap();
    assert!(confirmed.is_ack(), "{confirmed:?}");
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(message) = service
            .basic_get(ORDER_WORK.name.into(), BasicGetOptions::default())
            .await
            .unwrap()
        {
            message
                .nack(BasicNackOptions {
                    requeue: false,
                    multiple: false,
                })
                .await
                .unwrap();
            break;
        }
        assert!(Instant::now() < end, "the message never came to {}", ORDER_WORK.name);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (_connection, operator) = channel(node, &admin.user, &admin.password).await;
    let taken = BasicGetOptions { no_ack: true };
    while operator
        .basic_get(ORDER_WORK.dead_letters.into(), taken)
        .await
        .unwrap()
        .is_none()
    {
        assert!(
            Instant::now() < end,
            "the message never came to {}",
            ORDER_WORK.dead_letters
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_delayed_message_comes_back_to_its_work_queue() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let (node, admin, wanted) = node().await;
    ensure_topology(&admin, &wanted).await.unwrap();
    let (_connection, service) = channel(node, &wanted.user, &wanted.password).await;
    service.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let (delay, key) = (DELAYS[0].name.into(), ORDER_WORK.name.into());
    let begun = Instant::now();
    let sent = service
        .basic_publish(delay, key, options, b"later", BasicProperties::default())
        .await
        .unwrap();
    let confirmed = sent.await.unwrap();
    assert!(confirmed.is_ack() && confirmed.take_message().is_none());
    loop {
        let queue = ORDER_WORK.name.into();
        let got = service
            .basic_get(queue, BasicGetOptions { no_ack: true })
            .await
            .unwrap();
        if got.is_some_and(|message| message.data == b"later") {
            break;
        }
        assert!(begun.elapsed() < DEADLINE, "the message never came back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_secs(DELAYS[0].seconds.into()), "{waited:?}");
}

#[tokio::test]
async fn services_may_not_make_queues() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let (node, admin, wanted) = node().await;
    ensure_topology(&admin, &wanted).await.unwrap();
    let (_connection, service) = channel(node, &wanted.user, &wanted.password).await;
    let passive = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    service
        .queue_declare(ORDER_WORK.name.into(), passive, FieldTable::default())
        .await
        .unwrap();
    let made = service
        .queue_declare("mine".into(), QueueDeclareOptions::default(), FieldTable::default())
        .await;
    assert!(made.unwrap_err().to_string().contains("ACCESS_REFUSED"));
}

#[tokio::test]
async fn makes_queues_only_when_all_nodes_run_and_leaves_foreign_kinds_alone() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let (_, admin, wanted) = node().await;
    ensure_topology(&admin, &wanted).await.unwrap();
    call(&admin, "DELETE", "queues/shop/order.work", "").await;
    let report = ensure_topology(
        &admin,
        &Wanted {
            nodes: 3,
            ..wanted.clone()
        },
    )
    .await
    .unwrap();
    assert!(!report.changed && report.waiting.is_some(), "{report:?}");
    let classic = r#"{"durable":true,"arguments":{"x-queue-type":"classic"}}"#;
    call(&admin, "PUT", "queues/shop/order.work", classic).await;
    let error = ensure_topology(&admin, &wanted).await.unwrap_err();
    assert!(
        matches!(error, RabbitError::QueueDiffers { .. }) && error.class() == Class::Fatal,
        "{error}"
    );
    assert!(
        read(&admin, &wanted)
            .await
            .unwrap()
            .missing
            .iter()
            .any(|line| line.contains("classic"))
    );
    call(&admin, "DELETE", "queues/shop/order.work", "").await;
    ensure_topology(&admin, &wanted).await.unwrap();
    assert!(DEAD_LETTER_EXCHANGE.starts_with(VHOST));
}

#[tokio::test]
async fn failures_name_host_and_class() {
    let (_, admin, wanted) = node().await;
    let wrong = Admin {
        password: "wrong".to_owned(),
        ..admin.clone()
    };
    let error = ensure_topology(&wrong, &wanted).await.unwrap_err();
    assert!(
        matches!(error, RabbitError::LoginRefused { .. }) && error.class() == Class::Fatal,
        "{error}"
    );
    let nobody = Admin {
        port: 1,
        ..admin.clone()
    };
    let error = read(&nobody, &wanted).await.unwrap_err();
    assert!(
        error.class() == Class::Transient && error.to_string().contains(&admin.host),
        "{error}"
    );
}
