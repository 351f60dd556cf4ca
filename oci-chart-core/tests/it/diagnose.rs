//! What a diagnosis finds on registries that fail in every way, and that it leaves no trace there.

use std::{
    net::TcpListener,
    sync::Arc,
    time::{Duration, SystemTime},
};

use oci_chart_core::{
    CancelToken, Client, ClientBuilder, Context, Error, ErrorKind, Location, Reason,
    auth::{CredentialSource, Credentials, StaticCredentials},
    blocking,
    diagnose::{Check, Diagnosis, Status},
    name::Host,
    oci::MediaType,
    store::{ConnectionOptions, ProxyOptions},
};
use oci_chart_testkit::{Access, Bearer, Builder, Fault, Profile, Registry, Rule, Signer, Tls};

use crate::remote::{block, host, login};

const NAME: &str = "charts/web";
const MANIFEST: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[]}"#;

fn start(build: impl Fn(Builder) -> Builder) -> Registry {
    let registry = build(Registry::builder()).start_blocking().unwrap();
    registry.put_manifest(NAME, "1.0.0", MediaType::OCI_MANIFEST.as_str(), MANIFEST).unwrap();
    registry
}

/// Tokens that say what they allow, or opaque ones.
fn tokens(readable: bool) -> Bearer {
    let bearer = Bearer::new("robot", "hunter2");
    if readable { bearer.signed(Signer::new(Tls::KEY, Tls::CERTIFICATE, "testkit").unwrap()) } else { bearer }
}

/// A diagnosis of a repository of `registry`, after which nothing is there that was not there before.
fn diagnose(registry: &Registry, name: &str, credentials: impl CredentialSource + 'static) -> Diagnosis {
    let builder = Client::builder().credentials(credentials);
    let builder = if registry.url().starts_with("http:") {
        builder.plain_http(host(registry))
    } else {
        builder.root_certificate(Tls::AUTHORITY)
    };
    diagnose_with(builder, registry, name)
}

fn diagnose_with(builder: ClientBuilder, registry: &Registry, name: &str) -> Diagnosis {
    let before = (registry.repositories(), registry.tags(name), registry.blobs(name));
    let client = builder.build().unwrap();
    let location: Location = format!("oci://{}/{name}", registry.host()).parse().unwrap();
    let found = block(client.diagnose(&Context::default(), &location)).unwrap();
    for exchange in registry.log().entries() {
        let only_looks = ["GET", "HEAD"].contains(&exchange.method.as_str());
        assert!(only_looks, "{}\n{found:#}", exchange.line());
    }
    assert_eq!(before, (registry.repositories(), registry.tags(name), registry.blobs(name)));
    assert_eq!((registry.open_uploads(), &found.location), (0, &location.to_string()));
    found
}

/// The checks that came out as each of the states, in order.
fn by_status(found: &Diagnosis) -> [Vec<Check>; 4] {
    [Status::Ok, Status::Failed, Status::Unknown, Status::Skipped].map(|status| {
        found
            .findings
            .iter()
            .filter(|finding| finding.status == status)
            .map(|finding| finding.check)
            .collect()
    })
}

#[track_caller]
fn assert_failed(found: &Diagnosis, check: Check, reason: Reason) {
    let finding = found.get(check).unwrap();
    assert_eq!((finding.status, finding.reason), (Status::Failed, Some(reason)), "{found:#}");
    assert!(finding.hint.is_some() && !found.is_ok(), "{found:#}");
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

fn fact<'a>(found: &'a Diagnosis, check: Check, name: &str) -> &'a str {
    found.get(check).and_then(|finding| finding.facts.get(name)).map_or("", String::as_str)
}

#[test]
fn a_good_registry() {
    use Check::{
        Api, Challenge, Clock, Connection, Credentials, Features, Login, Name, Proxy, Pull, Push, RateLimit,
    };
    let found = diagnose(&start(|builder| builder), NAME, StaticCredentials::default());
    let [ok, failed, unknown, skipped] = by_status(&found);
    assert_eq!(failed, [], "{found:#}");
    assert_eq!(ok, [Proxy, Name, Connection, Api, Clock, Challenge, Pull, Features], "{found:#}");
    assert_eq!(unknown, [Push, RateLimit]);
    assert_eq!(skipped, [Check::Tls, Credentials, Login]);
    for (feature, support) in [("referrers", "yes"), ("catalog", "yes"), ("mounts", "unknown")] {
        assert_eq!(fact(&found, Features, feature), support, "{found:#}");
    }
}

