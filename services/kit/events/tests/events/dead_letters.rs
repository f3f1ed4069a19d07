//! The operators' verbs.

use crate::place::KIND;
use clap::{Parser, error::ErrorKind};
use lapin::options::{BasicGetOptions, BasicRejectOptions};
use shop_contract::event::{ORDER_WORK, PAYMENT_WORK};
use shop_kit_events::dead_letters::{DeadLetters, DeadLettersError, drop_letters, list, replay, run};
use shop_kit_testbroker::TestBroker;
use uuid::Uuid;

const QUEUES: [shop_contract::event::Queue; 2] = [PAYMENT_WORK, ORDER_WORK];

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    verb: DeadLetters,
}

fn parsed(words: &str) -> Result<DeadLetters, ErrorKind> {
    let parsed = Arguments::try_parse_from(words.split(' '));
    parsed.map(|arguments| arguments.verb).map_err(|error| error.kind())
}

/// As RabbitMQ itself gives up a message, so many times.
async fn with_letters(count: u32) -> (TestBroker, Vec<Uuid>) {
    let broker = TestBroker::start_with(&QUEUES).await;
    let mut ids = Vec::new();
    for _ in 0..count {
        let id = Uuid::now_v7();
        broker.publish(KIND, id, b"{}").await;
        broker.until_waiting(ORDER_WORK.name, 1).await;
        let got = broker
            .channel
            .basic_get(ORDER_WORK.name.into(), BasicGetOptions::default())
            .await;
        let message = got.unwrap().unwrap();
        message.reject(BasicRejectOptions { requeue: false }).await.unwrap();
        ids.push(id);
    }
    broker.until_waiting(ORDER_WORK.dead_letters, count).await;
    (broker, ids)
}

#[tokio::test]
async fn listing_leaves_them_where_they_are() {
    let (broker, ids) = with_letters(2).await;
    for _ in 0..3 {
        let letters = list(&broker.broker, &QUEUES, 10).await.unwrap();
        let mut found: Vec<_> = letters.iter().filter_map(|letter| letter.id).collect();
        found.sort();
        assert_eq!(found, ids);
        assert!(
            letters
                .iter()
                .all(|letter| letter.reason == "rejected" && letter.queue == ORDER_WORK.name)
        );
        broker.until_waiting(ORDER_WORK.dead_letters, 2).await;
    }
    assert_eq!(list(&broker.broker, &QUEUES, 1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn one_or_all_go_back_to_their_queue() {
    let (broker, ids) = with_letters(3).await;
    assert_eq!(replay(&broker.broker, &QUEUES, Some(ids[1])).await.unwrap(), 1);
    broker.until_waiting(ORDER_WORK.name, 1).await;
    let taken = broker.take(ORDER_WORK.name).await;
    assert_eq!(
        taken.properties.message_id().clone().unwrap().as_str(),
        ids[1].to_string()
    );
    assert_eq!(taken.properties.kind().clone().unwrap().as_str(), KIND);
    broker.until_waiting(ORDER_WORK.dead_letters, 2).await;
    assert_eq!(replay(&broker.broker, &QUEUES, None).await.unwrap(), 2);
    broker.until_waiting(ORDER_WORK.name, 2).await;
    broker.until_waiting(ORDER_WORK.dead_letters, 0).await;
}

#[tokio::test]
async fn one_or_all_are_removed() {
    let (broker, ids) = with_letters(3).await;
    assert_eq!(drop_letters(&broker.broker, &QUEUES, Some(ids[0])).await.unwrap(), 1);
    broker.until_waiting(ORDER_WORK.dead_letters, 2).await;
    assert_eq!(drop_letters(&broker.broker, &QUEUES, Some(ids[0])).await.unwrap(), 0);
    assert_eq!(drop_letters(&broker.broker, &QUEUES, None).await.unwrap(), 2);
    broker.until_waiting(ORDER_WORK.dead_letters, 0).await;
    assert_eq!(broker.waiting_in(ORDER_WORK.name).await, 0);
}

#[tokio::test]
async fn removing_all_has_to_be_confirmed_and_an_unknown_id_is_told() {
    let (broker, _) = with_letters(1).await;
    let refused = run(parsed("x drop --all").unwrap(), &broker.broker, &QUEUES).await;
    assert!(matches!(refused, Err(DeadLettersError::NotConfirmed)), "{refused:?}");
    let unknown = format!("x replay --id {}", Uuid::now_v7());
    let unknown = run(parsed(&unknown).unwrap(), &broker.broker, &QUEUES).await;
    assert!(matches!(unknown, Err(DeadLettersError::NotFound(_))), "{unknown:?}");
    run(parsed("x list -o json").unwrap(), &broker.broker, &QUEUES)
        .await
        .unwrap();
    broker.until_waiting(ORDER_WORK.dead_letters, 1).await;
    run(parsed("x drop --all --yes").unwrap(), &broker.broker, &QUEUES)
        .await
        .unwrap();
    broker.until_waiting(ORDER_WORK.dead_letters, 0).await;
}

#[test]
fn which_ones_has_to_be_said() {
    assert_eq!(parsed("x replay").unwrap_err(), ErrorKind::MissingRequiredArgument);
    let both = format!("x drop --all --id {}", Uuid::now_v7());
    assert_eq!(parsed(&both).unwrap_err(), ErrorKind::ArgumentConflict);
}
