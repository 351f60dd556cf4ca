//! Logins that other programs left: where they are looked for, in which order, and which key is taken.

use std::{
    collections::HashMap,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use oci_chart_core::{
    Context, Event,
    auth::{
        Audience, Chain, CredentialKind, CredentialSource as _, Credentials, StaticCredentials, StoredLogins,
    },
    kube::KeyRule,
    name::{Host, RepositoryName},
};
use tempfile::TempDir;

use crate::remote::block;

/// A machine of its own: a home directory, variables, and programs.
pub(crate) struct Machine {
    home: TempDir,
    variables: HashMap<String, OsString>,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let home = TempDir::new().unwrap();
        let bin = home.path().join("bin");
        fs_err::create_dir(&bin).unwrap();
        let system = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&system))).unwrap();
        let mut machine = Self { home, variables: HashMap::new() };
        machine.set("PATH", &path);
        let runtime = machine.path("run");
        machine.set("HELM_CONFIG_HOME", machine.path("helm"));
        machine.set("DOCKER_CONFIG", machine.path("docker"));
        machine.set("XDG_RUNTIME_DIR", runtime);
        machine
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }

    pub(crate) fn set(&mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) {
        self.variables.insert(name.to_owned(), value.as_ref().to_owned());
    }

    pub(crate) fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.path(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, text).unwrap();
        path
    }

    pub(crate) fn logins(&self) -> StoredLogins {
        StoredLogins::in_environment(|name| self.variables.get(name).cloned())
    }
}