#[test]
fn a_registry_with_tls_and_tokens() {
    let registry = start(|builder| builder.tls(Tls::built_in()).bearer_auth(tokens(true)));
    let found = diagnose(&registry, NAME, login(&registry));
    assert_eq!(by_status(&found)[1], [], "{found:#}");
    for check in [Check::Tls, Check::Challenge, Check::Credentials, Check::Login, Check::Pull, Check::Push] {
        assert_eq!(found.status(check), Status::Ok, "{found:#}");
    }
    assert!(fact(&found, Check::Tls, "names").contains("127.0.0.1"), "{found:#}");
    assert!(fact(&found, Check::Tls, "valid until").parse::<u64>().unwrap() > 1_700_000_000, "{found:#}");
    assert_eq!(fact(&found, Check::Credentials, "user"), "robot");
    assert_eq!(fact(&found, Check::Challenge, "scheme"), "bearer");
    assert!(!format!("{found:#} {found:?} {}", serde_json::to_string(&found).unwrap()).contains("hunter2"));
}

#[test]
fn nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for text in [port.to_string(), "no-such-host.invalid".into()] {
        let location: Location = format!("oci://{text}/{NAME}").parse().unwrap();
        let found = {
            let direct = ConnectionOptions::default().with_proxy(ProxyOptions::direct());
            let client = Client::builder().connection(direct).build().unwrap();
            block(client.diagnose(&Context::default(), &location)).unwrap()
        };
        if text.contains("invalid") {
            assert_failed(&found, Check::Name, Reason::NameUnknown);
        } else {
            assert_failed(&found, Check::Connection, Reason::ConnectionRefused);
        }
        assert_eq!(found.status(Check::Api), Status::Skipped);
        assert_eq!(found.findings.len(), 13, "every check is told of: {found:#}");
    }
}

#[test]
fn plain_http_and_tls_mixed_up() {
    let plain = start(|builder| builder);
    let found = diagnose_with(Client::builder(), &plain, NAME);
    assert_failed(&found, Check::Tls, Reason::PlainHttpOnHttps);
    let secure = start(|builder| builder.tls(Tls::built_in()));
    let found = diagnose_with(Client::builder().plain_http(host(&secure)), &secure, NAME);
    assert_failed(&found, Check::Tls, Reason::HttpsOnPlainHttp);
}

#[test]
fn certificates_that_are_not_believed_are_shown() {
    let registry = start(|builder| builder.tls(Tls::built_in()));
    let found = diagnose_with(Client::builder(), &registry, NAME);
    assert_failed(&found, Check::Tls, Reason::UnknownAuthority);
    assert!(fact(&found, Check::Tls, "names").contains("localhost"), "{found:#}");
    assert!(!fact(&found, Check::Tls, "issuer").is_empty(), "{found:#}");
    for (pem, reason) in [
        (include_str!("transport/certificates/expired.pem"), Reason::CertificateExpired),
        (include_str!("transport/certificates/other-name.pem"), Reason::CertificateName),
    ] {
        let registry =
            start(|builder| builder.tls(Tls::new(pem, include_str!("transport/certificates/key.pem"))));
        let trusted =
            Client::builder().root_certificate(include_str!("transport/certificates/authority.pem"));
        let found = diagnose_with(trusted, &registry, NAME);
        assert_failed(&found, Check::Tls, reason);
        // What was shown is told whatever is wrong with it, and nothing was asked over such a connection.
        let expired = fact(&found, Check::Tls, "valid until").parse::<u64>().unwrap() < now();
        let named = fact(&found, Check::Tls, "names").contains("127.0.0.1");
        assert_eq!(
            (expired, named),
            (reason == Reason::CertificateExpired, reason != Reason::CertificateName)
        );
        assert_eq!((found.status(Check::Api), registry.log().entries().len()), (Status::Skipped, 0));
    }
}

#[test]
fn a_certificate_that_is_not_checked_is_told_and_still_shown() {
    let registry = start(|builder| builder.tls(Tls::built_in()));
    let options = ConnectionOptions::default().with_unchecked_certificate(host(&registry));
    let found = diagnose_with(Client::builder().connection(options), &registry, NAME);
    let finding = found.get(Check::Tls).unwrap();
    assert_eq!(finding.status, Status::Ok, "{found:#}");
    assert!(finding.summary.contains("not checked") && finding.hint.is_some(), "{found:#}");
    assert!(!fact(&found, Check::Tls, "issuer").is_empty(), "{found:#}");
}

