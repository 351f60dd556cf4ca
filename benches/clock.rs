use std::{
    ops::Div,
    process::Command,
    time::{Duration, Instant},
};

use nix::sys::resource::{UsageWho, getrusage};

use crate::Outcome;

/// What some work took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// Processor time of all threads, in user code and in the kernel.
    pub cpu: Duration,
    /// Time on the clock.
    pub wall: Duration,
    /// Processor time of the busiest of two threads: what the clock would show if nobody else used the machine. Of work in
    /// this process alone.
    pub busiest: Duration,
}

impl Cost {
    /// Of work in this process.
    ///
    /// # Errors
    ///
    /// Those of the work.
    pub fn of(work: impl FnOnce() -> Outcome<()>) -> Outcome<Self> {
        let (cpu, own, began) =
            (used(UsageWho::RUSAGE_SELF)?, used(UsageWho::RUSAGE_THREAD)?, Instant::now());
        work()?;
        let wall = began.elapsed();
        let cpu = used(UsageWho::RUSAGE_SELF)?.saturating_sub(cpu);
        let own = used(UsageWho::RUSAGE_THREAD)?.saturating_sub(own);
        Ok(Self { cpu, wall, busiest: own.max(cpu.saturating_sub(own)) })
    }

    /// Of a whole process, which must succeed. Nothing else may wait for children meanwhile.
    ///
    /// # Errors
    ///
    /// When it cannot be started or fails, with what it said.
    pub fn of_process(command: &mut Command) -> Outcome<Self> {
        let (cpu, began) = (used(UsageWho::RUSAGE_CHILDREN)?, Instant::now());
        let output = command.output()?;
        let wall = began.elapsed();
        if !output.status.success() {
            return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        let cpu = used(UsageWho::RUSAGE_CHILDREN)?.saturating_sub(cpu);
        Ok(Self { cpu, wall, busiest: cpu })
    }
}

impl Div<u32> for Cost {
    type Output = Self;

    fn div(self, times: u32) -> Self {
        Self { cpu: self.cpu / times, wall: self.wall / times, busiest: self.busiest / times }
    }
}

fn used(who: UsageWho) -> Outcome<Duration> {
    let usage = getrusage(who)?;
    let micros = |time: nix::sys::time::TimeVal| time.tv_sec() * 1_000_000 + time.tv_usec();
    Ok(Duration::from_micros(u64::try_from(micros(usage.user_time()) + micros(usage.system_time()))?))
}
