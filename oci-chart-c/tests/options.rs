//! What options say arrives: those of loading, pushing, signing, checking and attaching, of clients, logins and calls; and what contradicts itself
//! is refused.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{
    ffi::{CStr, CString, c_char, c_void},
    path::Path,
    process::Command,
    ptr, thread,
    time::{Duration, Instant},
};

use oci_chart::*;
use oci_chart_testkit::{Fault, Registry, Rule};
use serde_json::{Value, json};
use support::{Chart, Failure, Library, Package, Signer, c, checked, document, given, or_null};

// SAFETY, for all of this file: good arguments, and objects that live until they are freed.

const EPOCH: &str = "1970-01-01T00:00:10Z";

fn registry() -> (Registry, String) {
    let registry = Registry::builder().start_blocking().unwrap();
    let target = format!("oci://{}/charts", registry.host());
    (registry, target)
}

/// A layout with the chart web 1.0.0 in it.
fn layout() -> (tempfile::TempDir, Library, String) {
    let directory = tempfile::tempdir().unwrap();
    let (library, target) =
        (Library::plain("localhost"), format!("oci-layout:{}", directory.path().display()));
    library.push(&library.package("1.0.0"), &target, None, None).unwrap();
    (directory, library, target)
}

fn load(path: &Path, options: oci_chart_load_options) -> Result<Chart, Failure> {
    let (path, mut out) = (c(path.to_str().unwrap()), ptr::null_mut());
    checked(|err| unsafe {
        oci_chart_chart_load(path.as_ptr(), &raw const options, ptr::null(), &raw mut out, err)
    })?;
    Ok(Chart(out))
}

#[test]
fn loading_is_bounded_and_strict_as_it_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let chart = directory.path().join("web");
    fs_err::create_dir(&chart).unwrap();
    fs_err::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.0.0\n").unwrap();
    fs_err::write(chart.join("notes"), "x".repeat(2000)).unwrap();
    let default = oci_chart_load_options::default;
    let loaded = load(&chart, default()).unwrap();
    for tight in [
        oci_chart_load_options { max_file_bytes: 1000, ..default() },
        oci_chart_load_options { max_total_bytes: 1000, ..default() },
    ] {
        assert_eq!(load(&chart, tight).unwrap_err().status, oci_chart_status::LimitExceeded);
    }

    let package = loaded.package(&oci_chart_package_options::default()).unwrap();
    let file = directory.path().join("web.tgz");
    fs_err::write(&file, [package.bytes(), b"junk".to_vec()].concat()).unwrap();
    load(&file, default()).unwrap();
    let strict = oci_chart_load_options { flags: OCI_CHART_LOAD_STRICT, ..default() };
    let failure = load(&file, strict).unwrap_err();
    assert_eq!((failure.status, failure.reason.as_str()), (oci_chart_status::InvalidArchive, "bad-trailer"));

    fs_err::write(directory.path().join("outside"), "outside").unwrap();
    fs_err::os::unix::fs::symlink("../outside", chart.join("link")).unwrap();
    load(&chart, default()).unwrap_err();
    load(&chart, oci_chart_load_options { flags: OCI_CHART_LOAD_FOLLOW_OUTSIDE_SYMLINKS, ..default() })
        .unwrap();
}

#[test]
fn a_push_has_channels_and_no_contradictions() {
    let (_directory, library, target) = layout();
    let package = library.package("2.0.0+build");
    let push = |options: oci_chart_push_options| library.push(&package, &target, Some(&options), None);
    let default = oci_chart_push_options::default;
    let digest = c(&format!("sha256:{}", "0".repeat(64)));
    for wrong in [
        oci_chart_push_options { created: 10, ..default() },
        oci_chart_push_options {
            mode: oci_chart_tag_mode::Replace as i32,
            expected_digest: digest.as_ptr(),
            ..default()
        },
        oci_chart_push_options { mode: oci_chart_tag_mode::Expect as i32, ..default() },
    ] {
        assert_eq!(push(wrong).unwrap_err().status, oci_chart_status::InvalidInput);
    }
    push(oci_chart_push_options { channels: c"stable,latest".as_ptr(), ..default() }).unwrap();
    // A version's plus is an underscore in a tag, also in one that is set.
    let tag = |tag: &CStr| {
        let (target, version) = (c(&target), c"2.0.0+build".as_ptr());
        checked(|err| unsafe {
            let (client, none, call) = (library.0, ptr::null(), ptr::null());
            oci_chart_client_tag(client, target.as_ptr(), version, tag.as_ptr(), 0, none, call, err)
        })
    };
    tag(c"2.0.0+again").unwrap();
    assert_eq!(tag(c"2.0.0+again").unwrap_err().status, oci_chart_status::AlreadyExists);
    let mut tags: Vec<String> = serde_json::from_str(&library.tags(&target, None).unwrap()).unwrap();
    tags.sort();
    assert_eq!(tags, ["1.0.0", "2.0.0_again", "2.0.0_build", "latest", "stable"]);
}

