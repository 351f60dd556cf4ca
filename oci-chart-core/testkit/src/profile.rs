//! Real registries, by name, as sets of switches.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::options::{Builder, Mounts};
use crate::quirk::Quirk;
use crate::tls::Tls;
use crate::token::{Bearer, Signer, TokenField};

macro_rules! profiles {
    ($($(#[$doc:meta])* $profile:ident = $name:literal;)*) => {
        /// A real registry, as far as it differs from others in what a client sees. [`Builder::profile`] sets all its switches
        /// and asks for the credentials of [`Profile::login`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Profile { $($(#[$doc])* $profile,)* }

        impl Profile {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$profile,)*];

            /// The name by which the `serve` binary knows it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$profile => $name,)* }
            }
        }
    };
}

profiles! {
    /// Amazon ECR, private.
    Ecr = "ecr";
    /// Amazon ECR, public.
    EcrPublic = "ecr-public";
    /// Azure Container Registry.
    Acr = "acr";
    /// Google Artifact Registry, and what was the Container Registry.
    Gar = "gar";
    /// GitHub's registry.
    Ghcr = "ghcr";
    /// Docker Hub.
    DockerHub = "dockerhub";
    /// Harbor 2.15, as recorded.
    Harbor = "harbor";
    /// Quay.
    Quay = "quay";
    /// JFrog Artifactory.
    Artifactory = "artifactory";
    /// GitLab's registry.
    GitLab = "gitlab";
    /// distribution 2.8, also known as docker-registry.
    Registry2 = "registry-2.8";
    /// distribution 3.
    Registry3 = "registry-3";
    /// zot 2.
    Zot = "zot";
    /// NVIDIA's registry.
    Nvcr = "nvcr";
}

/// The password of most.
const PASSWORD: &str = "hunter2";

