//! Serves a router until told to stop, then drains: not ready, a pause in which load balancers notice, no new
//! connections, and the requests under way finish or are cut off at the limit.

use crate::Health;
use axum::Router;
use axum::serve::ListenerExt;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How a process lets go of its clients.
#[derive(Clone, Copy, Debug)]
pub struct Drain {
    /// Between "not ready" and the end of new connections.
    pub notice: Duration,
    /// For the requests under way after that.
    pub limit: Duration,
}

impl Default for Drain {
    fn default() -> Self {
        Self {
            notice: Duration::from_secs(5),
            limit: Duration::from_secs(15),
        }
    }
}

/// HTTP/1.1, and HTTP/2 to whoever begins with its preface. Returns when everything is drained.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    health: Health,
    stop: CancellationToken,
    drain: Drain,
) -> std::io::Result<()> {
    let closing = CancellationToken::new();
    // Or an answer on a shared connection waits until the one before it was acknowledged, which may take 40 ms.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("a connection stays as it is: {error}");
        }
    });
    let wait = closing.clone();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move { wait.cancelled().await });
    let mut server = tokio::spawn(async move { server.await });
    health.set_ready(true);
    tokio::select! {
        ended = &mut server => return ended.map_err(std::io::Error::other)?,
        () = stop.cancelled() => {}
    }
    health.set_ready(false);
    tracing::info!(notice_s = drain.notice.as_secs(), "draining");
    tokio::time::sleep(drain.notice).await;
    closing.cancel();
    match tokio::time::timeout(drain.limit, &mut server).await {
        Ok(ended) => ended.map_err(std::io::Error::other)?,
        Err(_) => {
            tracing::warn!(limit_s = drain.limit.as_secs(), "requests still under way were cut off");
            server.abort();
            Ok(())
        }
    }
}
