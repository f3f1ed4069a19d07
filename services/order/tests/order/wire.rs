//! A wire to Postgres that breaks at the moment a test names: when what the client sends holds certain words.

use shop_contract::shard_map::{Address, FILE};
use shop_kit_postgres::{OrdersSettings, ShardedPool};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// What becomes of the words; the client loses its connection each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// They never arrive.
    Before,
    /// They arrive, and the answer is lost.
    After,
    /// They arrive when the test says so.
    Delayed,
}

#[derive(Clone)]
pub struct Wire {
    plan: Arc<Mutex<Option<(&'static str, Break)>>>,
    /// No new connections after the break.
    stays_cut: bool,
    cut: CancellationToken,
    arrive: Arc<Notify>,
    arrived: Arc<Notify>,
    statements: Arc<AtomicUsize>,
}

impl Wire {
    pub fn whole() -> Self {
        Self {
            plan: Arc::default(),
            stays_cut: false,
            cut: CancellationToken::new(),
            arrive: Arc::default(),
            arrived: Arc::default(),
            statements: Arc::default(),
        }
    }

    /// Breaks once.
    pub fn breaks_at(words: &'static str, how: Break) -> Self {
        Self {
            plan: Arc::new(Mutex::new(Some((words, how)))),
            ..Self::whole()
        }
    }

    /// Round trips so far: prepared statements that were run (`Bind`) and bare ones (`Query`, such as a commit). Neither
    /// preparing, which is once for a connection, nor the pool's pings.
    pub fn statements(&self) -> usize {
        self.statements.load(Ordering::SeqCst)
    }

    pub fn for_good(self) -> Self {
        Self {
            stays_cut: true,
            ..self
        }
    }

    /// Lets delayed words arrive, and waits for the server's answer to them.
    pub async fn let_arrive(&self) {
        self.arrive.notify_one();
        self.arrived.notified().await;
    }

    /// The shards of `settings`, of which one lies behind this wire.
    pub async fn open(&self, settings: &OrdersSettings, shard: u16) -> ShardedPool {
        let mut map = ShardedPool::read_map(&settings.shard_map).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let entry = map.shards.iter_mut().find(|entry| entry.index == shard).unwrap();
        let wired = Address {
            host: at.ip().to_string(),
            port: at.port(),
        };
        let server = std::mem::replace(&mut entry.pooler, wired);
        tokio::spawn(self.clone().serve(listener, server));
        let folder = settings.shard_map.parent().unwrap().join("wired");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(FILE);
        std::fs::write(&path, serde_json::to_string(&map).unwrap()).unwrap();
        let mut settings = settings.clone();
        settings.shard_map = path;
        ShardedPool::open(settings, CancellationToken::new()).unwrap()
    }

    async fn serve(self, listener: TcpListener, server: Address) {
        while let Ok((client, _)) = listener.accept().await {
            if self.stays_cut && self.cut.is_cancelled() {
                continue;
            }
            let server = TcpStream::connect((server.host.as_str(), server.port)).await.unwrap();
            tokio::spawn(self.clone().carry(client, server));
        }
    }

    async fn carry(self, mut client: TcpStream, mut server: TcpStream) {
        let (mut asked, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
        loop {
            tokio::select! {
                Ok(read) = client.read(&mut asked) => {
                    if matches!(asked[..read].first(), Some(b'B' | b'Q')) {
                        self.statements.fetch_add(1, Ordering::SeqCst);
                    }
                    if let Some(how) = self.broken_by(&asked[..read]) {
                        return self.break_off(how, client, server, &asked[..read]).await;
                    }
                    if read == 0 || server.write_all(&asked[..read]).await.is_err() {
                        return;
                    }
                }
                Ok(read) = server.read(&mut answered) => {
                    if read == 0 || client.write_all(&answered[..read]).await.is_err() {
                        return;
                    }
                }
                else => return,
            }
        }
    }

    fn broken_by(&self, bytes: &[u8]) -> Option<Break> {
        let mut plan = self.plan.lock().unwrap();
        let (words, _) = (*plan)?;
        let holds = bytes.windows(words.len()).any(|window| window == words.as_bytes());
        let (_, how) = if holds { plan.take() } else { None }?;
        self.cut.cancel();
        Some(how)
    }

    async fn break_off(&self, how: Break, client: TcpStream, mut server: TcpStream, asked: &[u8]) {
        let mut answer = vec![0; 64 * 1024];
        match how {
            Break::Before => {}
            // Postgres answers after it has committed.
            Break::After => {
                server.write_all(asked).await.unwrap();
                assert!(server.read(&mut answer).await.unwrap() > 0);
            }
            Break::Delayed => {
                drop(client);
                self.arrive.notified().await;
                server.write_all(asked).await.unwrap();
                assert!(server.read(&mut answer).await.unwrap() > 0);
                self.arrived.notify_one();
            }
        }
    }
}
