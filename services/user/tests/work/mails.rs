//! One mail per fact, whatever comes twice or breaks on the way.

use crate::mailserver::{TestMail, header};
use crate::place::{Place, Worker, broker, event, publish};
use prometheus::Registry;
use shop_contract::event::{
    EMAIL_WORK, ORDER_CANCELLED, ORDER_CONFIRMED, ORDER_SHIPPED, PAYMENT_REFUNDED, PaymentEvent, USER_REGISTERED,
    UserRegistered,
};
use shop_kit_testbroker::TestBroker;
use shop_kit_testshards::PATIENCE;
use shop_user::mail::{Facts, MailMetrics, MailSettings, send_due};
use shop_user::store::mail::{self, NewMail, add};
use shop_user::store::unsent::{Revived, revive};
use std::collections::HashSet;
use std::time::{Duration, Instant};
use uuid::Uuid;

pub const SENT: &str = "select count(*) from user_mails where state = 'sent'";
const UNSENT: &str = "select count(*) from user_mails where state = 'unsent'";
const WAITING: &str = "select count(*) from user_mails where state = 'waiting'";

pub fn metrics() -> MailMetrics {
    MailMetrics::new(&Registry::new()).unwrap()
}

/// Keeps so many mails to one address, to be sent.
pub async fn keep(place: &Place, address: &str, count: usize) {
    keep_as(place, address, count, true).await;
}

/// As a program with or without a mail server keeps them.
async fn keep_as(place: &Place, address: &str, count: usize, to_be_sent: bool) {
    let user = place.customer(0, address).await;
    let mails = (0..count).map(|_| NewMail {
        object_id: Uuid::now_v7(),
        kind: ORDER_SHIPPED.to_owned(),
        user_id: user,
        facts: Facts::default(),
    });
    let pool = place.pool(0);
    let mut transaction = pool.begin().await.unwrap();
    let kept = add(&mut transaction, &mails.collect::<Vec<_>>(), to_be_sent)
        .await
        .unwrap();
    pool.commit(transaction).await.unwrap();
    assert_eq!(kept, count as u64);
}

