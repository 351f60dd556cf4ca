//! Names: chart versions, version constraints, and where charts live.
//!
//! Everything here is a parsed value: once it exists, it is well formed. Helm's rules come first. A text that Helm 4.2
//! understands means the same here; the few texts that are refused although Helm takes them are listed at
//! [`Reference`], [`BaseAddress`] and [`Host`], each with the reason.

mod constraint;
mod reference;
mod select;
mod version;

pub use constraint::{ParseVersionReqError, VersionReq};
pub use reference::{
    BaseAddress, Host, Location, ParseBaseAddressError, ParseHostError, ParseLocationError,
    ParseReferenceError, ParseRepositoryNameError, ParseTagError, ParseTargetError, Reference,
    RepositoryAddress, RepositoryName, Tag, Target,
};
pub use select::{AvailableVersions, SelectError, Selector, SelectorError};
pub use version::{ChartVersion, ParseVersionError};
