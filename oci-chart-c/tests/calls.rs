//! What a call is given beside its work: tokens, time-outs, callbacks on the caller's thread; and options that are shorter and longer than ours.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::{
    ffi::{CStr, c_char, c_void},
    ptr,
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

use oci_chart::*;
use oci_chart_testkit::Registry;
use support::{Failure, Library, checked, taken, text};

#[test]
fn events_come_on_the_callers_thread_and_tell_of_transfers() {
    let registry = Registry::builder().start_blocking().unwrap();
    let library = Library::plain(registry.host());
    let mut seen = Seen::default();
    let call = oci_chart_call {
        user_data: (&raw mut seen).cast(),
        on_event: Some(note),
        ..oci_chart_call::default()
    };
    let target = format!("oci://{}/charts", registry.host());
    library.push(&library.package("1.0.0"), &target, None, Some(&call)).unwrap();
    assert!(seen.threads.iter().all(|thread| *thread == thread::current().id()), "{:?}", seen.threads);
    let count = |kind: oci_chart_event_kind| seen.kinds.iter().filter(|seen| **seen == kind as i32).count();
    assert_eq!(count(oci_chart_event_kind::Started), 3, "{:?}", seen.kinds);
    assert_eq!(count(oci_chart_event_kind::Finished), 3, "{:?}", seen.kinds);
    assert!(seen.digests.iter().all(|digest| digest.starts_with("sha256:")) && !seen.digests.is_empty());
}

#[test]
fn a_callback_that_says_no_stops_the_call() {
    let silent = support::silent_server();
    let library = Library::plain(&silent);
    let call = oci_chart_call { on_event: Some(stop), ..oci_chart_call::default() };
    let started = Instant::now();
    let failure = library.tags(&format!("oci://{silent}/charts/web"), Some(&call)).unwrap_err();
    assert_eq!(failure.status, oci_chart_status::Cancelled, "{failure:?}");
    assert!(started.elapsed() < Duration::from_millis(900), "{:?}", started.elapsed());
}

#[test]
fn a_token_stops_a_call_from_another_thread_and_may_be_freed_meanwhile() {
    let silent = support::silent_server();
    let library = Library::plain(&silent);
    let token = oci_chart_cancel_token_new() as usize;
    let call = oci_chart_call { cancel: token as *const _, ..oci_chart_call::default() };
    let canceller = thread::spawn(move || {
        thread::sleep(Duration::from_millis(150));
        let token = token as *mut oci_chart_cancel_token;
        // SAFETY: the token lives; the call keeps its own share of it.
        unsafe {
            assert_eq!(oci_chart_cancel_token_cancel(token, ptr::null_mut()), oci_chart_status::Ok);
            assert_eq!(oci_chart_cancel_token_is_cancelled(token), 1);
            oci_chart_cancel_token_free(token);
        }
    });
    let started = Instant::now();
    let failure = library.tags(&format!("oci://{silent}/charts/web"), Some(&call)).unwrap_err();
    assert_eq!(failure.status, oci_chart_status::Cancelled, "{failure:?}");
    assert!(started.elapsed() < Duration::from_millis(1100), "{:?}", started.elapsed());
    canceller.join().unwrap();
}

