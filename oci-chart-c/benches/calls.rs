//! What the C border costs: the same work through the Rust library and through the C functions, in turns and in one run, so that a busy machine
//! slows both. Fails above 1.2 times. `-- check` does each once and judges nothing: that it works.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program that prints what it measured")]

use std::{
    ffi::CString,
    hint::black_box,
    ptr,
    time::{Duration, Instant},
};

use oci_chart::*;
use oci_chart_core::{
    Chart, Client, blocking,
    chart::{LoadOptions, PackageOptions},
    name::Target,
};

/// What C may take, in parts of what Rust takes.
const MOST: f64 = 1.2;
/// How often the two take turns.
const TURNS: usize = 31;

fn main() {
    let world = World::new();
    let mut worst = Vec::new();
    let is_check = std::env::args().any(|argument| argument == "check");
    for (name, each, rust, c) in world.pairs() {
        if is_check {
            rust();
            c();
            println!("{name}: works");
            continue;
        }
        let mut ratios = Vec::new();
        let mut spent = (Duration::ZERO, Duration::ZERO);
        for _ in 0..TURNS {
            let (one, other) = (time(each, &rust), time(each, &c));
            spent = (spent.0 + one, spent.1 + other);
            ratios.push(other.as_secs_f64() / one.as_secs_f64());
        }
        ratios.sort_by(f64::total_cmp);
        let ratio = ratios[TURNS / 2];
        let per_call = |spent: Duration| spent.as_nanos() / (TURNS * each) as u128;
        println!(
            "{name:28} Rust {:>9} ns, C {:>9} ns, ratio {ratio:.3}",
            per_call(spent.0),
            per_call(spent.1)
        );
        worst.push((ratio, name));
    }
    if is_check {
        return;
    }
    println!("{:28} {:>14} ns", "a call that does nothing", empty());
    let slow: Vec<_> = worst.iter().filter(|(ratio, _)| *ratio > MOST).collect();
    assert!(slow.is_empty(), "above {MOST}: {slow:?}");
}

