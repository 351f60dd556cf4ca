//! Exchanges of a plain HTTP/1.1 connection, one after the other, bent by the fault script.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::io::{AsyncBufRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::copy::{Bend, Body};
use super::head::{Framing, Head};
use super::{Shared, serve};
use crate::log::locked;
use crate::script::Fault;

/// `Authorization` of the requests that were sent elsewhere, by target.
pub(super) type Signed = Arc<Mutex<HashMap<String, String>>>;

/// Which listener of the relay a connection came to, and what is done with its bytes.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// Nothing is read into them.
    Bytes,
    /// The target's stand-in.
    Front(Signed),
    /// The other origin.
    Elsewhere(Signed),
}

/// Whether the connection goes on after an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Next,
    End,
}

pub(super) async fn relay(client: &mut TcpStream, server: &mut TcpStream, place: &Place, shared: &Shared) {
    let ((client_in, client_out), (server_in, server_out)) = (client.split(), server.split());
    let mut line = Line {
        client_in: BufReader::new(client_in),
        client_out,
        server_in: BufReader::new(server_in),
        server_out,
        place,
        shared,
    };
    while let Ok(Some(request)) = Head::read(&mut line.client_in).await {
        let last = request.get("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let then = line.exchange(request).await;
        if last || !matches!(then, Ok(Then::Next)) {
            break;
        }
    }
    serve::finish(client).await;
}

/// A connection on both sides of the relay.
struct Line<'a, I, O> {
    client_in: I,
    client_out: O,
    server_in: I,
    server_out: O,
    place: &'a Place,
    shared: &'a Shared,
}