/// Everything that works for a while on this machine alone.
fn local_work(call: &oci_chart_call) -> Vec<(&'static str, Result<(), Failure>)> {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| support::c(directory.path().join(name).to_str().unwrap());
    let [web, file, new, made] = ["web", "web.tgz", "new", "made"].map(place);
    let package = Library::plain("localhost").package("1.0.0");
    let bytes = package.bytes();
    fs_err::create_dir_all(directory.path().join("web")).unwrap();
    fs_err::write(directory.path().join("web/Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .unwrap();
    fs_err::write(directory.path().join("web.tgz"), &bytes).unwrap();
    fs_err::create_dir_all(directory.path().join("made")).unwrap();
    let chart = support::Chart::load(web.to_str().unwrap()).unwrap();
    let (data, len, none) = (bytes.as_ptr(), bytes.len(), ptr::null());
    // SAFETY: good arguments, and what comes out is freed once.
    unsafe {
        vec![
            (
                "load",
                got(support::Chart, |out, err| oci_chart_chart_load(web.as_ptr(), none, call, out, err)),
            ),
            (
                "load bytes",
                got(support::Chart, |out, err| oci_chart_chart_load_bytes(data, len, none, call, out, err)),
            ),
            (
                "package",
                got(support::Package, |out, err| {
                    oci_chart_chart_package(chart.0, ptr::null(), call, out, err)
                }),
            ),
            (
                "package load",
                got(support::Package, |out, err| oci_chart_package_load(file.as_ptr(), none, call, out, err)),
            ),
            (
                "package load bytes",
                got(support::Package, |out, err| {
                    oci_chart_package_load_bytes(data, len, none, call, out, err)
                }),
            ),
            (
                "chart of a package",
                got(support::Chart, |out, err| oci_chart_package_get_chart(package.0, call, out, err)),
            ),
            (
                "write",
                support::given(|out, err| oci_chart_package_write(package.0, new.as_ptr(), call, out, err))
                    .map(drop),
            ),
            (
                "unpack",
                support::given(|out, err| oci_chart_package_unpack(package.0, made.as_ptr(), call, out, err))
                    .map(drop),
            ),
        ]
    }
}

/// A call that gives an object, which is freed.
fn got<T, O>(
    own: fn(*mut T) -> O,
    call: impl FnOnce(*mut *mut T, *mut *mut oci_chart_error) -> oci_chart_status,
) -> Result<(), Failure> {
    let mut out = ptr::null_mut();
    checked(|err| call(&raw mut out, err))?;
    own(out);
    Ok(())
}

#[test]
fn a_token_stops_work_that_waits_for_nothing() {
    let token = oci_chart_cancel_token_new();
    let call = oci_chart_call { cancel: token, ..oci_chart_call::default() };
    for (name, done) in local_work(&call) {
        assert!(done.is_ok(), "{name}: {done:?}");
    }
    // SAFETY: good arguments.
    assert_eq!(unsafe { oci_chart_cancel_token_cancel(token, ptr::null_mut()) }, oci_chart_status::Ok);
    // Where the caller wants turns it is done on another thread, and ends as well.
    for call in [call, oci_chart_call { on_event: Some(go_on), ..call }] {
        for (name, done) in local_work(&call) {
            assert_eq!(done.unwrap_err().status, oci_chart_status::Cancelled, "{name}");
        }
    }
    // SAFETY: freed once.
    unsafe { oci_chart_cancel_token_free(token) };
}

#[test]
fn packaging_gives_the_caller_its_turns_and_ends_in_time() {
    let directory = tempfile::tempdir().unwrap();
    fs_err::write(directory.path().join("Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .unwrap();
    // Much that hardly packs: some tenths of a second at the least.
    let mut noise = 1_u32;
    for n in 0..6 {
        let step = |noise: &mut u32| {
            *noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (*noise >> 24) as u8
        };
        let bytes: Vec<u8> = (0..2 << 20).map(|_| step(&mut noise)).collect();
        fs_err::write(directory.path().join(format!("file{n}")), bytes).unwrap();
    }
    let chart = support::Chart::load(directory.path().to_str().unwrap()).unwrap();
    let package = |call: &oci_chart_call| {
        let mut out = ptr::null_mut();
        // SAFETY: good arguments.
        checked(|err| unsafe { oci_chart_chart_package(chart.0, ptr::null(), call, &raw mut out, err) })?;
        Ok::<_, Failure>(support::Package(out))
    };
    let stopped = package(&oci_chart_call { on_event: Some(stop), ..Default::default() }).unwrap_err();
    assert_eq!(stopped.status, oci_chart_status::Cancelled, "{stopped:?}");
    let late = package(&oci_chart_call { timeout_ms: 60, ..Default::default() }).unwrap_err();
    assert_eq!(
        (late.status, late.reason.as_str()),
        (oci_chart_status::Timeout, "deadline-exceeded"),
        "{late:?}"
    );

    let mut seen = Seen::default();
    let user_data = (&raw mut seen).cast();
    let call = oci_chart_call { user_data, on_event: Some(note), timeout_ms: 600_000, ..Default::default() };
    let packed = package(&call).unwrap();
    assert_eq!(packed.digest(), chart.package(&oci_chart_package_options::default()).unwrap().digest());
    assert!(seen.threads.iter().all(|thread| *thread == thread::current().id()) && !seen.kinds.is_empty());
}

#[test]
fn eight_threads_share_one_client() {
    let registry = Registry::builder().start_blocking().unwrap();
    let (library, target) = (Library::plain(registry.host()), format!("oci://{}/charts", registry.host()));
    library.push(&library.package("1.0.0"), &target, None, None).unwrap();
    let (client, at) = (library.0 as usize, support::c(&format!("{target}/web")));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    // SAFETY: good arguments; the client is for any number of threads.
                    let tags = support::given(|out, err| unsafe {
                        let client = client as *const oci_chart_client;
                        oci_chart_client_tags(client, at.as_ptr(), ptr::null(), out, err)
                    });
                    assert_eq!(tags.unwrap(), r#"["1.0.0"]"#);
                }
            });
        }
    });
}