#[test]
fn a_pull_says_one_kind_of_trust_and_a_repository_has_no_tag() {
    let (_directory, library, target) = layout();
    let signer = generated();
    let policy = c(&policy(&signer, &json!({})).to_string());
    let both = oci_chart_pull_options {
        policy: policy.as_ptr(),
        flags: OCI_CHART_PULL_WITHOUT_VERIFICATION,
        ..Default::default()
    };
    let failure = library.pull(&target, None, &raw const both).unwrap_err();
    assert_eq!(failure.status, oci_chart_status::InvalidInput);
    let failure = library.tags(&format!("{target}:1.0.0"), None).unwrap_err();
    assert_eq!(failure.status, oci_chart_status::InvalidInput);

    let digest = c(&format!("sha256:{}", "0".repeat(64)));
    let failure = given(|out, err| unsafe {
        let (bundle, data) = (b"{}", b"x");
        let (signer, root) = (c"{}".as_ptr(), ptr::null());
        oci_chart_verify_bundle(bundle.as_ptr(), 2, data.as_ptr(), 1, digest.as_ptr(), signer, root, out, err)
    })
    .unwrap_err();
    assert!(failure.message.contains("both bytes and a digest"), "{failure:?}");
}

#[test]
fn whether_there_is_something_is_said_only_where_it_is_known() {
    let (registry, target) = registry();
    let library = Library::plain(registry.host());
    library.push(&library.package("1.0.0"), &target, None, None).unwrap();
    let exists = |version: &str| {
        let (target, version, mut out) = (c(&format!("{target}/web")), c(version), 7);
        checked(|err| unsafe {
            let (target, version) = (target.as_ptr(), version.as_ptr());
            oci_chart_client_exists(library.0, target, version, ptr::null(), &raw mut out, err)
        })
        .map(|()| out)
    };
    assert_eq!((exists("1.0.0").unwrap(), exists("2.0.0").unwrap()), (1, 0));
    registry.script().add(Rule::new("*", "*/manifests/*", Fault::error(403, "DENIED")).always());
    assert_eq!(exists("1.0.0").unwrap_err().status, oci_chart_status::PermissionDenied);
}

#[test]
fn an_error_has_its_numbers() {
    let (registry, target) = registry();
    let library = Library::plain(registry.host());
    registry.script().once("*", "*", Fault::too_many_requests("7"));
    let target = c(&format!("{target}/web"));
    let (mut out, mut err) = (ptr::null_mut(), ptr::null_mut());
    unsafe {
        let status =
            oci_chart_client_tags(library.0, target.as_ptr(), ptr::null(), &raw mut out, &raw mut err);
        assert_eq!(status, oci_chart_status::RateLimited);
        assert_eq!(oci_chart_error_get_retry_after_ms(err), 7000);
        assert_eq!((oci_chart_error_is_retryable(err), oci_chart_error_get_http_status(err)), (1, 429));
        assert_eq!(oci_chart_error_get_os_error(err), 0);
        oci_chart_error_free(err);
        let (mut chart, none) = (ptr::null_mut(), ptr::null());
        let status =
            oci_chart_chart_load(c"/nowhere".as_ptr(), none, ptr::null(), &raw mut chart, &raw mut err);
        assert_eq!(status, oci_chart_status::NotFound);
        assert_eq!((oci_chart_error_get_os_error(err), oci_chart_error_is_retryable(err)), (2, 0));
        assert_eq!(oci_chart_error_get_retry_after_ms(err), 0);
        oci_chart_error_free(err);
    }
}

fn generated() -> Signer {
    let mut signer = ptr::null_mut();
    checked(|err| unsafe { oci_chart_signer_generate(&raw mut signer, err) }).unwrap();
    Signer(signer)
}

