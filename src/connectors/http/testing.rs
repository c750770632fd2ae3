//! A server for tests that answers what a script says, down to not answering at all. It speaks just enough HTTP/1.1,
//! by hand, so that it can also break off where no library would.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Rate;
use crate::model::Percent;

/// No limit on the rate, one request at a time, three repeats.
pub fn rate() -> Rate {
    Rate {
        requests_per_second: 0.0,
        burst: 1,
        concurrency: 1,
        daily_reserve: Percent::new(0.0).unwrap(),
        retries: 3,
        timeout: Duration::from_secs(30),
        wait_for_quota: false,
    }
}

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    /// With its query.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(at, _)| at == name).map(|(_, value)| value.as_str())
    }
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: String,
    },
    /// Closes the connection without an answer.
    HangUp,
    /// Begins an answer and closes the connection in the middle of its body.
    BreakOff,
    /// Never answers.
    Silence,
    /// Answers once so many requests have arrived, this one among them.
    Together {
        arrived: usize,
        status: u16,
        body: String,
    },
}

impl Reply {
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self::Answer { status, headers: Vec::new(), body: body.into() }
    }

    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_string()));
        }
        self
    }
}

/// A server on loopback that lives as long as the test's runtime.
pub struct Server {
    pub address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Answers each request with what the handler makes of it and of its number (from 0).
    pub async fn start(handler: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (handler, log) = (Arc::new(handler), Arc::clone(&seen));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (handler, log) = (Arc::clone(&handler), Arc::clone(&log));
                tokio::spawn(async move { serve(stream, &*handler, &log).await });
            }
        });
        Self { address, seen }
    }

    /// Answers with the script's replies in turn, the last one for ever.
    pub async fn script(replies: Vec<Reply>) -> Self {
        Self::start(move |_, n| replies[n.min(replies.len() - 1)].clone()).await
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How many requests had this method (any, if empty) and a path that begins so.
    pub fn count(&self, method: &str, path: &str) -> usize {
        let of = |seen: &&Seen| (method.is_empty() || seen.method == method) && seen.path.starts_with(path);
        self.seen().iter().filter(of).count()
    }
}

async fn serve(
    mut stream: TcpStream,
    handler: &(dyn Fn(&Seen, usize) -> Reply + Send + Sync),
    log: &Mutex<Vec<Seen>>,
) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let seen = read_request(&mut stream, &mut buffer).await?;
        let number = {
            let mut log = log.lock().unwrap();
            log.push(seen.clone());
            log.len() - 1
        };
        match handler(&seen, number) {
            Reply::Answer { status, headers, body } => {
                let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
                let length = body.len();
                let text = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
                stream.write_all(text.as_bytes()).await.ok()?;
            }
            Reply::Together { arrived, status, body } => {
                while log.lock().unwrap().len() < arrived {
                    tokio::task::yield_now().await;
                }
                let length = body.len();
                let text = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{body}");
                stream.write_all(text.as_bytes()).await.ok()?;
            }
            Reply::HangUp => return None,
            Reply::BreakOff => {
                stream.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\n{\"status").await.ok()?;
                return None;
            }
            Reply::Silence => std::future::pending::<()>().await,
        }
    }
}

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Seen> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ');
    let (method, path) = (first.next().unwrap().to_owned(), first.next().unwrap().to_owned());
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, n)| n.parse().unwrap());
    while buffer.len() < end + length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8(buffer[end..end + length].to_vec()).unwrap();
    buffer.drain(..end + length);
    Some(Seen { method, path, headers, body })
}
