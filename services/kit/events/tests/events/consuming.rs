//! From the queue to the effect.

use crate::place::{KIND, Noting, Place, Running};
use lapin::BasicProperties;
use lapin::options::{BasicGetOptions, BasicNackOptions, BasicPublishOptions, ExchangeDeleteOptions};
use prometheus::{Registry, TextEncoder};
use shop_contract::event::{DELAYS, EXCHANGE, ORDER_WORK};
use shop_kit_events::dead_letters::{list, replay};
use shop_kit_events::{Consumer, EventMetrics, HandleError, Message};
use shop_kit_testbroker::{TestBroker, Wire};
use std::time::Duration;
use uuid::Uuid;

const EFFECTS: &str = "select count(*) from effects";

async fn start() -> (Place, TestBroker) {
    tokio::join!(Place::start(), TestBroker::start_with(&[ORDER_WORK]))
}

fn metrics() -> EventMetrics {
    EventMetrics::new(&Registry::new()).unwrap()
}

fn says(message: &Message, word: &str) -> bool {
    message.payload == word.as_bytes()
}

async fn publish(broker: &TestBroker, word: &str) -> Uuid {
    let id = Uuid::now_v7();
    broker.publish(KIND, id, word.as_bytes()).await;
    id
}

#[tokio::test]
async fn what_waits_is_handled_in_batches_and_has_one_effect_each() {
    let (place, broker) = start().await;
    let twice = publish(&broker, "fine").await;
    for _ in 0..200 {
        publish(&broker, "fine").await;
    }
    // In another batch than the first time.
    broker.publish(KIND, twice, b"fine").await;
    let handler = Noting::new(place.pool(0), |_| None);
    let consumer = Running::consumer(&broker.broker, &handler, &metrics());
    place.until(0, EFFECTS, 201).await;
    broker.until_waiting(ORDER_WORK.name, 0).await;
    consumer.stop().await;
    broker.until_waiting(ORDER_WORK.name, 0).await;
    assert_eq!(place.count(0, EFFECTS).await, 201);
    let largest = handler.seen.lock().unwrap().iter().map(|attempt| attempt.batch).max();
    assert_eq!(largest, Some(64));
}

