//! What callers are told while a call runs and when it fails: every member of events, requests and errors.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::{
    ffi::{CStr, c_void},
    ptr,
    time::Duration,
};

use oci_chart::*;
use oci_chart_testkit::{Fault, Registry};
use serde_json::{Value, json};
use support::{Library, c, checked};

// SAFETY, for all of this file: good arguments, and objects that live until they are freed.

/// An event with its texts.
#[derive(Debug, Default, Clone)]
struct Heard {
    kind: i32,
    direction: i32,
    id: u64,
    bytes: u64,
    total: u64,
    digest: String,
    media_type: String,
    text: String,
    why: String,
    wait_ms: u64,
    attempt: u32,
}

unsafe extern "C" fn hear(data: *mut c_void, event: *const oci_chart_event) -> i32 {
    let (heard, event) = unsafe { (&mut *data.cast::<Vec<Heard>>(), &*event) };
    let text = |pointer| unsafe { support::kept(pointer) }.unwrap_or_default();
    heard.push(Heard {
        kind: event.kind,
        direction: event.direction,
        id: event.id,
        bytes: event.bytes,
        total: event.total,
        digest: text(event.digest),
        media_type: text(event.media_type),
        text: text(event.text),
        why: text(event.why),
        wait_ms: event.wait_ms,
        attempt: event.attempt,
    });
    0
}

