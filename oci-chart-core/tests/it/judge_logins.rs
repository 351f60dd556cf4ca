//! One set of logins for everybody: what Helm, crane and skopeo keep, we find; what we keep, they find; who logs out, logs all out.

use std::{ffi::OsString, path::Path};

use oci_chart_core::{
    Chart, ChartArtifact, Client, Location, Reason,
    auth::{Credentials, LoginOptions, LoginPlace, StoredLogins},
    blocking,
    chart::{LoadOptions, PackageOptions},
    name::{Host, Selector},
    oci::ArtifactOptions,
    transfer::PushOptions,
};

use crate::support::{
    process::Sandbox,
    say,
    servers::{Guards, Kind, Server},
    tools,
};

const USER: &str = "robot$charts+ci";
const PASSWORD: &str = "hunter2:with $igns";

/// A registry that wants a password, with a chart in it.
fn guarded(test: &str) -> Option<Server> {
    let guards = Guards { login: Some((USER, PASSWORD)), ..Guards::default() };
    let server = Server::start(test, Kind::Docker2, guards)?;
    let host = Host::parse(server.address()).unwrap();
    let source = oci_chart_core::auth::StaticCredentials::default()
        .with(host.clone(), Credentials::basic(USER, PASSWORD));
    let client = Client::builder().plain_http(host).credentials(source).build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    fs_err::write(directory.path().join("Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.2.3\n")
        .unwrap();
    let chart = Chart::from_dir(directory.path(), &LoadOptions::default()).unwrap();
    let package = chart.package(&PackageOptions::default()).unwrap();
    let artifact = ChartArtifact::new(package, &ArtifactOptions::default()).unwrap();
    let client = blocking::Client::new(client);
    client.push(&artifact, &location(&server), &PushOptions::default(), &mut ()).unwrap();
    Some(server)
}

fn location(server: &Server) -> Location {
    format!("oci://{}/charts/web", server.address()).parse().unwrap()
}

/// The places of the sandbox.
fn logins(sandbox: &Sandbox) -> StoredLogins {
    let home = sandbox.path().to_owned();
    StoredLogins::in_environment(move |name| {
        let path = match name {
            "HELM_CONFIG_HOME" => "helm-config",
            "DOCKER_CONFIG" => "docker",
            "REGISTRY_AUTH_FILE" => "auth.json",
            _ => return None,
        };
        Some(OsString::from(home.join(path)))
    })
}

/// Whether our client gets in with what is kept in the sandbox.
fn we_get_in(server: &Server, sandbox: &Sandbox) -> bool {
    let host = Host::parse(server.address()).unwrap();
    let client = Client::builder().plain_http(host).credentials(logins(sandbox)).build().unwrap();
    let version = Selector::Tag("1.2.3".parse().unwrap());
    match blocking::Client::new(client).resolve(&location(server), &version, &mut ()) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.reason(), Some(Reason::NoCredentials), "{error:?}");
            false
        }
    }
}

/// A program that keeps logins: how it logs in and out, and how it reads.
struct Program<'a> {
    path: &'a Path,
    place: LoginPlace,
    login: Vec<String>,
    logout: Vec<String>,
    read: Vec<String>,
}

impl Program<'_> {
    fn gets_in(&self, sandbox: &Sandbox) -> bool {
        sandbox.run(self.path, &self.read).code == Some(0)
    }
}

fn words(text: &str, server: &Server) -> Vec<String> {
    let fill = |word: &str| match word {
        "USER" => USER.to_owned(),
        "PASSWORD" => PASSWORD.to_owned(),
        word => word.replace("HOST", server.address()),
    };
    text.split(' ').map(fill).collect()
}

fn judge(test: &str, name: &str, place: LoginPlace, [login, logout, read]: [&str; 3]) {
    let Some(path) = tools::judge(test, name) else { return };
    let Some(server) = guarded(test) else { return };
    let program = Program {
        path: &path,
        place,
        login: words(login, &server),
        logout: words(logout, &server),
        read: words(read, &server),
    };
    let host = Host::parse(server.address()).unwrap();

    // Theirs is ours.
    let sandbox = Sandbox::new();
    assert!(!we_get_in(&server, &sandbox) && !program.gets_in(&sandbox), "nobody is logged in");
    sandbox.run(program.path, &program.login).success();
    assert!(program.gets_in(&sandbox) && we_get_in(&server, &sandbox), "{name} logged in");
    let options = LoginOptions::default().with_place(program.place.clone()).with_logins(logins(&sandbox));
    let client = blocking::Client::new(Client::builder().plain_http(host.clone()).build().unwrap());
    let outcome = client.logout(&host, &options, &mut ()).unwrap();
    assert_eq!((outcome.removed.len(), outcome.remaining), (1, None));
    assert!(!program.gets_in(&sandbox) && !we_get_in(&server, &sandbox), "we logged {name} out");

    // Ours is theirs, in a new home and in one where they have been.
    for sandbox in [Sandbox::new(), sandbox] {
        let options = LoginOptions::default().with_place(program.place.clone()).with_logins(logins(&sandbox));
        let outcome = client.login(&host, &Credentials::basic(USER, PASSWORD), &options, &mut ()).unwrap();
        assert!(outcome.verified && outcome.stored_in.contains(server.address()));
        assert!(program.gets_in(&sandbox) && we_get_in(&server, &sandbox), "we logged in for {name}");
        sandbox.run(program.path, &program.logout).success();
        assert!(!program.gets_in(&sandbox) && !we_get_in(&server, &sandbox), "{name} logged us out");
    }
    say(&format!("{test}: {name} and we share logins"));
}

