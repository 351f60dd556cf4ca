//! Logging in and out: asked first, kept in one step, found by everybody, and gone again.

use std::{sync::Arc, thread};

use oci_chart_core::{
    Client, Context, ErrorKind, Reason,
    auth::{Credentials, LoginOptions, LoginPlace, StaticCredentials, login_host},
    blocking,
    name::Host,
    store::{ConnectionOptions, Registries},
};
use oci_chart_testkit::{Bearer, Builder, Class, Fault, Registry, Rule};

use crate::{
    credentials::{Machine, auth, file, look},
    remote::{block, host},
};

fn start(build: impl FnOnce(Builder) -> Builder) -> Registry {
    build(Registry::builder()).start_blocking().unwrap()
}

fn registries(registry: &Registry) -> Registries {
    let options = ConnectionOptions::default().with_plain_http(host(registry));
    Registries::new(options, StaticCredentials::default()).unwrap()
}

fn options(machine: &Machine, place: LoginPlace) -> LoginOptions {
    LoginOptions::default().with_place(place).with_logins(machine.logins())
}

#[test]
fn a_login_is_verified_then_kept_and_found() {
    for bearer in [false, true] {
        let registry = start(|builder| match bearer {
            true => builder.bearer_auth(Bearer::new("robot$p+n", "hunter2")),
            false => builder.basic_auth("robot$p+n", "hunter2"),
        });
        for place in [LoginPlace::Helm, LoginPlace::Docker, LoginPlace::Podman] {
            let machine = Machine::new();
            let path = match place {
                LoginPlace::Helm => machine.path("helm/registry/config.json"),
                LoginPlace::Docker => machine.path("docker/config.json"),
                _ => machine.path("run/containers/auth.json"),
            };
            let outcome = block(registries(&registry).login(
                &host(&registry),
                &Credentials::basic("robot$p+n", "hunter2"),
                &options(&machine, place.clone()),
            ))
            .unwrap();
            assert!(outcome.verified);
            assert_eq!(outcome.stored_in, format!("{}, key {}", path.display(), registry.host()));
            let found = look(&machine.logins(), registry.host(), "a").0.unwrap();
            assert_eq!(found.kind(), Credentials::basic("robot$p+n", "hunter2").kind());
            assert_private(&path);
        }
    }
}

#[cfg(unix)]
fn assert_private(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &std::path::Path| fs_err::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
}

#[cfg(not(unix))]
fn assert_private(_: &std::path::Path) {}

#[test]
fn what_is_refused_is_not_kept() {
    for bearer in [false, true] {
        let registry = start(|builder| match bearer {
            true => builder.bearer_auth(Bearer::new("robot", "hunter2")),
            false => builder.basic_auth("robot", "hunter2"),
        });
        let machine = Machine::new();
        let options = options(&machine, LoginPlace::Helm);
        let error = block(registries(&registry).login(
            &host(&registry),
            &Credentials::basic("robot", "wrong"),
            &options,
        ))
        .unwrap_err();
        assert_eq!(
            (error.kind(), error.reason()),
            (ErrorKind::Unauthenticated, Some(Reason::CredentialsRefused))
        );
        assert!(!machine.path("helm").exists());
        assert!(!format!("{error:?}").contains("wrong"));
    }
}

#[test]
fn a_token_service_without_oauth_verifies_by_get() {
    for status in [400, 403, 404, 405, 500] {
        let registry = start(|builder| builder.bearer_auth(Bearer::new("robot", "hunter2")));
        registry.script().add(Rule::new("POST", "/token", Fault::error(status, "UNSUPPORTED")).always());
        let machine = Machine::new();
        let options = options(&machine, LoginPlace::Helm);
        block(registries(&registry).login(
            &host(&registry),
            &Credentials::basic("robot", "hunter2"),
            &options,
        ))
        .unwrap();
        let tokens: Vec<_> =
            registry.log().entries().into_iter().filter(|one| one.class == Class::Token).collect();
        assert_eq!(
            tokens.iter().map(|one| one.method.as_str()).collect::<Vec<_>>(),
            ["POST", "GET"],
            "{status}"
        );
    }
}

#[test]
fn a_token_service_with_oauth_gives_an_identity_token_to_keep() {
    let registry = start(|builder| builder.bearer_auth(Bearer::new("robot", "hunter2")));
    let machine = Machine::new();
    let options = options(&machine, LoginPlace::Docker).with_identity_token(true);
    block(registries(&registry).login(&host(&registry), &Credentials::basic("robot", "hunter2"), &options))
        .unwrap();
    let text = fs_err::read_to_string(machine.path("docker/config.json")).unwrap();
    assert!(text.contains("identitytoken") && !text.contains("aHVudGVyMg"), "{text}");
    // It serves in the password's place.
    let client =
        Registries::new(ConnectionOptions::default().with_plain_http(host(&registry)), machine.logins())
            .unwrap();
    registry.put_manifest("charts/web", "1.0.0", "application/vnd.oci.image.manifest.v1+json", "{}").unwrap();
    let store = crate::remote::open(&client, &registry, "charts/web");
    let version = oci_chart_core::name::Selector::Tag("1.0.0".parse().unwrap());
    block(oci_chart_core::Store::resolve(&store, &version)).unwrap();
    assert_eq!(registry.tokens().requests().last().unwrap().grant, "refresh_token");
}

