//! A Redis-compatible server on loopback, or several of them with cluster mode on (not yet joined to each other).
//!
//! Each has its own loopback address and the same port, as pods have. Users: `shop` with everything, `default` off.

use crate::guard::{Guard, Server};
use crate::place;
use crate::wait::{STARTS, until_ready};
use anyhow::{Context, Result, ensure};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;

const DEADLINE: Duration = Duration::from_secs(60);
const USER: &str = "shop";
const PROGRAMS: [&str; 4] = [
    "/usr/bin/valkey-server",
    "/usr/bin/redis-server",
    "/usr/local/bin/valkey-server",
    "/usr/local/bin/redis-server",
];
static SHARED: OnceCell<Redis> = OnceCell::const_new();

/// One server without cluster mode.
pub struct Redis {
    ip: Ipv4Addr,
    port: u16,
    password: String,
    _guard: Guard,
}

impl Redis {
    /// The one server of this test binary, started by whoever asks first. Tests keep apart by their keys.
    pub async fn shared() -> Result<&'static Self> {
        SHARED.get_or_try_init(Self::start).await
    }

    /// A server of its own, which ends with the value.
    pub async fn start() -> Result<Self> {
        let password = place::password();
        let (ip, port, guard) = retried(async || {
            let ip = place::address();
            let port = place::free_redis_port(&[ip])?;
            let folder = place::folder("redis", None)?;
            Ok((ip, port, serve(Folder::New(folder), ip, port, &password, false).await?))
        })
        .await?;
        Ok(Self {
            ip,
            port,
            password,
            _guard: guard,
        })
    }

    pub fn host(&self) -> String {
        self.ip.to_string()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn user(&self) -> &'static str {
        USER
    }

    pub fn password(&self) -> &str {
        &self.password
    }

    pub fn url(&self) -> String {
        format!("redis://{USER}:{}@{}:{}/", self.password, self.ip, self.port)
    }
}

/// Servers with cluster mode on. They know nothing of each other until somebody introduces them.
pub struct RedisCluster {
    ips: Vec<Ipv4Addr>,
    port: u16,
    password: String,
    guards: Vec<Option<Guard>>,
}

impl RedisCluster {
    pub async fn start(servers: usize) -> Result<Self> {
        let password = place::password();
        let (ips, port, guards) = retried(async || {
            let ips: Vec<Ipv4Addr> = (0..servers).map(|_| place::address()).collect();
            let port = place::free_redis_port(&ips)?;
            let mut guards = Vec::new();
            for ip in &ips {
                let folder = place::folder("redis", None)?;
                guards.push(Some(serve(Folder::New(folder), *ip, port, &password, true).await?));
            }
            Ok((ips, port, guards))
        })
        .await?;
        Ok(Self {
            ips,
            port,
            password,
            guards,
        })
    }

    pub fn ips(&self) -> Vec<String> {
        self.ips.iter().map(Ipv4Addr::to_string).collect()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn user(&self) -> &'static str {
        USER
    }

    pub fn password(&self) -> &str {
        &self.password
    }

    /// Kills one server; its folder is gone, as with a pod whose volume was lost.
    pub fn remove(&mut self, index: usize) {
        self.guards[index] = None;
    }

    /// A new, empty server in the place of `index`, at a new address.
    pub async fn replace(&mut self, index: usize) -> Result<()> {
        self.remove(index);
        let (port, password) = (self.port, self.password.clone());
        let (ip, guard) = retried(async || {
            let ip = place::address();
            Ok((
                ip,
                serve(Folder::New(place::folder("redis", None)?), ip, port, &password, true).await?,
            ))
        })
        .await?;
        (self.ips[index], self.guards[index]) = (ip, Some(guard));
        Ok(())
    }

    /// Stops all servers and starts them on their old folders at new addresses, as pods after a power cut.
    pub async fn restart_elsewhere(&mut self) -> Result<()> {
        let mut kept: Vec<PathBuf> = Vec::new();
        for guard in &mut self.guards {
            kept.push(guard.take().context("a removed server cannot be restarted")?.stop()?);
        }
        for (index, folder) in kept.iter().enumerate() {
            let (port, password) = (self.port, self.password.clone());
            let (ip, guard) = retried(async || {
                let ip = place::address();
                Ok((
                    ip,
                    serve(Folder::Kept(folder.clone()), ip, port, &password, true).await?,
                ))
            })
            .await?;
            (self.ips[index], self.guards[index]) = (ip, Some(guard));
        }
        Ok(())
    }
}

async fn retried<T>(mut start: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let mut last = None;
    for _ in 0..STARTS {
        match start().await {
            Ok(started) => return Ok(started),
            Err(error) => last = Some(error),
        }
    }
    Err(last.expect("a start was tried")).with_context(|| format!("Redis did not start in {STARTS} tries"))
}

enum Folder {
    New(TempDir),
    Kept(PathBuf),
}

async fn serve(folder: Folder, ip: Ipv4Addr, port: u16, password: &str, cluster: bool) -> Result<Guard> {
    let program = place::program(&PROGRAMS, "redis-server (or valkey-server)")?;
    let path = match &folder {
        Folder::New(folder) => folder.path().to_path_buf(),
        Folder::Kept(folder) => folder.clone(),
    };
    let file = path.join("server.conf");
    let data = path.display();
    let mut settings = format!(
        "bind {ip}\nbind-source-addr {ip}\nport {port}\ndir {data}\nsave \"\"\nappendonly no\ndaemonize no\n\
         user default off\nuser {USER} on >{password} ~* &* +@all\nmasteruser {USER}\nmasterauth {password}\n"
    );
    if cluster {
        settings += "cluster-enabled yes\ncluster-config-file nodes.conf\ncluster-node-timeout 2000\n\
                     cluster-allow-replica-migration no\n";
    }
    place::write(&file, &settings, None)?;
    let server = Server {
        program: &program,
        arguments: vec![file.display().to_string()],
        environment: Vec::new(),
        account: None,
        stop_signal: "KILL",
    };
    let guard = match folder {
        Folder::New(folder) => Guard::start(folder, &server)?,
        Folder::Kept(folder) => Guard::start_in(folder, &server)?,
    };
    until_ready("Redis", &guard, DEADLINE, async || ping(ip, port, password).await).await?;
    Ok(guard)
}

/// Logs in and pings, so that a stranger on the same port is not taken for ours.
async fn ping(ip: Ipv4Addr, port: u16, password: &str) -> Result<()> {
    let mut stream = TcpStream::connect((ip, port)).await?;
    stream
        .write_all(format!("AUTH {USER} {password}\r\nPING\r\nQUIT\r\n").as_bytes())
        .await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    ensure!(answer.contains("+PONG"), "PING was answered with {answer:?}");
    Ok(())
}
