//! Alone in its process: what other tests do at the same time would be forked with it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::time::Duration;

use oci_chart_testkit::Registry;
use support::Library;

#[test]
fn a_forked_child_goes_on_with_what_it_inherited() {
    let registry = Registry::builder().start_blocking().unwrap();
    let library = Library::plain(registry.host());
    let target = format!("oci://{}/charts", registry.host());
    library.push(&library.package("1.0.0"), &target, None, None).unwrap();
    let at = format!("{target}/web");
    assert_eq!(library.tags(&at, None).unwrap(), r#"["1.0.0"]"#);
    // SAFETY: the child calls the library and ends; it never returns into the harness.
    let child = unsafe { fork() };
    if child == 0 {
        let old = library.tags(&at, None).is_ok_and(|tags| tags == r#"["1.0.0"]"#);
        let new = Library::plain(registry.host()).tags(&at, None).is_ok();
        // SAFETY: ends the child at once.
        unsafe { _exit(if old && new { 0 } else { 1 }) };
    }
    let mut status = -1;
    let ended = support::within(Duration::from_secs(20), || {
        // SAFETY: a good place.
        (unsafe { waitpid(child, &raw mut status, 1) } == child).then_some(())
    });
    assert!(ended.is_some(), "the child hangs");
    assert_eq!(status, 0);
    assert_eq!(library.tags(&at, None).unwrap(), r#"["1.0.0"]"#, "the parent goes on too");
}

unsafe extern "C" {
    fn fork() -> i32;
    fn _exit(status: i32) -> !;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
}