#[test]
fn a_call_ends_at_its_time_out() {
    let silent = support::silent_server();
    let library = Library::plain(&silent);
    let call = oci_chart_call { timeout_ms: 100, ..oci_chart_call::default() };
    let failure = library.tags(&format!("oci://{silent}/charts/web"), Some(&call)).unwrap_err();
    assert_eq!((failure.status, failure.reason.as_str()), (oci_chart_status::Timeout, "deadline-exceeded"));
}

#[test]
fn credentials_are_asked_for_on_the_callers_thread_and_never_shown() {
    let registry = Registry::builder().basic_auth("robot", "hunter2").start_blocking().unwrap();
    let library = Library::new(|options| {
        support::plain_http(options, registry.host());
        // SAFETY: good arguments.
        checked(|err| unsafe { oci_chart_client_options_use_call_credentials(options, err) }).unwrap();
    });
    let target = format!("oci://{}/charts", registry.host());
    let package = library.package("1.0.0");
    let mut asked = Asked { password: c"hunter2", threads: Vec::new(), hosts: Vec::new() };
    let call = |asked: *mut Asked| oci_chart_call {
        user_data: asked.cast(),
        on_credentials: Some(answer),
        ..oci_chart_call::default()
    };
    library.push(&package, &target, None, Some(&call(&raw mut asked))).unwrap();
    assert_eq!(asked.hosts, [registry.host()]);
    assert_eq!(asked.threads, [thread::current().id()]);

    let mut wrong = Asked { password: c"hunter3", threads: Vec::new(), hosts: Vec::new() };
    let failure = library.tags(&format!("{target}/web"), Some(&call(&raw mut wrong))).unwrap_err();
    assert_eq!(failure.status, oci_chart_status::Unauthenticated, "{failure:?}");
    assert!(!failure.json.contains("hunter"), "{}", failure.json);

    let refusing = oci_chart_call { on_credentials: Some(refuse), ..oci_chart_call::default() };
    let failure = library.tags(&format!("{target}/web"), Some(&refusing)).unwrap_err();
    assert_eq!(failure.status, oci_chart_status::Cancelled);
    assert!(failure.message.contains("the vault is sealed"), "{failure:?}");

    let failure = library.tags(&format!("{target}/web"), None).unwrap_err();
    assert_eq!(failure.status, oci_chart_status::Unauthenticated);
    assert_eq!(failure.http_status, 401, "{failure:?}");
}

#[test]
fn a_callback_may_call_the_library() {
    let registry = Registry::builder().start_blocking().unwrap();
    let library = Library::plain(registry.host());
    let call = oci_chart_call {
        user_data: (&raw const library).cast_mut().cast(),
        on_event: Some(again),
        ..oci_chart_call::default()
    };
    let target = format!("oci://{}/charts", registry.host());
    library.push(&library.package("1.0.0"), &target, None, Some(&call)).unwrap();
}

