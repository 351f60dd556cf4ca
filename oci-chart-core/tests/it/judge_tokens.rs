//! Tokens on registries that nobody here wrote: both majors of distribution, which check every signature and every claim.

use std::path::PathBuf;

use oci_chart_core::{
    Chart, ChartArtifact, Client, ErrorKind, Location, Reason,
    auth::{CredentialSource, Credentials, StaticCredentials},
    blocking,
    chart::{LoadOptions, PackageOptions},
    name::{Host, Selector},
    oci::ArtifactOptions,
    transfer::PushOptions,
};
use oci_chart_testkit::{Bearer, Registry, Signer};

use crate::support::{
    process::Sandbox,
    say,
    servers::{Guards, Kind, Server, TokenService},
    tools,
};

/// A registry, and the token service that it trusts.
pub(crate) struct Pair {
    server: Server,
    tokens: Registry,
    _sandbox: Sandbox,
}

impl Pair {
    pub(crate) fn start(test: &str, kind: Kind, build: impl FnOnce(Bearer) -> Bearer) -> Option<Self> {
        let openssl = tools::judge(test, "openssl")?;
        let sandbox = Sandbox::new();
        fs_err::write(sandbox.path().join("openssl.cnf"), "[req]\ndistinguished_name = name\n[name]\n")
            .unwrap();
        let arguments = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -config openssl.cnf \
                         -subj /CN=tokens -keyout key.pem -out certificate.pem";
        sandbox.run(&openssl, arguments.split_whitespace()).success();
        let read = |name: &str| fs_err::read_to_string(sandbox.path().join(name)).unwrap();
        let signer = Signer::new(&read("key.pem"), &read("certificate.pem"), "judges' issuer").unwrap();
        let bearer = build(Bearer::new("robot$p+n", "hunter2")).service("judges").signed(signer);
        let tokens = Registry::builder().bearer_auth(bearer).start_blocking().unwrap();
        let certificate: PathBuf = sandbox.path().join("certificate.pem");
        let realm = format!("{}/token", tokens.url());
        let trusted = TokenService {
            realm: &realm,
            service: "judges",
            issuer: "judges' issuer",
            certificate: &certificate,
        };
        let guards = Guards { tokens: Some(trusted), ..Guards::default() };
        let server = Server::start(test, kind, guards)?;
        Some(Self { server, tokens, _sandbox: sandbox })
    }

    /// Both, each by itself.
    pub(crate) fn apart(self) -> (Server, Registry) {
        (self.server, self.tokens)
    }

    fn host(&self) -> Host {
        Host::parse(self.server.address()).unwrap()
    }

    fn client(&self, source: impl CredentialSource + 'static) -> blocking::Client {
        let client = Client::builder().plain_http(self.host()).credentials(source).build().unwrap();
        blocking::Client::new(client)
    }

    fn with(&self, credentials: Credentials) -> blocking::Client {
        self.client(StaticCredentials::default().with(self.host(), credentials))
    }

    fn location(&self) -> Location {
        format!("oci://{}/charts/web", self.server.address()).parse().unwrap()
    }
}

fn artifact() -> ChartArtifact {
    let directory = tempfile::tempdir().unwrap();
    fs_err::write(directory.path().join("Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.2.3\n")
        .unwrap();
    let chart = Chart::from_dir(directory.path(), &LoadOptions::default()).unwrap();
    ChartArtifact::new(chart.package(&PackageOptions::default()).unwrap(), &ArtifactOptions::default())
        .unwrap()
}

#[test]
fn real_registries_refuse_as_we_expect() {
    const TEST: &str = "real_registries_refuse_as_we_expect";
    for kind in [Kind::Docker2, Kind::Distribution3] {
        let Some(pair) = Pair::start(TEST, kind, |bearer| bearer.anonymous_pull(true)) else { return };
        let (artifact, version) = (artifact(), Selector::Tag("1.2.3".parse().unwrap()));
        pair.with(Credentials::basic("robot$p+n", "hunter2"))
            .push(&artifact, &pair.location(), &PushOptions::default(), &mut ())
            .unwrap();
        // Everybody reads, and nobody without a name writes.
        let stranger = pair.client(StaticCredentials::default());
        stranger.resolve(&pair.location(), &version, &mut ()).unwrap();
        let error = stranger.delete(&pair.location(), &version, &mut ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{kind:?}: {error:?}");
        // A wrong password is refused by the token service.
        let wrong = Credentials::basic("robot$p+n", "wrong").with_origin("a file");
        let error = pair.with(wrong).resolve(&pair.location(), &version, &mut ()).unwrap_err();
        assert_eq!(
            (error.kind(), error.reason()),
            (ErrorKind::Unauthenticated, Some(Reason::StaleCredential))
        );
        // A token that nobody signed is refused by the registry, and said so.
        let forged = Credentials::bearer("eyJhbGciOiJub25lIn0.eyJhY2Nlc3MiOltdfQ.");
        let error = pair.with(forged).resolve(&pair.location(), &version, &mut ()).unwrap_err();
        assert_eq!(
            (error.kind(), error.reason()),
            (ErrorKind::Unauthenticated, Some(Reason::CredentialsRefused))
        );
        say(&format!("{TEST}: {kind:?}"));
    }
}

#[test]
fn a_login_is_verified_by_a_real_registry_with_tokens() {
    const TEST: &str = "a_login_is_verified_by_a_real_registry_with_tokens";
    let Some(pair) = Pair::start(TEST, Kind::Distribution3, |bearer| bearer) else { return };
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config.json");
    let options = oci_chart_core::auth::LoginOptions::default()
        .with_place(oci_chart_core::auth::LoginPlace::File(path.clone()));
    let client = pair.client(StaticCredentials::default());
    let login = |password: &str| {
        client.login(&pair.host(), &Credentials::basic("robot$p+n", password), &options, &mut ())
    };
    assert_eq!(login("wrong").unwrap_err().reason(), Some(Reason::CredentialsRefused));
    assert!(!path.exists());
    assert!(login("hunter2").unwrap().verified && path.exists());
}
