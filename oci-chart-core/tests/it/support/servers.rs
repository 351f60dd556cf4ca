//! Registries that nobody here wrote, each a process of its own on a free port of the loopback interface.

use std::{
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use fs_err::{self as fs, File};

use super::{process::Sandbox, tools};

/// Which registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// docker-registry 2.8 of Debian; no referrers API.
    Docker2,
    /// distribution 3; no referrers API.
    Distribution3,
    /// go-containerregistry's, with the referrers API; knows neither passwords nor TLS.
    Referrers,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Docker2, Self::Distribution3, Self::Referrers];

    fn program(self) -> &'static str {
        match self {
            Self::Docker2 => "docker-registry",
            Self::Distribution3 => "registry3",
            Self::Referrers => "referrers",
        }
    }
}

/// How it is to be guarded.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Guards<'a> {
    /// User and password, asked for with the Basic scheme.
    pub(crate) login: Option<(&'a str, &'a str)>,
    /// TLS under an authority made for this server alone.
    pub(crate) tls: bool,
    /// With TLS: only for clients that show a certificate of the same authority.
    pub(crate) client_certificates: bool,
    /// Tokens of somebody else's service.
    pub(crate) tokens: Option<TokenService<'a>>,
}

/// A token service as the registries trust it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenService<'a> {
    pub(crate) realm: &'a str,
    pub(crate) service: &'a str,
    pub(crate) issuer: &'a str,
    /// The certificate that its tokens are signed with, PEM.
    pub(crate) certificate: &'a Path,
}

/// A running registry, killed when dropped.
pub(crate) struct Server {
    child: Child,
    address: String,
    log: PathBuf,
    sandbox: Sandbox,
}

/// One request, as the server's access log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) status: u16,
}