#[test]
fn older_and_newer_structs_are_understood() {
    let directory = tempfile::tempdir().unwrap();
    let library = Library::plain("localhost");
    let target = format!("oci-layout:{}", directory.path().display());
    library.push(&library.package("1.0.0"), &target, None, None).unwrap();

    // A caller that knows nothing but the policy and the flags: what it does not know is not read, here rubbish.
    let older = oci_chart_pull_options {
        struct_size: std::mem::offset_of!(oci_chart_pull_options, max_package_bytes),
        flags: OCI_CHART_PULL_WITHOUT_VERIFICATION,
        max_package_bytes: 1,
        ..oci_chart_pull_options::default()
    };
    library.pull_with(&target, &raw const older).unwrap();
    let ours = oci_chart_pull_options { struct_size: size_of::<oci_chart_pull_options>(), ..older };
    assert_eq!(
        library.pull_with(&target, &raw const ours).unwrap_err().status,
        oci_chart_status::LimitExceeded
    );

    #[repr(C)]
    struct Newer {
        known: oci_chart_pull_options,
        unknown: u64,
    }
    let known = oci_chart_pull_options {
        struct_size: size_of::<Newer>(),
        flags: OCI_CHART_PULL_WITHOUT_VERIFICATION,
        ..oci_chart_pull_options::default()
    };
    let newer = Newer { known, unknown: 0 };
    library.pull_with(&target, (&raw const newer).cast()).unwrap();
    let newer = Newer { known, unknown: 7 };
    let failure = library.pull_with(&target, (&raw const newer).cast()).unwrap_err();
    assert_eq!((failure.status, failure.reason.as_str()), (oci_chart_status::Unsupported, "feature-missing"));

    for struct_size in [0, 7, 5000, usize::MAX] {
        let wrong = oci_chart_pull_options { struct_size, ..known };
        let failure = library.pull_with(&target, &raw const wrong).unwrap_err();
        assert_eq!(failure.status, oci_chart_status::InvalidInput, "{struct_size}");
    }
    let wrong = oci_chart_pull_options {
        flags: 1 << 31 | OCI_CHART_PULL_WITHOUT_VERIFICATION,
        ..oci_chart_pull_options::default()
    };
    assert_eq!(
        library.pull_with(&target, &raw const wrong).unwrap_err().status,
        oci_chart_status::InvalidInput
    );
    let open = oci_chart_pull_options::default();
    assert_eq!(
        library.pull_with(&target, &raw const open).unwrap_err().status,
        oci_chart_status::InvalidInput
    );
}

/// No struct ends with room that its compiler leaves empty: a field that joins later would take it, and older callers have rubbish there.
#[test]
fn structs_end_with_their_last_field() {
    macro_rules! end {
        ($kind:ident, $last:ident: $of:ty) => {
            assert_eq!(
                std::mem::offset_of!($kind, $last) + size_of::<$of>(),
                size_of::<$kind>(),
                stringify!($kind)
            );
        };
    }
    end!(oci_chart_call, on_request: usize);
    end!(oci_chart_load_options, max_total_bytes: u64);
    end!(oci_chart_package_options, threads: u32);
    end!(oci_chart_push_options, channels: usize);
    end!(oci_chart_pull_options, max_package_bytes: u64);
    end!(oci_chart_sign_options, reserved: u32);
    end!(oci_chart_verify_options, reserved: u32);
    end!(oci_chart_attach_options, reserved: u32);
    end!(oci_chart_login_options, file: usize);
}

#[test]
fn content_streams_and_is_checked() {
    let registry = Registry::builder().start_blocking().unwrap();
    let library = Library::plain(registry.host());
    let target = format!("oci://{}/charts", registry.host());
    let package = library.package("1.0.0");
    library.push(&package, &target, None, None).unwrap();
    let whole = package.bytes();

    let manifest = library.manifest(&format!("{target}/web"), "1.0.0").unwrap();
    let layer = manifest["layers"][0].to_string();
    for step in [1, 7, 1 << 20] {
        let reader = library.open_blob(&format!("{target}/web"), &layer).unwrap();
        assert_eq!(reader.read_to_end(step).unwrap(), whole, "{step}");
    }
    // Freed in the middle: nothing is left over, and nothing breaks.
    let reader = library.open_blob(&format!("{target}/web"), &layer).unwrap();
    reader.read(3, None).unwrap();
    drop(reader);

    let mut wrong = manifest["layers"][0].clone();
    wrong["digest"] = format!("sha256:{}", "0".repeat(64)).into();
    let reader = library.open_blob(&format!("{target}/web"), &wrong.to_string()).unwrap();
    assert_eq!(reader.read_to_end(100).unwrap_err().status, oci_chart_status::NotFound);
    assert_eq!(
        reader.read(100, None).unwrap_err().status,
        oci_chart_status::NotFound,
        "no end after a failure"
    );

    let again = support::Package::from_stream(&whole, 5).unwrap();
    assert_eq!(again.digest(), package.digest());
    let failure = support::Package::from_stream(&whole, usize::MAX).unwrap_err();
    assert_eq!(failure.status, oci_chart_status::InvalidInput, "{failure:?}");
}