/// A policy that trusts the signer's key, with more said of it.
fn policy(signer: &Signer, more: &Value) -> Value {
    let mut key = json!({ "key": unsafe { support::text(oci_chart_signer_get_public_key(signer.0)) } });
    key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "keys": { "keys": [key], "tlog": "ignore-explicitly" } })
}

#[test]
fn signatures_and_attachments_have_their_times() {
    let (_directory, library, target) = layout();
    let (signer, at) = (generated(), c(&target));
    let client = library.0;
    let sign = |options: oci_chart_sign_options| {
        document(|out, err| unsafe {
            let (target, version, call) = (at.as_ptr(), c"1.0.0".as_ptr(), ptr::null());
            oci_chart_client_sign(client, target, version, signer.0, &raw const options, call, out, err)
        })
    };
    let default = oci_chart_sign_options::default;
    assert_eq!(
        sign(oci_chart_sign_options { created: 10, ..default() }).unwrap_err().status,
        oci_chart_status::InvalidInput
    );
    let created = |digest: &Value| {
        let at = c(&format!("{target}@{}", digest.as_str().unwrap()));
        let manifest = support::bytes(|out, err| unsafe {
            let (none, call, nobody) = (ptr::null(), ptr::null(), ptr::null_mut());
            oci_chart_client_fetch_manifest(client, at.as_ptr(), none, call, out, nobody, err)
        });
        let manifest: Value = serde_json::from_slice(&manifest.unwrap().unwrap()).unwrap();
        manifest["annotations"]["org.opencontainers.image.created"].clone()
    };
    let signed =
        sign(oci_chart_sign_options { created: 10, flags: OCI_CHART_SIGN_CREATED, ..default() }).unwrap();
    assert_eq!(created(&signed["bundle"]["digest"]), EPOCH, "{signed}");
    let kept = |flags| {
        let signed = sign(oci_chart_sign_options { flags, ..default() }).unwrap();
        signed["kept"].as_array().map_or(0, Vec::len)
    };
    assert_eq!((kept(0), kept(OCI_CHART_SIGN_ANYWAY)), (1, 0));

    // The time of the check decides about keys that have theirs.
    let policy = c(&policy(&signer, &json!({ "notAfter": EPOCH })).to_string());
    let verify = |options| library.verify(&target, Some("1.0.0"), &policy, Some(&options));
    let default = oci_chart_verify_options::default;
    verify(oci_chart_verify_options { now: 9, flags: OCI_CHART_VERIFY_NOW, ..default() }).unwrap();
    verify(oci_chart_verify_options { now: 11, flags: OCI_CHART_VERIFY_NOW, ..default() }).unwrap_err();
    verify(default()).unwrap_err();
    let failure = verify(oci_chart_verify_options { now: 9, ..default() }).unwrap_err();
    assert_eq!(failure.status, oci_chart_status::InvalidInput);

    let attach = |options: oci_chart_attach_options| {
        document(|out, err| unsafe {
            let (target, version, kind) = (at.as_ptr(), c"1.0.0".as_ptr(), c"text/plain".as_ptr());
            let (data, call) = (b"notes".as_ptr(), ptr::null());
            oci_chart_client_attach(
                client,
                target,
                version,
                kind,
                data,
                5,
                &raw const options,
                call,
                out,
                err,
            )
        })
    };
    let default = oci_chart_attach_options::default;
    let attached =
        attach(oci_chart_attach_options { created: 10, flags: OCI_CHART_ATTACH_CREATED, ..default() });
    assert_eq!(created(&attached.unwrap()["descriptor"]["digest"]), EPOCH);
    let failure = attach(oci_chart_attach_options { created: 10, ..default() }).unwrap_err();
    assert_eq!(failure.status, oci_chart_status::InvalidInput);
}

type Set = unsafe extern "C" fn(
    *mut oci_chart_client_options,
    u32,
    u64,
    u64,
    *mut *mut oci_chart_error,
) -> oci_chart_status;

