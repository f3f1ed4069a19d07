//! Watches → cache and queue. One watch per kind, restricted to our label; shops themselves without. Big fields are
//! dropped on arrival. Reads only; a broken watch is resumed with growing delays and never ends the process.

use crate::cache::{ShopKey, shop_of};
use crate::context::{Context, Shared};
use crate::kinds::{KINDS, Keep, KindIndex, kind_at};
use futures::{FutureExt, StreamExt};
use kube::api::{ApiResource, DynamicObject, PartialObjectMeta};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use shop_api::ShopDeployment;
use shop_plan::names;
use std::collections::HashSet;
use std::fmt::Debug;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

/// Small pages keep the first lists from filling the memory.
const PAGE: u32 = 50;
/// A burst of changes to children becomes one pass.
const BURST: Duration = Duration::from_millis(100);

/// Starts all watches.
pub fn start(context: &Shared) {
    let tracker = &context.tasks;
    let shops = context.clone();
    tracker.spawn(async move { until_stopped(&shops, watch_shops(&shops)).await });
    for index in 0..KINDS.len() as KindIndex {
        let context = context.clone();
        tracker.clone().spawn(async move {
            match kind_at(index).keep {
                Keep::Whole => until_stopped(&context, watch::<DynamicObject>(&context, index)).await,
                Keep::Metadata => {
                    until_stopped(&context, watch::<PartialObjectMeta<DynamicObject>>(&context, index)).await;
                }
            }
        });
    }
}

async fn until_stopped(context: &Context, work: impl Future<Output = ()>) {
    tokio::select! {
        result = AssertUnwindSafe(work).catch_unwind() => {
            // Without a watch the process would act on what is no longer so.
            tracing::error!(broke_off = result.is_err(), "a watch ended: stopping");
            context.stop.cancel();
        }
        () = context.stop.cancelled() => {}
    }
}

fn api<K>(context: &Context, resource: &ApiResource) -> Api<K>
where
    K: Resource<DynamicType = ApiResource, Scope = kube::core::DynamicResourceScope>,
{
    let client = context.client.clone();
    match context.settings.watch_namespace.as_str() {
        "" => Api::all_with(client, resource),
        namespace => Api::namespaced_with(client, namespace, resource),
    }
}

/// A kind of child. Both shapes end as an object of which the cache keeps what its kind says.
async fn watch<K>(context: &Context, kind: KindIndex)
where
    K: Resource<DynamicType = ApiResource, Scope = kube::core::DynamicResourceScope>
        + Clone
        + DeserializeOwned
        + Debug
        + Send
        + Into<DynamicChild>
        + 'static,
{
    let config = watcher::Config::default()
        .labels(names::MANAGED_SELECTOR)
        .page_size(PAGE);
    let stream = watcher(api::<K>(context, &kind_at(kind).resource()), config).default_backoff();
    let mut stream = std::pin::pin!(stream);
    let mut listing: HashSet<(ShopKey, String)> = HashSet::new();
    while let Some(event) = stream.next().await {
        match event {
            Ok(Event::Init) => listing.clear(),
            Ok(Event::InitApply(object)) => {
                let DynamicChild(object) = object.into();
                if let (Some(shop), Some(name)) = (shop_of(&object.metadata), object.metadata.name.clone()) {
                    listing.insert((shop, name));
                }
                wake(context, context.cache.put(kind, &object));
            }
            Ok(Event::InitDone) => {
                let listed = std::mem::take(&mut listing);
                wake(context, context.cache.listed(kind, &listed));
            }
            Ok(Event::Apply(object)) => {
                let DynamicChild(object) = object.into();
                wake(context, context.cache.put(kind, &object));
            }
            Ok(Event::Delete(object)) => {
                let DynamicChild(object) = object.into();
                wake(context, context.cache.remove(kind, &object.metadata));
            }
            Err(error) => tracing::warn!(kind = kind_at(kind).kind, %error, "watch interrupted"),
        }
    }
}

fn wake(context: &Context, shops: impl IntoIterator<Item = ShopKey>) {
    for shop in shops {
        context.queue.wake_in(shop, BURST);
    }
}

/// What a watch brings, in one shape.
struct DynamicChild(DynamicObject);

impl From<DynamicObject> for DynamicChild {
    fn from(object: DynamicObject) -> Self {
        Self(object)
    }
}

impl From<PartialObjectMeta<DynamicObject>> for DynamicChild {
    fn from(object: PartialObjectMeta<DynamicObject>) -> Self {
        Self(DynamicObject {
            types: None,
            metadata: object.metadata,
            data: serde_json::Value::Null,
        })
    }
}

/// The shops. An edit is worked on at once; a shop that cannot be read is left as it is and named in the log.
async fn watch_shops(context: &Context) {
    let resource = ApiResource::erase::<ShopDeployment>(&());
    let config = watcher::Config::default().page_size(PAGE);
    let stream = watcher(api::<DynamicObject>(context, &resource), config).default_backoff();
    let mut stream = std::pin::pin!(stream);
    let mut listing: HashSet<ShopKey> = HashSet::new();
    while let Some(event) = stream.next().await {
        match event {
            Ok(Event::Init) => listing.clear(),
            Ok(Event::InitApply(object)) => {
                let key = key_of(&object);
                take(context, object);
                listing.extend(key);
            }
            Ok(Event::InitDone) => {
                let listed = std::mem::take(&mut listing);
                context
                    .cache
                    .shops_listed(&listed)
                    .into_iter()
                    .for_each(|key| context.queue.wake_now(key));
            }
            Ok(Event::Apply(object)) => take(context, object),
            Ok(Event::Delete(object)) => {
                if let Some(key) = key_of(&object) {
                    context.cache.remove_shop(&key);
                    context.queue.wake_now(key);
                }
            }
            Err(error) => tracing::warn!(kind = "ShopDeployment", %error, "watch interrupted"),
        }
    }
}

fn key_of(object: &DynamicObject) -> Option<ShopKey> {
    Some(ShopKey {
        namespace: object.metadata.namespace.clone()?,
        name: object.metadata.name.clone()?,
    })
}

fn take(context: &Context, mut object: DynamicObject) {
    object.metadata.managed_fields = None;
    let name = object.metadata.name.clone().unwrap_or_default();
    match object.try_parse::<ShopDeployment>() {
        Ok(shop) => {
            if let Some(key) = context.cache.put_shop(shop) {
                context.queue.wake_now(key);
            }
        }
        Err(error) => tracing::error!(shop = name, %error, "this shop cannot be read: does its CRD fit this operator?"),
    }
}
