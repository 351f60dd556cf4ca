//! What each operation costs on registries that nobody here wrote, by their own access logs: both majors of distribution, for every way to
//! show who one is.

use std::time::{Duration, Instant};

use oci_chart_core::{
    Chart, ChartArtifact, Client, Location,
    auth::{Credentials, StaticCredentials},
    blocking,
    chart::{LoadOptions, PackageOptions},
    name::{Host, Selector},
    oci::ArtifactOptions,
    store::{Cache, TagMode},
    transfer::{Action, PullOptions, PushOptions},
};
use oci_chart_testkit::{Registry, Relay};

use crate::{
    judge_tokens::Pair,
    support::{
        say,
        servers::{Guards, Kind, Server},
    },
};

const LOGINS: [&str; 5] =
    ["no login", "basic", "a password for tokens", "an identity token", "tokens for nobody"];

/// How long a line of an access log is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// A registry behind a relay that counts connections, and its token service.
struct Stage {
    server: Server,
    tokens: Option<Registry>,
    relay: Relay,
    login: &'static str,
    /// What was counted before.
    seen: [usize; 3],
}

impl Stage {
    fn set(test: &str, kind: Kind, login: &'static str) -> Option<Self> {
        let (server, tokens) = match login {
            "no login" => (Server::start(test, kind, Guards::default())?, None),
            "basic" => {
                let guards = Guards { login: Some(("robot$p+n", "hunter2")), ..Guards::default() };
                (Server::start(test, kind, guards)?, None)
            }
            _ => {
                let (server, tokens) = Pair::start(test, kind, |bearer| {
                    let bearer = bearer.identity("long-lived");
                    if login == "tokens for nobody" { bearer.permit(|_| true) } else { bearer }
                })?
                .apart();
                (server, Some(tokens))
            }
        };
        let relay = Relay::start(server.address()).unwrap();
        Some(Self { server, tokens, relay, login, seen: [0; 3] })
    }

    /// A client of its own for each step, as each step of a pipeline has one.
    fn client(&self, cache: Option<&Cache>) -> blocking::Client {
        let credentials = match self.login {
            "no login" | "tokens for nobody" => Credentials::ANONYMOUS,
            "an identity token" => Credentials::identity("long-lived"),
            _ => Credentials::basic("robot$p+n", "hunter2"),
        };
        let host = Host::parse(self.relay.host()).unwrap();
        let source = StaticCredentials::default().with(host.clone(), credentials);
        let builder = Client::builder().plain_http(host).credentials(source);
        let builder = if let Some(cache) = cache { builder.cache(cache.clone()) } else { builder };
        blocking::Client::new(builder.build().unwrap())
    }

    fn location(&self) -> Location {
        format!("oci://{}/charts/web", self.relay.host()).parse().unwrap()
    }

    /// That a step took so many requests beside those for the login, and no more than two connections.
    fn took(&mut self, requests: usize, step: &str) {
        let extra = match self.login {
            "no login" => [0, 0],
            _ if requests == 0 => [0, 0],
            "basic" => [1, 0],
            _ => [1, 1],
        };
        let expected = [requests + extra[0], extra[1]];
        let began = Instant::now();
        // A registry writes its log when it has the time.
        let (now, new) = loop {
            let now = self.count();
            let new = [now[0] - self.seen[0], now[1] - self.seen[1], now[2] - self.seen[2]];
            if new[..2] == expected || began.elapsed() > PATIENCE {
                break (now, new);
            }
        };
        let lines = &self.server.requests()[self.seen[0]..];
        assert_eq!(new[..2], expected, "{}, {step}: {lines:#?}", self.login);
        assert!(new[2] <= 2, "{}, {step}: {} connections", self.login, new[2]);
        self.seen = now;
    }

