use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread::{Builder, JoinHandle},
};

use super::block::{Block, Deflater};

/// Threads that compress blocks beside the caller's.
#[derive(Debug)]
pub(super) struct Pool {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
    spare: Vec<Block>,
}

/// A compressed block, and the memory it came in.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) block: Block,
    pub(super) bytes: Vec<u8>,
}

/// Where a block's bytes will be.
#[derive(Debug)]
pub(super) enum Ticket {
    Ready(Done),
    Waiting(mpsc::Receiver<io::Result<Done>>),
}

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    jobs: VecDeque<Job>,
    closed: bool,
}

#[derive(Debug)]
struct Job {
    block: Block,
    reply: mpsc::SyncSender<io::Result<Done>>,
}

impl Pool {
    /// None where there are no helpers, or the system gives no thread.
    pub(super) fn new(helpers: usize) -> Option<Self> {
        let queue = Arc::new(Queue::default());
        let spawn = |_| {
            let queue = Arc::clone(&queue);
            Builder::new().name("oci-chart deflate".to_owned()).spawn(move || queue.work()).ok()
        };
        let threads: Vec<_> = (0..helpers).map_while(spawn).collect();
        (!threads.is_empty()).then_some(Self { queue, threads, spare: Vec::new() })
    }

    /// How many blocks may be on their way: one in work and one in the queue for every thread.
    pub(super) fn in_flight(&self) -> usize {
        2 * self.threads.len()
    }

    /// Puts a block into the queue or, where that is full, compresses it here.
    pub(super) fn submit(&self, block: Block, deflater: &mut Deflater) -> io::Result<Ticket> {
        let mut state = self.queue.lock();
        if state.jobs.len() >= self.threads.len() {
            drop(state);
            return compress(block, deflater).map(Ticket::Ready);
        }
        let (reply, ticket) = mpsc::sync_channel(1);
        state.jobs.push_back(Job { block, reply });
        drop(state);
        self.queue.changed.notify_one();
        Ok(Ticket::Waiting(ticket))
    }

    /// Compresses what no thread has begun yet.
    pub(super) fn help(&self, deflater: &mut Deflater) {
        while let Some(job) = self.queue.lock().jobs.pop_front() {
            job.run(deflater);
        }
    }

    /// Memory of a block that is done.
    pub(super) fn spare(&mut self) -> Option<Block> {
        self.spare.pop()
    }

    pub(super) fn recycle(&mut self, block: Block) {
        self.spare.push(block);
    }
}

impl Drop for Pool {
    /// Blocks in the queue are dropped; the one in work on each thread is waited for.
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.closed = true;
        state.jobs.clear();
        drop(state);
        self.queue.changed.notify_all();
        for thread in self.threads.drain(..) {
            // A thread that panicked has told so by dropping its reply.
            let _ = thread.join();
        }
    }
}

impl Ticket {
    /// The block's bytes, or the ticket again where they are not there yet and the caller does not wait.
    pub(super) fn take(self, wait: bool) -> io::Result<Result<Done, Self>> {
        let receiver = match self {
            Self::Ready(done) => return Ok(Ok(done)),
            Self::Waiting(receiver) => receiver,
        };
        let lost = || io::Error::other("a compressing thread ended without an answer");
        if wait {
            return receiver.recv().map_err(|_| lost())?.map(Ok);
        }
        match receiver.try_recv() {
            Ok(done) => done.map(Ok),
            Err(mpsc::TryRecvError::Empty) => Ok(Err(Self::Waiting(receiver))),
            Err(mpsc::TryRecvError::Disconnected) => Err(lost()),
        }
    }
}

impl Queue {
    fn work(&self) {
        let mut deflater = Deflater::default();
        while let Some(job) = self.next() {
            job.run(&mut deflater);
        }
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic halfway.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job {
    fn run(self, deflater: &mut Deflater) {
        // The caller may have given up, and then nobody listens.
        let _ = self.reply.send(compress(self.block, deflater));
    }
}

fn compress(block: Block, deflater: &mut Deflater) -> io::Result<Done> {
    let bytes = deflater.deflate(&block, false)?.to_vec();
    Ok(Done { block, bytes })
}