struct World {
    directory: tempfile::TempDir,
    chart: Chart,
    c_chart: *mut oci_chart_chart,
    client: blocking::Client,
    c_client: *mut oci_chart_client,
    path: CString,
    target: CString,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let chart = directory.path().join("web");
        fs_err::create_dir_all(chart.join("templates")).unwrap();
        fs_err::write(
            chart.join("Chart.yaml"),
            "apiVersion: v2\nname: web\nversion: 1.0.0\ndescription: A web\n",
        )
        .unwrap();
        fs_err::write(chart.join("values.yaml"), "replicas: 1\nimage: web\n".repeat(20)).unwrap();
        fs_err::write(chart.join("templates/web.yaml"), "kind: Deployment\n".repeat(50)).unwrap();
        let path = CString::new(chart.to_str().unwrap()).unwrap();
        let (mut c_chart, mut c_client) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: good arguments.
        unsafe {
            good(oci_chart_chart_load(
                path.as_ptr(),
                ptr::null(),
                ptr::null(),
                &raw mut c_chart,
                ptr::null_mut(),
            ));
            good(oci_chart_client_new(ptr::null(), &raw mut c_client, ptr::null_mut()));
        }
        let store = directory.path().join("store");
        let target = CString::new(format!("oci-layout:{}", store.display())).unwrap();
        let mut package = ptr::null_mut();
        let (none, nobody) = (ptr::null(), ptr::null_mut());
        // SAFETY: good arguments.
        unsafe {
            good(oci_chart_chart_package(c_chart, ptr::null(), ptr::null(), &raw mut package, nobody));
            let done = oci_chart_client_push(
                c_client,
                package,
                target.as_ptr(),
                ptr::null(),
                none,
                ptr::null_mut(),
                nobody,
            );
            good(done);
            oci_chart_package_free(package);
        }
        Self {
            chart: Chart::from_dir(&chart, &LoadOptions::default()).unwrap(),
            client: blocking::Client::new(Client::builder().build().unwrap()),
            directory,
            c_chart,
            c_client,
            path,
            target,
        }
    }

    #[allow(clippy::type_complexity, reason = "a list of pairs")]
    fn pairs(&self) -> Vec<(&'static str, usize, Box<dyn Fn() + '_>, Box<dyn Fn() + '_>)> {
        let nobody = ptr::null_mut();
        vec![
            (
                // Which the C object keeps for all who ask, and Rust makes anew.
                "metadata as JSON",
                2000,
                Box::new(|| drop(black_box(self.chart.metadata().to_json()))),
                Box::new(|| {
                    // SAFETY: a chart.
                    black_box(unsafe { oci_chart_chart_get_metadata(self.c_chart) });
                }),
            ),
            (
                "metadata as YAML",
                2000,
                Box::new(|| drop(black_box(self.chart.metadata().to_yaml().unwrap()))),
                Box::new(move || {
                    text(|out| unsafe { oci_chart_chart_get_metadata_yaml(self.c_chart, out, nobody) });
                }),
            ),
            (
                "a target that is none",
                5000,
                Box::new(|| drop(black_box(failing()))),
                Box::new(|| {
                    let (mut out, mut err) = (ptr::null_mut(), ptr::null_mut());
                    // SAFETY: good arguments.
                    unsafe {
                        let status = oci_chart_target_parse(
                            c"oci://host/UPPER:1".as_ptr(),
                            &raw mut out,
                            &raw mut err,
                        );
                        assert_ne!(black_box(status), oci_chart_status::Ok);
                        oci_chart_error_free(err);
                    }
                }),
            ),
            (
                "load a chart",
                100,
                Box::new(|| {
                    let path = self.directory.path().join("web");
                    drop(black_box(Chart::from_path(path, &LoadOptions::default()).unwrap()));
                }),
                Box::new(move || {
                    let mut chart = ptr::null_mut();
                    // SAFETY: good arguments.
                    unsafe {
                        let path = self.path.as_ptr();
                        good(oci_chart_chart_load(path, ptr::null(), ptr::null(), &raw mut chart, nobody));
                        oci_chart_chart_free(chart);
                    }
                }),
            ),
            (
                "package a chart",
                50,
                Box::new(|| drop(black_box(self.chart.package(&PackageOptions::default()).unwrap()))),
                Box::new(move || {
                    let mut package = ptr::null_mut();
                    // SAFETY: good arguments.
                    unsafe {
                        let (none, call) = (ptr::null(), ptr::null());
                        good(oci_chart_chart_package(self.c_chart, none, call, &raw mut package, nobody));
                        oci_chart_package_free(package);
                    }
                }),
            ),
            (
                "resolve a version",
                100,
                Box::new(|| {
                    let target = Target::parse(self.target.to_str().unwrap()).unwrap();
                    let selector = target.selector(Some("1.0.0")).unwrap();
                    let found = self.client.resolve(target.location(), &selector, &mut ()).unwrap();
                    drop(black_box(serde_json::to_string(&found)));
                }),
                Box::new(move || {
                    let (target, version) = (self.target.as_ptr(), c"1.0.0".as_ptr());
                    text(|out| unsafe {
                        oci_chart_client_resolve(self.c_client, target, version, ptr::null(), out, nobody)
                    });
                }),
            ),
        ]
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // SAFETY: freed once.
        unsafe {
            oci_chart_chart_free(self.c_chart);
            oci_chart_client_free(self.c_client);
        }
    }
}

fn failing() -> oci_chart_core::Error {
    Target::parse("oci://host/UPPER:1").map(drop).unwrap_err().into()
}

fn time(count: usize, work: impl Fn()) -> Duration {
    let started = Instant::now();
    for _ in 0..count {
        work();
    }
    started.elapsed()
}

/// Nanoseconds of the cheapest function.
fn empty() -> f64 {
    const COUNT: usize = 1_000_000;
    let spent = time(COUNT, || {
        black_box(oci_chart_version_number());
    });
    spent.as_nanos() as f64 / COUNT as f64
}

fn text(call: impl Fn(*mut *mut std::ffi::c_char) -> oci_chart_status) {
    let mut out = ptr::null_mut();
    good(call(&raw mut out));
    // SAFETY: what the call gave.
    unsafe { oci_chart_string_free(out) };
}

fn good(status: oci_chart_status) {
    assert_eq!(status, oci_chart_status::Ok);
}