#[test]
fn a_client_keeps_its_waits_its_pace_and_its_name() {
    let (registry, target) = registry();
    let host = c(registry.host());
    let plain = |options| {
        checked(|err| unsafe { oci_chart_client_options_add_plain_http(options, host.as_ptr(), err) })
            .unwrap();
    };
    let set: Set = oci_chart_client_options_set_retry;
    let retries = |options, attempts, first| {
        checked(|err| unsafe { set(options, attempts, first, 0, err) }).unwrap();
    };
    let repository = format!("{target}/web");
    let named = Library::new(|options| {
        plain(options);
        checked(|err| unsafe { oci_chart_client_options_set_user_agent(options, c"pusher/7".as_ptr(), err) })
            .unwrap();
    });
    named.push(&named.package("1.0.0"), &target, None, None).unwrap();
    let exchanges = registry.log().take();
    assert!(exchanges.iter().all(|exchange| exchange.header("user-agent").unwrap().ends_with(" pusher/7")));

    let patient = Library::new(|options| {
        plain(options);
        retries(options, 2, 800);
    });
    registry.script().once("GET", "*/tags/list*", Fault::error(503, "UNAVAILABLE"));
    let began = Instant::now();
    patient.tags(&repository, None).unwrap();
    // Up to half of the wait is left out at random.
    assert!(began.elapsed() >= Duration::from_millis(400), "{:?}", began.elapsed());
    // Zero leaves what was said before.
    let once = Library::new(|options| {
        plain(options);
        retries(options, 1, 0);
        retries(options, 0, 1);
    });
    registry.script().once("GET", "*/tags/list*", Fault::error(503, "UNAVAILABLE"));
    assert_eq!(once.tags(&repository, None).unwrap_err().status, oci_chart_status::Unavailable);

    let silent = support::silent_server();
    let hasty = Library::new(|options| {
        support::plain_http(options, &silent);
        checked(|err| unsafe { oci_chart_client_options_set_timeouts(options, 0, 0, 0, 150, err) }).unwrap();
    });
    let began = Instant::now();
    let failure = hasty.tags(&format!("oci://{silent}/charts/web"), None).unwrap_err();
    assert_eq!((failure.status, failure.reason.as_str()), (oci_chart_status::Timeout, "deadline-exceeded"));
    assert!(began.elapsed() < Duration::from_secs(5));

    let slow = Registry::builder().latency(Duration::from_millis(40)).start_blocking().unwrap();
    let target = c(&format!("oci://{}/charts/web", slow.host()));
    slow.put_manifest("charts/web", "1.0.0", "application/vnd.oci.image.index.v1+json", INDEX).unwrap();
    let paced = Library::new(|options| {
        support::plain_http(options, slow.host());
        let host = c(slow.host());
        checked(|err| unsafe { oci_chart_client_options_set_pace(options, host.as_ptr(), 1, 0, err) })
            .unwrap();
    });
    let client = paced.0 as usize;
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let client = client as *const oci_chart_client;
                given(|out, err| unsafe {
                    oci_chart_client_tags(client, target.as_ptr(), ptr::null(), out, err)
                })
                .unwrap();
            });
        }
    });
    assert_eq!(slow.log().max_concurrent(), 1);
}

const INDEX: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

#[test]
fn requests_are_told_and_their_listener_may_stop_the_call() {
    let (registry, target) = registry();
    let host = c(registry.host());
    let library = Library::new(|options| {
        checked(|err| unsafe { oci_chart_client_options_add_plain_http(options, host.as_ptr(), err) })
            .unwrap();
        // Nobody waits that long.
        checked(|err| unsafe { oci_chart_client_options_set_retry(options, 5, 60_000, 60_000, err) })
            .unwrap();
    });
    let mut told = Told::default();
    let call =
        oci_chart_call { user_data: (&raw mut told).cast(), on_request: Some(hear), ..Default::default() };
    registry.script().once("GET", "*/tags/list*", Fault::error(503, "UNAVAILABLE"));
    let began = Instant::now();
    let failure = library.tags(&format!("{target}/web"), Some(&call)).unwrap_err();
    assert_eq!(failure.status, oci_chart_status::Cancelled, "{failure:?}");
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(told.0.len(), 1, "{told:?}");
    assert_eq!((told.0[0].0.as_str(), told.0[0].2), ("GET", 503));
    assert!(
        told.0[0].1.starts_with(&format!("http://{}/v2/charts/web/tags/list", registry.host())),
        "{told:?}"
    );
}

/// Methods, addresses and statuses.
#[derive(Debug, Default)]
struct Told(Vec<(String, String, i32)>);

