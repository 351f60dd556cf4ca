//! How a client reaches registries and who it says it is: certificates, logins of every kind, waits.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{
    ffi::{CStr, c_char},
    process::Command,
    ptr,
    time::{Duration, Instant},
};

use oci_chart::*;
use oci_chart_testkit::{Bearer, Fault, Registry, Rule, Tls};
use support::{Library, c, checked, document, given};

// SAFETY, for all of this file: good arguments, and objects that live until they are freed.

type Options = *mut oci_chart_client_options;

fn target(registry: &Registry) -> String {
    format!("oci://{}/charts", registry.host())
}

/// Whether a push works with such a client, and else how it fails.
fn push(registry: &Registry, set: impl Fn(Options)) -> Result<(), (oci_chart_status, String)> {
    let library = Library::new(|options| {
        checked(|err| unsafe { oci_chart_client_options_set_retry(options, 1, 0, 0, err) }).unwrap();
        set(options);
    });
    let ensure = oci_chart_push_options { mode: oci_chart_tag_mode::Ensure as i32, ..Default::default() };
    let done = library.push(&library.package("1.0.0"), &target(registry), Some(&ensure), None);
    done.map(drop).map_err(|failure| (failure.status, failure.reason))
}

#[test]
fn certificates_are_trusted_and_shown_as_they_are_told() {
    let (registry, directory) =
        (Registry::builder().tls(Tls::built_in()).start_blocking().unwrap(), tempfile::tempdir().unwrap());
    let host = c(registry.host());
    let (pem, len) = (Tls::AUTHORITY.as_ptr(), Tls::AUTHORITY.len());
    assert_eq!(push(&registry, |_| ()).unwrap_err().0, oci_chart_status::Tls);
    let own = directory.path().join(registry.host());
    fs_err::create_dir(&own).unwrap();
    fs_err::write(own.join("ca.crt"), Tls::AUTHORITY).unwrap();
    let certs = c(directory.path().to_str().unwrap());
    let ways: [&dyn Fn(Options, *mut *mut oci_chart_error) -> oci_chart_status; 4] = [
        &|options, err| unsafe { oci_chart_client_options_add_root_certificate(options, pem, len, err) },
        &|options, err| unsafe {
            oci_chart_client_options_add_host_root_certificate(options, host.as_ptr(), pem, len, err)
        },
        &|options, err| unsafe {
            oci_chart_client_options_add_unchecked_certificate(options, host.as_ptr(), err)
        },
        &|options, err| unsafe { oci_chart_client_options_add_certs_directory(options, certs.as_ptr(), err) },
    ];
    for (n, way) in ways.iter().enumerate() {
        let pushed = push(&registry, |options| checked(|err| way(options, err)).unwrap());
        assert!(pushed.is_ok(), "{n}: {pushed:?}");
    }

    let tls = Tls::built_in().client_authority(Tls::AUTHORITY);
    let mutual = Registry::builder().tls(tls).start_blocking().unwrap();
    let host = c(mutual.host());
    let trusting = |options| {
        checked(|err| unsafe { oci_chart_client_options_add_root_certificate(options, pem, len, err) })
            .unwrap();
    };
    push(&mutual, trusting).unwrap_err();
    push(&mutual, |options| {
        trusting(options);
        let (chain, key) = (Tls::CERTIFICATE, Tls::KEY);
        checked(|err| unsafe {
            let (host, chain, chain_len) = (host.as_ptr(), chain.as_ptr(), chain.len());
            let (key, key_len) = (key.as_ptr(), key.len());
            oci_chart_client_options_set_client_certificate(
                options, host, chain, chain_len, key, key_len, err,
            )
        })
        .unwrap();
    })
    .unwrap();
}

type Add = unsafe extern "C" fn(
    Options,
    *const c_char,
    *const c_char,
    *mut *mut oci_chart_error,
) -> oci_chart_status;

/// Who shows something of that kind to the registry.
fn shown(registry: &Registry) -> Vec<String> {
    registry.log().take().iter().filter_map(|exchange| exchange.authorization.clone()).collect()
}