/// A login in base64.
pub(crate) fn auth(username: &str, password: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    format!(r#"{{"auth":"{}"}}"#, STANDARD.encode(format!("{username}:{password}")))
}

pub(crate) fn file(entries: &[(&str, String)]) -> String {
    let entries: Vec<_> = entries.iter().map(|(key, entry)| format!("{key:?}:{entry}")).collect();
    format!(r#"{{"auths":{{{}}}}}"#, entries.join(","))
}

/// What is found for `host/repository`, and the warnings on the way.
pub(crate) fn look(
    logins: &StoredLogins,
    host: &str,
    repository: &str,
) -> (Option<Credentials>, Vec<String>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let cx = Context::default().with_events(move |event| {
        if let Event::Warning(text) = event {
            sink.lock().unwrap().push(text);
        }
    });
    let (host, repository) = (Host::parse(host).unwrap(), RepositoryName::parse(repository).unwrap());
    let audience = Audience::new(&host).with_repository(&repository);
    let found = block(cx.run(logins.credentials(&audience))).unwrap();
    let warnings = seen.lock().unwrap().clone();
    (found, warnings)
}

pub(crate) fn user(logins: &StoredLogins, host: &str) -> Option<String> {
    let (found, warnings) = look(logins, host, "charts/web");
    assert_eq!(warnings, Vec::<String>::new());
    found.map(|credentials| credentials.username().unwrap_or_default().to_owned())
}

#[test]
fn helm_goes_before_the_variable_before_docker_before_podman() {
    let mut machine = Machine::new();
    let places = ["helm/registry/config.json", "docker/config.json", "run/containers/auth.json"];
    for (place, name) in places.iter().zip(["helm", "docker", "podman"]) {
        machine.write(place, &file(&[("h.example", auth(name, "p"))]));
    }
    machine.set("DOCKER_AUTH_CONFIG", file(&[("h.example", auth("variable", "p"))]));
    assert_eq!(user(&machine.logins(), "h.example").as_deref(), Some("helm"));
    fs_err::remove_file(machine.path(places[0])).unwrap();
    assert_eq!(user(&machine.logins(), "h.example").as_deref(), Some("variable"));
    machine.set("DOCKER_AUTH_CONFIG", "");
    assert_eq!(user(&machine.logins(), "h.example").as_deref(), Some("docker"));
    fs_err::remove_file(machine.path(places[1])).unwrap();
    assert_eq!(user(&machine.logins(), "h.example").as_deref(), Some("podman"));
    fs_err::remove_file(machine.path(places[2])).unwrap();
    assert_eq!(user(&machine.logins(), "h.example"), None);
}

#[test]
fn what_is_given_goes_before_what_is_found() {
    let machine = Machine::new();
    machine.write(
        "docker/config.json",
        &file(&[("a.example", auth("found", "p")), ("b.example", auth("found", "p"))]),
    );
    let (a, b) = (Host::parse("a.example").unwrap(), Host::parse("b.example").unwrap());
    let given = StaticCredentials::default().with(a.clone(), Credentials::basic("given", "p"));
    let chain = Chain::default().then(given).then(machine.logins());
    let user =
        |host| block(chain.credentials(&Audience::new(host))).unwrap().unwrap().username().map(str::to_owned);
    assert_eq!((user(&a).as_deref(), user(&b).as_deref()), (Some("given"), Some("found")));
    let nobody = StaticCredentials::default().with(b.clone(), Credentials::ANONYMOUS);
    let chain = Chain::default().then(nobody).then(machine.logins());
    assert_eq!(block(chain.credentials(&Audience::new(&b))).unwrap(), Some(Credentials::ANONYMOUS));
}

#[test]
fn files_are_read_when_they_are_needed_and_once() {
    let machine = Machine::new();
    let logins = machine.logins();
    machine.write("docker/config.json", &file(&[("h.example", auth("first", "p"))]));
    assert_eq!(user(&logins, "h.example").as_deref(), Some("first"), "not read before it is needed");
    machine.write("docker/config.json", &file(&[("h.example", auth("second", "p"))]));
    assert_eq!(user(&logins, "h.example").as_deref(), Some("first"), "read once");
    let host = Host::parse("h.example").unwrap();
    logins.refused(&Audience::new(&host), &Credentials::ANONYMOUS);
    assert_eq!(user(&logins, "h.example").as_deref(), Some("second"), "read again after a refusal");
}

#[test]
fn the_longest_path_wins_and_docker_hub_is_found_under_its_key() {
    let machine = Machine::new();
    machine.write(
        "run/containers/auth.json",
        &file(&[
            ("h.example", auth("host", "p")),
            ("h.example/charts", auth("charts", "p")),
            ("h.example/charts/web", auth("web", "p")),
            ("h.example/charts/webx", auth("other", "p")),
            ("h2.example/other", auth("other", "p")),
        ]),
    );
    machine.write("docker/config.json", &file(&[("https://index.docker.io/v1/", auth("hub", "p"))]));
    let logins = machine.logins();
    let user = |host: &str, repository: &str| {
        look(&logins, host, repository).0.map(|found| found.username().unwrap().to_owned())
    };
    assert_eq!(user("h.example", "charts/web").as_deref(), Some("web"));
    assert_eq!(user("h.example", "charts/db").as_deref(), Some("charts"));
    assert_eq!(user("h.example", "x").as_deref(), Some("host"));
    assert_eq!(user("h2.example", "charts/web"), None, "podman's paths are for what is below them");
    assert_eq!(user("docker.io", "org/web").as_deref(), Some("hub"));
    assert_eq!(user("registry-1.docker.io", "org/web").as_deref(), Some("hub"));
}

#[test]
fn an_origin_names_the_file_and_the_key() {
    let machine = Machine::new();
    let path = machine.write("docker/config.json", &file(&[("https://h.example/v1/", auth("u", "p"))]));
    let found = look(&machine.logins(), "h.example", "a").0.unwrap();
    assert_eq!(found.origin().unwrap(), format!("{}, key https://h.example/v1/", path.display()));
}

#[test]
fn all_forms_of_a_login_are_understood() {
    let machine = Machine::new();
    let entry = |text: &str| text.to_owned();
    machine.write(
        "docker/config.json",
        &file(&[
            ("colon", entry(r#"{"auth":"dTpwOnE="}"#)),
            ("unpadded", entry(r#"{"auth":"dXNlcjpwYXM"}"#)),
            // As docker wrote them once, and still reads them.
            ("nul", entry(r#"{"auth":"dTpwAAA="}"#)),
            ("fields", entry(r#"{"username":"robot$p+n","password":"s"}"#)),
            (
                "identity",
                entry(
                    r#"{"auth":"MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAwOg==","identitytoken":"t"}"#,
                ),
            ),
            ("helpers", entry(r#"{"username":"<token>","password":"t"}"#)),
            ("ready", entry(r#"{"registrytoken":"t"}"#)),
            ("marker", entry("{}")),
            ("nameonly", entry(r#"{"username":"u"}"#)),
        ]),
    );
    let logins = machine.logins();
    let kind = |host: &str| look(&logins, host, "a").0.map(|found| found.kind().clone());
    let basic = |username: &str, password: &str| Some(Credentials::basic(username, password).kind().clone());
    assert_eq!(kind("colon"), basic("u", "p:q"));
    assert_eq!(kind("unpadded"), basic("user", "pas"));
    assert_eq!(kind("nul"), basic("u", "p"));
    assert_eq!(kind("fields"), basic("robot$p+n", "s"));
    let name = "00000000-0000-0000-0000-000000000000".to_owned();
    assert_eq!(kind("identity"), Some(CredentialKind::Identity { username: Some(name), token: "t".into() }));
    assert_eq!(kind("helpers"), Some(CredentialKind::Identity { username: None, token: "t".into() }));
    assert_eq!(kind("ready"), Some(CredentialKind::Bearer("t".into())));
    assert_eq!((kind("marker"), kind("nameonly")), (None, None));
}

#[test]
fn what_cannot_be_read_is_a_warning_and_the_search_goes_on() {
    let machine = Machine::new();
    machine.write("helm/registry/config.json", "{ not json");
    machine.write(
        "docker/config.json",
        &file(&[("h.example", r#"{"auth":"!canary!"}"#.into()), ("o.example", auth("u", "p"))]),
    );
    machine.write("run/containers/auth.json", &file(&[("h.example", auth("podman", "p"))]));
    let (found, warnings) = look(&machine.logins(), "h.example", "a");
    assert_eq!(found.unwrap().username(), Some("podman"));
    assert_eq!(warnings.len(), 2, "{warnings:#?}");
    assert!(warnings[0].contains("registry") && warnings[0].contains("JSON"), "{warnings:#?}");
    assert!(warnings[1].contains("h.example") && warnings[1].contains("base64"), "{warnings:#?}");
    assert!(!warnings.concat().contains("canary"));
    assert_eq!(look(&machine.logins(), "o.example", "a").0.unwrap().username(), Some("u"));
}

#[test]
fn a_directory_where_a_file_should_be_and_a_missing_home_hurt_nobody() {
    let machine = Machine::new();
    fs_err::create_dir_all(machine.path("docker/config.json")).unwrap();
    let (found, warnings) = look(&machine.logins(), "h.example", "a");
    assert!(found.is_none() && warnings.len() == 1, "{warnings:#?}");
    assert_eq!(user(&StoredLogins::in_environment(|_| None), "h.example"), None);
    assert_eq!(user(&StoredLogins::in_file(Path::new("/nowhere/x"), KeyRule::Docker), "h.example"), None);
}

#[test]
fn where_nothing_was_found_is_told() {
    use oci_chart_core::{ErrorKind, Reason, name::Selector, store::Store as _};
    use oci_chart_testkit::{Bearer, Registry};

    let mut machine = Machine::new();
    machine.set("DOCKER_AUTH_CONFIG", file(&[("other.example", auth("robot", "hunter2"))]));
    let version = Selector::Tag("1.0.0".parse().unwrap());
    for builder in [
        Registry::builder().basic_auth("robot", "hunter2"),
        Registry::builder()
            .bearer_auth(Bearer::new("robot", "hunter2").permit(|access| access.user.is_some())),
    ] {
        let registry = builder.start_blocking().unwrap();
        let vault = |_: &Host| Ok(None);
        let registries =
            crate::remote::registries(&registry, Chain::default().then(vault).then(machine.logins()));
        let store = crate::remote::open(&registries, &registry, "charts/web");
        let error = block(store.resolve(&version)).unwrap_err();
        assert_eq!(
            (error.kind(), error.reason()),
            (ErrorKind::Unauthenticated, Some(Reason::NoCredentials)),
            "{error:?}"
        );
        let searched = error.get("searched").unwrap();
        for place in [
            "helm/registry/config.json",
            "DOCKER_AUTH_CONFIG",
            "docker/config.json",
            "run/containers/auth.json",
        ] {
            assert!(searched.contains(place), "{place} is not in {searched}");
        }
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}

#[test]
fn every_login_can_be_listed_and_none_is_shown() {
    let machine = Machine::new();
    machine.write(
        "helm/registry/config.json",
        &file(&[("b", auth("u2", "canary")), ("a", auth("u1", "canary")), ("m", "{}".into())]),
    );
    let logins = block(machine.logins().list());
    let shown: Vec<_> = logins.iter().map(|login| (login.key.as_str(), login.username.as_str())).collect();
    assert_eq!(shown, [("a", "u1"), ("b", "u2")]);
    assert!(!format!("{logins:?} {:?}", machine.logins()).contains("canary"));
}
