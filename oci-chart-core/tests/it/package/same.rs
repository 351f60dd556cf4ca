//! The same tree, the same bytes, whatever else differs; `SOURCE_DATE_EPOCH`.

use std::{
    env,
    num::NonZeroUsize,
    path::Path,
    process::Command,
    time::{Duration, SystemTime},
};

use oci_chart_core::{Digest, ErrorKind, Reason, chart::PackageOptions};

use super::{WEB, add, load, package, tree};

/// Tells the child which directory to package.
const CHILD: &str = "OCI_CHART_PACKAGE_CHILD";

#[test]
fn every_number_of_threads_gives_the_same_bytes() {
    let tree = tree(WEB);
    // Several blocks, some of them hard to compress, in files larger and smaller than one.
    let mut noise = Vec::new();
    for file in 0..9u32 {
        for line in 0..4_000u32 {
            let word = Digest::of((file * 4_000 + line / 3).to_le_bytes()).hex();
            noise.extend_from_slice(format!("key{line}: {}\n", &word[..(line % 60) as usize]).as_bytes());
        }
        fs_err::write(tree.path().join(format!("templates/{file}.yaml")), &noise).unwrap();
    }
    let chart = load(tree.path());
    let digest = |threads| {
        let options = PackageOptions::default().with_threads(NonZeroUsize::new(threads).unwrap());
        chart.package(&options).unwrap().digest()
    };
    let expected = digest(1);
    for threads in [2, 3, 4, 7, 16] {
        assert_eq!(digest(threads), expected, "{threads} threads");
    }
    assert_eq!(chart.package(&PackageOptions::default()).unwrap().digest(), expected);
}

#[test]
fn times_places_and_the_order_of_creation_change_nothing() {
    let first = tree(WEB);
    let expected = package(first.path()).unwrap().digest();
    for (number, path) in WEB.iter().map(|(path, _)| path).enumerate() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_234_567 * number as u64 + 1);
        fs_err::OpenOptions::new()
            .write(true)
            .open(first.path().join(path))
            .unwrap()
            .set_modified(time)
            .unwrap();
    }
    assert_eq!(package(first.path()).unwrap().digest(), expected, "other times");

    let mut backwards = WEB.to_vec();
    backwards.reverse();
    let other = tempfile::tempdir().unwrap();
    let place = other.path().join("another name, ü");
    add(&place, &backwards);
    assert_eq!(package(&place).unwrap().digest(), expected, "another place, made the other way round");
    assert_eq!(package(place.join("../another name, ü/.")).unwrap().digest(), expected, "another path");
}

#[cfg(unix)]
#[test]
fn modes_and_the_surroundings_change_nothing() {
    use std::os::unix::fs::PermissionsExt;

    if let Some(directory) = env::var_os(CHILD) {
        return in_a_child(directory.as_ref());
    }
    let tree = tree(WEB);
    let expected = package(tree.path()).unwrap().digest().to_string();
    for (path, _) in WEB {
        let mode = if path.ends_with("yaml") { 0o755 } else { 0o600 };
        fs_err::set_permissions(tree.path().join(path), PermissionsExt::from_mode(mode)).unwrap();
    }
    for (umask, zone, locale) in
        [("022", "UTC", "C"), ("077", "Asia/Kolkata", "tr_TR.UTF-8"), ("000", "XYZ-13", "")]
    {
        let said = child(umask, tree.path(), &[("TZ", zone), ("LC_ALL", locale), ("LANG", locale)]);
        assert_eq!(said, expected, "umask {umask}, {zone}, {locale}");
    }
}

#[cfg(unix)]
#[test]
fn the_environment_names_the_time() {
    let tree = tree(WEB);
    let chart = load(tree.path());
    let at = |seconds: &str| {
        let options = PackageOptions::default().with_time(seconds.parse().unwrap());
        chart.package(&options).unwrap().digest().to_string()
    };
    assert_eq!(child("022", tree.path(), &[]), at("315532800"));
    assert_eq!(child("022", tree.path(), &[("SOURCE_DATE_EPOCH", "1700000000")]), at("1700000000"));
    for bad in ["", "yesterday", "-1", "1.5", "999999999999999"] {
        let said = child("022", tree.path(), &[("SOURCE_DATE_EPOCH", bad)]);
        assert_eq!(said, format!("{:?} {:?}", ErrorKind::InvalidInput, Some(Reason::BadTime)), "{bad:?}");
    }
    // Who names a time does not ask the environment.
    let said = child("022", tree.path(), &[("SOURCE_DATE_EPOCH", "bad"), ("OCI_CHART_PACKAGE_TIME", "5")]);
    assert_eq!(said, at("5"));
}

/// What a process of its own says of the directory: a digest, or what kind of error.
#[cfg(unix)]
fn child(umask: &str, directory: &Path, variables: &[(&str, &str)]) -> String {
    let output = Command::new("sh")
        .args(["-c", "umask $0; exec \"$@\"", umask])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "package::same::modes_and_the_surroundings_change_nothing", "--nocapture"])
        .env_remove("SOURCE_DATE_EPOCH")
        .envs(variables.iter().copied())
        .env(CHILD, directory)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said.split("package is <").nth(1).unwrap().split('>').next().unwrap().to_owned()
}

#[cfg(unix)]
fn in_a_child(directory: &Path) {
    let mut options = PackageOptions::default();
    if let Ok(time) = env::var("OCI_CHART_PACKAGE_TIME") {
        options = options.with_time(time.parse().unwrap());
    }
    match load(directory).package(&options) {
        Ok(package) => println!("package is <{}>", package.digest()),
        Err(error) => println!("package is <{:?} {:?}>", error.kind(), error.reason()),
    }
}