#[test]
fn each_kind_of_token_is_shown_to_whom_it_is_for() {
    let bearer = Bearer::new("robot", "hunter2").identity("long-lived");
    let tokens = Registry::builder().bearer_auth(bearer).start_blocking().unwrap();
    let basic = Registry::builder().basic_auth("robot", "hunter2").start_blocking().unwrap();
    let with = |registry: &Registry, add: Add| {
        let host = c(registry.host());
        push(registry, |options| {
            support::plain_http(options, registry.host());
            checked(|err| unsafe { add(options, host.as_ptr(), c"long-lived".as_ptr(), err) }).unwrap();
        })
    };
    assert_eq!(with(&tokens, oci_chart_client_options_add_identity_token), Ok(()));
    // Only a token of the registry's own goes to the registry itself.
    assert!(with(&basic, oci_chart_client_options_add_identity_token).is_err());
    assert!(!shown(&basic).contains(&"Bearer".to_owned()));
    assert!(with(&basic, oci_chart_client_options_add_token).is_err());
    assert!(shown(&basic).contains(&"Bearer".to_owned()));
}

#[test]
fn a_callback_may_answer_with_a_token() {
    let registry = Registry::builder().basic_auth("robot", "hunter2").start_blocking().unwrap();
    let library = Library::new(|options| {
        support::plain_http(options, registry.host());
        checked(|err| unsafe { oci_chart_client_options_use_call_credentials(options, err) }).unwrap();
    });
    let call = oci_chart_call { on_credentials: Some(token), ..Default::default() };
    library.tags(&format!("{}/web", target(&registry)), Some(&call)).unwrap_err();
    assert!(shown(&registry).contains(&"Bearer".to_owned()));
}

unsafe extern "C" fn token(_: *mut std::ffi::c_void, _: *const c_char, answer: *mut oci_chart_answer) -> i32 {
    let given = unsafe { oci_chart_answer_set_token(answer, c"own".as_ptr(), ptr::null_mut()) };
    i32::from(given != oci_chart_status::Ok)
}

#[test]
fn a_pull_secret_is_read_by_its_rule_and_a_registries_yaml_has_logins() {
    let registry = Registry::builder().basic_auth("robot", "hunter2").start_blocking().unwrap();
    let (host, path) = (c(registry.host()), c("charts/web"));
    // The login of another repository at the same host.
    let config = serde_json::json!({ "auths": {
        format!("{}/other", registry.host()): { "username": "robot", "password": "hunter2" }
    } });
    let manifest = serde_json::json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
        "stringData": { ".dockerconfigjson": config.to_string() },
    })
    .to_string();
    let mut secret = ptr::null_mut();
    checked(|err| unsafe {
        oci_chart_pull_secret_parse(manifest.as_ptr(), manifest.len(), &raw mut secret, err)
    })
    .unwrap();
    let by = |rule: oci_chart_key_rule| {
        let pushed = push(&registry, |options| {
            support::plain_http(options, registry.host());
            checked(|err| unsafe {
                oci_chart_client_options_use_pull_secret(options, secret, rule as i32, err)
            })
            .unwrap();
        });
        let mut user = ptr::null_mut();
        checked(|err| unsafe {
            oci_chart_pull_secret_get_user(
                secret,
                host.as_ptr(),
                path.as_ptr(),
                rule as i32,
                &raw mut user,
                err,
            )
        })
        .unwrap();
        (pushed.is_ok(), !user.is_null() && support::taken(user) == "robot")
    };
    assert_eq!(by(oci_chart_key_rule::Docker), (true, true));
    assert_eq!(by(oci_chart_key_rule::Podman), (false, false));
    unsafe { oci_chart_pull_secret_free(secret) };

    let yaml =
        format!("configs:\n  \"{}\":\n    auth: {{ username: robot, password: hunter2 }}\n", registry.host());
    push(&registry, |options| {
        support::plain_http(options, registry.host());
        checked(|err| unsafe {
            oci_chart_client_options_add_registries_yaml(options, yaml.as_ptr(), yaml.len(), err)
        })
        .unwrap();
    })
    .unwrap();
}

