use std::{env, process::ExitCode};

/// Bounds that were held and passed.
#[derive(Debug, Default)]
pub struct Report {
    passed: usize,
}

impl Report {
    /// Prints a value beside its bound, and remembers if it is above.
    pub fn bound(&mut self, what: &str, value: f64, most: f64) {
        let verdict = if value <= most { "" } else { "  <-- ABOVE" };
        println!("{what}: {value:.3} (at most {most:.2}){verdict}");
        self.passed += usize::from(value > most);
    }

    /// Success if every bound was held.
    #[must_use]
    pub fn end(self) -> ExitCode {
        if self.passed == 0 {
            return ExitCode::SUCCESS;
        }
        eprintln!("{} bounds passed", self.passed);
        ExitCode::FAILURE
    }
}

/// Whether other programs keep a core busy, so that time on the clock says nothing.
#[must_use]
pub fn is_busy() -> bool {
    let load = fs_err::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().and_then(|load| load.parse().ok()).is_some_and(|load: f64| load > 1.0)
}

/// Tells that something could not be measured for want of `what`; in CI, where nothing may be missing, that is a failure.
pub fn skip(what: &str) {
    eprintln!("SKIPPED: {what}");
    if env::var_os("CI").is_some() {
        std::process::exit(1);
    }
}
