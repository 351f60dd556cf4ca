//! OCI values: descriptors, manifests, and a chart as an artifact made of them.

mod descriptor;
mod media_type;

pub use descriptor::Descriptor;
pub use media_type::MediaType;
