//! No bytes make the reader of packages panic or go past its limits; what it reads it reads again.

use oci_chart_core::{
    Limits,
    chart::{Chart, LoadOptions, read_archive},
};

pub(crate) fn check(bytes: &[u8]) {
    let mut limits = Limits::default();
    limits.file_bytes = 64 << 10;
    limits.total_bytes = 256 << 10;
    limits.entries = 1000;
    let options = LoadOptions::default().with_limits(limits.clone());
    let read = read_archive(bytes, &options);
    if let Ok(read) = &read {
        let total: u64 = read.files.iter().map(|file| file.content().len()).sum();
        assert!(total < limits.total_bytes);
        assert!(read.files.iter().all(|file| file.content().len() <= limits.file_bytes));
    }
    // A chart can only be made of what could be read.
    assert!(Chart::from_archive(bytes, &options).is_err() || read.is_ok());
}
