//! The leanest client of one GET: it shares the cores with the shop, so what it costs is taken from the shop. HTTP/1.1
//! with keep-alive, one request at a time per connection.

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const LARGEST: usize = 1 << 20;

pub struct Connection {
    stream: TcpStream,
    host: String,
    buffer: Vec<u8>,
}

impl Connection {
    /// `base` is `http://host:port`.
    pub async fn open(base: &str) -> anyhow::Result<Self> {
        let host = base.strip_prefix("http://").unwrap_or(base).to_owned();
        let address = if host.contains(':') {
            host.clone()
        } else {
            format!("{host}:80")
        };
        let stream = TcpStream::connect(&address)
            .await
            .with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            host,
            buffer: Vec::with_capacity(16 * 1024),
        })
    }

    /// The status.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<u16> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.host);
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        loop {
            if let Some(head) = head(&self.buffer)? {
                while self.buffer.len() < head.end {
                    self.more().await?;
                }
                return Ok(head.status);
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the shop closed the connection");
        }
        if self.buffer.len() > LARGEST {
            bail!("an answer of more than {LARGEST} bytes");
        }
        Ok(())
    }
}

#[derive(Debug, PartialEq)]
struct Head {
    status: u16,
    /// Where the body ends.
    end: usize,
}

/// None while the head is not complete.
fn head(bytes: &[u8]) -> anyhow::Result<Option<Head>> {
    let Some(blank) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&bytes[..blank]);
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|status| status.parse().ok());
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    match (status, length) {
        (Some(status), Some(length)) => Ok(Some(Head {
            status,
            end: blank + 4 + length,
        })),
        _ => bail!("an answer without status or content-length"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_cut_where_it_ends() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nx: y\r\n\r\nhello";
        assert_eq!(
            head(answer).unwrap(),
            Some(Head {
                status: 200,
                end: answer.len()
            })
        );
        assert_eq!(head(b"HTTP/1.1 200 OK\r\ncontent-le").unwrap(), None);
        assert!(head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
