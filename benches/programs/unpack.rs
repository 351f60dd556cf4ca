//! `unpack PACKAGE PLACE [tar]`: unpacks a chart, nothing else; with `tar` as [`tar::Archive::unpack`] does it.

use std::{env, error::Error};

use flate2::read::GzDecoder;
use fs_err::File;
use oci_chart_core::chart::{LoadOptions, unpack};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [package, place] => {
            unpack(File::open(*package)?, place, &LoadOptions::default())?;
        }
        [package, place, "tar"] => tar::Archive::new(GzDecoder::new(File::open(*package)?)).unpack(place)?,
        _ => return Err("unpack PACKAGE PLACE [tar]".into()),
    }
    Ok(())
}
