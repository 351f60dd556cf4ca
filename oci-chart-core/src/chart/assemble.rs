//! From a list of files to a chart: which file is what, and the charts inside.

mod subcharts;

use bytes::Bytes;

use self::subcharts::Subcharts;
use super::{
    Chart, ChartFile, LoadOptions, Lock,
    file::BYTE_ORDER_MARK,
    metadata::{self, Draft},
    values,
};
use crate::{
    content::Content,
    error::{Error, ErrorKind, Reason, Result},
    yaml,
};

/// What assembling takes along from the outermost chart to the innermost.
pub(super) struct Assembly<'a> {
    options: &'a LoadOptions,
    /// Charts inside charts that may still follow.
    depth: u32,
    /// Bytes that may still come out of packed subcharts, over all of them.
    packed: u64,
}

/// All packed subcharts together may unpack to this many times [`Limits::total_bytes`](crate::Limits). Helm has no such bound: there a
/// package of 100 MiB can unpack to a thousand times that. What Helm could load again after packaging is within one time.
const PACKED_FACTOR: u64 = 4;

/// Deeper nesting is refused whatever [`Limits::depth`](crate::Limits) says, since it is followed on the stack.
const DEPTH_BOUND: u32 = 128;

/// Values up to this size stay in memory between loading and packaging: larger ones cost four system calls more, and are a good part of what
/// would be in memory.
const KEPT_VALUES: usize = 64 << 10;

impl<'a> Assembly<'a> {
    pub(super) fn new(options: &'a LoadOptions) -> Self {
        let packed = options.limits.total_bytes.saturating_mul(PACKED_FACTOR);
        Self { options, depth: options.limits.depth.min(DEPTH_BOUND), packed }
    }

    /// The outermost chart. Its API version must be known, and its Chart.yaml free of infinities, even where they would become text:
    /// `helm package`, `install` and `template` find out the version before they load.
    pub(super) fn root(&mut self, files: Vec<ChartFile>) -> Result<Chart> {
        self.chart(files, true)
    }

    fn chart(&mut self, files: Vec<ChartFile>, root: bool) -> Result<Chart> {
        let mut parts = Parts::default();
        self.read_metadata(&files, root, &mut parts)?;
        let mut subcharts = Subcharts::default();
        for file in files {
            self.options.cancel.check()?;
            self.classify(file, &mut parts, &mut subcharts)?;
        }
        let Parts { draft, documents, lock, values, schema, templates, files, modified } = parts;
        let draft = draft.ok_or_else(missing)?;
        let metadata = draft.finish().map_err(|invalid| metadata::broken_rule(invalid, &documents))?;
        let dependencies = self.subcharts(subcharts, &metadata.name)?;
        Ok(Chart {
            metadata,
            lock,
            values,
            schema,
            templates,
            files,
            dependencies,
            modified,
            skipped: Vec::new(),
            flaw: None,
        })
    }

    fn read_metadata(&self, files: &[ChartFile], root: bool, parts: &mut Parts) -> Result<()> {
        let Some(file) = files.iter().find(|file| *file.path() == CHART_YAML) else {
            return if root { Err(missing()) } else { Ok(()) };
        };
        let text = self.read(file)?;
        let document = metadata::parse(CHART_YAML, &text, &self.options.limits)?;
        if root && text.starts_with(BYTE_ORDER_MARK) {
            // Who looks at the API version leaves all marks to YAML, which knows one; who loads takes one off before.
            let as_it_lies = file.content().read(self.options.limits.file_bytes)?;
            let document = metadata::parse(CHART_YAML, &as_it_lies, &self.options.limits)?;
            metadata::check_api_version(&document)?;
        } else if root {
            metadata::check_api_version(&document)?;
        }
        let draft = parts.draft.get_or_insert_default();
        draft.apply(CHART_YAML, &document)?;
        draft.default_api_version();
        parts.documents.push((CHART_YAML, document));
        parts.modified = file.modified();
        Ok(())
    }

    fn classify(&self, file: ChartFile, parts: &mut Parts, subcharts: &mut Subcharts) -> Result<()> {
        match file.path().as_str() {
            CHART_YAML => {}
            name @ ("Chart.lock" | "requirements.lock") => {
                parts.lock = Lock::read(name, &self.read(&file)?, &self.options.limits)?;
                if name == "requirements.lock" {
                    parts.legacy(file);
                }
            }
            REQUIREMENTS_YAML => {
                let text = self.read(&file)?;
                let document = metadata::parse(REQUIREMENTS_YAML, &text, &self.options.limits)?;
                parts.draft.get_or_insert_default().apply(REQUIREMENTS_YAML, &document)?;
                parts.documents.push((REQUIREMENTS_YAML, document));
                parts.legacy(file);
            }
            values::FILE => {
                let text = self.read(&file)?;
                values::check(&text, &self.options.limits)?;
                parts.values = Some(keep(file, text));
            }
            "values.schema.json" => parts.schema = Some(file),
            path if path.starts_with("templates/") => parts.templates.push(file),
            path if path.starts_with("charts/") && !path.ends_with(".prov") => subcharts.add(file)?,
            _ => parts.files.push(file),
        }
        Ok(())
    }

    fn read(&self, file: &ChartFile) -> Result<Bytes> {
        file.read(self.options.limits.file_bytes)
    }
}

const CHART_YAML: &str = metadata::FILE;
const REQUIREMENTS_YAML: &str = "requirements.yaml";

/// What the files seen so far have given.
#[derive(Default)]
struct Parts {
    draft: Option<Draft>,
    /// What the draft was read from, to tell where a broken rule is.
    documents: Vec<(&'static str, yaml::Document)>,
    lock: Option<Lock>,
    values: Option<ChartFile>,
    schema: Option<ChartFile>,
    templates: Vec<ChartFile>,
    files: Vec<ChartFile>,
    modified: Option<std::time::SystemTime>,
}

impl Parts {
    /// Files of Helm 2 stay files in `v1` charts and go in later ones, whose Chart.yaml and Chart.lock then hold what they said.
    fn legacy(&mut self, file: ChartFile) {
        if self.draft.get_or_insert_default().api_version() == super::Metadata::API_V1 {
            self.files.push(file);
        }
    }
}

fn keep(file: ChartFile, text: Bytes) -> ChartFile {
    if text.len() > KEPT_VALUES {
        return file;
    }
    ChartFile { content: Content::from(text), ..file }
}

fn missing() -> Error {
    Error::new(ErrorKind::InvalidChart, "Chart.yaml file is missing")
        .with_reason(Reason::ChartYamlMissing)
        .with_context("file", CHART_YAML)
        .with_hint("a chart is a directory or package with a Chart.yaml at its top")
}
