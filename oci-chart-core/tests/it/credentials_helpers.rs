//! Credential helpers: small scripts that work, and that hang, flood, fail and talk nonsense.
#![cfg(unix)]

use std::{
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use oci_chart_core::{
    Context, Error, ErrorKind, Reason,
    auth::{
        Audience, CredentialKind, CredentialSource as _, Credentials, LoginOptions, LoginPlace,
        StaticCredentials,
    },
    name::Host,
    store::{ConnectionOptions, Registries},
};
use oci_chart_testkit::Registry;

use crate::{
    credentials::{Machine, auth, look},
    remote::{block, host},
};

impl Machine {
    /// A credential helper that is this script; `$1` is the verb.
    pub(crate) fn helper(&self, name: &str, script: &str) -> PathBuf {
        let path = self.write(&format!("bin/docker-credential-{name}"), &format!("#!/bin/sh\n{script}\n"));
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }
}

/// A helper that keeps logins in files, in the plainest way.
pub(crate) const PLAIN: &str = r#"
dir=$(dirname "$0")/../kept; mkdir -p "$dir"
echo "$1 $#" >> "$dir/calls"
case $1 in
get) read -r url; f=$dir/$(echo "$url" | tr '/:' '__')
     if [ -e "$f" ]; then cat "$f"; else echo "credentials not found in native keychain"; exit 1; fi;;
store) body=$(cat); url=$(echo "$body" | sed 's/.*"ServerURL":"\([^"]*\)".*/\1/')
     echo "$body" > "$dir/$(echo "$url" | tr '/:' '__')";;
erase) read -r url; rm -f "$dir/$(echo "$url" | tr '/:' '__')";;
list) echo '{"https://index.docker.io/v1/":"hub","h.example":"<token>"}';;
esac"#;

fn answer(username: &str, secret: &str) -> String {
    format!(
        r#"read -r url; echo "{{\"ServerURL\":\"$url\",\"Username\":\"{username}\",\"Secret\":\"{secret}\"}}""#
    )
}

