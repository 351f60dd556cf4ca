//! OCI values: descriptors, manifests, and a chart as an artifact made of them.

mod annotations;
mod artifact;
mod descriptor;
mod index;
mod manifest;
mod media_type;
mod parts;

pub use artifact::{ArtifactOptions, ChartArtifact, LayerOrder};
pub use descriptor::Descriptor;
pub use index::Index;
pub use manifest::Manifest;
pub use media_type::MediaType;
pub use parts::ChartParts;