impl Server {
    /// Starts a registry and waits until it listens; none where a program is missing.
    pub(crate) fn start(test: &str, kind: Kind, guards: Guards<'_>) -> Option<Self> {
        let program = tools::judge(test, kind.program())?;
        let sandbox = Sandbox::new();
        if let Some((user, password)) = guards.login {
            let htpasswd = tools::judge(test, "htpasswd")?;
            let line = sandbox.run(&htpasswd, ["-nbB", user, password]).success();
            fs::write(sandbox.path().join("htpasswd"), line).unwrap();
        }
        if guards.tls {
            make_certificates(&tools::judge(test, "openssl")?, &sandbox);
        }
        // Between the choice of a port and its use another process may take it.
        let mut sandbox = sandbox;
        for _ in 0..5 {
            match Self::launch(&program, kind, guards, sandbox) {
                Ok(server) => return Some(server),
                Err(back) => sandbox = back,
            }
        }
        panic!("{kind:?} did not start: {}", fs::read_to_string(sandbox.path().join("messages")).unwrap());
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The certificate of the authority behind the server's own, in PEM.
    pub(crate) fn authority(&self) -> PathBuf {
        self.sandbox.path().join("ca.pem")
    }

    /// A certificate for a client, and its key, in PEM.
    pub(crate) fn client_certificate(&self) -> (PathBuf, PathBuf) {
        (self.sandbox.path().join("client.pem"), self.sandbox.path().join("client.key"))
    }

    /// All requests so far, oldest first; of the two distributions only, the others log no status.
    pub(crate) fn requests(&self) -> Vec<Request> {
        // A line is written after its answer was sent.
        thread::sleep(Duration::from_millis(50));
        fs::read_to_string(&self.log).unwrap().lines().filter_map(Request::parse).collect()
    }

    /// The protocol of each request so far.
    pub(crate) fn protocols(&self) -> Vec<String> {
        thread::sleep(Duration::from_millis(50));
        let log = fs::read_to_string(&self.log).unwrap();
        let protocol = |line: &str| Some(line.split('"').nth(1)?.rsplit(' ').next()?.to_owned());
        log.lines().filter_map(protocol).collect()
    }

    fn launch(program: &Path, kind: Kind, guards: Guards<'_>, sandbox: Sandbox) -> Result<Self, Sandbox> {
        let log = sandbox.path().join("access");
        let mut command = sandbox.command(program);
        let mut address = String::new();
        if kind != Kind::Referrers {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            address = format!("127.0.0.1:{port}");
            let config = sandbox.path().join("config.yml");
            fs::write(&config, configuration(sandbox.path(), &address, guards)).unwrap();
            command.arg("serve").arg(config);
        }
        command.stdout(File::create(&log).unwrap().into_parts().0);
        command.stderr(File::create(sandbox.path().join("messages")).unwrap().into_parts().0);
        let mut child = command.stdin(Stdio::null()).spawn().unwrap();
        let started = Instant::now();
        loop {
            if kind == Kind::Referrers {
                // It chose its port itself, and says so in one line.
                let said = fs::read_to_string(&log).unwrap();
                address = said.strip_suffix('\n').unwrap_or_default().to_owned();
            }
            if !address.is_empty() && TcpStream::connect(&address).is_ok() {
                return Ok(Self { child, address, log, sandbox });
            }
            if child.try_wait().unwrap().is_some() || started.elapsed() > Duration::from_secs(60) {
                let _ = child.kill();
                let _ = child.wait();
                return Err(sandbox);
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Request {
    /// Reads a line of the common log format: `... "GET /v2/ HTTP/1.1" 200 2 ...`.
    fn parse(line: &str) -> Option<Self> {
        let (_, rest) = line.split_once('"')?;
        let (request, rest) = rest.split_once('"')?;
        let mut words = request.split(' ');
        let method = words.next()?.to_owned();
        let target = words.next()?.to_owned();
        let status = rest.split_whitespace().next()?.parse().ok()?;
        Some(Self { method, target, status })
    }
}

/// What both majors of distribution understand.
fn configuration(directory: &Path, address: &str, guards: Guards<'_>) -> String {
    let directory = directory.display();
    let mut text = format!(
        "version: 0.1\nlog:\n  level: warn\nstorage:\n  filesystem:\n    rootdirectory: {directory}/storage\n  \
         delete:\n    enabled: true\nhttp:\n  addr: {address}\n"
    );
    if guards.tls {
        text.push_str(&format!(
            "  tls:\n    certificate: {directory}/server.pem\n    key: {directory}/server.key\n"
        ));
        if guards.client_certificates {
            text.push_str(&format!("    clientcas:\n      - {directory}/ca.pem\n"));
        }
    }
    if let Some(TokenService { realm, service, issuer, certificate }) = guards.tokens {
        let certificate = certificate.display();
        text.push_str(&format!(
            "auth:\n  token:\n    realm: {realm}\n    service: {service}\n    issuer: {issuer}\n    \
             rootcertbundle: {certificate}\n"
        ));
    }
    if guards.login.is_some() {
        text.push_str(&format!("auth:\n  htpasswd:\n    realm: judges\n    path: {directory}/htpasswd\n"));
    }
    text
}

/// An authority, a certificate of its for the loopback address, and one for a client.
fn make_certificates(openssl: &Path, sandbox: &Sandbox) {
    let directory = sandbox.path();
    // The system's own configuration would add extensions.
    let config = directory.join("openssl.cnf");
    fs::write(&config, "[req]\ndistinguished_name = name\n[name]\n").unwrap();
    let common =
        ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    let request = |arguments: &[&str]| {
        let config = ["-config", config.to_str().unwrap()];
        let all = common.iter().chain(&config).chain(arguments);
        sandbox.run(openssl, all).success();
    };
    request(&[
        "-subj",
        "/CN=Judges' authority",
        "-addext",
        "basicConstraints=critical,CA:TRUE",
        "-addext",
        "keyUsage=critical,keyCertSign",
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
    ]);
    let signed = ["-addext", "basicConstraints=critical,CA:FALSE", "-CA", "ca.pem", "-CAkey", "ca.key"];
    for (subject, name, key, certificate) in [
        ("/CN=localhost", "subjectAltName=IP:127.0.0.1,DNS:localhost", "server.key", "server.pem"),
        ("/CN=client", "subjectAltName=DNS:client.example", "client.key", "client.pem"),
    ] {
        let own = ["-subj", subject, "-addext", name, "-keyout", key, "-out", certificate];
        request(&[&signed[..], &own].concat());
    }
}
