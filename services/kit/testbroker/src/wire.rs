//! A TCP relay in front of RabbitMQ whose state the test changes at any time.

use shop_kit_config::HostPort;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the wire does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    Open,
    /// Drops every connection and takes no new one.
    Cut,
    /// Carries what the client says and swallows the answers.
    Muted,
}

/// Returns the address the wire begins at; it listens already.
pub(crate) async fn lay(host: &str, port: u16, state: watch::Receiver<Wire>) -> HostPort {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let at = listener.local_addr().expect("its address");
    let host = host.to_owned();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            if *state.borrow() == Wire::Cut {
                continue;
            }
            let Ok(server) = TcpStream::connect((host.as_str(), port)).await else {
                continue;
            };
            tokio::spawn(carry(client, server, state.clone()));
        }
    });
    HostPort {
        host: at.ip().to_string(),
        port: at.port(),
    }
}

async fn carry(client: TcpStream, server: TcpStream, mut state: watch::Receiver<Wire>) {
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let answers = state.clone();
    tokio::select! {
        _ = state.wait_for(|wire| *wire == Wire::Cut) => {}
        () = copy(from_client, to_server, None) => {}
        () = copy(from_server, to_client, Some(answers)) => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mute: Option<watch::Receiver<Wire>>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read) = from.read(&mut buffer).await {
        let muted = mute.as_ref().is_some_and(|state| *state.borrow() == Wire::Muted);
        if read == 0 || (!muted && to.write_all(&buffer[..read]).await.is_err()) {
            return;
        }
    }
}
