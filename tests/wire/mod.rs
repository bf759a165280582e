//! A small HTTP/1.1 client on one kept-alive connection: cheap enough to measure with, raw enough to send nonsense.
//!
//! Not here: TLS, redirects, compression, proxies.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A connection to one server; opens when first used and again when the server closed it.
pub struct Connection {
    address: String,
    stream: Option<BufReader<TcpStream>>,
}

/// What came back.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of a name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(one, _)| one == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Connection {
    /// A connection to `host:port`, not yet opened.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            stream: None,
        }
    }

    /// Sends the bytes of one request and reads the answer. A kept-alive connection that the server has closed
    /// meanwhile is opened once more; a fresh one never repeats a request.
    pub fn send(&mut self, request: &[u8]) -> io::Result<Answer> {
        let reused = self.stream.is_some();
        match self.attempt(request) {
            Err(error) if reused && nothing_came(&error) => {
                self.stream = None;
                self.attempt(request)
            }
            other => other,
        }
    }

    fn attempt(&mut self, request: &[u8]) -> io::Result<Answer> {
        let result = self.exchange(request);
        if result.is_err() {
            self.stream = None;
        }
        let answer = result?;
        if answer
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"))
        {
            self.stream = None;
        }
        Ok(answer)
    }

    fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(&self.address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(Duration::from_secs(60)))?;
            stream.set_write_timeout(Some(Duration::from_secs(60)))?;
            self.stream = Some(BufReader::with_capacity(64 * 1024, stream));
        }
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        // A server that refuses a body early may close before it has read all of it: its answer is still there.
        let written = stream.get_mut().write_all(request);
        match read_answer(stream, request.starts_with(b"HEAD ")) {
            Ok(answer) => Ok(answer),
            Err(error) => Err(written.err().unwrap_or(error)),
        }
    }
}

fn nothing_came(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionAborted
    )
}

/// The bytes of a request; `Content-Length` is added when there is a body.
pub fn request(
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256 + body.map_or(0, <[u8]>::len));
    bytes.extend_from_slice(format!("{method} {target} HTTP/1.1\r\n").as_bytes());
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"))
    {
        bytes.extend_from_slice(b"Host: rollcall.test\r\n");
    }
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    if let Some(body) = body {
        bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(body);
    } else {
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

fn read_answer(stream: &mut BufReader<TcpStream>, head_only: bool) -> io::Result<Answer> {
    let mut answer = Answer::default();
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let bad = || io::Error::new(io::ErrorKind::InvalidData, "not an HTTP/1.1 answer");
    answer.status = line
        .split(' ')
        .nth(1)
        .and_then(|text| text.trim().parse().ok())
        .ok_or_else(bad)?;
    let (mut length, mut chunked) = (None, false);
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let text = line.trim_end();
        if text.is_empty() {
            break;
        }
        let (name, value) = text.split_once(':').ok_or_else(bad)?;
        let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
        if name == "content-length" {
            length = Some(value.parse::<usize>().map_err(|_| bad())?);
        }
        chunked |= name == "transfer-encoding" && value.eq_ignore_ascii_case("chunked");
        answer.headers.push((name, value));
    }
    if answer.status == 100 {
        return read_answer(stream, head_only);
    }
    if head_only || answer.status == 204 || answer.status == 304 {
        return Ok(answer);
    }
    if chunked {
        loop {
            line.clear();
            stream.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim(), 16).map_err(|_| bad())?;
            let from = answer.body.len();
            answer.body.resize(from + size, 0);
            stream.read_exact(&mut answer.body[from..])?;
            line.clear();
            stream.read_line(&mut line)?;
            if size == 0 {
                return Ok(answer);
            }
        }
    }
    match length {
        Some(length) => {
            answer.body.resize(length, 0);
            stream.read_exact(&mut answer.body)?;
        }
        None => {
            stream.read_to_end(&mut answer.body)?;
        }
    }
    Ok(answer)
}