/// A package of some megabytes: smaller ones are through before anybody can tell how far they are.
fn large() -> support::Package {
    let directory = tempfile::tempdir().unwrap();
    fs_err::write(directory.path().join("Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .unwrap();
    let mut noise = 1_u32;
    let mut step = || {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 24) as u8
    };
    let bytes: Vec<u8> = (0..2 << 20).map(|_| step()).collect();
    fs_err::write(directory.path().join("noise"), bytes).unwrap();
    let chart = support::Chart::load(directory.path().to_str().unwrap()).unwrap();
    chart.package(&oci_chart_package_options::default()).unwrap()
}

/// What is heard while `work` is done.
fn heard(work: impl FnOnce(&oci_chart_call)) -> Vec<Heard> {
    let mut heard = Vec::<Heard>::new();
    let user_data = (&raw mut heard).cast();
    work(&oci_chart_call { user_data, on_event: Some(hear), ..Default::default() });
    heard
}

fn of(heard: &[Heard], kind: oci_chart_event_kind) -> Vec<Heard> {
    heard.iter().filter(|event| event.kind == kind as i32).cloned().collect()
}

#[test]
fn every_member_of_an_event_is_told() {
    let registry =
        Registry::builder().warning("this registry moves").latency(Duration::from_millis(5)).start_blocking();
    let registry = registry.unwrap();
    let (library, base) = (Library::plain(registry.host()), format!("oci://{}/charts", registry.host()));
    let package = large();
    let events = heard(|call| drop(library.push(&package, &base, None, Some(call)).unwrap()));
    let started = of(&events, oci_chart_event_kind::Started);
    let chart = started.iter().find(|event| event.digest == package.digest()).unwrap();
    assert_eq!(chart.total, package.bytes().len() as u64);
    assert_eq!(chart.media_type, "application/vnd.cncf.helm.chart.content.v1.tar+gzip");
    assert_eq!(chart.direction, oci_chart_direction::Push as i32);
    let finished = of(&events, oci_chart_event_kind::Finished);
    assert!(chart.id > 0 && finished.iter().any(|event| event.id == chart.id), "{events:?}");
    let progress = of(&events, oci_chart_event_kind::Progress);
    assert!(progress.iter().any(|event| event.id == chart.id && event.bytes > 0), "{events:?}");
    let warnings = of(&events, oci_chart_event_kind::Warning);
    assert!(warnings.iter().any(|event| event.text.contains("this registry moves")), "{events:?}");

    // The same content under another version is there already.
    let again = oci_chart_push_options { channels: c"again".as_ptr(), mode: 1, ..Default::default() };
    let other = format!("oci://{}/others", registry.host());
    let events = heard(|call| {
        let options = oci_chart_push_options { mode: 2, flags: OCI_CHART_PUSH_CREATED, created: 7, ..again };
        library.push(&package, &base, Some(&options), Some(call)).unwrap();
        library.push(&package, &other, None, Some(call)).unwrap();
    });
    let skipped = of(&events, oci_chart_event_kind::Skipped);
    assert!(skipped.iter().any(|event| event.digest == package.digest()), "{events:?}");

    let events = heard(|call| {
        let flags = OCI_CHART_PULL_WITHOUT_VERIFICATION;
        let options = oci_chart_pull_options { flags, ..Default::default() };
        let (target, mut out) = (c(&format!("{base}/web")), ptr::null_mut());
        checked(|err| unsafe {
            let (target, version) = (target.as_ptr(), c"1.0.0".as_ptr());
            oci_chart_client_pull(library.0, target, version, &raw const options, call, &raw mut out, err)
        })
        .unwrap();
        drop(support::Pulled(out));
    });
    let started = of(&events, oci_chart_event_kind::Started);
    assert!(started.iter().any(|event| event.digest == package.digest()), "{events:?}");
    assert!(started.iter().all(|event| event.direction == oci_chart_direction::Pull as i32), "{events:?}");
}

#[test]
fn a_wait_says_for_what_why_and_how_long() {
    let registry = Registry::builder().start_blocking().unwrap();
    let (host, base) = (c(registry.host()), format!("oci://{}/charts", registry.host()));
    let library = Library::new(|options| {
        checked(|err| unsafe { oci_chart_client_options_add_plain_http(options, host.as_ptr(), err) })
            .unwrap();
        checked(|err| unsafe { oci_chart_client_options_set_retry(options, 3, 60, 100, err) }).unwrap();
    });
    library.push(&library.package("1.0.0"), &base, None, None).unwrap();
    registry.script().once("GET", "*/tags/list*", Fault::error(503, "UNAVAILABLE"));
    let repository = format!("{base}/web");
    let events = heard(|call| drop(library.tags(&repository, Some(call)).unwrap()));
    let waiting = of(&events, oci_chart_event_kind::Waiting);
    let [wait] = waiting.as_slice() else { panic!("{events:?}") };
    assert!(wait.text.contains("/v2/charts/web/tags/list") && wait.why.contains("503"), "{wait:?}");
    assert!((30..=100).contains(&wait.wait_ms) && wait.attempt > 0, "{wait:?}");
}

/// Statuses, attempts, times, and what happened instead of an answer.
type Told = Vec<(i32, u32, u64, Option<String>)>;

unsafe extern "C" fn note(data: *mut c_void, request: *const oci_chart_request) -> i32 {
    let (told, request) = unsafe { (&mut *data.cast::<Told>(), &*request) };
    let error = unsafe { support::kept(request.error) };
    told.push((request.status, request.attempt, request.time_ms, error));
    0
}

#[test]
fn every_member_of_a_request_is_told() {
    let registry = Registry::builder().latency(Duration::from_millis(30)).start_blocking().unwrap();
    let (host, base) = (c(registry.host()), format!("oci://{}/charts", registry.host()));
    let library = Library::new(|options| {
        checked(|err| unsafe { oci_chart_client_options_add_plain_http(options, host.as_ptr(), err) })
            .unwrap();
        checked(|err| unsafe { oci_chart_client_options_set_retry(options, 2, 1, 1, err) }).unwrap();
    });
    library.push(&library.package("1.0.0"), &base, None, None).unwrap();
    registry.script().once("GET", "*/tags/list*", Fault::Drop);
    let mut told = Told::new();
    let user_data = (&raw mut told).cast();
    let call = oci_chart_call { user_data, on_request: Some(note), ..Default::default() };
    library.tags(&format!("{base}/web"), Some(&call)).unwrap();
    let [(0, 1, _, Some(error)), (200, 2, time, None)] = told.as_slice() else { panic!("{told:?}") };
    assert!(!error.is_empty() && *time >= 25, "{told:?}");
}

#[test]
fn every_member_of_an_error_is_told() {
    let registry = Registry::builder().start_blocking().unwrap();
    let library = Library::plain(registry.host());
    let repository = c(&format!("oci://{}/charts/web", registry.host()));
    registry.script().once("*", "*", Fault::too_many_requests("7"));
    let (mut out, mut err, mut text) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    let whole: Value = unsafe {
        let call = ptr::null();
        let status = oci_chart_client_tags(library.0, repository.as_ptr(), call, &raw mut out, &raw mut err);
        assert_eq!(status, oci_chart_status::RateLimited);
        assert_eq!(oci_chart_error_to_json(err, &raw mut text, ptr::null_mut()), oci_chart_status::Ok);
        serde_json::from_str(&support::taken(text)).unwrap()
    };
    assert_eq!((&whole["retryAfterMs"], &whole["retryable"]), (&json!(7000), &json!(true)), "{whole}");
    let of = |pointer| unsafe { support::kept(pointer) };
    unsafe {
        for (member, got) in [
            ("reason", of(oci_chart_error_get_reason(err))),
            ("operation", of(oci_chart_error_get_operation(err))),
            ("hint", of(oci_chart_error_get_hint(err))),
        ] {
            assert!(whole[member].is_string(), "{member}: {whole}");
            assert_eq!(got.as_deref(), whole[member].as_str(), "{member}");
        }
        let context: Value =
            serde_json::from_str(&of(oci_chart_error_get_context_json(err)).unwrap()).unwrap();
        assert_eq!(context, whole["context"]);
        assert_eq!(context["status"], "429");
        oci_chart_error_free(err);
    }

    // Of what is below it, and with what has to be escaped.
    let strange: &CStr = c"/nowhere/\"quoted\"\\";
    let (mut chart, mut err) = (ptr::null_mut(), ptr::null_mut());
    unsafe {
        let status =
            oci_chart_chart_load(strange.as_ptr(), ptr::null(), ptr::null(), &raw mut chart, &raw mut err);
        assert_eq!(status, oci_chart_status::NotFound);
        let context: Value =
            serde_json::from_str(&of(oci_chart_error_get_context_json(err)).unwrap()).unwrap();
        assert!(context.to_string().contains("quoted"), "{context}");
        assert_eq!(oci_chart_error_to_json(err, &raw mut text, ptr::null_mut()), oci_chart_status::Ok);
        let whole: Value = serde_json::from_str(&support::taken(text)).unwrap();
        assert!(whole["causes"].as_array().is_some_and(|causes| !causes.is_empty()), "{whole}");
        oci_chart_error_free(err);
    }
}