#[derive(Default)]
struct Seen {
    threads: Vec<ThreadId>,
    kinds: Vec<i32>,
    digests: Vec<String>,
}

unsafe extern "C" fn note(data: *mut c_void, event: *const oci_chart_event) -> i32 {
    // SAFETY: what the test gave, and an event for as long as this runs.
    let (seen, event) = unsafe { (&mut *data.cast::<Seen>(), &*event) };
    assert_eq!(event.struct_size, size_of::<oci_chart_event>());
    seen.threads.push(thread::current().id());
    seen.kinds.push(event.kind);
    if !event.digest.is_null() {
        // SAFETY: the event's own text.
        seen.digests.push(unsafe { text(event.digest) });
    }
    0
}

unsafe extern "C" fn stop(_: *mut c_void, _: *const oci_chart_event) -> i32 {
    1
}

unsafe extern "C" fn go_on(_: *mut c_void, _: *const oci_chart_event) -> i32 {
    0
}

unsafe extern "C" fn again(data: *mut c_void, _: *const oci_chart_event) -> i32 {
    // SAFETY: what the test gave.
    let library = unsafe { &*data.cast::<Library>() };
    i32::from(library.diagnose("oci-layout:/nowhere").is_err())
}

struct Asked {
    password: &'static CStr,
    threads: Vec<ThreadId>,
    hosts: Vec<String>,
}

unsafe extern "C" fn answer(data: *mut c_void, host: *const c_char, answer: *mut oci_chart_answer) -> i32 {
    // SAFETY: what the test gave, and what the library gave.
    unsafe {
        let asked = &mut *data.cast::<Asked>();
        asked.threads.push(thread::current().id());
        asked.hosts.push(text(host));
        let given =
            oci_chart_answer_set_login(answer, c"robot".as_ptr(), asked.password.as_ptr(), ptr::null_mut());
        i32::from(given != oci_chart_status::Ok)
    }
}

unsafe extern "C" fn refuse(_: *mut c_void, _: *const c_char, answer: *mut oci_chart_answer) -> i32 {
    // SAFETY: what the library gave.
    let said =
        unsafe { oci_chart_answer_set_failure(answer, c"the vault is sealed".as_ptr(), ptr::null_mut()) };
    i32::from(said == oci_chart_status::Ok)
}

#[test]
fn a_failure_tells_its_whole_story() {
    let library = Library::plain("localhost");
    let failure: Failure = library.manifest("oci-layout:/nowhere", "1.0.0").unwrap_err();
    assert_eq!((failure.status, failure.reason.as_str()), (oci_chart_status::NotFound, "tag-missing"));
    let whole: serde_json::Value = serde_json::from_str(&failure.json).unwrap();
    assert_eq!((&whole["kind"], &whole["code"]), (&"not-found".into(), &20.into()));
    assert!(
        whole["context"].is_object() && whole["hint"].is_string() && whole["retryable"] == false,
        "{whole}"
    );
    // SAFETY: a good number.
    let name = unsafe { text(oci_chart_status_string(20)) };
    assert_eq!(name, "not-found");
    // SAFETY: the same.
    assert_eq!(unsafe { text(oci_chart_status_string(-5)) }, "unknown");
    let mut out = ptr::null_mut();
    // SAFETY: good arguments.
    checked(|err| unsafe { oci_chart_target_parse(c"oci-layout:/a:1.0.0_b".as_ptr(), &raw mut out, err) })
        .unwrap();
    assert!(taken(out).contains("\"tag\":\"1.0.0_b\""));
}