unsafe extern "C" fn hear(data: *mut c_void, request: *const oci_chart_request) -> i32 {
    let (told, request) = unsafe { (&mut *data.cast::<Told>(), &*request) };
    assert!(request.error.is_null() && request.attempt == 1);
    let (method, url) = unsafe { (support::text(request.method), support::text(request.url)) };
    told.0.push((method, url, request.status));
    i32::from(request.status == 503)
}

#[test]
fn a_stream_ends_at_its_time_out_and_a_token_stops_watched_work() {
    let bytes = Library::plain("localhost").package("1.0.0").bytes();
    let mut rest = bytes.as_slice();
    let call = oci_chart_call { timeout_ms: 40, ..Default::default() };
    let mut out = ptr::null_mut();
    let failure = checked(|err| unsafe {
        let data = (&raw mut rest).cast();
        oci_chart_package_load_stream(Some(drip), data, ptr::null(), &raw const call, &raw mut out, err)
    })
    .unwrap_err();
    assert_eq!((failure.status, failure.reason.as_str()), (oci_chart_status::Timeout, "deadline-exceeded"));
    assert!(!rest.is_empty());

    // Where the caller wants turns, the work has a token of its own, which the caller's stops.
    let directory = tempfile::tempdir().unwrap();
    let chart = directory.path().join("Chart.yaml");
    fs_err::write(chart, "apiVersion: v2\nname: web\nversion: 1.0.0\n").unwrap();
    for n in 0..2000 {
        fs_err::write(directory.path().join(format!("file{n}")), "x").unwrap();
    }
    let token = oci_chart_cancel_token_new();
    let call = oci_chart_call {
        cancel: token,
        user_data: token.cast(),
        on_event: Some(cancel_once),
        timeout_ms: 600_000,
        ..Default::default()
    };
    let chart = Chart::load(directory.path().to_str().unwrap()).unwrap();
    let options = oci_chart_package_options::default();
    let packaged = (0..50).find_map(|_| {
        let mut out = ptr::null_mut();
        let done = checked(|err| unsafe {
            oci_chart_chart_package(chart.0, &raw const options, &raw const call, &raw mut out, err)
        });
        match done {
            Ok(()) => {
                drop(Package(out));
                None
            }
            Err(failure) => Some(failure.status),
        }
    });
    assert_eq!(packaged, Some(oci_chart_status::Cancelled));
    unsafe { oci_chart_cancel_token_free(token) };
}

unsafe extern "C" fn cancel_once(token: *mut c_void, _: *const oci_chart_event) -> i32 {
    let done = unsafe { oci_chart_cancel_token_cancel(token.cast(), ptr::null_mut()) };
    i32::from(done != oci_chart_status::Ok)
}

/// One byte every 10 ms.
unsafe extern "C" fn drip(data: *mut c_void, buffer: *mut u8, room: usize, read: *mut usize) -> i32 {
    thread::sleep(Duration::from_millis(10));
    unsafe {
        let rest = &mut *data.cast::<&[u8]>();
        let (now, later) = rest.split_at(rest.len().min(1).min(room));
        std::slice::from_raw_parts_mut(buffer, now.len()).copy_from_slice(now);
        *rest = later;
        read.write(now.len());
    }
    0
}

fn login(
    library: &Library,
    host: &str,
    password: &CStr,
    options: &oci_chart_login_options,
) -> Result<Value, Failure> {
    let host = c(host);
    document(|out, err| unsafe {
        let (user, call) = (c"robot".as_ptr(), ptr::null());
        let password = password.as_ptr();
        oci_chart_client_login(
            library.0,
            host.as_ptr(),
            user,
            password,
            or_null(Some(options)),
            call,
            out,
            err,
        )
    })
}