/// What the environment decides is tried in a process of its own: this program again, with one test.
#[test]
fn stored_and_cloud_logins_are_looked_for() {
    let (directory, registry) = (
        tempfile::tempdir().unwrap(),
        Registry::builder().basic_auth("robot", "hunter2").start_blocking().unwrap(),
    );
    let auths = serde_json::json!({ "auths": { registry.host(): { "auth": "cm9ib3Q6aHVudGVyMg==" } } });
    fs_err::write(directory.path().join("config.json"), auths.to_string()).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "with_logins_in_its_environment", "--nocapture"]);
    child.env("OCI_CHART_TEST_CHILD", registry.host()).env("DOCKER_CONFIG", directory.path());
    child.env("HELM_REGISTRY_CONFIG", directory.path().join("none"));
    child.env("REGISTRY_AUTH_FILE", directory.path().join("none"));
    child.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "secret");
    let done = child.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn with_logins_in_its_environment() {
    let Ok(host) = std::env::var("OCI_CHART_TEST_CHILD") else { return };
    let user = |set: &dyn Fn(Options)| {
        let library = Library::new(|options| {
            support::plain_http(options, &host);
            set(options);
        });
        let (host, mut out) = (c(&host), ptr::null_mut());
        checked(|err| unsafe {
            oci_chart_client_login_status(library.0, host.as_ptr(), ptr::null(), &raw mut out, err)
        })
        .unwrap();
        (!out.is_null()).then(|| support::taken(out))
    };
    assert_eq!(user(&|_| ()), None);
    let stored = user(&|options| {
        checked(|err| unsafe { oci_chart_client_options_use_stored_logins(options, err) }).unwrap();
    });
    assert!(stored.as_ref().is_some_and(|stored| stored.contains("\"robot\"")), "{stored:?}");
    let listed = given(|out, err| unsafe {
        oci_chart_client_stored_logins(Library::plain("localhost").0, ptr::null(), out, err)
    })
    .unwrap();
    assert!(listed.contains("\"robot\"") && !listed.contains("hunter2"), "{listed}");

    // Whom the cloud is asked for, through the client's own proxy, where nobody is.
    let ecr = c"123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    let asked = |uses: bool| {
        let library = Library::new(|options| {
            let (proxy, none) = (c"http://127.0.0.1:9".as_ptr(), ptr::null());
            checked(|err| unsafe { oci_chart_client_options_set_proxy(options, proxy, none, err) }).unwrap();
            checked(|err| unsafe { oci_chart_client_options_set_retry(options, 1, 0, 0, err) }).unwrap();
            if uses {
                checked(|err| unsafe { oci_chart_client_options_use_cloud_logins(options, err) }).unwrap();
            }
        });
        let mut out = ptr::null_mut();
        checked(|err| unsafe {
            oci_chart_client_login_status(library.0, ecr.as_ptr(), ptr::null(), &raw mut out, err)
        })
        .map_err(|failure| failure.json)
    };
    asked(false).unwrap();
    let failure = asked(true).unwrap_err();
    assert!(failure.contains("127.0.0.1:9") || failure.contains("proxy"), "{failure}");
}

#[test]
fn waits_are_as_long_as_they_are_told() {
    let bearer = Bearer::new("robot", "hunter2");
    let registry = Registry::builder().bearer_auth(bearer).start_blocking().unwrap();
    let (host, repository) = (c(registry.host()), format!("{}/web", target(&registry)));
    let login = |options| {
        checked(|err| unsafe {
            let (user, password) = (c"robot".as_ptr(), c"hunter2".as_ptr());
            oci_chart_client_options_add_login(options, host.as_ptr(), user, password, err)
        })
        .unwrap();
    };
    // A token service that does not answer.
    let hasty = Library::new(|options| {
        support::plain_http(options, registry.host());
        login(options);
        checked(|err| unsafe { oci_chart_client_options_set_timeouts(options, 0, 0, 150, 0, err) }).unwrap();
    });
    registry.script().add(Rule::new("*", "/token*", Fault::Delay(Duration::from_secs(20))));
    let began = Instant::now();
    assert_eq!(hasty.tags(&repository, None).unwrap_err().status, oci_chart_status::Timeout);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    registry.script().clear();

    // The first wait would be a minute, the longest is not.
    let bounded = Library::new(|options| {
        support::plain_http(options, registry.host());
        login(options);
        checked(|err| unsafe { oci_chart_client_options_set_retry(options, 2, 60_000, 10, err) }).unwrap();
    });
    bounded.push(&bounded.package("1.0.0"), &target(&registry), None, None).unwrap();
    registry.script().once("GET", "*/tags/list*", Fault::error(503, "UNAVAILABLE"));
    let began = Instant::now();
    bounded.tags(&repository, None).unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());

    // Twenty requests a second, so that four take some time.
    let paced = Library::new(|options| {
        support::plain_http(options, registry.host());
        login(options);
        checked(|err| unsafe { oci_chart_client_options_set_pace(options, host.as_ptr(), 0, 360, err) })
            .unwrap();
    });
    paced.tags(&repository, None).unwrap();
    let began = Instant::now();
    for _ in 0..3 {
        paced.tags(&repository, None).unwrap();
    }
    assert!(began.elapsed() > Duration::from_millis(400), "{:?}", began.elapsed());
}

