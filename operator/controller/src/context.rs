//! What a pass may reach: one value made at the start of the process and handed to every step. Holds no decisions.

use crate::cache::{Cache, ShopKey};
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::queue::Queue;
use kube::Client;
use kube::runtime::events::Recorder;
use shop_plan::Inputs;
use shop_plan::inputs::Images;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The name under which the operator applies fields.
pub const FIELD_MANAGER: &str = "shop-operator";

/// What the process was started with.
#[derive(Clone, Debug)]
pub struct Settings {
    pub images: Images,
    pub image_pull_secrets: Vec<String>,
    /// The operator's own namespace.
    pub namespace: String,
    /// Name of the Lease in it.
    pub lease: String,
    /// Empty: all namespaces.
    pub watch_namespace: String,
    /// Name of the operator's pod.
    pub identity: String,
}

impl Settings {
    /// The surroundings of one decision.
    pub fn inputs(&self, now: jiff::Timestamp) -> Inputs {
        Inputs {
            images: self.images.clone(),
            image_pull_secrets: self.image_pull_secrets.clone(),
            version: crate::VERSION.to_owned(),
            operator_namespace: self.namespace.clone(),
            now,
        }
    }
}

pub struct Context {
    pub client: Client,
    pub settings: Settings,
    pub cache: Cache,
    pub queue: Queue<ShopKey>,
    pub memory: Memory,
    pub metrics: Metrics,
    pub recorder: Recorder,
    pub http: reqwest::Client,
    /// Bounds what runs in the background over all shops.
    pub background: Arc<Semaphore>,
    pub tasks: TaskTracker,
    pub stop: CancellationToken,
}

pub type Shared = Arc<Context>;