#[tokio::test]
async fn who_does_not_hurry_gathers_what_comes_one_by_one() {
    let (place, broker) = start().await;
    let handler = Noting::new(place.pool(0), |_| None);
    let (to, hears) = (broker.broker.clone(), handler.clone());
    let consumer = Running::start(|stop| Consumer::new(ORDER_WORK, to, hears, stop).unhurried().run());
    for _ in 0..8 {
        publish(&broker, "fine").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    place.until(0, EFFECTS, 8).await;
    consumer.stop().await;
    let largest = handler.seen.lock().unwrap().iter().map(|attempt| attempt.batch).max();
    assert!(largest >= Some(3), "{largest:?} at most in one batch");
}

#[tokio::test]
async fn one_bad_message_does_not_hold_up_its_batch() {
    let (place, broker) = start().await;
    let bad = publish(&broker, "poison").await;
    for _ in 0..20 {
        publish(&broker, "fine").await;
    }
    let verdict = |message: &Message| says(message, "poison").then(|| HandleError::Poison("it is bad".to_owned()));
    let handler = Noting::new(place.pool(0), verdict);
    let consumer = Running::consumer(&broker.broker, &handler, &metrics());
    place.until(0, EFFECTS, 20).await;
    broker.until_waiting(ORDER_WORK.dead_letters, 1).await;
    consumer.stop().await;
    broker.until_waiting(ORDER_WORK.name, 0).await;
    let letters = list(&broker.broker, &[ORDER_WORK], 10).await.unwrap();
    assert_eq!((letters[0].id, letters[0].reason.as_str()), (Some(bad), "it is bad"));
    assert_eq!((letters[0].queue, letters[0].kind.as_str()), (ORDER_WORK.name, KIND));
}

/// Several events in one message; returns their ids.
async fn publish_together(broker: &TestBroker, words: &[&str]) -> Vec<Uuid> {
    let events: Vec<(Uuid, &[u8])> = words.iter().map(|word| (Uuid::now_v7(), word.as_bytes())).collect();
    broker.publish_together(KIND, &events).await;
    events.iter().map(|(id, _)| *id).collect()
}

#[tokio::test]
async fn of_events_that_came_together_each_has_its_own_fate() {
    let (place, broker) = start().await;
    let ids = publish_together(&broker, &["fine", "poison", "once", "fine", "always"]).await;
    let verdict = |message: &Message| match &*message.payload {
        b"poison" => Some(HandleError::Poison("it is bad".to_owned())),
        b"once" if message.attempt == 1 => Some(HandleError::Failed("not yet".to_owned())),
        b"always" => Some(HandleError::Failed("no luck".to_owned())),
        _ => None,
    };
    let handler = Noting::new(place.pool(0), verdict);
    let consumer = Running::consumer(&broker.broker, &handler, &metrics());
    place.until(0, EFFECTS, 3).await;
    broker.until_waiting(ORDER_WORK.dead_letters, 2).await;
    consumer.stop().await;
    broker.until_waiting(ORDER_WORK.name, 0).await;
    let mut letters = list(&broker.broker, &[ORDER_WORK], 10).await.unwrap();
    letters.sort_by_key(|letter| letter.id);
    let told: Vec<_> = letters
        .iter()
        .map(|letter| (letter.id, &*letter.payload, letter.events))
        .collect();
    assert_eq!(told, [(Some(ids[1]), "poison", 1), (Some(ids[4]), "always", 1)]);
    assert_eq!(replay(&broker.broker, &[ORDER_WORK], Some(ids[4])).await.unwrap(), 1);
    let handler = Noting::new(place.pool(0), |_| None);
    let consumer = Running::consumer(&broker.broker, &handler, &metrics());
    place.until(0, EFFECTS, 4).await;
    consumer.stop().await;
}

#[tokio::test]
async fn events_that_came_together_come_again_together_when_one_could_not_be_put_off() {
    let (place, broker) = start().await;
    let options = ExchangeDeleteOptions::default();
    let gone = broker.channel.exchange_delete(DELAYS[0].name.into(), options);
    gone.await.unwrap();
    let ids = publish_together(&broker, &["fine", "bad", "fine"]).await;
    let verdict = |message: &Message| says(message, "bad").then(|| HandleError::Failed("no luck".to_owned()));
    let handler = Noting::new(place.pool(0), verdict);
    let consumer = Running::consumer(&broker.broker, &handler, &metrics());
    // Together, alone, and the same again.
    handler.until_attempts(ids[1], 4).await;
    consumer.stop().await;
    broker.until_waiting(ORDER_WORK.name, 1).await;
    assert_eq!(place.count(0, EFFECTS).await, 2);
    let back = broker.take(ORDER_WORK.name).await.events();
    assert_eq!(back.iter().map(|event| event.id).collect::<Vec<_>>(), ids);
}

#[tokio::test]
async fn a_message_nobody_lives_to_open_is_given_up_and_replayed_whole() {
    let (place, broker) = start().await;
    let ids = publish_together(&broker, &["fine", "fine"]).await;
    let options = BasicGetOptions::default();
    // As consumers that die over it do, until RabbitMQ has enough of it.
    loop {
        let got = broker.channel.basic_get(ORDER_WORK.name.into(), options).await.unwrap();
        let Some(got) = got else { break };
        got.delivery
            .nack(BasicNackOptions {
                requeue: true,
                multiple: false,
            })
            .await
            .unwrap();
    }
    broker.until_waiting(ORDER_WORK.dead_letters, 1).await;
    let letter = &list(&broker.broker, &[ORDER_WORK], 10).await.unwrap()[0];
    assert_eq!((letter.id, letter.events, letter.attempts), (Some(ids[0]), 2, 0));
    assert_eq!(replay(&broker.broker, &[ORDER_WORK], Some(ids[0])).await.unwrap(), 1);
    let handler = Noting::new(place.pool(0), |_| None);
    let consumer = Running::consumer(&broker.broker, &handler, &metrics());
    place.until(0, EFFECTS, 2).await;
    consumer.stop().await;
}

#[tokio::test]
async fn a_message_that_is_no_sequence_of_its_events_goes_to_the_dead_letters() {
    let (place, broker) = start().await;
    // The text separator is in the middle of the first event.
    let events: [(Uuid, &[u8]); 2] = [(Uuid::now_v7(), b"a\x1eb"), (Uuid::now_v7(), b"fine")];
    broker.publish_together(KIND, &events).await;
    publish(&broker, "fine").await;
    let handler = Noting::new(place.pool(0), |_| None);
    let consumer = Running::consumer(&broker.broker, &handler, &metrics());
    place.until(0, EFFECTS, 1).await;
    broker.until_waiting(ORDER_WORK.dead_letters, 1).await;
    consumer.stop().await;
    let letter = &list(&broker.broker, &[ORDER_WORK], 10).await.unwrap()[0];
    assert_eq!(letter.reason, "the message has 3 events and 2 ids");
}

#[tokio::test]
async fn what_fails_is_tried_again_after_each_delay_and_then_given_up_with_its_reason() {
    let (place, broker) = start().await;
    let (bad, registry) = (publish(&broker, "bad").await, Registry::new());
    let handler = Noting::new(place.pool(0), |_| Some(HandleError::Failed("no luck".to_owned())));
    let consumer = Running::consumer(&broker.broker, &handler, &EventMetrics::new(&registry).unwrap());
    broker.until_waiting(ORDER_WORK.dead_letters, 1).await;
    consumer.stop().await;
    assert_eq!(handler.attempts()[&bad], [1, 2, 3, 4, 5]);
    let letter = &list(&broker.broker, &[ORDER_WORK], 10).await.unwrap()[0];
    assert_eq!(letter.reason, "5 attempts, the last one: no luck");
    assert_eq!((letter.attempts, letter.payload.as_str()), (4, "bad"));
    assert!(
        letter.died_at.as_ref().is_some_and(|at| at.ends_with('Z')),
        "{letter:?}"
    );
    let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    for line in [
        "shop_queue_deliveries_total",
        "shop_queue_retries_total",
        "shop_queue_dead_letters_total",
    ]
    .iter()
    .zip([5, 4, 1])
    .map(|(name, count)| format!(r#"{name}{{queue="order.work"}} {count}"#))
    {
        assert!(text.contains(&line), "no {line} in {text}");
    }
}

#[tokio::test]
async fn what_fails_once_succeeds_after_a_delay() {
    let (place, broker) = start().await;
    let id = publish(&broker, "fine").await;
    let verdict = |message: &Message| (message.attempt == 1).then(|| HandleError::Failed("not yet".to_owned()));
    let handler = Noting::new(place.pool(0), verdict);
    let consumer = Running::consumer(&broker.broker, &handler, &metrics());
    place.until(0, EFFECTS, 1).await;
    consumer.stop().await;
    assert_eq!(handler.attempts()[&id], [1, 2]);
    assert_eq!(broker.waiting_in(ORDER_WORK.dead_letters).await, 0);
}

#[tokio::test]
async fn a_tier_that_is_down_never_counts_as_a_failure_of_the_message() {
    let (place, broker) = start().await;
    let stuck = publish(&broker, "stuck").await;
    let verdict = |message: &Message| says(message, "stuck").then(|| HandleError::Unavailable("down".to_owned()));
    let handler = Noting::new(place.pool(0), verdict);
    let consumer = Running::consumer(&broker.broker, &handler, &metrics());
    publish(&broker, "fine").await;
    place.until(0, EFFECTS, 1).await;
    // More often than a message may fail by itself.
    let begun = std::time::Instant::now();
    while handler.attempts()[&stuck].len() < 8 {
        assert!(
            begun.elapsed() < shop_kit_testshards::PATIENCE,
            "{:?}",
            handler.attempts()
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    consumer.stop().await;
    assert!(handler.attempts()[&stuck].iter().all(|number| *number == 1));
    assert_eq!(broker.waiting_in(ORDER_WORK.dead_letters).await, 0);
    let handler = Noting::new(place.pool(0), |_| None);
    let consumer = Running::consumer(&broker.broker, &handler, &metrics());
    place.until(0, EFFECTS, 2).await;
    consumer.stop().await;
}

#[tokio::test]
async fn a_lost_connection_loses_nothing() {
    let (place, broker) = start().await;
    let handler = Noting::new(place.pool(0), |_| None);
    let consumer = Running::consumer(&broker.broker, &handler, &metrics());
    publish(&broker, "fine").await;
    place.until(0, EFFECTS, 1).await;
    for round in 0..3 {
        broker.set(Wire::Cut);
        for _ in 0..10 {
            publish(&broker, "fine").await;
        }
        broker.set(Wire::Open);
        place.until(0, EFFECTS, 11 + round * 10).await;
    }
    broker.until_waiting(ORDER_WORK.name, 0).await;
    consumer.stop().await;
    assert_eq!(place.count(0, EFFECTS).await, 31);
}

#[tokio::test]
async fn a_consumer_killed_between_effect_and_acknowledgement_repeats_without_effect() {
    let (place, broker) = start().await;
    let mut handler = Noting::new(place.pool(0), |_| None);
    handler.never_returns = true;
    let id = publish(&broker, "fine").await;
    let consumer = Running::consumer(&broker.broker, &handler, &metrics());
    place.until(0, EFFECTS, 1).await;
    broker.set(Wire::Cut);
    consumer.kill().await;
    broker.set(Wire::Open);
    broker.until_waiting(ORDER_WORK.name, 1).await;
    handler.never_returns = false;
    let consumer = Running::consumer(&broker.broker, &handler, &metrics());
    // Not just "no longer in the queue": a consumer that is stopped before it began gives the message back.
    handler.until_attempts(id, 2).await;
    consumer.stop().await;
    broker.until_waiting(ORDER_WORK.name, 0).await;
    assert_eq!(handler.attempts()[&id].len(), 2);
    assert_eq!(place.count(0, EFFECTS).await, 1);
}

#[tokio::test]
async fn a_consumer_killed_before_the_effect_leaves_the_message() {
    let (place, broker) = start().await;
    let pool = place.pool(0);
    // Holds the handler up in the middle of its work.
    let mut lock = pool.begin().await.unwrap();
    sqlx::query("lock table effects").execute(&mut *lock).await.unwrap();
    let handler = Noting::new(pool.clone(), |_| None);
    let id = publish(&broker, "fine").await;
    let consumer = Running::consumer(&broker.broker, &handler, &metrics());
    handler.until_attempts(id, 1).await;
    broker.set(Wire::Cut);
    consumer.kill().await;
    lock.rollback().await.unwrap();
    broker.set(Wire::Open);
    broker.until_waiting(ORDER_WORK.name, 1).await;
    let consumer = Running::consumer(&broker.broker, &handler, &metrics());
    place.until(0, EFFECTS, 1).await;
    broker.until_waiting(ORDER_WORK.name, 0).await;
    consumer.stop().await;
}

#[tokio::test]
async fn a_missing_delay_leaves_the_message_in_its_queue() {
    let (place, broker) = start().await;
    let options = ExchangeDeleteOptions::default();
    broker
        .channel
        .exchange_delete(DELAYS[0].name.into(), options)
        .await
        .unwrap();
    let verdict = |message: &Message| says(message, "bad").then(|| HandleError::Failed("no luck".to_owned()));
    let handler = Noting::new(place.pool(0), verdict);
    let consumer = Running::consumer(&broker.broker, &handler, &metrics());
    publish(&broker, "bad").await;
    publish(&broker, "fine").await;
    place.until(0, EFFECTS, 1).await;
    consumer.stop().await;
    broker.until_waiting(ORDER_WORK.name, 1).await;
    assert_eq!(broker.take(ORDER_WORK.name).await.payload, b"bad");
}

#[tokio::test]
async fn a_message_without_an_id_goes_to_the_dead_letters() {
    let (place, broker) = start().await;
    let handler = Noting::new(place.pool(0), |_| None);
    let consumer = Running::consumer(&broker.broker, &handler, &metrics());
    let (exchange, key, options) = (EXCHANGE.into(), KIND.into(), BasicPublishOptions::default());
    let sent = broker
        .channel
        .basic_publish(exchange, key, options, b"?", BasicProperties::default());
    sent.await.unwrap().await.unwrap();
    broker.until_waiting(ORDER_WORK.dead_letters, 1).await;
    consumer.stop().await;
    let letter = &list(&broker.broker, &[ORDER_WORK], 10).await.unwrap()[0];
    assert!(letter.id.is_none() && letter.reason.contains("no id"), "{letter:?}");
}

#[tokio::test]
async fn a_handler_that_panics_loses_no_message_of_its_batch() {
    let (place, broker) = start().await;
    let bad = publish(&broker, "panic").await;
    for _ in 0..100 {
        publish(&broker, "fine").await;
    }
    let verdict = |message: &Message| says(message, "panic").then(|| panic!("as the test wants"));
    let handler = Noting::new(place.pool(0), verdict);
    let consumer = Running::consumer(&broker.broker, &handler, &metrics());
    place.until(0, EFFECTS, 100).await;
    broker.until_waiting(ORDER_WORK.dead_letters, 1).await;
    consumer.stop().await;
    broker.until_waiting(ORDER_WORK.name, 0).await;
    assert!(handler.attempts()[&bad].len() >= 5);
    let letter = &list(&broker.broker, &[ORDER_WORK], 10).await.unwrap()[0];
    assert!(letter.reason.contains("panicked"), "{letter:?}");
}
