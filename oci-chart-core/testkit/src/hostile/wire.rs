use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::content::Reply;

/// Longest request line or header that is read.
const LINE: u64 = 16 << 10;

pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
}

/// The next request without its body, which no read has; none at the end of the connection.
pub(super) fn read(stream: &TcpStream) -> Option<Request> {
    // A client sends its next request after the answer, so nothing is lost with the buffer.
    let mut reader = BufReader::new(stream);
    let first = line(&mut reader)?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    while !line(&mut reader)?.is_empty() {}
    Some(Request { method, target })
}

fn line(reader: &mut BufReader<&TcpStream>) -> Option<String> {
    let mut text = String::new();
    reader.take(LINE).read_line(&mut text).ok()?;
    text.strip_suffix("\r\n").map(str::to_owned)
}

pub(super) fn write(
    stream: &mut TcpStream,
    reply: &Reply,
    head_only: bool,
    stopped: &AtomicBool,
) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Hostile\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if reply.endless && !head_only {
        head.push_str("Connection: close\r\n");
    } else {
        let length = reply.announced.unwrap_or(reply.body.len() as u64);
        head.push_str(&format!("Content-Length: {length}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    if head_only {
        return Ok(());
    }
    if reply.drips {
        for byte in &reply.body {
            if stopped.load(Ordering::SeqCst) {
                break;
            }
            stream.write_all(std::slice::from_ref(byte))?;
            thread::sleep(Duration::from_millis(5));
        }
        return Ok(());
    }
    stream.write_all(&reply.body)?;
    while reply.endless && !stopped.load(Ordering::SeqCst) {
        stream.write_all(if reply.body.is_empty() { b" " } else { &reply.body })?;
    }
    if reply.endless || reply.announced.is_some() {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    Ok(())
}