#[test]
fn a_login_that_has_ended_is_found_before_it_is_shown() {
    // {"exp":784111777}, a Sunday in 1994.
    let old_token = "eyJhbGciOiJub25lIn0.eyJleHAiOjc4NDExMTc3N30.x";
    let ends = |login: Credentials, seconds: u64| {
        login.with_expiry(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).with_origin("the vault")
    };
    let basic = || Credentials::basic("robot", "hunter2");
    for (login, status) in [
        (ends(basic(), now() - 60), Status::Failed),
        (ends(basic(), now() + 3600), Status::Ok),
        (Credentials::bearer(old_token).with_origin("the vault"), Status::Failed),
    ] {
        let registry = start(|builder| builder.basic_auth("robot", "hunter2"));
        let end = login.expiry().unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let found = diagnose(&registry, NAME, StaticCredentials::default().with(host(&registry), login));
        assert_eq!(found.status(Check::Credentials), status, "{found:#}");
        assert_eq!(fact(&found, Check::Credentials, "ends"), end.to_string());
        assert_eq!(fact(&found, Check::Credentials, "from"), "the vault");
        let shown = registry.log().count(|exchange| exchange.authorization.is_some());
        if status == Status::Ok {
            assert!(found.status(Check::Login) == Status::Ok && shown > 0, "{found:#}");
        } else {
            assert_failed(&found, Check::Credentials, Reason::CredentialsRefused);
            assert_eq!((found.status(Check::Login), shown), (Status::Skipped, 0), "{found:#}");
        }
    }
}

#[test]
fn logins_that_are_not_accepted() {
    for build in
        [(|builder: Builder| builder.basic_auth("robot", "other")) as fn(Builder) -> Builder, |builder| {
            builder.bearer_auth(Bearer::new("robot", "other"))
        }]
    {
        let registry = start(build);
        let found = diagnose(&registry, NAME, login(&registry));
        assert_eq!(found.status(Check::Login), Status::Failed, "{found:#}");
        let reason = found.get(Check::Login).unwrap().reason;
        assert!(matches!(reason, Some(Reason::CredentialsRefused)), "{found:#}");
        assert_eq!(found.status(Check::Pull), Status::Skipped);

        let registry = start(build);
        let found = diagnose(&registry, NAME, StaticCredentials::default());
        assert_eq!(found.status(Check::Login), Status::Skipped, "{found:#}");
        assert_failed(&found, Check::Pull, Reason::NoCredentials);
    }
    let registry = start(|builder| builder.basic_auth("robot", "hunter2"));
    let found = diagnose(&registry, NAME, |_: &Host| {
        Err::<Option<Credentials>, _>(
            Error::new(ErrorKind::Io, "the vault is closed").with_reason(Reason::NoCredentials),
        )
    });
    let finding = found.get(Check::Credentials).unwrap();
    assert_eq!((finding.status, finding.summary.as_str()), (Status::Failed, "the vault is closed"));
}

#[test]
fn a_wrong_password_that_is_taken_for_nobody_is_found_out() {
    // Harbor gives a token for it, which even opens the front door.
    let registry = start(|builder| builder.profile(Profile::Harbor));
    let user = Profile::Harbor.login().unwrap().0;
    for (password, status) in [("hunter2", Status::Ok), ("wrong", Status::Failed)] {
        let source = StaticCredentials::default().with(host(&registry), Credentials::basic(user, password));
        let found = diagnose(&registry, NAME, source);
        assert_eq!(found.status(Check::Login), status, "{found:#}");
        assert_eq!(fact(&found, Check::Features, "harbor"), if password == "wrong" { "" } else { "yes" });
        let reason = found.get(Check::Login).unwrap().reason;
        assert_eq!(reason, (password == "wrong").then_some(Reason::CredentialsRefused), "{found:#}");
    }
}

#[test]
fn rights_that_are_missing() {
    let may = |actions: &'static [&'static str], readable: bool| {
        let registry = start(|builder| {
            let bearer = tokens(readable);
            let permit = move |access: &Access<'_>| access.user.is_some() && actions.contains(&access.action);
            builder.bearer_auth(bearer.permit(permit))
        });
        let found = diagnose(&registry, NAME, login(&registry));
        assert_eq!(found.status(Check::Login), Status::Ok, "{found:#}");
        (found.status(Check::Pull), found.status(Check::Push))
    };
    assert_eq!(may(&["pull", "push"], true), (Status::Ok, Status::Ok));
    assert_eq!(may(&["pull"], true), (Status::Ok, Status::Failed));
    assert_eq!(may(&[], true), (Status::Failed, Status::Failed));
    // A token that cannot be read tells nothing.
    assert_eq!(may(&["pull"], false), (Status::Ok, Status::Unknown));
    assert_eq!(may(&[], false).0, Status::Failed);
}

