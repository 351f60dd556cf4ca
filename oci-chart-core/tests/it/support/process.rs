//! Running foreign programs, away from the user's configuration and never for ever.

use std::{
    ffi::OsStr,
    io::Read,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// No judge needs nearly as long; a busy machine may make it slow.
const TIME_OUT: Duration = Duration::from_secs(120);

/// A scratch home directory, and with it empty configurations of every tool.
pub(crate) struct Sandbox {
    home: TempDir,
}

/// What a program said.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self { home: TempDir::new().unwrap() }
    }

    /// A place to write, gone with the sandbox.
    pub(crate) fn path(&self) -> &Path {
        self.home.path()
    }

    /// A command that sees nothing of this machine but its programs.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let home = self.home.path();
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home)
            .env("TZ", "UTC")
            .env("LC_ALL", "C.UTF-8")
            .env("DOCKER_CONFIG", home.join("docker"))
            .env("REGCTL_CONFIG", home.join("regctl.json"))
            .env("HELM_CACHE_HOME", home.join("helm-cache"))
            .env("HELM_CONFIG_HOME", home.join("helm-config"))
            .env("HELM_DATA_HOME", home.join("helm-data"))
            .env("OTEL_TRACES_EXPORTER", "none")
            .current_dir(home)
            .stdin(Stdio::null());
        command
    }

    /// Runs a program to its end.
    pub(crate) fn run<A: AsRef<OsStr>>(
        &self,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) -> Finished {
        let mut command = self.command(program);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let stdout = drain(child.stdout.take().unwrap());
        let stderr = drain(child.stderr.take().unwrap());
        let code = wait(&mut child, program);
        Finished { code, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
    }
}

impl Finished {
    /// Its standard output, if it succeeded.
    pub(crate) fn success(self) -> String {
        assert_eq!(self.code, Some(0), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self.stdout
    }

    /// Its standard error, if it failed.
    pub(crate) fn failure(self) -> String {
        assert!(self.code.is_some_and(|code| code != 0), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self.stderr
    }
}

fn drain(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn wait(child: &mut Child, program: &Path) -> Option<i32> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if started.elapsed() > TIME_OUT {
            let _ = child.kill();
            panic!("{}: not done after {TIME_OUT:?}", program.display());
        }
        thread::sleep(Duration::from_millis(2));
    }
}
