//! OCI values: descriptors, manifests, and a chart as an artifact made of them.

mod descriptor;
mod manifest;
mod media_type;
mod parts;

pub use descriptor::Descriptor;
pub use manifest::Manifest;
pub use media_type::MediaType;
pub use parts::ChartParts;
