//! How a client reaches its registries, and whose logins it uses: what is set arrives.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{
    ffi::{CStr, c_char},
    ptr,
    time::Instant,
};

use oci_chart::*;
use oci_chart_testkit::{Fault, Registry};
use serde_json::Value;
use support::{Failure, Library, c, checked, document, given};

// SAFETY, for all of this file: good arguments, and objects that live until they are freed.

fn basic() -> Registry {
    Registry::builder().basic_auth("robot", "hunter2").start_blocking().unwrap()
}

#[test]
fn a_pull_secret_gives_logins_and_is_written() {
    let registry = basic();
    let secret = oci_chart_pull_secret_new();
    let host = c(registry.host());
    checked(|err| unsafe {
        oci_chart_pull_secret_add_login(secret, host.as_ptr(), c"robot".as_ptr(), c"hunter2".as_ptr(), err)
    })
    .unwrap();
    let manifest = given(|out, err| unsafe {
        oci_chart_pull_secret_to_manifest(secret, c"pull".as_ptr(), c"apps".as_ptr(), out, err)
    })
    .unwrap();
    assert!(
        manifest.contains("kubernetes.io/dockerconfigjson") && manifest.contains("\"apps\""),
        "{manifest}"
    );
    let config =
        document(|out, err| unsafe { oci_chart_pull_secret_to_docker_config(secret, out, err) }).unwrap();
    assert_eq!(config["auths"][registry.host()]["username"], "robot");
    unsafe { oci_chart_pull_secret_free(secret) };

    let mut read = ptr::null_mut();
    checked(|err| unsafe {
        oci_chart_pull_secret_parse(manifest.as_ptr(), manifest.len(), &raw mut read, err)
    })
    .unwrap();
    let user = given(|out, err| unsafe {
        oci_chart_pull_secret_get_user(read, host.as_ptr(), c"charts/web".as_ptr(), 2, out, err)
    });
    assert_eq!(user.unwrap(), "robot");
    let mut nobody = ptr::dangling_mut::<c_char>();
    checked(|err| unsafe {
        oci_chart_pull_secret_get_user(read, c"other.example".as_ptr(), ptr::null(), 0, &raw mut nobody, err)
    })
    .unwrap();
    assert!(nobody.is_null());

    let library = Library::new(|options| {
        support::plain_http(options, registry.host());
        checked(|err| unsafe { oci_chart_client_options_use_pull_secret(options, read, 0, err) }).unwrap();
    });
    unsafe { oci_chart_pull_secret_free(read) };
    let target = format!("oci://{}/charts", registry.host());
    library.push(&library.package("1.0.0"), &target, None, None).unwrap();
    let status = document(|out, err| unsafe {
        oci_chart_client_login_status(library.0, host.as_ptr(), ptr::null(), out, err)
    });
    assert_eq!(status.unwrap()["username"], "robot");
}

#[test]
fn a_mirror_is_read_first() {
    let (origin, mirror) =
        (Registry::builder().start_blocking().unwrap(), Registry::builder().start_blocking().unwrap());
    let plain = Library::plain(mirror.host());
    plain.push(&plain.package("1.0.0"), &format!("oci://{}/charts", mirror.host()), None, None).unwrap();
    let yaml = format!("mirrors:\n  \"{}\":\n    endpoint: [\"http://{}\"]\n", origin.host(), mirror.host());
    let endpoint = c(&format!("http://{}", mirror.host()));
    let host = c(origin.host());
    for way in 0..3 {
        let library = Library::new(|options| {
            support::plain_http(options, origin.host());
            support::plain_http(options, mirror.host());
            checked(|err| unsafe {
                match way {
                    0 => oci_chart_client_options_add_mirror(options, host.as_ptr(), endpoint.as_ptr(), err),
                    1 => oci_chart_client_options_add_mirror(options, ptr::null(), endpoint.as_ptr(), err),
                    _ => {
                        oci_chart_client_options_add_registries_yaml(options, yaml.as_ptr(), yaml.len(), err)
                    }
                }
            })
            .unwrap();
        });
        let pulled = pull(&library, &format!("oci://{}/charts/web", origin.host()));
        assert!(pulled.is_ok(), "{way}: {pulled:?}");
    }
}

