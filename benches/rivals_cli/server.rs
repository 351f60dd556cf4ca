use std::{
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use oci_chart_benches::Outcome;

/// distribution 3, ended with this value.
pub(crate) struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Starts it, and waits until it listens.
    pub(crate) fn start(program: PathBuf, place: &Path) -> Outcome<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        let config = place.join("registry.yml");
        let root = place.join("storage");
        let text = format!(
            "version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n",
            root.display()
        );
        fs_err::write(&config, text)?;
        let mut command = Command::new(program);
        command.arg("serve").arg(config).env("OTEL_TRACES_EXPORTER", "none");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let server = Self { child, address };
        let began = Instant::now();
        while TcpStream::connect(&server.address).is_err() {
            if began.elapsed() > Duration::from_secs(30) {
                return Err("the registry does not listen".into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
