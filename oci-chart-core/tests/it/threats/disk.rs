//! Not a byte on disk before it was checked: every file that a pull opens for writing, as strace sees it, and what is left of it.

use std::{env, path::Path, process::Command};

use bytes::Bytes;
use oci_chart_core::{
    Context,
    transfer::{self, PullOptions},
    trust::{KeyPolicy, Policy, Signer as _, Tlog, TrustedKey},
};
use oci_chart_testkit::Lie;

use super::{Forge, store_at};
use crate::{
    attest::version,
    remote::block,
    support::{
        rng::Rng,
        say,
        tarball::{Entry, gzip, tar},
        tools,
    },
};

/// Says to the child which registry, whose key, and where to write.
const CHILD: &str = "OCI_CHART_THREATS_DISK_CHILD";

/// What it is called, how the registry is set up beside a signed chart of 9 MiB, and what comes of it.
type Row = (&'static str, fn(&Forge, &str), &'static str);

const ROWS: [Row; 6] = [
    ("good", |_, _| {}, "pulled"),
    ("unsigned", |forge, _| forge.listed(Vec::new()), "not-signed"),
    (
        "signed by a stranger",
        |forge, _| {
            let stranger = oci_chart_core::trust::SigningKey::generate().unwrap();
            forge.bundle(&forge.signed_by(&stranger, &forge.statement()));
        },
        "signature-invalid",
    ),
    (
        "signatures that cannot be seen",
        |forge, _| {
            forge.registry.referrers(oci_chart_testkit::Listing::Status(503));
        },
        "could-not-check",
    ),
    (
        "another package under the digest",
        |forge, layer| {
            let size = layer.split_once(' ').unwrap().1.parse().unwrap();
            forge.registry.lie(layer.split_once(' ').unwrap().0, Lie::Bytes(Bytes::from(vec![7; size])));
        },
        "digest-mismatch",
    ),
    (
        "a package that goes on",
        |forge, layer| {
            forge.registry.lie(layer.split_once(' ').unwrap().0, Lie::Endless);
        },
        "digest-mismatch",
    ),
];

#[test]
fn nothing_lands_that_was_not_checked() {
    const TEST: &str = "nothing_lands_that_was_not_checked";
    if let Some(order) = env::var_os(CHILD) {
        return child(&order.into_string().unwrap());
    }
    let Some(strace) = tools::judge(TEST, "strace") else { return };
    for (name, set, outcome) in ROWS {
        let mut forge = Forge::new();
        let layer = plant_large_chart(&mut forge);
        forge.bundle(&forge.signature());
        set(&forge, &layer);
        let scratch = tempfile::tempdir().unwrap();
        let [target, temporary] = ["target", "tmp"].map(|name| scratch.path().join(name));
        for directory in [&target, &temporary] {
            fs_err::create_dir(directory).unwrap();
        }
        let log = scratch.path().join("strace");
        let pem = forge.key.public_key().to_pem().replace('\n', "|");
        let child = Command::new(&strace)
            .args([
                "-f",
                "-qq",
                "-e",
                "trace=open,openat,creat,rename,renameat,renameat2,link,linkat,mkdir,mkdirat",
                "-o",
            ])
            .arg(&log)
            .arg(env::current_exe().unwrap())
            .args(["--exact", "threats::disk::nothing_lands_that_was_not_checked", "--nocapture"])
            .env(CHILD, format!("{} {} {pem}", forge.registry.host(), target.display()))
            .env("TMPDIR", &temporary)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success(), "{name}: {said}{}", String::from_utf8_lossy(&child.stderr));
        assert!(said.contains(&format!("outcome {outcome}")), "{name}: {said}");
        let log = fs_err::read_to_string(log).unwrap();
        let begun = log.lines().skip_while(|line| !line.contains("/the-pull-begins-here"));
        let writes: Vec<&str> = begun.skip(1).filter(|line| writes(line)).collect();
        let left = |directory: &Path| fs_err::read_dir(directory).unwrap().count();
        match outcome {
            "pulled" => {
                // A nameless file while it comes, another beside its place, and one name once it is whole.
                assert_eq!((left(&target), left(&temporary)), (1, 0), "{name}");
                assert!(!writes.is_empty(), "{name}: strace saw nothing");
            }
            "digest-mismatch" => {
                assert_eq!((left(&target), left(&temporary)), (0, 0), "{name}");
                assert!(writes.iter().all(|line| line.contains("O_TMPFILE")), "{name}: {writes:#?}");
            }
            _ => {
                assert_eq!((left(&target), left(&temporary)), (0, 0), "{name}");
                assert_eq!(writes, Vec::<&str>::new(), "{name}");
            }
        }
        say(&format!("{TEST}: {name}: {} calls that write", writes.len()));
    }
}

fn writes(line: &str) -> bool {
    let opens = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TMPFILE"].iter().any(|flag| line.contains(flag));
    let names = ["creat(", "rename", "link", "mkdir"].iter().any(|call| line.contains(call));
    (opens || names) && !line.contains("/dev/null") && !line.contains("\"/proc/") && !line.contains("ENOENT")
}

/// A chart that does not fit into memory, signed by nobody yet; digest and size of its package.
fn plant_large_chart(forge: &mut Forge) -> String {
    let mut rng = Rng::new(7);
    let mut noise = || (0..4_700_000).map(|_| rng.below(256) as u8).collect::<Vec<u8>>();
    let tgz = gzip(&tar(
        &[
            Entry::file("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.2.3\n"),
            Entry::file("web/files/one", noise()),
            Entry::file("web/files/two", noise()),
        ],
        2,
    ));
    let package =
        oci_chart_core::Package::from_bytes(tgz, &oci_chart_core::chart::LoadOptions::default()).unwrap();
    let artifact = crate::transfer::artifact(&package, 1_700_000_000);
    for (_, content) in artifact.blobs() {
        forge.registry.blob(content.read(64 << 20).unwrap());
    }
    forge.chart = forge.registry.manifest(super::forge::MANIFEST, artifact.manifest().bytes().clone());
    forge.registry.tag("1.2.3", &forge.chart);
    let layer = &artifact.manifest().layers()[0];
    assert!(layer.size > 9 << 20, "{}", layer.size);
    format!("{} {}", layer.digest, layer.size)
}

fn child(order: &str) {
    let mut words = order.splitn(3, ' ');
    let [host, target, pem] = [(); 3].map(|()| words.next().unwrap());
    let key = pem.replace('|', "\n").parse().unwrap();
    let policy = Policy::Keys(KeyPolicy::new([TrustedKey::new(key)], Tlog::IgnoreExplicitly));
    let store = store_at(host);
    let _ = fs_err::metadata("/the-pull-begins-here");
    let _ = fs_err::File::open("/the-pull-begins-here");
    let options = PullOptions::verified_by(policy);
    let pulled = block(transfer::pull(&Context::default(), &store, &version("1.2.3"), &options));
    let outcome = pulled.and_then(|pulled| pulled.package.write_to_dir(target).map(drop));
    println!("outcome {}", outcome.map_or_else(|error| error.kind().name(), |()| "pulled"));
}
