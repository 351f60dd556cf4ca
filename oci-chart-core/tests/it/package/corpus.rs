//! Every chart of the corpus, there and back.

use oci_chart_core::{
    Chart,
    chart::{ChartFile, PackageOptions},
};

use super::load;
use crate::support::{corpus, say};

#[test]
fn every_chart_comes_back_and_gives_the_same_package_again() {
    const TEST: &str = "package::corpus";
    let Some((_directory, charts)) = corpus::complete_charts(TEST) else { return };
    let (mut files, mut bytes, mut unpacked_same) = (0, 0, 0);
    for path in &charts {
        let chart = load(path);
        let package = chart.package(&PackageOptions::default()).unwrap();
        let back = package.chart().unwrap();
        files += assert_same(&chart, &back);
        bytes += package.size();
        let again = back.package(&PackageOptions::default()).unwrap();
        assert_eq!(again.digest(), package.digest(), "{}", path.display());

        let place = tempfile::tempdir().unwrap();
        let unpacked = load(package.unpack(place.path()).unwrap().path);
        // A .helmignore does not reach into packed subcharts, which are directories now.
        if unpacked.skipped().is_empty() {
            let again = unpacked.package(&PackageOptions::default()).unwrap();
            assert_eq!(again.digest(), package.digest(), "{}, unpacked", path.display());
            unpacked_same += 1;
        }
    }
    assert_eq!(charts.len(), 35);
    assert!(unpacked_same > 10, "{unpacked_same}");
    say(&format!("{TEST}: {} charts, {files} files, {bytes} bytes packed", charts.len()));
}

/// Compares all files of two charts and of the charts inside, and counts them.
fn assert_same(one: &Chart, other: &Chart) -> usize {
    let mut count = 0;
    let mut pairs = vec![(one, other)];
    while let Some((one, other)) = pairs.pop() {
        assert_eq!(one.metadata(), other.metadata());
        assert_eq!(one.lock(), other.lock());
        fn all(chart: &Chart) -> impl Iterator<Item = &ChartFile> {
            let special = chart.values().into_iter().chain(chart.schema());
            special.chain(chart.templates()).chain(chart.files())
        }
        assert_eq!(all(one).count(), all(other).count(), "{}", one.name());
        for (one, other) in all(one).zip(all(other)) {
            assert_eq!(one.path(), other.path());
            assert!(one.read(u64::MAX).unwrap() == other.read(u64::MAX).unwrap(), "{}", one.path());
            count += 1;
        }
        assert_eq!(one.dependencies().len(), other.dependencies().len());
        pairs.extend(one.dependencies().iter().zip(other.dependencies()));
    }
    count
}
