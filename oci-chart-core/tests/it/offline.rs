//! What needs no network works without one: in a process with an empty environment and, where the system lets us, without any
//! network device.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use oci_chart_core::{
    Chart, ChartArtifact, Client, Location, Store, blocking,
    chart::{LoadOptions, PackageOptions},
    name::Selector,
    oci::ArtifactOptions,
    store::{Memory, TagMode},
    transfer::{Action, PullOptions, PushOptions},
};

use crate::{remote::block, support::say};

/// Where the child works.
const CHILD: &str = "OCI_CHART_OFFLINE_CHILD";

#[test]
fn everything_local_works_without_network_home_and_environment() {
    if let Some(directory) = env::var_os(CHILD) {
        return child(Path::new(&directory));
    }
    let isolates = |program: &str| {
        let probe = Command::new(program).args(["--user", "--net", "true"]).output();
        probe.is_ok_and(|output| output.status.success())
    };
    let own = env::current_exe().unwrap();
    let mut command = match ["/usr/bin/unshare", "/bin/unshare"].iter().find(|program| isolates(program)) {
        Some(unshare) => {
            let mut command = Command::new(unshare);
            command.args(["--user", "--net"]).arg(own);
            command
        }
        None => {
            say("offline: no network namespaces here, so only the environment is empty");
            Command::new(own)
        }
    };
    let directory = tempfile::tempdir().unwrap();
    let output = command
        .args([
            "--exact",
            "offline::everything_local_works_without_network_home_and_environment",
            "--nocapture",
        ])
        .env_clear()
        .env(CHILD, directory.path())
        .current_dir(directory.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    // Nothing but what was asked for: no caches, no configuration.
    let mut left: Vec<_> =
        fs_err::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["layout", "platform-2026.11.0.tgz", "unpacked"], "{said}");
}

fn child(directory: &Path) {
    assert!(env::var_os("HOME").is_none() && env::var_os("PATH").is_none());
    let source: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "..", "examples", "charts", "platform"].iter().collect();
    let load = LoadOptions::default();
    let package = Chart::from_dir(source, &load).unwrap().package(&PackageOptions::default()).unwrap();
    let artifact = ChartArtifact::new(package.clone(), &ArtifactOptions::default()).unwrap();

    let client = blocking::Client::new(Client::builder().build().unwrap());
    let location: Location = format!("oci-layout:{}", directory.join("layout").display()).parse().unwrap();
    let options = PushOptions::default().with_mode(TagMode::Ensure);
    for action in [Action::Pushed, Action::Unchanged] {
        assert_eq!(client.push(&artifact, &location, &options, &mut ()).unwrap().action, action);
    }
    let range = Selector::for_version(">=0.1").unwrap();
    let pulled = client.pull(&location, &range, &PullOptions::without_verification(), &mut ()).unwrap();
    assert_eq!(pulled.package.digest(), package.digest());
    assert_eq!(client.fetch_metadata(&location, &range, &mut ()).unwrap().name, "platform");

    pulled.package.write_to_dir(directory).unwrap();
    fs_err::create_dir(directory.join("unpacked")).unwrap();
    pulled.package.unpack(directory.join("unpacked")).unwrap();
    let again = Chart::from_dir(directory.join("unpacked/platform"), &load).unwrap();
    assert_eq!(again.dependencies().len(), 2);

    let memory: Arc<dyn Store> = Arc::new(Memory::default());
    let cx = oci_chart_core::Context::default();
    block(oci_chart_core::transfer::push(&cx, &artifact, &memory, &options)).unwrap();
}
