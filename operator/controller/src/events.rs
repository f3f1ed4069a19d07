//! Events in plain words on the shop: each reason and message once per process, so that `kubectl describe` tells a story
//! and not a heartbeat. A lost event is logged and not repeated.

use crate::context::Context;
use crate::memory::Shared;
use kube::Resource;
use kube::runtime::events::{Event, EventType};
use shop_api::ShopDeployment;

/// A shop tells at most so many different things before old ones may be told again.
const REMEMBERED: usize = 200;
/// The API server takes notes of up to 1024 bytes.
const NOTE: usize = 1000;

pub struct Told<'a> {
    pub warning: bool,
    pub action: &'static str,
    pub reason: &'a str,
    pub note: &'a str,
}

pub async fn tell(context: &Context, shop: &ShopDeployment, memory: &Shared, told: Told<'_>) {
    {
        let mut memory = memory.lock();
        if memory.events.len() >= REMEMBERED {
            memory.events.clear();
        }
        if !memory.events.insert((told.reason.to_owned(), told.note.to_owned())) {
            return;
        }
    }
    let event = Event {
        type_: if told.warning {
            EventType::Warning
        } else {
            EventType::Normal
        },
        reason: told.reason.to_owned(),
        note: Some(
            told.note
                .chars()
                .scan(0, |bytes, c| {
                    *bytes += c.len_utf8();
                    (*bytes <= NOTE).then_some(c)
                })
                .collect(),
        ),
        action: told.action.to_owned(),
        secondary: None,
    };
    if let Err(error) = context.recorder.publish(&event, &shop.object_ref(&())).await {
        tracing::warn!(reason = told.reason, %error, "event not written");
    }
}