#[test]
fn helm_and_we_share_logins() {
    const TEST: &str = "helm_and_we_share_logins";
    for helm in ["helm4", "helm3"] {
        let commands = [
            "registry login HOST --plain-http -u USER -p PASSWORD",
            "registry logout HOST",
            "show chart oci://HOST/charts/web --version 1.2.3 --plain-http",
        ];
        judge(TEST, helm, LoginPlace::Helm, commands);
    }
}

#[test]
fn a_broken_file_of_logins_or_helper_stops_helm_and_not_us() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    const TEST: &str = "a_broken_file_of_logins_or_helper_stops_helm_and_not_us";
    let Some(server) = guarded(TEST) else { return };
    for name in ["helm4", "helm3"] {
        let Some(helm) = tools::judge(TEST, name) else { return };
        let reference = format!("oci://{}/charts/web", server.address());
        let read = ["show", "chart", &reference, "--version", "1.2.3", "--plain-http"];
        let sandbox = Sandbox::new();
        let write = |path: &str, text: &str| {
            let path = sandbox.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        };
        // The login is where docker keeps it, which Helm looks at as well.
        let login = STANDARD.encode(format!("{USER}:{PASSWORD}"));
        write(
            "docker/config.json",
            &format!(r#"{{"auths":{{"{}":{{"auth":"{login}"}}}}}}"#, server.address()),
        );
        assert_eq!(sandbox.run(&helm, read).code, Some(0), "{name} finds it there");
        for (what, text) in [
            ("no JSON", "auths:".to_owned()),
            ("a list", "[]".to_owned()),
            ("a helper that is missing", r#"{"credsStore":"not-there"}"#.to_owned()),
            ("one for this host", format!(r#"{{"credHelpers":{{"{}":"not-there"}}}}"#, server.address())),
        ] {
            write("helm-config/registry/config.json", &text);
            let theirs = sandbox.run(&helm, read);
            assert_ne!(theirs.code, Some(0), "{name} with {what}: {theirs:?}");
            let (sender, warnings) = std::sync::mpsc::channel();
            let mut warned = Warned(sender);
            let host = Host::parse(server.address()).unwrap();
            let client = Client::builder().plain_http(host).credentials(logins(&sandbox)).build().unwrap();
            let version = Selector::Tag("1.2.3".parse().unwrap());
            blocking::Client::new(client).resolve(&location(&server), &version, &mut warned).unwrap();
            let warnings: Vec<String> = warnings.try_iter().collect();
            assert_eq!(warnings.len(), 1, "{what}: {warnings:?}");
            assert!(warnings[0].contains("helm-config/registry/config.json"), "{warnings:?}");
        }
        say(&format!("{TEST}: {name}"));
    }
}

/// Keeps warnings.
struct Warned(std::sync::mpsc::Sender<String>);

impl blocking::Host for Warned {
    fn event(&mut self, event: oci_chart_core::Event) -> std::ops::ControlFlow<()> {
        if let oci_chart_core::Event::Warning(text) = event {
            self.0.send(text).unwrap();
        }
        std::ops::ControlFlow::Continue(())
    }
}

#[test]
fn crane_and_we_share_logins() {
    let commands = [
        "auth login HOST -u USER -p PASSWORD",
        "auth logout HOST",
        "--insecure digest HOST/charts/web:1.2.3",
    ];
    judge("crane_and_we_share_logins", "crane", LoginPlace::Docker, commands);
}

#[test]
fn skopeo_and_we_share_logins() {
    let commands = [
        "login --tls-verify=false --authfile auth.json -u USER -p PASSWORD HOST",
        "logout --authfile auth.json HOST",
        "inspect --raw --tls-verify=false --authfile auth.json docker://HOST/charts/web:1.2.3",
    ];
    judge("skopeo_and_we_share_logins", "skopeo", LoginPlace::Podman, commands);
}
