//! A keep-alive HTTP/1.1 client that costs next to nothing: bytes out, status and length of the body in.

use std::net::SocketAddr;

use actix_web::rt::net::TcpStream;
use anyhow::{Context as _, bail, ensure};

/// One connection.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer as far as a benchmark looks at it.
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

/// The bytes of a request.
pub fn request(method: &str, path: &str, token: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let kind = if path.starts_with("/scim/") {
        "application/scim+json"
    } else if path.starts_with("/api/v1/imports?") {
        "text/csv"
    } else {
        "application/json"
    };
    format!(
        "{method} {path} HTTP/1.1\r\nHost: bench.test\r\nAuthorization: Bearer {token}\r\nUser-Agent: bench\r\n\
         Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

impl Client {
    pub async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(64 << 10),
        })
    }

    /// Sends a request and waits for the whole answer.
    pub async fn send(&mut self, mut request: &[u8]) -> anyhow::Result<Answer<'_>> {
        while !request.is_empty() {
            match self.stream.try_write(request) {
                Ok(written) => request = request.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    self.stream.writable().await?
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.buffer.clear();
        let (status, start, length) = loop {
            self.read().await?;
            if let Some(head) = head(&self.buffer)? {
                break head;
            }
        };
        // a body in chunks is as long as it takes; its framing stays in what is returned
        while match length {
            Some(length) => self.buffer.len() < start + length,
            None => !self.buffer.ends_with(b"\r\n0\r\n\r\n"),
        } {
            self.read().await?;
        }
        Ok(Answer {
            status,
            body: self.buffer.get(start..).unwrap_or_default(),
        })
    }

    /// The same; any other status is an error that shows the answer.
    pub async fn expect(&mut self, status: u16, request: &[u8]) -> anyhow::Result<&[u8]> {
        let answer = self.send(request).await?;
        ensure!(
            answer.status == status,
            "{} instead of {status}: {}",
            answer.status,
            String::from_utf8_lossy(answer.body)
        );
        Ok(answer.body)
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        loop {
            self.stream.readable().await?;
            match self.stream.try_read_buf(&mut self.buffer) {
                Ok(0) => bail!("the server closed the connection"),
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Status, where the body begins and how long it is (`None`: it comes in chunks), once the head is there.
fn head(bytes: &[u8]) -> anyhow::Result<Option<(u16, usize, Option<usize>)>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(bytes.get(..end).unwrap_or_default())?;
    let status = head.get(9..12).context("no status")?.parse()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse())
    });
    let chunked = head
        .lines()
        .any(|line| line.eq_ignore_ascii_case("transfer-encoding: chunked"));
    let length = length.transpose()?;
    Ok(Some((status, end + 4, length.or((!chunked).then_some(0)))))
}