#[test]
fn a_registry_that_lets_everybody_in_verifies_nothing() {
    let registry = start(|builder| builder);
    let machine = Machine::new();
    let options = options(&machine, LoginPlace::Helm);
    let outcome =
        block(registries(&registry).login(&host(&registry), &Credentials::basic("u", "p"), &options))
            .unwrap();
    assert!(!outcome.verified);
    // No registry at all is no login.
    registry.script().add(Rule::new("*", "*", Fault::error(404, "NOT_FOUND")).always());
    let error = block(registries(&registry).login(&host(&registry), &Credentials::basic("u", "p"), &options))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    // Unless nobody is to be asked.
    let unasked = options.with_verify(false);
    block(registries(&registry).login(&host(&registry), &Credentials::basic("u", "p"), &unasked)).unwrap();
}

#[test]
fn what_is_shown_is_looked_at_where_strangers_may_enter_as_well() {
    let registry = start(|builder| builder);
    registry.script().add(Rule::new("GET", "/v2/", Fault::error(401, "UNAUTHORIZED")).nth(2));
    let machine = Machine::new();
    let options = options(&machine, LoginPlace::Helm);
    let error = block(registries(&registry).login(&host(&registry), &Credentials::basic("u", "p"), &options))
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.reason()),
        (ErrorKind::Unauthenticated, Some(Reason::CredentialsRefused))
    );
    assert!(look(&machine.logins(), registry.host(), "a").0.is_none());
}

#[test]
fn a_login_goes_into_a_file_and_leaves_the_rest_as_it_was() {
    let machine = Machine::new();
    let registry = start(|builder| builder);
    let other = auth("other", "p");
    let text = format!(
        "{{\"HttpHeaders\":{{\"X\":  1.50}},\"auths\":{{\"o.example\":{other}}},\"detachKeys\":\"ctrl-e,e\"}}"
    );
    let path = machine.write("docker/config.json", &text);
    let options = options(&machine, LoginPlace::Docker);
    let (all, host) = (registries(&registry), host(&registry));
    block(all.login(&host, &Credentials::basic("u", "p"), &options)).unwrap();
    let with = fs_err::read_to_string(&path).unwrap();
    for part in
        ["\"HttpHeaders\": {\"X\":  1.50}", "\"detachKeys\": \"ctrl-e,e\"", other.as_str(), host.as_str()]
    {
        assert!(with.contains(part), "{part}: {with}");
    }
    let outcome = block(all.logout(&host, &options)).unwrap();
    assert_eq!(outcome.removed, [format!("{}, key {host}", path.display())]);
    let without = fs_err::read_to_string(&path).unwrap();
    assert!(!without.contains(host.as_str()) && without.contains(&other), "{without}");
}

#[test]
fn a_logout_takes_every_spelling_and_tells_what_remains() {
    let machine = Machine::new();
    let spellings = ["h.example", "https://h.example", "http://h.example/v1/"];
    let entries: Vec<_> = spellings.iter().map(|key| (*key, auth("u", "p"))).collect();
    let path = machine.write(
        "docker/config.json",
        &file(
            &[&entries[..], &[("h.example/team", auth("team", "p")), ("o.example", auth("o", "p"))]].concat(),
        ),
    );
    machine.write("run/containers/auth.json", &file(&[("h.example", auth("podman", "p"))]));
    let client = Client::builder().build().unwrap();
    let host = login_host("https://h.example/v2/").unwrap();
    let outcome =
        block(client.logout(&Context::default(), &host, &options(&machine, LoginPlace::Docker))).unwrap();
    assert_eq!(outcome.removed.len(), 1);
    let text = fs_err::read_to_string(&path).unwrap();
    assert!(spellings.iter().all(|key| !text.contains(&format!("{key:?}"))), "{text}");
    assert!(text.contains("h.example/team") && text.contains("o.example"));
    assert!(outcome.remaining.is_some(), "the team's, or podman's: {outcome:?}");
}