#[test]
fn a_login_is_tried_unless_it_is_not_to_be() {
    let registry = Registry::builder().basic_auth("robot", "hunter2").start_blocking().unwrap();
    let (library, directory) = (Library::plain(registry.host()), tempfile::tempdir().unwrap());
    let file = c(directory.path().join("logins.json").to_str().unwrap());
    let with = |flags| oci_chart_login_options {
        place: oci_chart_login_place::File as i32,
        file: file.as_ptr(),
        flags,
        ..Default::default()
    };
    let failure = login(&library, registry.host(), c"wrong", &with(0)).unwrap_err();
    assert_eq!(failure.status, oci_chart_status::Unauthenticated);
    assert!(!directory.path().join("logins.json").exists());
    let done = login(&library, registry.host(), c"wrong", &with(OCI_CHART_LOGIN_UNVERIFIED)).unwrap();
    assert_eq!(done["verified"], false);
    let done = login(&library, registry.host(), c"hunter2", &with(0)).unwrap();
    assert_eq!(done["verified"], true);
    for wrong in [
        oci_chart_login_options { place: 0, ..with(0) },
        oci_chart_login_options { file: ptr::null(), ..with(0) },
        oci_chart_login_options { place: 4, file: ptr::null(), ..Default::default() },
    ] {
        let failure = login(&library, registry.host(), c"hunter2", &wrong).unwrap_err();
        assert_eq!(failure.status, oci_chart_status::InvalidInput);
    }
}

/// What the environment of a process decides is tried in a process of its own: this program again, with one test.
#[test]
fn the_environment_is_heeded_and_overruled() {
    let directory = tempfile::tempdir().unwrap();
    let own = "in_an_environment_of_its_own";
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", own, "--nocapture"]).env("OCI_CHART_TEST_CHILD", directory.path());
    child
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .env("http_proxy", "http://127.0.0.1:9")
        .env_remove("NO_PROXY");
    child.env("DOCKER_CONFIG", directory.path().join("docker"));
    child.env("REGISTRY_AUTH_FILE", directory.path().join("podman/auth.json"));
    child.env("HELM_REGISTRY_CONFIG", directory.path().join("helm/config.json"));
    let done = child.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn in_an_environment_of_its_own() {
    let Some(directory) = std::env::var_os("OCI_CHART_TEST_CHILD") else { return };
    let proxied = |is_direct: bool| {
        let library = Library::new(|options| {
            support::plain_http(options, "registry.invalid");
            if is_direct {
                let none: *const c_char = ptr::null();
                checked(|err| unsafe { oci_chart_client_options_set_proxy(options, none, none, err) })
                    .unwrap();
            }
        });
        library.tags("oci://registry.invalid/charts/web", None).unwrap_err().reason
    };
    assert_eq!((proxied(false).as_str(), proxied(true).as_str()), ("proxy-unreachable", "name-unknown"));

    let library = Library::plain("localhost");
    for (place, folder) in [
        (oci_chart_login_place::Helm, "helm"),
        (oci_chart_login_place::Docker, "docker"),
        (oci_chart_login_place::Podman, "podman"),
    ] {
        let options = oci_chart_login_options {
            place: place as i32,
            flags: OCI_CHART_LOGIN_UNVERIFIED,
            ..Default::default()
        };
        login(&library, "registry.example", c"hunter2", &options).unwrap();
        let kept = walk(&Path::new(&directory).join(folder));
        assert!(kept.contains("registry.example"), "{place:?}: {kept}");
    }
}

/// The contents of all files in a directory.
fn walk(directory: &Path) -> String {
    let files = fs_err::read_dir(directory).unwrap();
    files.map(|file| fs_err::read_to_string(file.unwrap().path()).unwrap()).collect()
}

#[test]
fn a_cache_has_its_bound() {
    let (registry, target) = registry();
    let place = tempfile::tempdir().unwrap();
    let bytes = |bound: u64, name: &str| {
        let place: CString = c(place.path().join(name).to_str().unwrap());
        let library = Library::new(|options| {
            support::plain_http(options, registry.host());
            checked(|err| unsafe { oci_chart_client_options_set_cache(options, place.as_ptr(), bound, err) })
                .unwrap();
        });
        let ensure = oci_chart_push_options { mode: oci_chart_tag_mode::Ensure as i32, ..Default::default() };
        library.push(&library.package("1.0.0"), &target, Some(&ensure), None).unwrap();
        let flags = OCI_CHART_PULL_WITHOUT_VERIFICATION;
        let options = oci_chart_pull_options { flags, ..Default::default() };
        library.pull(&format!("{target}/web"), Some("1.0.0"), &raw const options).unwrap();
        let usage = document(|out, err| unsafe { oci_chart_cache_usage(place.as_ptr(), out, err) }).unwrap();
        usage["bytes"].as_u64().unwrap()
    };
    let all = bytes(0, "wide");
    let few = bytes(all - 1, "narrow");
    assert!(few < all, "{few} of {all}");
}
