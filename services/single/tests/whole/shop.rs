//! A whole shop in this test's process, on real servers of its own: migrated, serving on a loopback port, working.

use crate::environment::{DATABASE_PASSWORD, SYNTHETIC_KEY, Servers, environment};
use anyhow::{Context, Result, ensure};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use shop_contract::database;
use shop_contract::probe::SYNTHETIC_HEADER;
use shop_contract::shard_map::Address;
use shop_kit_config::Env;
use shop_kit_http::Face;
use shop_kit_postgres::CatalogSettings;
use shop_kit_telemetry::Metrics;
use shop_kit_testbed::{Postgres, Redis};
use shop_kit_testbroker::TestBroker;
use shop_kit_testshards::PATIENCE;
use shop_single::all::{Apis, Schemas, Workers};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

pub struct Shop {
    base: String,
    http: reqwest::Client,
    catalog: CatalogSettings,
    /// What it runs on, for as long as it runs.
    _servers: (Postgres, TestBroker, TempDir),
    _stop: DropGuard,
}

impl Shop {
    pub async fn open() -> Result<Self> {
        let (postgres, broker, redis) = (
            Postgres::start().await?,
            TestBroker::start().await,
            Redis::shared().await?,
        );
        for name in database::ALL {
            make_database(&postgres, name).await?;
        }
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let own = listener.local_addr()?.to_string();
        let at = &broker.broker.addresses[0];
        let servers = Servers {
            postgres: Address {
                host: postgres.host().to_owned(),
                port: postgres.port(),
            },
            redis: format!("{}:{}", redis.host(), redis.port()),
            redis_account: (redis.user().to_owned(), redis.password().to_owned()),
            rabbitmq: format!("{}:{}", at.host, at.port),
            rabbitmq_account: (broker.broker.user.clone(), broker.broker.password.expose().to_owned()),
            vhost: broker.broker.vhost.clone(),
            own: own.clone(),
        };
        let folder = tempfile::tempdir()?;
        let env = Env::of(environment(&servers, folder.path()));
        let stop = CancellationToken::new();
        let catalog = CatalogSettings::read(&env).context("the catalogue's settings")?;
        start(&env, listener, &stop).await?;
        Ok(Self {
            base: format!("http://{own}"),
            http: reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?,
            catalog,
            _servers: (postgres, broker, folder),
            _stop: stop.drop_guard(),
        })
    }

    /// A product in the catalogue with so many on the shelf.
    pub async fn sell(&self, quantity: i32) -> Result<Uuid> {
        let product = Uuid::now_v7();
        let pool = shop_product::start::pool(&self.catalog);
        let statement = "insert into products (id, name, description, price_cents, currency, listed) \
                         values ($1, 'A tested thing', '', 1250, 'EUR', false)";
        sqlx::query(statement).bind(product).execute(pool.executor()).await?;
        shop_inventory::job::seed::set_products(&pool, &[product], quantity).await?;
        Ok(product)
    }

    /// Registers and logs in; what comes back speaks for the new customer.
    pub async fn customer(&self, synthetic: bool) -> Result<Customer<'_>> {
        let (email, password) = (
            format!("{}@example.com", Uuid::now_v7().simple()),
            "correct horse battery staple",
        );
        let customer = |token| Customer {
            shop: self,
            token,
            synthetic,
        };
        let nobody = customer(String::new());
        let wish = json!({"email": email, "password": password, "name": "A customer"});
        nobody.ask(Method::POST, "/api/v1/users", Some(wish)).await?;
        let session = json!({"email": email, "password": password});
        let session = nobody.ask(Method::POST, "/api/v1/sessions", Some(session)).await?;
        Ok(customer(
            session["access_token"].as_str().context("a token")?.to_owned(),
        ))
    }
}

async fn start(env: &Env, listener: TcpListener, stop: &CancellationToken) -> Result<()> {
    let metrics = Metrics::new("single")?;
    let schemas = Schemas::read(env).context("settings")?;
    schemas.migrate(tokio::time::Instant::now() + PATIENCE).await?;
    let (apis, workers) = (
        Apis::read(env).context("settings")?,
        Workers::read(env).context("settings")?,
    );
    let router = apis.start(metrics.registry(), stop).await?;
    let router = Face::new("single", metrics.clone()).around(router);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let stop = stop.clone();
    tokio::spawn(async move { workers.run(metrics.registry(), &stop).await });
    Ok(())
}

async fn make_database(server: &Postgres, name: &str) -> Result<()> {
    let mut connection = PgConnection::connect(&server.url("postgres")).await?;
    for statement in [
        format!("create role {name} login password '{DATABASE_PASSWORD}'"),
        format!("create database {name} owner {name} template template0"),
    ] {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await?;
    }
    Ok(connection.close().await?)
}

pub struct Customer<'a> {
    shop: &'a Shop,
    token: String,
    synthetic: bool,
}

impl Customer<'_> {
    /// The body of a success; anything else is an error that carries the body.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let response = self.request(method, path, body).send().await?;
        let (status, text) = (response.status(), response.text().await?);
        ensure!(status.is_success(), "{path} answered {status}: {text}");
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    fn request(&self, method: Method, path: &str, body: Option<Value>) -> RequestBuilder {
        let mut request = self.shop.http.request(method, format!("{}{path}", self.shop.base));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if self.synthetic {
            request = request.header(SYNTHETIC_HEADER, SYNTHETIC_KEY);
        }
        match body {
            Some(body) => request.json(&body),
            None => request,
        }
    }

    pub async fn order(&self, product: Uuid, card: &str) -> Result<String> {
        let wish = json!({"lines": [{"product_id": product, "quantity": 1}], "payment_token": card});
        let order = self.ask(Method::POST, "/api/v1/orders", Some(wish)).await?;
        Ok(order["id"].as_str().context("an id")?.to_owned())
    }

    /// What a refused order is answered with.
    pub async fn refused(&self, product: Uuid) -> Result<(StatusCode, String)> {
        let wish = json!({"lines": [{"product_id": product, "quantity": 1}], "payment_token": "tok_ok"});
        let response = self.request(Method::POST, "/api/v1/orders", Some(wish)).send().await?;
        Ok((response.status(), response.text().await?))
    }

    /// Waits until a document at `path` has this value at `pointer`, and returns the document.
    pub async fn until(&self, path: &str, pointer: &str, wanted: &str) -> Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let seen = self.ask(Method::GET, path, None).await?;
            if seen.pointer(pointer).and_then(Value::as_str) == Some(wanted) {
                return Ok(seen);
            }
            ensure!(Instant::now() < deadline, "{path}: {pointer} is not {wanted} in {seen}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