#[test]
fn a_cache_answers_the_second_time() {
    let (registry, directory) = (Registry::builder().start_blocking().unwrap(), tempfile::tempdir().unwrap());
    let place = c(directory.path().join("cache").to_str().unwrap());
    let library = Library::new(|options| {
        support::plain_http(options, registry.host());
        checked(|err| unsafe { oci_chart_client_options_set_cache(options, place.as_ptr(), 0, err) })
            .unwrap();
    });
    let target = format!("oci://{}/charts", registry.host());
    library.push(&library.package("1.0.0"), &target, None, None).unwrap();
    pull(&library, &format!("{target}/web")).unwrap();
    let usage = || document(|out, err| unsafe { oci_chart_cache_usage(place.as_ptr(), out, err) }).unwrap();
    assert!(usage()["entries"].as_u64().unwrap() > 0);
    checked(|err| unsafe { oci_chart_cache_prune(place.as_ptr(), 0, ptr::null_mut(), err) }).unwrap();
    assert_eq!(usage()["entries"], 0);
}

#[test]
fn time_outs_limits_and_proxies_are_heeded() {
    let silent = support::silent_server();
    let library = Library::new(|options| {
        support::plain_http(options, &silent);
        checked(|err| unsafe { oci_chart_client_options_set_timeouts(options, 100, 200, 0, 0, err) })
            .unwrap();
    });
    let started = Instant::now();
    let failure = library.tags(&format!("oci://{silent}/charts/web"), None).unwrap_err();
    assert_eq!((failure.status, failure.reason.as_str()), (oci_chart_status::Timeout, "idle-timeout"));
    assert!(started.elapsed().as_secs() < 5);

    let registry = Registry::builder().start_blocking().unwrap();
    let target = format!("oci://{}/charts", registry.host());
    let bounded = Library::new(|options| {
        support::plain_http(options, registry.host());
        checked(|err| unsafe {
            oci_chart_client_options_set_limit(options, c"package_bytes".as_ptr(), 10, err)
        })
        .unwrap();
    });
    bounded.push(&bounded.package("1.0.0"), &target, None, None).unwrap();
    let failure = pull(&bounded, &format!("{target}/web")).unwrap_err();
    assert_eq!(failure.status, oci_chart_status::LimitExceeded);

    // What is on this machine is never asked through a proxy.
    let (dead, target) = (c("http://127.0.0.1:9"), "oci://registry.invalid/charts/web");
    let through = |no_proxy: *const c_char| {
        let library = Library::new(|options| {
            support::plain_http(options, "registry.invalid");
            checked(|err| unsafe {
                oci_chart_client_options_set_proxy(options, dead.as_ptr(), no_proxy, err)
            })
            .unwrap();
        });
        library.tags(target, None).unwrap_err().reason
    };
    assert_eq!(through(ptr::null()), "proxy-unreachable");
    assert_eq!(through(c".invalid".as_ptr()), "name-unknown");
}

