//! Where charts are pushed to: the place above their repositories.

use std::{fmt, str::FromStr};

use super::{
    Host, ParseReferenceError, ParseRepositoryNameError, Reference, RepositoryAddress, RepositoryName,
    SCHEME, strip_scheme,
};
use crate::{
    error::{Error, ErrorKind},
    name::ChartVersion,
};

/// A place in a registry below which every chart has a repository of its own: `[oci://]host[:port][/path]`, the target of a push as Helm
/// writes it.
///
/// As in Helm, doubled and trailing slashes and `.` do not count, and `..` goes one component up. Other than in Helm it does
/// not go above the host: `oci://host/../x` would be the host `x` there, with `host`'s credentials in mind.
///
/// # Examples
///
/// ```
/// use oci_chart_core::name::{BaseAddress, ChartVersion};
///
/// # fn main() -> Result<(), oci_chart_core::Error> {
/// let base: BaseAddress = "oci://registry.example/charts/".parse()?;
/// let reference = base.reference("web", &ChartVersion::parse("1.2.3+b")?)?;
/// assert_eq!(reference.to_string(), "registry.example/charts/web:1.2.3_b");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaseAddress {
    host: Host,
    path: Option<RepositoryName>,
}

impl BaseAddress {
    /// Reads a base address; the scheme may be left out.
    ///
    /// # Errors
    ///
    /// [`ParseBaseAddressError`], which becomes [`ErrorKind::InvalidReference`].
    pub fn parse(text: &str) -> Result<Self, ParseBaseAddressError> {
        let rest = strip_scheme(text)?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if host.contains('@') {
            return Err(ParseReferenceError::UserInfo.into());
        }
        let host = Host::parse(host)?;
        let mut components = Vec::new();
        for component in path.split('/') {
            match component {
                "" | "." => {}
                ".." => {
                    components.pop().ok_or(ParseBaseAddressError::AboveHost)?;
                }
                _ if component.contains([':', '@']) => {
                    return Err(ParseBaseAddressError::TagOrDigest { component: component.to_owned() });
                }
                _ => components.push(component),
            }
        }
        let path = match components.as_slice() {
            [] => None,
            some => Some(RepositoryName::parse(&some.join("/"))?),
        };
        Ok(Self { host, path })
    }

    /// The host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The path, if there is one.
    pub fn path(&self) -> Option<&RepositoryName> {
        self.path.as_ref()
    }

    /// The repository of the chart `name`.
    ///
    /// # Errors
    ///
    /// [`ParseRepositoryNameError`] for a name that registries do not know, such as one with capitals.
    pub fn repository(&self, name: &str) -> Result<RepositoryAddress, ParseRepositoryNameError> {
        let name = match &self.path {
            Some(path) => format!("{path}/{name}"),
            None => name.to_owned(),
        };
        Ok(RepositoryAddress::new(self.host.clone(), RepositoryName::parse(&name)?))
    }

    /// The reference under which Helm pushes the chart `name` of `version`.
    ///
    /// # Errors
    ///
    /// [`ParseReferenceError`] for a name that registries do not know, or a version of more than 128 bytes.
    pub fn reference(&self, name: &str, version: &ChartVersion) -> Result<Reference, ParseReferenceError> {
        Ok(self.repository(name)?.with_tag(version.to_tag()?))
    }
}

impl FromStr for BaseAddress {
    type Err = ParseBaseAddressError;

    fn from_str(text: &str) -> Result<Self, ParseBaseAddressError> {
        Self::parse(text)
    }
}

/// With the scheme.
impl fmt::Display for BaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.host)?;
        self.path.iter().try_for_each(|path| write!(f, "/{path}"))
    }
}

/// Why a text is no base address.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseBaseAddressError {
    /// A tag or digest: the chart's version becomes the tag.
    TagOrDigest {
        /// The path component that has it.
        component: String,
    },
    /// `..` leads above the host.
    AboveHost,
    /// Scheme, host or path are malformed.
    Reference(ParseReferenceError),
}

impl<E: Into<ParseReferenceError>> From<E> for ParseBaseAddressError {
    fn from(error: E) -> Self {
        Self::Reference(error.into())
    }
}

impl fmt::Display for ParseBaseAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TagOrDigest { component } => {
                write!(
                    f,
                    "invalid reference: {component:?} has a tag or digest, which a push target cannot have"
                )
            }
            Self::AboveHost => f.write_str("invalid reference: .. leads above the host"),
            Self::Reference(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ParseBaseAddressError {}

impl From<ParseBaseAddressError> for Error {
    fn from(error: ParseBaseAddressError) -> Self {
        let hint = match &error {
            ParseBaseAddressError::TagOrDigest { .. } => {
                "name the place above the chart's repository; the chart's name and version are added"
            }
            ParseBaseAddressError::AboveHost => "leave out the '..'",
            ParseBaseAddressError::Reference(error) => error.hint(),
        };
        Self::new(ErrorKind::InvalidReference, error.to_string()).with_source(error).with_hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_climbs_out_of_the_host() {
        assert_eq!(BaseAddress::parse("oci://h/../x"), Err(ParseBaseAddressError::AboveHost));
        let base = BaseAddress::parse("h/a/../b").unwrap();
        assert_eq!(base.to_string(), "oci://h/b");
        assert!(base.repository("..").is_err());
        assert!(base.repository("").is_err());
    }

    #[test]
    fn a_bare_host_is_enough() {
        let base = BaseAddress::parse("oci://h:5000").unwrap();
        assert_eq!(base.repository("web").unwrap().to_string(), "oci://h:5000/web");
        assert_eq!(base.to_string().parse(), Ok(base));
    }
}
