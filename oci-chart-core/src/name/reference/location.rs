//! Locations of stores.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{LAYOUT_SCHEME, ParseReferenceError, RepositoryAddress, SCHEME};
use crate::error::{Error, ErrorKind};

/// Where a store is: a repository in a registry, or an OCI image layout directory.
///
/// # Examples
///
/// ```
/// use oci_chart_core::name::Location;
///
/// # fn main() -> Result<(), oci_chart_core::Error> {
/// assert!(matches!("oci://registry.example/charts/web".parse()?, Location::Registry(_)));
/// assert!(matches!("oci-layout:./mirror".parse()?, Location::Layout(_)));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Location {
    /// `oci://host[:port]/path`.
    Registry(RepositoryAddress),
    /// `oci-layout:PATH`.
    Layout(PathBuf),
}

impl Location {
    /// Reads a location; here the scheme is needed.
    ///
    /// # Errors
    ///
    /// [`ParseLocationError`], which becomes [`ErrorKind::InvalidReference`].
    pub fn parse(text: &str) -> Result<Self, ParseLocationError> {
        match text.strip_prefix(LAYOUT_SCHEME) {
            Some("") => Err(ParseLocationError::NoPath),
            Some(path) => Ok(Self::Layout(path.into())),
            None if text.starts_with(SCHEME) => Ok(Self::Registry(RepositoryAddress::parse(text)?)),
            None => Err(ParseLocationError::NoScheme),
        }
    }

    /// The image layout at `path`.
    pub fn layout(path: impl AsRef<Path>) -> Self {
        Self::Layout(path.as_ref().to_owned())
    }
}

impl From<RepositoryAddress> for Location {
    fn from(address: RepositoryAddress) -> Self {
        Self::Registry(address)
    }
}

impl FromStr for Location {
    type Err = ParseLocationError;

    fn from_str(text: &str) -> Result<Self, ParseLocationError> {
        Self::parse(text)
    }
}

/// As it is read, except that bytes of a path that are no UTF-8 are replaced.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(address) => address.fmt(f),
            Self::Layout(path) => write!(f, "{LAYOUT_SCHEME}{}", path.display()),
        }
    }
}

/// Why a text is no location.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseLocationError {
    /// Neither `oci://` nor `oci-layout:` stands in front.
    NoScheme,
    /// There is no path behind `oci-layout:`.
    NoPath,
    /// What stands behind `oci://` is no repository.
    Repository(ParseReferenceError),
}

impl From<ParseReferenceError> for ParseLocationError {
    fn from(error: ParseReferenceError) -> Self {
        Self::Repository(error)
    }
}

impl fmt::Display for ParseLocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoScheme => f.write_str("invalid location: scheme prefix missing"),
            Self::NoPath => f.write_str("invalid location: no path behind oci-layout:"),
            Self::Repository(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ParseLocationError {}

impl From<ParseLocationError> for Error {
    fn from(error: ParseLocationError) -> Self {
        let hint = match &error {
            ParseLocationError::Repository(error) => error.hint(),
            _ => "write oci://HOST/REPOSITORY for a registry or oci-layout:PATH for a directory",
        };
        Self::new(ErrorKind::InvalidReference, error.to_string()).with_source(error).with_hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_prints_as_it_was_read() {
        for text in ["oci://h:1/a/b", "oci-layout:/srv/charts", "oci-layout:../x y"] {
            assert_eq!(Location::parse(text).map(|location| location.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(Location::parse("./charts"), Err(ParseLocationError::NoScheme));
        assert_eq!(Location::parse("oci-layout:"), Err(ParseLocationError::NoPath));
        assert!(matches!(
            Location::parse("oci://h/a:1"),
            Err(ParseLocationError::Repository(ParseReferenceError::NotARepository { .. }))
        ));
    }
}
