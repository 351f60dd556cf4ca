//! How much memory a large transfer takes: measured in a process of its own, against a registry in this one.

use std::{env, io::Read as _, process::Command};

use oci_chart_core::{
    Content, Digest,
    auth::StaticCredentials,
    digest::Hasher,
    name::{Host, RepositoryAddress},
    oci::Descriptor,
    store::{Blob, ConnectionOptions, Pushed, Registries, Repository, Store, StoreExt as _},
};
use oci_chart_testkit::Registry;

use crate::{
    remote::block,
    support::{say, skip},
};

const GIBIBYTE: u64 = 1 << 30;
const SMALL: u64 = 1 << 20;
const ALLOWED: u64 = 8 << 20;

/// Says to the child which way, and to whom: `push 127.0.0.1:5000`.
const CHILD: &str = "OCI_CHART_MEMORY_CHILD";

#[test]
fn a_gibibyte_goes_through_eight_mebibytes() {
    if let Some(order) = env::var_os(CHILD) {
        let order = order.into_string().unwrap();
        let (way, host) = order.split_once(' ').unwrap();
        return child(way, host);
    }
    if peak().is_none() {
        return skip(
            "a_gibibyte_goes_through_eight_mebibytes: this system does not tell a process's peak memory",
        );
    }
    let registry = Registry::builder().start_blocking().unwrap();
    for way in ["push", "pull"] {
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "memory::a_gibibyte_goes_through_eight_mebibytes", "--nocapture"])
            .env(CHILD, format!("{way} {}", registry.host()))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success(), "{said}{}", String::from_utf8_lossy(&child.stderr));
        let grown: u64 = said.split("grown by ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        say(&format!("a {way} of 1 GiB: {} KiB more at the peak than one of 1 MiB", grown >> 10));
        assert!(grown <= ALLOWED, "a {way} of 1 GiB took {grown} bytes more than one of 1 MiB");
    }
}

fn child(way: &str, host: &str) {
    let host = Host::parse(host).unwrap();
    let address = RepositoryAddress::parse(&format!("{host}/memory/test")).unwrap();
    let options = ConnectionOptions::default().with_plain_http(host);
    let registries = Registries::new(options, StaticCredentials::default()).unwrap();
    let store = registries.repository(&address).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let transfer = |size: u64| {
        let path = directory.path().join(size.to_string());
        match way {
            "push" => {
                fs_err::File::create(&path).unwrap().set_len(size).unwrap();
                let descriptor = Descriptor::new("application/octet-stream".into(), of_zeros(size), size);
                let blob = Blob::from_content(descriptor, Content::from_path(&path).unwrap());
                push(&store, &blob);
            }
            _ => {
                let descriptor = Descriptor::new("application/octet-stream".into(), of_zeros(size), size);
                block(store.fetch_to(&descriptor, &path)).unwrap();
            }
        }
    };
    transfer(SMALL);
    let before = peak().unwrap();
    transfer(GIBIBYTE);
    println!("grown by {} bytes", peak().unwrap() - before);
}

fn push(store: &Repository, blob: &Blob) {
    assert_eq!(block(store.push(blob, &[])).unwrap(), Pushed::Written);
}

fn of_zeros(size: u64) -> Digest {
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 1 << 16];
    let mut zeros = std::io::repeat(0).take(size);
    loop {
        match zeros.read(&mut buffer).unwrap() {
            0 => return hasher.finish(),
            count => hasher.update(&buffer[..count]),
        }
    }
}

/// The most memory that this process ever had in use, in bytes.
pub(crate) fn peak() -> Option<u64> {
    let status = fs_err::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes << 10)
}
