use std::fmt;

macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $reason:ident = $word:literal;)*) => {
        /// The cause below an [`ErrorKind`](super::ErrorKind): a stable word to match on and to search for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason { $($(#[doc = $doc])* $reason,)* }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$reason,)*];

            /// The word, the same in every language.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$reason => $word,)* }
            }

            /// What it means, in a sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$reason => concat!($($doc),*).trim_ascii(),)* }
            }
        }
    };
}

// The one table of reasons. Words never change their meaning; new ones join at the end of their group.
reasons! {
    /// A single file is above [`Limits::file_bytes`](crate::Limits).
    FileTooLarge = "file-too-large";
    /// An archive unpacks to more than [`Limits::total_bytes`](crate::Limits).
    ArchiveTooLarge = "archive-too-large";
    /// An archive or directory has more entries than [`Limits::entries`](crate::Limits).
    TooManyEntries = "too-many-entries";
    /// Charts inside charts are nested deeper than [`Limits::depth`](crate::Limits).
    TooDeep = "too-deep";
    /// A document (manifest, configuration, YAML file) is above its limit.
    DocumentTooLarge = "document-too-large";
    /// A path that is absolute, climbs out of the chart or has a drive letter.
    UnsafePath = "unsafe-path";
    /// Two entries of one archive have the same path.
    DuplicatePath = "duplicate-path";
    /// An archive entry is a symbolic or hard link.
    LinkEntry = "link-entry";
    /// A symbolic link in a chart directory leads out of it.
    SymlinkEscape = "symlink-escape";
    /// Symbolic links lead in a circle.
    SymlinkLoop = "symlink-loop";
    /// A device, socket or pipe where a file is expected.
    IrregularFile = "irregular-file";
    /// Not a gzip archive.
    NotGzip = "not-gzip";
    /// The archive ends too early.
    Truncated = "truncated";
    /// The gzip trailer does not fit the content, or bytes follow it.
    BadTrailer = "bad-trailer";
    /// There is no Chart.yaml.
    ChartYamlMissing = "chart-yaml-missing";
    /// A document is not YAML.
    YamlSyntax = "yaml-syntax";
    /// A field has a value of the wrong type.
    FieldType = "field-type";
    /// A required field is missing or blank.
    FieldMissing = "field-missing";
    /// A field's value is not allowed.
    FieldInvalid = "field-invalid";
    /// A chart's name is `/` or has a backslash, so that nobody could read its package.
    NameUnusable = "name-unusable";
    /// Dependencies of Chart.yaml are not in charts/.
    DependenciesMissing = "dependencies-missing";
    /// A line of .helmignore is no pattern.
    IgnorePattern = "ignore-pattern";
    /// values.schema.json is not JSON.
    SchemaNotJson = "schema-not-json";
    /// A file changed between loading and packaging.
    SourceChanged = "source-changed";
    /// SOURCE_DATE_EPOCH, or another time, is not one that an archive can hold.
    BadTime = "bad-time";
    /// No layer or configuration of a Helm chart.
    NotAChart = "not-a-chart";
    /// An index lists more than one chart.
    SeveralCharts = "several-charts";
    /// The tag exists with other content.
    TagExists = "tag-exists";
    /// The tag does not point where the caller expected.
    TagMoved = "tag-moved";
    /// The repository has no such tag.
    TagMissing = "tag-missing";
    /// No version satisfies the constraint.
    VersionNotFound = "version-not-found";
    /// The registry knows no such repository.
    RepositoryMissing = "repository-missing";
    /// The registry makes no repository by a push: it has to be created there first.
    RepositoryNotCreated = "repository-not-created";
    /// The registry knows no such project.
    ProjectMissing = "project-missing";
    /// The registry holds the tag as immutable, whatever is to be written to it.
    TagImmutable = "tag-immutable";
    /// The project or account has no room left under its storage quota.
    QuotaReached = "quota-reached";
    /// The registry takes no writes at the moment.
    ReadOnly = "read-only";
    /// A rule of the registry forbids it: not signed yet, vulnerable, or not allowed by its policy.
    RegistryPolicy = "registry-policy";
    /// The registry knows the caller, and does not allow this.
    AccessDenied = "access-denied";
    /// Too many requests for the registry, from this caller or this address.
    TooManyRequests = "too-many-requests";
    /// The registry, or what stands before it, fails.
    ServerFault = "server-fault";
    /// The registry's disk is full.
    ServerFull = "server-full";
    /// The registry shows no list of its repositories, or not to this caller.
    CatalogUnavailable = "catalog-unavailable";
    /// The registry lost an upload on its way.
    UploadLost = "upload-lost";
    /// A blob is missing in the store.
    BlobMissing = "blob-missing";
    /// A manifest is missing in the store.
    ManifestMissing = "manifest-missing";
    /// More or fewer bytes came than announced.
    SizeMismatch = "size-mismatch";
    /// The registry's digest header does not fit the bytes.
    WrongDigestHeader = "wrong-digest-header";
    /// The media type is not the one announced.
    WrongMediaType = "wrong-media-type";
    /// A message lacks what the protocol demands, or has it in a wrong form.
    MalformedAnswer = "malformed-answer";
    /// The connection ended in the middle of a message.
    ConnectionCut = "connection-cut";
    /// Nobody listens at that address.
    ConnectionRefused = "connection-refused";
    /// The host name is unknown.
    NameUnknown = "name-unknown";
    /// The server speaks plain HTTP, and the caller did not allow that.
    PlainHttpOnHttps = "plain-http-on-https";
    /// The server speaks TLS where the caller asked for plain HTTP.
    HttpsOnPlainHttp = "https-on-plain-http";
    /// A certificate that cannot be used, for a cause that has no word of its own.
    CertificateInvalid = "certificate-invalid";
    /// The server's certificate is not signed by a known authority.
    UnknownAuthority = "unknown-authority";
    /// The server's certificate is for other names.
    CertificateName = "certificate-name";
    /// The server's certificate has expired or is not valid yet, by this machine's clock.
    CertificateExpired = "certificate-expired";
    /// The server wants a client certificate, and none was given for it.
    ClientCertificateRequired = "client-certificate-required";
    /// The server refused the client certificate.
    ClientCertificateRefused = "client-certificate-refused";
    /// Client and server have no TLS version or cipher in common.
    TlsIncompatible = "tls-incompatible";
    /// There is no way to the host's network.
    HostUnreachable = "host-unreachable";
    /// The connection did not come about in time.
    ConnectTimeout = "connect-timeout";
    /// The other side fell silent.
    IdleTimeout = "idle-timeout";
    /// The token service took too long.
    TokenTimeout = "token-timeout";
    /// The whole call took longer than it was given.
    DeadlineExceeded = "deadline-exceeded";
    /// The proxy cannot be reached.
    ProxyUnreachable = "proxy-unreachable";
    /// The proxy wants a login, or refused it.
    ProxyLogin = "proxy-login";
    /// The proxy does not let the connection through.
    ProxyRefused = "proxy-refused";
    /// The registry wants a login and there are no credentials for it.
    NoCredentials = "no-credentials";
    /// The registry refused the credentials.
    CredentialsRefused = "credentials-refused";
    /// The registry refused credentials that are kept somewhere: the error's context says where.
    StaleCredential = "stale-credential";
    /// A credential helper is missing, fails, or does not answer in time.
    CredentialHelper = "credential-helper";
    /// A file of logins is no JSON, or not of the form that docker and others write.
    BadLoginFile = "bad-login-file";
    /// The authentication challenge is missing or of no known scheme.
    BadChallenge = "bad-challenge";
    /// The token service gave no usable token.
    TokenRefused = "token-refused";
    /// A redirect, token service or upload location that must not be followed.
    UnsafeRedirect = "unsafe-redirect";
    /// The store does not offer this operation.
    OperationUnsupported = "operation-unsupported";
    /// This build lacks the feature.
    FeatureMissing = "feature-missing";
    /// The destination exists and may not be overwritten.
    DestinationExists = "destination-exists";
    /// The image layout's files contradict each other or the specification.
    BadLayout = "bad-layout";
    /// Something claims to be a signature and cannot be read as one.
    MalformedSignature = "malformed-signature";
    /// Signed JSON has one key twice, or in other letters: two readers would read two things.
    DuplicateKey = "duplicate-key";
    /// A signature, but of something else.
    OtherSubject = "other-subject";
    /// An attestation, or something else that is no signature of a chart.
    NotASignature = "not-a-signature";
    /// Signed by none of the keys that are trusted, or changed since.
    NoTrustedKey = "no-trusted-key";
    /// A certificate where a key is asked for, or the other way round.
    ForeignMaterial = "foreign-material";
    /// The log entry beside a signature is of another signature.
    OtherLogEntry = "other-log-entry";
    /// A piece of evidence has more parts than are read.
    TooManyParts = "too-many-parts";
    /// The key is trusted, but not at this time.
    KeyNotValid = "key-not-valid";
    /// Signed for another repository.
    IdentityMismatch = "identity-mismatch";
    /// A signed annotation that is asked for is missing or has another value.
    AnnotationMismatch = "annotation-mismatch";
    /// Fewer signers than the policy asks for.
    ThresholdNotMet = "threshold-not-met";
    /// The chart is another version than its tag says.
    VersionMismatch = "version-mismatch";
    /// The configuration blob describes another chart than the package holds.
    ConfigMismatch = "config-mismatch";
    /// A manifest has several layers of a type where only one can be meant.
    DuplicateLayer = "duplicate-layer";
    /// A signature that does not fit what it is said to be over.
    SignatureMismatch = "signature-mismatch";
    /// A certificate that the trust root does not vouch for, or not at that time.
    CertificateUntrusted = "certificate-untrusted";
    /// The log entry beside a signature is missing, or is not in a log that the trust root knows.
    LogEntryInvalid = "log-entry-invalid";
    /// Nobody who is trusted says when the signature was made.
    TimeUnproven = "time-unproven";
    /// A statement of another kind than asked for.
    OtherPredicate = "other-predicate";
    /// A statement does not say what is asked for.
    FieldMismatch = "field-mismatch";
    /// A text that is no key.
    BadKey = "bad-key";
    /// A key of an algorithm, size or form that is not used here.
    UnsupportedKey = "unsupported-key";
    /// The passphrase of a key is missing or wrong.
    WrongPassphrase = "wrong-passphrase";
    /// A provenance file is not one signed text about one chart.
    ProvenanceMalformed = "provenance-malformed";
    /// A provenance file does not have the package's digest.
    ProvenanceMismatch = "provenance-mismatch";
    /// What is signed is about another chart, or another version, than what the package says of itself.
    MetadataMismatch = "metadata-mismatch";
    /// A key ring is damaged or has no key.
    KeyringMalformed = "keyring-malformed";
    /// The signing key has expired.
    KeyExpired = "key-expired";
    /// The signing key was revoked.
    KeyRevoked = "key-revoked";
    /// The key is not meant to sign, or is not bound as it should be.
    KeyUnusable = "key-unusable";
    /// A hash algorithm or key that is too weak to be trusted.
    WeakAlgorithm = "weak-algorithm";
    /// The signature has expired, or is of a time when it cannot have been made.
    SignatureTime = "signature-time";
}

impl serde::Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_unique() {
        let mut words: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Reason::ALL.len());
    }
}