#[test]
fn a_helper_of_its_own_goes_before_the_store_before_the_file() {
    let machine = Machine::new();
    machine.helper("own", &answer("own", "p"));
    machine.helper("store", &answer("store", "p"));
    let entry = auth("file", "p");
    let write = |helpers: &str| {
        machine.write("docker/config.json", &format!(r#"{{{helpers}"auths":{{"h.example":{entry}}}}}"#));
        look(&machine.logins(), "h.example", "a").0.unwrap().username().unwrap().to_owned()
    };
    assert_eq!(write(r#""credHelpers":{"h.example":"own"},"credsStore":"store","#), "own");
    assert_eq!(write(r#""credHelpers":{"o.example":"own"},"credsStore":"store","#), "store");
    assert_eq!(write(r#""credHelpers":{"o.example":"own"},"#), "file");
}

#[test]
fn a_token_user_means_an_identity_token_and_the_origin_names_the_helper() {
    let machine = Machine::new();
    machine.helper("x", &answer("<token>", "t"));
    let path = machine.write("docker/config.json", r#"{"credsStore":"x"}"#);
    let found = look(&machine.logins(), "h.example", "a").0.unwrap();
    assert_eq!(found.kind(), &CredentialKind::Identity { username: None, token: "t".into() });
    assert_eq!(
        found.origin().unwrap(),
        format!("docker-credential-x for h.example, named in {}", path.display())
    );
}

#[test]
fn a_helper_is_asked_for_docker_hub_by_its_old_address() {
    let machine = Machine::new();
    machine.helper("x", r#"read -r url; echo "{\"ServerURL\":\"\",\"Username\":\"$url\",\"Secret\":\"s\"}""#);
    machine.write("docker/config.json", r#"{"credsStore":"x"}"#);
    let found = look(&machine.logins(), "docker.io", "org/web").0.unwrap();
    assert_eq!(found.username(), Some("https://index.docker.io/v1/"));
}

#[test]
fn an_unknown_host_is_no_failure_and_the_search_goes_on() {
    let machine = Machine::new();
    machine.helper("x", PLAIN);
    machine.helper("silent", "exit 0");
    machine.write("helm/registry/config.json", r#"{"credsStore":"silent"}"#);
    machine.write("docker/config.json", r#"{"credsStore":"x"}"#);
    machine.write(
        "run/containers/auth.json",
        &format!(r#"{{"auths":{{"h.example":{}}}}}"#, auth("podman", "p")),
    );
    let (found, warnings) = look(&machine.logins(), "h.example", "a");
    assert_eq!((found.unwrap().username(), warnings), (Some("podman"), vec![]));
    // In the words of every helper that there is.
    for words in
        ["credentials not found in native keychain", "No credentials are stored", "no basic auth credentials"]
    {
        machine.helper("x", &format!("echo '{words}'; exit 1"));
        let (found, warnings) = look(&machine.logins(), "h.example", "a");
        assert_eq!((found.unwrap().username(), warnings), (Some("podman"), vec![]), "{words}");
    }
}

#[test]
fn a_login_goes_to_the_helper_by_which_it_would_be_found() {
    let machine = Machine::new();
    machine.helper("own", PLAIN);
    machine.helper("store", PLAIN);
    let registries = Registries::new(ConnectionOptions::default(), StaticCredentials::default()).unwrap();
    let host = Host::parse("h.example").unwrap();
    for (config, place) in [
        (
            r#"{"credHelpers":{"h.example":"own"},"credsStore":"store"}"#,
            "docker-credential-own for h.example",
        ),
        (
            r#"{"credHelpers":{"o.example":"own"},"credsStore":"store"}"#,
            "docker-credential-store for h.example",
        ),
        // That one is for a part of the host, and the login for all of it.
        (
            r#"{"credHelpers":{"h.example/org":"own"},"credsStore":"store"}"#,
            "docker-credential-store for h.example",
        ),
        (r#"{"credHelpers":{"h.example/org":"own"}}"#, "config.json, key h.example"),
    ] {
        machine.write("docker/config.json", config);
        let options = LoginOptions::default().with_place(LoginPlace::Docker).with_logins(machine.logins());
        let (options, login) = (options.with_verify(false), Credentials::basic("u", "p"));
        let kept = block(registries.login(&host, &login, &options)).unwrap().stored_in;
        assert!(kept.contains(place), "{config}: {kept}");
    }
}

#[test]
fn a_helper_is_looked_for_in_no_place_that_depends_on_where_one_is() {
    let mut machine = Machine::new();
    machine.helper("x", &answer("u", "p"));
    machine.write("docker/config.json", r#"{"credsStore":"x"}"#);
    let up = std::env::current_dir().unwrap().components().skip(1).map(|_| "..").collect::<PathBuf>();
    let relative = up.join(machine.path("bin").strip_prefix("/").unwrap());
    assert!(fs_err::metadata(relative.join("docker-credential-x")).is_ok());
    machine.set("PATH", relative);
    let (found, warnings) = look(&machine.logins(), "h.example", "a");
    assert!(found.is_none() && warnings[0].contains("not in PATH"), "{warnings:?}");
}

#[test]
fn whatever_goes_wrong_with_a_helper_is_a_warning_and_the_search_goes_on() {
    for (name, script, words) in [
        ("hangs", "sleep 30", "no answer within"),
        ("leaves-a-child", "sleep 30 & wait", "no answer within"),
        ("floods", "yes canary", "more than 1048576 bytes"),
        ("fails", "echo 'the keychain is locked'; exit 3", "the keychain is locked"),
        ("fails-silently", "exit 3", "without a word"),
        ("fails-and-tells", r#"echo '{"Secret":"canary"}'; exit 3"#, "(not shown)"),
        ("fails-and-hints", r#"echo 'the token was {canary}'; exit 3"#, "(not shown)"),
        ("fails-and-shows", "echo 'Secret: canary'; exit 3", "(not shown)"),
        ("crashes", "kill -SEGV $$", "without a word"),
        ("junk", "echo canary", "not what the protocol says"),
        ("list", "echo '[1]'", "not what the protocol says"),
        ("binary", r"printf '\377\376\000'", "not what the protocol says"),
        ("deaf", "exec <&-; exit 1", "without a word"),
    ] {
        let machine = Machine::new();
        machine.helper(name, script);
        machine.write(
            "docker/config.json",
            &format!(r#"{{"credsStore":"{name}","auths":{{"h.example":{}}}}}"#, auth("file", "p")),
        );
        let started = Instant::now();
        let logins = machine.logins().with_helper_timeout(Duration::from_millis(700));
        let (found, warnings) = look(&logins, "h.example", "a");
        assert_eq!(found.unwrap().username(), Some("file"), "{name}");
        assert_eq!(warnings.len(), 1, "{name}: {warnings:?}");
        assert!(
            warnings[0].contains(words) && warnings[0].contains("docker-credential-"),
            "{name}: {warnings:?}"
        );
        assert!(!warnings[0].contains("canary"), "{name}: {warnings:?}");
        assert!(started.elapsed() < Duration::from_secs(15), "{name} took {:?}", started.elapsed());
    }
}

#[test]
fn a_helper_that_is_missing_or_no_name_of_a_program_is_a_warning() {
    let machine = Machine::new();
    machine.helper("real", &answer("u", "p"));
    for (name, words) in
        [("missing", "not installed"), ("../bin/docker-credential-real", "its name"), ("", "")]
    {
        machine.write("docker/config.json", &format!(r#"{{"credsStore":{name:?}}}"#));
        let (found, warnings) = look(&machine.logins(), "h.example", "a");
        assert!(found.is_none(), "{name}");
        assert_eq!(
            warnings.iter().filter(|warning| warning.contains(words)).count(),
            usize::from(!name.is_empty())
        );
    }
}

#[test]
fn an_answer_is_believed_for_a_while_and_asked_for_again_when_refused() {
    let machine = Machine::new();
    machine.helper("x", PLAIN);
    machine.write("docker/config.json", r#"{"credsStore":"x"}"#);
    let calls = || fs_err::read_to_string(machine.path("kept/calls")).unwrap().lines().count();
    let logins = machine.logins();
    for _ in 0..3 {
        look(&logins, "h.example", "a");
    }
    assert_eq!(calls(), 1);
    look(&logins, "o.example", "a");
    assert_eq!(calls(), 2, "another host is another question");
    let host = Host::parse("h.example").unwrap();
    logins.refused(&Audience::new(&host), &Credentials::ANONYMOUS);
    look(&logins, "h.example", "a");
    assert_eq!(calls(), 3);
}

#[test]
fn secrets_go_through_pipes_alone() {
    let machine = Machine::new();
    machine.helper(
        "x",
        &format!("env > \"$(dirname \"$0\")/seen\"; echo \"$@\" >> \"$(dirname \"$0\")/seen\"\n{PLAIN}"),
    );
    machine.write("docker/config.json", r#"{"credsStore":"x"}"#);
    let registry = Registry::builder().basic_auth("robot$p+n", "canary").start_blocking().unwrap();
    let registries = registries(&registry);
    let options = LoginOptions::default().with_place(LoginPlace::Docker).with_logins(machine.logins());
    block(registries.login(&host(&registry), &Credentials::basic("robot$p+n", "canary"), &options)).unwrap();
    let seen = fs_err::read_to_string(machine.path("bin/seen")).unwrap();
    assert!(seen.ends_with("store\n") && !seen.contains("canary"), "{seen}");
}

fn registries(registry: &Registry) -> Registries {
    let options = ConnectionOptions::default().with_plain_http(host(registry));
    Registries::new(options, StaticCredentials::default()).unwrap()
}

#[test]
fn a_helper_keeps_lists_and_forgets_logins() {
    let machine = Machine::new();
    machine.helper("x", PLAIN);
    let registry = Registry::builder().basic_auth("robot$p+n", "s:e\"c").start_blocking().unwrap();
    let (registries, host) = (registries(&registry), host(&registry));
    // With a login from the time before the helper, which must not come to light again.
    let path = machine.write(
        "docker/config.json",
        &format!(
            r#"{{"credsStore":"x","auths":{{"o.example":{},"{host}":{}}}}}"#,
            auth("o", "p"),
            auth("old", "p")
        ),
    );
    let options = LoginOptions::default().with_place(LoginPlace::Docker).with_logins(machine.logins());
    let outcome =
        block(registries.login(&host, &Credentials::basic("robot$p+n", "s:e\"c"), &options)).unwrap();
    assert_eq!(outcome.stored_in, format!("docker-credential-x for {host}, named in {}", path.display()));
    assert!(outcome.verified);
    assert!(!fs_err::read_to_string(&path).unwrap().contains(host.as_str()), "not in the file");
    let found = look(&machine.logins(), host.as_str(), "a").0.unwrap();
    assert_eq!(found.kind(), Credentials::basic("robot$p+n", "s:e\"c").kind());

    let listed = block(machine.logins().list());
    let listed: Vec<_> = listed.iter().map(|login| (login.key.as_str(), login.username.as_str())).collect();
    assert_eq!(listed, [("h.example", ""), ("https://index.docker.io/v1/", "hub"), ("o.example", "o")]);

    let outcome = block(registries.logout(&host, &options)).unwrap();
    assert_eq!((outcome.removed.len(), outcome.remaining), (1, None));
    assert!(look(&machine.logins(), host.as_str(), "a").0.is_none());
    assert_eq!(block(registries.logout(&host, &options)).unwrap().removed, Vec::<String>::new());
    // Some say so when they are to forget what they do not have.
    machine.helper("x", "cat > /dev/null; echo 'credentials not found in native keychain'; exit 1");
    assert_eq!(block(registries.logout(&host, &options)).unwrap().removed, Vec::<String>::new());
}

#[test]
fn a_login_that_a_helper_does_not_keep_is_an_error_and_not_written_elsewhere() {
    let machine = Machine::new();
    machine.helper("x", "cat > /dev/null; echo 'the keychain is locked'; exit 1");
    let path = machine.write("docker/config.json", r#"{"credsStore":"x"}"#);
    let registry = Registry::builder().basic_auth("robot", "canary").start_blocking().unwrap();
    let options = LoginOptions::default().with_place(LoginPlace::Docker).with_logins(machine.logins());
    let login = registries(&registry);
    let error: Error =
        block(login.login(&host(&registry), &Credentials::basic("robot", "canary"), &options)).unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Unavailable, Some(Reason::CredentialHelper)));
    assert!(error.message().contains("the keychain is locked") && error.hint().is_some());
    assert_eq!(fs_err::read_to_string(&path).unwrap(), r#"{"credsStore":"x"}"#);
}

#[test]
fn a_call_that_is_stopped_does_not_wait_for_a_helper() {
    let machine = Machine::new();
    machine.helper("x", "echo $$ > \"$(dirname \"$0\")/pid\"; exec sleep 60");
    machine.write("docker/config.json", r#"{"credsStore":"x"}"#);
    let logins = machine.logins();
    let cx = Context::default();
    let token = cx.cancel_token().clone();
    let pid = machine.path("bin/pid");
    let waits = pid.clone();
    let stopper = std::thread::spawn(move || {
        while !waits.exists() {
            std::thread::sleep(Duration::from_millis(5));
        }
        token.cancel();
    });
    let host = Host::parse("h.example").unwrap();
    let started = Instant::now();
    let error = block(async { cx.run(logins.credentials(&Audience::new(&host))).await }).unwrap_err();
    stopper.join().unwrap();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(started.elapsed() < Duration::from_secs(20));
    let pid = fs_err::read_to_string(pid).unwrap();
    let gone = || !PathBuf::from(format!("/proc/{}", pid.trim())).exists();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !gone() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(gone(), "the helper is killed");
}
