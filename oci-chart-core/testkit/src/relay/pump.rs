//! Bytes of one connection in both directions, late and bent as asked.

use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep, sleep_until};

use super::mishap::{Mishap, Way};
use super::{Shared, serve};

/// What is read at once, and how many of those are on their way at most.
const PIECE: usize = 16 << 10;
const PIECES: usize = 64;

/// Time for the bytes before a reset to arrive: a reset overtakes what was sent.
const AHEAD: Duration = Duration::from_millis(5);

/// How a connection ends before both sides have said all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Cut,
    Reset,
}

/// Relays until both sides are done, or the mishap ends it.
pub(super) async fn relay(
    client: &mut TcpStream,
    server: &mut TcpStream,
    accepted: Instant,
    mishap: Option<Mishap>,
    shared: &Shared,
) {
    let ((client_in, client_out), (server_in, server_out)) = (client.split(), server.split());
    let established = accepted + shared.latency * 2;
    let gone = Notify::new();
    let up = Pump { way: Way::Up, mishap, established, shared, gone: &gone };
    let down = Pump { way: Way::Down, mishap, established, shared, gone: &gone };
    let ended = tokio::try_join!(up.run(client_in, server_out), down.run(server_in, client_out));
    match ended {
        Ok(_) => {}
        Err(End::Reset) => {
            sleep(AHEAD).await;
            serve::reset(client);
            serve::reset(server);
        }
        Err(End::Cut) => {
            serve::reset(server);
            serve::finish(client).await;
        }
    }
}

#[derive(Clone, Copy)]
struct Pump<'a> {
    way: Way,
    mishap: Option<Mishap>,
    established: Instant,
    shared: &'a Shared,
    /// Told when the client has said all.
    gone: &'a Notify,
}

/// What goes from the reading half of a pump to the writing one.
enum Piece {
    Bytes(Bytes),
    End(End),
}

impl Pump<'_> {
    async fn run(self, from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> Result<(), End> {
        let (give, mut take) = mpsc::channel::<(Instant, Piece)>(PIECES);
        let write = async {
            while let Some((due, piece)) = take.recv().await {
                sleep_until(due).await;
                match piece {
                    Piece::Bytes(bytes) => {
                        self.count(bytes.len());
                        to.write_all(&bytes).await.map_err(|_| End::Reset)?;
                    }
                    Piece::End(end) => return Err(end),
                }
            }
            // The other side may have gone already.
            let _ = to.shutdown().await;
            Ok(())
        };
        tokio::try_join!(self.read(from, give), write).map(|_| ())
    }

    async fn read(
        self,
        mut from: impl AsyncRead + Unpin,
        give: mpsc::Sender<(Instant, Piece)>,
    ) -> Result<(), End> {
        let mut position = 0;
        loop {
            let mut piece = BytesMut::with_capacity(PIECE);
            match from.read_buf(&mut piece).await {
                Ok(0) => {
                    match (self.way, self.mishap) {
                        (Way::Up, _) => self.gone.notify_one(),
                        // The end is lost as well: silence ends when the client does.
                        (Way::Down, Some(Mishap::Stall(Way::Down, at))) if position > at => {
                            self.gone.notified().await;
                        }
                        (Way::Down, _) => {}
                    }
                    // The end takes as long as what was before it.
                    sleep(self.shared.latency).await;
                    return Ok(());
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Err(End::Reset),
                Err(_) => return Err(End::Cut),
            }
            let length = piece.len() as u64;
            let (bytes, end) = self.bend(piece, position);
            position += length;
            for part in self.parts(bytes) {
                if let Some(pause) = self.pause() {
                    sleep(pause).await;
                }
                // The writing half has ended only where the whole connection has.
                let _ = give.send((self.due(), Piece::Bytes(part))).await;
            }
            if let Some(end) = end {
                let _ = give.send((self.due(), Piece::End(end))).await;
                return Ok(());
            }
        }
    }

    /// What arrives of `piece`, which begins at `position`, and whether the connection ends behind it.
    fn bend(self, mut piece: BytesMut, position: u64) -> (Bytes, Option<End>) {
        let (way, at) = match self.mishap {
            Some(
                Mishap::Cut(way, at)
                | Mishap::Reset(way, at)
                | Mishap::Stall(way, at)
                | Mishap::Flip(way, at),
            ) => (way, at),
            Some(Mishap::Drip(way, ..)) => (way, 0),
            Some(Mishap::Refuse | Mishap::Delay(_)) | None => return (piece.freeze(), None),
        };
        let end = position + piece.len() as u64;
        if way != self.way || at >= end {
            return (piece.freeze(), None);
        }
        let here = usize::try_from(at.saturating_sub(position)).unwrap_or(usize::MAX);
        if at >= position {
            self.shared.tally.fired.fetch_add(1, Ordering::SeqCst);
        }
        match self.mishap {
            Some(Mishap::Cut(..)) => {
                piece.truncate(here);
                (piece.freeze(), Some(End::Cut))
            }
            Some(Mishap::Reset(..)) => {
                piece.truncate(here);
                (piece.freeze(), Some(End::Reset))
            }
            Some(Mishap::Stall(..)) => {
                piece.truncate(here);
                (piece.freeze(), None)
            }
            Some(Mishap::Flip(..)) if at >= position => {
                if let Some(byte) = piece.get_mut(here) {
                    *byte ^= 1;
                }
                (piece.freeze(), None)
            }
            _ => (piece.freeze(), None),
        }
    }

    fn parts(self, mut bytes: Bytes) -> impl Iterator<Item = Bytes> {
        let size = match self.mishap {
            Some(Mishap::Drip(way, size, _)) if way == self.way => size.max(1),
            _ => usize::MAX,
        };
        std::iter::from_fn(move || (!bytes.is_empty()).then(|| bytes.split_to(size.min(bytes.len()))))
    }

    fn pause(self) -> Option<Duration> {
        match self.mishap {
            Some(Mishap::Drip(way, _, pause)) if way == self.way => Some(pause),
            _ => None,
        }
    }

    /// When what was just read arrives at the other side.
    fn due(self) -> Instant {
        let sent = match self.way {
            Way::Up => Instant::now().max(self.established),
            Way::Down => Instant::now(),
        };
        sent + self.shared.latency
    }

    fn count(self, bytes: usize) {
        let tally = &self.shared.tally;
        let count = if self.way == Way::Up { &tally.up } else { &tally.down };
        count.fetch_add(bytes as u64, Ordering::SeqCst);
    }
}
