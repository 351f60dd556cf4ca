use std::path::{Path, PathBuf};

use oci_chart_core::{
    Chart,
    chart::{LoadOptions, PackageOptions},
};

/// A package of about 100 KB in `directory`: text that does not shrink much.
pub(crate) fn package(directory: &Path) -> PathBuf {
    let source = directory.join("bench");
    fs_err::create_dir_all(source.join("templates")).expect("a directory");
    fs_err::write(source.join("Chart.yaml"), "apiVersion: v2\nname: bench\nversion: 1.0.0\n")
        .expect("a file");
    fs_err::write(source.join("values.yaml"), "replicas: 1\n").expect("a file");
    let mut state = 1u64;
    let noise: String = (0..130_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'0' + (state >> 58) as u8)
        })
        .collect();
    fs_err::write(source.join("noise.txt"), noise).expect("a file");
    let chart = Chart::from_path(&source, &LoadOptions::default()).expect("a chart");
    let package = chart.package(&PackageOptions::default()).expect("a package");
    package.write_to_dir(directory).expect("a place")
}
