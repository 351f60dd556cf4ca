use std::{
    io::{ErrorKind, Read, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use zeroize::Zeroizing;

use super::helper::HelperFault;
use crate::threads::off_thread;

/// How often it is looked whether anybody still waits.
const GLANCE: Duration = Duration::from_millis(20);

/// How long a program may run and how much it may say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) time: Duration,
    pub(super) bytes: u64,
}

/// What a program said, and whether it succeeded.
pub(super) struct Said {
    pub(super) success: bool,
    pub(super) text: Zeroizing<Vec<u8>>,
}

/// Runs `program` with one argument and `input`, on a thread of its own. If the caller stops waiting, the program is killed.
pub(super) async fn run(
    program: &Path,
    verb: &'static str,
    input: Zeroizing<Vec<u8>>,
    bounds: Bounds,
) -> Result<Said, HelperFault> {
    struct Stop(Arc<AtomicBool>);
    impl Drop for Stop {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let stop = Stop(Arc::default());
    let (program, flag) = (program.to_owned(), Arc::clone(&stop.0));
    let result = off_thread(move || run_blocking(&program, verb, input, bounds, &flag)).await;
    drop(stop);
    result.unwrap_or_else(|| Err(HelperFault::Io("its thread ended without a result".to_owned())))
}

fn run_blocking(
    program: &Path,
    verb: &str,
    input: Zeroizing<Vec<u8>>,
    bounds: Bounds,
    stop: &AtomicBool,
) -> Result<Said, HelperFault> {
    let deadline = Instant::now() + bounds.time;
    let mut child = Guard(spawn(program, verb)?);
    let (Some(mut stdin), Some(stdout)) = (child.0.stdin.take(), child.0.stdout.take()) else {
        return Err(HelperFault::Io("it has no pipes".to_owned()));
    };
    // Both pipes may be full at once, and what the program leaves behind may hold them open for ever: nobody waits for these threads.
    thread::spawn(move || {
        // It need not read what it does not want.
        let _ = stdin.write_all(&input);
    });
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut text = Zeroizing::new(Vec::new());
        let result = stdout.take(bounds.bytes.saturating_add(1)).read_to_end(&mut text).map(|_| text);
        // The other side may have given up.
        let _ = sender.send(result);
    });
    let text = loop {
        match receiver.recv_timeout(GLANCE) {
            Ok(Ok(text)) if text.len() as u64 > bounds.bytes => {
                return Err(HelperFault::TooMuch(bounds.bytes));
            }
            Ok(Ok(text)) => break text,
            Ok(Err(error)) => return Err(HelperFault::Io(error.to_string())),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(HelperFault::Io("its output was lost".to_owned()));
            }
            Err(RecvTimeoutError::Timeout) => check(deadline, bounds, stop)?,
        }
    };
    let mut pause = Duration::from_millis(1);
    loop {
        match child.0.try_wait() {
            Ok(Some(status)) => return Ok(Said { success: status.success(), text }),
            Ok(None) => check(deadline, bounds, stop)?,
            Err(error) => return Err(HelperFault::Io(error.to_string())),
        }
        thread::sleep(pause);
        pause = GLANCE.min(pause * 2);
    }
}

fn check(deadline: Instant, bounds: Bounds, stop: &AtomicBool) -> Result<(), HelperFault> {
    if stop.load(Ordering::Relaxed) || Instant::now() >= deadline {
        return Err(HelperFault::TimedOut(bounds.time));
    }
    Ok(())
}

fn spawn(program: &Path, verb: &str) -> Result<Child, HelperFault> {
    let mut command = Command::new(program);
    command.arg(verb).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut again = 10;
    loop {
        match command.spawn() {
            // Somebody has just written it, and a child of somebody's still holds it open.
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && again > 0 => {
                again -= 1;
                thread::sleep(GLANCE);
            }
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(HelperFault::Missing),
            result => return result.map_err(|error| HelperFault::Io(error.to_string())),
        }
    }
}

/// A program that does not outlive its caller's interest.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(Some(_))) {
            // It may have ended just now; there is nothing more to be done about it either way.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}
