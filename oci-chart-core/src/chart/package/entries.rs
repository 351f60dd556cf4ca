use std::time::SystemTime;

use crate::{
    chart::{Chart, ChartFile, Metadata},
    error::{Error, ErrorKind, Reason, Result},
    json,
};

/// One file of a package, in the package's order.
pub(super) struct Entry<'a> {
    /// From the archive's root.
    pub(super) path: String,
    pub(super) source: Source<'a>,
    pub(super) modified: Option<SystemTime>,
}

pub(super) enum Source<'a> {
    /// Written anew, as Helm does it.
    Text(String),
    File(&'a ChartFile),
}

impl Entry<'_> {
    /// Its size, with a byte order mark that it may have on disk.
    pub(super) fn bytes(&self) -> u64 {
        match &self.source {
            Source::Text(text) => text.len() as u64,
            Source::File(file) => file.content().len(),
        }
    }
}

/// The files of `chart` as Helm 4 orders them: Chart.yaml, Chart.lock, values, schema, templates, other files, then every chart inside, by name.
/// `metadata` is that of the outermost chart, which may differ from the chart's own.
pub(super) fn entries<'a>(chart: &'a Chart, metadata: &Metadata) -> Result<Vec<Entry<'a>>> {
    let mut entries = Vec::new();
    let mut open = vec![(chart, metadata.name.clone())];
    while let Some((inner, base)) = open.pop() {
        let metadata = if std::ptr::eq(inner, chart) { metadata } else { inner.metadata() };
        add(inner, metadata, &base, &mut entries).map_err(|error| error.with_context("chart", &base))?;
        let inside = inner.dependencies().iter().rev();
        open.extend(inside.map(|dependency| (dependency, format!("{base}/charts/{}", dependency.name()))));
    }
    Ok(entries)
}

fn add<'a>(chart: &'a Chart, metadata: &Metadata, base: &str, entries: &mut Vec<Entry<'a>>) -> Result<()> {
    entries.push(Entry {
        path: format!("{base}/Chart.yaml"),
        source: Source::Text(metadata.to_packaged_yaml()?),
        modified: chart.modified(),
    });
    // Helm writes it for v2 alone; charts of Helm 2 keep their requirements.lock among the files.
    if let Some(lock) = chart.lock().filter(|_| metadata.api_version == Metadata::API_V2) {
        entries.push(Entry {
            path: format!("{base}/Chart.lock"),
            source: Source::Text(lock.to_yaml()?),
            modified: lock.generated_at(),
        });
    }
    if let Some(schema) = chart.schema() {
        check_schema(schema)?;
    }
    let special = chart.values().into_iter().chain(chart.schema());
    for file in special.chain(chart.templates()).chain(chart.files()) {
        let path = format!("{base}/{}", file.path());
        entries.push(Entry { path, source: Source::File(file), modified: file.modified() });
    }
    Ok(())
}

fn check_schema(schema: &ChartFile) -> Result<()> {
    if json::is_valid(&schema.read(schema.content().len())?) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidChart, "invalid JSON in values.schema.json")
        .with_reason(Reason::SchemaNotJson)
        .with_context("file", schema.path())
        .with_hint("a values schema is JSON, not YAML, without comments and trailing commas"))
}
