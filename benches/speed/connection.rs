//! One HTTP/1.1 connection, as cheap as can be: requests are bytes, answers are read in place.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A connection that stays open.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, in the buffer of its connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    head: &'a str,
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(16 * 1024),
        })
    }

    /// Sends a request and reads the answer.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let (head_length, length) = loop {
            self.read().await?;
            if let Some(head_length) = self.head_length() {
                break (head_length, content_length(&self.buffer[..head_length]));
            }
        };
        while self.buffer.len() < head_length + length {
            self.read().await?;
        }
        let (head, body) = self.buffer.split_at(head_length);
        let status = head.get(9..12).context("no status")?;
        Ok(Answer {
            status: std::str::from_utf8(status)?.parse()?,
            head: std::str::from_utf8(head)?,
            body,
        })
    }

    async fn read(&mut self) -> Result<()> {
        let count = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(count > 0, "the server closed the connection");
        Ok(())
    }

    fn head_length(&self) -> Option<usize> {
        let end = self.buffer.windows(4).position(|it| it == b"\r\n\r\n");
        end.map(|end| end + 4)
    }
}

impl<'a> Answer<'a> {
    /// The values of a header, by its name in lower case.
    pub(crate) fn headers(self, name: &str) -> impl Iterator<Item = &'a str> {
        self.head.lines().filter_map(move |line| {
            let (own, value) = line.split_once(": ")?;
            own.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// Where it sends the browser.
    pub(crate) fn location(self) -> Result<&'a str> {
        let location = self.headers("location").next();
        location.with_context(|| format!("no redirect but {self}"))
    }

    /// The answer, if it has this status.
    pub(crate) fn expect(self, status: u16) -> Result<Self> {
        if self.status == status {
            return Ok(self);
        }
        bail!("not {status} but {self}")
    }
}

impl std::fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.head, String::from_utf8_lossy(self.body))
    }
}

fn content_length(head: &[u8]) -> usize {
    const NAME: &[u8] = b"\r\ncontent-length: ";
    let mut windows = head.windows(NAME.len());
    let Some(start) = windows.position(|it| it.eq_ignore_ascii_case(NAME)) else {
        return 0;
    };
    let digits = head[start + NAME.len()..].iter();
    let digits = digits.take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'))
}

/// A GET request for `target`, with further lines of the head.
pub(crate) fn get(target: &str, headers: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n").into_bytes()
}

/// A POST request with a form.
pub(crate) fn post(target: &str, headers: &str, form: &str) -> Vec<u8> {
    let length = form.len();
    format!(
        "POST {target} HTTP/1.1\r\nhost: localhost\r\n{headers}\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{form}"
    )
    .into_bytes()
}