impl<I: AsyncBufRead + Unpin, O: AsyncWrite + Unpin> Line<'_, I, O> {
    async fn exchange(&mut self, mut request: Head) -> io::Result<Then> {
        let (method, target) = (request.word(0).to_owned(), request.word(1).to_owned());
        if request.remove("expect") {
            self.client_out.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let fault = match self.place {
            Place::Elsewhere(signed) => {
                if let Some(refusal) = self.admit(&mut request, signed, &target) {
                    return self.reply(&request, refusal, Bytes::new()).await;
                }
                None
            }
            Place::Bytes | Place::Front(_) => self.shared.script.judge(&method, &target),
        };
        match &fault {
            Some(Fault::Drop) => return Ok(Then::End),
            Some(Fault::Delay(time)) => sleep(*time).await,
            Some(Fault::Status { code, headers, body }) => {
                let mut head = Head::new(&format!("HTTP/1.1 {code} By Script"));
                headers.iter().for_each(|(name, value)| head.set(name, value));
                return self.reply(&request, head, body.clone()).await;
            }
            Some(Fault::Redirect(origin)) => {
                if let Place::Front(signed) = self.place {
                    let authorization = request.get("authorization").unwrap_or_default().to_owned();
                    locked(signed).insert(target.clone(), authorization);
                }
                let mut head = Head::new("HTTP/1.1 307 Temporary Redirect");
                head.set("location", format!("{origin}{target}"));
                return self.reply(&request, head, Bytes::new()).await;
            }
            Some(Fault::IgnoreRange) => {
                request.remove("range");
                request.remove("if-range");
            }
            _ => {}
        }
        if !self.forward(&request, fault.as_ref()).await? {
            return Ok(Then::End);
        }
        self.answer(&method, fault).await
    }

    /// Passes the request on, and says whether all of it.
    async fn forward(&mut self, request: &Head, fault: Option<&Fault>) -> io::Result<bool> {
        let up = &self.shared.tally.up;
        // A server that refuses early is told by what it answered.
        let _ = write(&mut self.server_out, &request.bytes(), up).await;
        let Some(framing) = request.framing() else { return Ok(true) };
        let cut = if let Some(Fault::CutRequest(after)) = fault { Some(*after) } else { None };
        let bend = Bend { cut, ..Bend::default() };
        let (from, to) = (&mut self.client_in, &mut self.server_out);
        let sent = Body::new(framing).pass(from, to, framing == Framing::Chunked, bend, up).await;
        Ok(sent.unwrap_or(cut.is_none()))
    }

    /// Passes the answer on, bent.
    async fn answer(&mut self, method: &str, fault: Option<Fault>) -> io::Result<Then> {
        let mut head = loop {
            let Some(head) = Head::read(&mut self.server_in).await? else { return Ok(Then::End) };
            if !(100..=199).contains(&head.status()) {
                break head;
            }
        };
        let framing = head.answer_framing(method);
        let (mut bend, mut body) = (Bend::default(), None);
        match fault {
            Some(Fault::LoseAnswer) => return Ok(Then::End),
            Some(Fault::CutResponse(after)) => bend.cut = Some(after),
            Some(Fault::FlipByte(position)) => bend.flip = Some(position),
            Some(Fault::Drip(size, pause)) => bend.drip = Some((size, pause)),
            Some(Fault::SetHeader(name, value)) => head.set(&name, value),
            Some(Fault::RemoveHeader(name)) => drop(head.remove(&name)),
            Some(Fault::AnnounceLength(length)) => return self.lie(head, framing, length).await,
            Some(Fault::Endless) => return self.endless(head).await,
            Some(Fault::Truncate(length)) => {
                let mut whole = self.collect(framing).await?;
                whole.truncate(usize::try_from(length).unwrap_or(usize::MAX));
                body = Some(whole);
            }
            Some(Fault::Body(other)) => {
                self.collect(framing).await?;
                body = Some(other);
            }
            _ => {}
        }
        if let Some(body) = body {
            head.remove("transfer-encoding");
            head.set("content-length", body.len());
            self.tell(&head.bytes()).await?;
            self.tell(if framing.is_some() { &body } else { b"" }).await?;
            return Ok(Then::Next);
        }
        self.tell(&head.bytes()).await?;
        let Some(framing) = framing else { return Ok(Then::Next) };
        let chunked = framing == Framing::Chunked;
        let whole = self.pass(framing, chunked, bend).await?;
        let closed = head.get("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let next = whole && bend.cut.is_none() && framing != Framing::UntilClose && !closed;
        Ok(if next { Then::Next } else { Then::End })
    }

    /// The whole body under a length that is not its own; the connection ends with it.
    async fn lie(&mut self, mut head: Head, framing: Option<Framing>, length: u64) -> io::Result<Then> {
        head.remove("transfer-encoding");
        head.set("content-length", length);
        self.tell(&head.bytes()).await?;
        if let Some(framing) = framing {
            self.pass(framing, false, Bend::default()).await?;
        }
        Ok(Then::End)
    }

    async fn endless(&mut self, mut head: Head) -> io::Result<Then> {
        head.remove("transfer-encoding");
        head.remove("content-length");
        head.set("connection", "close");
        self.tell(&head.bytes()).await?;
        loop {
            self.tell(&[b' '; 4 << 10]).await?;
        }
    }

    /// An answer of our own, once the request has been read.
    async fn reply(&mut self, request: &Head, mut head: Head, body: Bytes) -> io::Result<Then> {
        if let Some(framing) = request.framing() {
            let (nowhere, nothing) = (&mut tokio::io::sink(), Bend::default());
            Body::new(framing).pass(&mut self.client_in, nowhere, false, nothing, &AtomicU64::new(0)).await?;
        }
        head.set("content-length", body.len());
        self.tell(&head.bytes()).await?;
        self.tell(if request.word(0) == "HEAD" { b"" } else { &body }).await?;
        Ok(Then::Next)
    }

    /// Lets a request to the other origin pass with what its URL stands for, or says how it is refused.
    fn admit(&self, request: &mut Head, signed: &Signed, target: &str) -> Option<Head> {
        if request.get("authorization").is_some() {
            self.shared.tally.leaked.fetch_add(1, Ordering::SeqCst);
            return Some(Head::new("HTTP/1.1 400 Bad Request"));
        }
        match locked(signed).get(target) {
            None => return Some(Head::new("HTTP/1.1 404 Not Found")),
            Some(authorization) if authorization.is_empty() => {}
            Some(authorization) => request.set("authorization", authorization),
        }
        None
    }

    async fn collect(&mut self, framing: Option<Framing>) -> io::Result<Bytes> {
        match framing {
            Some(framing) => Body::new(framing).collect(&mut self.server_in).await,
            None => Ok(Bytes::new()),
        }
    }

    async fn pass(&mut self, framing: Framing, chunked: bool, bend: Bend) -> io::Result<bool> {
        let (from, to) = (&mut self.server_in, &mut self.client_out);
        Body::new(framing).pass(from, to, chunked, bend, &self.shared.tally.down).await
    }

    async fn tell(&mut self, bytes: &[u8]) -> io::Result<()> {
        write(&mut self.client_out, bytes, &self.shared.tally.down).await
    }
}

async fn write(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8], count: &AtomicU64) -> io::Result<()> {
    to.write_all(bytes).await?;
    count.fetch_add(bytes.len() as u64, Ordering::SeqCst);
    Ok(())
}