#[test]
fn content_is_stored_and_fetched_and_tags_listed() {
    let registry = Registry::builder().start_blocking().unwrap();
    let (library, directory) = (Library::plain(registry.host()), tempfile::tempdir().unwrap());
    let target = c(&format!("oci://{}/charts/web", registry.host()));
    let store = |kind: &CStr, data: &[u8], tag: *const c_char, mode| {
        document(|out, err| unsafe {
            let (data, len, none, call) = (data.as_ptr(), data.len(), ptr::null(), ptr::null());
            let (client, target, kind) = (library.0, target.as_ptr(), kind.as_ptr());
            oci_chart_client_store_blob(client, target, kind, data, len, tag, mode, none, call, out, err)
        })
    };
    let descriptor = store(c"text/plain", b"hello", ptr::null(), 0).unwrap();
    let has = |descriptor: &Value| {
        let (descriptor, mut found) = (c(&descriptor.to_string()), 7);
        checked(|err| unsafe {
            let (client, target, call) = (library.0, target.as_ptr(), ptr::null());
            oci_chart_client_has_blob(client, target, descriptor.as_ptr(), call, &raw mut found, err)
        })
        .map(|()| found)
    };
    assert_eq!(has(&descriptor).unwrap(), 1);
    let mut other = descriptor.clone();
    other["digest"] = format!("sha256:{}", "0".repeat(64)).into();
    assert_eq!(has(&other).unwrap(), 0);
    assert_eq!(has(&"no descriptor".into()).unwrap_err().status, oci_chart_status::InvalidInput);

    // A manifest gets a tag, as its mode says.
    let index = |n: u32| {
        let media_type = "application/vnd.oci.image.index.v1+json";
        let index = serde_json::json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": [], "annotations": { "n": n.to_string() } });
        store(&c(media_type), index.to_string().as_bytes(), c"list".as_ptr(), 0)
    };
    index(1).unwrap();
    assert_eq!(index(2).unwrap_err().status, oci_chart_status::AlreadyExists);
    let failure = store(c"text/plain", b"hello", c"list".as_ptr(), 2).unwrap_err();
    assert_eq!(failure.status, oci_chart_status::InvalidInput);
    let (path, text) = (directory.path().join("hello"), c(&descriptor.to_string()));
    let place = c(path.to_str().unwrap());
    checked(|err| unsafe {
        oci_chart_client_fetch_blob(
            library.0,
            target.as_ptr(),
            text.as_ptr(),
            place.as_ptr(),
            ptr::null(),
            err,
        )
    })
    .unwrap();
    assert_eq!(fs_err::read(path).unwrap(), b"hello");

    library
        .push(&library.package("1.0.0"), &format!("oci://{}/charts", registry.host()), None, None)
        .unwrap();
    let listed = |open: &dyn Fn(*mut *mut oci_chart_list, *mut *mut oci_chart_error) -> oci_chart_status| {
        let mut list = ptr::null_mut();
        checked(|err| open(&raw mut list, err)).unwrap();
        support::List(list)
    };
    let next = |list: &support::List| {
        let mut page = ptr::dangling_mut();
        checked(|err| unsafe { oci_chart_list_next(list.0, ptr::null(), &raw mut page, err) })?;
        Ok::<_, Failure>((!page.is_null()).then(|| support::taken(page)))
    };
    let tags =
        || listed(&|out, err| unsafe { oci_chart_client_list_tags(library.0, target.as_ptr(), out, err) });
    let list = tags();
    assert_eq!(next(&list).unwrap().unwrap(), r#"["1.0.0","list"]"#);
    assert_eq!((next(&list).unwrap(), next(&list).unwrap()), (None, None));

    let host = c(registry.host());
    let list =
        listed(&|out, err| unsafe { oci_chart_client_list_repositories(library.0, host.as_ptr(), out, err) });
    assert_eq!(next(&list).unwrap().unwrap(), r#"["charts/web"]"#);

    // What failed once is never taken for the end.
    registry.script().once("GET", "*/tags/list*", Fault::error(403, "DENIED"));
    let list = tags();
    for _ in 0..2 {
        assert_eq!(next(&list).unwrap_err().status, oci_chart_status::PermissionDenied);
    }
}

fn pull(library: &Library, target: &str) -> Result<support::Pulled, Failure> {
    let options = oci_chart_pull_options { flags: OCI_CHART_PULL_WITHOUT_VERIFICATION, ..Default::default() };
    library.pull(target, Some("1.0.0"), &raw const options)
}
