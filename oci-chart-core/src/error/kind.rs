use std::fmt;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $kind:ident = $code:literal, $name:literal;)*) => {
        /// What an [`Error`](super::Error) means, flat and few, so that every language can act on it.
        ///
        /// The numbers are an interface: they never change and are never used again.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u32)]
        pub enum ErrorKind { $($(#[doc = $doc])* $kind = $code,)* }

        impl ErrorKind {
            /// Every kind, by number.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The kind's number, the same in every language.
            pub const fn code(self) -> u32 {
                self as u32
            }

            /// The kind's name in words, the same in every language.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// What it means, in a sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$kind => concat!($($doc),*).trim_ascii(),)* }
            }
        }
    };
}

kinds! {
    /// A fault of this library; please report it.
    Internal = 1, "internal";
    /// An argument or option that makes no sense.
    InvalidInput = 2, "invalid-input";
    /// The operating system refused a file operation.
    Io = 3, "io";
    /// The caller stopped the call.
    Cancelled = 4, "cancelled";
    /// A bound of [`Limits`](crate::Limits) was passed.
    LimitExceeded = 5, "limit-exceeded";
    /// The other side, or this build, cannot do it.
    Unsupported = 6, "unsupported";
    /// Not a reference, host, repository name, tag or digest.
    InvalidReference = 10, "invalid-reference";
    /// Not a version or version constraint.
    InvalidVersion = 11, "invalid-version";
    /// A chart that Helm would refuse.
    InvalidChart = 12, "invalid-chart";
    /// An archive that is broken or must not be unpacked.
    InvalidArchive = 13, "invalid-archive";
    /// A manifest or index that cannot be used.
    InvalidManifest = 14, "invalid-manifest";
    /// The chart has findings at or above the given severity.
    LintFailed = 15, "lint-failed";
    /// No such file, tag, manifest, blob or repository.
    NotFound = 20, "not-found";
    /// It exists and may not be replaced.
    AlreadyExists = 21, "already-exists";
    /// Somebody else changed it in between, or a condition does not hold.
    Conflict = 22, "conflict";
    /// No credentials, or credentials that were refused.
    Unauthenticated = 23, "unauthenticated";
    /// Known, but not allowed.
    PermissionDenied = 24, "permission-denied";
    /// Too many requests.
    RateLimited = 25, "rate-limited";
    /// No connection, or one that broke.
    Network = 26, "network";
    /// No answer in time.
    Timeout = 27, "timeout";
    /// The other side breaks the protocol.
    Protocol = 28, "protocol";
    /// The other side fails or is being worked on.
    Unavailable = 29, "unavailable";
    /// Bytes that do not have the digest or the size they should have.
    DigestMismatch = 30, "digest-mismatch";
    /// A signature that does not fit.
    SignatureInvalid = 31, "signature-invalid";
    /// The caller's policy says no.
    PolicyDenied = 32, "policy-denied";
    /// The registry's storage quota is used up.
    QuotaExceeded = 33, "quota-exceeded";
    /// No secure connection: certificate, name or protocol version.
    Tls = 34, "tls";
    /// No signature where one is asked for.
    NotSigned = 35, "not-signed";
    /// Neither right nor wrong: what the check needs could not be had.
    CouldNotCheck = 36, "could-not-check";
    /// The registry holds this tag as immutable.
    ImmutableTag = 37, "immutable-tag";
}

impl ErrorKind {
    /// What can be done about an error of this kind, where nobody closer to it knew better.
    pub const fn hint(self) -> Option<&'static str> {
        Some(match self {
            Self::Internal => "this should not happen: please report it, with this message",
            Self::InvalidInput => "correct the argument or option that is named",
            Self::Io => "see that the path exists, is writable where it has to be, and has space left",
            Self::Cancelled => return None,
            Self::LimitExceeded => "if the content is to be trusted, raise the limit that is named",
            Self::Unsupported => "do without it, or use a registry or build that has it",
            Self::InvalidReference => {
                "references look like oci://HOST/PATH:VERSION or oci://HOST/PATH@DIGEST"
            }
            Self::InvalidVersion => "versions look like 1.2.3-rc.1+build, constraints like ^1.2 or >=1.2 <2",
            Self::InvalidChart => "correct what is named in the chart; `helm lint` looks at the same rules",
            Self::InvalidArchive => {
                "package the chart again: this archive is damaged, or made by a tool with rules of its own"
            }
            Self::InvalidManifest => "push the chart again with a client that follows the OCI image spec",
            Self::LintFailed => "correct the findings, or accept their severity",
            Self::NotFound => "check the name, and list what is there",
            Self::AlreadyExists => "choose another name or version, or replace it on purpose",
            Self::Conflict => "somebody changed it in between: look at what is there now, and decide again",
            Self::Unauthenticated => "log in to the registry, or check the user and password or token in use",
            Self::PermissionDenied => "ask who runs the registry for the right, or use another account",
            Self::RateLimited => "wait before the next try, or log in: many registries allow more then",
            Self::Network => "check the address, the connection and proxies between, and try again",
            Self::Timeout => "try again; if it stays, raise the time-out or look at what stands between",
            Self::Protocol => {
                "check the address and what stands between, a proxy for example; else the registry is at fault"
            }
            Self::Unavailable => "try again later; if it stays, tell who runs the registry the request id",
            Self::DigestMismatch => {
                "the content was changed or damaged on its way; fetch it again, from another source if need be"
            }
            Self::SignatureInvalid => "do not use the content; ask its publisher which key signs it",
            Self::PolicyDenied => "change the policy, or use content that satisfies it",
            Self::QuotaExceeded => "delete what is not needed in the registry, or have the quota raised",
            Self::Tls => "check the certificate, its name and authority, and the machine's clock",
            Self::NotSigned => "have the publisher sign it, or accept unsigned content on purpose",
            Self::CouldNotCheck => "make available what the check needs, and try again",
            Self::ImmutableTag => "publish under a new version: this one can never change",
        })
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_kind_goes_without_a_hint() {
        for kind in ErrorKind::ALL.iter().filter(|kind| **kind != ErrorKind::Cancelled) {
            assert!(crate::Error::new(*kind, "malformed").hint().is_some(), "{kind}");
        }
    }

    #[test]
    fn numbers_and_names_are_unique_and_ordered() {
        for pair in ErrorKind::ALL.windows(2) {
            assert!(pair[0].code() < pair[1].code(), "{pair:?}");
        }
        let mut names: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ErrorKind::ALL.len());
    }
}
