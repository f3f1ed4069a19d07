//! A RabbitMQ node on loopback with its management interface, its own epmd and its own ports, names and folders.
//!
//! Starting one takes several seconds of CPU, so tests share one per binary and keep apart by virtual hosts.

use crate::guard::{Guard, Server};
use crate::place;
use crate::wait::{STARTS, until_ready};
use anyhow::{Context, Result};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;

const DEADLINE: Duration = Duration::from_secs(120);
const ADMIN: &str = "operator";
const EPMD: [&str; 2] = ["/usr/bin/epmd", "/usr/lib/erlang/bin/epmd"];
static SHARED: OnceCell<RabbitMq> = OnceCell::const_new();

pub struct RabbitMq {
    ip: Ipv4Addr,
    amqp_port: u16,
    management_port: u16,
    password: String,
    _guard: Guard,
}

/// What one start chose.
struct Place {
    ip: Ipv4Addr,
    amqp: u16,
    management: u16,
    distribution: u16,
    epmd: u16,
    password: String,
}

impl RabbitMq {
    /// The one node of this test binary, started by whoever asks first.
    pub async fn shared() -> Result<&'static Self> {
        SHARED.get_or_try_init(Self::start).await
    }

    /// A node of its own, which ends with the value.
    pub async fn start() -> Result<Self> {
        let mut last = None;
        for _ in 0..STARTS {
            match Self::start_once().await {
                Ok(server) => return Ok(server),
                Err(error) => last = Some(error),
            }
        }
        Err(last.expect("a start was tried")).with_context(|| format!("RabbitMQ did not start in {STARTS} tries"))
    }

    pub fn host(&self) -> String {
        self.ip.to_string()
    }

    pub fn amqp_port(&self) -> u16 {
        self.amqp_port
    }

    pub fn management_port(&self) -> u16 {
        self.management_port
    }

    /// An administrator, who may also use every virtual host it makes.
    pub fn admin(&self) -> &'static str {
        ADMIN
    }

    pub fn password(&self) -> &str {
        &self.password
    }

    /// Address for AMQP clients; `vhost` without a leading slash.
    pub fn amqp_url(&self, user: &str, password: &str, vhost: &str) -> String {
        format!("amqp://{user}:{password}@{}:{}/{vhost}", self.ip, self.amqp_port)
    }

    async fn start_once() -> Result<Self> {
        let account = place::account("rabbitmq")?;
        let program = place::program(&["/usr/lib/rabbitmq/bin/rabbitmq-server"], "rabbitmq-server")?;
        let ip = place::address();
        let ports = place::free_ports(ip, 2)?;
        // The node is called …@localhost, so that its own tools find it through epmd at 127.0.0.1.
        let local = place::free_ports(Ipv4Addr::LOCALHOST, 2)?;
        let place = Place {
            ip,
            amqp: ports[0],
            management: ports[1],
            distribution: local[0],
            epmd: local[1],
            password: place::password(),
        };
        let folder = place::folder("rabbitmq", account)?;
        let file = |name: &str| folder.path().join(name);
        place::write(&file("rabbitmq.conf"), &settings(&place), account)?;
        place::write(&file("enabled_plugins"), "[rabbitmq_management].\n", account)?;
        place::write(&file("env.conf"), "", account)?;
        place::write(&file("advanced.config"), "[].\n", account)?;
        let server = Server {
            program: Path::new("/bin/sh"),
            // epmd in the foreground, in the server's own session: a daemon would outlive the test.
            arguments: ["-c", "\"$1\" & exec \"$2\"", "start"]
                .map(String::from)
                .into_iter()
                .chain([place::program(&EPMD, "erlang-base")?, program].map(|path| path.display().to_string()))
                .collect(),
            environment: environment(folder.path(), &place),
            account,
            stop_signal: "KILL",
        };
        let guard = Guard::start(folder, &server)?;
        let server = Self {
            ip,
            amqp_port: place.amqp,
            management_port: place.management,
            password: place.password,
            _guard: guard,
        };
        until_ready("RabbitMQ", &server._guard, DEADLINE, async || server.answers().await).await?;
        Ok(server)
    }

    async fn answers(&self) -> Result<()> {
        TcpStream::connect((self.ip, self.amqp_port)).await.context("AMQP")?;
        let url = format!("http://{}:{}/api/overview", self.ip, self.management_port);
        let client = reqwest::Client::builder().no_proxy().build()?;
        client
            .get(url)
            .basic_auth(ADMIN, Some(&self.password))
            .send()
            .await?
            .error_for_status()?;
        Ok(())
    }
}

fn settings(place: &Place) -> String {
    let Place {
        ip,
        amqp,
        management,
        password,
        ..
    } = place;
    format!(
        "listeners.tcp.1 = {ip}:{amqp}\nmanagement.tcp.ip = {ip}\nmanagement.tcp.port = {management}\n\
         default_user = {ADMIN}\ndefault_pass = {password}\ndefault_user_tags.administrator = true\n\
         log.console = true\nlog.console.level = warning\nlog.file = false\nloopback_users = none\n\
         disk_free_limit.absolute = 50MB\ncollect_statistics_interval = 1000\n"
    )
}

fn environment(folder: &Path, place: &Place) -> Vec<(&'static str, String)> {
    let file = |name: &str| -> PathBuf { folder.join(name) };
    let text = |name: &str| file(name).display().to_string();
    vec![
        ("RABBITMQ_NODENAME", format!("shop-{:016x}@localhost", place::random())),
        ("RABBITMQ_CONFIG_FILE", text("rabbitmq.conf")),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", text("advanced.config")),
        ("RABBITMQ_CONF_ENV_FILE", text("env.conf")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", text("enabled_plugins")),
        ("RABBITMQ_MNESIA_BASE", text("mnesia")),
        ("RABBITMQ_LOG_BASE", text("logs")),
        ("RABBITMQ_PID_FILE", text("server.pid")),
        ("RABBITMQ_GENERATED_CONFIG_DIR", text("generated")),
        ("RABBITMQ_DIST_PORT", place.distribution.to_string()),
        ("ERL_EPMD_PORT", place.epmd.to_string()),
        ("ERL_EPMD_ADDRESS", Ipv4Addr::LOCALHOST.to_string()),
        // One scheduler: the machine is shared with the tests themselves.
        (
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            "+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}".to_owned(),
        ),
    ]
}
