//! Link arguments of the shared library, and nothing else: the header is made and checked by a test.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    let part = |name: &str| env::var(name).unwrap_or_default();
    let (major, minor) = (part("CARGO_PKG_VERSION_MAJOR"), part("CARGO_PKG_VERSION_MINOR"));
    // Until 1.0 a minor version may break its callers, so it is part of the name that they are bound to.
    let interface = if major == "0" { format!("0.{minor}") } else { major };
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,liboci_chart.so.{interface}");
    // The worker thread and its thread-local destructors live in the library: it can never be unloaded.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    // Every symbol is there when the library is loaded, or it is not loaded.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,now");
}
