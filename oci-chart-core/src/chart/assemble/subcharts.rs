//! The charts below `charts/`.

use std::{collections::BTreeMap, path::Path};

use super::{
    super::{Chart, ChartFile, archive, sanitize::quote},
    Assembly,
};
use crate::error::{Error, ErrorKind, Reason, Result};

/// The files below `charts/` by the first component of their path there.
#[derive(Default)]
pub(super) struct Subcharts(BTreeMap<String, Vec<ChartFile>>);

impl Subcharts {
    /// Adds a file below `charts/`.
    pub(super) fn add(&mut self, file: ChartFile) -> Result<()> {
        let Some(name) = file.path().components().nth(1) else { return Ok(()) };
        let files = self.0.entry(name.to_owned()).or_default();
        files.push(file);
        Ok(())
    }
}

impl Assembly<'_> {
    /// The charts, by their own names and then by where they lie; Helm has them in random order.
    pub(super) fn subcharts(&mut self, subcharts: Subcharts, parent: &str) -> Result<Vec<Chart>> {
        let mut charts = Vec::new();
        for (place, files) in subcharts.0 {
            if place.starts_with(['_', '.']) {
                continue;
            }
            let chart =
                self.subchart(&place, files, parent).map_err(|error| inside(error, &place, parent))?;
            charts.push(chart);
        }
        charts.sort_by(|one: &Chart, other: &Chart| one.name().cmp(other.name()));
        Ok(charts)
    }

    fn subchart(&mut self, place: &str, files: Vec<ChartFile>, parent: &str) -> Result<Chart> {
        let Some(depth) = self.depth.checked_sub(1) else {
            return Err(Error::limit(
                "depth",
                self.options.limits.depth.min(super::DEPTH_BOUND),
                "charts are nested too deep",
            )
            .with_reason(Reason::TooDeep));
        };
        let files =
            if place.ends_with(".tgz") { self.unpack(place, files, parent)? } else { below(place, files)? };
        let outer = std::mem::replace(&mut self.depth, depth);
        let chart = self.chart(files, false);
        self.depth = outer;
        chart
    }

    fn unpack(&mut self, place: &str, files: Vec<ChartFile>, parent: &str) -> Result<Vec<ChartFile>> {
        let Some(file) = files.into_iter().next() else { return Ok(Vec::new()) };
        let seen = file.path().as_str().trim_start_matches("charts/");
        if seen != place {
            let message = format!("error unpacking subchart tar in {parent}: expected {place}, got {seen}");
            return Err(Error::new(ErrorKind::InvalidChart, message)
                .with_reason(Reason::IrregularFile)
                .with_hint("what is called *.tgz below charts/ must be a package, not a directory"));
        }
        let budget = self.options.limits.total_bytes.min(self.packed);
        let files = archive::read(file.content().open()?, self.options, budget)?.files;
        let size: u64 = files.iter().map(|file| file.content().len()).sum();
        self.packed = self.packed.saturating_sub(size);
        Ok(files)
    }
}

/// The files of a directory chart, seen from its own root. What lies beside them in `charts/` is no chart.
fn below(place: &str, files: Vec<ChartFile>) -> Result<Vec<ChartFile>> {
    let root = format!("charts/{place}");
    let inside = files.into_iter().filter(|file| file.path().as_str() != root);
    inside
        .map(|file| match file.path().strip_prefix(&root) {
            Some(path) => Ok(ChartFile { path, ..file }),
            None => Err(Error::new(
                ErrorKind::InvalidChart,
                format!(
                    "the file {} of a subchart has a name that no chart can have",
                    quote(file.path().as_str())
                ),
            )
            .with_reason(Reason::UnsafePath)
            .with_context("file", file.path())),
        })
        .collect()
}

/// Tells in which subchart an error is, in Helm's words, with the file's path from the outer chart's root.
fn inside(error: Error, place: &str, parent: &str) -> Error {
    if error.kind() == ErrorKind::Cancelled {
        return error;
    }
    let message = format!("error unpacking subchart {place} in {parent}: {}", error.message());
    let mut outer = Error::new(error.kind(), message);
    if let Some(reason) = error.reason() {
        outer = outer.with_reason(reason);
    }
    if let Some(hint) = error.hint() {
        outer = outer.with_hint(hint.to_owned());
    }
    for (key, value) in error.context() {
        let relative = key == "file" && !Path::new(value).is_absolute();
        let from = if relative { format!("charts/{place}/") } else { String::new() };
        outer = outer.with_context(key, format_args!("{from}{value}"));
    }
    outer.with_source(error)
}
