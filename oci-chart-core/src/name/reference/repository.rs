//! Repository names, and their place in a registry.

use std::{fmt, str::FromStr};

use super::{Host, ParseReferenceError, Reference, SCHEME, Tag};
use crate::{
    digest::Digest,
    error::{Error, ErrorKind},
};

/// The name of a repository in a registry: path components of lower-case letters and digits, which single `.` or `_`, a `__`, or any
/// number of `-` may join (`charts/my-web`).
///
/// # Examples
///
/// ```
/// use oci_chart_core::name::RepositoryName;
///
/// # fn main() -> Result<(), oci_chart_core::Error> {
/// let name = RepositoryName::parse("charts/web")?;
/// assert_eq!(name.last_component(), "web");
/// assert!(RepositoryName::parse("charts/MyWeb").is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepositoryName(Box<str>);

impl RepositoryName {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// [`ParseRepositoryNameError`], which becomes [`ErrorKind::InvalidReference`].
    pub fn parse(text: &str) -> Result<Self, ParseRepositoryNameError> {
        match text.split('/').find(|component| !is_component(component)) {
            None => Ok(Self(text.into())),
            Some(component) => {
                Err(ParseRepositoryNameError { name: text.to_owned(), component: component.to_owned() })
            }
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part behind the last `/`; a chart's name, where Helm has pushed.
    pub fn last_component(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

/// Letters and digits at both ends, and between them only joints of the right form.
fn is_component(component: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = component.as_bytes();
    let ends = bytes.first().zip(bytes.last());
    ends.is_some_and(|(first, last)| is_letter(*first) && is_letter(*last))
        && bytes
            .split(|byte| is_letter(*byte))
            .all(|joint| matches!(joint, b"" | b"." | b"_" | b"__") || joint.iter().all(|byte| *byte == b'-'))
}

impl FromStr for RepositoryName {
    type Err = ParseRepositoryNameError;

    fn from_str(text: &str) -> Result<Self, ParseRepositoryNameError> {
        Self::parse(text)
    }
}

impl serde::Serialize for RepositoryName {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RepositoryName({self})")
    }
}

/// Why a text is no repository name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseRepositoryNameError {
    name: String,
    component: String,
}

impl ParseRepositoryNameError {
    /// The path component at fault.
    pub fn component(&self) -> &str {
        &self.component
    }

    pub(super) fn hint(&self) -> &'static str {
        if self.component.is_empty() {
            "leave out leading, doubled and trailing slashes"
        } else if self.component.bytes().any(|byte| byte.is_ascii_uppercase()) {
            "registries know lower-case repository names only; a chart whose name has capitals cannot be pushed"
        } else {
            "a component has lower-case letters and digits, joined by '.', '_', '__' or dashes"
        }
    }
}

impl fmt::Display for ParseRepositoryNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid repository {:?}", self.name)?;
        if self.component == self.name {
            return Ok(());
        }
        write!(f, ": component {:?}", self.component)
    }
}

impl std::error::Error for ParseRepositoryNameError {}

impl From<ParseRepositoryNameError> for Error {
    fn from(error: ParseRepositoryNameError) -> Self {
        let hint = error.hint();
        Self::new(ErrorKind::InvalidReference, error.to_string()).with_source(error).with_hint(hint)
    }
}

/// A repository in a registry: `oci://host[:port]/path`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RepositoryAddress {
    host: Host,
    repository: RepositoryName,
}

impl RepositoryAddress {
    /// An address made of its parts.
    pub fn new(host: Host, repository: RepositoryName) -> Self {
        Self { host, repository }
    }

    /// Reads an address; the scheme may be left out.
    ///
    /// # Errors
    ///
    /// [`ParseReferenceError`], which becomes [`ErrorKind::InvalidReference`]; a tag or digest is an error, too.
    pub fn parse(text: &str) -> Result<Self, ParseReferenceError> {
        let reference = Reference::parse(text)?;
        match (reference.tag(), reference.digest()) {
            (None, None) => Ok(reference.address),
            _ => Err(ParseReferenceError::NotARepository { reference: reference.to_string() }),
        }
    }

    /// The host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The repository in the host.
    pub fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// The name that the registry API knows it by: Docker Hub's repositories of one part are in `library`.
    ///
    /// # Examples
    ///
    /// ```
    /// use oci_chart_core::name::RepositoryAddress;
    ///
    /// let name = |text| RepositoryAddress::parse(text).map(|address| address.api_repository().to_string());
    /// assert_eq!(name("docker.io/web")?, "library/web");
    /// assert_eq!(name("docker.io/org/web")?, "org/web");
    /// assert_eq!(name("registry.example/web")?, "web");
    /// # Ok::<(), oci_chart_core::Error>(())
    /// ```
    pub fn api_repository(&self) -> RepositoryName {
        let name = self.repository.as_str();
        if self.host.api_host() == "registry-1.docker.io" && !name.contains('/') {
            return RepositoryName(format!("library/{name}").into());
        }
        self.repository.clone()
    }

    /// The reference of a tag in this repository.
    pub fn with_tag(&self, tag: Tag) -> Reference {
        Reference::new(self.clone(), Some(tag), None)
    }

    /// The reference of a digest in this repository.
    pub fn with_digest(&self, digest: Digest) -> Reference {
        Reference::new(self.clone(), None, Some(digest))
    }
}

impl FromStr for RepositoryAddress {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, ParseReferenceError> {
        Self::parse(text)
    }
}

/// With the scheme.
impl fmt::Display for RepositoryAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.host, self.repository)
    }
}
