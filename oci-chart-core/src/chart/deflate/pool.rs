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
}

/// Where a block's bytes will be.
#[derive(Debug)]
pub(super) enum Ticket {
    Ready(Vec<u8>),
    Waiting(mpsc::Receiver<Vec<u8>>),
}

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Threads that wait for a job.
    idle: usize,
    /// Memory of blocks that are done.
    spare: Vec<Block>,
    closed: bool,
}

#[derive(Debug)]
struct Job {
    block: Block,
    reply: mpsc::SyncSender<Vec<u8>>,
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
        (!threads.is_empty()).then_some(Self { queue, threads })
    }

    /// How many blocks may be on their way, most of them done and behind one that is not.
    pub(super) fn in_flight(&self) -> usize {
        4 * self.threads.len()
    }

    /// Whether every thread has work and one block more is waiting. A block is a third of a mebibyte, so no more wait.
    pub(super) fn is_full(&self) -> bool {
        let state = self.queue.lock();
        state.jobs.len() > state.idle
    }

    pub(super) fn submit(&self, block: Block) -> Ticket {
        let (reply, ticket) = mpsc::sync_channel(1);
        self.queue.lock().jobs.push_back(Job { block, reply });
        self.queue.changed.notify_one();
        Ticket::Waiting(ticket)
    }

    /// Compresses what no thread has begun yet.
    pub(super) fn help(&self, deflater: &mut Deflater) {
        while let Some(job) = self.queue.pop() {
            self.queue.run(job, deflater);
        }
    }

    /// Memory of a block that is done.
    pub(super) fn spare(&self) -> Option<Block> {
        self.queue.lock().spare.pop()
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
    /// The block's bytes, or the ticket again where they are not there yet.
    pub(super) fn look(self) -> io::Result<Result<Vec<u8>, Self>> {
        match self {
            Self::Ready(bytes) => Ok(Ok(bytes)),
            Self::Waiting(receiver) => match receiver.try_recv() {
                Ok(bytes) => Ok(Ok(bytes)),
                Err(mpsc::TryRecvError::Empty) => Ok(Err(Self::Waiting(receiver))),
                Err(mpsc::TryRecvError::Disconnected) => Err(lost()),
            },
        }
    }

    /// The block's bytes, once they are there.
    pub(super) fn wait(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Ready(bytes) => Ok(bytes),
            Self::Waiting(receiver) => receiver.recv().map_err(|_| lost()),
        }
    }
}

impl Queue {
    fn work(&self) {
        let mut deflater = Deflater::default();
        while let Some(job) = self.next() {
            self.run(job, &mut deflater);
        }
    }

    fn run(&self, mut job: Job, deflater: &mut Deflater) {
        let bytes = deflater.deflate(&mut job.block, false);
        self.lock().spare.push(job.block);
        // The caller may have given up, and then nobody listens.
        let _ = job.reply.send(bytes);
    }

    fn pop(&self) -> Option<Job> {
        self.lock().jobs.pop_front()
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
            state.idle += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic halfway.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lost() -> io::Error {
    io::Error::other("a compressing thread ended without an answer")
}
