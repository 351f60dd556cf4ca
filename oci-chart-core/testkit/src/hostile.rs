//! A registry that means harm: it lies, flips, floods and never ends, as told.

mod content;
mod wire;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use bytes::Bytes;

use self::content::{Content, Reply};
use crate::log::locked;

/// A read-only registry on 127.0.0.1 that holds what a test plants, the same in every repository, and lies about it as the test says.
///
/// ```
/// use oci_chart_testkit::{Hostile, Lie, Listing};
///
/// # fn main() -> std::io::Result<()> {
/// let registry = Hostile::start()?;
/// let good = registry.manifest("application/vnd.oci.image.manifest.v1+json", "{}");
/// let other = registry.manifest("application/vnd.oci.image.manifest.v1+json", "{ }");
/// registry.tag_flips("1.0.0", &[&good, &other]); // the first look sees one, later looks the other
/// registry.lie(&other, Lie::Endless);
/// registry.referrers(Listing::Status(503));
/// assert_eq!(registry.requests(), Vec::<String>::new());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Hostile {
    state: Arc<State>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    content: Mutex<Content>,
    requests: Mutex<Vec<String>>,
    stopped: AtomicBool,
}

/// How content is answered that was planted honestly.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Lie {
    /// These bytes instead, under the digest of the others.
    Bytes(Bytes),
    /// Bytes without end.
    Endless,
    /// This status and no content.
    Status(u16),
    /// The true bytes, and this many announced.
    Announce(u64),
    /// The true bytes, one by one, five milliseconds apart.
    Drip,
}

/// How a question for referrers is answered.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Listing {
    /// There is no such endpoint (404); the tag that stands in for it is planted like any other.
    #[default]
    Absent,
    /// An index with these entries, each a JSON object.
    Entries(Vec<String>),
    /// Pages of so many entries that lead nowhere, each naming another as its next.
    EndlessPages(usize),
    /// Pages with these entries, each naming another as its next.
    EndlessPagesOf(Vec<String>),
    /// This status, with an error body.
    Status(u16),
    /// A redirect to the same path at another host, given as `host:port`.
    Elsewhere(String),
    /// 200 with this content type and body.
    Document(String, Bytes),
    /// An index that never ends.
    EndlessBody,
}

impl Hostile {
    /// An empty one, running.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        let thread = thread::Builder::new()
            .name("testkit-hostile".to_owned())
            .spawn(move || accept(&listener, &shared))?;
        Ok(Self { state, address, thread: Some(thread) })
    }

    /// `127.0.0.1:PORT`, as it stands in a reference.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Plants a blob; its sha256 digest.
    pub fn blob(&self, bytes: impl Into<Bytes>) -> String {
        self.content(|content| content.plant(None, bytes.into()))
    }

    /// Plants a manifest, unread; its sha256 digest.
    pub fn manifest(&self, media_type: &str, bytes: impl Into<Bytes>) -> String {
        self.content(|content| content.plant(Some(media_type.to_owned()), bytes.into()))
    }

    /// Lets a tag point at a manifest.
    pub fn tag(&self, tag: &str, digest: &str) {
        self.tag_flips(tag, &[digest]);
    }

    /// Lets a tag point elsewhere at every look; the last stays.
    pub fn tag_flips(&self, tag: &str, digests: &[&str]) {
        let digests = digests.iter().map(|digest| (*digest).to_owned()).collect();
        self.content(|content| content.tags.insert(tag.to_owned(), digests));
    }

    /// Says how the content of a digest is answered from now on.
    pub fn lie(&self, digest: &str, lie: Lie) {
        self.content(|content| content.lies.insert(digest.to_owned(), lie));
    }

    /// Says how questions for referrers are answered from now on, whatever the subject.
    pub fn referrers(&self, listing: Listing) {
        self.content(|content| content.listing = listing);
    }

    /// Says what the pages of the list of tags are, by their number from 0 on; there is another while one is made.
    pub fn tag_pages(&self, page: fn(u64) -> Option<Vec<String>>) {
        self.content(|content| content.tag_page = Some(page));
    }

    /// Requests so far: method and path, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        locked(&self.state.requests).clone()
    }

    fn content<T>(&self, act: impl FnOnce(&mut Content) -> T) -> T {
        act(&mut locked(&self.state.content))
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees the flag.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, state: &Arc<State>) {
    for stream in listener.incoming() {
        if state.stopped.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let state = Arc::clone(state);
        // A client that hangs up early is what most tests want to see.
        let _ = thread::Builder::new().spawn(move || connection(stream, &state));
    }
}

fn connection(mut stream: TcpStream, state: &State) {
    while let Some(request) = wire::read(&stream) {
        locked(&state.requests).push(format!("{} {}", request.method, request.target));
        let reply = match request.method.as_str() {
            "GET" | "HEAD" => locked(&state.content).answer(&request.target),
            _ => Reply::status(405),
        };
        if wire::write(&mut stream, &reply, request.method == "HEAD", &state.stopped).is_err() {
            return;
        }
    }
}