#[test]
fn a_file_that_is_not_understood_is_not_touched() {
    let machine = Machine::new();
    let registry = start(|builder| builder);
    for text in ["[]", "{\"auths\":{", "not json", "{\"auths\":[]}"] {
        let path = machine.write("docker/config.json", text);
        let options = options(&machine, LoginPlace::Docker);
        let error =
            block(registries(&registry).login(&host(&registry), &Credentials::basic("u", "p"), &options))
                .unwrap_err();
        assert_eq!(
            (error.kind(), error.reason()),
            (ErrorKind::InvalidInput, Some(Reason::BadLoginFile)),
            "{text}"
        );
        assert_eq!(error.get("file"), Some(path.display().to_string().as_str()));
        assert_eq!(fs_err::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn parallel_writers_lose_nothing() {
    let machine = Arc::new(Machine::new());
    let registry = Arc::new(start(|builder| builder));
    let writers: Vec<_> = (0..16)
        .map(|n| {
            let (machine, registry) = (Arc::clone(&machine), Arc::clone(&registry));
            thread::spawn(move || {
                let options = options(&machine, LoginPlace::Helm).with_verify(false);
                let host = Host::parse(&format!("h{n}.example")).unwrap();
                block(registries(&registry).login(
                    &host,
                    &Credentials::basic(format!("u{n}"), "p"),
                    &options,
                ))
                .unwrap();
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    let logins = machine.logins();
    for n in 0..16 {
        assert_eq!(
            look(&logins, &format!("h{n}.example"), "a").0.unwrap().username(),
            Some(format!("u{n}").as_str())
        );
    }
    let left: Vec<_> = fs_err::read_dir(machine.path("helm/registry"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "the file and its lock: {left:?}");
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let machine = Machine::new();
    let registry = start(|builder| builder);
    let real = machine.write("dotfiles/docker.json", "{}");
    fs_err::create_dir_all(machine.path("docker")).unwrap();
    let link = machine.path("docker/config.json");
    fs_err::os::unix::fs::symlink(&real, &link).unwrap();
    let options = options(&machine, LoginPlace::Docker);
    block(registries(&registry).login(&host(&registry), &Credentials::basic("u", "p"), &options)).unwrap();
    assert!(fs_err::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs_err::read_to_string(&real).unwrap().contains(registry.host()));
}

#[test]
fn docker_hub_is_kept_under_the_key_that_docker_uses() {
    let machine = Machine::new();
    let registry = start(|builder| builder);
    let hub = login_host("docker.io").unwrap();
    for (place, path, key) in [
        (LoginPlace::Helm, "helm/registry/config.json", "\"https://index.docker.io/v1/\""),
        (LoginPlace::Podman, "run/containers/auth.json", "\"docker.io\""),
    ] {
        let options = options(&machine, place).with_verify(false);
        block(registries(&registry).login(&hub, &Credentials::basic("u", "p"), &options)).unwrap();
        let text = fs_err::read_to_string(machine.path(path)).unwrap();
        assert!(text.contains(key), "{text}");
    }
}

#[test]
fn a_client_uses_a_login_from_the_moment_it_is_made() {
    let registry = start(|builder| builder.basic_auth("robot", "hunter2"));
    registry.put_manifest("charts/web", "1.0.0", "application/vnd.oci.image.manifest.v1+json", "{}").unwrap();
    let machine = Machine::new();
    let client = Client::builder().plain_http(host(&registry)).credentials(machine.logins()).build().unwrap();
    let client = blocking::Client::new(client);
    let location = format!("oci://{}/charts/web", registry.host()).parse().unwrap();
    let version = oci_chart_core::name::Selector::Tag("1.0.0".parse().unwrap());
    let resolve = || client.resolve(&location, &version, &mut ()).map(drop);
    assert_eq!(resolve().unwrap_err().reason(), Some(Reason::NoCredentials));
    let options = options(&machine, LoginPlace::Helm);
    let credentials = Credentials::basic("robot", "hunter2");
    client.login(&host(&registry), &credentials, &options, &mut ()).unwrap();
    resolve().unwrap();
    let status = client.login_status(&host(&registry), &mut ()).unwrap().unwrap();
    assert_eq!(status.username.as_deref(), Some("robot"));
    client.logout(&host(&registry), &options, &mut ()).unwrap();
    assert_eq!(resolve().unwrap_err().reason(), Some(Reason::NoCredentials));
    assert_eq!(client.login_status(&host(&registry), &mut ()).unwrap(), None);
}

#[test]
fn a_password_changed_behind_our_back_is_named_with_its_place_until_it_is_renewed() {
    let registry = start(|builder| builder.basic_auth("robot", "new"));
    registry.put_manifest("charts/web", "1.0.0", "application/vnd.oci.image.manifest.v1+json", "{}").unwrap();
    let machine = Machine::new();
    let path = machine.write("docker/config.json", &file(&[(registry.host(), auth("robot", "old"))]));
    let options = ConnectionOptions::default().with_plain_http(host(&registry));
    let registries = Registries::new(options, machine.logins()).unwrap();
    let store = crate::remote::open(&registries, &registry, "charts/web");
    let version = oci_chart_core::name::Selector::Tag("1.0.0".parse().unwrap());
    let resolve = || block(oci_chart_core::Store::resolve(&store, &version)).map(drop);
    let error = resolve().unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Unauthenticated, Some(Reason::StaleCredential)));
    assert_eq!(
        error.get("credentials from").unwrap(),
        format!("{}, key {}", path.display(), registry.host())
    );
    // Another program logs in again; this one goes on.
    machine.write("docker/config.json", &file(&[(registry.host(), auth("robot", "new"))]));
    resolve().unwrap();
}