    /// Requests to the registry, to the token service, and connections so far.
    fn count(&self) -> [usize; 3] {
        let tokens = self.tokens.as_ref().map_or(0, |tokens| tokens.tokens().requests().len());
        let connections = usize::try_from(self.relay.counts().connections).unwrap();
        [self.server.requests().len(), tokens, connections]
    }
}

fn artifact(version: &str, provenance: bool) -> ChartArtifact {
    let directory = tempfile::tempdir().unwrap();
    let metadata = format!("apiVersion: v2\nname: web\nversion: {version}\n");
    fs_err::write(directory.path().join("Chart.yaml"), metadata).unwrap();
    let chart = Chart::from_dir(directory.path(), &LoadOptions::default()).unwrap();
    let package = chart.package(&PackageOptions::default()).unwrap();
    let package = if provenance { package.with_provenance("a signature") } else { package };
    ChartArtifact::new(package, &ArtifactOptions::default()).unwrap()
}

#[test]
fn every_operation_costs_what_is_promised_on_real_registries() {
    const TEST: &str = "every_operation_costs_what_is_promised_on_real_registries";
    for kind in [Kind::Docker2, Kind::Distribution3] {
        for login in LOGINS {
            let Some(mut stage) = Stage::set(TEST, kind, login) else { return };
            every_operation(&mut stage);
            say(&format!("{TEST}: {kind:?}, {login}"));
        }
    }
}

fn every_operation(stage: &mut Stage) {
    let at = stage.location();
    let push = |stage: &Stage, version: &str, provenance: bool, mode: TagMode| {
        let options = PushOptions::default().with_mode(mode);
        let pushed = stage.client(None).push(&artifact(version, provenance), &at, &options, &mut ());
        pushed.unwrap_or_else(|error| panic!("{}, {version}: {error:?}", stage.login))
    };
    let plain = PullOptions::without_verification();
    let version = |text: &str| Selector::Tag(text.parse().unwrap());
    stage.took(0, "nothing yet");

    let pushed = push(stage, "1.0.0", false, TagMode::Ensure);
    stage.took(6, "push into a fresh repository");
    assert_eq!(push(stage, "1.0.0", false, TagMode::Ensure).action, Action::Unchanged);
    stage.took(1, "the same push again");
    push(stage, "1.1.0", false, TagMode::Replace);
    stage.took(5, "push without a look");
    let pulled = stage.client(None).pull(&at, &version("1.0.0"), &plain, &mut ()).unwrap();
    stage.took(2, "pull by tag");
    assert_eq!(pulled.package.digest(), artifact("1.0.0", false).package().digest());
    let found = stage.client(None).resolve(&at, &version("1.0.0"), &mut ()).unwrap();
    assert_eq!(found.digest, pushed.descriptor.digest);
    stage.took(1, "tag to digest");
    let digest = Selector::Digest(found.digest);
    stage.client(None).pull(&at, &digest, &plain, &mut ()).unwrap();
    stage.took(2, "pull by digest");
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::new(directory.path());
    stage.client(Some(&cache)).pull(&at, &digest, &plain, &mut ()).unwrap();
    stage.took(2, "pull by digest into a cache");
    stage.client(Some(&cache)).pull(&at, &digest, &plain, &mut ()).unwrap();
    stage.took(0, "pull by digest, all cached");
    assert_eq!(stage.client(None).tags(&at, &mut ()).unwrap().len(), 2);
    stage.took(1, "list tags");
    let range = Selector::for_version("^1.0").unwrap();
    stage.client(None).pull(&at, &range, &plain, &mut ()).unwrap();
    stage.took(1 + 2, "version range to pull");
    push(stage, "2.0.0", true, TagMode::Ensure);
    stage.took(8, "push with provenance");
    let signed = plain.with_provenance(true);
    let pulled = stage.client(None).pull(&at, &version("2.0.0"), &signed, &mut ()).unwrap();
    assert_eq!(pulled.package.provenance().map(|bytes| &bytes[..]), Some(&b"a signature"[..]));
    stage.took(3, "pull with provenance");
}
