//! A delivery and what is still open of it: it is acknowledged when the last of its events is settled, and given back
//! whole when one of them could not be, the others being recognised when they come again.

use crate::Message;
use crate::bundle::{alone, events};
use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

pub(crate) struct Parcel {
    delivery: Delivery,
    events: usize,
    open: AtomicUsize,
    given_back: AtomicBool,
}

/// What a copy of an event is made of.
pub(crate) struct Letter<'a> {
    pub payload: &'a [u8],
    pub properties: BasicProperties,
}

impl Parcel {
    /// With its events, or with the reason why it has none.
    pub fn open(delivery: Delivery) -> (Self, Result<Vec<Message>, String>) {
        let found = events(&delivery.properties, delivery.routing_key.as_str(), &delivery.data);
        let events = found.as_ref().map_or(1, Vec::len);
        let this = Self {
            delivery,
            events,
            open: AtomicUsize::new(events),
            given_back: AtomicBool::new(false),
        };
        (this, found)
    }

    /// All of it, as it came.
    pub fn whole(&self) -> Letter<'_> {
        Letter {
            payload: &self.delivery.data,
            properties: self.delivery.properties.clone(),
        }
    }

    /// One of its events.
    pub fn letter<'a>(&'a self, event: &'a Message) -> Letter<'a> {
        if self.events == 1 {
            return self.whole();
        }
        Letter {
            payload: &event.payload,
            properties: alone(event),
        }
    }

    /// Everything up to this one, when nothing else is under way on its channel.
    pub async fn acknowledge_all_before(&self) -> lapin::Result<bool> {
        self.delivery.ack(BasicAckOptions { multiple: true }).await
    }

    pub async fn acknowledge(&self) -> lapin::Result<bool> {
        self.delivery.ack(BasicAckOptions::default()).await
    }

    /// One of its events needs it no more.
    pub async fn settled(&self) -> lapin::Result<bool> {
        if self.open.fetch_sub(1, Ordering::AcqRel) > 1 {
            return Ok(true);
        }
        if self.given_back.load(Ordering::Acquire) {
            let options = BasicNackOptions {
                requeue: true,
                multiple: false,
            };
            return self.delivery.nack(options).await;
        }
        self.acknowledge().await
    }

    /// One of its events has to come again.
    pub async fn give_back(&self) -> lapin::Result<bool> {
        self.given_back.store(true, Ordering::Release);
        self.settled().await
    }

    /// One of its events cannot be buried with its reason: RabbitMQ does it without one, if nothing else goes with it.
    pub async fn reject(&self) -> lapin::Result<bool> {
        if self.events > 1 {
            return self.give_back().await;
        }
        self.delivery.reject(BasicRejectOptions { requeue: false }).await
    }
}