#[test]
fn a_project_that_is_not_there() {
    let registry = start(|builder| builder.only_repositories(&[NAME]));
    let found = diagnose(&registry, "other/app", StaticCredentials::default());
    let finding = found.get(Check::Pull).unwrap();
    assert_eq!(
        (finding.status, finding.reason),
        (Status::Unknown, Some(Reason::RepositoryMissing)),
        "{found:#}"
    );
    assert!(finding.hint.is_some() && found.is_ok());
    assert!(!registry.repositories().contains(&"other/app".to_owned()));
}

#[test]
fn something_else_than_a_registry() {
    for (fault, status) in [
        (Fault::Status { code: 404, headers: vec![], body: "<html>".into() }, Status::Failed),
        (Fault::error(503, "UNAVAILABLE"), Status::Failed),
        (
            Fault::Status {
                code: 302,
                headers: vec![("location".into(), "https://sso.example/?t=canary".into())],
                body: "".into(),
            },
            Status::Failed,
        ),
        (Fault::Drop, Status::Failed),
        (Fault::Status { code: 401, headers: vec![], body: "{}".into() }, Status::Ok),
    ] {
        let registry = start(|builder| builder);
        registry.script().add(Rule::new("GET", "/v2/", fault.clone()).always());
        let found = diagnose(&registry, NAME, StaticCredentials::default());
        assert_eq!(found.status(Check::Api), status, "{fault:?} {found:#}");
        let asked = registry.log().count(|exchange| exchange.target == "/v2/");
        assert_eq!(asked, 1, "nothing is tried again: {fault:?}");
        // Who is only busy is at the right address.
        let address =
            found.get(Check::Api).unwrap().hint.as_ref().is_some_and(|hint| hint.contains("host and port"));
        assert_eq!(address, matches!(fault, Fault::Status { code: 302 | 404, .. }), "{fault:?} {found:#}");
        assert!(!format!("{found:#}").contains("canary"), "{found:#}");
        if status == Status::Ok {
            assert_failed(&found, Check::Challenge, Reason::BadChallenge);
        }
    }
}

#[test]
fn clocks_and_limits() {
    let registry = start(|builder| builder.latency(Duration::ZERO));
    let headers = vec![
        ("date".to_owned(), "Sun, 06 Nov 1994 08:49:37 GMT".to_owned()),
        ("ratelimit-limit".to_owned(), "100;w=21600".to_owned()),
        ("ratelimit-remaining".to_owned(), "76;w=21600".to_owned()),
    ];
    registry
        .script()
        .add(Rule::new("GET", "/v2/", Fault::Status { code: 200, headers, body: "{}".into() }).always());
    let found = diagnose(&registry, NAME, StaticCredentials::default());
    assert_eq!(found.status(Check::Clock), Status::Failed, "{found:#}");
    assert!(found.get(Check::Clock).unwrap().summary.contains("ahead of"), "{found:#}");
    assert_eq!(found.status(Check::RateLimit), Status::Ok, "{found:#}");
    assert_eq!(fact(&found, Check::RateLimit, "remaining"), "76");
    assert_eq!(fact(&found, Check::RateLimit, "window seconds"), "21600");

    let registry = start(|builder| builder);
    let tomorrow = ("date".to_owned(), "Sun, 06 Nov 2094 08:49:37 GMT".to_owned());
    // The last request for now; a later answer that counts others does not make it undone.
    let last = ("ratelimit-remaining".to_owned(), "0;w=21600".to_owned());
    let answer = Fault::Status { code: 200, headers: vec![tomorrow, last], body: "{}".into() };
    registry.script().add(Rule::new("GET", "/v2/", answer).always());
    let more = Fault::SetHeader("ratelimit-remaining".into(), "5;w=60".into());
    registry.script().add(Rule::new("GET", "*/tags/list*", more).always());
    let found = diagnose(&registry, NAME, StaticCredentials::default());
    assert!(found.get(Check::Clock).unwrap().summary.contains("behind"), "{found:#}");
    assert_eq!(found.status(Check::RateLimit), Status::Failed, "{found:#}");
    assert_eq!(fact(&found, Check::RateLimit, "remaining"), "0");

    let registry = start(|builder| builder);
    registry.script().add(Rule::new("GET", "*/tags/list*", Fault::too_many_requests("7")).always());
    let found = diagnose(&registry, NAME, StaticCredentials::default());
    assert_eq!(found.status(Check::Pull), Status::Unknown, "{found:#}");
    assert_eq!(found.status(Check::RateLimit), Status::Failed, "{found:#}");
    assert_eq!(fact(&found, Check::RateLimit, "retry after"), "7");
}

