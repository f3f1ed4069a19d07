//! Looks behind the shop's walls: SQL inside one shard, a service's own verbs, RabbitMQ's management interface. Pod
//! addresses have to be reachable from where the tests run.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::{ConfigMap, Endpoints, Pod};
use kube::ResourceExt;
use kube::api::{Api, AttachParams};
use shop_contract::shard_map::{FILE, ShardMap};
use shop_contract::{database, event, port};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions, Connection};
use tokio::io::AsyncReadExt;
use uuid::Uuid;

use crate::Shop;

/// What test customers order: in no list, so that the catalogue stays the user's own, and more than all tests sell.
pub const PRODUCT: Uuid = Uuid::from_u128(0x01900000_0000_7000_8000_0000000000e2);

/// A session on the primary of one shard, with the services' own role.
pub async fn primary(shop: &Shop, database: &str, shard: u16) -> Result<PgConnection> {
    let (host, port) = primary_address(shop, database, shard).await?;
    let options = PgConnectOptions::new()
        .host(&host)
        .port(port)
        .username(database)
        .password(&shop.secret(&format!("{database}-password")).await?)
        .database(database)
        .ssl_mode(PgSslMode::Prefer);
    let what = || format!("primary of {database} shard {shard}");
    options.connect().await.with_context(what)
}

/// How many rows an order has in a shard.
pub async fn rows_of_order(shop: &Shop, shard: u16, order: Uuid) -> Result<i64> {
    let mut session = primary(shop, database::ORDERS, shard).await?;
    let rows = sqlx::query_scalar("select count(*) from orders where id = $1")
        .bind(order)
        .fetch_one(&mut session)
        .await?;
    session.close().await?;
    Ok(rows)
}

/// Those of these orders a shard does not have exactly one row of.
pub async fn orders_missing(shop: &Shop, shard: u16, wanted: &[Uuid]) -> Result<Vec<Uuid>> {
    let mut session = primary(shop, database::ORDERS, shard).await?;
    let missing = sqlx::query_scalar(
        "select wanted from unnest($1::uuid[]) as wanted \
         where (select count(*) from orders where id = wanted) <> 1",
    )
    .bind(wanted)
    .fetch_all(&mut session)
    .await?;
    session.close().await?;
    Ok(missing)
}

/// Puts a product into the catalogue, once, with so many on the shelf.
pub async fn stock(shop: &Shop, product: Uuid, quantity: u32) -> Result<()> {
    let mut session = primary(shop, database::CATALOG, 0).await?;
    let statement = "insert into products (id, name, description, price_cents, currency, listed) \
                     values ($1, 'A tested thing', 'Ordered by end-to-end tests', 1250, 'EUR', false) on conflict do nothing";
    sqlx::query(statement).bind(product).execute(&mut session).await?;
    session.close().await?;
    let (product, quantity) = (product.to_string(), quantity.to_string());
    run(
        shop,
        "inventory",
        &["seed", "--product", &product, "--quantity", &quantity],
    )
    .await
}

/// A verb of a service, in one of its pods, or in the one process of the smallest size.
async fn run(shop: &Shop, service: &str, verb: &[&str]) -> Result<()> {
    let selector = format!("app.kubernetes.io/component=service,app.kubernetes.io/name in (single, {service})");
    let ready = shop.ready_pods(&selector).await?;
    let pod = ready.first().with_context(|| format!("no pod of {service} is ready"))?;
    let single = pod
        .labels()
        .get("app.kubernetes.io/name")
        .is_some_and(|name| name == "single");
    let program = format!("/usr/bin/{}", if single { "shop-single" } else { service });
    let command = std::iter::once(program.as_str()).chain(verb.iter().copied());
    let pods: Api<Pod> = shop.cluster.api(shop.namespace());
    let mut running = pods.exec(&pod.name_any(), command, &AttachParams::default()).await?;
    let ended = running.take_status();
    let mut words = String::new();
    if let Some(mut stderr) = running.stderr() {
        stderr.read_to_string(&mut words).await?;
    }
    let status = match ended {
        Some(ended) => ended.await,
        None => None,
    };
    let succeeded = status.as_ref().and_then(|status| status.status.as_deref()) == Some("Success");
    ensure!(succeeded, "{program} {verb:?}: {status:?} {words}");
    Ok(())
}

/// The published map of buckets to shards.
pub async fn shard_map(shop: &Shop) -> Result<ShardMap> {
    let maps: Api<ConfigMap> = shop.cluster.api(shop.namespace());
    let published = maps.get(&format!("{}-shard-map", shop.name)).await?;
    let text = published
        .data
        .unwrap_or_default()
        .remove(FILE)
        .context("no shard map in it")?;
    Ok(ShardMap::parse(&text)?)
}

/// Patroni keeps the primary's address in the endpoints of the shard's Service.
async fn primary_address(shop: &Shop, database: &str, shard: u16) -> Result<(String, u16)> {
    let endpoints: Api<Endpoints> = shop.cluster.api(shop.namespace());
    let name = format!("{}-{database}-{shard}", shop.name);
    let subsets = endpoints.get(&name).await?.subsets.unwrap_or_default();
    let address = subsets.into_iter().find_map(|subset| {
        let port = subset.ports?.into_iter().next()?.port;
        Some((subset.addresses?.into_iter().next()?.ip, u16::try_from(port).ok()?))
    });
    address.with_context(|| format!("Endpoints {name} name no primary"))
}

/// RabbitMQ's management interface on any ready node.
pub struct Broker {
    base: String,
    password: String,
    http: reqwest::Client,
}

impl Broker {
    pub async fn of(shop: &Shop) -> Result<Self> {
        let pods = shop.ready_pods("app.kubernetes.io/component=rabbitmq").await?;
        let address = pods.iter().find_map(address_of).context("no RabbitMQ pod is ready")?;
        let base = format!("http://{address}:{}", port::RABBITMQ_MANAGEMENT);
        Ok(Self {
            base,
            password: shop.secret("rabbitmq-admin").await?,
            http: reqwest::Client::new(),
        })
    }

    fn queue(&self, name: &str) -> String {
        format!("{}/api/queues/{}/{name}", self.base, event::VHOST)
    }

    pub async fn delete_queue(&self, name: &str) -> Result<()> {
        let response = self
            .http
            .delete(self.queue(name))
            .basic_auth("operator", Some(&self.password))
            .send()
            .await?;
        ensure!(
            response.status().is_success(),
            "deleting queue {name} answered {}",
            response.status()
        );
        Ok(())
    }

    pub async fn has_queue(&self, name: &str) -> Result<()> {
        let response = self
            .http
            .get(self.queue(name))
            .basic_auth("operator", Some(&self.password))
            .send()
            .await?;
        ensure!(
            response.status().is_success(),
            "queue {name}: the broker answers {}",
            response.status()
        );
        Ok(())
    }
}

pub fn address_of(pod: &Pod) -> Option<String> {
    pod.status.as_ref()?.pod_ip.clone()
}
