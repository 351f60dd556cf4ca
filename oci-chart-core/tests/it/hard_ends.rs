//! What stands on the disk after it was full, and after a writer was killed. Both happen to processes of their own.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::TryStreamExt as _;
use oci_chart_core::{
    Chart, Context, Digest, Error, Package,
    chart::{LoadOptions, PackageOptions, Timestamp},
    name::Tag,
    oci::{ArtifactOptions, ChartArtifact, MediaType},
    store::{Blob, Layout, Store, TagMode},
    transfer::{PushOptions, push},
};
use tempfile::TempDir;

use crate::{remote::block, support::rng::Rng};

/// Says to the child what it is to do, and where.
const CHILD: &str = "OCI_CHART_HARD_ENDS_CHILD";

#[test]
fn a_full_disk_changes_nothing() {
    if let Some(root) = env::var_os(CHILD) {
        return on_a_full_disk(Path::new(&root));
    }
    let root = TempDir::new().unwrap();
    let at = |path: &str| root.path().join(path);
    let large = package("2.0.0", 100_000);
    fs_err::write(at("large.tgz"), large.content().read(1 << 20).unwrap()).unwrap();
    for place in ["files", "empty"] {
        fs_err::create_dir(at(place)).unwrap();
    }
    fs_err::write(at("files/web-2.0.0.tgz"), "an older one").unwrap();
    fs_err::write(at("files/web-2.0.0.tgz.prov"), "and its provenance").unwrap();
    let layout: Arc<dyn Store> = Arc::new(Layout::new(at("layout")));
    block(push(&Context::default(), &artifact(package("1.0.0", 10)), &layout, &PushOptions::default()))
        .unwrap();
    let before = files(root.path());
    // No file may grow beyond 8 KiB; that ends in an error of the call, as a full disk does, where the signal is not heard.
    let child = Command::new("bash")
        .args(["-c", r#"trap "" XFSZ; ulimit -f 8; exec "$0" "$@""#])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "hard_ends::a_full_disk_changes_nothing", "--nocapture"])
        .env(CHILD, root.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{said}{}", String::from_utf8_lossy(&child.stderr));
    let kinds: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("failed: ")).collect();
    assert_eq!(kinds, ["write package: io", "unpack: io", "push: io", "new layout: io"], "{said}");
    let after = files(root.path());
    assert!(before.iter().all(|(path, digest)| after.get(path) == Some(digest)), "{before:?} {after:?}");
    // What came before the piece that was too large is there, whole, and nothing leads to it.
    for (path, digest) in after.iter().filter(|(path, _)| !before.contains_key(*path)) {
        let is_blob = path.ends_with(Path::new("blobs/sha256").join(digest.hex()));
        let is_frame = path.ends_with("new/oci-layout") || path.ends_with("new/.index.json.lock");
        assert!(is_blob || is_frame, "{}", path.display());
    }
    let begun = Layout::new(at("new"));
    assert_eq!(block(begun.tags().try_collect::<Vec<Tag>>()).unwrap(), []);
}

fn on_a_full_disk(root: &Path) {
    let large = Package::from_file(root.join("large.tgz"), &LoadOptions::default()).unwrap();
    let into = |layout: &str| {
        let layout: Arc<dyn Store> = Arc::new(Layout::new(root.join(layout)));
        block(push(&Context::default(), &artifact(large.clone()), &layout, &PushOptions::default())).map(drop)
    };
    let say = |what: &str, error: Error| println!("failed: {what}: {}", error.kind().name());
    let signed = large.with_provenance("signed");
    say("write package", signed.write_to_dir(root.join("files")).unwrap_err());
    say("unpack", large.unpack(root.join("empty")).unwrap_err());
    say("push", into("layout").unwrap_err());
    say("new layout", into("new").unwrap_err());
}

#[test]
fn processes_that_write_one_layout_lose_nothing_and_one_that_is_killed_harms_nobody() {
    const TEST: &str =
        "hard_ends::processes_that_write_one_layout_lose_nothing_and_one_that_is_killed_harms_nobody";
    if let Some(order) = env::var_os(CHILD) {
        let order = order.into_string().unwrap();
        let (name, root) = order.split_once(' ').unwrap();
        return write_tags(name, Path::new(root));
    }
    let root = TempDir::new().unwrap();
    let start = |name: &str| -> Child {
        Command::new(env::current_exe().unwrap())
            .args(["--exact", TEST])
            .env(CHILD, format!("{name} {}", root.path().display()))
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let (mut one, mut two, mut endless) = (start("1"), start("2"), start("0"));
    let store = Layout::new(root.path());
    let begin = Instant::now();
    // Whoever reads meanwhile finds every tag that is there, and content behind it.
    while tags(&store).iter().filter(|tag| tag.as_str().starts_with("0.")).count() < 10 {
        assert!(begin.elapsed() < Duration::from_secs(60), "nothing is written");
    }
    endless.kill().unwrap();
    endless.wait().unwrap();
    assert!(one.wait().unwrap().success() && two.wait().unwrap().success());
    let found = tags(&store);
    let of = |name: &str| found.iter().filter(|tag| tag.as_str().starts_with(name)).count();
    assert_eq!((of("1."), of("2.")), (20, 20), "{found:?}");
    assert!(of("0.") >= 10);
    // And writes when the other is gone.
    block(store.push(&manifest("3", 0), &[("3.0.0".parse().unwrap(), TagMode::Create)])).unwrap();
}

/// Twenty tags; called 0, as many as it can.
fn write_tags(name: &str, root: &Path) {
    let store = Layout::new(root);
    for n in 0..if name == "0" { usize::MAX } else { 20 } {
        let tag: Tag = format!("{name}.{n}.0").parse().unwrap();
        block(store.push(&manifest(name, n), &[(tag, TagMode::Create)])).unwrap();
    }
}

/// All tags, each of which leads to content.
fn tags(store: &Layout) -> Vec<Tag> {
    let tags: Vec<Tag> = block(store.tags().try_collect()).unwrap();
    for tag in &tags {
        block(store.fetch_manifest(&tag.clone().into())).unwrap();
    }
    tags
}

fn manifest(name: &str, n: usize) -> Blob {
    Blob::from_bytes(
        MediaType::OCI_MANIFEST,
        format!(r#"{{"schemaVersion":2,"n":"{name}.{n}","layers":[]}}"#),
    )
}

/// A package with so many bytes that do not compress.
fn package(version: &str, bytes: usize) -> Package {
    let directory = TempDir::new().unwrap();
    let metadata = format!("apiVersion: v2\nname: web\nversion: {version}\n");
    fs_err::write(directory.path().join("Chart.yaml"), metadata).unwrap();
    let mut rng = Rng::new(1);
    let noise: Vec<u8> = (0..bytes).map(|_| rng.below(256) as u8).collect();
    fs_err::write(directory.path().join("noise"), noise).unwrap();
    let chart = Chart::from_dir(directory.path(), &LoadOptions::default()).unwrap();
    chart.package(&PackageOptions::default()).unwrap()
}

fn artifact(package: Package) -> ChartArtifact {
    ChartArtifact::new(package, &ArtifactOptions::default().with_created(Timestamp::FIXED)).unwrap()
}

/// The digest of every file below a directory, by its path there.
fn files(root: &Path) -> BTreeMap<PathBuf, Digest> {
    let (mut all, mut open) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(next) = open.pop() {
        if next.is_dir() {
            open.extend(fs_err::read_dir(&next).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            all.insert(next.strip_prefix(root).unwrap().to_owned(), Digest::of(fs_err::read(&next).unwrap()));
        }
    }
    all
}