async fn until_mails(mail: &TestMail, count: usize) {
    let begun = Instant::now();
    while mail.mails().len() < count {
        assert!(
            begun.elapsed() < PATIENCE,
            "{} mails came, not {count}",
            mail.mails().len()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Tells twice that so much of the customer's order was given back.
async fn refund(broker: &TestBroker, user: Uuid, cents: i64) {
    let refunded = PaymentEvent {
        event_id: Uuid::now_v7(),
        payment_id: Uuid::now_v7(),
        order_id: event(user).order_id,
        user_id: user,
        amount_cents: cents,
        currency: "EUR".to_owned(),
        reason: None,
        lines: Vec::new(),
        synthetic: false,
        at: "2026-11-24T12:00:02Z".to_owned(),
    };
    let body = serde_json::to_vec(&refunded).unwrap();
    for _ in 0..2 {
        broker.publish(PAYMENT_REFUNDED, refunded.event_id, &body).await;
    }
}

#[tokio::test]
async fn every_part_of_an_order_that_is_given_back_is_mailed() {
    let (place, broker) = tokio::join!(Place::start(), broker());
    let mail = TestMail::start();
    let user = place.customer(0, "ada@example.com").await;
    refund(&broker, user, 500).await;
    refund(&broker, user, 790).await;
    let worker = Worker::start(&place, &broker, mail.settings());
    until_mails(&mail, 1).await;
    broker.until_waiting(EMAIL_WORK.name, 0).await;
    worker.stop().await;
    let mails = mail.mails();
    let told = |text: &str| mails.iter().filter(|mail| mail.contains(text)).count();
    assert_eq!(
        (told("5.00 EUR"), told("7.90 EUR"), mails.len()),
        (1, 1, 2),
        "{mails:?}"
    );
}

#[tokio::test]
async fn every_fact_is_mailed_once_to_its_customer_as_text_and_html() {
    let (place, broker) = tokio::join!(Place::start(), broker());
    let mail = TestMail::start();
    let worker = Worker::start(&place, &broker, mail.settings());
    let user = place.customer(1, "ada@example.com").await;
    let registered = UserRegistered {
        event_id: Uuid::now_v7(),
        user_id: user,
        synthetic: false,
    };
    let body = serde_json::to_vec(&registered).unwrap();
    broker.publish(USER_REGISTERED, registered.event_id, &body).await;
    for kind in [ORDER_CONFIRMED, ORDER_SHIPPED, ORDER_CANCELLED] {
        let event = event(user);
        publish(&broker, kind, &event).await;
        publish(&broker, kind, &event).await;
    }
    // Told again under another id, as after a repair.
    publish(&broker, ORDER_CONFIRMED, &event(user)).await;
    refund(&broker, user, 1290).await;
    place.until(1, SENT, 5).await;
    broker.until_waiting(EMAIL_WORK.name, 0).await;
    worker.stop().await;
    let mails = mail.mails();
    let ids: HashSet<String> = mails.iter().map(|mail| header(mail, "Message-ID")).collect();
    assert_eq!((mails.len(), ids.len()), (5, 5));
    for mail in &mails {
        assert_eq!(header(mail, "X-Envelope-To"), "ada@example.com");
        assert!(header(mail, "Message-ID").ends_with("@tea.example>"), "{mail}");
        assert_eq!(header(mail, "Auto-Submitted"), "auto-generated");
        assert!(mail.contains("text/plain") && mail.contains("text/html"), "{mail}");
    }
    assert!(mails.iter().any(|mail| mail.contains("Total: 12.90 EUR")));
    assert!(mails.iter().any(|mail| header(mail, "Subject") == "Welcome to Tea"));
}

#[tokio::test]
async fn tests_and_those_who_left_get_no_mail() {
    let (place, broker) = tokio::join!(Place::start(), broker());
    let user = place.customer(0, "gone@example.com").await;
    place.execute(0, "update users set deleted_at = now()").await;
    let mail = TestMail::start();
    let worker = Worker::start(&place, &broker, mail.settings());
    publish(&broker, ORDER_SHIPPED, &event(user)).await;
    publish(&broker, ORDER_SHIPPED, &event(place.two.user_in(0))).await;
    let known = place.customer(0, "ada@example.com").await;
    let mut synthetic = event(known);
    synthetic.synthetic = true;
    publish(&broker, ORDER_SHIPPED, &synthetic).await;
    publish(&broker, ORDER_CONFIRMED, &event(known)).await;
    place.until(0, SENT, 1).await;
    worker.stop().await;
    broker.until_waiting(EMAIL_WORK.name, 0).await;
    assert_eq!(place.count(0, "select count(*) from user_mails").await, 1);
    assert_eq!(mail.mails().len(), 1);
}

#[tokio::test]
async fn without_a_server_mails_are_kept_as_unsent_and_counted() {
    let (place, broker) = tokio::join!(Place::start(), broker());
    let none = MailSettings {
        shop: "Tea".to_owned(),
        server: None,
    };
    let worker = Worker::start(&place, &broker, none);
    let user = place.customer(0, "ada@example.com").await;
    publish(&broker, ORDER_SHIPPED, &event(user)).await;
    place.until(0, UNSENT, 1).await;
    broker.until_waiting(EMAIL_WORK.name, 0).await;
    let begun = Instant::now();
    while !worker.metrics().contains(r#"shop_mails_total{outcome="unsent"} 1"#) {
        assert!(begun.elapsed() < PATIENCE, "{}", worker.metrics());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    worker.stop().await;
}

#[tokio::test]
async fn mails_kept_without_a_server_are_sent_once_there_is_one_unless_they_are_old() {
    let (place, broker) = tokio::join!(Place::start(), broker());
    let none = MailSettings {
        shop: "Tea".to_owned(),
        server: None,
    };
    let before = Worker::start(&place, &broker, none);
    let user = place.customer(0, "ada@example.com").await;
    publish(&broker, ORDER_CONFIRMED, &event(user)).await;
    publish(&broker, ORDER_SHIPPED, &event(user)).await;
    place.until(0, UNSENT, 2).await;
    before.stop().await;
    let aged = "update user_mails set created_at = now() - interval '25 hours' where kind = 'order.confirmed'";
    place.execute(0, aged).await;

    let mail = TestMail::start();
    let worker = Worker::start(&place, &broker, mail.settings());
    place.until(0, SENT, 1).await;
    let expired = "select count(*) from user_mails where state = 'expired' and kind = 'order.confirmed' \
                   and settled_at is not null";
    place.until(0, expired, 1).await;
    assert!(
        worker.metrics().contains(r#"shop_mails_total{outcome="expired"} 1"#),
        "{}",
        worker.metrics()
    );
    // A pod of before goes on for a while beside it, and keeps what it hears.
    keep_as(&place, "eve@example.com", 1, false).await;
    place.until(0, SENT, 2).await;
    worker.stop().await;
    let mails = mail.mails();
    let to: HashSet<String> = mails.iter().map(|mail| header(mail, "X-Envelope-To")).collect();
    assert_eq!(to, ["ada@example.com", "eve@example.com"].map(str::to_owned).into());
    assert!(
        mails
            .iter()
            .any(|mail| header(mail, "Message-ID").starts_with("<order.shipped."))
    );
    assert_eq!((place.count(0, UNSENT).await, mails.len()), (0, 2));
}

#[tokio::test]
async fn more_kept_mails_than_one_statement_takes_are_all_looked_at() {
    let place = Place::start().await;
    keep_as(&place, "ada@example.com", 2_300, false).await;
    let revived = revive(&place.pool(0)).await.unwrap();
    assert_eq!((revived.waiting, revived.expired), (2_300, 0));
    assert_eq!(revive(&place.pool(0)).await.unwrap(), Revived::default());
}

#[tokio::test]
async fn old_mails_are_all_removed_however_many_there_are() {
    let place = Place::start().await;
    keep_as(&place, "ada@example.com", 12_000, true).await;
    let aged = "update user_mails set state = 'sent', settled_at = now() - interval '91 days'";
    place.execute(0, aged).await;
    keep_as(&place, "eve@example.com", 1, true).await;
    mail::sweep(&place.pool(0)).await.unwrap();
    assert_eq!(place.count(0, "select count(*) from user_mails").await, 1);
}

#[tokio::test]
async fn two_senders_never_send_the_same_mail() {
    let place = Place::start().await;
    let mail = TestMail::start();
    keep(&place, "ada@example.com", 100).await;
    let (pool, smtp) = (place.pool(0), mail.smtp());
    let sender = async || while send_due(&pool, &smtp, &metrics()).await.unwrap() {};
    tokio::join!(sender(), sender(), sender());
    place.until(0, SENT, 100).await;
    let ids: HashSet<String> = mail.mails().iter().map(|mail| header(mail, "Message-ID")).collect();
    assert_eq!((mail.mails().len(), ids.len()), (100, 100));
}

#[tokio::test]
async fn a_sender_killed_between_sending_and_noting_repeats_under_the_same_message_id() {
    let place = Place::start().await;
    let mail = TestMail::start();
    keep(&place, "stuck@example.com", 1).await;
    let (pool, smtp) = (place.pool(0), mail.smtp());
    let killed = tokio::spawn(async move { send_due(&pool, &smtp, &metrics()).await });
    until_mails(&mail, 1).await;
    killed.abort();
    let _ = killed.await;
    // Until the lease ends nobody else may send it.
    let (pool, smtp) = (place.pool(0), mail.smtp());
    assert!(!send_due(&pool, &smtp, &metrics()).await.unwrap());
    assert_eq!((place.count(0, WAITING).await, mail.mails().len()), (1, 1));
    let ended = "update user_mails set due_at = now(), recipient = 'ada@example.com'";
    place.execute(0, ended).await;
    send_due(&pool, &smtp, &metrics()).await.unwrap();
    place.until(0, SENT, 1).await;
    let ids: HashSet<String> = mail.mails().iter().map(|mail| header(mail, "Message-ID")).collect();
    assert_eq!((mail.mails().len(), ids.len()), (2, 1));
}

#[tokio::test]
async fn while_the_server_is_away_mails_wait_and_lose_no_attempt() {
    let place = Place::start().await;
    let mut mail = TestMail::start();
    keep(&place, "ada@example.com", 40).await;
    mail.stop();
    let (pool, smtp) = (place.pool(0), mail.smtp());
    for _ in 0..2 {
        send_due(&pool, &smtp, &metrics()).await.unwrap();
    }
    let untried = "select count(*) from user_mails where state = 'waiting' and attempts = 0";
    assert_eq!(place.count(0, untried).await, 40);
    let told = "select count(*) from user_mails where detail like 'Connection error%'";
    assert!(place.count(0, told).await > 0);
    mail.restart();
    place.execute(0, "update user_mails set due_at = now()").await;
    while send_due(&pool, &smtp, &metrics()).await.unwrap() {}
    place.until(0, SENT, 40).await;
    assert_eq!(mail.mails().len(), 40);
}

#[tokio::test]
async fn a_refused_mail_is_given_up_and_one_put_off_is_tried_later() {
    let place = Place::start().await;
    let mail = TestMail::start();
    for address in [
        "refused@example.com",
        "later@example.com",
        "no address",
        "ada@example.com",
    ] {
        keep(&place, address, 1).await;
    }
    send_due(&place.pool(0), &mail.smtp(), &metrics()).await.unwrap();
    let failed = "select count(*) from user_mails where state = 'failed' and \
                  (detail like '%no such mailbox%' or detail like 'the address%')";
    let later = "select count(*) from user_mails where state = 'waiting' and attempts = 1 and due_at > now() \
                 and claim is null and detail like '%try again later%'";
    assert_eq!((place.count(0, failed).await, place.count(0, later).await), (2, 1));
    assert_eq!((place.count(0, SENT).await, mail.mails().len()), (1, 1));
}
