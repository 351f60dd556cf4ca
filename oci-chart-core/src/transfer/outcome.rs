use serde::Serialize;

use crate::{name::Tag, oci::Descriptor};

/// What a push did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PushOutcome {
    /// The manifest that the tag points at now. Where nothing was written this is the manifest that was there, whose annotations
    /// may be others (see [`Action::SameChart`]).
    pub descriptor: Descriptor,
    /// The version's tag.
    pub tag: Tag,
    /// What had to be done.
    pub action: Action,
}

/// What a push had to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Action {
    /// The artifact was written and tagged.
    Pushed,
    /// The tag pointed at this very manifest; nothing was sent.
    Unchanged,
    /// The tag points at another manifest with the same chart layer (another time or other annotations); nothing was sent.
    SameChart,
}

impl Action {
    /// A word for receipts and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pushed => "pushed",
            Self::Unchanged => "unchanged",
            Self::SameChart => "same-chart",
        }
    }
}
