//! What `helm show` shows: readme and custom resource definitions. The rest are [`Metadata::to_yaml`](super::Metadata::to_yaml) and
//! [`Chart::values`].

use bytes::Bytes;

use super::{Chart, ChartFile};
use crate::error::Result;

impl Chart {
    /// The readme: the first file at the top that is called `README.md`, `README.txt` or `README` in any case.
    pub fn readme(&self) -> Option<&ChartFile> {
        const NAMES: [&str; 3] = ["readme.md", "readme.txt", "readme"];
        let is_readme =
            |file: &&ChartFile| NAMES.iter().any(|name| file.path().as_str().eq_ignore_ascii_case(name));
        self.files().iter().find(is_readme)
    }

    /// The files of `crds/` that are YAML or JSON, in load order, then those of the dependencies.
    pub fn crds(&self) -> Vec<&ChartFile> {
        let mut found = Vec::new();
        let mut open = vec![self];
        while let Some(chart) = open.pop() {
            found.extend(chart.files().iter().filter(|file| is_crd(file)));
            open.extend(chart.dependencies().iter().rev());
        }
        found
    }

    /// All [`crds`](Self::crds) as one YAML stream, as `helm show crds` prints it: `---` in front of each file that does not begin with
    /// it, a line break after each.
    ///
    /// # Errors
    ///
    /// Those of [`ChartFile::read`]: for a chart that lies in a directory, a file that is gone or has changed.
    pub fn crds_yaml(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        for file in self.crds() {
            let text = whole(file)?;
            if !text.starts_with(b"---") {
                out.extend_from_slice(b"---\n");
            }
            out.extend_from_slice(&text);
            out.push(b'\n');
        }
        Ok(out)
    }
}

/// All of a file whose size was judged when it was loaded.
fn whole(file: &ChartFile) -> Result<Bytes> {
    file.read(file.content().len())
}

fn is_crd(file: &ChartFile) -> bool {
    let path = file.path();
    let extension = path.file_name().rsplit_once('.').map_or("", |(_, extension)| extension);
    path.as_str().starts_with("crds/")
        && ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}