#[test]
fn the_readme_shows_what_comes_out() {
    // Who may read and not write, by a token that says so.
    let permit = |access: &Access<'_>| access.user.is_some() && access.action == "pull";
    let registry = start(|builder| {
        builder.tls(Tls::built_in()).bearer_auth(tokens(true).path("/service/token").permit(permit))
    });
    let shown = diagnose(&registry, NAME, login(&registry)).to_string();
    // Ports, times and the certificate's days differ from run to run.
    let numberless = |text: &str| {
        let mut out = String::new();
        for letter in text.chars() {
            match letter {
                '0'..='9' if out.ends_with('#') => {}
                '0'..='9' => out.push('#'),
                _ => out.push(letter),
            }
        }
        out
    };
    let readme = fs_err::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    assert!(numberless(&readme).contains(&numberless(&shown)), "README.md does not have:\n{shown}");
}

#[test]
fn old_registries_lack_things() {
    let registry = start(|builder| builder.referrers_api(false));
    let found = diagnose(&registry, NAME, StaticCredentials::default());
    assert_eq!(fact(&found, Check::Features, "referrers"), "no", "{found:#}");
    // A HEAD is of no use where it is refused, or tells no digest.
    for (head, digests, expected) in [(true, true, "yes"), (false, true, "no"), (true, false, "no")] {
        let registry = start(|builder| builder.head(head).digest_header(digests));
        let found = diagnose(&registry, NAME, StaticCredentials::default());
        assert_eq!(fact(&found, Check::Features, "head"), expected, "{head} {digests}: {found:#}");
    }
}

#[test]
fn behind_a_proxy_name_and_connection_are_its_part() {
    let registry = start(|builder| builder);
    let proxy = ProxyOptions::through(registry.url().parse().unwrap());
    let options = ConnectionOptions::default()
        .with_proxy(proxy)
        .with_plain_http(Host::parse("registry.invalid").unwrap());
    let client = Client::builder().connection(options).build().unwrap();
    let location: Location = format!("oci://registry.invalid/{NAME}").parse().unwrap();
    let found = block(client.diagnose(&Context::default(), &location)).unwrap();
    assert_eq!(found.status(Check::Proxy), Status::Ok, "{found:#}");
    assert!(fact(&found, Check::Proxy, "proxy").contains(registry.host()), "{found:#}");
    for check in [Check::Name, Check::Connection] {
        assert_eq!(found.status(check), Status::Skipped, "{found:#}");
    }
    assert_eq!((found.status(Check::Api), found.status(Check::Pull)), (Status::Ok, Status::Ok), "{found:#}");
}

#[test]
fn layouts() {
    let directory = tempfile::tempdir().unwrap();
    let look = |path: &std::path::Path| {
        let client = blocking::Client::new(Client::builder().build().unwrap());
        client.diagnose(&format!("oci-layout:{}", path.display()).parse().unwrap(), &mut ()).unwrap()
    };
    let empty = look(directory.path());
    assert_eq!((empty.status(Check::Layout), empty.status(Check::Pull)), (Status::Failed, Status::Failed));
    assert_eq!(fs_err::read_dir(directory.path()).unwrap().count(), 0);
    fs_err::write(directory.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    fs_err::write(directory.path().join("index.json"), r#"{"schemaVersion":2,"manifests":[]}"#).unwrap();
    let found = look(directory.path());
    assert_eq!(
        (found.status(Check::Layout), found.status(Check::Pull)),
        (Status::Ok, Status::Ok),
        "{found:#}"
    );
    assert_eq!(found.status(Check::Push), Status::Unknown);
    fs_err::write(directory.path().join("index.json"), "no json").unwrap();
    assert_eq!(look(directory.path()).status(Check::Pull), Status::Failed);
    assert_eq!(look(&directory.path().join("index.json")).status(Check::Layout), Status::Failed);
}

#[test]
fn a_diagnosis_can_be_stopped() {
    let registry = Arc::new(start(|builder| builder.latency(Duration::from_secs(30))));
    let cancel = CancelToken::new();
    let cx = Context::default().with_cancel(cancel.clone());
    let stop = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        cancel.cancel();
    });
    let client = Client::builder().plain_http(host(&registry)).build().unwrap();
    let location: Location = format!("oci://{}/{NAME}", registry.host()).parse().unwrap();
    let error = block(client.diagnose(&cx, &location)).unwrap_err();
    stop.join().unwrap();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}