impl Profile {
    /// User and password that the registry knows; none where it asks for none. For [`Profile::Acr`] the password is the
    /// identity token that stands in for one.
    #[must_use]
    pub const fn login(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Ecr | Self::EcrPublic => Some(("AWS", PASSWORD)),
            Self::Acr => Some(("00000000-0000-0000-0000-000000000000", "identity")),
            Self::Gar => Some(("oauth2accesstoken", PASSWORD)),
            Self::Harbor => Some(("robot$charts+ci", PASSWORD)),
            Self::Nvcr => Some(("$oauthtoken", PASSWORD)),
            Self::Ghcr | Self::DockerHub | Self::Quay | Self::Artifactory | Self::GitLab => {
                Some(("robot", PASSWORD))
            }
            Self::Registry2 | Self::Registry3 | Self::Zot => None,
        }
    }

    /// What it does that the specification does not.
    #[must_use]
    pub const fn quirks(self) -> &'static [Quirk] {
        use Quirk::{
            AcceptNeeded, AnyOrder, CancelForbidden, CookieNeedsCsrf, CountedPulls, ExpiredIsBad,
            ForbiddenForMissing, FromNeedsMount, HeadLengthDiffers, HtmlForUnknown, LaterChunksDropped,
            MissingBlobIsBad, MountChecksSource, MountIgnoresSource, MountNeedsSource, NoCatalog,
            NoEmptyBlobs, NoRangeFromStart, NoTokenPost, NotFoundCode, OpaquePages, OtherRealm, OwnApi,
            PageLimit, PageSizeIgnored, PlainNotFound, PostNeedsType, ProjectIsUnauthorized,
            PullOnlyChallenge, RightsAreChallenged, TagDeleteIsBad, WrongPasswordIsAnonymous,
        };
        match self {
            Self::Ecr => &[LaterChunksDropped, PageLimit],
            Self::EcrPublic => &[LaterChunksDropped, PageLimit, ExpiredIsBad],
            Self::Acr => &[],
            Self::Gar => &[NoEmptyBlobs, HtmlForUnknown],
            Self::Ghcr => &[PullOnlyChallenge, NoTokenPost, PlainNotFound],
            Self::DockerHub => &[MountChecksSource, NoCatalog, CountedPulls, MissingBlobIsBad],
            Self::Harbor => &[
                AnyOrder,
                AcceptNeeded,
                HeadLengthDiffers,
                TagDeleteIsBad,
                MissingBlobIsBad,
                NotFoundCode,
                RightsAreChallenged,
                ProjectIsUnauthorized,
                CookieNeedsCsrf,
                WrongPasswordIsAnonymous,
                NoTokenPost,
                OwnApi,
            ],
            Self::Quay => &[MountNeedsSource, OpaquePages],
            Self::Artifactory => &[ForbiddenForMissing, NoRangeFromStart, CancelForbidden],
            Self::GitLab => &[PlainNotFound, MissingBlobIsBad],
            Self::Registry2 => &[AnyOrder, PageSizeIgnored, TagDeleteIsBad, PlainNotFound, MissingBlobIsBad],
            Self::Registry3 => &[PlainNotFound, MissingBlobIsBad],
            Self::Zot => &[MountIgnoresSource, FromNeedsMount, PostNeedsType],
            Self::Nvcr => &[OtherRealm],
        }
    }

    fn apply(self, builder: Builder) -> Builder {
        // What only the newest have.
        let plain = builder.single_post(false).anonymous_mount(false).tag_parameters(false);
        match self {
            Self::Ecr => plain
                .mounts(Mounts::Never)
                .chunk_status(201)
                .manifest_location(false)
                .basic_challenge("Basic realm=\"https://1.dkr.ecr.eu-central-1.amazonaws.com/\",service=\"ecr.amazonaws.com\""),
            Self::EcrPublic => {
                plain.mounts(Mounts::Never).chunk_status(201).manifest_location(false).referrers_api(false)
            }
            Self::Acr => plain,
            Self::Gar => plain.chunks(false),
            Self::Ghcr => plain.referrers_api(false).max_chunk(4 << 20).page_size(100),
            Self::DockerHub => plain.rate_limit(100),
            Self::Harbor => plain.absolute_urls(true),
            Self::Quay => plain.page_size(50),
            Self::Artifactory => plain,
            Self::GitLab | Self::Registry2 | Self::Registry3 => plain.referrers_api(false).absolute_urls(true),
            Self::Zot => plain.single_post(true).tag_parameters(true),
            Self::Nvcr => plain.referrers_api(false),
        }
    }

    fn bearer(self, user: &str, password: &str) -> Option<Bearer> {
        let bearer = Bearer::new(user, password);
        Some(match self {
            Self::Ecr | Self::Registry2 | Self::Registry3 | Self::Zot => return None,
            Self::EcrPublic => bearer.anonymous_pull(true).service("public.ecr.aws"),
            Self::Acr => bearer.path("/oauth2/token").field(TokenField::AccessToken).identity(password),
            Self::Gar => bearer.path("/v2/token"),
            // Without a word about how long it lives: for five minutes, here.
            Self::Ghcr => bearer.lifetime(Duration::from_secs(300), None).anonymous_pull(true).oauth(false),
            Self::DockerHub => bearer
                .own_port(true)
                .field(TokenField::Both)
                .anonymous_pull(true)
                .service("registry.docker.io"),
            Self::Harbor => readable(bearer)
                .path("/service/token")
                .service("harbor-registry")
                .field(TokenField::TokenAndEmptyAccess)
                .oauth(false)
                // A robot of the usual kind may not delete, and `library` is the project that everybody may read.
                .permit(|access| match access.user {
                    Some(_) => access.kind == "repository" && access.action != "delete",
                    None => access.name.starts_with("library/") && access.action == "pull",
                }),
            Self::Quay => bearer.path("/v2/auth").anonymous_pull(true),
            Self::Artifactory => bearer.path("/v2/token"),
            Self::Nvcr => bearer.path("/proxy_auth").anonymous_pull(true),
            Self::GitLab => bearer.path("/jwt/auth").service("container_registry").first_scope_only(true),
        })
    }
}

/// Tokens that say whose they are and what they allow.
fn readable(bearer: Bearer) -> Bearer {
    match Signer::new(Tls::KEY, Tls::CERTIFICATE, "harbor-token-issuer") {
        Ok(signer) => bearer.signed(signer),
        Err(_) => bearer,
    }
}

impl Builder {
    /// Behaves as this registry does. Switches that are set later win.
    #[must_use]
    pub fn profile(self, profile: Profile) -> Self {
        let builder =
            profile.quirks().iter().fold(profile.apply(self), |builder, quirk| builder.quirk(*quirk));
        match profile.login() {
            None => builder,
            Some((user, password)) => match profile.bearer(user, password) {
                Some(bearer) => builder.bearer_auth(bearer),
                None => builder.basic_auth(user, password),
            },
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|profile| profile.name() == name);
        found.copied().ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|profile| profile.name()).collect();
            format!("{name:?} is none of {}", names.join(", "))
        })
    }
}