#[test]
fn an_identity_token_is_kept_instead_of_a_password() {
    let bearer = Bearer::new("robot", "hunter2");
    let registry = Registry::builder().bearer_auth(bearer).start_blocking().unwrap();
    let (library, directory) = (Library::plain(registry.host()), tempfile::tempdir().unwrap());
    let kept = |flags, name: &str| {
        let path = directory.path().join(name);
        let (host, file) = (c(registry.host()), c(path.to_str().unwrap()));
        let place = oci_chart_login_place::File as i32;
        let options = oci_chart_login_options { place, flags, file: file.as_ptr(), ..Default::default() };
        document(|out, err| unsafe {
            let (user, password, call) = (c"robot".as_ptr(), c"hunter2".as_ptr(), ptr::null());
            oci_chart_client_login(
                library.0,
                host.as_ptr(),
                user,
                password,
                &raw const options,
                call,
                out,
                err,
            )
        })
        .unwrap();
        fs_err::read_to_string(path).unwrap()
    };
    assert!(!kept(0, "password").contains("identitytoken"));
    assert!(kept(OCI_CHART_LOGIN_IDENTITY_TOKEN, "token").contains("identitytoken"));
}

#[test]
fn a_cache_keeps_what_it_may() {
    let (registry, directory) = (Registry::builder().start_blocking().unwrap(), tempfile::tempdir().unwrap());
    let place = c(directory.path().join("cache").to_str().unwrap());
    let library = Library::new(|options| {
        support::plain_http(options, registry.host());
        checked(|err| unsafe { oci_chart_client_options_set_cache(options, place.as_ptr(), 0, err) })
            .unwrap();
    });
    library.push(&library.package("1.0.0"), &target(&registry), None, None).unwrap();
    let flags = OCI_CHART_PULL_WITHOUT_VERIFICATION;
    let options = oci_chart_pull_options { flags, ..Default::default() };
    library.pull(&format!("{}/web", target(&registry)), Some("1.0.0"), &raw const options).unwrap();
    let bytes = || {
        let usage = document(|out, err| unsafe { oci_chart_cache_usage(place.as_ptr(), out, err) });
        usage.unwrap()["bytes"].as_u64().unwrap()
    };
    let all = bytes();
    checked(|err| unsafe { oci_chart_cache_prune(place.as_ptr(), all, ptr::null_mut(), err) }).unwrap();
    assert_eq!(bytes(), all);
    checked(|err| unsafe { oci_chart_cache_prune(place.as_ptr(), all - 1, ptr::null_mut(), err) }).unwrap();
    assert!((1..all).contains(&bytes()), "{} of {all}", bytes());
}

#[test]
fn a_target_is_taken_apart() {
    let parts = |target: &CStr| {
        document(|out, err| unsafe { oci_chart_target_parse(target.as_ptr(), out, err) }).unwrap()
    };
    let digest = format!("sha256:{}", "1".repeat(64));
    assert_eq!(
        parts(&c(&format!("oci://registry.example/charts/web:1.0.0@{digest}"))),
        serde_json::json!({
            "location": "oci://registry.example/charts/web", "host": "registry.example", "repository": "charts/web",
            "tag": "1.0.0", "digest": digest, "selector": format!("1.0.0@{digest}"),
        })
    );
}
